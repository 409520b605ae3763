//! A journal and another configuration in; what would have been decided on the same inputs, beside
//! what was, out.
//!
//! What the broker would have done cannot be known. An order that is decided again, on the same
//! input and with the same legs, gets the reports that it got; one that is new is never filled,
//! and its cancel is accepted at once; reports on orders that are not sent this time are left out.

use super::{
    Failure, Files, Plan, lanes,
    replay::{files_of, open},
    say::println,
    tools::names,
    units::{Counts, Unit, units, words},
};
use crate::{
    book::Desk,
    journal::{Bar, Manifest, Names, Reader, Stream, dump},
    risk::Cleared,
    stage::Emit,
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        order::{Cancel, OrderStatus, Report, ReportKind},
    },
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    format,
    path::Path,
    string::String,
    vec::Vec,
};

/// Tells decisions with `files` beside those of the journal, and the first differences.
pub(super) fn compare(
    directory: &Path,
    manifest: &Manifest,
    files: &Files,
    first: usize,
) -> Result<(), Failure> {
    let (was, plan) = (Plan::new(&files_of(manifest))?, Plan::new(files)?);
    let broker = was.broker_source();
    let mut desk = plan.desk();
    let made = RefCell::new(Vec::new());
    let mut stages = lanes::front(&plan, lanes::rear(&plan, Collect(&made)));
    let recorded = open(directory, Stream::Outputs)?;
    let mut sides = Sides::new(recorded, names(directory)?, (broker, first));
    let mut inputs = open(directory, Stream::Inputs)?;
    let mut bar = Bar::new("replay", manifest.inputs);
    while let Some(event) = inputs.next_event() {
        bar.at(event.seq);
        sides.begin(event);
        stages.emit(&mut desk, &sides.translated(event));
        loop {
            let outputs = made.take();
            let answers = sides.take(event, &outputs);
            answers.iter().for_each(|report| stages.emit(&mut desk, report));
            if outputs.is_empty() {
                break;
            }
        }
        sides.finish(event);
    }
    drop((stages, bar));
    sides.tell();
    let end = inputs.verify();
    if end.is_whole() { Ok(()) } else { Err(Failure::mismatch(format!("the inputs: {end}"))) }
}

/// The end of the stages: keeps what they let out.
struct Collect<'a>(&'a RefCell<Vec<Event>>);

impl Emit<Desk, Cleared> for Collect<'_> {
    fn emit(&mut self, _: &mut Desk, cleared: &Cleared) {
        if cleared.event().kind.is_output() {
            self.0.borrow_mut().push(*cleared.event());
        }
    }
}

/// Both sides as far as they have been read, and how they differ.
struct Sides {
    recorded: Reader,
    next: Option<Event>,
    names: Names,
    broker: u16,
    /// Numbers of orders and cancels of the recording, and theirs of this time.
    again: BTreeMap<u64, u64>,
    /// Orders that only this time has.
    fresh: BTreeSet<u64>,
    /// What one side alone has on the input at hand.
    only: [Vec<Unit>; 2],
    counts: Counts,
    reports: u64,
    left_out: u64,
    answered: u64,
    /// Differences that are shown, and inputs on which the sides differ.
    first: usize,
    causes: usize,
    shown: Vec<String>,
}

const RECORDED: usize = 0;
const REPLAYED: usize = 1;

impl Sides {
    fn new(mut recorded: Reader, names: Names, (broker, first): (u16, usize)) -> Sides {
        Sides {
            next: recorded.next_event().copied(),
            recorded,
            names,
            broker,
            again: BTreeMap::new(),
            fresh: BTreeSet::new(),
            only: [Vec::new(), Vec::new()],
            counts: Counts::default(),
            reports: 0,
            left_out: 0,
            answered: 0,
            first,
            causes: 0,
            shown: Vec::new(),
        }
    }

