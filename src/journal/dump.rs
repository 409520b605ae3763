//! Events of both streams in; lines for people, JSON lines or CSV out.
//!
//! An output follows the input that caused it. Every line has the stream (`in`, `out`), the number
//! of the record in it, the event's header, the contract's symbol and the payload's fields, under
//! the names that `zomma journal dump --json` shows. A payload's field that has the name of one of
//! the header's carries its payload's name in front (`admin_kind`).
//!
//! Units, in JSON and CSV: times in ns since the Unix epoch, UTC; prices in units of currency, as
//! decimals that are exact; volatility, delta, gamma, vega (per 1.00) and theta (a year) as the
//! events have them. What is undefined is `null` in JSON and empty in CSV. As text, times are UTC.
//!
//! CSV is one wide table: the first columns as above, then every payload field of every kind once,
//! in the order of the table of kinds. A column that an event's kind does not have is empty.

use super::{
    between::Between,
    fields::{Field, PAYLOAD_AT, fields, payload_fields, quoted},
    names::Names,
};
use crate::wire::{Event, KINDS, Kind};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use std::io::{self, Write};

/// How events are written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Form {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
    /// One wide table.
    Csv,
}

/// Which events are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of what came in.
    pub inputs: bool,
    /// Of what went out.
    pub outputs: bool,
    /// Where.
    pub between: Between,
    /// Over damage, where there is some.
    pub skip: bool,
    /// Of these kinds; all where it is empty.
    pub kinds: Vec<Kind>,
    /// Of these instruments; all where there is no list.
    pub instruments: Option<Vec<u32>>,
}

impl Default for Wanted {
    fn default() -> Wanted {
        let between = Between::default();
        let kinds = Vec::new();
        Wanted { inputs: true, outputs: true, between, skip: false, kinds, instruments: None }
    }
}

impl Wanted {
    /// Whether an event is wanted, wherever it comes from.
    pub fn holds(&self, event: &Event) -> bool {
        let named = |list: &Vec<u32>| list.contains(&event.instrument);
        let kind = self.kinds.is_empty() || self.kinds.contains(&event.kind);
        kind && self.instruments.as_ref().is_none_or(named) && self.between.holds(event)
    }
}

/// The kind of this name, as `zomma journal stat` lists it.
pub fn kind_named(name: &str) -> Option<Kind> {
    KINDS.iter().find(|row| row.name.eq_ignore_ascii_case(name)).map(|row| row.kind)
}

/// Writes events, one line each.
#[derive(Debug)]
pub struct Scribe<W> {
    out: W,
    form: Form,
    names: Names,
    /// The payload's fields by kind.
    labels: Vec<Vec<Label>>,
    /// Cells of the table behind the header's, by column.
    cells: Vec<String>,
}

/// A payload's field as lines call it, and its column in the table.
#[derive(Debug)]
struct Label {
    name: String,
    column: usize,
    field: &'static Field,
}

/// The labels of all kinds, and the columns that they lead to.
fn labels() -> (Vec<Vec<Label>>, Vec<String>) {
    let mut columns = Vec::new();
    let mut place = |name: &String| {
        columns.iter().position(|known| known == name).unwrap_or_else(|| {
            columns.push(name.clone());
            columns.len() - 1
        })
    };
    let mut labels: Vec<Vec<Label>> = (0..=u8::MAX).map(|_| Vec::new()).collect();
    for row in KINDS {
        for field in payload_fields(row.kind) {
            let name = name_of(row.kind, field);
            let column = place(&name);
            labels[usize::from(row.kind.0)].push(Label { name, column, field });
        }
    }
    (labels, columns)
}

/// Which stream a line is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// What came in.
    In,
    /// What went out.
    Out,
}

impl Side {
    /// As lines have it.
    pub fn name(self) -> &'static str {
        match self {
            Side::In => "in",
            Side::Out => "out",
        }
    }
}

impl<W: Write> Scribe<W> {
    /// Writes the table's head, if there is one.
    pub fn new(mut out: W, form: Form, names: Names) -> io::Result<Scribe<W>> {
        let (labels, columns) = labels();
        if form == Form::Csv {
            let header = header_fields().map(|field| format!(",{}", field.name));
            let header: String = header.collect();
            writeln!(out, "stream,record,symbol{header},{}", columns.join(","))?;
        }
        let cells = columns.iter().map(|_| String::new()).collect();
        Ok(Scribe { out, form, names, labels, cells })
    }

    /// Writes one event.
    pub fn write(&mut self, side: Side, record: u64, event: &Event) -> io::Result<()> {
        self.names.learn(event);
        match self.form {
            Form::Text => {
                let line = line(event, self.names.of(event.instrument));
                writeln!(self.out, "{} {record} {line}", side.name())
            }
            Form::Json => self.json(side, record, event),
            Form::Csv => self.csv(side, record, event),
        }
    }

    /// Everything written so far is seen.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn json(&mut self, side: Side, record: u64, event: &Event) -> io::Result<()> {
        let out = &mut self.out;
        write!(out, "{{\"stream\":\"{}\",\"record\":{record}", side.name())?;
        write!(out, ",\"symbol\":{}", quoted(self.names.of(event.instrument)))?;
        for field in header_fields() {
            write!(out, ",\"{}\":{}", field.name, field.json(event))?;
        }
        for label in &self.labels[usize::from(event.kind.0)] {
            write!(out, ",\"{}\":{}", label.name, label.field.json(event))?;
        }
        writeln!(out, "}}")
    }

    fn csv(&mut self, side: Side, record: u64, event: &Event) -> io::Result<()> {
        self.cells.iter_mut().for_each(String::clear);
        for label in &self.labels[usize::from(event.kind.0)] {
            self.cells[label.column] = cell(label.field, event);
        }
        let out = &mut self.out;
        write!(out, "{},{record},{}", side.name(), self.names.of(event.instrument))?;
        for field in header_fields() {
            write!(out, ",{}", cell(field, event))?;
        }
        self.cells.iter().try_for_each(|cell| write!(out, ",{cell}"))?;
        writeln!(out)
    }
}

/// The fields that every event has.
fn header_fields() -> impl Iterator<Item = &'static Field> {
    fields(Kind(0))
}

/// An event as words: kind, fields, symbol.
pub fn line(event: &Event, symbol: &str) -> String {
    let mut text = format!("{:?}", event.kind);
    for field in fields(event.kind) {
        let name = name_of(event.kind, field);
        if name == "kind" {
            continue;
        }
        text += &format!(" {name}={}", field.show(event));
        if field.name == "instrument" && !symbol.is_empty() {
            text += &format!(" ({symbol})");
        }
    }
    text
}

/// A field's name in a line.
fn name_of(kind: Kind, field: &Field) -> String {
    let is_of_header = || header_fields().any(|other| other.name == field.name);
    match kind.doc() {
        Some(row) if field.at >= PAYLOAD_AT && is_of_header() => {
            format!("{}_{}", row.payload.to_lowercase(), field.name)
        }
        _ => field.name.to_string(),
    }
}

/// A table's cell: as JSON, but nothing for `null`, and text without quotes where it needs none.
fn cell(field: &Field, event: &Event) -> String {
    match field.json(event) {
        null if null == "null" => String::new(),
        text if text.starts_with('"') && !text.contains([',', '\\']) => {
            text.trim_matches('"').to_string()
        }
        text if text.starts_with('"') => format!("\"{}\"", field.show(event).replace('"', "\"\"")),
        number => number,
    }
}
