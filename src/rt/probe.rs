//! Stamps between stages: the last event of a batch in, the same event and two durations out.
//!
//! When a stage hands on the event that ends a batch, its probe reads the clock once and records
//! how long ago the batch was received and how long this stage had it. Other events pass untouched,
//! so a probe costs one reading a batch.
//!
//! The stages of one thread share a [`Thread`], which remembers the last stamp: a stage's own time
//! runs from there. The first of a thread starts from the receive stamp, so its own time holds
//! the earlier events of the batch and, where the thread reads a ring, the way through it.

use super::{
    clock::Clock,
    histogram::{Histogram, Histograms},
    trip::Trip,
};
use crate::{
    stage::{Emit, Stage},
    wire::{Event, Kind, Timestamp, order::Order},
};
use core::{
    borrow::Borrow,
    sync::atomic::{AtomicU64, Ordering},
};
use std::{io, sync::Arc};

/// What the probes of one thread share; a probe of another thread has another one.
#[derive(Clone, Debug)]
pub struct Thread {
    clock: Clock,
    last: Arc<AtomicU64>,
    /// Events below this number are those of an earlier process: their times say nothing.
    first: u64,
}

impl Thread {
    /// For the stages of one thread.
    pub fn new(clock: &Clock) -> Thread {
        Thread { clock: clock.clone(), last: Arc::new(AtomicU64::new(0)), first: 0 }
    }

    /// The same, where events below number `first` come from the journal of an earlier process.
    pub fn starting_at(self, first: u64) -> Thread {
        Thread { first, ..self }
    }
}

/// Where a stage's durations go. Reports list stages in the order in which these are declared.
#[derive(Debug)]
pub struct Durations {
    since_receive: Histogram,
    own: Histogram,
    trip: Trip,
}

impl Durations {
    /// Declares both under the stage's name.
    pub fn declare(name: &str, file: &mut Histograms) -> io::Result<Durations> {
        let since = "From the return of the socket read to the stage's handing on of its batch.";
        let since_receive = file.histogram(name, "since_receive", "ns", since)?;
        let own = file.histogram(name, "own", "ns", "What the stage itself took of that.")?;
        Ok(Durations { since_receive, own, trip: Trip::of(name) })
    }
}

/// A thread's stamps into a stage's histograms.
#[derive(Debug)]
struct Stamps {
    thread: Thread,
    into: Durations,
}

impl Stamps {
    #[inline(always)]
    fn stamp(&self, event: &Event) {
        if event.ends_batch() && event.seq >= self.thread.first {
            let now = self.thread.clock.now();
            let begun = self.thread.last.load(Ordering::Relaxed).max(event.ts_recv);
            self.thread.last.store(now, Ordering::Relaxed);
            self.into.since_receive.record(now.saturating_sub(event.ts_recv));
            self.into.own.record(now.saturating_sub(begun));
            self.into.trip.look(event);
        }
    }
}

/// A stage that is watched. It decides nothing and forwards all, so a replay needs none.
#[derive(Debug)]
pub struct Probe<S> {
    stage: S,
    stamps: Stamps,
}

impl<S> Probe<S> {
    /// Watches `stage` under `name`.
    pub fn new(
        stage: S,
        name: &str,
        thread: &Thread,
        file: &mut Histograms,
    ) -> io::Result<Probe<S>> {
        Ok(Probe::of(stage, Durations::declare(name, file)?, thread))
    }

    /// Watches `stage` with what was declared for it.
    pub fn of(stage: S, into: Durations, thread: &Thread) -> Probe<S> {
        Probe { stage, stamps: Stamps { thread: thread.clone(), into } }
    }

    /// The stage.
    pub fn stage(&self) -> &S {
        &self.stage
    }
}

impl<K, S: Stage<K>> Stage<K> for Probe<S>
where
    S::Out: Borrow<Event>,
{
    type In = S::In;
    type Out = S::Out;

    #[inline(always)]
    fn on(&mut self, known: &mut K, message: &S::In, out: &mut impl Emit<K, S::Out>) {
        self.stage.on(known, message, &mut Stamping { stamps: &self.stamps, out });
    }
}

