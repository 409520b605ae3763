//! A journal's directory in, text about it out: what `zomma journal stat|dump|verify` print.

use super::{End, Error, Manifest, Reader, Stream, fields::fields};
use crate::wire::{Event, KINDS, Timestamp};
use alloc::string::String;
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
        let end = Reader::open(directory, stream)?.verify();
        writeln!(out, "{title:<8} {end}")?;
        whole &= end.is_whole();
    }
    Ok(whole)
}

/// Counts by kind, and the span of time that is covered.
struct Counts {
    of_kind: [u64; 256],
    first: Option<Timestamp>,
    last: Timestamp,
    end: Option<End>,
}

fn count(directory: &Path, stream: Stream) -> Result<Counts, Error> {
    let mut reader = Reader::open(directory, stream)?;
    let mut counts = Counts { of_kind: [0; 256], first: None, last: 0, end: None };
    while let Some(event) = reader.next_event() {
        counts.of_kind[usize::from(event.kind.0)] += 1;
        counts.first.get_or_insert(event.ts_recv);
        counts.last = event.ts_recv;
    }
    counts.end = Some(reader.verify());
    Ok(counts)
}

/// What ran, how far it came, and how many events of which kind each stream holds.
pub fn stat(directory: &Path, out: &mut impl Write) -> Result<(), ToolError> {
    head(&Manifest::read(directory)?, out)?;
    for (stream, title) in STREAMS {
        let counts = count(directory, stream)?;
        let span = counts.last.saturating_sub(counts.first.unwrap_or(counts.last));
        let total: u64 = counts.of_kind.iter().sum();
        writeln!(
            out,
            "\n{title}: {total} over {}.{:03} s",
            span / 1_000_000_000,
            span / 1_000_000 % 1000
        )?;
        for row in KINDS {
            let count = counts.of_kind[usize::from(row.kind.0)];
            if count > 0 {
                writeln!(out, "  {count:>12}  {:<14} {}", row.name, row.about)?;
            }
        }
        if let Some(end) = counts.end {
            writeln!(out, "  end: {end}")?;
        }
    }
    Ok(())
}

fn head(manifest: &Manifest, out: &mut impl Write) -> io::Result<()> {
    let files: String =
        manifest.config.iter().map(|file| alloc::format!(" {}", file.name)).collect();
    writeln!(out, "status   {:?}", manifest.status)?;
    writeln!(out, "program  zomma {} {}", manifest.version, short(&manifest.program))?;
    writeln!(out, "target   {}", manifest.cpu)?;
    writeln!(out, "config   {}{files}", short(&manifest.config_hash))?;
    writeln!(out, "schema   {}, format {}", short(&manifest.schema), manifest.format)?;
    writeln!(out, "epoch    {:032x}", manifest.epoch)?;
    writeln!(out, "began    {} ns UTC", manifest.wall)
}

/// The first 16 digits of a hash.
fn short(hash: &[u8; 32]) -> String {
    hash[..8].iter().map(|byte| alloc::format!("{byte:02x}")).collect()
}

/// Every record of a stream as a line: number, kind, fields. Gives how the stream ends.
pub fn dump(directory: &Path, stream: Stream, out: &mut impl Write) -> Result<End, ToolError> {
    let mut reader = Reader::open(directory, stream)?;
    let mut number = 0;
    while let Some(event) = reader.next_event() {
        number += 1;
        line(number, event, out)?;
    }
    Ok(reader.verify())
}

fn line(number: u64, event: &Event, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{number} {:?}", event.kind)?;
    for field in fields(event.kind).filter(|field| field.name != "kind") {
        write!(out, " {}={}", field.name, field.show(event))?;
    }
    writeln!(out)
}
