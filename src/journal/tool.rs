//! A journal's directory in, text about it out: what `zomma journal verify|stat|dump` print.

use super::{
    End, Error, Manifest, Names, Reader, Session, Stream,
    bar::Bar,
    dump::{Form, Scribe, Side, Wanted},
    fields::show_time,
    origin::short,
};
use crate::wire::{Event, KINDS, NANOS_PER_SECOND, Timestamp};
use alloc::{string::String, vec::Vec};
use core::fmt;
use std::{
    io::{self, Write},
    path::Path,
};

/// A tool could not do its work.
#[derive(Debug)]
pub enum ToolError {
    /// The journal cannot be read.
    Journal(Error),
    /// The text cannot be written.
    Text(io::Error),
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolError::Journal(error) => error.fmt(f),
            ToolError::Text(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ToolError {}

impl From<Error> for ToolError {
    fn from(error: Error) -> ToolError {
        ToolError::Journal(error)
    }
}

impl From<io::Error> for ToolError {
    fn from(error: io::Error) -> ToolError {
        ToolError::Text(error)
    }
}

/// Both streams with their titles.
const STREAMS: [(Stream, &str); 2] = [(Stream::Inputs, "inputs"), (Stream::Outputs, "outputs")];

/// Reads both streams through; true if each is whole. One line a stream.
pub fn verify(directory: &Path, out: &mut impl Write) -> Result<bool, ToolError> {
    let mut whole = true;
    for (stream, title) in STREAMS {
        let mut reader = Reader::open(directory, stream)?;
        let mut bar = Bar::new(title, reader.manifest().counted(stream));
        while reader.next_event().is_some() {
            bar.at(reader.records());
        }
        drop(bar);
        let end = reader.verify();
        writeln!(out, "{title:<8} {end}")?;
        whole &= end.is_whole();
    }
    Ok(whole)
}

/// How many events of a kind there are, and how many came in the busiest second.
#[derive(Clone, Copy, Default)]
struct Count {
    total: u64,
    second: u64,
    this_second: u64,
    most: u64,
}

impl Count {
    #[inline(always)]
    fn add(&mut self, second: u64) {
        self.total += 1;
        if second != self.second {
            (self.second, self.this_second) = (second, 0);
        }
        self.this_second += 1;
        self.most = self.most.max(self.this_second);
    }
}

/// Counts by kind, and the span of time that is covered.
struct Counts {
    of_kind: [Count; 256],
    all: Count,
    first: Option<Timestamp>,
    last: Timestamp,
    end: End,
}

fn count(directory: &Path, (stream, title): (Stream, &'static str)) -> Result<Counts, Error> {
    let mut reader = Reader::open(directory, stream)?;
    let (mut of_kind, mut all) = ([Count::default(); 256], Count::default());
    let (mut first, mut last) = (None, 0);
    let mut bar = Bar::new(title, reader.manifest().counted(stream));
    while let Some(event) = reader.next_event() {
        let second = event.ts_recv / NANOS_PER_SECOND;
        of_kind[usize::from(event.kind.0)].add(second);
        all.add(second);
        first.get_or_insert(event.ts_recv);
        last = event.ts_recv;
        bar.at(all.total);
    }
    Ok(Counts { of_kind, all, first, last, end: reader.verify() })
}

/// What ran, how far it came, and how many events of which kind each stream holds.
pub fn stat(directory: &Path, out: &mut impl Write) -> Result<bool, ToolError> {
    head(&Manifest::read(directory)?, out)?;
    let mut whole = true;
    for stream in STREAMS {
        let counts = count(directory, stream)?;
        rates(stream.1, &counts, out)?;
        writeln!(out, "  end: {}", counts.end)?;
        whole &= counts.end.is_whole();
    }
    Ok(whole)
}

/// A line a kind: how many, how many a second over the whole span, and in the busiest one.
fn rates(title: &str, counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    let first = counts.first.unwrap_or(counts.last);
    let seconds = counts.last.saturating_sub(first) as f64 / NANOS_PER_SECOND as f64;
    writeln!(out, "\n{title}: {} over {seconds:.3} s", counts.all.total)?;
    if counts.all.total == 0 {
        return Ok(());
    }
    writeln!(out, "  from {} to {}", show_time(first), show_time(counts.last))?;
    writeln!(out, "  {:>12} {:>12} {:>12}", "events", "a second", "most")?;
    let mut row = |name: &str, count: &Count, about: &str| {
        let rate = if seconds > 0.0 { count.total as f64 / seconds } else { 0.0 };
        writeln!(out, "  {:>12} {rate:>12.1} {:>12}  {name:<14} {about}", count.total, count.most)
    };
    for doc in KINDS {
        let count = &counts.of_kind[usize::from(doc.kind.0)];
        if count.total > 0 {
            row(doc.name, count, doc.about)?;
        }
    }
    row("all", &counts.all, "")
}

fn head(manifest: &Manifest, out: &mut impl Write) -> io::Result<()> {
    let files: String =
        manifest.config.iter().map(|file| alloc::format!(" {}", file.name)).collect();
    writeln!(out, "status   {:?}", manifest.status)?;
    writeln!(out, "program  zomma {} {}", manifest.version, short(&manifest.program))?;
    writeln!(out, "target   {}", manifest.cpu)?;
    writeln!(out, "config   {}{files}", short(&manifest.config_hash))?;
    writeln!(out, "schema   {}, format {}", short(&manifest.schema), manifest.format)?;
    writeln!(out, "{} sessions", manifest.sessions.len())?;
    let numbered = manifest.sessions.iter().enumerate();
    numbered.into_iter().try_for_each(|(i, session)| told(i + 1, session, out))
}

/// When a session began, from which records on, what it found, and how it ended.
fn told(number: usize, session: &Session, out: &mut impl Write) -> io::Result<()> {
    let Session { wall, first: [input, output], status, epoch, .. } = session;
    let (began, start) = (show_time(*wall), session.start.outcome());
    writeln!(out, "  {number}  {began}  inputs from {input}, outputs from {output}: {status:?}")?;
    writeln!(out, "     epoch {epoch:032x}, program {}", short(&session.program))?;
    writeln!(out, "     began {start}")?;
    for tail in session.start.tails.iter().filter(|tail| !tail.found.is_empty()) {
        writeln!(out, "     {}: {} kept, {} lost", tail.found, tail.kept, tail.lost)?;
    }
    Ok(())
}

/// Both streams as one: each input, then what it led to.
#[derive(Debug)]
pub(super) struct Merge<R> {
    inputs: Option<R>,
    outputs: Option<R>,
    heads: [Option<(u64, Event)>; 2],
}

/// A stream of events with their record numbers.
pub(super) trait Source {
    /// The next record, if there is one.
    fn next_record(&mut self) -> Option<(u64, Event)>;
}

impl Source for Reader {
    fn next_record(&mut self) -> Option<(u64, Event)> {
        let event = *self.next_event()?;
        Some((self.records(), event))
    }
}

impl<R: Source> Merge<R> {
    pub(super) fn new(inputs: Option<R>, outputs: Option<R>) -> Merge<R> {
        Merge { inputs, outputs, heads: [None, None] }
    }

    /// The next event of either stream.
    pub(super) fn next(&mut self) -> Option<(Side, u64, Event)> {
        // The output is looked at first: whoever sees it sees the input that led to it.
        let sources = [(&mut self.outputs, 1), (&mut self.inputs, 0)];
        for (source, place) in sources {
            if self.heads[place].is_none() {
                self.heads[place] = source.as_mut().and_then(Source::next_record);
            }
        }
        let side = match &self.heads {
            [Some((_, input)), Some((_, output))] if output.seq < input.seq => Side::Out,
            [None, Some(_)] => Side::Out,
            _ => Side::In,
        };
        let (record, event) = self.heads[side as usize].take()?;
        Some((side, record, event))
    }

    /// Both streams, as far as they were read.
    pub(super) fn into_sources(self) -> [Option<R>; 2] {
        [self.inputs, self.outputs]
    }
}

/// Every wanted record as a line; see [`super::dump`]. Gives how the streams end that were read.
pub fn dump(
    directory: &Path,
    wanted: &Wanted,
    (form, names): (Form, Names),
    out: &mut impl Write,
) -> Result<Vec<End>, ToolError> {
    let open =
        |stream, is_wanted: bool| is_wanted.then(|| Reader::open(directory, stream)).transpose();
    let inputs = open(Stream::Inputs, wanted.inputs)?;
    let mut merge = Merge::new(inputs, open(Stream::Outputs, wanted.outputs)?);
    let mut scribe = Scribe::new(out, form, names)?;
    let mut bar = Bar::new("dump", 0);
    let mut done = 0;
    while let Some((side, record, event)) = merge.next() {
        if wanted.between.is_past(&event) {
            break;
        }
        done += 1;
        bar.at(done);
        if wanted.holds(&event) {
            scribe.write(side, record, &event)?;
        }
    }
    scribe.flush()?;
    let ended = |reader: Reader| reader.end().cloned();
    Ok(merge.into_sources().into_iter().flatten().filter_map(ended).collect())
}
