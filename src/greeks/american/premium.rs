//! The early-exercise premium on the tick path: a cached boundary and eight logarithms of spot over
//! strike in, premiums and their derivatives out.
//!
//! Kim's integral, for a put of strike 1. One exponential and one division a point: the income on
//! the spot at the boundary ties n(d1) to n(d2). The derivative by time comes with the boundary's,
//! and the second derivative by spot from the equation that price and premium obey: taken from the
//! integral directly it peaks where spot nears the boundary, and the quadrature misses the peak.

use super::{
    boundary::{Boundary, Clock},
    normal::{beyond, mills},
    rule::{Angle, Rule},
};
use crate::greeks::math::{INV_SQRT_TAU, V, all, exp, ln, one};

/// Whether and how an option can be worth exercising early; of a put: of a call with rate and yield
/// exchanged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Early {
    /// Never: the option is worth the European one.
    Never,
    /// Below a boundary.
    Below,
    /// Between two boundaries (q < r < 0): not valued here.
    Between,
}

impl Early {
    /// Of a put with rate `r` and yield `q`.
    pub fn of(r: f64, q: f64) -> Early {
        match (r, q) {
            _ if r > 0.0 || (r == 0.0 && q < 0.0) => Early::Below,
            _ if r < 0.0 && q < r => Early::Between,
            _ => Early::Never,
        }
    }
}

/// Rates, time and what the quadrature takes of them; the same for all strikes of an expiry.
#[derive(Clone, Debug)]
pub struct Carry<const P: usize> {
    /// Continuous rate a year; of a call the yield.
    pub r: f64,
    /// Continuous yield a year; of a call the rate.
    pub q: f64,
    /// Years to expiry.
    pub years: f64,
    /// ln of the boundary's limit at expiry.
    pub(super) limit: f64,
    points: [Point; P],
}

#[derive(Clone, Copy, Debug)]
struct Point {
    time: Clock,
    // Time from now, years.
    u: f64,
    // e^(−ru) and q·e^(−qu) times the weight.
    bond: f64,
    income: f64,
}

/// The boundary at a point of the quadrature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    // ln B.
    pub(super) log: V,
    // q·B.
    pub(super) income: V,
    // d ln B/dσ, and d ln B/d ln T at this share of T.
    pub(super) by_vol: V,
    pub(super) by_time: V,
}

/// What early exercise adds to a European put of strike 1, by x = ln(S/K).
#[derive(Clone, Copy, Debug)]
pub struct Premium {
    /// The premium.
    pub value: V,
    /// Derivative by x.
    pub slope: V,
    /// Second derivative by x.
    pub bend: V,
    /// Derivative by the time to expiry, a year.
    pub by_time: V,
    /// Derivative by the volatility, per 1.00.
    pub by_vol: V,
}

impl<const N: usize, const L: usize, const P: usize> Rule<N, L, P> {
    /// The tables of an expiry of a put, `None` where [`Early::of`] is not [`Early::Below`] or no
    /// time is left.
    pub fn carry(&self, r: f64, q: f64, years: f64) -> Option<Carry<P>> {
        if Early::of(r, q) != Early::Below || years.is_nan() || years <= 0.0 {
            return None;
        }
        let limit = if q > r { one(ln, r / q) } else { 0.0 };
        let point = |angle: Angle| {
            let time = Clock::new(r - q, years.sqrt() * angle.sin);
            let (u, weight) = (time.root * time.root, angle.weight * years);
            let factor = |rate: f64| weight * one(|x| exp(-x), rate * u);
            Point { time, u, bond: factor(r), income: q * factor(q) }
        };
        Some(Carry { r, q, years, limit, points: self.outer.map(point) })
    }
}

impl<const P: usize> Carry<P> {
    /// The premium alone.
    #[inline]
    pub fn value(&self, boundary: &Boundary<P>, x: V) -> V {
        let (spot, r, mut value) = (exp(x), all(self.r), all(0.0));
        for (point, line) in self.points.iter().zip(&boundary.lines) {
            let leg = Leg::new(point, line, x, spot, boundary);
            value += leg.bond.mul_sub(r, leg.spot);
        }
        value
    }

    /// The premium and its derivatives.
    #[inline]
    pub fn premium(&self, boundary: &Boundary<P>, x: V) -> Premium {
        let (spot, r, q, zero) = (exp(x), all(self.r), all(self.q), all(0.0));
        let (mut value, mut slope, mut by_vol) = (zero, zero, zero);
        let (mut paid, mut moved, mut diffused) = (zero, zero, zero);
        for (point, line) in self.points.iter().zip(&boundary.lines) {
            let leg = Leg::new(point, line, x, spot, boundary);
            let (u, root) = (all(point.u), all(point.time.root));
            let interest = leg.bond * r;
            value += interest - leg.spot;
            // What a move of the boundary, or of the spot against it, is worth.
            let income = line.income * leg.density;
            let gain = leg.density.mul_sub(r, income);
            let pull = gain * leg.steep;
            slope += leg.spot + pull;
            by_vol = pull.mul_add(leg.d1.mul_add(root, line.by_vol), by_vol);
            by_vol = income.mul_add(root, by_vol);
            // Time stretches every point: its discounting, its distance and its boundary.
            paid = leg.spot.mul_sub(q, interest * r).mul_add(u, paid);
            moved = gain.mul_add(leg.distance + leg.distance - leg.d1, moved);
            moved = (pull + pull).mul_add(line.by_time, moved);
            diffused = leg.density.mul_add(root, diffused);
        }
        let moved = diffused.mul_add(boundary.vol * r, moved) * all(0.5);
        let (slope, by_time) = (-slope, (paid + moved + value) * all(1.0 / self.years));
        // V_T = ½σ²·(V_xx − V_x) + (r − q)·V_x − r·V.
        let rest = by_time + value * r - slope * (r - q);
        let bend = rest * all(2.0) * boundary.inv_vol * boundary.inv_vol + slope;
        Premium { value, slope, bend, by_time, by_vol }
    }
}

/// A point's share of the premium: cash held instead of the spot from there on.
struct Leg {
    // The discounted strike while exercised, and the income of the spot then.
    bond: V,
    spot: V,
    // e^(−ru)·n(d2).
    density: V,
    d1: V,
    // ln(S/B) in standard deviations, and the inverse of one.
    distance: V,
    steep: V,
}

impl Leg {
    #[inline(always)]
    fn new<const P: usize>(
        point: &Point,
        line: &Line,
        x: V,
        spot: V,
        boundary: &Boundary<P>,
    ) -> Leg {
        let steep = boundary.inv_vol * all(point.time.inv_root);
        let distance = (x - line.log) * steep;
        let middle = steep.mul_add(all(point.time.drift), distance);
        let half = boundary.vol * all(0.5 * point.time.root);
        let (d1, d2) = (middle + half, middle - half);
        let density = exp(d2 * d2 * all(-0.5)) * all(point.bond * INV_SQRT_TAU);
        let (first, second) = mills(d1, d2, density);
        let bond = beyond(d2, all(point.bond), second);
        // S·e^(−qu)·n(d1) = B·e^(−ru)·n(d2).
        let spot = beyond(d1, spot * all(point.income), first * line.income);
        Leg { bond, spot, density, d1, distance, steep }
    }
}
