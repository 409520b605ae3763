//! Whole-number tallies of each row in; their sums over the last rows out.
//!
//! Tallies are integers (contracts, counts, prices in 1e-9), so a sum that is kept up by adding
//! what comes and taking off what goes is exactly the one that is made anew, however long it runs.

use alloc::{boxed::Box, vec};

/// How many rows the windows hold.
pub(super) const ROWS: [usize; 4] = [10, 60, 300, 1_800];

/// What columns call them.
pub(super) const ROW_NAMES: &[&str] = &["r10", "r60", "r300", "r1800"];

const LONGEST: usize = ROWS[ROWS.len() - 1];

/// Sums of `N` tallies over each of the windows.
#[derive(Debug)]
pub(super) struct Rolling<const N: usize> {
    slots: Box<[[i64; N]]>,
    sums: [[i64; N]; ROWS.len()],
    rows: usize,
}

impl<const N: usize> Rolling<N> {
    pub(super) fn new() -> Rolling<N> {
        let slots = vec![[0; N]; LONGEST].into_boxed_slice();
        Rolling { slots, sums: [[0; N]; ROWS.len()], rows: 0 }
    }

    /// A row has ended with these tallies, which begin anew.
    pub(super) fn push(&mut self, tallies: &mut [i64; N]) {
        for (sums, rows) in self.sums.iter_mut().zip(ROWS) {
            // Slots that were never filled are zeros.
            let gone = &self.slots[(self.rows + LONGEST - rows) % LONGEST];
            for ((sum, new), old) in sums.iter_mut().zip(tallies.iter()).zip(gone) {
                *sum = sum.wrapping_add(*new).wrapping_sub(*old);
            }
        }
        self.slots[self.rows % LONGEST] = core::mem::replace(tallies, [0; N]);
        self.rows += 1;
    }

    /// The sums over a window; `None` before there were as many rows.
    #[inline(always)]
    pub(super) fn sums(&self, window: usize) -> Option<&[i64; N]> {
        (self.rows >= ROWS[window]).then(|| &self.sums[window])
    }
}

/// Writes what `stats` makes of each window's sums, in the order statistic, window; NaN where the
/// window is not full.
pub(super) fn fill<const N: usize, const S: usize>(
    rolling: &Rolling<N>,
    out: &mut [f64],
    stats: impl Fn(&[i64; N], f64) -> [f64; S],
) {
    for (window, rows) in ROWS.into_iter().enumerate() {
        let values = match rolling.sums(window) {
            Some(sums) => stats(sums, rows as f64),
            None => [f64::NAN; S],
        };
        for (stat, value) in values.into_iter().enumerate() {
            out[stat * ROWS.len() + window] = value;
        }
    }
}

/// The nearest whole number, the one further from zero of two; 0 for NaN.
#[inline(always)]
pub(super) fn whole(x: f64) -> i64 {
    (x + if x < 0.0 { -0.5 } else { 0.5 }) as i64
}

/// A quotient of whole numbers; NaN where there is nothing to divide by.
#[inline(always)]
pub(super) fn ratio(over: i64, under: i64) -> f64 {
    if under == 0 { f64::NAN } else { over as f64 / under as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        /// Kept up or made anew, the sums are the same.
        #[test]
        fn sums_are_those_of_the_last_rows(
            tallies in prop::collection::vec(-1_000i64..1_000, 1..4_000),
        ) {
            let mut rolling = Rolling::<1>::new();
            for at in 0..tallies.len() {
                rolling.push(&mut [tallies[at]]);
                if at % 97 == 0 || at + 1 == tallies.len() {
                    for (window, rows) in ROWS.into_iter().enumerate() {
                        let wanted = (at + 1 >= rows)
                            .then(|| tallies[at + 1 - rows..=at].iter().sum::<i64>());
                        prop_assert_eq!(rolling.sums(window).map(|sums| sums[0]), wanted);
                    }
                }
            }
        }
    }

    #[test]
    fn columns_lie_by_statistic_then_window_and_a_window_that_is_not_full_is_unknown() {
        let mut rolling = Rolling::<2>::new();
        (0..60).for_each(|_| rolling.push(&mut [2, 4]));
        let mut out = [0.0; 8];
        fill(&rolling, &mut out, |[a, b], rows| [ratio(*a, *b), *b as f64 / rows]);
        let known: Vec<f64> = [out[0], out[1], out[4], out[5]].to_vec();
        assert_eq!(known, [0.5, 0.5, 4.0, 4.0]);
        assert!([out[2], out[3], out[6], out[7]].iter().all(|value| value.is_nan()));
    }
}
