//! Limits of what would be held: losses, money, positions.

use super::Case;
use crate::{
    book::{Money, from_currency},
    chain::NO_ROOT,
    risk::{dollars::share_of, ledger::covering, limits::Limit, verdict::Verdict},
};

fn and(a: Option<Money>, b: Money) -> Option<Money> {
    a.map(|a| a.saturating_add(b))
}

impl Case<'_> {
    pub(super) fn loss(&self, verdict: &mut Verdict) {
        let (limits, outlook, ledger) = (self.limits, &self.outlook, self.ledger);
        let loss = outlook.order_loss;
        verdict.money(Limit::ORDER_LOSS, loss, from_currency(limits.order_loss_max));
        self.share(verdict, Limit::TRADE_RISK, loss, limits.trade_risk_share_max);
        let bound = from_currency(limits.expiry_loss_max);
        verdict.money(Limit::EXPIRY_LOSS, outlook.expiry_loss, bound);
        let share = limits.root_loss_share_max;
        self.share(verdict, Limit::ROOT_LOSS, outlook.root_loss, share);
        let whole = outlook.book_loss.filter(|_| !ledger.broken);
        self.share(verdict, Limit::BOOK_LOSS, whole, limits.book_loss_share_max);
        let added = loss.map(|loss| loss.max(0));
        let mine = ledger.strategies.get(usize::from(self.draft.head.strategy));
        let mine = mine.and_then(|mine| and(added, *mine));
        self.share(verdict, Limit::STRATEGY_RISK, mine, limits.strategy_risk_share_max);
        let all = self.horizon.and_then(|horizon| and(added, ledger.horizon(horizon)));
        self.share(verdict, Limit::HORIZON_SIZE, all, self.horizon_share());
        let here = and(added, ledger.root(outlook.root).packages);
        self.share(verdict, Limit::CONCENTRATION, here, limits.root_share_max);
        let losses = [loss, outlook.expiry_loss, outlook.root_loss];
        verdict.must(Limit::LOSS_UNBOUNDED, !losses.contains(&Some(Money::MAX)));
        verdict.must(Limit::UNCOVERS, self.draft.head.purpose.opens() || !outlook.uncovers);
        let bound = from_currency(limits.daily_loss_max);
        verdict.money(Limit::DAILY_LOSS, self.breakers.session_loss(&self.desk.book), bound);
    }

    fn horizon_share(&self) -> f64 {
        self.horizon.map_or(f64::NAN, |horizon| self.limits.size_share(horizon))
    }

    /// What has tripped, or would trip: a breaker that was not reset refuses like one that trips.
    pub(super) fn breakers(&self, verdict: &mut Verdict) {
        let (limits, book, breakers) = (self.limits, &self.desk.book, self.breakers);
        let strategy = self.draft.head.strategy;
        let unreconciled = u64::from(limits.unreconciled_fills_max);
        verdict.count(Limit::UNRECONCILED, breakers.unreconciled(book), unreconciled);
        let rejects = u64::from(limits.rejects_in_a_row_max);
        verdict.count(Limit::REJECTS, breakers.rejects(book), rejects);
        let drawdown = breakers.drawdown(book);
        verdict.at_most(Limit::DRAWDOWN_REDUCE, drawdown, limits.drawdown_reduce);
        verdict.at_most(Limit::DRAWDOWN_HALT, drawdown, limits.drawdown_halt);
        let [var, shortfall] = breakers.tail;
        verdict.at_most(Limit::VALUE_AT_RISK, var, limits.var_share_max);
        verdict.at_most(Limit::SHORTFALL, shortfall, limits.es_share_max);
        let losses = u64::from(breakers.losses(strategy));
        verdict.count(Limit::LOSSES_IN_A_ROW, losses, u64::from(limits.losses_in_a_row_max));
        let (traded, profit) = breakers.minute_rates();
        verdict.count(Limit::TRADED_RATE, traded, u64::from(limits.traded_rate_max));
        let bound = from_currency(limits.profit_rate_max);
        verdict.money(Limit::PROFIT_RATE, Some(profit), bound);
        let loss = self.horizon.and_then(|horizon| breakers.horizon_loss(horizon));
        let share = self.horizon.map_or(f64::NAN, |horizon| limits.loss_share(horizon));
        self.share(verdict, Limit::HORIZON_LOSS, loss, share);
        let reducing = self.horizon.is_none_or(|horizon| breakers.is_horizon_halted(horizon));
        verdict.must(Limit::REDUCING, !reducing && !breakers.is_reducing());
        verdict.must(Limit::STRATEGY_HALTED, !breakers.is_strategy_halted(strategy));
    }

    /// Cash is capital with all that was realised and paid; margin is held against it.
    pub(super) fn money(&self, verdict: &mut Verdict) {
        let (limits, book, ledger) = (self.limits, &self.desk.book, self.ledger);
        let cash = i128::from(book.capital) + i128::from(book.realised) - i128::from(book.fees);
        let spent = ledger.cost + i128::from(ledger.working_paid) + i128::from(self.outlook.paid);
        let left = crate::book::fit(cash - spent);
        let least = from_currency(limits.cash_left_min);
        let known = self.outlook.paid != Money::MAX;
        verdict.at_least_money(Limit::BUYING_POWER, known.then_some(left), least);
        let allowed = share_of(left.max(0), limits.margin_share_max);
        let needed = self.outlook.margin.filter(|margin| *margin != Money::MAX);
        let holds = needed.zip(allowed).is_some_and(|(needed, most)| i128::from(needed) <= most);
        let shown = needed.map_or(f64::NAN, |needed| needed as f64 / left as f64);
        verdict.note(Limit::MARGIN, holds, shown, limits.margin_share_max);
        let premium = self.outlook.paid.saturating_abs().saturating_add(ledger.working_premium);
        let bound = from_currency(limits.working_premium_max);
        verdict.money(Limit::WORKING_PREMIUM, known.then_some(premium), bound);
    }

    pub(super) fn holdings(&self, verdict: &mut Verdict) {
        let (limits, book, head) = (self.limits, &self.desk.book, &self.draft.head);
        let packages = book.open_packages().len() as u64 + 1;
        verdict.count(Limit::OPEN_PACKAGES, packages, u64::from(limits.open_packages_max));
        let working = book.live().len() as u64 + 1;
        verdict.count(Limit::WORKING_ORDERS, working, u64::from(limits.working_orders_max));
        let most = self.views.iter().map(|view| {
            let position = book.position(view.index);
            let ours = view.contracts;
            let (buy, sell) = if view.leg.side > 0 { (ours, 0) } else { (0, ours) };
            let long = (position.line.held + position.buying).saturating_add(buy);
            let short = (position.line.held - position.selling).saturating_sub(sell);
            let most = if long.unsigned_abs() > short.unsigned_abs() { long } else { short };
            let counted = |terms| covering(&self.desk.chain, terms, most);
            view.terms.map_or(most.unsigned_abs(), counted)
        });
        let most = most.max().unwrap_or(u64::MAX);
        verdict.count(Limit::POSITION, most, u64::from(limits.position_contracts_max));
        self.together(verdict);
        let fresh = head.id != 0 && book.is_fresh(head.id);
        verdict.must(Limit::NUMBER, fresh);
        verdict.must(Limit::NO_ROOM, book.has_room(head));
        verdict.must(Limit::CLOSES_MORE, head.purpose.opens() || self.closes_what_is_held());
    }

    /// Contracts of an expiry and of a root, without regard to their side.
    fn together(&self, verdict: &mut Verdict) {
        let (limits, ledger) = (self.limits, self.ledger);
        let (mut by_expiry, mut by_root) = (0, 0);
        for view in self.views {
            let mut at = ledger.contracts(view.root, view.settles);
            let mut within = ledger.root(view.root).contracts;
            for other in self.views.iter().filter(|other| other.root == view.root) {
                within = within.saturating_add(other.counted);
                let with = if other.settles == view.settles { other.counted } else { 0 };
                at = at.saturating_add(with);
            }
            (by_expiry, by_root) = (at.max(by_expiry), within.max(by_root));
        }
        let known = !ledger.broken && self.all(|view| view.root != NO_ROOT);
        let counted = |sum: u64| if known { sum } else { u64::MAX };
        let bound = u64::from(limits.expiry_contracts_max);
        verdict.count(Limit::EXPIRY_CONTRACTS, counted(by_expiry), bound);
        let bound = u64::from(limits.root_contracts_max);
        verdict.count(Limit::ROOT_CONTRACTS, counted(by_root), bound);
    }

    /// Each leg reduces its package's holding, other working orders of the package included.
    fn closes_what_is_held(&self) -> bool {
        let (book, head) = (&self.desk.book, &self.draft.head);
        let Some(package) = book.package(head.package) else { return false };
        self.views.iter().all(|view| {
            let side = i64::from(view.leg.side);
            let held = package.lines().iter().find(|line| line.instrument == view.index);
            let held = held.map_or(0, |line| line.held);
            let working = book.working().filter(|order| order.package == package.id);
            let closing: i64 = working
                .flat_map(|order| {
                    order.legs().iter().enumerate().map(move |(i, leg)| (order, i, leg))
                })
                .filter(|(_, _, leg)| leg.instrument == view.index && leg.side == side)
                .map(|(order, i, leg)| order.wanted(i).saturating_sub(leg.filled) as i64)
                .sum();
            held * side < 0 && view.contracts.saturating_add(closing) <= held.abs()
        })
    }
}
