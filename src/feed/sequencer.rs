//! Events of all sources in, one numbered, stamped stream out: the only merge point.
//!
//! One read of a socket is a batch: all its events carry the time at which the read returned, and
//! the last one carries BATCH_END. A read of more than `batch_max` events is cut into batches, so
//! that decisions are never further apart than that. To know which event is the last, one event is
//! held back until the next one comes or the read ends.

use crate::wire::{Event, Flags, Timestamp};

/// Numbers, stamps and ends batches.
#[derive(Debug)]
pub struct Sequencer {
    next: u64,
    time: Timestamp,
    source: u16,
    batch_max: u32,
    in_batch: u32,
    held: Option<Event>,
}

impl Sequencer {
    /// The first event gets number `first`.
    pub fn new(first: u64, batch_max: u32) -> Sequencer {
        let batch_max = batch_max.max(1);
        Sequencer { next: first, time: 0, source: 0, batch_max, in_batch: 0, held: None }
    }

    /// Goes on behind an event of an earlier session.
    pub fn resume(&mut self, last: &Event) {
        self.next = last.seq + 1;
        self.time = self.time.max(last.ts_recv);
    }

    /// A read of `source` returned at `now`. A clock that went back does not take the stream along.
    #[inline]
    pub fn begin(&mut self, source: u16, now: Timestamp) {
        debug_assert!(self.held.is_none());
        self.time = self.time.max(now);
        self.source = source;
    }

    /// The next event of the read.
    #[inline(always)]
    pub fn push(&mut self, mut event: Event, out: &mut impl FnMut(&Event)) {
        event.seq = self.next;
        event.ts_recv = self.time;
        event.source = self.source;
        event.flags.0 &= !Flags::BATCH_END.0;
        self.next += 1;
        if let Some(mut held) = self.held.take() {
            self.in_batch += 1;
            if self.in_batch == self.batch_max {
                self.in_batch = 0;
                held.flags = held.flags.with(Flags::BATCH_END);
            }
            out(&held);
        }
        self.held = Some(event);
    }

    /// The read is decoded: its last event ends the batch.
    #[inline]
    pub fn end(&mut self, out: &mut impl FnMut(&Event)) {
        self.in_batch = 0;
        if let Some(mut held) = self.held.take() {
            held.flags = held.flags.with(Flags::BATCH_END);
            out(&held);
        }
    }

    /// One event that is a batch of its own.
    pub fn alone(
        &mut self,
        source: u16,
        now: Timestamp,
        event: Event,
        out: &mut impl FnMut(&Event),
    ) {
        self.begin(source, now);
        self.push(event, out);
        self.end(out);
    }

    /// The number that the next event gets.
    pub fn next(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Kind, NO_INSTRUMENT};
    use alloc::vec::Vec;

    fn event() -> Event {
        Event::new(Kind::QUOTE, NO_INSTRUMENT, [0u64; 4])
    }

    /// Batches of these sizes, each read at `10 * its place`, with at most 4 events in a batch.
    fn stream(reads: &[usize]) -> Vec<Event> {
        let (mut sequencer, mut seen) = (Sequencer::new(1, 4), Vec::new());
        for (i, &events) in reads.iter().enumerate() {
            sequencer.begin(i as u16, 10 * i as u64);
            for _ in 0..events {
                sequencer.push(event(), &mut |event: &Event| seen.push(*event));
            }
            sequencer.end(&mut |event: &Event| seen.push(*event));
        }
        seen
    }

    #[test]
    fn numbers_are_dense_from_one_and_every_read_ends_a_batch() {
        let seen = stream(&[3, 0, 1, 9, 4]);
        assert!(seen.iter().enumerate().all(|(i, event)| event.seq == i as u64 + 1));
        let ends: Vec<u64> = seen.iter().filter(|e| e.ends_batch()).map(|e| e.seq).collect();
        assert_eq!(ends, [3, 4, 8, 12, 13, 17]);
        assert!(seen.iter().all(|event| event.ts_recv == 10 * u64::from(event.source)));
    }

    #[test]
    fn time_never_goes_back() {
        let (mut sequencer, mut seen) = (Sequencer::new(1, 4), Vec::new());
        for now in [5, 9, 7, 10] {
            sequencer.alone(0, now, event(), &mut |event: &Event| seen.push(event.ts_recv));
        }
        assert_eq!(seen, [5, 9, 9, 10]);
    }
}
