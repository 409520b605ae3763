//! The end of the pipeline: what RISK cleared in; bytes to the broker, and counts, out.

use super::meter::{Outcome, is_beat};
use crate::{
    book::Desk,
    gate::{Counts, Gate},
    journal::Hold,
    risk::Cleared,
    rt::{
        counters::{Counter, Counters},
        trip::Trip,
    },
    stage::{Emit, Then},
    wire::{Event, Timestamp},
};
use std::{boxed::Box, io};

/// Takes reports on what could not be sent.
pub(super) type Reply = Box<dyn FnMut(Event) + Send>;
/// Is called when an order's write has returned.
pub(super) type OnSent = Box<dyn FnMut(&Event) + Send>;

crate::counters! {
    /// What the gate did.
    pub(super) struct Broker {
        /// Messages written, of any type.
        pub(super) messages: "messages";
        /// Orders written.
        pub(super) orders: "orders";
        /// Cancels written.
        pub(super) cancels: "cancels";
        /// Messages sent again.
        pub(super) resent: "messages";
        /// Orders and cancels not sent: not logged on, or the socket takes nothing.
        pub(super) unsent: "messages";
        /// Orders not sent: kill switch.
        pub(super) killed: "orders";
        /// Orders not sent: the bytes did not say what was approved.
        pub(super) mismatches: "orders";
        /// Orders not sent: decided too long ago.
        pub(super) late: "orders";
        /// Session-level rejects.
        pub(super) rejects: "messages";
        /// Gaps that we saw in the broker's numbers.
        pub(super) gaps_in: "gaps";
    }
}

/// The gate, if there is a broker, and the counts of what went its way.
pub(super) struct Exit {
    gate: Option<Gate<Reply, OnSent>>,
    outcome: Outcome,
    broker: Broker,
    /// Events that have come all the way.
    done: Counter,
    trip: Trip,
}

impl Exit {
    /// Declares its counters.
    pub(super) fn new(gate: Option<Gate<Reply, OnSent>>, file: &mut Counters) -> io::Result<Exit> {
        let outcome = Outcome::declare(file, "outcome")?;
        let broker = Broker::declare(file, "gate")?;
        let about = "Number of the last event that has come all the way.";
        let done = file.counter("outcome", "done", "events", about)?;
        Ok(Exit { gate, outcome, broker, done, trip: Trip::of("gate") })
    }

    fn publish(&self) {
        let Some(gate) = &self.gate else { return };
        let Counts { messages, orders, cancels, resent, unsent, killed, .. } = *gate.counts();
        let Counts { mismatches, late, rejects, gaps_in, .. } = *gate.counts();
        self.broker.messages.set(messages);
        self.broker.orders.set(orders);
        self.broker.cancels.set(cancels);
        self.broker.resent.set(resent);
        self.broker.unsent.set(unsent);
        self.broker.killed.set(killed);
        self.broker.mismatches.set(mismatches);
        self.broker.late.set(late);
        self.broker.rejects.set(rejects);
        self.broker.gaps_in.set(gaps_in);
    }
}

impl<K> Emit<K, Cleared> for Exit {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, cleared: &Cleared) {
        let event = cleared.event();
        self.outcome.count(event.kind);
        if let Some(gate) = &mut self.gate {
            gate.emit(known, cleared);
        }
        if is_beat(event) {
            self.trip.look(event);
            self.done.set(event.seq);
            self.publish();
        }
    }
}

/// What a thread does beside its messages, passed along its stages to whoever has something to do.
pub(super) trait Close {
    /// Lets go of what waited for the disk and waits no more; gives how much.
    #[inline(always)]
    fn poll(&mut self, _: &mut Desk) -> usize {
        0
    }
    /// Waits for all that waits: no message comes any more.
    fn flush(&mut self, _: &mut Desk) {}
    /// The last call.
    fn close(&mut self, now: Timestamp);
}

impl Close for Exit {
    fn close(&mut self, now: Timestamp) {
        if let Some(gate) = &mut self.gate {
            gate.log_out(now);
        }
        self.publish();
    }
}

impl<S, E: Close> Close for Then<S, E> {
    #[inline(always)]
    fn poll(&mut self, desk: &mut Desk) -> usize {
        self.1.poll(desk)
    }
    fn flush(&mut self, desk: &mut Desk) {
        self.1.flush(desk);
    }
    fn close(&mut self, now: Timestamp) {
        self.1.close(now);
    }
}

impl<E: Close> Close for crate::rt::probe::Exit<E> {
    #[inline(always)]
    fn poll(&mut self, desk: &mut Desk) -> usize {
        self.end_mut().poll(desk)
    }
    fn flush(&mut self, desk: &mut Desk) {
        self.end_mut().flush(desk);
    }
    fn close(&mut self, now: Timestamp) {
        self.end_mut().close(now);
    }
}

impl<E: Close + Emit<Desk, Cleared>> Close for Hold<Cleared, E> {
    #[inline(always)]
    fn poll(&mut self, desk: &mut Desk) -> usize {
        Hold::poll(self, desk)
    }
    fn flush(&mut self, desk: &mut Desk) {
        Hold::flush(self, desk);
    }
    fn close(&mut self, now: Timestamp) {
        self.end_mut().close(now);
    }
}

impl<T: crate::rt::ring::Message> Close for super::link::Link<T> {
    fn close(&mut self, _: Timestamp) {}
}
