//! The writers' marks in; segments ready ahead of them, pages on the disk behind them out.
//!
//! One thread for both streams (one for each, where orders wait for the disk) does everything that
//! may take long, so that the writers do nothing but store: it makes the next segment, touches the
//! pages that write-back has protected again, brings finished pages to the disk, seals what is
//! full, unmaps what is done.

use super::{
    Error, Settings, Sync,
    format::{Header, PAGE},
    segment::Segment,
    writer::Shared,
};
use alloc::{collections::VecDeque, sync::Arc, vec::Vec};
use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{path::PathBuf, thread};

/// How often it looks.
const TICK: Duration = Duration::from_millis(1);
/// How often within a tick it looks for what an output needs on the disk, where that is strict.
const HASTE: u32 = 16;
/// Every how many looks it touches pages ahead of the writer.
const TOUCH_TICKS: u64 = 8;
/// Every how many looks it asks how much room the disk has, and tries again for a segment that
/// found none.
const ROOM_TICKS: u64 = 128;
/// The disk is low when it has no room for so many further segments.
const LOW_SEGMENTS: u64 = 2;
/// How far ahead: 25 ms of a million events a second.
const AHEAD: usize = 2 << 20;

/// A segment that is made, until the writer is past it and it is on the disk.
struct Kept {
    segment: Arc<Segment>,
    /// Bytes from its start that are on the disk, the header with the opening among them.
    synced: usize,
    sealed: bool,
}

impl Kept {
    fn new(segment: Arc<Segment>) -> Kept {
        Kept { segment, synced: 0, sealed: false }
    }

    /// How many of its records are written, when `written` is the last number.
    fn records(&self, written: u64) -> u64 {
        (written + 1).saturating_sub(self.segment.first).min(self.segment.capacity)
    }

    fn is_full(&self, written: u64) -> bool {
        self.records(written) == self.segment.capacity
    }
}

/// The keeper's side of one stream.
pub(super) struct Keep {
    directory: PathBuf,
    shared: Arc<Shared>,
    /// The header of the next segment.
    next: Header,
    sync: Sync,
    live: VecDeque<Kept>,
    /// `written` when it was last brought to the disk: a partial page goes out when nothing moves.
    before: u64,
    /// The outputs, whose records must not leave before this stream is on the disk; and for how
    /// many of them it is.
    outputs: Arc<Shared>,
    served: u64,
    /// The disk lied once: nothing more is brought, sealed or called durable.
    broken: bool,
}

impl Keep {
    /// Makes the first segment; `header` is that of the first. Without `outputs`, it is them.
    pub(super) fn new(
        directory: PathBuf,
        header: Header,
        sync: Sync,
        outputs: Option<&Arc<Shared>>,
    ) -> Result<(Keep, Arc<Segment>), Error> {
        let kept = header.first - 1;
        let shared = Arc::new(Shared::new(kept));
        let outputs = Arc::clone(outputs.unwrap_or(&shared));
        let mut keep = Keep {
            directory,
            next: header,
            sync,
            live: VecDeque::new(),
            before: kept,
            served: outputs.written.load(Ordering::Acquire),
            outputs,
            shared,
            broken: false,
        };
        let first = keep.make()?;
        Ok((keep, first))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn make(&mut self) -> Result<Arc<Segment>, Error> {
        let segment = Arc::new(Segment::make(&self.directory, &self.next, self.is_durable())?);
        self.next.segment += 1;
        self.next.first += segment.capacity;
        self.live.push_back(Kept::new(Arc::clone(&segment)));
        Ok(segment)
    }

    fn is_durable(&self) -> bool {
        self.sync != Sync::None
    }

    /// One look at the stream.
    pub(super) fn tend(&mut self, tick: u64, sync_ticks: u64) {
        let written = self.shared.written.load(Ordering::Acquire);
        if self.shared.error.get().is_none() {
            self.provide(tick, written);
        }
        if tick.is_multiple_of(TOUCH_TICKS) {
            self.touch(written);
        }
        if tick.is_multiple_of(sync_ticks) && self.is_durable() {
            let rests = self.before == written;
            self.before = written;
            self.attempt(|keep| keep.bring(written, rests));
        }
        self.attempt(|keep| keep.retire(written));
    }

    /// Where that is strict: brings what an output needs to the disk, and all that has come with
    /// it, down to the last whole record.
    pub(super) fn hasten(&mut self) {
        let wanted = self.outputs.written.load(Ordering::Acquire);
        if wanted > self.served {
            let written = self.shared.written.load(Ordering::Acquire);
            self.attempt(|keep| keep.bring(written, true));
            self.served = wanted;
        }
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Keep) -> Result<(), Error>) {
        if !self.broken
            && let Err(error) = work(self)
        {
            self.broken = true;
            self.fail(error);
        }
    }

