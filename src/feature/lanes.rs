//! What blocks over windows share: eight windows side by side in, columns out.

use crate::greeks::math::V;

/// The same number for all windows.
#[inline(always)]
pub(super) fn each(value: f64) -> V {
    V::splat(value)
}

/// Mask: equal.
#[inline(always)]
pub(super) fn eq(a: V, b: V) -> V {
    !(a.simd_lt(b) | a.simd_gt(b) | a.is_nan() | b.is_nan())
}

/// Division as the indicators have it.
pub(super) trait Ratio {
    /// The quotient, 0 where the divisor is 0; NaN where either is.
    fn over(self, divisor: Self) -> Self;
}

impl Ratio for V {
    #[inline(always)]
    fn over(self, divisor: V) -> V {
        let zero = eq(divisor, each(0.0)) & !self.is_nan();
        zero.select(each(0.0), self / divisor)
    }
}

/// Puts the statistics of one kind of bars to their columns: for each of them, a column a window.
#[inline(always)]
pub(super) fn store(values: &[V], used: usize, kind: usize, columns: &mut [f64]) {
    let width = values.len() * used;
    let mine = &mut columns[kind * width..(kind + 1) * width];
    for (place, value) in mine.chunks_exact_mut(used).zip(values) {
        place.copy_from_slice(&value.to_array()[..used]);
    }
}
