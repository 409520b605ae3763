//! Dates of New York in; trading days and instants UTC out.

use jiff::{ToSpan, civil::Date, tz::TimeZone};

/// A day of New York.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Day(Date);

impl Day {
    /// Reads `2025-09-10`.
    pub fn parse(text: &str) -> Option<Day> {
        text.parse().ok().map(Day)
    }

    /// The day in New York at an instant, ns UTC.
    pub fn of(ns: u64) -> Option<Day> {
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(ns)).ok()?;
        Some(Day(stamp.to_zoned(zone()?).date()))
    }

    /// Whether it is a weekday and no holiday.
    pub fn trades(self, holidays: &[Day]) -> bool {
        use jiff::civil::Weekday::{Saturday, Sunday};
        !matches!(self.0.weekday(), Saturday | Sunday) && !holidays.contains(&self)
    }

    /// The trading day so many trading days later.
    pub fn later(self, days: u32, holidays: &[Day]) -> Option<Day> {
        let mut day = self;
        for _ in 0..days {
            day = Day(day.0.checked_add(1.day()).ok()?);
            while !day.trades(holidays) {
                day = Day(day.0.checked_add(1.day()).ok()?);
            }
        }
        Some(day)
    }

    /// An instant of the day, ns UTC, from seconds of New York's clock.
    pub fn at(self, seconds: u32) -> Option<u64> {
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let time = self.0.at(hour as i8, minute as i8, second as i8, 0);
        let zoned = time.to_zoned(zone()?).ok()?;
        u64::try_from(zoned.timestamp().as_nanosecond()).ok()
    }

    /// As yyyymmdd.
    pub fn number(self) -> u32 {
        let year = u32::try_from(self.0.year()).unwrap_or(0);
        year * 10_000 + u32::from(self.0.month() as u8) * 100 + u32::from(self.0.day() as u8)
    }

    /// Year, month, day.
    pub fn parts(self) -> (u16, u8, u8) {
        (self.0.year() as u16, self.0.month() as u8, self.0.day() as u8)
    }

    /// Midnight UTC of the date: what OPRA writes as expiration.
    pub fn midnight(self) -> Option<u64> {
        let zoned = self.0.to_zoned(TimeZone::UTC).ok()?;
        u64::try_from(zoned.timestamp().as_nanosecond()).ok()
    }
}

fn zone() -> Option<TimeZone> {
    TimeZone::get("America/New_York").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_over_week_ends_and_holidays_and_summer_time() {
        let friday = Day::parse("2025-07-03").unwrap();
        let holidays = [Day::parse("2025-07-04").unwrap()];
        assert_eq!(friday.later(1, &holidays).unwrap().number(), 20_250_707);
        assert_eq!(friday.later(0, &holidays), Some(friday));
        assert!(!Day::parse("2025-07-05").unwrap().trades(&[]));
        let winter = Day::parse("2025-01-15").unwrap().at(57_600).unwrap();
        assert_eq!(winter, 1_736_974_800_000_000_000, "16:00 is 21:00 UTC");
        let summer = Day::parse("2025-07-15").unwrap().at(57_600).unwrap();
        assert_eq!(summer, 1_752_609_600_000_000_000, "16:00 is 20:00 UTC");
    }
}
