//! Receive times in, whether one more message may leave out: a token bucket in integers.

use crate::wire::{NANOS_PER_SECOND, Timestamp};

/// `rate` messages a second, `burst` of them at once: in any second at most `rate + burst` leave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    // In billionths of a message, so that a nanosecond at `rate` adds exactly `rate`.
    tokens: u64,
    full: u64,
    rate: u64,
    last: Timestamp,
}

impl Bucket {
    pub(super) fn new(rate: u32, burst: u32) -> Bucket {
        let full = u64::from(burst) * NANOS_PER_SECOND;
        Bucket { tokens: full, full, rate: u64::from(rate), last: 0 }
    }

    /// Lets time pass; time that goes back adds nothing.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let passed = now.saturating_sub(self.last);
        self.last = self.last.max(now);
        let grown = self.tokens.saturating_add(passed.saturating_mul(self.rate));
        self.tokens = grown.min(self.full);
    }

    /// Whether a message may leave.
    pub(super) fn has_one(&self) -> bool {
        self.tokens >= NANOS_PER_SECOND
    }

    /// Share of what it holds at most that is not there.
    pub(super) fn used(&self) -> f64 {
        1.0 - self.tokens as f64 / self.full as f64
    }

    /// Messages that are missing before one may leave, for reports: 1 where it is empty.
    pub(super) fn missing(&self) -> f64 {
        NANOS_PER_SECOND.saturating_sub(self.tokens) as f64 / NANOS_PER_SECOND as f64
    }

    /// Takes one, or what there is.
    pub(super) fn take(&mut self) {
        self.tokens = self.tokens.saturating_sub(NANOS_PER_SECOND);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_holds_more_than_rate_and_burst() {
        let mut bucket = Bucket::new(10, 5);
        let mut sent = alloc::vec::Vec::new();
        for ms in 0..5_000u64 {
            let now = ms * 1_000_000;
            bucket.advance(now);
            if bucket.has_one() {
                bucket.take();
                sent.push(now);
            }
        }
        for (i, from) in sent.iter().enumerate() {
            let within = sent[i..].iter().take_while(|&&t| t < from + NANOS_PER_SECOND).count();
            assert!(within <= 15, "{within} from {from}");
        }
        assert_eq!(sent.len(), 5 + 49);
    }
}
