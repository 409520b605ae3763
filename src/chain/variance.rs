//! The clock that volatility runs by: hours of trading, nights, weekends and announcements, each
//! with its weight, in; weighted seconds between two instants out.
//!
//! Prices are discounted by the calendar, but they do not move evenly along it: most of a day's
//! variance falls into the session, and an announcement can carry a day's worth in a second. The
//! weights are normalised so that a year of 252 sessions counts as many seconds as the calendar's,
//! which leaves annual volatilities comparable. With equal weights the two clocks are one.

use super::{Calendar, universe::CalendarRow};
use crate::wire::{NANOS_PER_SECOND, SECONDS_PER_YEAR, Timestamp};
use alloc::vec::Vec;
use jiff::civil;

/// First and last year that the table holds; outside of them the clocks are one.
const YEARS: (i16, i16) = (2010, 2040);
const SESSIONS_A_YEAR: f64 = 252.0;
const DAYS_A_YEAR: f64 = 365.0;
const SECONDS_A_DAY: f64 = 86_400.0;

/// A stretch of even weight that begins here, and all weighted seconds before it.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: Timestamp,
    before: f64,
    weight: f64,
}

/// An announcement: an instant and its variance in average days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bump {
    pub(super) at: Timestamp,
    pub(super) days: f64,
}

/// Weighted time of one calendar.
#[derive(Clone, Debug, Default)]
pub struct VarianceClock {
    stretches: Vec<Stretch>,
}

impl VarianceClock {
    /// The table of a calendar; empty where all weights are equal and nothing is announced.
    pub(super) fn new(row: &CalendarRow, calendar: &Calendar, bumps: &[Bump]) -> VarianceClock {
        let weights = [row.session_weight, row.overnight_weight, row.closed_weight];
        if bumps.is_empty() && weights.iter().all(|weight| *weight == weights[0]) {
            return VarianceClock::default();
        }
        let session = f64::from(row.close.0.saturating_sub(row.open.0));
        let open_days =
            SESSIONS_A_YEAR * (session * weights[0] + (SECONDS_A_DAY - session) * weights[1]);
        let year = open_days + (DAYS_A_YEAR - SESSIONS_A_YEAR) * SECONDS_A_DAY * weights[2];
        let scale = DAYS_A_YEAR * SECONDS_A_DAY / year;
        let mut table = Table { stretches: Vec::new(), bumps: bumps.to_vec() };
        table.bumps.sort_unstable_by_key(|bump| bump.at);
        table.bumps.reverse();
        let mut day = civil::date(YEARS.0, 1, 1);
        while day.year() <= YEARS.1 {
            table.day(row, calendar, day, weights.map(|weight| weight * scale));
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        VarianceClock { stretches: table.stretches }
    }

    /// Weighted years from one instant to a later one, 0 where `to` is not later.
    #[inline]
    pub fn years_between(&self, from: Timestamp, to: Timestamp) -> f64 {
        // What ends with a stretch, as a settlement does with a session, belongs to it.
        match (self.stretch(from), self.stretch(to.saturating_sub(1))) {
            (Some(first), Some(last)) => weighted(first, from, last, to) / SECONDS_PER_YEAR,
            _ => calendar_years(from, to),
        }
    }

    /// Weighted seconds a second at an instant.
    #[inline]
    pub fn pace(&self, ts: Timestamp) -> f64 {
        self.stretch(ts).map_or(1.0, |stretch| stretch.weight)
    }

    fn stretch(&self, ts: Timestamp) -> Option<&Stretch> {
        let after = self.stretches.partition_point(|stretch| stretch.from <= ts);
        // Before the first and from the last on nothing is known.
        (after < self.stretches.len()).then(|| self.stretches.get(after.checked_sub(1)?)).flatten()
    }
}

/// Years between two instants, ACT/365 in seconds, 0 where `to` is not after `from`.
#[inline]
pub fn calendar_years(from: Timestamp, to: Timestamp) -> f64 {
    to.saturating_sub(from) as f64 / (NANOS_PER_SECOND as f64 * SECONDS_PER_YEAR)
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.saturating_sub(from) as f64 / NANOS_PER_SECOND as f64
}

/// Weighted seconds between two instants in their stretches.
fn weighted(first: &Stretch, from: Timestamp, last: &Stretch, to: Timestamp) -> f64 {
    // Within one stretch no sums are subtracted: the last minutes keep all their digits.
    if first.from == last.from && first.before == last.before {
        return first.weight * seconds(from, to);
    }
    let (head, tail) =
        (first.weight * seconds(first.from, from), last.weight * seconds(last.from, to));
    ((last.before - first.before) + tail - head).max(0.0)
}

/// A table in the making: stretches in order, announcements still to come, the next one last.
struct Table {
    stretches: Vec<Stretch>,
    bumps: Vec<Bump>,
}

impl Table {
    fn day(&mut self, row: &CalendarRow, calendar: &Calendar, day: civil::Date, weights: [f64; 3]) {
        let [session, overnight, closed] = weights;
        let mut at = |second: u32, weight: f64| {
            if let Some(from) = calendar.instant(day, second) {
                self.push(from, weight);
            }
        };
        if calendar.is_closed(day) {
            return at(0, closed);
        }
        at(0, overnight);
        at(row.open.0, session);
        at(calendar.close_of(day, row.close.0), overnight);
    }

    fn push(&mut self, from: Timestamp, weight: f64) {
        while let Some(bump) = self.bumps.pop_if(|bump| bump.at < from) {
            let weight = self.stretches.last().map_or(1.0, |last| last.weight);
            self.extend(bump.at, weight);
            if let Some(last) = self.stretches.last_mut() {
                last.before += bump.days * SECONDS_A_DAY;
            }
        }
        self.extend(from, weight);
    }

    fn extend(&mut self, from: Timestamp, weight: f64) {
        let before = self
            .stretches
            .last()
            .map_or(0.0, |last| last.before + last.weight * seconds(last.from, from));
        self.stretches.push(Stretch { from, before, weight });
    }
}
