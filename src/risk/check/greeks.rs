//! Limits of exposures in currency, of roots that move together, and of the scenario grid.
//!
//! What works may fill or not: both are measured, and the larger counts.

use super::{Case, seconds};
use crate::risk::{
    dollars::{Dollars, Wide, currency, float, share_of, wide},
    limits::Limit,
    verdict::Verdict,
};

impl Case<'_> {
    pub(super) fn greeks(&self, verdict: &mut Verdict) {
        let (limits, ledger) = (self.limits, self.ledger);
        let held = ledger.held.net + self.greeks.net;
        let all = held + ledger.orders.net;
        let gross = ledger.held.gross + ledger.orders.gross + self.greeks.gross;
        let unknown = ledger.held.unknown + ledger.orders.unknown + self.greeks.unknown;
        let left_out = unknown > 0 && !limits.unknown_greeks_allowed;
        let known = !left_out && !ledger.broken;
        let net = |of: fn(&Dollars) -> Wide| known.then(|| of(&held).abs().max(of(&all).abs()));
        let sum = |of: fn(&Dollars) -> Wide| known.then(|| of(&gross));
        let rows = [
            (Limit::DELTA, net(|d| d.delta), limits.delta_share_max),
            (Limit::DELTA_GROSS, sum(|d| d.delta), limits.delta_gross_share_max),
            (Limit::GAMMA, net(|d| d.gamma), limits.gamma_share_max),
            (Limit::GAMMA_GROSS, sum(|d| d.gamma), limits.gamma_gross_share_max),
            (Limit::VEGA, net(|d| d.vega), limits.vega_share_max),
            (Limit::VEGA_GROSS, sum(|d| d.vega), limits.vega_gross_share_max),
            (Limit::THETA, known.then(|| (-held.theta).max(-all.theta)), limits.theta_share_max),
        ];
        rows.into_iter().for_each(|(limit, measured, share)| {
            self.wide_share(verdict, limit, measured, share);
        });
        self.by_root(verdict, known);
        let left_out = self.worst.unknown > 0 && !limits.unknown_greeks_allowed;
        let loss = (!left_out).then_some(self.worst.loss);
        self.wide_share(verdict, Limit::GRID_LOSS, loss, limits.grid_loss_share_max);
        verdict.at_most(
            Limit::GRID_AGE,
            seconds(self.worst.age),
            seconds(limits.grid_age_max.nanos()),
        );
    }

    fn wide_share(&self, verdict: &mut Verdict, limit: Limit, amount: Option<Wide>, share: f64) {
        let capital = self.desk.book.capital;
        let bound = share_of(capital, share);
        let holds = amount.zip(bound).is_some_and(|(amount, bound)| amount <= bound);
        let shown = amount.map_or(f64::NAN, |amount| float(amount) / capital as f64);
        verdict.note(limit, holds, shown, share);
    }

    /// Dollar delta of the order's first root, alone and with what moves with it.
    fn by_root(&self, verdict: &mut Verdict, known: bool) {
        let (limits, ledger) = (self.limits, self.ledger);
        let (root, own) = (self.outlook.root, self.greeks.net.delta);
        let row = ledger.root(root);
        let net = |held: Wide, orders: Wide| {
            if held.abs() > (held + orders).abs() { held } else { held + orders }
        };
        let here = net(row.held.net.delta + own, row.orders.net.delta);
        let share = limits.root_delta_share_max;
        self.wide_share(verdict, Limit::ROOT_DELTA, known.then_some(here.abs()), share);
        let within = |amount: Wide, bound: f64| wide(bound).is_some_and(|b| known && amount <= b);
        let holds = within(here.abs(), limits.fut_eq_net_max);
        let shown = |amount: Wide| if known { currency(amount) } else { f64::NAN };
        verdict.note(Limit::FUT_EQ_NET, holds, shown(here.abs()), limits.fut_eq_net_max);
        let side = row.held.gross.delta + row.orders.gross.delta + self.greeks.gross.delta;
        let holds = within(side, limits.fut_eq_gross_max);
        verdict.note(Limit::FUT_EQ_GROSS, holds, shown(side), limits.fut_eq_gross_max);
        self.correlated(verdict, known, here);
    }

    fn correlated(&self, verdict: &mut Verdict, known: bool, here: Wide) {
        let (limits, roots, root) = (self.limits, self.ledger.roots(), self.outlook.root);
        let weight = |at: usize| {
            let row = &roots[at];
            let net = (row.held.net + row.orders.net).delta;
            currency(if row.root == root { here } else { net })
        };
        let alone = !roots.iter().any(|row| row.root == root);
        let own = if alone { currency(here) } else { 0.0 };
        let mut square = own * own;
        let mut cluster = own.abs();
        for i in 0..roots.len() {
            let (w, with_root) = (weight(i), self.correlation(roots[i].root, root));
            square += w * w + 2.0 * self.joint(w, own, with_root);
            if with_root.is_none_or(|c| c > limits.cluster_correlation) {
                cluster += w.abs();
            }
            for j in 0..i {
                let pair = self.correlation(roots[i].root, roots[j].root);
                square += 2.0 * self.joint(w, weight(j), pair);
            }
        }
        let rows = [
            (Limit::CORRELATED, square.max(0.0).sqrt(), limits.correlated_share_max),
            (Limit::CLUSTER, cluster, limits.cluster_share_max),
        ];
        rows.into_iter().for_each(|(limit, amount, share)| {
            self.wide_share(verdict, limit, wide(amount).filter(|_| known), share);
        });
    }

    /// Correlation of two roots; `None` where only its size is known.
    fn correlation(&self, a: u16, b: u16) -> Option<f64> {
        if a == b {
            return Some(1.0);
        }
        let chain = &self.desk.chain;
        let group = |root: u16| chain.root(root).map(|rules| rules.group);
        let together = group(a) == group(b) && group(a).is_some_and(|name| name != [0; 8]);
        together.then_some(self.limits.group_correlation)
    }

    fn joint(&self, a: f64, b: f64, correlation: Option<f64>) -> f64 {
        correlation.map_or((a * b).abs() * self.limits.correlation, |c| c * a * b)
    }
}
