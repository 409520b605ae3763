//! Events in, records in mapped memory out: no system call, no allocation, no lock.
#![expect(clippy::disallowed_types, reason = "the keepers' list of segments; no writer locks it")]

use super::{
    Error, fail,
    format::{self, EVENT, RECORD_WORDS},
    map::Handoff,
    segment::Segment,
};
use crate::wire::Event;
use alloc::{collections::VecDeque, sync::Arc};
use core::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};
use crossbeam_utils::{Backoff, CachePadded};
use std::sync::{Mutex, OnceLock, PoisonError};

/// What writer, keeper and watchers of one stream share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Number of the last record that is whole.
    pub(super) written: CachePadded<AtomicU64>,
    /// The segment after the writer's.
    pub(super) ready: CachePadded<Handoff<Segment>>,
    /// Number of the last record that is on the disk, with all before it.
    pub(super) durable: AtomicU64,
    /// Number of the last record that is there where it belongs, with all before it.
    pub(super) settled: AtomicU64,
    /// The segments that are not settled yet, for those who read what the writer has stored. The
    /// writer never comes here.
    pub(super) segments: Mutex<VecDeque<Arc<Segment>>>,
    /// How often the writer found no segment ready and waited.
    pub(super) waits: AtomicU64,
    /// The writer is gone.
    pub(super) closed: AtomicBool,
    /// The disk has no room, or soon none, for further segments.
    pub(super) low: AtomicBool,
    /// The first thing that went wrong; nothing after it is believed.
    pub(super) error: OnceLock<Error>,
}

impl Shared {
    /// For a stream that has `kept` records already.
    pub(super) fn new(kept: u64) -> Shared {
        Shared {
            written: CachePadded::new(AtomicU64::new(kept)),
            ready: CachePadded::new(Handoff::new()),
            durable: AtomicU64::new(kept),
            settled: AtomicU64::new(kept),
            segments: Mutex::new(VecDeque::new()),
            waits: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            low: AtomicBool::new(false),
            error: OnceLock::new(),
        }
    }

    /// The first error is final; later ones follow from it.
    pub(super) fn fail(&self, error: Error) {
        let _ = self.error.set(error);
    }

    /// All records up to this one survive a power cut. After an error nothing is called so.
    pub(super) fn call_durable(&self, number: u64) {
        if self.error.get().is_none() {
            self.durable.fetch_max(number, Ordering::Release);
        }
    }

    /// Changes the list of segments.
    pub(super) fn with_segments<T>(
        &self,
        work: impl FnOnce(&mut VecDeque<Arc<Segment>>) -> T,
    ) -> T {
        work(&mut self.segments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A record that is whole; `None` once its segment is settled.
    pub(super) fn record(&self, number: u64) -> Option<[u64; RECORD_WORDS]> {
        self.with_segments(|segments| {
            segments.iter().find_map(|segment| segment.record(number.checked_sub(segment.first)?))
        })
    }
}

/// How far a stream can be trusted with more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It takes what comes.
    Running,
    /// It takes what comes as long as the segments that are made last; the disk has no room, or
    /// soon none, for more. Time to take no new risk.
    Low,
    /// Something went wrong, and it is final: [`Watch::error`].
    Stopped,
}

/// How a stream fares; any thread may hold one.
#[derive(Clone, Debug)]
pub struct Watch(pub(super) Arc<Shared>);

impl Watch {
    /// Number of the last record that is whole: it survives the end of the process.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Acquire)
    }

    /// Number of the last record that survives a power cut, with all before it.
    pub fn durable(&self) -> u64 {
        self.0.durable.load(Ordering::Acquire)
    }

    /// How far it can be trusted with more.
    pub fn state(&self) -> State {
        match (self.error(), self.0.low.load(Ordering::Relaxed)) {
            (Some(_), _) => State::Stopped,
            (None, true) => State::Low,
            (None, false) => State::Running,
        }
    }

    /// How often the writer had to wait for the keeper.
    pub fn waits(&self) -> u64 {
        self.0.waits.load(Ordering::Relaxed)
    }

    /// What the keeper could not do: no new risk from here on. It is final.
    pub fn error(&self) -> Option<&Error> {
        self.0.error.get()
    }
}

/// No segment is left to write into and none will come: [`Watch::error`] says why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the journal takes no more records; its watch says why")
    }
}

impl core::error::Error for Stopped {}

/// The one writer of a stream.
#[derive(Debug)]
pub struct Writer {
    segment: Arc<Segment>,
    shared: Arc<Shared>,
    /// Where the next record goes, and where the segment ends, in words.
    next: usize,
    end: usize,
    /// Number of the last record.
    number: u64,
    chain: u32,
    seed: u32,
}

impl Writer {
    /// Begins behind a record whose chain is `chain`.
    pub(super) fn new(segment: Arc<Segment>, shared: Arc<Shared>, chain: u32, seed: u32) -> Writer {
        let (next, end) = segment.bounds();
        segment.open(chain);
        let number = segment.first - 1;
        Writer { segment, shared, next, end, number, chain, seed }
    }

    /// Appends an event and gives its record number. When this returns, the event survives
    /// `kill -9`. Waits, and counts it, if the keeper has not brought the next segment yet.
    #[inline(always)]
    pub fn append(&mut self, event: &Event) -> Result<u64, Stopped> {
        if self.next == self.end {
            self.roll()?;
        }
        let words: [u64; 8] = bytemuck::must_cast(*event);
        let number = self.number + 1;
        let chain = format::chain(self.seed, self.chain, number, &words);
        let slot = self.segment.slot(self.next).ok_or(Stopped)?;
        fail::point("append: before the number");
        slot[1].store(number, Ordering::Relaxed);
        fail::point("append: before the payload");
        for (to, word) in slot[2..].iter().zip(words) {
            to.store(word, Ordering::Relaxed);
        }
        fail::point("append: before the commit word");
        // Last: a reader that sees the commit word sees the record.
        slot[0].store(format::head(EVENT, chain), Ordering::Release);
        (self.chain, self.number, self.next) = (chain, number, self.next + slot.len());
        fail::point("append: before it is told");
        self.shared.written.store(number, Ordering::Release);
        Ok(number)
    }

    /// How the stream fares, for other threads.
    pub fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    #[cold]
    #[inline(never)]
    fn roll(&mut self) -> Result<(), Stopped> {
        let next = match self.shared.ready.take() {
            Some(next) => next,
            None => self.wait()?,
        };
        fail::point("roll: before the opening");
        next.open(self.chain);
        fail::point("roll: after the opening");
        (self.next, self.end) = next.bounds();
        // The keeper holds the old segment until `written` passes it, so it is not unmapped here.
        self.segment = next;
        Ok(())
    }

    fn wait(&self) -> Result<Arc<Segment>, Stopped> {
        self.shared.waits.fetch_add(1, Ordering::Relaxed);
        let backoff = Backoff::new();
        loop {
            if let Some(next) = self.shared.ready.take() {
                return Ok(next);
            }
            if self.shared.error.get().is_some() {
                return Err(Stopped);
            }
            backoff.snooze();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
    }
}
