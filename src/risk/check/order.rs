//! Limits of the order itself: its size, its price, and how the strategy behaves.

use super::{Case, seconds};
use crate::{
    book::{from_currency, value},
    risk::{dollars::float, draft::View, limits::Limit, verdict::Verdict},
};

impl Case<'_> {
    pub(super) fn size(&self, verdict: &mut Verdict) {
        let (limits, head) = (self.limits, &self.draft.head);
        let contracts = self.contracts.unwrap_or(u64::MAX);
        verdict.count(Limit::ORDER_CONTRACTS, contracts, u64::from(limits.order_contracts_max));
        let notional = |v: &View<'_>| value(v.strike(), v.contracts, v.multiplier);
        let notional = self.views.iter().map(notional).max();
        let bound = from_currency(limits.order_notional_max);
        verdict.money(Limit::ORDER_NOTIONAL, notional, bound);
        let under = |v: &View<'_>| {
            let stand_in = || limits.unknown_greeks_allowed.then(|| v.strike());
            let spot = v.spot_price().or_else(stand_in);
            spot.map(|spot| value(spot, v.contracts, v.multiplier))
        };
        let under = self.views.iter().map(under).try_fold(0, |most: i64, v| Some(most.max(v?)));
        let bound = from_currency(limits.order_underlying_max);
        verdict.money(Limit::ORDER_UNDERLYING, under, bound);
        let unit = Some(self.unit).filter(|unit| *unit > 0);
        let premium = unit.filter(|_| head.limit.is_defined());
        let premium = premium.map(|m| value(head.limit.0, i64::from(head.quantity), m));
        let bound = from_currency(limits.order_premium_max);
        verdict.money(Limit::ORDER_PREMIUM, premium.map(i64::saturating_abs), bound);
        let left = limits.regime_share(self.desk.book.venue.volatility);
        let scaled = (f64::from(limits.order_contracts_max) * left) as u64;
        // A whole size is bounded above already.
        let most = if left < 1.0 { scaled } else { u32::MAX.into() };
        verdict.count(Limit::REGIME_SIZE, contracts.min(u32::MAX.into()), most);
        let freeze = self.views.iter().map(|v| v.rules.map_or(0, |rules| rules.freeze)).min();
        verdict.count(Limit::FREEZE, contracts, u64::from(freeze.unwrap_or(0)));
        let lots = |v: &View<'_>| {
            let lot = v.rules.map_or(0, |rules| i64::from(rules.lot));
            !v.is_option() || lot == 1 || lot > 0 && v.contracts % lot == 0
        };
        verdict.must(Limit::LOT, self.all(lots));
        let open = |v: &View<'_>| v.rules.is_some_and(|rules| !rules.restricted);
        verdict.must(Limit::RESTRICTED, self.all(open));
    }

    pub(super) fn price(&self, verdict: &mut Verdict) {
        let (limits, head) = (self.limits, &self.draft.head);
        let unit = self.unit;
        let sum = self.net(|view| Some(view.leg.price.0));
        let wanted = i128::from(head.limit.0) * i128::from(unit);
        let sound = head.limit.is_defined() && unit > 0 && sum == Some(wanted);
        verdict.must(Limit::PRICE_INVALID, sound && self.all(|v| v.is_on_tick()));
        let far = self.net(|view| view.far());
        let opens = head.purpose.opens();
        // The collar of a closing order whose legs are not all quoted is what they can be worth.
        let past = far.map_or(if opens { f64::NAN } else { f64::NEG_INFINITY }, |far| {
            float(wanted - far) / unit as f64 / 1e9
        });
        let share =
            far.map_or(0.0, |far| (float(far) / unit as f64 / 1e9).abs() * limits.collar_share_max);
        verdict.at_most(Limit::PRICE_COLLAR, past, limits.collar_max.max(share));
        let pays = value(head.limit.0, i64::from(head.quantity), unit);
        verdict.must(Limit::PAYS_TOO_MUCH, self.outlook.best.is_some_and(|best| pays <= best));
        self.leg_collars(verdict);
    }

    /// Each leg's price against its mid, its theoretical value and its last print. Of mid and
    /// value the one stands in for the other; without both nothing is known.
    fn leg_collars(&self, verdict: &mut Verdict) {
        let limits = self.limits;
        let or = |one: f64, other: f64| if one.is_nan() { other } else { one };
        let share = limits.leg_collar_share_max;
        let mid = |v: &View<'_>| or(v.quote.mid(), v.theory());
        self.collar(verdict, Limit::LEG_COLLAR, mid, (limits.leg_collar_max, share));
        let value = |v: &View<'_>| or(v.theory(), v.quote.mid());
        self.collar(verdict, Limit::THEORY_COLLAR, value, (limits.theory_collar_max, share));
        let last = |v: &View<'_>| {
            let own = v.leg.price.to_f64();
            or(v.tape.last, if limits.last_required { f64::NAN } else { own })
        };
        let bounds = (limits.last_collar_max, limits.last_collar_share_max);
        self.collar(verdict, Limit::LAST_COLLAR, last, bounds);
    }

    /// The leg that is furthest beyond its collar, measured and allowed.
    fn collar(
        &self,
        verdict: &mut Verdict,
        limit: Limit,
        reference: impl Fn(&View<'_>) -> f64,
        (floor, share): (f64, f64),
    ) {
        let rows = self.views.iter().map(|view| {
            let reference = reference(view);
            ((view.leg.price.to_f64() - reference).abs(), floor.max(share * reference.abs()))
        });
        let worse = |a: (f64, f64), b: (f64, f64)| {
            if a.0.is_nan() || a.0 - a.1 > b.0 - b.1 { a } else { b }
        };
        let (measured, bound) = rows.reduce(worse).unwrap_or((f64::NAN, 0.0));
        verdict.at_most(limit, measured, bound);
    }

    /// Net of a price per leg, for one package on all of its units; `None` if any leg has none.
    fn net(&self, price: impl Fn(&View<'_>) -> Option<i64>) -> Option<i128> {
        self.views.iter().try_fold(0, |sum, view| {
            let units = i128::from(view.leg.side) * i128::from(view.leg.ratio);
            Some(sum + units * i128::from(view.multiplier) * i128::from(price(view)?))
        })
    }

    pub(super) fn conduct(&self, verdict: &mut Verdict) {
        let (limits, gauges) = (self.limits, &self.gauges);
        let rate = f64::from(limits.message_rate_max);
        let mut bucket = (gauges.missing, gauges.used[0]);
        if !self.draft.head.purpose.opens() && gauges.reserve_missing < bucket.0 {
            bucket = (gauges.reserve_missing, gauges.used[1]);
        }
        // Shown as the share of the rate that is used up, and beyond it by what is missing.
        let (missing, used) = bucket;
        let seen = if missing > 0.0 { rate + missing } else { rate * used };
        verdict.at_most(Limit::MESSAGE_RATE, seen, rate);
        let window = seconds(limits.duplicate_window.nanos());
        verdict.at_least(Limit::DUPLICATE, gauges.same_order_age, window);
        let paid_for = (gauges.messages + 1).saturating_sub(limits.order_to_trade_free.into());
        let ratio = paid_for as f64 / gauges.fills.max(1) as f64;
        verdict.at_most(Limit::ORDER_TO_TRADE, ratio, limits.order_to_trade_max);
        let repeated = u64::from(limits.repeated_fills_max);
        verdict.count(Limit::REPEATED, gauges.repeated, repeated);
        // The first order of a strategy is its own measure.
        let contracts = self.contracts.map_or(f64::NAN, |contracts| contracts as f64);
        let mean = gauges.contracts as f64 / gauges.orders.max(1) as f64;
        let times = if gauges.orders == 0 { contracts.min(1.0) } else { contracts / mean };
        verdict.at_most(Limit::FAT_FINGER, times, limits.fat_finger_max);
        verdict.must(Limit::SELF_CROSS, !self.crosses_own());
    }

    /// Whether a leg would meet a working order of our own on its instrument.
    fn crosses_own(&self) -> bool {
        self.desk.book.working().any(|order| {
            order.legs().iter().any(|own| {
                self.views.iter().any(|view| {
                    let side = i64::from(view.leg.side);
                    let opposite = own.instrument == view.index && own.side == -side;
                    opposite && (view.leg.price.0 - own.price) * side >= 0
                })
            })
        })
    }
}
