//! A draft, the desk and the gate's own state in; all limits measured out.

mod book;
mod greeks;
mod market;
mod order;

use super::{
    breakers::Breakers,
    conduct::Gauges,
    dollars::share_of,
    draft::{Draft, Outlook, View},
    grid::Worst,
    ledger::{Exposure, Ledger},
    limits::{Limit, Limits},
    verdict::Verdict,
};
use crate::{
    book::{Desk, Horizon, Money},
    wire::NANOS_PER_SECOND,
};

/// What one evaluation looks at.
pub(super) struct Case<'a> {
    pub(super) limits: &'a Limits,
    pub(super) desk: &'a Desk,
    pub(super) draft: &'a Draft,
    pub(super) views: &'a [View<'a>],
    pub(super) outlook: Outlook,
    pub(super) gauges: Gauges,
    pub(super) horizon: Option<Horizon>,
    pub(super) ledger: &'a Ledger,
    /// Greeks of the order's legs.
    pub(super) greeks: Exposure,
    /// Worst scenario of the book with the order.
    pub(super) worst: Worst,
    pub(super) breakers: &'a Breakers,
    /// Contracts of the largest leg, as limits count them; `None` for an order without legs.
    pub(super) contracts: Option<u64>,
    /// Units that the limit is for; 0 where there are none.
    pub(super) unit: i64,
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / NANOS_PER_SECOND as f64
}

impl Case<'_> {
    /// Measures everything; what a closing order need not keep is dropped at the end.
    pub(super) fn judge(&self, verdict: &mut Verdict) {
        verdict.clear();
        self.size(verdict);
        self.price(verdict);
        self.conduct(verdict);
        self.loss(verdict);
        self.money(verdict);
        self.holdings(verdict);
        self.greeks(verdict);
        self.quotes(verdict);
        self.liquidity(verdict);
        self.permission(verdict);
        self.breakers(verdict);
        verdict.close();
        if !self.draft.head.purpose.opens() {
            verdict.only_closing();
        }
    }

    /// Money against a share of capital: compared as money, shown as a share.
    fn share(&self, verdict: &mut Verdict, limit: Limit, money: Option<Money>, share: f64) {
        let capital = self.desk.book.capital;
        let bound = share_of(capital, share);
        let holds = money.zip(bound).is_some_and(|(money, bound)| i128::from(money) <= bound);
        let holds = holds && money != Some(Money::MAX);
        let shown = money.map_or(f64::NAN, |money| money as f64 / capital as f64);
        let shown = if money == Some(Money::MAX) { f64::INFINITY } else { shown };
        verdict.note(limit, holds, shown, share);
    }

    /// The largest over the legs; NaN if it is NaN for any.
    fn most(&self, measure: impl Fn(&View<'_>) -> f64) -> f64 {
        let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
        self.views.iter().map(measure).reduce(larger).unwrap_or(f64::NAN)
    }

    fn all(&self, holds: impl Fn(&View<'_>) -> bool) -> bool {
        self.views.iter().all(holds)
    }
}
