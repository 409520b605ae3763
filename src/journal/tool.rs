//! A journal's directory in, text about it out: what `zomma journal verify|stat|dump|follow` print.

use super::{
    Between, Cause, Error, Follower, Manifest, Names, Place, Session, Stream,
    bar::Bar,
    dump::{Form, Scribe, Wanted},
    fields::show_time,
    merge::{Merge, Passage},
    origin::short,
    seek::said,
};
use crate::wire::{KINDS, NANOS_PER_SECOND, Timestamp};
use alloc::string::String;
use core::fmt;
use std::{
    io::{self, Write},
    path::Path,
    thread,
    time::Duration,
};

/// A tool could not do its work.
#[derive(Debug)]
pub enum ToolError {
    /// The journal cannot be read.
    Journal(Error),
    /// The text cannot be written.
    Text(io::Error),
    /// What is followed is damaged here.
    Damage(Place, Cause),
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ToolError::Journal(error) => error.fmt(f),
            ToolError::Text(error) => error.fmt(f),
            ToolError::Damage(at, cause) => write!(f, "{at}: {cause}"),
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
    verify_over(directory, false, out)
}

/// The same; over damage where `skip` is set.
pub fn verify_over(directory: &Path, skip: bool, out: &mut impl Write) -> Result<bool, ToolError> {
    let mut whole = true;
    for (stream, title) in STREAMS {
        let mut passage = Passage::open(directory, stream, (&Between::default(), skip))?;
        let mut bar = Bar::new(title, passage.reader.manifest().counted(stream));
        while passage.next().is_some() {
            bar.at(passage.reader.records());
        }
        drop(bar);
        ended(&alloc::format!("{title:<8}"), &passage, out)?;
        whole &= passage.is_whole();
    }
    Ok(whole)
}

/// How a stream ends, and what was stepped over.
fn ended(title: &str, passage: &Passage, out: &mut impl Write) -> io::Result<()> {
    let end = passage.end().map(|end| alloc::format!("{end}")).unwrap_or_default();
    let restored = match passage.reader.restored() {
        0 => String::new(),
        some => alloc::format!("; {some} of them only in the doublewrite file"),
    };
    let skipped = if passage.skipped.is_empty() {
        String::new()
    } else {
        alloc::format!("; before that {}", said(&passage.skipped))
    };
    writeln!(out, "{title} {end}{restored}{skipped}")
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
    passage: Passage,
}

fn count(
    directory: &Path,
    (stream, title): (Stream, &'static str),
    skip: bool,
) -> Result<Counts, Error> {
    let mut passage = Passage::open(directory, stream, (&Between::default(), skip))?;
    let (mut of_kind, mut all) = ([Count::default(); 256], Count::default());
    let (mut first, mut last) = (None, 0);
    let mut bar = Bar::new(title, passage.reader.manifest().counted(stream));
    while let Some(event) = passage.next() {
        let second = event.ts_recv / NANOS_PER_SECOND;
        of_kind[usize::from(event.kind.0)].add(second);
        all.add(second);
        first.get_or_insert(event.ts_recv);
        last = event.ts_recv;
        bar.at(all.total);
    }
    Ok(Counts { of_kind, all, first, last, passage })
}

/// What ran, how far it came, and how many events of which kind each stream holds.
pub fn stat(directory: &Path, skip: bool, out: &mut impl Write) -> Result<bool, ToolError> {
    head(&Manifest::read(directory)?, out)?;
    let mut whole = true;
    for stream in STREAMS {
        let counts = count(directory, stream, skip)?;
        rates(stream.1, &counts, out)?;
        ended("  end:", &counts.passage, out)?;
        whole &= counts.passage.is_whole();
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

/// Every wanted record as a line; see [`super::dump`]. Gives whether what was read is whole.
pub fn dump(
    directory: &Path,
    wanted: &Wanted,
    (form, names): (Form, Names),
    out: &mut impl Write,
) -> Result<bool, ToolError> {
    let span = (&wanted.between, wanted.skip);
    let open = |stream, is_wanted: bool| {
        is_wanted.then(|| Passage::open(directory, stream, span)).transpose()
    };
    let inputs = open(Stream::Inputs, wanted.inputs)?;
    let mut merge = Merge::new([inputs, open(Stream::Outputs, wanted.outputs)?]);
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
    Ok(merge.sources().all(|passage| wanted.skip || passage.is_whole()))
}

/// Every wanted record as a line as soon as it is there, from the first that is wanted on, or from
/// now on; until the run has ended, or the span has.
pub fn follow(
    directory: &Path,
    wanted: &Wanted,
    (form, names): (Form, Names),
    out: &mut impl Write,
) -> Result<(), ToolError> {
    let open = |stream, is_wanted: bool| {
        is_wanted.then(|| Follower::open(directory, stream, wanted.between.from)).transpose()
    };
    let inputs = open(Stream::Inputs, wanted.inputs)?;
    let mut merge = Merge::new([inputs, open(Stream::Outputs, wanted.outputs)?]);
    let mut scribe = Scribe::new(out, form, names)?;
    loop {
        while let Some((side, record, event)) = merge.next() {
            if wanted.between.is_past(&event) {
                return Ok(scribe.flush()?);
            }
            if wanted.holds(&event) {
                scribe.write(side, record, &event)?;
            }
        }
        scribe.flush()?;
        if let Some((at, cause)) = merge.sources().find_map(Follower::damage) {
            return Err(ToolError::Damage(at.clone(), cause.clone()));
        }
        if merge.sources().all(Follower::ended) {
            return Ok(());
        }
        thread::park_timeout(IDLE);
    }
}

/// How long a follower rests when nothing is new.
const IDLE: Duration = Duration::from_millis(5);
