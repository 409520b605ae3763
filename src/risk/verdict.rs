//! Measured values and bounds in; the set of violated limits with both out.

use super::limits::{CLOSING, Limit};
use crate::book::{Money, to_currency};

/// What was measured against all limits: no early exit, so a refusal names every violation.
#[derive(Debug)]
pub struct Verdict {
    /// One bit per violated limit.
    pub violated: u128,
    /// What is known of each limit: stored one by one, so that none waits for another.
    found: [u8; 128],
    rows: [(f64, f64); 128],
}

/// Of a limit: not measured, holds, does not.
const NOTHING: u8 = 0;
const HOLDS: u8 = 2;
const VIOLATED: u8 = 3;

impl Default for Verdict {
    fn default() -> Verdict {
        Verdict { violated: 0, found: [NOTHING; 128], rows: [(0.0, 0.0); 128] }
    }
}

impl Verdict {
    pub(super) fn clear(&mut self) {
        (self.violated, self.found) = (0, [NOTHING; 128]);
    }

    /// Gathers what was found: the lowest bit of each byte.
    pub(super) fn close(&mut self) {
        let eight = |bytes: &[u8; 8]| {
            let lowest = u64::from_le_bytes(*bytes) & 0x0101_0101_0101_0101;
            // Each byte's bit to its own place among the highest eight; none meets another.
            lowest.wrapping_mul(0x0102_0408_1020_4080) >> 56
        };
        let bytes = self.found.as_chunks::<8>().0.iter().enumerate();
        self.violated =
            bytes.fold(0, |all, (i, eights)| all | u128::from(eight(eights)) << (8 * i));
    }

    /// Measured and allowed of a violated limit.
    pub fn row(&self, bit: u32) -> (f64, f64) {
        self.rows[bit as usize % 128]
    }

    /// Whether a limit was measured at all: of a cancel, or an order without legs, few are.
    pub fn was_judged(&self, bit: u32) -> bool {
        self.found[bit as usize % 128] != NOTHING
    }

    /// Keeps only the limits that a closing order must keep.
    pub(super) fn only_closing(&mut self) {
        self.violated &= CLOSING;
    }

    /// Enters what was measured, and whether it holds.
    #[inline(always)]
    pub(super) fn note(&mut self, limit: Limit, holds: bool, measured: f64, bound: f64) {
        let at = limit.0 as usize % 128;
        self.rows[at] = (measured, bound);
        self.found[at] = if holds { HOLDS } else { VIOLATED };
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
        // The largest money stands for no bound, and for a bound that is no number.
        let bounded = bound != Money::MAX;
        let holds = measured.is_some_and(|money| money <= bound && money != Money::MAX) && bounded;
        self.note(limit, holds, shown, to_currency(bound));
    }

    /// As [`Verdict::money`], the other way round.
    #[inline(always)]
    pub(super) fn at_least_money(&mut self, limit: Limit, measured: Option<Money>, bound: Money) {
        let shown = measured.map_or(f64::NAN, to_currency);
        let holds = measured.is_some_and(|money| money >= bound) && bound != Money::MAX;
        self.note(limit, holds, shown, to_currency(bound));
    }

    /// A condition: 1 where it is violated.
    #[inline(always)]
    pub(super) fn must(&mut self, limit: Limit, holds: bool) {
        self.note(limit, holds, f64::from(u8::from(!holds)), 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_bit() {
        let mut verdict = Verdict::default();
        for bit in 0..128 {
            verdict.clear();
            verdict.must(Limit(bit), false);
            verdict.must(Limit((bit + 1) % 128), true);
            verdict.close();
            assert_eq!(verdict.violated, 1 << bit);
            assert!(verdict.was_judged((bit + 1) % 128) && !verdict.was_judged((bit + 2) % 128));
        }
        (0..128).for_each(|bit| verdict.must(Limit(bit), false));
        verdict.close();
        assert_eq!(verdict.violated, u128::MAX);
    }
}
