//! The early-exercise boundary of eight volatilities: rates and time in; the boundary and its
//! derivatives at the premium's points out.
//!
//! All is for a put of strike 1: a call is a put with spot and strike, rate and yield exchanged.
//! The equation is Andersen, Lake and Offengenden's system B, B = N/D, which says that at the
//! boundary the value is the intrinsic one, iterated as it stands from Li's QD+ start. System A
//! contracts faster but diverges where r ≫ σ²; damped mixtures of both were no better at equal
//! cost.

use super::{
    normal::cdfs,
    premium::{Carry, Line},
    rule::Rule,
};
use crate::greeks::math::{V, all, exp, ln_normal as ln, one, pdf};

const START_STEPS: usize = 5;
// Relative bump of the volatility for the derivative by it.
const BUMP: f64 = 1e-5;
// The derivative starts from QD+'s too and has no more to go than this.
const BUMPED_STEPS: usize = 5;

/// What the equation needs of rates and time; the same for all volatilities of an expiry.
#[derive(Clone, Debug)]
pub struct Grid<const N: usize, const L: usize> {
    r: f64,
    q: f64,
    limit: f64,
    nodes: [Node; N],
    points: [[Point; L]; N],
}

#[derive(Clone, Copy, Debug)]
struct Node {
    tau: f64,
    discount: f64,
    growth: f64,
    time: Clock,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    time: Clock,
    // r·e^(−ru) and q·e^(−qu) times the weight.
    rate: f64,
    income: f64,
}

/// A span of time as d1 and d2 need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) drift: f64,
    pub(super) root: f64,
    pub(super) inv_root: f64,
}

impl Clock {
    pub(super) fn new(carry: f64, root: f64) -> Clock {
        Clock { drift: carry * root * root, root, inv_root: 1.0 / root }
    }

    /// d1 and d2 of a logarithm of spot over strike.
    #[inline(always)]
    pub(super) fn d(&self, log: V, vol: V, inv_vol: V) -> (V, V) {
        let s = vol * all(self.root);
        let middle = (log + all(self.drift)) * (inv_vol * all(self.inv_root));
        (s.mul_add(all(0.5), middle), s.mul_add(all(-0.5), middle))
    }
}

/// The boundary of eight volatilities, at the points of the premium's quadrature.
#[derive(Clone, Debug)]
pub struct Boundary<const P: usize> {
    /// Volatilities that it was solved for.
    pub vol: V,
    /// 1/vol.
    pub inv_vol: V,
    /// ln of the boundary now: from there down the option is exercised.
    pub edge: V,
    pub(super) lines: [Line; P],
}

impl<const N: usize, const L: usize, const P: usize> Rule<N, L, P> {
    // Each step leaves a fifth of the error, and QD+ starts at 2 % or better: as many as leave
    // what the nodes leave.
    const STEPS: usize = N / 2 + 3;

    /// The tables of an expiry.
    pub fn grid(&self, carry: &Carry<P>) -> Grid<N, L> {
        let (r, q, years) = (carry.r, carry.q, carry.years);
        let factor = |rate: f64, time: f64| one(|x| exp(-x), rate * time);
        let whole = years.sqrt();
        let node = |root: f64| {
            let tau = years * root * root;
            let time = Clock::new(r - q, whole * root);
            Node { tau, discount: factor(r, tau), growth: factor(q, tau), time }
        };
        let points = core::array::from_fn(|i| {
            core::array::from_fn(|j| {
                let (node, angle) = (self.roots[i], self.inner[j]);
                let time = Clock::new(r - q, whole * node * angle.sin);
                let u = time.root * time.root;
                let weight = angle.weight * years * node * node;
                let (rate, income) = (r * factor(r, u), q * factor(q, u));
                Point { time, rate: rate * weight, income: income * weight }
            })
        });
        Grid { r, q, limit: carry.limit, nodes: self.roots.map(node), points }
    }

