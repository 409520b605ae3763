//! A number or a time in; a reader before the first record there, or behind damage, out.
//!
//! There is no index file. The segment is found by binary search over the segments' first records,
//! the place within it by arithmetic or by binary search over its records: numbers, causes and
//! receive times never fall along a stream. The chain is taken from the record before the place, or
//! from the segment's opening, so the first record that is handed out proves itself against it.
//! What lies before is not looked at: a reader that begins at the beginning proves everything.
//!
//! Whatever does not read as a record before the place counts as behind it, so damage is met by
//! reading on, and never jumped over unseen.

use super::{
    Between, Error, Manifest, Mark, Reader, Stream,
    end::{End, Place},
    format::{EVENT, OPENING, OPENING_AT, RECORD, RECORD_WORDS, RECORDS_AT},
    reader::{Found, Look, look},
};
use crate::wire::Event;
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use std::{fs, path::Path};

/// Damage that was stepped over, on request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Skipped {
    /// Where it begins.
    pub at: Place,
    /// Records that are missing.
    pub missing: u64,
    /// The record at which reading goes on.
    pub resumes: Place,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Skipped { at, missing, resumes } = self;
        write!(f, "{at}: {missing} records are missing; goes on at {resumes}")
    }
}

impl Reader {
    /// Opens a stream before the first record of number `number`; at its end where there is none.
    pub fn open_at_record(directory: &Path, stream: Stream, number: u64) -> Result<Reader, Error> {
        Reader::open_behind(directory, stream, &|record, _| record < number)
    }

    /// Opens a stream before the first record that reaches a mark; at its end where none does.
    pub fn open_at(directory: &Path, stream: Stream, mark: Mark) -> Result<Reader, Error> {
        Reader::open_behind(directory, stream, &|_, event| !mark.is_reached_by(event))
    }

    /// Opens a stream where a span begins.
    pub fn open_for(directory: &Path, stream: Stream, span: &Between) -> Result<Reader, Error> {
        match span.from {
            Some(from) => Reader::open_at(directory, stream, from),
            None => Reader::open(directory, stream),
        }
    }

    /// Opens a stream behind the records of which `is_before` holds.
    fn open_behind(
        directory: &Path,
        stream: Stream,
        is_before: &dyn Fn(u64, &Event) -> bool,
    ) -> Result<Reader, Error> {
        let mut reader = Reader::open(directory, stream)?;
        let segments = segments(directory, stream)?;
        let begins_before = |segment: &u32| {
            let found = found(directory, stream, *segment, &reader.manifest);
            found.is_some_and(|found| is_record_before(&found, 0, is_before))
        };
        // The first is open already.
        let later = segments.get(1..).unwrap_or_default();
        let place = later.partition_point(begins_before);
        let last = place.checked_sub(1).and_then(|place| later.get(place));
        let there = last.and_then(|last| found(directory, stream, *last, &reader.manifest));
        if let Some(there) = there
            && let Some(chain) = opening(&there)
        {
            reader.stand(there, 0, chain);
        }
        reader.skip_to(is_before);
        Ok(reader)
    }

