//! The one clock: nothing in, nanoseconds since the Unix epoch out.
//!
//! Anchored to the system's clock once, at start, and carried on by the processor's counter: a
//! step or a slew of the system's time never reaches the engine, so durations are durations and
//! time never goes back. Over a day it may drift from UTC by the counter's calibration error.

use crate::wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// A handle to the clock. Clones agree with each other; make one at start and clone it.
#[derive(Clone, Debug)]
pub struct Clock {
    counter: quanta::Clock,
    /// What the counter showed at `anchor`.
    start: u64,
    anchor: Timestamp,
}

impl Clock {
    /// Calibrates the counter (up to a quarter of a second, once a process) and anchors it.
    pub fn start() -> Clock {
        let counter = quanta::Clock::new();
        let before = counter.raw();
        let anchor = system_time();
        // Half-way between two readings, so that the system's call is not part of the error.
        let start = before + (counter.raw() - before) / 2;
        Clock { counter, start, anchor }
    }

    /// Now, in ns since the Unix epoch, UTC.
    #[inline(always)]
    pub fn now(&self) -> Timestamp {
        self.anchor + self.counter.delta_as_nanos(self.start, self.counter.raw())
    }
}

#[expect(clippy::disallowed_methods, reason = "the anchor of the one clock")]
fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_goes_back_and_stays_near_the_systems_time() {
        let clock = Clock::start();
        let mut last = clock.now();
        for _ in 0..1_000_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        assert!(clock.clone().now() >= last);
        assert!(clock.now().abs_diff(system_time()) < 1_000_000_000);
    }
}