    /// Has the next segment ready. A full disk is told while there is still room in those that are
    /// made, and is an error only when the writer needs the one that is not there.
    fn provide(&mut self, tick: u64, written: u64) {
        let is_low = self.shared.low.load(Ordering::Relaxed);
        let is_due = tick.is_multiple_of(ROOM_TICKS);
        if self.shared.ready.is_empty() && (!is_low || is_due || self.is_stuck(written)) {
            match self.make() {
                Ok(made) => self.shared.ready.put(made),
                Err(Error::DiskFull { .. }) if !self.is_stuck(written) => {
                    self.shared.low.store(true, Ordering::Relaxed);
                    return;
                }
                Err(error) => return self.fail(error),
            }
        }
        if let Some(kept) = self.live.back().filter(|_| is_due) {
            let wanted = self.next.bytes.saturating_mul(LOW_SEGMENTS);
            let is_low = kept.segment.free().is_ok_and(|free| free < wanted);
            self.shared.low.store(is_low, Ordering::Relaxed);
        }
    }

    /// Whether the writer has no room left in any segment.
    fn is_stuck(&self, written: u64) -> bool {
        self.live.back().is_none_or(|kept| kept.is_full(written))
    }

    /// The first error is final; later ones follow from it.
    fn fail(&self, error: Error) {
        let _ = self.shared.error.set(error);
    }

    fn touch(&self, written: u64) {
        let mut ahead = AHEAD;
        for kept in self.live.iter().filter(|kept| !kept.is_full(written)) {
            let from = Segment::used(kept.records(written));
            let end = Segment::used(kept.segment.capacity);
            kept.segment.touch(from, (from + ahead).min(end));
            ahead = ahead.saturating_sub(end - from);
        }
    }

    /// Finished pages go to the disk; the page being filled only where `rests` says so, because a
    /// store into a page under write-back can stall for milliseconds: when nothing was written
    /// since the last time, or an order waits for it.
    fn bring(&mut self, written: u64, rests: bool) -> Result<(), Error> {
        if self.shared.durable.load(Ordering::Relaxed) == written {
            return Ok(());
        }
        for kept in &mut self.live {
            let records = kept.records(written);
            let used = Segment::used(records);
            let whole = kept.is_full(written) || rests;
            let to = if whole { used.next_multiple_of(PAGE) } else { used / PAGE * PAGE };
            if records == 0 || to <= kept.synced {
                continue;
            }
            kept.segment.sync(kept.synced, to)?;
            kept.synced = if kept.is_full(written) { to } else { used / PAGE * PAGE };
            if rests {
                kept.segment.touch(used, used + AHEAD.min(PAGE));
            }
            let durable = if whole { records } else { Header::capacity(to as u64) };
            self.shared.durable.store(kept.segment.first + durable - 1, Ordering::Release);
        }
        Ok(())
    }

    /// Seals full segments and lets go of those that the writer has left.
    fn retire(&mut self, written: u64) -> Result<(), Error> {
        while let Some(kept) = self.live.front_mut().filter(|kept| kept.is_full(written)) {
            let end = Segment::used(kept.segment.capacity);
            if self.sync != Sync::None && kept.synced < end {
                return Ok(());
            }
            if !kept.sealed {
                kept.segment.seal(kept.segment.capacity, self.sync != Sync::None)?;
                kept.sealed = true;
            }
            if written < kept.segment.first + kept.segment.capacity {
                return Ok(());
            }
            self.live.pop_front();
        }
        Ok(())
    }

    /// Everything to the disk, the last segment sealed and shortened, the spare one removed.
    fn finish(&mut self) -> Result<(), Error> {
        drop(self.shared.ready.take());
        let written = self.shared.written.load(Ordering::Acquire);
        let durable = self.is_durable();
        if durable {
            self.bring(written, true)?;
        }
        self.retire(written)?;
        while let Some(kept) = self.live.pop_front() {
            let records = kept.records(written);
            if records == 0 && kept.segment.first > 1 {
                kept.segment.discard()?;
            } else if !kept.sealed {
                kept.segment.seal(records, durable)?;
                kept.segment.shorten(records)?;
            }
        }
        Ok(())
    }
}

impl Drop for Keep {
    /// However the keeper ends, a writer that is still there must not wait for it for ever.
    fn drop(&mut self) {
        if !self.shared.closed.load(Ordering::Acquire) {
            self.fail(Error::KeeperStopped(self.directory.clone()));
        }
    }
}

/// A keeper's thread: looks after its streams until `stop`, then finishes those whose writer is
/// gone. What goes wrong is in each stream's [`Shared`].
pub(super) fn run(mut streams: Vec<Keep>, settings: &Settings, stop: &AtomicBool) {
    let sync_ticks = (settings.sync_interval.nanos() / TICK.as_nanos() as u64).max(1);
    let looks = if settings.sync == Sync::Strict { HASTE } else { 1 };
    for tick in 0.. {
        streams.iter_mut().for_each(|keep| keep.tend(tick, sync_ticks));
        if stop.load(Ordering::Acquire) {
            break;
        }
        for _ in 0..looks {
            if settings.sync == Sync::Strict {
                streams.iter_mut().for_each(Keep::hasten);
            }
            thread::park_timeout(TICK / looks);
        }
    }
    for keep in &mut streams {
        if keep.shared.closed.load(Ordering::Acquire) {
            keep.attempt(Keep::finish);
        }
    }
}
