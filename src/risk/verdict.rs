//! Measured values and bounds in; the set of violated limits with both out.

use super::limits::{CLOSING, Limit};
use crate::book::{Money, to_currency};

/// What was measured against all limits: no early exit, so a refusal names every violation.
#[derive(Debug)]
pub struct Verdict {
    /// One bit per violated limit.
    pub violated: u128,
    rows: [(f64, f64); 128],
}

impl Default for Verdict {
    fn default() -> Verdict {
        Verdict { violated: 0, rows: [(0.0, 0.0); 128] }
    }
}

impl Verdict {
    pub(super) fn clear(&mut self) {
        self.violated = 0;
    }

    /// Measured and allowed of a violated limit.
    pub fn row(&self, bit: u32) -> (f64, f64) {
        self.rows[bit as usize % 128]
    }

    /// Keeps only the limits that a closing order must keep.
    pub(super) fn only_closing(&mut self) {
        self.violated &= CLOSING;
    }

    #[inline(always)]
    fn note(&mut self, limit: Limit, holds: bool, measured: f64, bound: f64) {
        self.rows[limit.0 as usize % 128] = (measured, bound);
        self.violated |= u128::from(!holds) << limit.0;
    }

    /// Written so that NaN on either side violates.
    #[inline(always)]
    pub(super) fn at_most(&mut self, limit: Limit, measured: f64, bound: f64) {
        self.note(limit, measured <= bound, measured, bound);
    }

    /// As [`Verdict::at_most`], the other way round.
    #[inline(always)]
    pub(super) fn at_least(&mut self, limit: Limit, measured: f64, bound: f64) {
        self.note(limit, measured >= bound, measured, bound);
    }

    /// Contracts and counts.
    #[inline(always)]
    pub(super) fn count(&mut self, limit: Limit, measured: u64, bound: u64) {
        self.note(limit, measured <= bound, measured as f64, bound as f64);
    }

    /// Money, compared as integers; `None` could not be measured and violates.
    #[inline(always)]
    pub(super) fn money(&mut self, limit: Limit, measured: Option<Money>, bound: Money) {
        let shown = measured.map_or(f64::NAN, to_currency);
        // The largest money stands for no bound: nothing may equal it.
        let holds = measured.is_some_and(|money| money <= bound && money != Money::MAX);
        self.note(limit, holds, shown, to_currency(bound));
    }

    /// Other figures for a limit that was measured in another unit.
    #[inline(always)]
    pub(super) fn show(&mut self, limit: Limit, measured: f64, bound: f64) {
        self.rows[limit.0 as usize % 128] = (measured, bound);
    }

    /// A condition: 1 where it is violated.
    #[inline(always)]
    pub(super) fn must(&mut self, limit: Limit, holds: bool) {
        self.note(limit, holds, f64::from(u8::from(!holds)), 0.0);
    }
}
