//! What the hot threads run: the feed with the first stages, or a ring with the next ones.

use super::{
    exit::Close,
    meter::{Meter, Time, Wire, is_beat},
};
use crate::{
    book::Desk,
    feed::{Feed, fix::FixDecoder},
    rt::{
        clock::Clock,
        counters::Counter,
        ring::{Consumer, Message},
        runner::Agent,
    },
    stage::Emit,
    wire::{Event, Timestamp},
};
use std::{
    boxed::Box,
    string::{String, ToString},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    vec::Vec,
};

/// The feed's clock: the one clock, as a call.
pub(super) type Now = Box<dyn Fn() -> Timestamp + Send>;

/// What the supervisor wants to know of the feed.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Every session of the market has ended.
    pub(super) ended: Arc<AtomicBool>,
    /// The feed could not start, and why.
    pub(super) failed: Arc<OnceLock<String>>,
}

/// The first thread: sockets, numbers, and the stages that follow on this thread.
pub(super) struct Intake<S> {
    pub(super) feed: Feed<FixDecoder, Now>,
    pub(super) broker: u16,
    pub(super) replies: Consumer<Event>,
    pub(super) desk: Desk,
    pub(super) stages: S,
    pub(super) wires: Vec<Wire>,
    pub(super) events: Counter,
    pub(super) time: Time,
    pub(super) meter: Meter,
    pub(super) signs: Signs,
    pub(super) clock: Clock,
    pub(super) started: bool,
}

impl<S: Emit<Desk, Event> + Close> Intake<S> {
    fn turn(&mut self) -> usize {
        let Intake { feed, stages, desk, replies, started, signs, broker, .. } = self;
        let mut beat = false;
        let mut out = |event: &Event| {
            beat |= is_beat(event);
            stages.emit(desk, event);
        };
        if !*started {
            *started = true;
            if let Err(error) = feed.start(&mut out) {
                signs.failed.get_or_init(|| error.to_string());
            }
        }
        let answered = replies.drain(16, |reply| feed.inject(*broker, *reply, &mut out));
        let work = answered + feed.duty(&mut out) + stages.poll(desk);
        if beat {
            self.publish();
        }
        work
    }

    fn publish(&self) {
        for (place, wire) in self.wires.iter().enumerate() {
            wire.publish(&self.feed.counts_of(place));
        }
        self.events.set(self.feed.events());
        let (pauses, longest) = self.feed.pauses();
        self.time.pauses.set(pauses);
        self.time.pause_ns_max.set(longest);
        self.time.wall_ahead_ns.set(self.feed.drift().wall as u64);
        self.time.raw_ahead_ns.set(self.feed.drift().raw as u64);
        self.meter.publish(&self.desk);
        self.signs.ended.store(self.feed.ended(), Ordering::Release);
    }
}

impl<S: Emit<Desk, Event> + Close> Agent for Intake<S> {
    #[inline]
    fn duty(&mut self) -> usize {
        self.turn()
    }

    fn on_stop(&mut self) {
        self.stages.flush(&mut self.desk);
        self.publish();
        self.stages.close(self.clock.now());
    }

    fn on_panic(&mut self) {
        self.stages.close(self.clock.now());
    }
}

/// A further thread: a ring's messages through the stages that follow on this thread.
pub(super) struct Stretch<T: Message, S> {
    pub(super) ring: Consumer<T>,
    pub(super) desk: Desk,
    pub(super) stages: S,
    pub(super) meter: Meter,
    pub(super) clock: Clock,
}

/// Messages taken from a ring before its slots are given back.
const DRAIN_MAX: usize = 256;

impl<T: Message + core::borrow::Borrow<Event>, S: Emit<Desk, T> + Close> Stretch<T, S> {
    #[inline(always)]
    fn turn(&mut self) -> usize {
        let Stretch { ring, desk, stages, meter, .. } = self;
        let drained = ring.drain(DRAIN_MAX, |message| {
            stages.emit(desk, message);
            if is_beat(message.borrow()) {
                meter.publish(desk);
            }
        });
        drained + stages.poll(desk)
    }
}

impl<T: Message + core::borrow::Borrow<Event>, S: Emit<Desk, T> + Close> Agent for Stretch<T, S> {
    #[inline]
    fn duty(&mut self) -> usize {
        self.turn()
    }

    /// The thread before has ended by now: what it has sent is all there is.
    fn on_stop(&mut self) {
        while self.turn() > 0 {}
        self.stages.flush(&mut self.desk);
        self.meter.publish(&self.desk);
        self.stages.close(self.clock.now());
    }

    fn on_panic(&mut self) {
        self.stages.close(self.clock.now());
    }
}
