//! The writers' marks in; segments ready ahead of them, pages on the disk behind them out.
//!
//! One thread for both streams does everything that may take long, so that the writers do nothing
//! but store: it makes the next segment, touches the pages that write-back has protected again,
//! brings finished pages to the disk, seals what is full, unmaps what is done. A page that is being
//! filled is never brought to the disk here: whoever stores into it would wait with the disk
//! (`doublewrite` has the way around).

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
    /// See [`Settings::stride`].
    stride: usize,
    live: VecDeque<Kept>,
    /// The disk lied once: nothing more is brought, sealed or called durable.
    broken: bool,
}

impl Keep {
    /// Makes the first segment; `header` is that of the first.
    pub(super) fn new(
        directory: PathBuf,
        header: Header,
        settings: &Settings,
    ) -> Result<(Keep, Arc<Segment>), Error> {
        let mut keep = Keep {
            directory,
            shared: Arc::new(Shared::new(header.first - 1)),
            next: header,
            sync: settings.sync,
            stride: settings.stride(),
            live: VecDeque::new(),
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
        self.shared.with_segments(|segments| segments.push_back(Arc::clone(&segment)));
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
        if tick > 0 && tick.is_multiple_of(sync_ticks) && self.is_durable() {
            self.attempt(|keep| keep.bring(written, false));
        }
        self.attempt(|keep| keep.retire(written));
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Keep) -> Result<(), Error>) {
        if !self.broken
            && let Err(error) = work(self)
        {
            self.broken = true;
            self.shared.fail(error);
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
                Err(error) => return self.shared.fail(error),
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

    fn touch(&self, written: u64) {
        let mut ahead = AHEAD;
        for kept in self.live.iter().filter(|kept| !kept.is_full(written)) {
            let from = Segment::used(kept.records(written));
            let end = Segment::used(kept.segment.capacity);
            kept.segment.touch(from, (from + ahead).min(end));
            ahead = ahead.saturating_sub(end - from);
        }
    }

    /// Finished strides go to the disk; the one being filled only when the writer is gone (`all`).
    fn bring(&mut self, written: u64, all: bool) -> Result<(), Error> {
        if self.shared.settled.load(Ordering::Relaxed) == written {
            return Ok(());
        }
        for kept in &mut self.live {
            let records = kept.records(written);
            let used = Segment::used(records);
            let whole = kept.is_full(written) || all;
            // The header with the opening does not wait for a whole stride.
            let strides = (used / self.stride * self.stride).max(PAGE);
            let to = if whole { used.next_multiple_of(PAGE) } else { strides };
            if records == 0 || to <= kept.synced {
                continue;
            }
            kept.segment.sync(kept.synced, to)?;
            kept.synced = to;
            let settled = if whole { records } else { Header::capacity(to as u64) };
            let settled = kept.segment.first + settled - 1;
            self.shared.settled.store(settled, Ordering::Release);
            self.shared.call_durable(settled);
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
            self.shared.with_segments(VecDeque::pop_front);
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
            self.shared.fail(Error::KeeperStopped(self.directory.clone()));
        }
    }
}

/// The keeper's thread: looks after its streams until `stop`, then finishes those whose writer is
/// gone. What goes wrong is in each stream's [`Shared`].
pub(super) fn run(mut streams: Vec<Keep>, settings: &Settings, stop: &AtomicBool) {
    let sync_ticks = (settings.sync_interval.nanos() / TICK.as_nanos() as u64).max(1);
    for tick in 0.. {
        streams.iter_mut().for_each(|keep| keep.tend(tick, sync_ticks));
        if stop.load(Ordering::Acquire) {
            break;
        }
        thread::park_timeout(TICK);
    }
    for keep in &mut streams {
        if keep.shared.closed.load(Ordering::Acquire) {
            keep.attempt(Keep::finish);
        }
    }
}
