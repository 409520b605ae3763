//! Observations of external series in; what is known of a series at the chain's time out.
//!
//! A file is read at the start, so numbers come long before their time: each waits here until the
//! chain's time has reached the instant from which it was known. Nobody sees the future, live or in
//! replay, and a calendar whose dates were known long ago shows those dates ahead.

use super::{Chain, SeriesRow};
use crate::wire::{Event, Timestamp, UNDEF_TIME, market};
use alloc::{boxed::Box, string::String, vec};

/// One number of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observation {
    /// From when it was known, ns UTC.
    pub known: Timestamp,
    /// What it is about: the day of a close, the instant of an announcement, ns UTC.
    pub about: Timestamp,
    /// The number, in the series' unit.
    pub value: f64,
}

/// A series: a ring of observations by the instant from which they were known.
#[derive(Clone, Debug)]
pub struct Series {
    name: String,
    unit: String,
    stale_after: u64,
    slots: Box<[Observation]>,
    // How many ever came, and how many of them are known by now.
    came: usize,
    known: usize,
}

impl Series {
    pub(super) fn new(row: &SeriesRow) -> Series {
        Series {
            name: row.name.clone(),
            unit: row.unit.clone(),
            stale_after: row.stale_after.nanos(),
            slots: vec![Observation::default(); row.kept].into_boxed_slice(),
            came: 0,
            known: 0,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Unit of its numbers.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// What is known, the oldest first. Ends of the two directions are what is remembered and the
    /// latest.
    pub fn known(&self) -> impl DoubleEndedIterator<Item = &Observation> + ExactSizeIterator {
        let first = self.came.saturating_sub(self.slots.len()).min(self.known);
        (first..self.known).map(|at| self.at(at))
    }

    /// The latest number that is known.
    #[inline]
    pub fn latest(&self) -> Option<&Observation> {
        self.known().next_back()
    }

    /// Nanoseconds since the latest number became known; `None` where nothing is.
    pub fn age(&self, now: Timestamp) -> Option<u64> {
        self.latest().map(|latest| now.saturating_sub(latest.known))
    }

    /// Whether what is known is missing or too old to be believed.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.age(now).is_none_or(|age| age > self.stale_after)
    }

    /// Of a calendar: the next of the known dates that lies ahead of `now`.
    pub fn ahead(&self, now: Timestamp) -> Option<&Observation> {
        self.known().filter(|one| one.about > now).min_by_key(|one| one.about)
    }

    /// Of a calendar: the last of the known dates that lies behind `now`.
    pub fn behind(&self, now: Timestamp) -> Option<&Observation> {
        self.known().filter(|one| one.about <= now).max_by_key(|one| one.about)
    }

    fn at(&self, place: usize) -> &Observation {
        &self.slots[place % self.slots.len()]
    }

    /// Takes one that is newer than all others and finds room; what waits is never overwritten.
    fn take(&mut self, new: Observation) -> bool {
        let last = self.came.checked_sub(1).map(|last| *self.at(last));
        let newer = last.is_none_or(|last| (last.known, last.about) < (new.known, new.about));
        let room = self.came - self.known < self.slots.len();
        let taken = newer && room && new.value.is_finite();
        if taken {
            self.slots[self.came % self.slots.len()] = new;
            self.came += 1;
        }
        taken
    }

    /// Lets everything be known whose time has come; when the next one's will.
    fn disclose(&mut self, now: Timestamp) -> Timestamp {
        while self.known < self.came && self.at(self.known).known <= now {
            self.known += 1;
        }
        if self.known < self.came { self.at(self.known).known } else { Timestamp::MAX }
    }
}

impl Chain {
    pub(super) fn on_observation(&mut self, event: &Event) {
        let body: &market::Observation = event.body();
        let known = if event.ts_event == UNDEF_TIME { self.now } else { event.ts_event };
        let about = if body.about == UNDEF_TIME { known } else { body.about };
        let series = self.series.get_mut(event.instrument as usize);
        let new = Observation { known, about, value: body.value };
        if series.is_some_and(|series| series.take(new)) {
            self.totals.observations += 1;
            self.disclose();
        } else {
            self.totals.observations_refused += 1;
        }
    }

    #[cold]
    pub(super) fn disclose(&mut self) {
        let now = self.now;
        let due = self.series.iter_mut().map(|series| series.disclose(now)).min();
        self.series_due = due.unwrap_or(Timestamp::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;
    use alloc::{string::ToString, vec::Vec};

    fn series(kept: usize) -> Series {
        let (name, unit) = ("VIX".to_string(), "points".to_string());
        Series::new(&SeriesRow { name, unit, stale_after: Span(100), kept })
    }

    fn values(series: &Series) -> Vec<f64> {
        series.known().map(|one| one.value).collect()
    }

    fn one(known: Timestamp, about: Timestamp, value: f64) -> Observation {
        Observation { known, about, value }
    }

    #[test]
    fn nothing_is_known_before_its_time_and_everything_at_it() {
        let mut series = series(8);
        for day in 1..=5 {
            assert!(series.take(one(10 * day, 10 * day, day as f64)));
        }
        assert_eq!((series.disclose(9), values(&series)), (10, Vec::new()));
        assert_eq!((series.disclose(30), values(&series)), (40, Vec::from([1.0, 2.0, 3.0])));
        assert_eq!(
            (series.age(35), series.is_stale(130), series.is_stale(131)),
            (Some(5), false, true)
        );
        assert_eq!((series.disclose(99), values(&series).len()), (Timestamp::MAX, 5));
    }

    #[test]
    fn what_was_said_before_or_has_no_room_is_refused_and_the_oldest_known_is_forgotten() {
        let mut series = series(3);
        assert!(series.take(one(1, 1, 1.0)) && !series.take(one(1, 1, 9.0)));
        assert!(series.take(one(1, 2, 2.0)), "another date of the same announcement");
        assert!(!series.take(one(0, 9, 9.0)) && !series.take(one(2, 2, f64::NAN)));
        assert!(series.take(one(3, 3, 3.0)) && !series.take(one(4, 4, 4.0)), "all three wait");
        series.disclose(2);
        assert!(series.take(one(4, 4, 4.0)));
        series.disclose(4);
        assert_eq!(values(&series), [2.0, 3.0, 4.0]);
    }

    #[test]
    fn a_calendar_shows_the_dates_that_were_announced() {
        let mut series = series(8);
        for (known, about) in [(10, 100), (10, 200), (150, 180)] {
            assert!(series.take(one(known, about, 1.0)));
        }
        series.disclose(120);
        let about = |found: Option<&Observation>| found.map(|one| one.about);
        assert_eq!((about(series.behind(120)), about(series.ahead(120))), (Some(100), Some(200)));
        series.disclose(150);
        assert_eq!(about(series.ahead(150)), Some(180), "a date that was put in between");
        assert_eq!((about(series.ahead(200)), about(series.behind(99))), (None, None));
    }
}