    /// Within the segment at hand, to behind the records of which `is_before` holds.
    fn skip_to(&mut self, is_before: &dyn Fn(u64, &Event) -> bool) {
        let Some(current) = self.current.as_ref().filter(|_| self.end.is_none()) else { return };
        let (mut low, mut high) = (0, self.room);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_record_before(current, middle, is_before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if low > 0
            && let Some(before) = record(current, low - 1)
        {
            (self.index, self.chain) = (low, (before[0] >> 32) as u32);
            self.records = current.header.first + low - 1;
        }
    }

    /// Stands before record `index` of a segment, behind records with this chain.
    fn stand(&mut self, found: Found, index: u64, chain: u32) {
        (self.seed, self.room, self.index) = (found.header.seed(), found.room(), index);
        (self.chain, self.entered) = (chain, opening(&found).unwrap_or(chain));
        self.records = found.header.first + index - 1;
        (self.current, self.end) = (Some(found), None);
    }

    /// At damage: goes on behind it, at the next record that proves itself. `None` where there is
    /// no damage, or nothing behind it.
    pub fn step_over(&mut self) -> Option<Skipped> {
        let (at, known) = match self.end.as_ref()? {
            End::Gap { at, resumes, .. } => (at.clone(), Some(resumes.clone())),
            End::Corrupt { at, resumes, .. } => (at.clone(), resumes.clone()),
            End::Clean { .. } | End::Torn { .. } => return None,
        };
        let records = self.records;
        let resumes = known.and_then(|place| self.go_on_at(&place));
        let resumes = resumes.or_else(|| self.go_on_behind(&at))?;
        let missing = resumes.record.saturating_sub(records + 1);
        Some(Skipped { at, missing, resumes })
    }

    /// Goes on at a record in the segment at hand.
    fn go_on_at(&mut self, place: &Place) -> Option<Place> {
        let current = self.current.take_if(|current| current.path == place.file)?;
        let index = (place.offset as usize).checked_sub(RECORDS_AT)? / RECORD;
        let before = record(&current, (index as u64).checked_sub(1)?)?;
        self.stand(current, index as u64, (before[0] >> 32) as u32);
        Some(place.clone())
    }

    /// Goes on in the first segment behind a place that was entered.
    fn go_on_behind(&mut self, at: &Place) -> Option<Place> {
        let (directory, stream) = (self.directory.clone(), self.stream);
        let name = at.file.file_name()?.to_str()?;
        let here = number_of(name, stream)?;
        let later = segments(&directory, stream).ok()?.into_iter().filter(|other| *other > here);
        let (found, chain) = later
            .filter_map(|segment| found(&directory, stream, segment, &self.manifest))
            .find_map(|found| opening(&found).map(|chain| (found, chain)))?;
        let place = found.at(RECORDS_AT, found.header.first);
        self.stand(found, 0, chain);
        Some(place)
    }
}

/// A segment that can be read.
fn found(directory: &Path, stream: Stream, segment: u32, manifest: &Manifest) -> Option<Found> {
    match look(directory, stream, segment, manifest) {
        Ok(Look::Found(found)) => Some(found),
        _ => None,
    }
}

/// Numbers of a stream's segments, ascending.
pub(super) fn segments(directory: &Path, stream: Stream) -> Result<Vec<u32>, Error> {
    let refused = |e| Error::system("list the segments of", directory)(e);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        numbers.extend(name.to_str().and_then(|name| number_of(name, stream)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(name: &str, stream: Stream) -> Option<u32> {
    let name = name.strip_prefix(stream.prefix())?.strip_prefix('-')?;
    name.strip_suffix(".zj")?.parse().ok()
}

/// The chain with which a segment was entered.
fn opening(found: &Found) -> Option<u32> {
    let [head, number] = found.view.load::<2>(OPENING_AT)?;
    (head as u32 == OPENING && number == found.header.first).then_some((head >> 32) as u32)
}

fn record(found: &Found, index: u64) -> Option<[u64; RECORD_WORDS]> {
    found.view.load::<RECORD_WORDS>(RECORDS_AT / 8 + index as usize * RECORD_WORDS)
}

fn is_record_before(found: &Found, index: u64, is_before: &dyn Fn(u64, &Event) -> bool) -> bool {
    record(found, index).is_some_and(|[head, number, event @ ..]| {
        let is_here = number == found.header.first + index;
        head as u32 == EVENT && is_here && is_before(number, &bytemuck::must_cast(event))
    })
}

/// How a stream was read that was damaged, in words.
pub(super) fn said(skipped: &[Skipped]) -> String {
    let missing: u64 = skipped.iter().map(|skipped| skipped.missing).sum();
    format!("{missing} records are missing in {} places", skipped.len())
}
