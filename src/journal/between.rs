//! `--from` and `--to` as typed in; which events lie between them out.
//!
//! A bound is an input's sequence number, or an instant at which it was received, in UTC:
//! `2025-09-10T13:30:00.5Z`, or `13:30` on the day on which the run began. An output has number
//! and time of the input that caused it, so a span holds inputs and what they led to.

use crate::wire::{Event, Timestamp};
use alloc::{format, string::String};
use core::fmt;
use jiff::{civil, tz::TimeZone};

/// One bound.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mark {
    /// A sequence number.
    Seq(u64),
    /// A receive time.
    Time(Timestamp),
}

impl Mark {
    /// Reads a bound; a time of day is on the UTC day of `wall`.
    pub fn read(text: &str, wall: Timestamp) -> Result<Mark, String> {
        let wrong = || {
            format!("{text:?} is no bound; write a sequence number, or a UTC time such as 13:30:00")
        };
        if let Ok(number) = text.parse() {
            return Ok(Mark::Seq(number));
        }
        instant(text, wall).map(Mark::Time).ok_or_else(wrong)
    }

    /// Whether an event lies at the bound or behind it.
    #[inline]
    pub fn is_reached_by(self, event: &Event) -> bool {
        match self {
            Mark::Seq(number) => event.seq >= number,
            Mark::Time(time) => event.ts_recv >= time,
        }
    }
}

fn instant(text: &str, wall: Timestamp) -> Option<Timestamp> {
    let nanos = |instant: jiff::Timestamp| Timestamp::try_from(instant.as_nanosecond()).ok();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return nanos(instant);
    }
    let bare = text.trim_end_matches('Z');
    let civil = match bare.parse::<civil::DateTime>() {
        Ok(civil) => civil,
        Err(_) => {
            let day = jiff::Timestamp::from_nanosecond(i128::from(wall)).ok()?;
            let day = day.to_zoned(TimeZone::UTC).date();
            day.to_datetime(bare.parse::<civil::Time>().ok()?)
        }
    };
    nanos(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A span of a journal, both bounds included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between {
    /// Where it begins; `None` for the start.
    pub from: Option<Mark>,
    /// Where it ends; `None` for the end.
    pub to: Option<Mark>,
}

impl Between {
    /// Reads both bounds as typed.
    pub fn read(from: Option<&str>, to: Option<&str>, wall: Timestamp) -> Result<Between, String> {
        let read = |text: Option<&str>| text.map(|text| Mark::read(text, wall)).transpose();
        Ok(Between { from: read(from)?, to: read(to)? })
    }

    /// Whether an event lies in front of it.
    #[inline]
    pub fn is_ahead(&self, event: &Event) -> bool {
        self.from.is_some_and(|from| !from.is_reached_by(event))
    }

    /// Whether an event lies behind it.
    #[inline]
    pub fn is_past(&self, event: &Event) -> bool {
        match self.to {
            None => false,
            Some(Mark::Seq(number)) => event.seq > number,
            Some(Mark::Time(time)) => event.ts_recv > time,
        }
    }

    /// Whether an event lies in it.
    #[inline]
    pub fn holds(&self, event: &Event) -> bool {
        !self.is_ahead(event) && !self.is_past(event)
    }

    /// Whether it is the whole journal.
    pub fn is_all(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mark::Seq(number) => write!(f, "input {number}"),
            Mark::Time(time) => f.write_str(&super::show_time(*time)),
        }
    }
}

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(from) => write!(f, "from {from} "),
            None => f.write_str("from the start "),
        }?;
        match self.to {
            Some(to) => write!(f, "to {to}"),
            None => f.write_str("to the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-09-10 12:00:00 UTC.
    const NOON: Timestamp = 1_757_505_600_000_000_000;

    #[test]
    fn a_bound_is_a_number_or_an_instant() {
        let half_past = Mark::Time(NOON + 5_400_000_000_000);
        assert_eq!(Mark::read("17", NOON), Ok(Mark::Seq(17)));
        for text in ["13:30", "13:30:00Z", "2025-09-10T13:30Z", "2025-09-10 13:30", "13:30:00.0"] {
            assert_eq!(Mark::read(text, NOON), Ok(half_past), "{text}");
        }
        for text in ["", "noon", "25:00", "-1", "2025-09-31T00:00Z", "1.5"] {
            assert!(Mark::read(text, NOON).is_err(), "{text}");
        }
    }

    #[test]
    fn both_bounds_belong_to_the_span() {
        let event = |seq| Event { seq, ts_recv: seq * 10, ..bytemuck::Zeroable::zeroed() };
        let inside = |from, to| {
            let between = Between { from, to };
            (1..=9).filter(|seq| between.holds(&event(*seq))).collect::<alloc::vec::Vec<u64>>()
        };
        assert_eq!(inside(Some(Mark::Seq(3)), Some(Mark::Seq(5))), [3, 4, 5]);
        assert_eq!(inside(Some(Mark::Time(25)), Some(Mark::Time(50))), [3, 4, 5]);
        assert_eq!(inside(None, Some(Mark::Time(29))), [1, 2]);
        assert_eq!(inside(Some(Mark::Seq(8)), None), [8, 9]);
    }
}
