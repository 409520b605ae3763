//! The elementary functions against arithmetic of twice the precision, in units in the last place.

use std::{
    f64::consts,
    ops::{Add, Div, Mul, Neg, Sub},
};
use wide::f64x8;
use zomma::greeks::{lanes::Scalar, math};

/// A number as the sum of two: 31 digits.
#[derive(Clone, Copy, Debug)]
struct Twice(f64, f64);

const LN_2: Twice = Twice(consts::LN_2, 2.3190468138462996e-17);
const ROOT_TAU: Twice = Twice(2.5066282746310007, -1.8328579980459167e-16);

fn sum(a: f64, b: f64) -> Twice {
    let s = a + b;
    let t = s - a;
    Twice(s, (a - (s - t)) + (b - t))
}

impl From<f64> for Twice {
    fn from(x: f64) -> Twice {
        Twice(x, 0.0)
    }
}

impl Add for Twice {
    type Output = Twice;
    fn add(self, other: Twice) -> Twice {
        let (high, low) = (sum(self.0, other.0), sum(self.1, other.1));
        let Twice(a, b) = sum(high.0, high.1 + low.0);
        sum(a, b + low.1)
    }
}

impl Neg for Twice {
    type Output = Twice;
    fn neg(self) -> Twice {
        Twice(-self.0, -self.1)
    }
}

impl Sub for Twice {
    type Output = Twice;
    fn sub(self, other: Twice) -> Twice {
        self + -other
    }
}

impl Mul for Twice {
    type Output = Twice;
    fn mul(self, other: Twice) -> Twice {
        let high = self.0 * other.0;
        let low = self.0.mul_add(other.0, -high);
        sum(high, low + (self.0 * other.1 + self.1 * other.0))
    }
}

impl Div for Twice {
    type Output = Twice;
    fn div(self, other: Twice) -> Twice {
        let first = self.0 / other.0;
        let rest = self - other * first.into();
        let second = rest.0 / other.0;
        let rest = rest - other * second.into();
        Twice::from(first) + second.into() + (rest.0 / other.0).into()
    }
}

impl Twice {
    fn scale(self, power: i32) -> Twice {
        // In two steps, so that neither factor leaves the range.
        let (half, rest) = (2f64.powi(power / 2), 2f64.powi(power - power / 2));
        Twice(self.0 * half * rest, self.1 * half * rest)
    }

    fn exp(self) -> Twice {
        let k = (self.0 / LN_2.0).round();
        let r = (self - LN_2 * k.into()).scale(-8);
        let (mut term, mut total) = (Twice(1.0, 0.0), Twice(1.0, 0.0));
        for n in 1..14 {
            term = term * r / f64::from(n).into();
            total = total + term;
        }
        (0..8).for_each(|_| total = total * total);
        total.scale(k as i32)
    }

    fn ln(x: f64) -> Twice {
        // One step of Newton's method on a number that is good to its last place.
        let near = x.ln();
        let rest = Twice::from(x) * (-Twice::from(near)).exp() - 1.0.into();
        Twice::from(near) + rest - rest * rest * 0.5.into()
    }

    fn pdf(x: f64) -> Twice {
        let x = Twice::from(x);
        (x * x * (-0.5).into()).exp() / ROOT_TAU
    }

    /// N(−x) for x ≥ 0: the series about 0, the continued fraction beyond it.
    fn tail(x: f64) -> Twice {
        Twice::mills(x) * Twice::pdf(x)
    }

    fn mills(x: f64) -> Twice {
        let at = Twice::from(x);
        if x > 1.5 {
            let fraction = |below: Twice, n: i32| at + Twice::from(f64::from(n)) / below;
            return Twice::from(1.0) / (1..500).rev().fold(at, fraction);
        }
        let (mut term, mut total) = (at, at);
        for n in 1..60 {
            term = term * at * at / f64::from(2 * n + 1).into();
            total = total + term;
        }
        Twice::from(0.5) / Twice::pdf(x) - total
    }

    /// Distance of a number in units in the last place of this one.
    fn ulps(self, found: f64) -> f64 {
        let unit = f64::from_bits(self.0.abs().to_bits() + 1) - self.0.abs();
        ((Twice::from(found) - self).0 / unit).abs()
    }
}

/// Greatest error of a function over a grid, and where; the scalar twin must have the same bits.
fn worst(
    name: &str,
    (from, to, steps): (f64, f64, u32),
    vector: impl Fn(f64x8) -> f64x8,
    scalar: impl Fn(Scalar) -> Scalar,
    exact: impl Fn(f64) -> Twice,
) -> f64 {
    let mut worst = (0.0, 0.0);
    let mut sum = 0.0;
    for step in 0..steps {
        // The golden ratio spreads the points, and no two have the same last digits.
        let x = from + (to - from) * (f64::from(step) * 0.618_033_988_749_894_9).fract();
        let found = vector(f64x8::splat(x)).to_array()[5];
        assert_eq!(found.to_bits(), scalar(Scalar(x)).0.to_bits(), "{name} {x}");
        let error = exact(x).ulps(found);
        sum += error;
        worst = if error > worst.0 { (error, x) } else { worst };
    }
    let mean = sum / f64::from(steps);
    println!(
        "{name:>6} {from:>8e} to {to:<8e}: mean {mean:.2} max {:.2} ulp at {:e}",
        worst.0, worst.1
    );
    worst.0
}

