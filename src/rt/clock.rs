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

/// How far the system's clocks are from ours, ns; positive where they are ahead.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Drift {
    /// Of the wall clock: somebody has set it, or ours runs wrong.
    pub wall: i64,
    /// Of the kernel's raw monotonic clock: ours runs wrong, or the machine was suspended.
    pub raw: i64,
}

/// Holds the one clock against the system's.
#[derive(Clone, Debug)]
pub struct Check {
    clock: Clock,
    began: Timestamp,
    raw: u64,
}

impl Check {
    /// Begins now: what the raw clock shows is taken to agree with ours.
    pub fn start(clock: &Clock) -> Check {
        Check { clock: clock.clone(), began: clock.now(), raw: raw_time() }
    }

    /// How far they have parted. Two calls that do not enter the kernel.
    pub fn drift(&self) -> Drift {
        let (now, wall, raw) = (self.clock.now(), system_time(), raw_time());
        drift(now - self.began, raw.saturating_sub(self.raw), now, wall)
    }

    /// Ours against the raw clock since the start: the error of the calibration, in parts of one;
    /// `None` while too little time has passed to tell.
    pub fn rate_error(&self) -> Option<f64> {
        let (ours, raw) = (self.clock.now() - self.began, raw_time().saturating_sub(self.raw));
        rate_error(ours, raw)
    }
}

fn drift(ours: u64, raw: u64, now: Timestamp, wall: Timestamp) -> Drift {
    let ahead = |theirs: u64, ours: u64| theirs.wrapping_sub(ours) as i64;
    Drift { wall: ahead(wall, now), raw: ahead(raw, ours) }
}

fn rate_error(ours: u64, raw: u64) -> Option<f64> {
    const SOONEST: u64 = 50_000_000;
    (raw >= SOONEST).then(|| (ours as f64 - raw as f64) / raw as f64)
}

/// The kernel's monotonic clock that nobody slews.
#[expect(unsafe_code, reason = "std does not read this clock")]
fn raw_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills the structure, which outlives it.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_RAW, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
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
    fn a_step_of_the_wall_and_a_wrong_rate_are_told_apart() {
        let hour = 3_600_000_000_000;
        assert_eq!(drift(5, 5, 1_000, 1_000 + hour), Drift { wall: hour as i64, raw: 0 });
        assert_eq!(drift(5, 5, hour, 0), Drift { wall: -(hour as i64), raw: 0 });
        // A suspended machine: the counter stood, both of the system's clocks went on.
        assert_eq!(drift(5, 5 + hour, 9, 9 + hour), Drift { wall: hour as i64, raw: hour as i64 });
        assert_eq!(rate_error(49_000_000, 49_999_999), None);
        assert_eq!(rate_error(101_000_000, 100_000_000), Some(0.01));
        let clock = Clock::start();
        let check = Check::start(&clock);
        let Drift { wall, raw } = check.drift();
        assert!(wall.abs() < 1_000_000_000 && raw.abs() < 1_000_000_000, "{wall} {raw}");
    }

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
