//! Points of a smile (log-moneyness, total variance, weight) in; the SVI nearest to them that keeps
//! the bounds against arbitrage, and how well it does both, out.
//!
//! For a bend at m with roundness σ the other three numbers are a linear least-squares problem
//! (Zeliade, "Quasi-explicit calibration of Gatheral's SVI model", 2009), so the search has two
//! dimensions. It has a fixed number of steps and no random start: the same points give the same
//! bits. Butterflies and the calendar enter as penalties, so that a smile which must give way does
//! so where the quotes are widest.

use super::Svi;
use crate::greeks::math::{V, all};
use alloc::vec::Vec;

/// Fewer points than this make no smile: five numbers would follow any noise.
pub const POINTS_MIN: usize = 6;

const LANES: usize = 8;
/// No point was seen yet.
const NOWHERE: (f64, f64) = (f64::INFINITY, 0.0);
/// Evaluations of a search from nothing and of one from a smile that was right a moment ago.
const COLD_STEPS: usize = 120;
const WARM_STEPS: usize = 28;
/// Where no-arbitrage is looked at: over the points and this share of their range on either side.
const GRID: usize = 32;
const BEYOND: f64 = 0.5;
/// A g of −0.001 weighs like a mean error of one half-spread.
const BUTTERFLY: f64 = 1e6;
/// Total variance below the nearer expiry's weighs this often what an error of that size does.
const CALENDAR: f64 = 10.0;
/// Standard deviations of the nearer expiry on either side in which it is believed.
const REACH: f64 = 4.0;
/// A warm search that is worse than this, in half-spreads², is done again from nothing.
const WORSE: f64 = 4.0;

/// A fitted smile and its quality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// The smile.
    pub svi: Svi,
    /// Points that took part.
    pub points: usize,
    /// Root of the weighted mean squared error: in half-spreads, where the weights are
    /// 1/(half-spread in total variance)².
    pub rms: f64,
    /// Smallest g over the grid: a butterfly with a negative price exists where it is below 0.
    pub butterfly: f64,
    /// Smallest distance above the nearer expiry's total variance over the grid, infinite without
    /// one: calendar arbitrage where it is below 0.
    pub calendar: f64,
}

impl Fit {
    /// Whether it crosses the nearer expiry's smile by more than this share of its own variance.
    pub fn crosses(&self, share: f64) -> bool {
        self.calendar < -share * self.svi.variance(0.0)
    }
}

/// What the smile must lie above: the total variance of the expiry before it.
#[derive(Clone, Copy, Debug)]
pub struct Bound(pub Svi);

#[derive(Clone, Copy, Debug)]
struct Block {
    k: V,
    w: V,
    weight: V,
}

/// Columns for the points of one smile at a time; nothing is allocated after it is made.
#[derive(Clone, Debug)]
pub struct Fitter {
    blocks: Vec<Block>,
    len: usize,
    low: f64,
    high: f64,
    weights: f64,
    /// Of the point nearest the forward: how far, and its standard deviation √w.
    nearest: (f64, f64),
    bound: Option<Svi>,
}

#[derive(Clone, Copy, Debug)]
struct Trial {
    at: [f64; 2],
    cost: f64,
    svi: Svi,
}

impl Fitter {
    /// Room for so many points.
    pub fn new(points_max: usize) -> Fitter {
        let blocks = Vec::with_capacity(points_max.div_ceil(LANES));
        let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
        Fitter { blocks, len: 0, low, high, weights: 0.0, nearest: NOWHERE, bound: None }
    }

    /// Forgets all points.
    pub fn clear(&mut self) {
        self.blocks.clear();
        (self.len, self.weights) = (0, 0.0);
        (self.low, self.high, self.nearest) = (f64::INFINITY, f64::NEG_INFINITY, NOWHERE);
    }

