//! Two prices or series in; their ratio, and how they move together, out.
//!
//! Both are sampled at each row. Returns are whole millionths of a hundredth of a percent (1e-9),
//! so that sums over windows are exact; ratios are kept as they are, because those of two prices of
//! one thing differ in the sixth digit. What becomes known between two rows counts for the row
//! after it.

use super::{
    past::Past,
    rolling::{ROW_NAMES, ROWS, Rolling, fill, whole},
    table::{Axis, REAL, Stat, Table, stat},
};
use crate::chain::Chain;

mod tally {
    pub(super) const X: usize = 0;
    pub(super) const Y: usize = 1;
    pub(super) const XX: usize = 2;
    pub(super) const YY: usize = 3;
    pub(super) const XY: usize = 4;
    pub(super) const COUNT: usize = 5;
}
use tally::*;

const ROWWISE: &str = "returns from row to row";

const STATS: &[Stat] = &[
    stat("correlation", "1", [-1.0, 1.0], "of their returns").by("Pearson, row by row"),
    stat("beta", "1", REAL, "cov(a, b) / var(b) of their returns").by(ROWWISE),
    stat("relative_return", "1", REAL, "Σ returns of a − Σ returns of b").by(ROWWISE),
    stat("ratio_z", "1", REAL, "(a/b − mean) / population deviation of a/b").by(ROWWISE),
];

/// Statistics before the last one are made of sums.
const SUMMED: usize = STATS.len() - 1;

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
    rolling: Rolling<COUNT>,
    ratios: Past,
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
        let ratios = Past::new(ROWS[ROWS.len() - 1]);
        Pair { sides, last: [f64::NAN; 2], rolling: Rolling::new(), ratios }
    }

    /// Writes its columns: those of the windows, then those of now.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        out.fill(f64::NAN);
        let Some(sides) = self.sides else { return };
        let [a, b] = sides.map(|side| side.value(chain));
        self.take([a, b]);
        let (summed, rest) = out.split_at_mut(SUMMED * ROWS.len());
        fill(&self.rolling, summed, stats);
        let (scores, level) = rest.split_at_mut(ROWS.len());
        scores.copy_from_slice(&self.scores(a / b));
        level[0] = a / b;
    }

    /// How many deviations a ratio lies above the mean of each window.
    fn scores(&self, now: f64) -> [f64; ROWS.len()] {
        let (mut sum, mut squares, mut seen) = (0.0, 0.0, 0);
        let mut past = self.ratios.backwards();
        ROWS.map(|rows| {
            for ratio in past.by_ref().take(rows - seen) {
                // From now, where all of them lie near: nothing cancels.
                let off = ratio - now;
                sum += off;
                squares += off * off;
            }
            seen = rows;
            let mean = sum / rows as f64;
            -mean / (squares / rows as f64 - mean * mean).max(0.0).sqrt()
        })
    }

    /// A row's prices. Until both are known nothing is counted, so windows are of known rows.
    fn take(&mut self, new: [f64; 2]) {
        let before = core::mem::replace(&mut self.last, new);
        let [x, y] = [0, 1].map(|side| (new[side] / before[side] - 1.0) * 1e9);
        if x.abs() < MOVE_MAX && y.abs() < MOVE_MAX {
            let [x, y] = [x, y].map(whole);
            self.rolling.push(&mut [x, y, x * x, y * y, x * y]);
            self.ratios.push(new[0] / new[1]);
        }
    }
}

/// Squares beyond would not fit: a price that jumped by three times itself.
const MOVE_MAX: f64 = 3e9;

fn stats(sums: &[i64; COUNT], rows: f64) -> [f64; SUMMED] {
    let mean = |tally: usize| sums[tally] as f64 / rows;
    let spread = |both: usize, a: usize, b: usize| mean(both) - mean(a) * mean(b);
    let (xx, yy, xy) = (spread(XX, X, X), spread(YY, Y, Y), spread(XY, X, Y));
    [(xy / (xx * yy).sqrt()).clamp(-1.0, 1.0), xy / yy, (sums[X] - sums[Y]) as f64 / 1e9]
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
        let [correlation, beta, ..] = stats(pair.rolling.sums(1).unwrap(), ROWS[1] as f64);
        assert!((correlation - 1.0).abs() < 1e-9 && (beta - 2.0).abs() < 1e-6, "{beta}");
    }

    /// Two prices of one thing, a billionth a row apart: by hand, the last of 1 … 10 lies 4.5/√8.25
    /// deviations above their mean.
    #[test]
    fn a_ratio_is_told_apart_in_its_ninth_digit() {
        let mut pair = Pair::new(None);
        (0..=10).for_each(|row| pair.take([10.0 + f64::from(row) * 1e-8, 10.0]));
        let [ten, sixty, ..] = pair.scores(1.0 + 1e-8);
        assert!((ten - 4.5 / 8.25f64.sqrt()).abs() < 1e-6, "{ten}");
        assert!(sixty.is_nan(), "there are ten");
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
