//! Implied volatility on eight lanes: prices in, volatilities and the reasons where there is none
//! out.
//!
//! The guess inverts Bachelier's price, which is one function of one number, and corrects it for
//! the lognormal. Householder steps of order four follow on the logarithm of the price, or of its
//! distance to the ceiling above half of it. Two steps serve every lane; a lane whose second step
//! was not small yet takes more on its own, so a result never depends on its neighbours. The
//! reasons come from the inputs: minimum and maximum instructions turn NaN into numbers.

use super::lanes::{Lanes, V};
use super::math::{LN_SQRT_TAU, exp, ln_normal as ln, mills_parts, poly};
use crate::wire::market::VolStatus;

// h·(ρ + ½) by 1/(ρ + ½), where ρ = g(h) = n(h)/h − N(−h), for h ≤ 1.6: 6e-6.
const NEAR_P: [f64; 5] = [
    -0.005_101_376_479_759_919,
    0.025_549_876_893_834_624,
    0.047_025_062_340_876_28,
    -0.354_560_661_605_846_4,
    0.398_944_502_557_622_8,
];
const NEAR_Q: [f64; 5] = [
    -0.029_025_990_530_397_384,
    0.136_566_701_934_351_36,
    0.037_406_857_816_315_81,
    -0.888_584_548_177_102,
    1.0,
];
// h by √(−ln ρ) for h from 1.4 to 39: 3e-6.
const FAR_P: [f64; 5] = [
    0.137_788_836_752_346_43,
    0.415_710_592_763_433_2,
    -1.407_559_639_812_311,
    1.896_775_774_124_440_9,
    -0.580_440_747_582_536,
];
const FAR_Q: [f64; 4] =
    [0.097_379_956_675_297_88, 0.299_923_629_116_523_7, -0.466_570_398_304_141_4, 1.0];

// Below this ρ the far form holds, above it the near one; both do between 0.0146 and 0.026.
const SPLIT: f64 = 0.02;
// A step below this share leaves an error below the rounding of the next one.
const SMALL: f64 = 3e-4;
// For a warm start: the fourth power of this is what one step leaves.
const NEAR_ENOUGH: f64 = 0.02;
const MORE_STEPS_MAX: usize = 12;
const SQRT_TAU: f64 = 2.506_628_274_631_000_7;

/// Prices of eight options whose volatilities are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Priced<R = V> {
    /// Price.
    pub price: R,
    /// Mask: set for a call, clear for a put.
    pub call: R,
    /// Discounted forward.
    pub a: R,
    /// Discounted strike.
    pub b: R,
    /// ln(A/B).
    pub x: R,
    /// 1/√T, years.
    pub inv_root_t: R,
}

/// A lane's problem without units: |ln(A/B)|, and what to reach.
#[derive(Clone, Copy, Debug)]
struct Target<R> {
    x: R,
    inv_goal: R,
    high: R,
}

impl<R: Lanes> Priced<R> {
    /// The price of the out-of-the-money option at the same strike, by parity.
    #[inline(always)]
    fn otm(&self) -> R {
        let floor = self.call.select(self.a - self.b, self.b - self.a);
        self.price - floor.simd_gt(R::splat(0.0)).select(floor, R::splat(0.0))
    }

    /// Volatilities, NaN where there is none, and a mask of the lanes that have one.
    #[inline(always)]
    pub fn implied(&self) -> (R, R) {
        let (target, beta, valid) = self.target();
        let s = finish(&target, guess(target.x, beta));
        (valid.select(s * self.inv_root_t, R::splat(f64::NAN)), valid)
    }

    /// The same from volatilities that are near already: one step where they are within 2 %, which
    /// leaves 1e-8, or as many as it takes. It depends on the start in its last digits, so the
    /// pipeline, whose values must not depend on the way there, does not use it.
    #[inline(always)]
    pub fn implied_from(&self, vol: R) -> (R, R) {
        let (target, _, valid) = self.target();
        let start = vol / self.inv_root_t;
        let (s, step) = advance(&target, start);
        let s = more(&target, s, step, NEAR_ENOUGH);
        (valid.select(s * self.inv_root_t, R::splat(f64::NAN)), valid)
    }

    #[inline(always)]
    fn target(&self) -> (Target<R>, R, R) {
        let otm = self.otm();
        let ceiling = self.a.fast_min(self.b);
        let inv_scale = R::splat(1.0) / (self.a * self.b).sqrt();
        let beta = otm * inv_scale;
        let high = otm.simd_gt(ceiling * R::splat(0.5));
        let goal = high.select((ceiling - otm) * inv_scale, beta);
        let valid = otm.simd_gt(R::splat(0.0))
            & otm.simd_lt(ceiling)
            & self.inv_root_t.simd_gt(R::splat(0.0))
            & self.inv_root_t.simd_lt(R::splat(f64::INFINITY))
            & self.x.is_finite()
            & self.price.simd_gt(R::splat(0.0));
        (Target { x: self.x.abs(), inv_goal: R::splat(1.0) / goal, high }, beta, valid)
    }
}