/// The way out, watched: what follows RISK has an order from its first message to the return from
/// its last. That time is not the own time of the stage that sent it.
#[derive(Debug)]
pub struct Exit<E> {
    end: E,
    stamps: Stamps,
    /// Legs of the order on its way that are still to come, and the time that it took so far.
    legs: u8,
    took: u64,
}

impl<E> Exit<E> {
    /// Watches `end`.
    pub fn of(end: E, into: Durations, thread: &Thread) -> Exit<E> {
        Exit { end, stamps: Stamps { thread: thread.clone(), into }, legs: 0, took: 0 }
    }

    /// What is watched.
    pub fn end_mut(&mut self) -> &mut E {
        &mut self.end
    }

    #[inline(always)]
    fn note(&mut self, event: &Event, begun: Timestamp) {
        let Stamps { thread, into } = &self.stamps;
        let now = thread.clock.now();
        let last = thread.last.load(Ordering::Relaxed).max(event.ts_recv);
        thread.last.store(last + (now - begun), Ordering::Relaxed);
        self.took += now - begun;
        self.legs = match event.kind {
            Kind::ORDER => event.body::<Order>().legs,
            _ => self.legs.saturating_sub(1),
        };
        if self.legs == 0 {
            into.own.record(core::mem::take(&mut self.took));
            into.since_receive.record(now.saturating_sub(event.ts_recv));
        }
    }
}

impl<K, T: Borrow<Event>, E: Emit<K, T>> Emit<K, T> for Exit<E> {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &T) {
        let event: &Event = message.borrow();
        let watched = [Kind::ORDER, Kind::ORDER_LEG, Kind::CANCEL].contains(&event.kind);
        if watched && event.seq >= self.stamps.thread.first {
            let begun = self.stamps.thread.clock.now();
            self.end.emit(known, message);
            self.note(message.borrow(), begun);
        } else {
            self.end.emit(known, message);
        }
    }
}

struct Stamping<'a, E> {
    stamps: &'a Stamps,
    out: &'a mut E,
}

impl<K, T: Borrow<Event>, E: Emit<K, T>> Emit<K, T> for Stamping<'_, E> {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &T) {
        self.stamps.stamp(message.borrow());
        self.out.emit(known, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        stage::{Tap, Then},
        wire::Flags,
    };
    use alloc::vec::Vec;

    struct Forward;
    impl Stage<Vec<u64>> for Forward {
        type In = Event;
        type Out = Event;
        fn on(&mut self, k: &mut Vec<u64>, e: &Event, out: &mut impl Emit<Vec<u64>, Event>) {
            out.emit(k, e);
        }
    }

    #[test]
    fn ends_of_batches_are_stamped_and_all_events_pass() {
        let clock = Clock::start();
        let thread = Thread::new(&clock);
        let mut file = Histograms::in_memory().unwrap();
        let first = Probe::new(Forward, "first", &thread, &mut file).unwrap();
        let second = Probe::new(Forward, "second", &thread, &mut file).unwrap();
        let tap = Tap(|seen: &mut Vec<u64>, event: &Event| seen.push(event.seq));
        let mut chain = Then(first, Then(second, tap));
        let mut seen = Vec::new();
        for seq in 1..=9 {
            let flags = if seq % 3 == 0 { Flags::BATCH_END } else { Flags::NONE };
            let event = Event::new(Kind::QUOTE, 0, [0u64; 4]);
            chain.emit(&mut seen, &Event { seq, flags, ts_recv: clock.now(), ..event });
        }
        assert_eq!(seen, (1..=9).collect::<Vec<_>>());
        let rows = file.read();
        let names: Vec<_> = rows.iter().map(|r| (&*r.label.group, &*r.label.name)).collect();
        assert_eq!(names[0], ("first", "since_receive"));
        assert_eq!(names[3], ("second", "own"));
        assert!(rows.iter().all(|r| r.counts.len() == 3 && !r.above));
        assert!(rows[3].max <= rows[2].max, "a stage's own time is part of the whole");
    }
}
