//! Failed attempts in, the time of the next one out: doubling, capped, spread by a fixed sequence.

use crate::wire::Timestamp;

/// When to try again. The spread comes from the session's number and the attempt, so a run can be
/// repeated and sessions that fail together do not return together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    min: u64,
    max: u64,
    seed: u64,
    attempts: u32,
}

impl Backoff {
    /// Waits between `min` and `max` nanoseconds.
    pub fn new(min: u64, max: u64, seed: u64) -> Backoff {
        Backoff { min: min.max(1), max: max.max(min).max(1), seed, attempts: 0 }
    }

    /// Attempts since the last success.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// It is up again.
    pub fn succeeded(&mut self) {
        self.attempts = 0;
    }

    /// An attempt failed at `now`; the time of the next one, after half to all of the wait.
    pub fn failed(&mut self, now: Timestamp) -> Timestamp {
        let doubled = self.min.saturating_mul(1 << self.attempts.min(30));
        let wait = doubled.min(self.max);
        self.attempts = self.attempts.saturating_add(1);
        let spread = mix(self.seed ^ u64::from(self.attempts)) % (wait / 2 + 1);
        now.saturating_add(wait - spread)
    }
}

/// The finaliser of SplitMix64.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_within_half_and_whole() {
        let mut backoff = Backoff::new(100, 1_000, 7);
        for attempt in 0..100 {
            let wait = (100u64 << attempt.min(20)).min(1_000);
            let next = backoff.failed(5_000) - 5_000;
            assert!((wait / 2..=wait).contains(&next), "attempt {attempt}: {next}");
        }
        backoff.succeeded();
        assert!(backoff.failed(0) <= 100);
    }

    #[test]
    fn sessions_differ_and_runs_do_not() {
        let times = |seed| {
            let mut backoff = Backoff::new(1_000_000, 1_000_000_000, seed);
            [(); 8].map(|()| backoff.failed(0))
        };
        assert_eq!(times(1), times(1));
        assert_ne!(times(1), times(2));
    }
}
