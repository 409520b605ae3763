//! What the host takes from a spinning core: a time to watch in, the gaps out.
//!
//! A thread that does nothing but read the clock sees every moment in which it did not run. That
//! is the floor under every latency of a report: nothing above it can be better.

use super::{clock::Clock, histogram::Histogram};
use crate::wire::Timestamp;

/// A gap from here on is the host's and not the loop's, ns.
pub const GAP: u64 = 1_000;

/// A gap that a trader would see, ns.
pub const LONG_GAP: u64 = 20_000;

/// What was seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Noise {
    /// How long was watched, ns.
    pub watched_ns: u64,
    /// Gaps of [`GAP`] and longer.
    pub gaps: u64,
    /// Gaps of [`LONG_GAP`] and longer.
    pub long_gaps: u64,
    /// The time that all gaps took together, ns.
    pub lost_ns: u64,
    /// The longest gap, ns.
    pub gap_ns_max: u64,
}

/// Spins on the calling thread's core for `nanos` and records the time between each two readings.
pub fn watch(clock: &Clock, nanos: u64, into: &Histogram) -> Noise {
    let start = clock.now();
    let mut noise = Noise::default();
    let mut last = start;
    while last - start < nanos {
        let now = clock.now();
        into.record(now - last);
        noise.see(last, now);
        last = now;
    }
    noise.watched_ns = last - start;
    noise
}

impl Noise {
    #[inline(always)]
    fn see(&mut self, last: Timestamp, now: Timestamp) {
        let gap = now - last;
        if gap >= GAP {
            self.gaps += 1;
            self.long_gaps += u64::from(gap >= LONG_GAP);
            self.lost_ns += gap;
            self.gap_ns_max = self.gap_ns_max.max(gap);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::histogram::Histograms;
    use super::*;

    #[test]
    fn all_of_the_time_is_accounted_for() {
        let mut file = Histograms::in_memory().unwrap();
        let histogram = file.histogram("host", "gap", "ns", "").unwrap();
        let noise = watch(&Clock::start(), 5_000_000, &histogram);
        let seen = &file.read()[0];
        assert!(noise.watched_ns >= 5_000_000 && noise.lost_ns <= noise.watched_ns);
        assert!(noise.gaps >= noise.long_gaps && seen.counts.len() > noise.gaps);
        assert!(noise.gaps == 0 || seen.max == noise.gap_ns_max);
    }
}