const STEPS: u32 = 40_000;

#[test]
fn exp_and_ln_are_within_their_stated_error() {
    // What the reference itself must know.
    assert!((Twice::from(1.0).exp() - Twice(consts::E, 1.4456468917292502e-16)).0.abs() < 1e-28);
    assert!((Twice::ln(10.0) - Twice(consts::LN_10, -2.1707562233822494e-16)).0.abs() < 1e-28);
    for grid in [(-707.0, 709.7, STEPS), (-1.0, 1.0, STEPS), (-1e-6, 1e-6, STEPS)] {
        assert!(worst("exp", grid, math::exp, math::exp, |x| Twice::from(x).exp()) <= 1.1);
    }
    let grids =
        [(0.5, 2.0), (0.99, 1.01), (1e-5, 1e-4), (1e-300, 1e-290), (2.0, 1e9), (1e290, 1e300)];
    for (from, to) in grids {
        assert!(worst("ln", (from, to, STEPS), math::ln, math::ln, Twice::ln) <= 1.0);
    }
}

#[test]
fn the_normal_distribution_is_within_its_stated_error() {
    let known = Twice(7.619853024160525e-24, 4.8763e-40);
    assert!((Twice::tail(10.0) - known).0.abs() < 1e-38, "{:?}", Twice::tail(10.0));
    for (from, to) in [(0.0, 1.0), (1.0, 6.0), (6.0, 39.0)] {
        let grid = (from, to, STEPS / 4);
        assert!(worst("mills", grid, math::mills, math::mills, Twice::mills) <= 8.0);
        let exact = |x: f64| Twice::tail(-x);
        assert!(
            worst("cdf", (-to.min(37.0), -from, STEPS / 4), math::cdf, math::cdf, exact) <= 10.0
        );
        let exact = |x: f64| Twice::from(1.0) - Twice::tail(x);
        assert!(worst("cdf", grid, math::cdf, math::cdf, exact) <= 10.0);
        assert!(
            worst("pdf", (-to.min(37.0), -from, STEPS / 4), math::pdf, math::pdf, Twice::pdf)
                <= 3.0
        );
    }
    // The drop of the ratio beside the difference of the ratios, which loses digits that it keeps.
    for (h, s) in [(0.0, 0.1), (0.3, 1e-6), (2.0, 0.05), (5.0, 1e-3), (9.0, 0.1)] {
        let found = math::mills_drop(Scalar(h), Scalar(s)).0;
        let upper = Twice::from(h) + Twice::from(s) * 0.5.into();
        let lower = Twice::from(h) - Twice::from(s) * 0.5.into();
        let wanted = mills_at(lower) - mills_at(upper);
        assert!((found / wanted.0 - 1.0).abs() < 4e-16 * (8.0 + h * h), "{h} {s}");
    }
}

/// Mills' ratio on either side of zero, at more than a double's precision.
fn mills_at(x: Twice) -> Twice {
    let density = (x * x * (-0.5).into()).exp() / ROOT_TAU;
    let series = |x: Twice| {
        let (mut term, mut total) = (x, x);
        for n in 1..200 {
            term = term * x * x / f64::from(2 * n + 1).into();
            total = total + term;
        }
        Twice::from(0.5) / density - total
    };
    if x.0 > 1.5 {
        let fraction = |below: Twice, n: i32| x + Twice::from(f64::from(n)) / below;
        return Twice::from(1.0) / (1..500).rev().fold(x, fraction);
    }
    series(x)
}

/// What lies outside of the usual range is defined too.
#[test]
fn the_ends_of_the_functions_are_what_they_should_be() {
    let inf = f64::INFINITY;
    let nan = f64::NAN;
    type Function = fn(f64x8) -> f64x8;
    let cases: [(Function, &[(f64, f64)]); 4] = [
        (
            math::exp,
            &[(-inf, 0.0), (-746.0, 0.0), (0.0, 1.0), (710.0, inf), (inf, inf), (nan, nan)],
        ),
        (math::ln, &[(0.0, -inf), (-0.0, -inf), (1.0, 0.0), (inf, inf), (-1.0, nan), (nan, nan)]),
        (math::pdf, &[(-inf, 0.0), (40.0, 0.0), (inf, 0.0), (nan, nan)]),
        (math::cdf, &[(-inf, 0.0), (-40.0, 0.0), (0.0, 0.5), (9.0, 1.0), (inf, 1.0), (nan, nan)]),
    ];
    for (function, pairs) in cases {
        for (x, wanted) in pairs {
            let found = function(f64x8::splat(*x)).to_array()[0];
            assert!(found == *wanted || found.is_nan() && wanted.is_nan(), "{found} at {x}");
        }
    }
    // Gradual below the normal range: a unit is the smallest number.
    for x in [-708.5, -720.0, -744.0, -745.0] {
        let found = math::exp(Scalar(x)).0;
        assert!((found - x.exp()).abs() <= 2.0 * f64::from_bits(1), "{x}");
    }
    let least = f64::from_bits(1);
    assert!((math::ln(Scalar(least)).0 - least.ln()).abs() <= 2.3e-13);
}