    /// Takes a point: log-moneyness, total variance, and 1/(its uncertainty in total variance)².
    /// One that is no number, or for which there is no room, is passed over.
    pub fn push(&mut self, k: f64, w: f64, weight: f64) {
        let sound = k.is_finite() && w > 0.0 && weight > 0.0 && (w + weight).is_finite();
        if !sound || self.len == self.blocks.capacity() * LANES {
            return;
        }
        if self.len.is_multiple_of(LANES) {
            self.blocks.push(Block { k: all(0.0), w: all(0.0), weight: all(0.0) });
        }
        let Some(block) = self.blocks.last_mut() else { return };
        let lane = self.len % LANES;
        let set = |column: &mut V, value: f64| column.as_mut_array()[lane] = value;
        set(&mut block.k, k);
        set(&mut block.w, w);
        set(&mut block.weight, weight);
        self.len += 1;
        (self.low, self.high) = (self.low.min(k), self.high.max(k));
        self.weights += weight;
        if k.abs() < self.nearest.0 {
            self.nearest = (k.abs(), w.sqrt());
        }
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The smile of the points: from `last`, where it was right a moment ago, else from nothing;
    /// above `bound`. `None` where there are too few points or they span nothing.
    pub fn fit(&mut self, last: Option<&Svi>, bound: Option<Bound>) -> Option<Fit> {
        if self.len < POINTS_MIN || self.high <= self.low {
            return None;
        }
        self.bound = bound.map(|bound| bound.0);
        let warm = last.map(|svi| self.search([svi.m, svi.sigma], 0.1, WARM_STEPS));
        let best = match warm.filter(|trial| trial.cost <= WORSE) {
            Some(trial) => trial,
            None => {
                let start = self.start();
                let cold = self.search(start.at, 0.5, COLD_STEPS);
                warm.filter(|warm| warm.cost < cold.cost).unwrap_or(cold)
            }
        };
        best.svi.is_sound().then(|| self.judge(&best.svi))
    }

    fn judge(&self, svi: &Svi) -> Fit {
        let (butterfly, calendar) = self.margins(svi);
        let rms = (self.error(svi) / self.len as f64).sqrt();
        Fit { svi: *svi, points: self.len, rms, butterfly, calendar }
    }

    /// The best of a coarse net of bends around the forward.
    fn start(&self) -> Trial {
        let deviation = self.nearest.1;
        let mut best = self.trial([0.0, deviation]);
        for place in [-1.0, 0.0, 0.5, 1.0, 2.0] {
            for round in [0.3, 0.8, 2.0, 5.0] {
                let trial = self.trial([place * deviation, round * deviation]);
                if trial.cost < best.cost {
                    best = trial;
                }
            }
        }
        best
    }

    /// Nelder and Mead's simplex (1965) over the bend's place and roundness.
    fn search(&self, from: [f64; 2], step: f64, steps: usize) -> Trial {
        let (dm, ds) = (step * self.nearest.1, 1.0 + step);
        let mut simplex = [
            self.trial(from),
            self.trial([from[0] + dm, from[1]]),
            self.trial([from[0], from[1] * ds]),
        ];
        for _ in 0..steps / 2 {
            simplex.sort_unstable_by(|a, b| a.cost.total_cmp(&b.cost));
            let [best, good, bad] = simplex;
            let centre = [0.5 * (best.at[0] + good.at[0]), 0.5 * (best.at[1] + good.at[1])];
            let along = |t: f64| {
                let at = |i: usize| t.mul_add(bad.at[i] - centre[i], centre[i]);
                self.trial([at(0), at(1)])
            };
            let mirrored = along(-1.0);
            simplex[2] = if mirrored.cost < best.cost {
                let further = along(-2.0);
                if further.cost < mirrored.cost { further } else { mirrored }
            } else if mirrored.cost < good.cost {
                mirrored
            } else {
                let nearer = along(if mirrored.cost < bad.cost { -0.5 } else { 0.5 });
                if nearer.cost < bad.cost.min(mirrored.cost) {
                    nearer
                } else {
                    simplex[1] = self.between(&best, &good);
                    self.between(&best, &bad)
                }
            };
        }
        let better = |a: Trial, b: Trial| if b.cost < a.cost { b } else { a };
        better(better(simplex[0], simplex[1]), simplex[2])
    }

    fn between(&self, a: &Trial, b: &Trial) -> Trial {
        self.trial([0.5 * (a.at[0] + b.at[0]), 0.5 * (a.at[1] + b.at[1])])
    }

    /// The best smile with its bend at `at`, and what it costs in half-spreads².
    fn trial(&self, at: [f64; 2]) -> Trial {
        let range = self.high - self.low;
        let m = at[0].clamp(self.low - range, self.high + range);
        let sigma = at[1].clamp(0.005 * range, 5.0 * range);
        let svi = self.linear(m, sigma);
        let (short, below) = self.arbitrage(&svi);
        let free = Trial { at: [m, sigma], cost: self.cost(&svi, short, below), svi };
        if below <= 0.0 {
            return free;
        }
        // The level was chosen for the quotes alone; raised, the smile clears the nearer one.
        let svi = Svi { a: svi.a + below, ..svi };
        let raised = Trial { at: [m, sigma], cost: self.cost(&svi, short, 0.0), svi };
        if raised.cost < free.cost { raised } else { free }
    }

    fn cost(&self, svi: &Svi, short: f64, below: f64) -> f64 {
        let points = self.len as f64;
        let crossing = CALENDAR * below * below * self.weights / points;
        let cost = self.error(svi) / points + BUTTERFLY * short * short + crossing;
        if cost.is_finite() && svi.is_sound() { cost } else { f64::INFINITY }
    }

    /// By how much g falls below zero and total variance below the bound, at the worst.
    fn arbitrage(&self, svi: &Svi) -> (f64, f64) {
        let (butterfly, calendar) = self.margins(svi);
        ((-butterfly).max(0.0), (-calendar).max(0.0))
    }

    /// The smallest g over the points' range and beyond, and the smallest distance above the
    /// nearer expiry where that one has quotes.
    fn margins(&self, svi: &Svi) -> (f64, f64) {
        let range = self.high - self.low;
        let from = self.low - BEYOND * range;
        let butterfly = least(from, from + (1.0 + 2.0 * BEYOND) * range, |k| svi.density_sign(k));
        let Some(near) = &self.bound else { return (butterfly, f64::INFINITY) };
        let reach = REACH * near.variance(0.0).sqrt();
        let calendar = least(-reach, reach, |k| svi.variance(k) - near.variance(k));
        (butterfly, calendar)
    }

    /// Weighted squared error.
    fn error(&self, svi: &Svi) -> f64 {
        let mut sum = all(0.0);
        for block in &self.blocks {
            let x = block.k - all(svi.m);
            let root = x.mul_add(x, all(svi.sigma * svi.sigma)).sqrt();
            let w = all(svi.b).mul_add(all(svi.rho).mul_add(x, root), all(svi.a));
            let off = w - block.w;
            sum = (off * off).mul_add(block.weight, sum);
        }
        total(sum)
    }

    /// Weighted least squares in level, tilt and steepness for a given bend, within the bounds
    /// that keep variance positive and the wings no steeper than Lee allows.
    fn linear(&self, m: f64, sigma: f64) -> Svi {
        let sums = self.sums(m, 1.0 / sigma);
        let (mut a, mut d, mut c) = sums.solve();
        if c < d.abs() {
            (a, d, c) = sums.on_edges();
        }
        let steepest = (c + d.abs()) / (2.0 * sigma);
        if steepest > 1.0 {
            (d, c) = (d / steepest, c / steepest);
            a = sums.level(d, c);
        }
        // The floor stays above a thousandth of the mean variance.
        let lowest = 1e-3 * sums.w / sums.one - (c * c - d * d).max(0.0).sqrt();
        let rho = if c > 0.0 { d / c } else { 0.0 };
        Svi { a: a.max(lowest), b: c / sigma, rho: rho.clamp(-1.0, 1.0), m, sigma }
    }

    fn sums(&self, m: f64, inv_sigma: f64) -> Sums {
        let mut sums = [all(0.0); 9];
        for Block { k, w, weight } in &self.blocks {
            let y = (*k - all(m)) * all(inv_sigma);
            let z = y.mul_add(y, all(1.0)).sqrt();
            let (oy, oz) = (*weight * y, *weight * z);
            let terms = [oy, oz, oy * y, oy * z, oz * z, oy * *w, oz * *w, *weight * *w, *weight];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        let [y, z, yy, yz, zz, yw, zw, w, one] = sums.map(total);
        Sums { one, y, z, yy, yz, zz, w, yw, zw }
    }
}

/// Weighted moments of y = (k − m)/σ, z = √(y² + 1) and the total variances.
struct Sums {
    one: f64,
    y: f64,
    z: f64,
    yy: f64,
    yz: f64,
    zz: f64,
    w: f64,
    yw: f64,
    zw: f64,
}

impl Sums {
    /// Level, tilt and steepness without bounds.
    fn solve(&self) -> (f64, f64, f64) {
        // Centred, the level drops out and the rest is two by two.
        let n = 1.0 / self.one;
        let centred = |xy: f64, x: f64, y: f64| xy - x * y * n;
        let (yy, zz) = (centred(self.yy, self.y, self.y), centred(self.zz, self.z, self.z));
        let yz = centred(self.yz, self.y, self.z);
        let (yw, zw) = (centred(self.yw, self.y, self.w), centred(self.zw, self.z, self.w));
        let det = yy * zz - yz * yz;
        if det <= 1e-12 * yy * zz {
            return (0.0, 0.0, -1.0);
        }
        let d = (yw * zz - zw * yz) / det;
        let c = (zw * yy - yw * yz) / det;
        (self.level(d, c), d, c)
    }

    /// The best level for a tilt and a steepness.
    fn level(&self, d: f64, c: f64) -> f64 {
        (self.w - d * self.y - c * self.z) / self.one
    }

    /// One wing flat: the better of tilt = ±steepness; flat altogether where neither rises.
    fn on_edges(&self) -> (f64, f64, f64) {
        let edge = |sign: f64| {
            let x = self.z + sign * self.y;
            let xx = self.zz + 2.0 * sign * self.yz + self.yy - x * x / self.one;
            let xw = self.zw + sign * self.yw - x * self.w / self.one;
            let c = if xx > 0.0 { (xw / xx).max(0.0) } else { 0.0 };
            (c * xw, sign * c, c)
        };
        let (left, right) = (edge(-1.0), edge(1.0));
        let (_, d, c) = if left.0 > right.0 { left } else { right };
        (self.level(d, c), d, c)
    }
}

/// The smallest value of a function over the grid between two places.
fn least(from: f64, to: f64, value: impl Fn(f64) -> f64) -> f64 {
    let at = |i: usize| (i as f64 / (GRID - 1) as f64).mul_add(to - from, from);
    (0..GRID).map(|i| value(at(i))).fold(f64::INFINITY, f64::min)
}

/// The sum of the lanes, in a fixed order.
fn total(v: V) -> f64 {
    let [a, b, c, d, e, f, g, h] = v.to_array();
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
