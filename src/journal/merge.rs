//! Inputs and outputs in; one row of both, each input before what it led to, out.

use super::{Between, End, Error, Reader, Stream, dump::Side, seek::Skipped};
use crate::wire::Event;
use alloc::vec::Vec;
use std::{eprintln, path::Path};

/// A stream of events with their record numbers.
pub(super) trait Source {
    /// The next record, if there is one.
    fn next_record(&mut self) -> Option<(u64, Event)>;
}

/// Both streams as one.
#[derive(Debug)]
pub(super) struct Merge<R> {
    sources: [Option<R>; 2],
    heads: [Option<(u64, Event)>; 2],
}

impl<R: Source> Merge<R> {
    /// Of inputs and outputs, or of one of them.
    pub(super) fn new(sources: [Option<R>; 2]) -> Merge<R> {
        Merge { sources, heads: [None, None] }
    }

    /// The next event of either stream.
    pub(super) fn next(&mut self) -> Option<(Side, u64, Event)> {
        // The output is looked at first: whoever sees it sees the input that led to it.
        for place in [Side::Out as usize, Side::In as usize] {
            if self.heads[place].is_none() {
                self.heads[place] = self.sources[place].as_mut().and_then(Source::next_record);
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

    /// What it reads.
    pub(super) fn sources(&self) -> impl Iterator<Item = &R> {
        self.sources.iter().flatten()
    }
}

/// A stream read to its end, over damage where that is asked for; what is stepped over is told on
/// stderr.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) reader: Reader,
    skip: bool,
    pub(super) skipped: Vec<Skipped>,
}

impl Passage {
    /// From where a span begins.
    pub(super) fn open(
        directory: &Path,
        stream: Stream,
        (between, skip): (&Between, bool),
    ) -> Result<Passage, Error> {
        let reader = Reader::open_for(directory, stream, between)?;
        Ok(Passage { reader, skip, skipped: Vec::new() })
    }

    /// The next event.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.reader.next_event() {
                return Some(*event);
            }
            if !self.skip || !self.step_over() {
                return None;
            }
        }
    }

    fn step_over(&mut self) -> bool {
        let Some(skipped) = self.reader.step_over() else { return false };
        eprintln!("zomma: {skipped}");
        self.skipped.push(skipped);
        true
    }

    /// How the stream ends, if it was read so far.
    pub(super) fn end(&self) -> Option<&End> {
        self.reader.end()
    }

    /// Whether all of it was there as far as it was read.
    pub(super) fn is_whole(&self) -> bool {
        self.skipped.is_empty() && self.end().is_none_or(End::is_whole)
    }
}

impl Source for Passage {
    fn next_record(&mut self) -> Option<(u64, Event)> {
        let event = self.next()?;
        Some((self.reader.records(), event))
    }
}