    /// The boundary for these volatilities, with its derivatives by volatility and by time.
    pub fn boundary(&self, grid: &Grid<N, L>, vol: V) -> Boundary<P> {
        let (logs, bumped) = self.solve(grid, vol);
        let inv_bump = all(1.0 / BUMP) / vol;
        let (squares, bumped) = (logs.map(|l| l * l), bumped.map(|l| l * l));
        let lines = core::array::from_fn(|j| {
            let root = |squares: &[V; N]| interpolate(&self.outer_rows[j], squares).sqrt();
            let depth = root(&squares);
            let by_time = sum(&self.outer_slopes[j], &squares) / depth;
            let by_vol = (depth - root(&bumped)) * inv_bump;
            let log = all(grid.limit) - depth;
            let (income, by_time) = (exp(log) * all(grid.q), by_time * all(self.pulls[j]));
            Line { log, income, by_vol, by_time }
        });
        Boundary { vol, inv_vol: all(1.0) / vol, edge: logs[N - 1] + all(grid.limit), lines }
    }

    /// ln(B/B₀) at the nodes, for these volatilities and for a little more.
    fn solve(&self, grid: &Grid<N, L>, vol: V) -> ([V; N], [V; N]) {
        let more = vol * all(1.0 + BUMP);
        let start = |vol: V| {
            let inv_vol = all(1.0) / vol;
            grid.nodes.map(|node| grid.start(&node, vol, inv_vol))
        };
        let first = start(vol);
        let mut logs = first;
        for _ in BUMPED_STEPS..Self::STEPS {
            logs = self.step(grid, &logs, vol);
        }
        let bump = start(more);
        let mut bumped: [V; N] = core::array::from_fn(|i| logs[i] + (bump[i] - first[i]));
        for _ in 0..BUMPED_STEPS {
            (logs, bumped) = (self.step(grid, &logs, vol), self.step(grid, &bumped, more));
        }
        (logs, bumped)
    }

    /// One step of the fixed point, all nodes at once.
    #[inline]
    fn step(&self, grid: &Grid<N, L>, logs: &[V; N], vol: V) -> [V; N] {
        let (squares, inv_vol) = (logs.map(|l| l * l), all(1.0) / vol);
        core::array::from_fn(|i| self.node(grid, i, logs[i], &squares, vol, inv_vol))
    }

    /// The right-hand side of a node's equation.
    #[inline(always)]
    fn node(&self, grid: &Grid<N, L>, i: usize, log: V, squares: &[V; N], vol: V, inv_vol: V) -> V {
        let node = &grid.nodes[i];
        let (d1, d2) = node.time.d(log + all(grid.limit), vol, inv_vol);
        let (first, second) = cdfs(d1, d2);
        let (mut top, mut bottom) = (second * all(node.discount), first * all(node.growth));
        for (point, row) in grid.points[i].iter().zip(&self.rows[i]) {
            let there = interpolate(row, squares).sqrt();
            let (d1, d2) = point.time.d(log + there, vol, inv_vol);
            let (first, second) = cdfs(d1, d2);
            top = second.mul_add(all(point.rate), top);
            bottom = first.mul_add(all(point.income), bottom);
        }
        let found = ln(top / bottom) - all(grid.limit);
        found.is_finite().select(found.fast_min(all(DEEPEST)), log)
    }
}

// The boundary is below its limit wherever time is left; a square of 0 has no slope.
const DEEPEST: f64 = -1e-9;

#[inline(always)]
fn sum<const N: usize>(row: &[f64; N], values: &[V; N]) -> V {
    let products = row.iter().zip(values);
    products.fold(all(0.0), |sum, (factor, value)| value.mul_add(all(*factor), sum))
}

/// The square of ln(B/B₀) at a point, held above 0.
#[inline(always)]
fn interpolate<const N: usize>(row: &[f64; N], squares: &[V; N]) -> V {
    sum(row, squares).fast_max(all(DEEPEST * DEEPEST))
}

