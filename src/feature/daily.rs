//! Two external series in; their ratio and difference, and how they have moved together from one
//! common observation to the next, out: what daily closes have to say of each other.
//!
//! A side is a series, or several whose observations are added (`FII+DII/RETAIL`). An observation
//! is common where every series has one about the same instant. Columns change with a new one
//! alone, and are reckoned when there is one.

use super::{
    series::score,
    table::{Axis, REAL, Stat, Table, all_by, stat},
};
use crate::chain::{Chain, Observation};
use alloc::vec::Vec;

const MONTH: usize = 20;

const STATS: &[Stat] = &all_by(
    "observations known at the row",
    [
        stat("ratio", "1", REAL, "a / b").after(|_| 1),
        stat("difference", "of the series", REAL, "a − b").after(|_| 1),
        stat("correlation_20", "1", [-1.0, 1.0], "Pearson, of their last 20 returns")
            .after(|_| MONTH + 1),
        stat("ratio_z_20", "1", REAL, "(a/b − mean) / population deviation, last 20 with it")
            .after(|_| MONTH),
        stat("relative_return_20", "1", REAL, "a/a₂₀ − b/b₂₀").after(|_| MONTH + 1),
    ],
);

/// A pair's columns.
#[derive(Debug)]
pub(super) struct Daily {
    // Series of both sides, and how many of them are the first's.
    series: Vec<u16>,
    first: usize,
    latest: Vec<Option<Observation>>,
    values: [f64; STATS.len()],
}

impl Daily {
    /// What there is of every pair.
    pub(super) const TABLE: &'static Table =
        &Table { family: "cross", outer: Axis::One, inner: Axis::One, stats: STATS };

    /// Of these series; unknown for good where the universe has not all of them.
    pub(super) fn new(sides: Option<[Vec<u16>; 2]>) -> Daily {
        let [a, b] = sides.unwrap_or_default();
        let first = a.len();
        let series: Vec<u16> = a.into_iter().chain(b).collect();
        let latest = alloc::vec![None; series.len()];
        Daily { series, first, latest, values: [f64::NAN; STATS.len()] }
    }

    /// Writes its columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        let mut changed = false;
        for (latest, &series) in self.latest.iter_mut().zip(&self.series) {
            let now = chain.series(series).and_then(|series| series.latest());
            changed |= latest.as_ref() != now;
            *latest = now.copied();
        }
        if changed {
            let mut pairs = [[f64::NAN; 2]; MONTH + 1];
            let count = self.common(chain, &mut pairs);
            self.values = stats(&pairs, count);
        }
        out.copy_from_slice(&self.values);
    }

    /// The last common observations, the newest first; how many.
    fn common(&self, chain: &Chain, pairs: &mut [[f64; 2]; MONTH + 1]) -> usize {
        let Some(first) = self.series.first().and_then(|series| chain.series(*series)) else {
            return 0;
        };
        let mut found = 0;
        for one in first.known().rev() {
            if found == pairs.len() {
                break;
            }
            if let Some(sums) = self.about(chain, one) {
                pairs[found] = sums;
                found += 1;
            }
        }
        found
    }

    /// Both sides about the instant of an observation of the first series.
    fn about(&self, chain: &Chain, one: &Observation) -> Option<[f64; 2]> {
        let mut sums = [0.0; 2];
        for (at, series) in self.series.iter().enumerate() {
            let mut known = chain.series(*series)?.known().rev();
            // Observations of a day lie near each other, so this ends soon.
            let same = known.find(|other| other.about <= one.about)?;
            if same.about != one.about {
                return None;
            }
            sums[usize::from(at >= self.first)] += same.value;
        }
        Some(sums)
    }
}

fn stats(pairs: &[[f64; 2]; MONTH + 1], count: usize) -> [f64; STATS.len()] {
    let [a, b] = pairs[0];
    let mut values = [a / b, a - b, f64::NAN, f64::NAN, f64::NAN];
    if count >= MONTH {
        let ratios: [f64; MONTH] = core::array::from_fn(|at| pairs[at][0] / pairs[at][1]);
        values[3] = score(&ratios);
    }
    if count > MONTH {
        let side = |side: usize| core::array::from_fn(|at| pairs[at][side] / pairs[at + 1][side]);
        values[2] = correlation(&side(0), &side(1));
        values[4] = a / pairs[MONTH][0] - b / pairs[MONTH][1];
    }
    values
}

fn mean(values: &[f64; MONTH]) -> f64 {
    values.iter().sum::<f64>() / MONTH as f64
}

fn correlation(a: &[f64; MONTH], b: &[f64; MONTH]) -> f64 {
    let (from_a, from_b) = (mean(a), mean(b));
    let mut sums = [0.0; 3];
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - from_a, y - from_b);
        sums = [sums[0] + x * x, sums[1] + y * y, sums[2] + x * y];
    }
    let [xx, yy, xy] = sums;
    (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_as_one_is_correlated_and_the_ratio_is_scored_among_its_past() {
        let mut pairs = [[0.0; 2]; MONTH + 1];
        let mut b = 50.0;
        for (at, pair) in pairs.iter_mut().enumerate().rev() {
            b *= 1.0 + 0.01 * ((at * 7 % 11) as f64 - 5.0);
            *pair = [3.0 * b, b];
        }
        pairs[0][0] *= 1.1;
        let [ratio, difference, .., relative] = stats(&pairs, MONTH + 1);
        assert!((ratio - 3.3).abs() < 1e-12 && (difference - 2.3 * b).abs() < 1e-9);
        assert!((relative - 0.1 * b / pairs[MONTH][1]).abs() < 1e-12);
        // One of twenty above all others: (1 − 1/20) / √(1/20 · 19/20).
        assert!((stats(&pairs, MONTH)[3] - 19.0f64.sqrt()).abs() < 1e-9);
        pairs[0][0] /= 1.1;
        assert!((stats(&pairs, MONTH + 1)[2] - 1.0).abs() < 1e-12);
        assert!(stats(&pairs, MONTH)[2].is_nan() && stats(&pairs, 0)[0] > 0.0);
    }
}
