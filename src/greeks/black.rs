//! Price and Greeks of eight rows at once: forward, discount, time and volatilities in, columns
//! out.
//!
//! One exponential and one division a row: with A the discounted forward and B the discounted
//! strike, A·n(d1) = B·n(d2), so both tails are A·n(d1) times Mills' ratios, whose quotients share
//! a division. [`Parts`] holds what all is made of. [`pair`] makes of it what the tick path reads,
//! call and put together; [`Slice::value`] any set of Greeks ([`super::sets`]).

use super::lanes::{Lanes, V};
use super::math::{INV_SQRT_TAU, exp_parts, mills_parts};
use super::sets::Value;

/// Time and rates of the rows of one call: the same for all, or by lane.
#[derive(Clone, Copy, Debug)]
pub struct Slice<R = V> {
    /// Discounted forward.
    pub a: R,
    /// Discount factor.
    pub discount: R,
    /// One over the price that delta and gamma refer to.
    pub inv_spot: R,
    /// √T, years.
    pub root_t: R,
    /// 1/√T.
    pub inv_root_t: R,
    /// Rate at which the strike's leg is discounted, continuous, a year.
    pub r: R,
    /// Yield at which the underlying's leg is discounted.
    pub q: R,
}

/// What rows have of their own.
#[derive(Clone, Copy, Debug)]
pub struct Row<R = V> {
    /// Strike.
    pub strike: R,
    /// ln(F/K).
    pub x: R,
    /// Volatility, annual.
    pub vol: R,
    /// One over it.
    pub inv_vol: R,
}

/// What a row gives, call and put. Units as in the numerical conventions.
#[derive(Clone, Copy, Debug)]
pub struct Pair<R = V> {
    /// Price of the call.
    pub call: R,
    /// Price of the put.
    pub put: R,
    /// dV/dS of the call.
    pub call_delta: R,
    /// dV/dS of the put.
    pub put_delta: R,
    /// d²V/dS² of both.
    pub gamma: R,
    /// −dV/dT a year of the call.
    pub call_theta: R,
    /// −dV/dT a year of the put.
    pub put_theta: R,
    /// dV/dσ per 1.00 of both.
    pub vega: R,
}

/// The pieces that price and all Greeks are made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<R = V> {
    /// A·n(d1), which is B·n(d2).
    pub density: R,
    /// d1.
    pub d1: R,
    /// d2.
    pub d2: R,
    /// A, and its share A·N(−|d1|).
    pub a: (R, R),
    /// B, and its share B·N(−|d2|).
    pub b: (R, R),
}

impl<R: Lanes> Parts<R> {
    /// `x` is ln(A/B), `s` is σ√T and `inv_s` its inverse.
    #[inline(always)]
    pub fn new(a: R, b: R, x: R, s: R, inv_s: R) -> Parts<R> {
        let half = s * R::splat(0.5);
        let (d1, d2) = (x.mul_add(inv_s, half), x.mul_sub(inv_s, half));
        let (first, second) = exp_parts(d1 * d1 * R::splat(-0.5));
        let scaled = a * R::splat(INV_SQRT_TAU) * first;
        let (p1, q1) = mills_parts(d1.abs());
        let (p2, q2) = mills_parts(d2.abs());
        let shared = scaled / (q1 * q2);
        let (tail1, tail2) = (p1 * q2 * shared * second, p2 * q1 * shared * second);
        Parts { density: scaled * second, d1, d2, a: (a, tail1), b: (b, tail2) }
    }

    /// A·N(±d1) and B·N(±d2): plus where `sign` is 0.0, minus where it is −0.0.
    #[inline(always)]
    pub fn side(&self, sign: R) -> (R, R) {
        (share(self.d1 ^ sign, self.a), share(self.d2 ^ sign, self.b))
    }
}

/// The smaller side is the tail itself, the larger its complement.
#[inline(always)]
pub(super) fn share<R: Lanes>(d: R, (whole, tail): (R, R)) -> R {
    d.simd_gt(R::splat(0.0)).select(whole - tail, tail)
}

impl<R: Lanes> Slice<R> {
    /// The pieces of eight rows. Volatility and time must be positive.
    #[inline(always)]
    pub fn value(&self, row: &Row<R>) -> Value<R> {
        let b = row.strike * self.discount;
        let (s, inv_s) = (row.vol * self.root_t, row.inv_vol * self.inv_root_t);
        let parts = Parts::new(self.a, b, row.x, s, inv_s);
        Value::new(*self, *row, parts, inv_s)
    }
}

/// Price and first Greeks of eight rows; `x` is ln(F/K). Volatility and time must be positive: for
/// a lane where they are not, see [`settled`].
#[inline(always)]
pub fn pair<R: Lanes>(slice: &Slice<R>, strike: R, x: R, vol: R, inv_vol: R) -> Pair<R> {
    let value = slice.value(&Row { strike, x, vol, inv_vol });
    let (call, put) = (value.call(), value.put());
    Pair {
        call: call.price(),
        put: put.price(),
        call_delta: call.delta(),
        put_delta: put.delta(),
        gamma: call.gamma(),
        call_theta: call.theta(),
        put_theta: put.theta(),
        vega: call.vega(),
    }
}

/// What is left when no time or no volatility is left: the limits as T goes to 0. Price at its
/// floor; delta 0 or 1 times the discounted forward's share, one half at the strike; no gamma, no
/// vega; theta is what interest alone leaves.
#[inline(always)]
pub fn settled<R: Lanes>(slice: &Slice<R>, strike: R) -> Pair<R> {
    let zero = R::splat(0.0);
    let b = strike * slice.discount;
    let above = slice.a.simd_gt(b);
    let below = slice.a.simd_lt(b);
    let share = above.select(R::splat(1.0), below.select(zero, R::splat(0.5)));
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
