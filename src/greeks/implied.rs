//! Implied volatility on eight lanes: prices in, volatilities and the reasons where there is none
//! out.
//!
//! The guess inverts Bachelier's price, which is one function of one number, and corrects it for
//! the lognormal. Householder steps of order four follow on the logarithm of the price, or of its
//! distance to the ceiling above half of it. Two steps serve all lanes; a lane whose second step
//! was not small yet is solved on its own, so a result never depends on its neighbours. The reasons
//! come from the inputs: minimum and maximum instructions turn NaN into numbers.

use super::lanes::{Lanes, Scalar, V};
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
// On its own a lane goes on until a step is below this: the next one would be below rounding.
const DONE: f64 = 1e-6;
const STEPS_MAX: usize = 64;
// Beyond this the price is at its ceiling to the last digit.
const S_MAX: f64 = 80.0;
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
    #[inline]
    pub fn implied(&self) -> (R, R) {
        let (target, s, valid, open) = self.two_steps();
        let s = if open.any() { rescue(&target, s, open) } else { s };
        (valid.select(s * self.inv_root_t, R::splat(f64::NAN)), valid)
    }

    /// The lanes that two steps do not serve: each is solved on its own then. None on a market's
    /// chain.
    pub fn open(&self) -> R {
        self.two_steps().3
    }

    /// The same as [`Priced::implied`] from volatilities that may be near, given with their
    /// inverses and √T: one step where that is small, else two, and the cold value in the lanes
    /// whose second step is not small either, or that have no volatility to start from. As exact
    /// as the cold one, but the last digits depend on the start.
    #[inline(always)]
    pub fn implied_from(&self, vol: R, inv_vol: R, root_t: R) -> (R, R) {
        let (otm, ceiling, valid) = self.checked();
        let target = self.target(otm, ceiling);
        let small = |step: R| step.abs().simd_lt(R::splat(SMALL));
        let (first, step) = advance(&target, vol * root_t, inv_vol * self.inv_root_t);
        let mut vol = first * self.inv_root_t;
        if (valid & !small(step)).any() {
            let (second, again) = advance(&target, first, R::splat(1.0) / first);
            vol = small(step).select(vol, second * self.inv_root_t);
            let far = valid & !(small(step) | small(again));
            if far.any() {
                vol = far.select(self.cold(), vol);
            }
        }
        (valid.select(vol, R::splat(f64::NAN)), valid)
    }

    #[cold]
    #[inline(never)]
    fn cold(&self) -> R {
        self.implied().0
    }

    #[inline(always)]
    fn two_steps(&self) -> (Target<R>, R, R, R) {
        let (otm, ceiling, valid) = self.checked();
        let target = self.target(otm, ceiling);
        let one = R::splat(1.0);
        let start = guess(target.x, otm / (self.a * self.b).sqrt());
        let (s, _) = advance(&target, start, one / start);
        let (s, step) = advance(&target, s, one / s);
        (target, s, valid, valid & !step.abs().simd_lt(R::splat(SMALL)))
    }

    /// The price out of the money, what it must stay below, and where there is a volatility.
    #[inline(always)]
    fn checked(&self) -> (R, R, R) {
        let otm = self.otm();
        let ceiling = self.a.fast_min(self.b);
        let valid = otm.simd_gt(R::splat(0.0))
            & otm.simd_lt(ceiling)
            & self.inv_root_t.simd_gt(R::splat(0.0))
            & self.inv_root_t.simd_lt(R::splat(f64::INFINITY))
            & self.x.is_finite()
            & self.price.simd_gt(R::splat(0.0));
        (otm, ceiling, valid)
    }

    #[inline(always)]
    fn target(&self, otm: R, ceiling: R) -> Target<R> {
        let high = otm.simd_gt(ceiling * R::splat(0.5));
        let goal = high.select(ceiling - otm, otm);
        Target { x: self.x.abs(), inv_goal: ceiling / goal, high }
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
fn advance<R: Lanes>(target: &Target<R>, s: R, inv_s: R) -> (R, R) {
    let (h, half) = (target.x * inv_s, s * R::splat(0.5));
    let (d1, d2) = (half - h, h + half);
    let (w, inv_w) = slope(target, d1, d2);
    // The smaller leg times n(d1) is the slope: price over leg by slope.
    let log =
        ln(w.abs() * target.inv_goal) - (d1 * d1).mul_add(R::splat(0.5), R::splat(LN_SQRT_TAU));
    // Derivatives of the logarithm relative to its first, times powers of s.
    let (h2, s2) = (h * h, half * half);
    let u = s * inv_w;
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

/// Price over its slope in σ√T and the inverse, on one division; for high lanes minus the distance
/// to the ceiling over it.
#[inline(always)]
fn slope<R: Lanes>(target: &Target<R>, d1: R, d2: R) -> (R, R) {
    let (p1, q1) = mills_parts(d1.abs());
    let (p2, q2) = mills_parts(d2);
    let (m1, m2, q) = (p1 * q2, p2 * q1, q1 * q2);
    let difference = m1 - m2;
    let shared = R::splat(1.0) / (q * difference);
    let low = (difference * difference * shared, q * q * shared);
    let inside = d1.simd_gt(R::splat(0.0));
    if !(inside | target.high).any() {
        return low;
    }
    let inv_q = R::splat(1.0) / q;
    let (m1, m2) = (m1 * inv_q, m2 * inv_q);
    let whole = exp(d1 * d1 * R::splat(0.5)) * R::splat(SQRT_TAU);
    let (upper, lower) = (inside.select(whole - m1, m1), inside.select(m1, whole - m1));
    let w = inside.select(upper - m2, low.0);
    let w = target.high.select(-(lower + m2), w);
    let plain = !(inside | target.high);
    (w, plain.select(low.1, R::splat(1.0) / w))
}

/// The lanes that are open yet, one by one.
#[cold]
#[inline(never)]
fn rescue<R: Lanes>(target: &Target<R>, s: R, open: R) -> R {
    R::from_fn(|lane| {
        let known = s.lane(lane);
        if !open.lane(lane).is_sign_negative() {
            return known;
        }
        let of = |column: R| Scalar(column.lane(lane));
        let target =
            Target { x: of(target.x), inv_goal: of(target.inv_goal), high: of(target.high) };
        alone(&target, known)
    })
}

/// One σ√T to full accuracy from any start: the same steps between bounds that close in, halved
/// where a step would leave them.
fn alone(target: &Target<Scalar>, start: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, f64::INFINITY);
    let mut s = if start > 0.0 && start < S_MAX { start } else { 1.0 };
    for _ in 0..STEPS_MAX {
        let (next, step) = advance(target, Scalar(s), Scalar(1.0 / s));
        let (next, step) = (next.0, step.0);
        if step.abs() < DONE {
            return next;
        }
        (low, high) = if step > 0.0 { (s, high) } else { (low, s) };
        let inside = next > low && next < high;
        s = match (inside, high.is_finite()) {
            (true, _) => next,
            (false, true) => 0.5 * (low + high),
            (false, false) => 2.0 * low,
        };
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