/// σ√T of a normalised out-of-the-money price, to 4e-4 where it is below 0.1.
#[inline(always)]
fn guess<R: Lanes>(x: R, beta: R) -> R {
    let over = x.mul_add(R::splat(0.5), beta);
    let y = x / over;
    let near = over * poly(&NEAR_Q, y) / poly(&NEAR_P, y);
    let rho = beta / x;
    let far_lane = rho.simd_lt(R::splat(SPLIT));
    let s = if far_lane.any() {
        let t = (-ln(rho)).sqrt();
        let far = x * poly(&FAR_Q, t) / poly(&FAR_P, t);
        far_lane.select(far, near)
    } else {
        near
    };
    let (s2, x2) = (s * s, x * x);
    // s·(1 + s²/24 / (1 + 0.45 h²)) with h = x/s, on one division.
    let divisor = x2.mul_add(R::splat(0.45), s2) * R::splat(24.0);
    s + s * (s2 * s2) / divisor
}

/// One step of Householder's third method: the new σ√T and the relative length of the step.
#[inline(always)]
fn advance<R: Lanes>(target: &Target<R>, s: R) -> (R, R) {
    let inv_s = R::splat(1.0) / s;
    let (h, half) = (target.x * inv_s, s * R::splat(0.5));
    let (d1, d2) = (half - h, h + half);
    let w = slope(target, d1, d2);
    let (h2, s2) = (h * h, s * s * R::splat(0.25));
    let log =
        ln(w.abs() * target.inv_goal) - (h2 + s2).mul_add(R::splat(0.5), R::splat(LN_SQRT_TAU));
    // Derivatives of the logarithm relative to its first, times powers of s.
    let u = s / w;
    let n = -log * w * inv_s;
    let second = h2 - s2 - u;
    let third = second.mul_sub(second - u, h2.mul_add(R::splat(3.0), s2));
    let top = (n * second).mul_add(R::splat(0.5), R::splat(1.0));
    let bottom = n.mul_add(third.mul_add(n * R::splat(1.0 / 6.0), second), R::splat(1.0));
    let step = n * top / bottom;
    // Far from the root the step can leave the half-line; NaN stays the second operand.
    let step = R::splat(4.0).fast_min(R::splat(-0.75).fast_max(step));
    (s.mul_add(step, s), step)
}

/// Price over its slope in σ√T; for high lanes minus the distance to the ceiling over it.
#[inline(always)]
fn slope<R: Lanes>(target: &Target<R>, d1: R, d2: R) -> R {
    let (p1, q1) = mills_parts(d1.abs());
    let (p2, q2) = mills_parts(d2);
    let shared = R::splat(1.0) / (q1 * q2);
    let (m1, m2) = (p1 * q2, p2 * q1);
    let low = (m1 - m2) * shared;
    let inside = d1.simd_gt(R::splat(0.0));
    if !(inside | target.high).any() {
        return low;
    }
    let (m1, m2) = (m1 * shared, m2 * shared);
    let whole = exp(d1 * d1 * R::splat(0.5)) * R::splat(SQRT_TAU);
    let (upper, lower) = (inside.select(whole - m1, m1), inside.select(m1, whole - m1));
    let low = inside.select(upper - m2, low);
    target.high.select(-(lower + m2), low)
}

#[inline(always)]
fn finish<R: Lanes>(target: &Target<R>, start: R) -> R {
    let (s, _) = advance(target, start);
    let (s, step) = advance(target, s);
    more(target, s, step, SMALL)
}

/// Further steps for the lanes whose last one was not small; the others stay as they are.
#[inline(always)]
fn more<R: Lanes>(target: &Target<R>, mut s: R, step: R, small: f64) -> R {
    let mut open = step.abs().simd_gt(R::splat(small));
    for _ in 0..MORE_STEPS_MAX {
        if !open.any() {
            break;
        }
        let (next, step) = advance(target, s);
        s = open.select(next, s);
        open = open & step.abs().simd_gt(R::splat(SMALL));
    }
    s
}

/// Terms of one option, for the reason why it has no volatility.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// +1 call, −1 put.
    pub cp: f64,
    /// Spot, or the forward.
    pub spot: f64,
    /// Strike.
    pub strike: f64,
    /// Years.
    pub years: f64,
    /// Discounted forward.
    pub a: f64,
    /// Discounted strike.
    pub b: f64,
}

impl Terms {
    /// Why this price has a volatility or has none; the inputs alone decide.
    pub fn status(&self, price: f64) -> VolStatus {
        let inputs = [self.spot, self.strike, self.years, self.a, self.b];
        if inputs.iter().any(|x| !x.is_finite()) {
            return VolStatus::NAN_INPUT;
        }
        let floor = (self.a - self.b) * self.cp;
        let ceiling = if self.cp > 0.0 { self.a } else { self.b };
        match price {
            p if p.is_nan() => VolStatus::NAN_PRICE,
            p if p.is_infinite() => VolStatus::INF_PRICE,
            _ if self.years == 0.0 => VolStatus::EXPIRED,
            _ if self.years < 0.0 => VolStatus::NEGATIVE_T,
            _ if self.spot <= 0.0 => VolStatus::NONPOSITIVE_SPOT,
            _ if self.strike <= 0.0 => VolStatus::NONPOSITIVE_STRIKE,
            p if p < 0.0 => VolStatus::NEGATIVE_PRICE,
            0.0 => VolStatus::ZERO_PRICE,
            p if p < floor => VolStatus::BELOW_INTRINSIC,
            p if p == floor => VolStatus::AT_INTRINSIC_ITM,
            p if p >= ceiling => VolStatus::ABOVE_MAX,
            _ => VolStatus::OK,
        }
    }
}
