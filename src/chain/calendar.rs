//! When a day's trading and settlement are: an expiration date and a root's clock in, an instant
//! out; an instant in, the exchange's wall clock out.

use super::{
    date::number,
    universe::{CalendarRow, EventRow},
    variance::{Bump, VarianceClock},
};
use crate::wire::Timestamp;
use alloc::vec::Vec;
use jiff::{civil, tz::TimeZone};

const DAY_NS: u64 = 86_400_000_000_000;
// Weekend and holidays in a row never reach this; a calendar of holidays only must not hang us.
const CLOSED_DAYS_MAX: usize = 15;

/// An exchange's calendar with its time zone resolved from the bundled database.
#[derive(Clone, Debug)]
pub struct Calendar {
    /// The clock that volatility runs by.
    pub variance: VarianceClock,
    zone: TimeZone,
    half_days: Vec<civil::Date>,
    half_day_close: u32,
    holidays: Vec<civil::Date>,
    session: (u32, u32),
}

impl Calendar {
    /// The calendar that a row of the configuration describes.
    pub(super) fn new(row: &CalendarRow, zone: TimeZone, events: &[EventRow]) -> Calendar {
        let sorted = |days: &[super::Date]| {
            let mut days: Vec<civil::Date> = days.iter().map(|day| day.0).collect();
            days.sort();
            days
        };
        let mut calendar = Calendar {
            variance: VarianceClock::default(),
            zone,
            half_days: sorted(&row.half_days),
            half_day_close: row.half_day_close.0,
            holidays: sorted(&row.holidays),
            session: (row.open.0, row.close.0),
        };
        let bump = |event: &EventRow| {
            let at = calendar.instant(event.date.0, event.time.0)?;
            Some(Bump { at, days: event.days })
        };
        let bumps: Vec<Bump> = events.iter().filter_map(bump).collect();
        calendar.variance = VarianceClock::new(row, &calendar, &bumps);
        calendar
    }

    /// When what expires on `expiration` settles. OPRA gives 00:00 UTC of the date, so the clock is
    /// the root's: `second` of the day, moved up to the early close where a PM settlement falls
    /// behind it. A date without trading means the trading day before. Any other time is real.
    pub fn settles(&self, expiration: Timestamp, second: u32, morning: bool) -> Option<Timestamp> {
        if !expiration.is_multiple_of(DAY_NS) {
            return Some(expiration);
        }
        let date = self.trading_day(utc_date(expiration)?);
        let second = if morning { second } else { self.close_of(date, second) };
        self.instant(date, second)
    }

    /// The instant at which this exchange's wall clock shows `second` of `date`.
    pub fn instant(&self, date: civil::Date, second: u32) -> Option<Timestamp> {
        let midnight = date.at(0, 0, 0, 0);
        let time = midnight.checked_add(jiff::SignedDuration::from_secs(second.into())).ok()?;
        let instant = self.zone.to_timestamp(time).ok()?;
        u64::try_from(instant.as_nanosecond()).ok()
    }

    /// The exchange's date as 20151224 and second of the day; zeros for a time out of range.
    pub fn local(&self, ts: Timestamp) -> (u32, u32) {
        let Ok(instant) = jiff::Timestamp::from_nanosecond(i128::from(ts)) else { return (0, 0) };
        let local = self.zone.to_offset(instant).to_datetime(instant);
        let (hour, minute) = (local.hour() as u32, local.minute() as u32);
        (number(local.date()), (hour * 60 + minute) * 60 + local.second() as u32)
    }

    /// The exchange's date at an instant.
    pub(super) fn date(&self, ts: Timestamp) -> Option<civil::Date> {
        let instant = jiff::Timestamp::from_nanosecond(i128::from(ts)).ok()?;
        Some(self.zone.to_offset(instant).to_datetime(instant).date())
    }

    /// Seconds of the day at which a session opens and closes, early closes apart.
    pub(super) fn session(&self) -> (u32, u32) {
        self.session
    }

    /// Whether the exchange closes early on the day that holds `ts`.
    pub fn is_half_day(&self, ts: Timestamp) -> bool {
        let (date, _) = self.local(ts);
        self.half_days.binary_search_by_key(&date, |day| number(*day)).is_ok()
    }

    /// Whether there is no trading on a day.
    pub(super) fn is_closed(&self, day: civil::Date) -> bool {
        let weekend = [civil::Weekday::Saturday, civil::Weekday::Sunday];
        weekend.contains(&day.weekday()) || self.holidays.binary_search(&day).is_ok()
    }

    /// Second of a trading day at which it closes, where it closes at `second` of a whole one.
    pub(super) fn close_of(&self, day: civil::Date, second: u32) -> u32 {
        let early = self.half_days.binary_search(&day).is_ok();
        if early { second.min(self.half_day_close) } else { second }
    }

    fn trading_day(&self, date: civil::Date) -> civil::Date {
        let mut day = date;
        for _ in 0..CLOSED_DAYS_MAX {
            match day.yesterday() {
                Ok(before) if self.is_closed(day) => day = before,
                _ => return day,
            }
        }
        date
    }
}

fn utc_date(ts: Timestamp) -> Option<civil::Date> {
    let instant = jiff::Timestamp::from_nanosecond(i128::from(ts)).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(instant).date())
}
