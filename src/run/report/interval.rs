//! Histograms that grow in; a log of what was new in each interval out, and back.
//!
//! The format is HdrHistogram's interval log (`.hlog`): values in ns, one tag per histogram, so the
//! usual tools read it.

use crate::{rt::histogram::Snapshot, wire::Timestamp};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;
use hdrhistogram::{
    Histogram,
    serialization::{
        Deserializer, V2DeflateSerializer,
        interval_log::{IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag},
    },
};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    time::UNIX_EPOCH,
};

/// A log being written; one line per histogram and interval in which it counted anything.
#[derive(Debug)]
pub struct IntervalLog<W: Write> {
    out: W,
    start: Timestamp,
    /// When the interval at hand began.
    since: Timestamp,
    before: Vec<Histogram<u64>>,
}

impl IntervalLog<BufWriter<File>> {
    /// A new file, in place of what was there; `now` is the start of the first interval.
    pub fn create(path: &Path, now: Timestamp) -> io::Result<IntervalLog<BufWriter<File>>> {
        IntervalLog::new(BufWriter::new(File::create(path)?), now)
    }
}

impl<W: Write> IntervalLog<W> {
    /// Writes the head of the log.
    pub fn new(mut out: W, now: Timestamp) -> io::Result<IntervalLog<W>> {
        let start = UNIX_EPOCH + Duration::from_nanos(now);
        IntervalLogWriterBuilder::new()
            .add_comment("[Histogram log format version 1.3]")
            .add_comment("values in ns; one tag per stage and measure")
            .with_start_time(start)
            .with_base_time(start)
            .begin_log_with(&mut out, &mut V2DeflateSerializer::new())?;
        Ok(IntervalLog { out, start: now, since: now, before: Vec::new() })
    }

    /// Ends an interval at `now`: writes what the histograms counted since the last time.
    pub fn write(&mut self, now: Timestamp, histograms: &[Snapshot]) -> io::Result<()> {
        let since = Duration::from_nanos(self.since.saturating_sub(self.start));
        let length = Duration::from_nanos(now.saturating_sub(self.since));
        for (i, snapshot) in histograms.iter().enumerate() {
            let mut fresh = snapshot.counts.clone();
            match self.before.get_mut(i) {
                Some(before) => {
                    fresh.subtract(&*before).map_err(io::Error::other)?;
                    before.clone_from(&snapshot.counts);
                }
                None => self.before.push(snapshot.counts.clone()),
            }
            if !fresh.is_empty() {
                self.line(&tag(snapshot), since, length, &fresh)?;
            }
        }
        self.since = now;
        self.out.flush()
    }

    fn line(
        &mut self,
        tag: &str,
        since: Duration,
        length: Duration,
        fresh: &Histogram<u64>,
    ) -> io::Result<()> {
        // Without comments, times and divisor a builder writes no head.
        IntervalLogWriterBuilder::new()
            .begin_log_with(&mut self.out, &mut V2DeflateSerializer::new())?
            .write_histogram(fresh, since, length, Tag::new(tag))
            .map_err(|e| io::Error::other(format!("{e}")))
    }
}

/// A tag may hold neither commas nor spaces.
fn tag(snapshot: &Snapshot) -> String {
    format!("{}.{}", snapshot.label.group, snapshot.label.name).replace([',', ' ', '\n'], "_")
}

/// What was counted under a tag in one interval.
#[derive(Clone, Debug)]
pub struct Interval {
    /// Stage and measure.
    pub tag: String,
    /// Since the start of the log.
    pub since: Duration,
    /// How long it was.
    pub length: Duration,
    /// What was counted.
    pub counts: Histogram<u64>,
}

/// All intervals of a log in their order; an error says after how many it is damaged.
pub fn intervals(text: &[u8]) -> io::Result<Vec<Interval>> {
    let mut deserializer = Deserializer::new();
    let mut found = Vec::new();
    for entry in IntervalLogIterator::new(text) {
        let bad = |what: String| {
            let what = format!("after {} intervals: {what}", found.len());
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        let entry = entry.map_err(|e| bad(format!("no interval log: {e:?}")))?;
        let LogEntry::Interval(line) = entry else { continue };
        let counts = decode(line.encoded_histogram(), &mut deserializer).map_err(bad)?;
        let tag = line.tag().map_or_else(String::new, |tag| tag.as_str().to_string());
        let (since, length) = (line.start_timestamp(), line.duration());
        found.push(Interval { tag, since, length, counts });
    }
    Ok(found)
}

fn decode(encoded: &str, deserializer: &mut Deserializer) -> Result<Histogram<u64>, String> {
    let bytes = base64(encoded).ok_or("text that is no base64")?;
    deserializer.deserialize(&mut bytes.as_slice()).map_err(|e| e.to_string())
}

/// Standard base64 with padding, as the log has it.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (held, bits) = (held << 6 | u32::from(value), bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes)
}

/// All intervals of each tag together, in the order in which tags first occur.
pub fn merge(intervals: &[Interval]) -> io::Result<Vec<(String, Histogram<u64>)>> {
    let mut merged: Vec<(String, Histogram<u64>)> = Vec::new();
    for interval in intervals {
        match merged.iter_mut().find(|(tag, _)| *tag == interval.tag) {
            Some((_, counts)) => counts.add(&interval.counts).map_err(io::Error::other)?,
            None => merged.push((interval.tag.clone(), interval.counts.clone())),
        }
    }
    Ok(merged)
}
