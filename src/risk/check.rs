//! A draft, the desk and the gate's own state in; all limits measured out.

use super::{
    Gauges,
    draft::{Draft, Outlook, View, contracts_of},
    limits::{Limit, Limits},
    verdict::Verdict,
};
use crate::{
    book::{Desk, Horizon, Money, from_currency, value},
    wire::{NANOS_PER_SECOND, Timestamp},
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
}

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / NANOS_PER_SECOND as f64
}

impl Case<'_> {
    /// Measures everything; what a closing order need not keep is dropped at the end.
    pub(super) fn judge(&self, verdict: &mut Verdict) {
        verdict.clear();
        self.size(verdict);
        self.loss(verdict);
        self.book(verdict);
        self.quotes(verdict);
        self.price(verdict);
        self.conduct(verdict);
        self.permission(verdict);
        if !self.draft.head.purpose.opens() {
            verdict.only_closing();
        }
    }

    fn size(&self, verdict: &mut Verdict) {
        let head = &self.draft.head;
        let quantity = i64::from(head.quantity);
        let contracts = self.views.iter().map(|v| contracts_of(head, &v.leg)).max();
        let allowed = u64::from(self.limits.order_contracts_max);
        verdict.count(Limit::ORDER_CONTRACTS, contracts.map_or(u64::MAX, |c| c as u64), allowed);
        let notional = |v: &View<'_>| value(v.strike(), contracts_of(head, &v.leg), v.multiplier);
        let notional = self.views.iter().map(notional).max();
        verdict.money(
            Limit::ORDER_NOTIONAL,
            notional,
            from_currency(self.limits.order_notional_max),
        );
        let multiplier = self.views.first().map(|v| v.multiplier);
        let premium = multiplier.filter(|_| head.limit.is_defined());
        let premium = premium.map(|m| value(head.limit.0, quantity, m).saturating_abs());
        verdict.money(Limit::ORDER_PREMIUM, premium, from_currency(self.limits.order_premium_max));
    }

    fn loss(&self, verdict: &mut Verdict) {
        let (limits, book) = (self.limits, &self.desk.book);
        let loss = self.outlook.order_loss;
        verdict.money(Limit::ORDER_LOSS, loss, from_currency(limits.order_loss_max));
        self.share(verdict, Limit::TRADE_RISK, loss, limits.trade_risk_share_max);
        let expiry = self.outlook.expiry_loss;
        verdict.money(Limit::EXPIRY_LOSS, expiry, from_currency(limits.expiry_loss_max));
        let strategy = self.draft.head.strategy;
        let mine = book.open_packages().filter(|package| package.strategy == strategy);
        let mine = mine.fold(0i64, |sum, package| sum.saturating_add(package.loss.max(0)));
        let all = loss.map(|loss| loss.saturating_add(mine));
        self.share(verdict, Limit::STRATEGY_RISK, all, limits.strategy_risk_share_max);
        let unbounded = [loss, expiry].contains(&Some(Money::MAX));
        verdict.must(Limit::LOSS_UNBOUNDED, !unbounded);
        let session = book.pnl.map(i64::saturating_neg);
        verdict.money(Limit::DAILY_LOSS, session, from_currency(limits.daily_loss_max));
    }

    /// A loss against a share of capital: compared as money, shown as a share.
    fn share(&self, verdict: &mut Verdict, limit: Limit, loss: Option<Money>, share: f64) {
        let capital = self.desk.book.capital;
        let bound = (capital as f64 * share) as Money;
        verdict.money(limit, loss, bound);
        let shown = loss.map_or(f64::NAN, |loss| loss as f64 / capital as f64);
        verdict.show(limit, shown, share);
    }

    fn book(&self, verdict: &mut Verdict) {
        let (limits, book, head) = (self.limits, &self.desk.book, &self.draft.head);
        let packages = book.open_packages().len() as u64 + 1;
        verdict.count(Limit::OPEN_PACKAGES, packages, u64::from(limits.open_packages_max));
        let working = book.live().len() as u64 + 1;
        verdict.count(Limit::WORKING_ORDERS, working, u64::from(limits.working_orders_max));
        let most = self.views.iter().map(|view| {
            let position = book.position(view.index);
            let contracts = contracts_of(head, &view.leg);
            let (buy, sell) = if view.leg.side > 0 { (contracts, 0) } else { (0, contracts) };
            let long = (position.line.held + position.buying).saturating_add(buy);
            let short = (position.line.held - position.selling).saturating_sub(sell);
            long.unsigned_abs().max(short.unsigned_abs())
        });
        let most = most.max().unwrap_or(u64::MAX);
        verdict.count(Limit::POSITION, most, u64::from(limits.position_contracts_max));
        let unreconciled = u64::from(limits.unreconciled_fills_max);
        verdict.count(Limit::UNRECONCILED, book.tally.unreconciled, unreconciled);
        let rejects = u64::from(limits.rejects_in_a_row_max);
        verdict.count(Limit::REJECTS, book.tally.rejected_in_a_row, rejects);
        let fresh = head.id != 0 && book.is_fresh(head.id);
        verdict.must(Limit::NUMBER, fresh);
        verdict.must(Limit::NO_ROOM, book.has_room(head));
        verdict.must(Limit::CLOSES_MORE, head.purpose.opens() || self.closes_what_is_held());
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
            held * side < 0 && contracts_of(head, &view.leg).saturating_add(closing) <= held.abs()
        })
    }

    fn quotes(&self, verdict: &mut Verdict) {
        let (limits, now) = (self.limits, self.desk.chain.now);
        let age = |v: &View<'_>| if v.quote.ts == 0 { u64::MAX } else { now - v.quote.ts.min(now) };
        let age = self.views.iter().map(age).max().unwrap_or(u64::MAX);
        let age = if age == u64::MAX { f64::NAN } else { seconds(age) };
        verdict.at_most(Limit::QUOTE_AGE, age, seconds(limits.quote_age_max.nanos()));
        let spread = |v: &View<'_>| v.quote.ask - v.quote.bid;
        let share = |v: &View<'_>| (v.quote.ask - v.quote.bid) / v.quote.mid();
        verdict.at_most(Limit::LEG_SPREAD, self.most(spread), limits.leg_spread_max);
        verdict.at_most(Limit::LEG_SPREAD_SHARE, self.most(share), limits.leg_spread_share_max);
        let head = &self.draft.head;
        let wanted = |v: &View<'_>| contracts_of(head, &v.leg) as f64 / f64::from(v.displayed());
        verdict.at_most(Limit::DISPLAYED_SIZE, self.most(wanted), limits.size_share_max);
        let sides = |v: &View<'_>| (v.quote.bid.is_nan(), v.quote.ask.is_nan());
        verdict
            .must(Limit::QUOTE_MISSING, self.all(|v| v.quote.ts != 0 && sides(v) != (true, true)));
        verdict.must(Limit::QUOTE_ONE_SIDED, self.all(|v| sides(v).0 == sides(v).1));
        verdict.must(Limit::QUOTE_CROSSED, self.all(|v| !v.quote.is_crossed()));
        let locked = |v: &View<'_>| v.quote.bid == v.quote.ask;
        verdict.must(Limit::QUOTE_LOCKED, limits.locked_allowed || self.all(|v| !locked(v)));
        verdict.must(Limit::QUOTE_STALE, self.all(|v| !v.quote.stale));
    }

    /// The largest over the legs; NaN if it is NaN for any.
    fn most(&self, measure: impl Fn(&View<'_>) -> f64) -> f64 {
        let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
        self.views.iter().map(measure).reduce(larger).unwrap_or(f64::NAN)
    }

    fn all(&self, holds: impl Fn(&View<'_>) -> bool) -> bool {
        self.views.iter().all(holds)
    }

    fn price(&self, verdict: &mut Verdict) {
        let (limits, head, chain) = (self.limits, &self.draft.head, &self.desk.chain);
        let sum = self.net(|view| Some(view.leg.price.0));
        let sound = head.limit.is_defined() && sum == Some(i128::from(head.limit.0));
        verdict.must(Limit::PRICE_INVALID, sound && self.all(|v| v.is_on_tick(chain)));
        let far = self.net(|view| view.far());
        let opens = head.purpose.opens();
        // The collar of a closing order whose legs are not all quoted is what they can be worth.
        let past = far.map_or(if opens { f64::NAN } else { f64::NEG_INFINITY }, |far| {
            (i128::from(head.limit.0) - far) as f64 / 1e9
        });
        let share = far.map_or(0.0, |far| (far as f64 / 1e9).abs() * limits.collar_share_max);
        verdict.at_most(Limit::PRICE_COLLAR, past, limits.collar_max.max(share));
        let multiplier = self.views.first().map_or(0, |view| view.multiplier);
        let pays = value(head.limit.0, i64::from(head.quantity), multiplier);
        verdict.must(Limit::PAYS_TOO_MUCH, self.outlook.best.is_some_and(|best| pays <= best));
    }

    /// Net of a price per leg, for one package on one unit; `None` if any leg has none.
    fn net(&self, price: impl Fn(&View<'_>) -> Option<i64>) -> Option<i128> {
        self.views.iter().try_fold(0, |sum, view| {
            let units = i128::from(view.leg.side) * i128::from(view.leg.ratio);
            Some(sum + units * i128::from(price(view)?))
        })
    }

    fn conduct(&self, verdict: &mut Verdict) {
        let limits = self.limits;
        let rate = f64::from(limits.message_rate_max);
        let missing = if self.draft.head.purpose.opens() {
            self.gauges.missing
        } else {
            self.gauges.missing.min(self.gauges.reserve_missing)
        };
        // Shown as the rate that the order would have made.
        verdict.at_most(Limit::MESSAGE_RATE, rate + missing, rate);
        let window = seconds(limits.duplicate_window.nanos());
        verdict.at_least(Limit::DUPLICATE, self.gauges.same_order_age, window);
    }

    fn permission(&self, verdict: &mut Verdict) {
        let (chain, venue) = (&self.desk.chain, &self.desk.book.venue);
        let now: Timestamp = chain.now;
        let known = |v: &View<'_>| {
            let held = (v.index as usize) < self.desk.book.instruments_max();
            held && v.multiplier > 0 && v.terms.is_some_and(|terms| terms.class.is_option())
        };
        verdict.must(Limit::INSTRUMENT_UNKNOWN, self.all(known));
        let settles = |v: &View<'_>| v.terms.map_or(0, |terms| terms.settles);
        verdict.must(Limit::INSTRUMENT_EXPIRED, self.all(|v| now < settles(v)));
        let left = self.views.iter().map(|v| settles(v).saturating_sub(now)).min();
        let margin = seconds(self.limits.expiry_margin_min.nanos());
        verdict.at_least(Limit::TIME_LEFT, left.map_or(f64::NAN, seconds), margin);
        let drift = seconds(self.limits.clock_drift_max.nanos());
        verdict.at_most(Limit::CLOCK_DRIFT, seconds(venue.drift), drift);
        let trading = |v: &View<'_>| {
            let under = v.terms.and_then(|terms| chain.underlying(terms.root));
            venue.is_trading(v.index) && under.is_none_or(|under| venue.is_trading(under))
        };
        verdict.must(Limit::NOT_TRADING, self.all(trading));
        verdict.must(Limit::SESSION_DOWN, venue.broker_up);
        let doubts = u64::from(self.desk.book.in_doubt());
        verdict.count(Limit::IN_DOUBT, doubts, 0);
        let sure = self.desk.book.audit.agrees();
        let compares = self.limits.reconcile_every.nanos() > 0;
        verdict.must(Limit::POSITIONS_UNSURE, sure || !compares);
        verdict.must(Limit::KILLED, !venue.is_over());
        verdict.must(Limit::HALTED, venue.halted.is_none() && !venue.stopping);
        let first = self.views.first().map_or(0, |view| view.multiplier);
        let even = self.all(|v| v.multiplier == first);
        let head = &self.draft.head;
        let own = head.purpose.opens() == (head.package == head.id);
        verdict.must(Limit::MALFORMED, self.draft.is_sound() && even && own);
        verdict.must(Limit::STRATEGY_UNKNOWN, self.horizon.is_some());
    }
}