impl<const N: usize, const L: usize> Grid<N, L> {
    /// ln(B/B₀) of a node by QD+ (Li 2010): Newton from Bjerksund and Stensland's boundary.
    #[inline]
    fn start(&self, node: &Node, vol: V, inv_vol: V) -> V {
        let qd = Qd::new(self, node, vol, inv_vol);
        let limit = one(exp, self.limit);
        let top = all(limit * (1.0 - 1e-7));
        let mut b = qd.flat(node, limit).fast_min(top);
        for _ in 0..START_STEPS {
            let next = b - qd.step(self, node, b);
            let held = next.fast_max(b * all(0.5)).fast_min((b + all(limit)) * all(0.5));
            b = next.is_finite().select(held.fast_min(top), b);
        }
        ln(b) - all(self.limit)
    }
}

/// QD+'s equation at one time.
struct Qd {
    vol: V,
    inv_vol: V,
    // Exponent of the perpetual put and its boundary.
    forever: V,
    // The equation is (1 − e^(−qτ)N(−d1))·b + slope·(1 − b − p) − decay·θ.
    slope: V,
    decay: V,
}

impl Qd {
    #[inline(always)]
    fn new<const N: usize, const L: usize>(
        grid: &Grid<N, L>,
        node: &Node,
        vol: V,
        inv_vol: V,
    ) -> Qd {
        let (r, one) = (grid.r, all(1.0));
        let twice = inv_vol * inv_vol * all(2.0);
        let omega = twice.mul_add(all(r - grid.q), all(-1.0));
        // r/(1 − e^(−rτ)) goes to 1/τ as r goes to 0.
        let ratio = all(rate_over(r, node));
        let disc = omega.mul_add(omega, twice * ratio * all(4.0)).sqrt();
        let lambda = (omega + disc) * all(-0.5);
        let kept = twice * all(node.discount) / disc;
        let rest = ratio - twice * ratio * ratio / (disc * disc);
        let endless = omega.mul_add(omega, twice * all(4.0 * r)).sqrt();
        let exponent = (omega + endless) * all(-0.5);
        let forever = (exponent / (exponent - one)).fast_max(all(1e-12));
        let slope = kept.mul_add(rest, lambda);
        Qd { vol, inv_vol, forever, slope, decay: kept * all(1.0 / node.discount) }
    }

    /// A flat boundary's guess, after the mirrored call's.
    #[inline(always)]
    fn flat(&self, node: &Node, limit: f64) -> V {
        let (far, near) = (all(1.0) / self.forever, all(1.0 / limit));
        let gap = (far - near).fast_max(all(1e-9));
        let span = all(2.0 * node.time.root).mul_sub(self.vol, all(node.time.drift));
        let share = exp((-span * near / gap).fast_min(all(0.0)));
        all(1.0) / (far - gap * share)
    }

    /// Newton's step.
    #[inline(always)]
    fn step<const N: usize, const L: usize>(&self, grid: &Grid<N, L>, node: &Node, b: V) -> V {
        let time = &node.time;
        let (d1, d2) = time.d(ln(b), self.vol, self.inv_vol);
        let (n1, n2) = cdfs(-d1, -d2);
        let (share, bond) = (n1 * all(node.growth), n2 * all(node.discount));
        let density = pdf(d1) * all(node.growth);
        let inv_s = self.inv_vol * all(time.inv_root);
        let price = bond - b * share;
        let diffusion = self.vol * all(0.5 * time.inv_root);
        let (r, q) = (all(grid.r), all(grid.q));
        let theta = bond * r - b * (share * q + diffusion * density);
        let early = all(1.0) - b - price;
        let by_share = share - density * inv_s;
        let by_density = density - density * d1 * inv_s;
        let theta_slope = (r - q) * by_share - share * r - diffusion * by_density;
        let rest = all(1.0) - share;
        let value = rest * b + self.slope * early - self.decay * theta;
        let slope = rest + density * inv_s - self.slope * rest - self.decay * theta_slope;
        value / slope
    }
}

/// r/(1 − e^(−rτ)).
fn rate_over(r: f64, node: &Node) -> f64 {
    let x = r * node.tau;
    if x.abs() < 1e-3 {
        1.0 / (node.tau * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0))))
    } else {
        r / (1.0 - node.discount)
    }
}
