//! Nodes, weights and interpolation rows, made once: their numbers in; what the boundary's solver
//! and the premium's quadrature run over out.
//!
//! Time is cut by the angle θ with u = T·sin²θ: √u and √(T − u) are both smooth in θ, and the
//! boundary is smooth in the root of the time that is left, so Gauss and Legendre's rule converges
//! fast at both ends, where a rule in u or in √u crawls. The boundary itself is held as the square
//! of ln(B/B₀) at Chebyshev's nodes in √τ, B₀ being its limit at expiry, where that square is 0.

use core::f64::consts::{FRAC_PI_2, PI};

/// Nodes of the boundary, of the integrals of its equation, and of the premium's quadrature.
#[derive(Clone, Debug)]
pub struct Rule<const N: usize, const L: usize, const P: usize> {
    /// √(τ/T) of the boundary's nodes, ascending; the last is 1. The one at 0 is left out.
    pub(super) roots: [f64; N],
    /// The integrals of a node's equation.
    pub(super) inner: [Angle; L],
    /// The premium's quadrature.
    pub(super) outer: [Angle; P],
    /// Interpolation from the nodes to the inner points of each node.
    pub(super) rows: [[[f64; N]; L]; N],
    /// Interpolation from the nodes to the outer points.
    pub(super) outer_rows: [[f64; N]; P],
    /// The slope of the interpolant there, by z = 2√(τ/T) − 1.
    pub(super) outer_slopes: [[f64; N]; P],
    /// What makes d ln B/d ln T of that slope over the root of the interpolant.
    pub(super) pulls: [f64; P],
}

/// A point of a quadrature over time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Angle {
    /// √(u/T).
    pub(super) sin: f64,
    /// √(1 − u/T).
    pub(super) cos: f64,
    /// Share of T.
    pub(super) weight: f64,
}

impl<const N: usize, const L: usize, const P: usize> Rule<N, L, P> {
    /// The tables.
    pub fn new() -> Rule<N, L, P> {
        let root = |k: usize| {
            let half = sin(FRAC_PI_2 * k as f64 / N as f64);
            half * half
        };
        let (inner, outer) = (angles::<L>(), angles::<P>());
        let nodes = |k: usize| 2.0 * root(k) - 1.0;
        let rows = core::array::from_fn(|i| {
            core::array::from_fn(|j| row(&nodes, 2.0 * root(i + 1) * inner[j].cos - 1.0).0)
        });
        Rule {
            roots: core::array::from_fn(|k| root(k + 1)),
            rows,
            outer_rows: core::array::from_fn(|j| row(&nodes, 2.0 * outer[j].cos - 1.0).0),
            outer_slopes: core::array::from_fn(|j| row(&nodes, 2.0 * outer[j].cos - 1.0).1),
            pulls: outer.map(|angle| -0.5 * angle.cos),
            inner,
            outer,
        }
    }
}

impl<const N: usize, const L: usize, const P: usize> Default for Rule<N, L, P> {
    fn default() -> Rule<N, L, P> {
        Rule::new()
    }
}

/// Values and slopes at `z` of Lagrange's polynomials over Chebyshev's N + 1 points; the first
/// point is left out, because what is interpolated is 0 there. `z` must not be a point.
fn row<const N: usize>(nodes: &impl Fn(usize) -> f64, z: f64) -> ([f64; N], [f64; N]) {
    let weight = |k: usize| {
        let end = if k == 0 || k == N { 0.5 } else { 1.0 };
        if k.is_multiple_of(2) { end } else { -end }
    };
    let distance = |k: usize| z - nodes(k);
    let total: f64 = (0..=N).map(|k| weight(k) / distance(k)).sum();
    let poles: f64 = (0..=N).map(|k| 1.0 / distance(k)).sum();
    let value = |k: usize| weight(k) / distance(k) / total;
    let slope = |k: usize| value(k) * (poles - 1.0 / distance(k));
    (core::array::from_fn(|k| value(k + 1)), core::array::from_fn(|k| slope(k + 1)))
}

fn angles<const M: usize>() -> [Angle; M] {
    core::array::from_fn(|j| {
        let (x, weight) = gauss::<M>(j);
        let theta = (x + 1.0) * 0.5 * FRAC_PI_2;
        let (s, c) = (sin(theta), sin(FRAC_PI_2 - theta));
        Angle { sin: s, cos: c, weight: weight * FRAC_PI_2 * s * c }
    })
}

/// The j-th point and weight of Gauss and Legendre on [−1, 1], ascending.
fn gauss<const M: usize>(j: usize) -> (f64, f64) {
    let mirrored = j.min(M - 1 - j);
    let mut x = sin(FRAC_PI_2 - PI * (mirrored as f64 + 0.75) / (M as f64 + 0.5));
    let mut slope = 1.0;
    // Newton from this start converges to the last bit in five.
    for _ in 0..8 {
        let (mut below, mut here) = (0.0, 1.0);
        for k in 1..=M {
            let k = k as f64;
            (below, here) = (here, ((2.0 * k - 1.0) * x * here - (k - 1.0) * below) / k);
        }
        slope = M as f64 * (x * here - below) / (x * x - 1.0);
        x -= here / slope;
    }
    let weight = 2.0 / ((1.0 - x * x) * slope * slope);
    (if j == mirrored { -x } else { x }, weight)
}

/// Sine for 0 ≤ x ≤ π/2, by its series: no function of the C library.
fn sin(x: f64) -> f64 {
    let square = x * x;
    let term = |sum: f64, k: u32| 1.0 - sum * square / f64::from(2 * k * (2 * k + 1));
    x * (1..=14).rev().fold(1.0, term)
}
