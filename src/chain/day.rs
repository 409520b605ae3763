//! A calendar and an instant in; the exchange's day that holds it, with its session, out.

use super::{Calendar, date::number};
use crate::wire::Timestamp;
use jiff::civil::{Date, Weekday};

/// A day of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Day {
    /// The date as 20151224, 0 for no day.
    pub date: u32,
    /// 1 Monday to 7 Sunday.
    pub weekday: u8,
    /// Midnight that begins it, ns UTC.
    pub begins: Timestamp,
    /// Midnight that ends it.
    pub ends: Timestamp,
    /// When its session opens; not before `closes` on a day without one.
    pub opens: Timestamp,
    /// When its session closes, early closes counted.
    pub closes: Timestamp,
    /// It closes early.
    pub half: bool,
    /// Days to the third Friday of this month, or of the next where that has passed.
    pub to_third_friday: u8,
    /// That Friday is in March, June, September or December.
    pub quarter: bool,
    /// Sessions of the month after this day.
    pub month_left: u8,
    /// Days to the next day with a session.
    pub to_next_session: u8,
}

impl Day {
    /// Whether it has a session.
    pub fn trades(&self) -> bool {
        self.opens < self.closes
    }

    /// Whether monthly options of the US expire on it: a third Friday, or the day before one
    /// without a session.
    pub fn is_monthly(&self) -> bool {
        let eve = self.to_third_friday == 1 && self.to_next_session > 1;
        self.date != 0 && (self.to_third_friday == 0 || eve)
    }

    /// Whether an instant lies in it.
    #[inline(always)]
    pub fn holds(&self, ts: Timestamp) -> bool {
        (self.begins..self.ends).contains(&ts)
    }
}

impl Calendar {
    /// The day that holds an instant; nothing for a time out of range.
    pub fn day(&self, ts: Timestamp) -> Day {
        self.find_day(ts).unwrap_or_default()
    }

    fn find_day(&self, ts: Timestamp) -> Option<Day> {
        let date = self.date(ts)?;
        let (open, close) = self.session();
        let close = self.close_of(date, close);
        let open = if self.is_closed(date) { close } else { open };
        let friday = third_friday(date)?;
        let ahead = days(date.tomorrow().ok()?);
        let later = ahead.clone().take_while(|day| day.month() == date.month());
        Some(Day {
            date: number(date),
            weekday: date.weekday().to_monday_one_offset() as u8,
            begins: self.instant(date, 0)?,
            ends: self.instant(date.tomorrow().ok()?, 0)?,
            opens: self.instant(date, open)?,
            closes: self.instant(date, close)?,
            half: self.is_half_day(ts),
            to_third_friday: (friday - date).get_days() as u8,
            quarter: friday.month() % 3 == 0,
            month_left: later.filter(|day| !self.is_closed(*day)).count() as u8,
            to_next_session: 1 + ahead.take(30).take_while(|day| self.is_closed(*day)).count()
                as u8,
        })
    }
}

fn days(from: Date) -> impl Iterator<Item = Date> + Clone {
    core::iter::successors(Some(from), |day| day.tomorrow().ok())
}

/// The third Friday of a date's month, or of the next month where that lies before it.
fn third_friday(date: Date) -> Option<Date> {
    let of = |month: Date| month.nth_weekday_of_month(3, Weekday::Friday).ok();
    let this = of(date)?;
    if this >= date { Some(this) } else { of(date.last_of_month().tomorrow().ok()?) }
}
