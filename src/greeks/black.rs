//! Price and Greeks of eight strikes at once, call and put together: forward, discount, time and
//! volatilities in, columns out.
//!
//! One exponential and one division a row: with A the discounted forward and B the discounted
//! strike, A·n(d1) = B·n(d2), so both tails are A·n(d1) times Mills' ratios, whose quotients share
//! a division. Higher Greeks are products of what [`Parts`] holds; they have their place there.

use super::implied::{Priced, Terms};
use super::math::{INV_SQRT_TAU, V, all, exp, exp_parts, ln_ratio, mills_parts};
use crate::wire::market::VolStatus;

/// Time and rates of the rows of one call: the same for all, or by lane.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// Discounted forward.
    pub a: V,
    /// Discount factor.
    pub discount: V,
    /// One over the price that delta and gamma refer to.
    pub inv_spot: V,
    /// √T, years.
    pub root_t: V,
    /// 1/√T.
    pub inv_root_t: V,
    /// Rate at which the strike's leg is discounted, continuous, a year.
    pub r: V,
    /// Yield at which the underlying's leg is discounted.
    pub q: V,
}

/// What a row gives, call and put. Units as in the numerical conventions.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// Price of the call.
    pub call: V,
    /// Price of the put.
    pub put: V,
    /// dV/dS of the call.
    pub call_delta: V,
    /// dV/dS of the put.
    pub put_delta: V,
    /// d²V/dS² of both.
    pub gamma: V,
    /// −dV/dT a year of the call.
    pub call_theta: V,
    /// −dV/dT a year of the put.
    pub put_theta: V,
    /// dV/dσ per 1.00 of both.
    pub vega: V,
}

/// The pieces that price and all Greeks are made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// A·n(d1).
    pub density: V,
    /// d1.
    pub d1: V,
    /// d2.
    pub d2: V,
    /// A·N(d1) and A·N(−d1).
    pub a: (V, V),
    /// B·N(d2) and B·N(−d2).
    pub b: (V, V),
}

impl Parts {
    /// `x` is ln(A/B), `s` is σ√T and `inv_s` its inverse.
    #[inline(always)]
    pub fn new(a: V, b: V, x: V, s: V, inv_s: V) -> Parts {
        let half = s * all(0.5);
        let (d1, d2) = (x.mul_add(inv_s, half), x.mul_sub(inv_s, half));
        let (first, second) = exp_parts(d1 * d1 * all(-0.5));
        let scaled = a * all(INV_SQRT_TAU) * first;
        let (p1, q1) = mills_parts(d1.abs());
        let (p2, q2) = mills_parts(d2.abs());
        let shared = scaled / (q1 * q2);
        let (tail1, tail2) = (p1 * q2 * shared * second, p2 * q1 * shared * second);
        let density = scaled * second;
        Parts { density, d1, d2, a: sides(d1, a, tail1), b: sides(d2, b, tail2) }
    }
}

// The smaller side is the tail itself, the larger its complement.
#[inline(always)]
fn sides(d: V, whole: V, tail: V) -> (V, V) {
    let rest = whole - tail;
    let above = d.simd_gt(all(0.0));
    (above.select(rest, tail), above.select(tail, rest))
}

/// Price and first Greeks of eight rows; `x` is ln(F/K). Volatility and time must be positive: for
/// a lane where they are not, see [`settled`].
#[inline(always)]
pub fn pair(slice: &Slice, strike: V, x: V, vol: V, inv_vol: V) -> Pair {
    let b = strike * slice.discount;
    let (s, inv_s) = (vol * slice.root_t, inv_vol * slice.inv_root_t);
    let parts = Parts::new(slice.a, b, x, s, inv_s);
    let decay = parts.density * vol * slice.inv_root_t * all(0.5);
    let ((a_call, a_put), (b_call, b_put)) = (parts.a, parts.b);
    Pair {
        call: a_call - b_call,
        put: b_put - a_put,
        call_delta: a_call * slice.inv_spot,
        put_delta: -a_put * slice.inv_spot,
        gamma: parts.density * inv_s * slice.inv_spot * slice.inv_spot,
        call_theta: a_call.mul_sub(slice.q, b_call.mul_add(slice.r, decay)),
        put_theta: b_put.mul_sub(slice.r, a_put.mul_add(slice.q, decay)),
        vega: parts.density * slice.root_t,
    }
}

