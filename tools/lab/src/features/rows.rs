//! A run's journal in; its rows of features by column, the exchange's clock at each, and what kinds
//! of input they were made from, out.

use super::census::Census;
use crate::{
    export::{plan_of, unusable},
    known::Known,
};
use std::path::Path;
use zomma::{
    chain::{Chain, Track},
    feature::{Features, Row, Schema},
    greeks::Revalue,
    journal::{Manifest, Reader, Stream},
    run::{Failure, Plan},
    stage::{Emit, Tap, Then},
    wire::{Event, Kind, Timestamp, market},
};

/// The rows of a run, by column.
#[derive(Debug)]
pub struct Rows {
    /// Their columns.
    pub schema: Schema,
    /// What came in.
    pub census: Census,
    /// When each was made, by the exchange's clock.
    pub at: Vec<Clock>,
    /// Values by column, then row.
    pub values: Vec<Vec<f64>>,
}

/// An instant by an exchange's clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Clock {
    /// The date as 20151224.
    pub date: u32,
    /// Second of the day.
    pub second: u32,
    /// Whether a session is open, its end included: only then are rows drawn.
    pub open: bool,
}

impl Rows {
    /// Makes the rows of a run again.
    pub fn of(directory: &Path) -> Result<Rows, Failure> {
        let manifest = Manifest::read(directory).map_err(unusable)?;
        let plan = plan_of(&manifest)?;
        if plan.features.columns().is_empty() {
            let what = "this run made no features; name roots under [features]";
            return Err(Failure::input(what));
        }
        let mut inputs = Reader::open(directory, Stream::Inputs).map_err(unusable)?;
        let mut told = Told(Reader::open(directory, Stream::Outputs).map_err(unusable)?);
        let mut rows = Rows::empty(&plan);
        let mut known = Known::new(&plan);
        let root = plan.features.settings().roots.first();
        let root = root.and_then(|name| known.chain.find_root(name)).unwrap_or_default();
        let made = Tap(|known: &mut Known, event: &Event| {
            if event.kind == Kind::FEATURES {
                known.row_at = event.seq;
            }
        });
        let features = Then(Features::new(&plan.features, &plan.universe), made);
        let mut stages = Then(Track, Then(Revalue::new(&plan.universe), features));
        while let Some(event) = inputs.next_event() {
            stages.emit(&mut known, event);
            rows.census.on(&known.chain, event);
            if known.row_at == event.seq {
                told.compare(&known.features)?;
                rows.push(Clock::of(&known.chain, root, known.features.ts), &known.features);
            }
        }
        Ok(rows)
    }

    fn empty(plan: &Plan) -> Rows {
        let columns = plan.features.columns().len();
        Rows {
            schema: plan.features.clone(),
            census: Census::new(plan),
            at: Vec::new(),
            values: vec![Vec::new(); columns],
        }
    }

    fn push(&mut self, at: Clock, row: &Row) {
        self.census.row(at.date);
        self.at.push(at);
        for (column, value) in self.values.iter_mut().zip(row.values()) {
            column.push(*value);
        }
    }
}

/// What the run told of its rows.
struct Told(Reader);

impl Told {
    /// Holds a row against the run's own; a run that was cut off has told of fewer.
    fn compare(&mut self, row: &Row) -> Result<(), Failure> {
        while let Some(event) = self.0.next_event() {
            if event.kind != Kind::FEATURES {
                continue;
            }
            let was: &market::Features = event.body();
            let same = (was.number, was.digest) == (row.number, row.digest);
            let what = format!("row {} is not the run's own: use the program that ran", row.number);
            return if same { Ok(()) } else { Err(Failure::mismatch(what)) };
        }
        Ok(())
    }
}

/// Seconds of a nanosecond time.
pub(super) fn seconds(nanos: Timestamp) -> f64 {
    nanos as f64 / 1e9
}

/// How long after a close rows still belong to its session, ns.
const LATE: u64 = 120_000_000_000;

/// The rows of one day's session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) date: u32,
    /// Second of the day at the first row and the last.
    pub(super) first: u32,
    pub(super) last: u32,
    /// How many seconds of the days before it have rows.
    pub(super) before: u32,
}

impl Clock {
    fn of(chain: &Chain, root: u16, ts: Timestamp) -> Clock {
        let (date, second) = chain.local(root, ts);
        let day = chain.calendar(root).map(|calendar| calendar.day(ts)).unwrap_or_default();
        // The row that tells of the last bar comes with what is heard next.
        let open = day.trades() && (day.opens..day.closes + LATE).contains(&ts);
        Clock { date, second, open }
    }

    /// `2015-12-24 09:30:00`.
    pub(super) fn text(self) -> String {
        let Clock { date, second, .. } = self;
        let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

impl Rows {
    /// The days that have rows in their sessions, in their order.
    pub(super) fn days(&self) -> Vec<Span> {
        let mut days: Vec<Span> = Vec::new();
        for Clock { date, second, .. } in self.at.iter().copied().filter(|at| at.open) {
            match days.last_mut() {
                Some(day) if day.date == date => day.last = second,
                _ => {
                    let before = days.last().map_or(0, |day| day.before + day.last - day.first);
                    days.push(Span { date, first: second, last: second, before });
                }
            }
        }
        days
    }

    /// Where each row lies when the sessions are laid end to end, seconds; `None` outside of them.
    pub(super) fn places(&self) -> Vec<Option<u32>> {
        let days = self.days();
        let mut day = 0;
        let place = |at: &Clock| {
            if !at.open {
                return None;
            }
            day += usize::from(days[day].date != at.date);
            Some(days[day].before + at.second - days[day].first)
        };
        self.at.iter().map(place).collect()
    }
}