    /// Takes what was recorded on an input.
    fn begin(&mut self, input: &Event) {
        let mut outputs = Vec::new();
        while let Some(output) = self.next.filter(|output| output.seq <= input.seq) {
            outputs.push(output);
            self.next = self.recorded.next_event().copied();
        }
        self.only[RECORDED] = units(&outputs);
        self.only[RECORDED].iter().for_each(|unit| self.counts.add(unit, RECORDED));
    }

    /// An input as it would have come: a report carries the number that its order has this time. On
    /// an order that was not sent it becomes an event of no kind, so that batches end as they did.
    fn translated(&mut self, event: &Event) -> Event {
        if event.kind != Kind::REPORT {
            return *event;
        }
        self.reports += 1;
        let report: &Report = event.body();
        let Some(&order) = self.again.get(&report.order) else {
            self.left_out += 1;
            return Event { kind: Kind(0), ..*event };
        };
        Event { payload: bytemuck::must_cast(Report { order, ..*report }), ..*event }
    }

    /// Takes what is decided this time, and gives what the broker says to cancels of orders that
    /// it never had.
    fn take(&mut self, input: &Event, outputs: &[Event]) -> Vec<Event> {
        let mut answers = Vec::new();
        for unit in units(outputs) {
            self.counts.add(&unit, REPLAYED);
            let same = |other: &Unit| other.is_same(&unit, &self.again);
            if let Some(at) = self.only[RECORDED].iter().position(same) {
                let recorded = self.only[RECORDED].remove(at);
                self.again.extend(recorded.number().zip(unit.number()));
                continue;
            }
            let head = unit.head();
            if head.kind == Kind::ORDER {
                self.fresh.extend(unit.number());
            }
            let order = head.body::<Cancel>().order;
            if head.kind == Kind::CANCEL && self.fresh.remove(&order) {
                self.answered += 1;
                answers.push(self.canceled(input, order));
            }
            self.only[REPLAYED].push(unit);
        }
        answers
    }

    fn canceled(&self, input: &Event, order: u64) -> Event {
        let report = Report {
            order,
            exec_id: u64::MAX - self.answered,
            price: Price::UNDEF,
            quantity: 0,
            event: ReportKind::CANCELED,
            status: OrderStatus::CANCELED,
            leg: Report::WHOLE,
            resent: 0,
        };
        let event = Event::caused_by(input, Kind::REPORT, NO_INSTRUMENT, report);
        Event { source: self.broker, flags: Flags::BATCH_END, ..event }
    }

    /// The input is done: what is left on either side differs.
    fn finish(&mut self, input: &Event) {
        if self.only.iter().all(Vec::is_empty) {
            return;
        }
        self.causes += 1;
        if self.causes <= self.first {
            let name = |event: &Event| self.names.of(event.instrument);
            let mut text = format!("{}\n", dump::line(input, name(input)));
            for (units, title) in self.only.iter().zip(["recorded", "replayed"]) {
                for event in units.iter().flat_map(Unit::events) {
                    text += &format!("    {title}  {}\n", words(event, name(event)));
                }
            }
            self.shown.push(text);
        }
        self.only.iter_mut().for_each(Vec::clear);
    }

    fn tell(&self) {
        println!("{:<44} {:>10} {:>10}", "", "recorded", "replayed");
        for (name, [was, is]) in self.counts.rows() {
            let mark = if was == is { "" } else { "  *" };
            println!("{name:<44} {was:>10} {is:>10}{mark}");
        }
        println!("\nWhat the broker would have done cannot be known:");
        let (again, reports) = (self.reports - self.left_out, self.reports);
        println!("  {again} of {reports} reports were on orders that are decided again and hold;");
        println!("  {} were on orders that are not, and were left out;", self.left_out);
        let new = self.fresh.len() as u64 + self.answered;
        let answered = self.answered;
        println!("  {new} orders are new: never filled, {answered} of them canceled when asked.");
        println!(
            "\n{} inputs lead to something else{}",
            self.causes,
            ["", "; the first:"][usize::from(self.causes > 0)]
        );
        self.shown.iter().for_each(|text| println!("  {text}"));
    }
}
