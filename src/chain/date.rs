//! A calendar day as a key of the configuration: `"2015-12-24"` in, a civil date out.

use crate::{config::Value, wire::Timestamp};
use alloc::{format, string::String};

/// A calendar day, written `"2015-12-24"`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Date(pub jiff::civil::Date);

impl Date {
    /// The day as one number: 20151224.
    pub fn number(self) -> u32 {
        number(self.0)
    }

    /// Its first instant at UTC, ns; 0 before 1970.
    pub fn begins(self) -> Timestamp {
        let midnight = self.0.to_datetime(jiff::civil::Time::midnight());
        let instant = jiff::tz::Offset::UTC.to_timestamp(midnight);
        instant.map_or(0, |at| u64::try_from(at.as_nanosecond()).unwrap_or(0))
    }
}

/// A civil date as one number: 20151224.
pub(super) fn number(date: jiff::civil::Date) -> u32 {
    let (month, day) = (date.month() as u32, date.day() as u32);
    date.year().max(0) as u32 * 10_000 + month * 100 + day
}

impl Value for Date {
    const WANTED: &'static str = "a day such as \"2015-12-24\"";
    fn read(value: &toml::Value) -> Option<Date> {
        let text = value.as_str()?;
        let well_formed = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        well_formed.then(|| text.parse().ok().map(Date))?
    }
    fn show(&self) -> String {
        format!("\"{}\"", self.0)
    }
}
