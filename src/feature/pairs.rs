//! Two prices or series in; their ratio, and how they move together, out.
//!
//! Both are sampled at each row. Returns are whole millionths of a hundredth of a percent (1e-9),
//! so that sums over windows are exact; what becomes known between two rows counts for the row
//! after it.

use super::{
    rolling::{ROW_NAMES, ROWS, Rolling, fill},
    table::{Axis, REAL, Stat, Table, stat},
};
use crate::chain::Chain;

mod tally {
    pub(super) const X: usize = 0;
    pub(super) const Y: usize = 1;
    pub(super) const XX: usize = 2;
    pub(super) const YY: usize = 3;
    pub(super) const XY: usize = 4;
    /// The ratio less the first one, as a share of that, in millionths; and its square.
    pub(super) const R: usize = 5;
    pub(super) const RR: usize = 6;
    pub(super) const COUNT: usize = 7;
}
use tally::*;

const ROWWISE: &str = "returns from row to row";

const STATS: &[Stat] = &[
    stat("correlation", "1", [-1.0, 1.0], "of their returns").by("Pearson, row by row"),
    stat("beta", "1", REAL, "cov(a, b) / var(b) of their returns").by(ROWWISE),
    stat("ratio_z", "1", REAL, "(a/b − mean) / population deviation of a/b").by(ROWWISE),
    stat("relative_return", "1", REAL, "Σ returns of a − Σ returns of b").by(ROWWISE),
];

const LEVELS: &[Stat] =
    &[stat("ratio", "1", REAL, "a / b, 1 above in backwardation").by("latest of both")];

/// One side of a pair.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    /// The mid of a root's underlying.
    Root(u16),
    /// The latest observation of a series.
    Series(u16),
}

impl Side {
    fn value(self, chain: &Chain) -> f64 {
        match self {
            Side::Root(root) => chain.spot(root),
            Side::Series(series) => {
                let latest = chain.series(series).and_then(|series| series.latest());
                latest.map_or(f64::NAN, |latest| latest.value)
            }
        }
    }
}

/// A pair's columns.
#[derive(Debug)]
pub(super) struct Pair {
    sides: Option<[Side; 2]>,
    last: [f64; 2],
    first: f64,
    tallies: [i64; COUNT],
    rolling: Rolling<COUNT>,
}

impl Pair {
    /// What there is at each window.
    pub(super) const TABLE: &'static Table =
        &Table { family: "cross", outer: Axis::One, inner: Axis::Named(ROW_NAMES), stats: STATS };

    /// What there is now.
    pub(super) const LEVEL: &'static Table =
        &Table { family: "cross", outer: Axis::One, inner: Axis::One, stats: LEVELS };

    /// A pair of what the chain has; unknown for good where it has not both.
    pub(super) fn new(sides: Option<[Side; 2]>) -> Pair {
        let rolling = Rolling::new();
        Pair { sides, last: [f64::NAN; 2], first: f64::NAN, tallies: [0; COUNT], rolling }
    }

    /// Writes its columns: those of the windows, then those of now.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        out.fill(f64::NAN);
        let Some(sides) = self.sides else { return };
        let [a, b] = sides.map(|side| side.value(chain));
        self.take([a, b]);
        let ratio = a / b;
        let now = ratio / self.first - 1.0;
        let (windows, level) = out.split_at_mut(STATS.len() * ROWS.len());
        fill(&self.rolling, windows, |sums, rows| stats(sums, rows, now));
        level[0] = ratio;
    }

    /// A row's prices. Until both are known nothing is counted, so windows are of known rows.
    fn take(&mut self, new: [f64; 2]) {
        let before = core::mem::replace(&mut self.last, new);
        if self.first.is_nan() {
            self.first = new[0] / new[1];
        }
        let [x, y] = [0, 1].map(|side| ((new[side] / before[side] - 1.0) * 1e9).round_whole());
        let (Some(x), Some(y)) = (x, y) else { return };
        let ratio = ((new[0] / new[1] / self.first - 1.0) * 1e6).round_whole().unwrap_or(0);
        let product = |a: i64, b: i64| a.saturating_mul(b);
        self.tallies =
            [x, y, product(x, x), product(y, y), product(x, y), ratio, product(ratio, ratio)];
        self.rolling.push(&mut self.tallies);
    }
}

/// Whole numbers from finite ones.
trait Whole {
    fn round_whole(self) -> Option<i64>;
}

impl Whole for f64 {
    fn round_whole(self) -> Option<i64> {
        let half = if self < 0.0 { -0.5 } else { 0.5 };
        // Beyond this squares would not fit: a price that jumped by three times itself.
        (self.abs() < 3e9).then_some((self + half) as i64)
    }
}

fn stats(sums: &[i64; COUNT], rows: f64, now: f64) -> [f64; STATS.len()] {
    let mean = |tally: usize| sums[tally] as f64 / rows;
    let spread = |both: usize, a: usize, b: usize| mean(both) - mean(a) * mean(b);
    let (xx, yy, xy) = (spread(XX, X, X), spread(YY, Y, Y), spread(XY, X, Y));
    let deviation = spread(RR, R, R).sqrt() / 1e6;
    [
        (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0),
        xy / yy,
        (now - mean(R) / 1e6) / deviation,
        (sums[X] - sums[Y]) as f64 / 1e9,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_moves_twice_as_far_has_beta_two_and_correlation_one() {
        let mut pair = Pair::new(None);
        let (mut a, mut b) = (100.0, 20.0);
        for row in 0..61 {
            let step = [0.001, -0.002, 0.0005][row % 3];
            pair.take([a, b]);
            (a, b) = (a * (1.0 + 2.0 * step), b * (1.0 + step));
        }
        let [correlation, beta, ..] = stats(pair.rolling.sums(1).unwrap(), ROWS[1] as f64, 0.0);
        assert!((correlation - 1.0).abs() < 1e-9 && (beta - 2.0).abs() < 1e-6, "{beta}");
    }

    #[test]
    fn rows_without_both_count_for_nothing() {
        let mut pair = Pair::new(None);
        (0..100).for_each(|_| pair.take([f64::NAN, 1.0]));
        assert!(pair.rolling.sums(0).is_none());
        (0..11).for_each(|_| pair.take([2.0, 1.0]));
        assert!(pair.rolling.sums(0).is_some());
    }
}
