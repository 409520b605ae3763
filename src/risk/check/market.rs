//! Limits of the market: quotes, liquidity, time, and whether one may trade at all.

use super::{Case, seconds};
use crate::{
    chain::Style,
    risk::{dollars::is_tradable, draft::View, limits::Limit, verdict::Verdict},
    wire::{Timestamp, control::DiskState, market::Class},
};

const DAY_NS: u64 = 86_400_000_000_000;

impl Case<'_> {
    pub(super) fn quotes(&self, verdict: &mut Verdict) {
        let (limits, chain) = (self.limits, &self.desk.chain);
        let now = chain.now;
        let age = |v: &View<'_>| if v.quote.ts == 0 { u64::MAX } else { now - v.quote.ts.min(now) };
        let age = self.views.iter().map(age).max().unwrap_or(u64::MAX);
        let age = if age == u64::MAX { f64::NAN } else { seconds(age) };
        verdict.at_most(Limit::QUOTE_AGE, age, seconds(limits.quote_age_max.nanos()));
        let spread = |v: &View<'_>| v.quote.ask - v.quote.bid;
        let share = |v: &View<'_>| (v.quote.ask - v.quote.bid) / v.quote.mid();
        verdict.at_most(Limit::LEG_SPREAD, self.most(spread), limits.leg_spread_max);
        verdict.at_most(Limit::LEG_SPREAD_SHARE, self.most(share), limits.leg_spread_share_max);
        let sides = |v: &View<'_>| (v.quote.bid.is_nan(), v.quote.ask.is_nan());
        verdict
            .must(Limit::QUOTE_MISSING, self.all(|v| v.quote.ts != 0 && sides(v) != (true, true)));
        verdict.must(Limit::QUOTE_ONE_SIDED, self.all(|v| sides(v).0 == sides(v).1));
        verdict.must(Limit::QUOTE_CROSSED, self.all(|v| !v.quote.is_crossed()));
        let locked = |v: &View<'_>| v.quote.bid == v.quote.ask;
        verdict.must(Limit::QUOTE_LOCKED, limits.locked_allowed || self.all(|v| !locked(v)));
        verdict.must(Limit::QUOTE_STALE, self.all(|v| !v.quote.stale));
        let under = |v: &View<'_>| {
            let index = chain.underlying(v.root);
            let Some(index) = index else { return 0.0 };
            let quote = chain.quote(index);
            if quote.ts == 0 || quote.stale { f64::NAN } else { seconds(now - quote.ts.min(now)) }
        };
        let bound = seconds(limits.underlying_age_max.nanos());
        verdict.at_most(Limit::UNDERLYING_AGE, self.most(under), bound);
    }

    pub(super) fn liquidity(&self, verdict: &mut Verdict) {
        let limits = self.limits;
        let wanted = |v: &View<'_>| v.contracts as f64 / f64::from(v.displayed());
        verdict.at_most(Limit::DISPLAYED_SIZE, self.most(wanted), limits.size_share_max);
        let free = i64::from(limits.volume_free);
        let share = |v: &View<'_>, of: f64| {
            let beyond = (v.contracts - free).max(0);
            if beyond == 0 { 0.0 } else { beyond as f64 / of }
        };
        let volume = |v: &View<'_>| share(v, v.tape.volume as f64);
        verdict.at_most(Limit::VOLUME_SHARE, self.most(volume), limits.volume_share_max);
        let interest = |v: &View<'_>| share(v, v.tape.interest.max(0) as f64);
        verdict.at_most(Limit::INTEREST_SHARE, self.most(interest), limits.interest_share_max);
    }

    pub(super) fn permission(&self, verdict: &mut Verdict) {
        let (chain, venue) = (&self.desk.chain, &self.desk.book.venue);
        let now: Timestamp = chain.now;
        let known = |v: &View<'_>| {
            let held = (v.index as usize) < self.desk.book.instruments_max();
            held && v.multiplier > 0 && v.terms.is_some_and(|terms| is_tradable(chain, terms))
        };
        verdict.must(Limit::INSTRUMENT_UNKNOWN, self.all(known));
        let drift = seconds(self.limits.clock_drift_max.nanos());
        verdict.at_most(Limit::CLOCK_DRIFT, seconds(venue.drift), drift);
        let trading = |v: &View<'_>| {
            let under = v.terms.and_then(|terms| chain.underlying(terms.root));
            venue.is_trading(v.index) && under.is_none_or(|under| venue.is_trading(under))
        };
        verdict.must(Limit::NOT_TRADING, self.all(trading));
        verdict.must(Limit::SESSION_DOWN, venue.broker_up);
        verdict.count(Limit::IN_DOUBT, u64::from(self.desk.book.in_doubt()), 0);
        let compares = self.limits.reconcile_every.nanos() > 0;
        let sure = self.desk.book.audit.agrees() || !compares;
        verdict.must(Limit::POSITIONS_UNSURE, sure);
        verdict.must(Limit::JOURNAL_BEHIND, venue.disk == DiskState::KEEPS_UP);
        verdict.must(Limit::KILLED, !venue.is_over());
        verdict.must(Limit::HALTED, venue.halted.is_none() && !venue.stopping);
        let even = self.unit > 0;
        let head = &self.draft.head;
        let own = head.purpose.follows() != (head.package == head.id);
        verdict.must(Limit::MALFORMED, self.draft.is_sound() && even && own);
        verdict.must(Limit::STRATEGY_UNKNOWN, self.horizon.is_some());
        self.time(verdict, now);
        self.regime(verdict, now);
    }

    /// Settlement, the session's close, dividends, strikes that the price may be pinned to.
    fn time(&self, verdict: &mut Verdict, now: Timestamp) {
        let (limits, chain) = (self.limits, &self.desk.chain);
        // What does not settle has time without end.
        let settles = |v: &View<'_>| match v.terms {
            Some(terms) if terms.class != Class::STOCK => terms.settles,
            Some(_) => u64::MAX,
            None => 0,
        };
        verdict.must(Limit::INSTRUMENT_EXPIRED, self.all(|v| now < settles(v)));
        let left = self.views.iter().map(|v| settles(v).saturating_sub(now)).min();
        let margin = seconds(limits.expiry_margin_min.nanos());
        verdict.at_least(Limit::TIME_LEFT, left.map_or(f64::NAN, seconds), margin);
        let close = |v: &View<'_>| chain.closes_in(v.root, now).map_or(f64::NAN, f64::from);
        let margin = seconds(limits.close_margin_min.nanos());
        let close = if margin > 0.0 { -self.most(|v| -close(v)) } else { f64::INFINITY };
        verdict.at_least(Limit::CLOSE_MARGIN, close, margin);
        let near = |v: &View<'_>| settles(v).saturating_sub(now) <= limits.pin_time.nanos();
        let pinned = |v: &View<'_>| v.is_option() && v.leg.side < 0 && near(v);
        let away = |v: &View<'_>| {
            let strike = v.terms.map_or(f64::NAN, |terms| terms.strike);
            if pinned(v) { (strike - v.spot).abs() / v.spot } else { f64::INFINITY }
        };
        let least = limits.pin_distance_min;
        let away = if least > 0.0 { -self.most(|v| -away(v)) } else { f64::INFINITY };
        verdict.at_least(Limit::PIN_DISTANCE, away, least);
        let exposed = |v: &View<'_>| {
            let Some(terms) = v.terms.filter(|terms| terms.class == Class::CALL) else {
                return false;
            };
            let rules = v.rules.filter(|rules| rules.style == Style::American);
            let soon = now.saturating_add(limits.ex_dividend_margin.nanos());
            let due = |ex: Timestamp| ex > now && ex <= soon && ex < terms.settles;
            let falls = rules.is_some_and(|rules| rules.dividends.iter().any(|d| due(d.ex)));
            // An unknown price counts as in the money.
            let outside = v.spot <= terms.strike;
            v.leg.side < 0 && falls && !outside
        };
        verdict.must(Limit::EX_DIVIDEND, !self.views.iter().any(exposed));
    }

    /// What settles today is opened only while the market is known to be calm enough.
    fn regime(&self, verdict: &mut Verdict, now: Timestamp) {
        let (bound, chain) = (self.limits.zero_day_vol_max, &self.desk.chain);
        let today = |v: &View<'_>| {
            let settles = Some(v.settles).filter(|_| v.is_option());
            settles.is_some_and(|settles| {
                settles.saturating_sub(now) < DAY_NS
                    && chain.local(v.root, settles).0 == chain.local(v.root, now).0
            })
        };
        let counts = bound > 0.0 && self.views.iter().any(today);
        let volatility = self.desk.book.venue.volatility;
        verdict.must(Limit::REGIME_UNKNOWN, !counts || volatility.is_finite());
        let shown = if counts { volatility } else { 0.0 };
        verdict.at_most(Limit::ZERO_DAY_VOL, shown, bound);
    }
}
