//! Samples of an underlying and its volatility in; how they changed and where they stand out.

use crate::wire::{NANOS_PER_SECOND, Timestamp};
use alloc::collections::VecDeque;

/// Samples that are remembered: at one a minute, a session of 6.5 hours and more.
const SAMPLES: usize = 512;

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Timestamp,
    price: f64,
    vol: f64,
    interest: f64,
}

/// What an underlying did lately.
#[derive(Debug)]
pub(super) struct Course {
    samples: VecDeque<Sample>,
}

/// With the same room: a queue's own clone has none.
impl Clone for Course {
    fn clone(&self) -> Course {
        let mut clone = Course::new();
        clone.samples.extend(&self.samples);
        clone
    }
}

impl Course {
    pub(super) fn new() -> Course {
        Course { samples: VecDeque::with_capacity(SAMPLES) }
    }

    /// Whether a sample is due.
    pub(super) fn is_due(&self, now: Timestamp, every: u64) -> bool {
        self.samples.back().is_none_or(|last| now >= last.at.saturating_add(every))
    }

    /// Takes a sample; a price that is not known is none.
    pub(super) fn take(&mut self, at: Timestamp, price: f64, vol: f64, interest: f64) {
        if !price.is_finite() {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample { at, price, vol, interest });
    }

    /// The last sample that is at least `seconds` older than `now`.
    fn before(&self, now: Timestamp, seconds: u64) -> Option<&Sample> {
        let then = now.checked_sub(seconds * NANOS_PER_SECOND)?;
        let at = self.samples.partition_point(|sample| sample.at <= then);
        self.samples.get(at.checked_sub(1)?)
    }

    /// Change of the price over so many seconds, as a share; NaN where it was not known then.
    pub(super) fn change(&self, now: Timestamp, price: f64, seconds: u64) -> f64 {
        self.before(now, seconds).map_or(f64::NAN, |then| price / then.price - 1.0)
    }

    /// Change of the volatility.
    pub(super) fn vol_change(&self, now: Timestamp, vol: f64, seconds: u64) -> f64 {
        self.before(now, seconds).map_or(f64::NAN, |then| vol - then.vol)
    }

    /// Change of the open interest since the first sample, as a share.
    pub(super) fn build_up(&self, interest: f64) -> f64 {
        let first = self.samples.iter().map(|sample| sample.interest).find(|first| *first > 0.0);
        first.map_or(f64::NAN, |first| interest / first - 1.0)
    }

    /// Where a volatility lies between the least (0) and the most (1) of the samples; NaN before
    /// there are ten.
    pub(super) fn vol_rank(&self, vol: f64) -> f64 {
        let vols = self.samples.iter().map(|sample| sample.vol).filter(|vol| vol.is_finite());
        let (mut count, mut least, mut most) = (0, vol, vol);
        for vol in vols {
            (count, least, most) = (count + 1, least.min(vol), most.max(vol));
        }
        if count < 10 { f64::NAN } else { (vol - least) / (most - least) }
    }

    /// Volatility of the samples' returns, a year of calendar time: the root of the sum of squared
    /// returns over the time that they span. NaN before there are ten.
    pub(super) fn realised_vol(&self) -> f64 {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else {
            return f64::NAN;
        };
        if self.samples.len() < 10 {
            return f64::NAN;
        }
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        let returns = pairs.map(|(a, b)| b.price / a.price - 1.0);
        let squares: f64 = returns.map(|change| change * change).sum();
        let years = (last.at - first.at) as f64 / (365.0 * 86_400.0 * 1e9);
        (squares / years).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_ranks_and_volatility_are_those_of_the_samples() {
        let mut course = Course::new();
        let minute = 60 * NANOS_PER_SECOND;
        for i in 0..1_000u64 {
            let price = if i % 2 == 0 { 100.0 } else { 101.0 };
            course.take(i * minute, price, 0.1 + 0.0001 * (i % 100) as f64, 1_000.0 + i as f64);
        }
        let now = 999 * minute;
        assert!(!course.is_due(now + minute - 1, minute) && course.is_due(now + minute, minute));
        assert!((course.change(now, 101.0, 60) - 0.01).abs() < 1e-12);
        assert_eq!(course.change(now, 101.0, 120), 0.0);
        assert!(course.change(now, 101.0, 600 * 60).is_nan(), "forgotten");
        assert!((course.vol_rank(0.1 + 0.0099) - 1.0).abs() < 1e-9);
        assert!((course.build_up(1_488.0 * 1.5) - 0.5).abs() < 1e-9);
        let yearly = (365.0f64 * 1_440.0).sqrt();
        assert!((course.realised_vol() / (0.00995 * yearly) - 1.0).abs() < 1e-3);
        assert!(Course::new().vol_rank(0.1).is_nan() && Course::new().realised_vol().is_nan());
    }
}
