//! Eight options of any terms, as files hold them: spot, strike, years, rates and volatility by
//! lane in, any set of Greeks, or an implied volatility, out; every limit a defined value.
//!
//! | at the end | price: call, put | delta: call, put | dual delta: call, put |
//! |---|---|---|---|
//! | T or σ is 0, A > B | A − B, 0 | e^−qT, 0 | −e^−rT, 0 |
//! | T or σ is 0, A < B | 0, B − A | 0, −e^−qT | 0, e^−rT |
//! | T or σ is 0, A = B | 0, 0 | ½ e^−qT, −½ e^−qT | −½ e^−rT, ½ e^−rT |
//! | S is 0 or K infinite | as A < B | as A < B | as A < B |
//! | S is infinite or K is 0 | as A > B | as A > B | as A > B |
//! | σ or T without bound | A, B | e^−qT, 0 | 0, e^−rT |
//!
//! A = S·e^−qT and B = K·e^−rT. Theta, rho, phi and charm are what their formulas leave without the
//! density (interest alone); the other Greeks are 0, also at A = B, where some one-sided limits
//! are infinite. A Greek with a product of 0 and ∞ in it is 0. So a value is infinite only where
//! an input is, and NaN only where an input is NaN, negative or an infinite rate (and phi of a
//! forward, which has none).

use super::black::{Parts, Row, Slice, share};
use super::implied::{Priced, Terms};
use super::lanes::{Lanes, V};
use super::math::{exp, ln, ln_ratio, mills_drop};
use super::sets::{Model, Set, Value};
use crate::wire::market::VolStatus;

// Less time (3e-23 seconds) or volatility than this is none; more deviation than this is no bound.
const LEAST: f64 = 1e-30;
const MOST: f64 = 1e30;
// Beyond this the quotient of spot and strike is near the end of its range.
const LOG_MAX: f64 = 600.0;

/// Terms of eight options. Under [`Model::Forward`] the spot is a forward, the yield is not read.
#[derive(Clone, Copy, Debug)]
pub struct Options<R = V> {
    /// Spot.
    pub spot: R,
    /// Strike.
    pub strike: R,
    /// Years to expiry.
    pub years: R,
    /// Continuous rate a year.
    pub r: R,
    /// Continuous yield a year.
    pub q: R,
    /// Volatility, annual.
    pub vol: R,
}

/// Options valued: both sides still to be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Valued<R = V> {
    value: Value<R>,
    // Masks: all inputs have a meaning; none is at its end.
    known: R,
    live: R,
    prices: (R, R),
    // e^−qT and e^−rT, and the share of the smaller side: at an end nothing, or a half.
    growth: (R, R),
    discount: (R, R),
    // Which side is the smaller one, as d1 and d2 tell it.
    d1: R,
    d2: R,
}

impl<R: Lanes> Valued<R> {
    /// The calls.
    #[inline(always)]
    pub fn call<S: Set<R>>(&self) -> S {
        self.side(R::splat(0.0))
    }

    /// The puts.
    #[inline(always)]
    pub fn put<S: Set<R>>(&self) -> S {
        self.side(R::splat(-0.0))
    }

    /// Calls where `sign` is 0.0, puts where it is −0.0.
    #[inline(always)]
    pub fn side<S: Set<R>>(&self, sign: R) -> S {
        let delta = share(self.d1 ^ sign, self.growth) ^ sign;
        let dual_delta = -(share(self.d2 ^ sign, self.discount) ^ sign);
        let (call, put) = self.prices;
        let price = Lanes::select(sign, put, call);
        let side = self.value.side(sign).with(price, self.live, delta, dual_delta);
        S::of(&side).map(|name, value| {
            let defined = name != "phi" || self.value.model() == Model::Spot;
            let nothing = value.is_nan() & R::mask(|_| defined);
            let value = nothing.select(R::splat(0.0), value);
            self.known.select(value, R::splat(f64::NAN))
        })
    }
}

impl<R: Lanes> Options<R> {
    /// The pieces of all Greeks, with the limits in the lanes that are at an end.
    #[inline(always)]
    pub fn value(&self, model: Model) -> Valued<R> {
        let terms = self.under(model);
        let legs = terms.legs();
        let s = terms.vol * legs.root_t;
        let live = terms.years.simd_gt(R::splat(LEAST))
            & terms.vol.simd_gt(R::splat(LEAST))
            & s.simd_lt(R::splat(MOST))
            & legs.x.is_finite();
        let (slice, row) = terms.safe(&legs, live);
        let inv_s = R::splat(1.0) / live.select(s, R::splat(1.0));
        let s = live.select(s, R::splat(1.0));
        let parts = Parts::new(legs.a, legs.b, row.x, s, inv_s);
        let end = terms.end(&legs);
        let parts = Parts {
            density: live.select(parts.density, R::splat(0.0)),
            d1: live.select(parts.d1, end.0),
            d2: live.select(parts.d2, end.1),
            a: (legs.a, live.select(parts.a.1, tail(end.0, legs.a))),
            b: (legs.b, live.select(parts.b.1, tail(end.1, legs.b))),
        };
        Valued {
            value: Value::new(slice, row, parts, inv_s).under(model),
            known: !terms.meaningless(),
            live,
            prices: prices(&parts, terms.apart(&legs), row.x, s, inv_s),
            growth: (legs.growth, tail(end.0, legs.growth)),
            discount: (legs.discount, tail(end.1, legs.discount)),
            d1: end.0,
            d2: end.1,
        }
    }

