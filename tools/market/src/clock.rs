//! The operating system's clocks in; nanoseconds UTC that never run backwards out.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time, read once, carried on by the monotone clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Instant,
    wall_ns: u64,
}

impl Clock {
    /// Starts at the present wall time.
    pub fn start() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { base: Instant::now(), wall_ns: since.as_nanos() as u64 }
    }

    /// Nanoseconds since the Unix epoch, UTC.
    #[inline]
    pub fn now(&self) -> u64 {
        self.wall_ns + self.base.elapsed().as_nanos() as u64
    }
}

/// A time as FIX writes it: `20151224-14:31:00.123`.
pub fn fix_time(ns: u64) -> String {
    let (days, seconds) = (ns / 86_400_000_000_000, ns / 1_000_000_000 % 86_400);
    let (year, month, day) = date_of(days as i64);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = ns / 1_000_000 % 1000;
    format!("{year:04}{month:02}{day:02}-{hour:02}:{minute:02}:{second:02}.{millis:03}")
}

/// The civil date of a day counted from 1970-01-01 (proleptic Gregorian).
pub fn date_of(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_fix_wants_them() {
        assert_eq!(fix_time(0), "19700101-00:00:00.000");
        assert_eq!(fix_time(1_450_967_460_123_456_789), "20151224-14:31:00.123");
        assert_eq!(fix_time(1_709_164_799_999_000_000), "20240228-23:59:59.999");
    }
}