/// What is left when no time or no volatility is left: the limits as T goes to 0. Price at its
/// floor; delta 0 or 1 times the discounted forward's share, one half at the strike; no gamma, no
/// vega; theta is what interest alone leaves.
#[inline(always)]
pub fn settled(slice: &Slice, strike: V) -> Pair {
    let zero = all(0.0);
    let b = strike * slice.discount;
    let above = slice.a.simd_gt(b);
    let below = slice.a.simd_lt(b);
    let share = above.select(all(1.0), below.select(zero, all(0.5)));
    let (a_call, b_call) = (slice.a * share, b * share);
    let (a_put, b_put) = (slice.a - a_call, b - b_call);
    // A NaN compares as equal above; it comes back through the differences.
    Pair {
        call: a_call - b_call,
        put: b_put - a_put,
        call_delta: a_call * slice.inv_spot,
        put_delta: -a_put * slice.inv_spot,
        gamma: zero,
        call_theta: a_call.mul_sub(slice.q, b_call * slice.r),
        put_theta: b_put.mul_sub(slice.r, a_put * slice.q),
        vega: zero,
    }
}

impl Pair {
    /// These lanes where `mask` is set, those of `other` elsewhere.
    #[inline(always)]
    pub fn select(&self, mask: V, other: &Pair) -> Pair {
        let pick = |a: V, b: V| mask.select(a, b);
        Pair {
            call: pick(self.call, other.call),
            put: pick(self.put, other.put),
            call_delta: pick(self.call_delta, other.call_delta),
            put_delta: pick(self.put_delta, other.put_delta),
            gamma: pick(self.gamma, other.gamma),
            call_theta: pick(self.call_theta, other.call_theta),
            put_theta: pick(self.put_theta, other.put_theta),
            vega: pick(self.vega, other.vega),
        }
    }
}

/// Eight options of any terms, as `zomma price` needs them: Black, Scholes and Merton with spot,
/// strike, years, rate, yield and volatility by lane.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Spot.
    pub spot: V,
    /// Strike.
    pub strike: V,
    /// Years to expiry.
    pub years: V,
    /// Continuous rate a year.
    pub r: V,
    /// Continuous yield a year.
    pub q: V,
    /// Volatility, annual.
    pub vol: V,
}

impl Options {
    /// Price and first Greeks, calls and puts. Lanes without time or volatility give the limits.
    #[inline]
    pub fn price(&self) -> Pair {
        let (slice, x) = self.slice();
        let b = self.strike * slice.discount;
        let live = (self.vol * slice.root_t).simd_gt(all(0.0));
        let safe = |value: V| live.select(value, all(1.0));
        let (root_t, vol) = (safe(slice.root_t), safe(self.vol));
        let (inv_root_t, inv_vol) = (all(1.0) / root_t, all(1.0) / vol);
        let slice = Slice { root_t, inv_root_t, ..slice };
        let priced = pair(&slice, self.strike, x, vol, inv_vol);
        let done = settled(&slice, self.strike);
        let known = (b + slice.a + self.years + self.vol).is_nan();
        let pair = priced.select(live, &done);
        pair.select(!known, &Pair::nan())
    }

    /// Volatilities of prices of these options (their own `vol` is not read), NaN where there is
    /// none; `call` is a mask.
    #[inline]
    pub fn implied(&self, price: V, call: V) -> V {
        let (slice, x) = self.slice();
        let b = self.strike * slice.discount;
        let inv_root_t = all(1.0) / slice.root_t;
        Priced { price, call, a: slice.a, b, x, inv_root_t }.implied().0
    }

    /// Why the price of a lane has a volatility or has none.
    pub fn status(&self, lane: usize, price: f64, call: bool) -> VolStatus {
        let (slice, _) = self.slice();
        let at = |column: V| column.to_array()[lane];
        let terms = Terms {
            cp: if call { 1.0 } else { -1.0 },
            spot: at(self.spot),
            strike: at(self.strike),
            years: at(self.years),
            a: at(slice.a),
            b: at(self.strike * slice.discount),
        };
        terms.status(price)
    }

    #[inline(always)]
    fn slice(&self) -> (Slice, V) {
        let discount = exp(-self.r * self.years);
        let growth = exp(-self.q * self.years);
        let x = (self.r - self.q).mul_add(self.years, ln_ratio(self.spot, self.strike));
        let root_t = self.years.sqrt();
        let slice = Slice {
            a: self.spot * growth,
            discount,
            inv_spot: all(1.0) / self.spot,
            root_t,
            inv_root_t: root_t,
            r: self.r,
            q: self.q,
        };
        (slice, x)
    }
}

impl Pair {
    fn nan() -> Pair {
        let nan = all(f64::NAN);
        Pair {
            call: nan,
            put: nan,
            call_delta: nan,
            put_delta: nan,
            gamma: nan,
            call_theta: nan,
            put_theta: nan,
            vega: nan,
        }
    }
}