    /// What the formulas divide by is 1 in the lanes at an end; the density is 0 there.
    #[inline(always)]
    fn safe(&self, legs: &Legs<R>, live: R) -> (Slice<R>, Row<R>) {
        let one = R::splat(1.0);
        let safe = |value: R| live.select(value, one);
        let vol = safe(self.vol);
        let row = Row { strike: safe(self.strike), x: safe(legs.x), vol, inv_vol: one / vol };
        let slice = Slice {
            a: legs.a,
            discount: legs.discount,
            inv_spot: one / safe(self.spot),
            root_t: legs.root_t,
            inv_root_t: one / safe(legs.root_t),
            r: self.r,
            q: self.q,
        };
        (slice, row)
    }

    /// A − B, exact to its own rounding where both grow alike.
    #[inline(always)]
    fn apart(&self, legs: &Legs<R>) -> R {
        let grown = self.spot * (legs.growth - legs.discount);
        (self.spot - self.strike).mul_add(legs.discount, grown)
    }

    /// What the signs of d1 and d2 are at an end: 0 where it could be either.
    #[inline(always)]
    fn end(&self, legs: &Legs<R>) -> (R, R) {
        let (a, b, root_t) = (legs.a, legs.b, legs.root_t);
        let one = R::splat(1.0);
        let level = b.simd_lt(a).select(one, a.simd_lt(b).select(-one, R::splat(0.0)));
        let boundless = !(self.vol * root_t).simd_lt(R::splat(MOST))
            & self.vol.simd_gt(R::splat(0.0))
            & root_t.simd_gt(R::splat(0.0));
        (boundless.select(one, level), boundless.select(-one, level))
    }

    #[inline(always)]
    fn meaningless(&self) -> R {
        let refused = |x: R| x.is_nan() | x.simd_lt(R::splat(0.0));
        refused(self.spot)
            | refused(self.strike)
            | refused(self.years)
            | refused(self.vol)
            | !self.r.is_finite()
            | !self.q.is_finite()
    }

    #[inline(always)]
    fn under(&self, model: Model) -> Options<R> {
        match model {
            Model::Spot => *self,
            Model::Forward => Options { q: self.r, ..*self },
        }
    }

    /// Volatilities of prices of these options (their own `vol` is not read), NaN where there is
    /// none; `call` is a mask.
    #[inline]
    pub fn implied(&self, model: Model, price: R, call: R) -> R {
        self.under(model).priced(price, call).implied().0
    }

    #[inline(always)]
    fn priced(&self, price: R, call: R) -> Priced<R> {
        let Legs { a, b, x, root_t, .. } = self.legs();
        Priced { price, call, a, b, x, inv_root_t: R::splat(1.0) / root_t }
    }

    /// Why the price of a lane has a volatility or has none.
    pub fn status(&self, model: Model, lane: usize, price: f64, call: bool) -> VolStatus {
        let terms = self.under(model);
        let legs = terms.legs();
        let terms = Terms {
            cp: if call { 1.0 } else { -1.0 },
            spot: terms.spot.lane(lane),
            strike: terms.strike.lane(lane),
            years: terms.years.lane(lane),
            a: legs.a.lane(lane),
            b: legs.b.lane(lane),
        };
        terms.status(price)
    }

    #[inline(always)]
    fn legs(&self) -> Legs<R> {
        let (discount, growth) = (decay(self.r, self.years), decay(self.q, self.years));
        let mut log = ln_ratio(self.spot, self.strike);
        let near = log.abs().simd_lt(R::splat(LOG_MAX));
        if (!near).any() {
            log = near.select(log, ln(self.spot) - ln(self.strike));
        }
        let carry = self.r - self.q;
        Legs {
            growth,
            discount,
            a: self.spot * growth,
            b: self.strike * discount,
            x: nil(carry).select(log, carry.mul_add(self.years, log)),
            root_t: self.years.sqrt(),
        }
    }
}

/// The two legs as time and rates leave them, and ln(A/B).
#[derive(Clone, Copy, Debug)]
struct Legs<R> {
    growth: R,
    discount: R,
    a: R,
    b: R,
    x: R,
    root_t: R,
}

// Below this deviation the series of the time value holds.
const SERIES: f64 = 0.1;

/// Prices of call and put. Out of the money nothing cancels: the tails differ by little where the
/// deviation is small, so there their difference is taken as a whole.
#[inline(always)]
fn prices<R: Lanes>(parts: &Parts<R>, apart: R, x: R, s: R, inv_s: R) -> (R, R) {
    let zero = R::splat(0.0);
    let (call, put) = (parts.side(zero), parts.side(-zero));
    let (call, put) = (call.0 - call.1, put.1 - put.0);
    let value = parts.density * mills_drop(x.abs() * inv_s, s);
    let small = s.simd_lt(R::splat(SERIES)) & parts.density.simd_gt(zero);
    let in_money = x.simd_gt(zero);
    let pick = |yes: R, no: R, other: R| small.select(in_money.select(yes, no), other);
    (pick(apart + value, value, call), pick(value, value - apart, put))
}

// Where there is nothing, however long it is paid.
#[inline(always)]
fn nil<R: Lanes>(rate: R) -> R {
    !(rate.abs().simd_gt(R::splat(0.0)) | rate.is_nan())
}

#[inline(always)]
fn decay<R: Lanes>(rate: R, years: R) -> R {
    exp(nil(rate).select(-rate, -rate * years))
}

#[inline(always)]
fn tail<R: Lanes>(d: R, whole: R) -> R {
    d.abs().simd_gt(R::splat(0.0)).select(R::splat(0.0), whole * R::splat(0.5))
}
