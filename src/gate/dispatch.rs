//! Cleared events in: approved orders and cancels go to the broker as FIX, the rest keeps session,
//! instruments and kill switch up to date. Out: bytes, and a report for whatever was not sent.

use super::{
    Counts,
    check::says,
    encoder::{Encoder, LegFacts, Stamp, Target},
    facts::{Facts, Table},
    link::Stream,
    session::{Session, State, Subject, Wish},
    settings::Broker,
};
use crate::{
    feed::fix::{field::hash, store::Outbound},
    risk::{Action, Cleared},
    stage::Emit,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, Timestamp,
        control::{Command, SessionState, Verb},
        order::{
            Admin, Cancel, Halt, Inquiry, LEGS_MAX, Leg, Order, OrderStatus, Report, ReportKind,
        },
    },
};
use core::sync::atomic::{AtomicBool, Ordering};
use std::{boxed::Box, net::TcpStream, string::String, sync::Arc, sync::mpsc::Receiver, vec};

/// Orders remembered for their cancels and rejects.
const WORKING: usize = 4_096;

/// How far above the last order's number those of the gate's own cancels begin.
const OWN_CANCELS: u64 = 1 << 20;

/// Why an order or cancel was not sent; part of the report's identity.
#[derive(Clone, Copy, Debug)]
enum Unsent {
    NotLoggedOn = 1,
    Killed,
    Mismatch,
    Unknown,
    Malformed,
    Stale,
    Refused,
    Repeated,
    Late,
}

/// What the gate must remember of an order that it sent.
#[derive(Clone, Copy, Debug)]
struct Working {
    id: u64,
    quantity: u64,
    instrument: u32,
    side: u8,
    combo: bool,
    /// The broker has spoken of it.
    known: bool,
    /// It may still trade: neither its end nor a cancel of ours is on record.
    open: bool,
}

const NO_ORDER: Working = Working {
    id: 0,
    quantity: 0,
    instrument: NO_INSTRUMENT,
    side: b'1',
    combo: false,
    known: false,
    open: false,
};

/// An order whose legs are coming in.
#[derive(Debug)]
struct Assembly {
    order: Order,
    legs: [(Leg, u32); LEGS_MAX],
    filled: usize,
    open: bool,
}

/// Tells the time right before the wire.
pub type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// The ends of the gate besides the socket.
pub struct Ends<R, F, S = TcpStream> {
    /// Streams that the feed has connected, one for each `SESSION CONNECTED` of the broker.
    pub streams: Receiver<S>,
    /// The kill switch, shared with signals, files and breakers: once true, no order leaves.
    pub kill: Arc<AtomicBool>,
    /// The clock that events are received by.
    pub clock: Clock,
    /// Takes a `REPORT` on something that was not sent; the feed numbers it like any other input.
    pub reply: R,
    /// Called when the write of an order has returned, with the event that completed the order.
    pub on_sent: F,
}

/// The last stage: nothing follows it but the broker.
pub struct Gate<R, F, S = TcpStream> {
    session: Session<S>,
    ends: Ends<R, F, S>,
    source: u16,
    facts: Table,
    working: Box<[Working]>,
    assembly: Assembly,
    killed: bool,
    /// Events below this number are those of an earlier process.
    first: u64,
}

impl<R: FnMut(Event), F: FnMut(&Event), S: Stream> Gate<R, F, S> {
    /// A gate for the broker whose events carry `source`; `password` may be empty and is never
    /// shown.
    pub fn new(
        broker: Broker,
        password: String,
        source: u16,
        outbound: Outbound,
        ends: Ends<R, F, S>,
    ) -> Gate<R, F, S> {
        let leg: Leg = bytemuck::Zeroable::zeroed();
        let assembly = Assembly {
            order: bytemuck::Zeroable::zeroed(),
            legs: [(leg, NO_INSTRUMENT); LEGS_MAX],
            filled: 0,
            open: false,
        };
        Gate {
            facts: Table::new(broker.instruments_max),
            session: Session::new(broker, password, outbound),
            ends,
            source,
            working: vec![NO_ORDER; WORKING].into_boxed_slice(),
            assembly,
            killed: false,
            first: 0,
        }
    }

    /// Events below number `first` come from the journal of an earlier process: nothing that they
    /// ask for is done again.
    pub fn starting_at(self, first: u64) -> Self {
        Gate { first, ..self }
    }

    /// What was done so far.
    pub fn counts(&self) -> &Counts {
        &self.session.counts
    }

    /// Where the session is.
    pub fn state(&self) -> State {
        self.session.state
    }

    /// Ends the session in an orderly way; beats and events must go on until it is off. With the
    /// kill switch on, nobody may be left to ask for cancels, so every order that may still trade
    /// is canceled here; these cancels are in no journal, for no decision stands behind them.
    pub fn log_out(&mut self, now: Timestamp) {
        let killed = self.ends.kill.load(Ordering::Acquire);
        if killed {
            self.cancel_all(now);
        }
        self.session.log_out(now);
        if killed {
            self.session.link.settle();
        }
    }

    fn cancel_all(&mut self, now: Timestamp) {
        let open = self.working.iter().filter(|order| order.open).map(|order| order.id);
        // Above all numbers that a stage before may have given out meanwhile.
        let first = self.working.iter().map(|order| order.id).max().unwrap_or(0) + OWN_CANCELS;
        let open: std::vec::Vec<u64> = open.collect();
        for (id, order) in (first..).zip(open) {
            let cancel = Cancel { id, order, strategy: 0, reserved: bytemuck::Zeroable::zeroed() };
            let event = Event::new(Kind::CANCEL, NO_INSTRUMENT, cancel);
            self.on_cancel(&Event { ts_recv: now, ..event });
        }
    }

    /// An event of an earlier process, from its journal: what the gate must know of orders and
    /// instruments is taken from it, and nothing is sent or said.
    fn relearn(&mut self, event: &Event) {
        match event.kind {
            Kind::ORDER => self.on_order(event),
            Kind::ORDER_LEG if self.take_leg(event) == Some(true) => {
                self.assembly.open = false;
                self.remember();
            }
            Kind::REPORT => self.on_known(event),
            Kind::DEFINITION => self.on_definition(event),
            Kind::COMMAND => self.on_command(event),
            Kind::HALT => self.on_halt(event),
            _ => {}
        }
    }

    fn on_event(&mut self, event: &Event) {
        if event.seq < self.first {
            return self.relearn(event);
        }
        match event.kind {
            Kind::ORDER => self.on_order(event),
            Kind::ORDER_LEG => self.on_leg(event),
            Kind::CANCEL => self.on_cancel(event),
            Kind::INQUIRY => self.on_inquiry(event),
            Kind::AUDIT => self.session.audit(event.body(), event.ts_recv),
            Kind::POSITIONS | Kind::POSITION | Kind::ASSIGNMENT => {
                self.session.on_heard(event.ts_recv);
            }
            Kind::TIMER => self.session.on_beat(event.ts_recv),
            Kind::REPORT => self.on_report(event),
            Kind::ADMIN => self.on_admin(event),
            Kind::SESSION if event.source == self.source => self.on_session(event),
            Kind::DEFINITION => self.on_definition(event),
            Kind::COMMAND => self.on_command(event),
            Kind::HALT => self.on_halt(event),
            _ => return,
        }
        self.pump(event.ts_recv);
    }

    fn on_definition(&mut self, event: &Event) {
        if !self.facts.define(event.instrument, event.body()) {
            self.session.counts.undefined += 1;
        }
    }

    fn on_command(&mut self, event: &Event) {
        if event.body::<Command>().verb == Verb::KILL {
            self.ends.kill.store(true, Ordering::Release);
        }
    }

    /// A breaker may throw the kill switch as well as the operator.
    fn on_halt(&mut self, event: &Event) {
        if event.body::<Halt>().action == Action::Kill as u32 {
            self.ends.kill.store(true, Ordering::Release);
        }
    }

    fn on_session(&mut self, event: &Event) {
        let state = event.body::<crate::wire::control::Session>().state;
        match state {
            SessionState::CONNECTED => {
                if let Ok(stream) = self.ends.streams.try_recv() {
                    self.session.on_connected(stream, event.ts_recv);
                }
            }
            SessionState::UP => {}
            _ => self.session.on_down(event.ts_recv),
        }
    }

    fn on_admin(&mut self, event: &Event) {
        self.session.on_heard(event.ts_recv);
        let admin: &Admin = event.body();
        // A refused inquiry says nothing of its order: RISK asks again.
        let refused = self.session.on_admin(admin, event.ts_recv);
        if let Some(subject) = refused.filter(|subject| subject.wish != Wish::Inquiry) {
            self.reply(subject, Unsent::Refused, event);
        }
    }

    fn on_report(&mut self, event: &Event) {
        self.session.on_heard(event.ts_recv);
        self.on_known(event);
    }

    fn on_known(&mut self, event: &Event) {
        let report: &Report = event.body();
        let slot = &mut self.working[place(report.order)];
        if slot.id == report.order {
            // That a cancel of ours could not be sent is not the broker's word on the order.
            let own = report.event == ReportKind::CANCEL_REFUSED;
            slot.known |= !own || report.status != OrderStatus::UNKNOWN;
            // A leg's end is not the package's.
            let whole = report.leg == Report::WHOLE || !slot.combo;
            slot.open &= !(whole && report.status.is_end());
        }
    }

    fn on_order(&mut self, event: &Event) {
        if self.assembly.open {
            self.give_up(Unsent::Malformed, event);
        }
        self.assembly.order = *event.body();
        (self.assembly.filled, self.assembly.open) = (0, true);
        let legs = usize::from(self.assembly.order.legs);
        if legs == 0 || legs > LEGS_MAX {
            self.give_up(Unsent::Malformed, event);
        }
    }

    fn on_leg(&mut self, event: &Event) {
        match self.take_leg(event) {
            None => self.give_up(Unsent::Malformed, event),
            Some(false) => {}
            Some(true) => match self.send(event) {
                Ok(()) => {
                    self.assembly.open = false;
                    self.session.counts.orders += 1;
                    (self.ends.on_sent)(event);
                }
                Err(why) => self.give_up(why, event),
            },
        }
    }

    /// Whether the order is complete with this leg; `None` where the leg does not fit.
    fn take_leg(&mut self, event: &Event) -> Option<bool> {
        let leg: Leg = *event.body();
        let assembly = &mut self.assembly;
        let fits = leg.order == assembly.order.id
            && usize::from(leg.index) == assembly.filled
            && leg.side.unsigned_abs() == 1;
        if !assembly.open || !fits {
            return None;
        }
        assembly.legs[assembly.filled] = (leg, event.instrument);
        assembly.filled += 1;
        Some(assembly.filled == usize::from(assembly.order.legs))
    }

    /// The order and its legs go out, or the reason why not.
    fn send(&mut self, event: &Event) -> Result<(), Unsent> {
        if !self.session.takes_orders() {
            return Err(Unsent::NotLoggedOn);
        }
        let Assembly { order, legs, filled, .. } = &self.assembly;
        let mut named: [Option<LegFacts<'_>>; LEGS_MAX] = [None; LEGS_MAX];
        for (name, (leg, instrument)) in named.iter_mut().zip(&legs[..*filled]) {
            *name = Some((leg, self.facts.get(*instrument).ok_or(Unsent::Unknown)?));
        }
        let first = named[0].ok_or(Unsent::Malformed)?;
        let legs: [LegFacts<'_>; LEGS_MAX] = named.map(|leg| leg.unwrap_or(first));
        let legs = &legs[..*filled];
        // What leaves says exactly what was approved, and leaves once: never more than was meant.
        if self.working[place(order.id)].id == order.id {
            self.ends.kill.store(true, Ordering::Release);
            return Err(Unsent::Repeated);
        }
        let session = &mut self.session;
        let (seq, now) = (session.outbound.next(), event.ts_recv);
        let stamp = Stamp { seq, now, cause: event.ts_event };
        let message = session.encoder.order(order, legs, stamp).ok_or(Unsent::Malformed)?;
        if !says(message, order, legs) {
            self.ends.kill.store(true, Ordering::Release);
            return Err(Unsent::Mismatch);
        }
        // What was decided before the process stood still, or a disk did, is decided no more.
        let age = (self.ends.clock)().saturating_sub(event.ts_recv);
        if age > session.broker.decision_age.nanos() {
            return Err(Unsent::Late);
        }
        // The kill switch is the last thing that is asked. Once seen, it stays.
        self.killed |= self.ends.kill.load(Ordering::Acquire);
        if self.killed {
            return Err(Unsent::Killed);
        }
        session.outbound.keep(message, now);
        let sent = session.link.send(message);
        self.remember();
        self.session.after(now, sent.is_ok());
        Ok(())
    }

    fn remember(&mut self) {
        let Assembly { order, legs, filled, .. } = &self.assembly;
        let (leg, instrument) = legs[0];
        let single = *filled == 1;
        let ratio = if single { u64::from(leg.ratio) } else { 1 };
        self.working[place(order.id)] = Working {
            id: order.id,
            quantity: u64::from(order.quantity) * ratio,
            instrument,
            side: match (single, leg.side > 0) {
                (false, _) => b'B',
                (true, true) => b'1',
                (true, false) => b'2',
            },
            combo: !single,
            known: false,
            open: true,
        };
    }

    /// Cancels pass the kill switch and may wait behind other bytes.
    fn on_cancel(&mut self, event: &Event) {
        let cancel: Cancel = *event.body();
        let subject = Subject { order: cancel.order, wish: Wish::Cancel };
        if self.session.state != State::On {
            return self.reply(subject, Unsent::NotLoggedOn, event);
        }
        let slot = &mut self.working[place(cancel.order)];
        slot.open &= slot.id != cancel.order;
        match self.ask(cancel.id, cancel.order, Encoder::cancel, event) {
            Some(()) => self.session.counts.cancels += 1,
            None => self.reply(subject, Unsent::Malformed, event),
        }
    }

    /// One that is not sent is asked for again by RISK.
    fn on_inquiry(&mut self, event: &Event) {
        let inquiry: &Inquiry = event.body();
        if self.session.state == State::On
            && self.ask(inquiry.order, inquiry.order, Encoder::inquiry, event).is_some()
        {
            self.session.counts.inquiries += 1;
        }
    }

    /// Sends a message about an order; `None` where it cannot be said.
    fn ask(
        &mut self,
        id: u64,
        order: u64,
        write: for<'a> fn(&'a mut Encoder, &Target<'_>, Stamp) -> Option<&'a [u8]>,
        event: &Event,
    ) -> Option<()> {
        let slot = self.working[place(order)];
        let working = if slot.id == order { slot } else { NO_ORDER };
        let target = Target {
            id,
            order,
            side: working.side,
            quantity: working.quantity,
            facts: self.facts.get(working.instrument),
            combo: working.combo,
        };
        let (session, now) = (&mut self.session, event.ts_recv);
        let stamp = Stamp { seq: session.outbound.next(), now, cause: event.ts_event };
        let message = write(&mut session.encoder, &target, stamp)?;
        session.outbound.keep(message, now);
        let sent = session.link.send(message);
        session.after(now, sent.is_ok());
        Some(())
    }

    fn give_up(&mut self, why: Unsent, event: &Event) {
        if core::mem::replace(&mut self.assembly.open, false) {
            let subject = Subject { order: self.assembly.order.id, wish: Wish::Order };
            self.reply(subject, why, event);
        }
    }

    fn reply(&mut self, subject: Subject, why: Unsent, cause: &Event) {
        let counts = &mut self.session.counts;
        *match why {
            Unsent::NotLoggedOn => &mut counts.unsent,
            Unsent::Killed => &mut counts.killed,
            Unsent::Mismatch | Unsent::Repeated => &mut counts.mismatches,
            Unsent::Unknown => &mut counts.unknown,
            Unsent::Malformed => &mut counts.malformed,
            Unsent::Stale => &mut counts.stale,
            Unsent::Refused => &mut counts.refused,
            Unsent::Late => &mut counts.late,
        } += 1;
        (self.ends.reply)(unsent(subject, why, self.source, cause));
    }

    /// Goes on with a resend. Cancels and young orders go again; others are filled over, and said
    /// to be in doubt if the broker never spoke of them: it may ask for what it has.
    fn pump(&mut self, now: Timestamp) {
        let age_max = self.session.broker.resend_age.nanos();
        self.killed |= self.ends.kill.load(Ordering::Acquire);
        let Gate { session, ends, working, killed, source, .. } = self;
        let mut stale = 0;
        session.pump(now, |subject, at| {
            if subject.wish != Wish::Order || (!*killed && now.saturating_sub(at) <= age_max) {
                return true;
            }
            let slot = &mut working[place(subject.order)];
            if slot.id == subject.order && !slot.known {
                slot.known = true;
                stale += 1;
                let cause = Event { ts_recv: now, ..bytemuck::Zeroable::zeroed() };
                (ends.reply)(unsent(subject, Unsent::Stale, *source, &cause));
            }
            false
        });
        session.counts.stale += stale;
    }
}

fn place(order: u64) -> usize {
    order as usize & (WORKING - 1)
}

/// The report on an order or cancel that did not reach the broker, that the broker threw back as a
/// message, or of which nobody knows whether it did.
fn unsent(subject: Subject, why: Unsent, source: u16, cause: &Event) -> Event {
    let number = subject.order.to_le_bytes();
    let (event, status) = match (subject.wish, why) {
        (Wish::Cancel, _) => (ReportKind::CANCEL_REFUSED, OrderStatus::UNKNOWN),
        (_, Unsent::Stale) => (ReportKind::DOUBT, OrderStatus::UNKNOWN),
        _ => (ReportKind::REJECTED, OrderStatus::REJECTED),
    };
    let report = Report {
        order: subject.order,
        exec_id: hash(&[b"gate", &number, &[why as u8], &cause.seq.to_le_bytes()]),
        price: Price::UNDEF,
        quantity: 0,
        event,
        status,
        leg: Report::WHOLE,
        resent: 0,
    };
    Event { source, ..Event::new(Kind::REPORT, NO_INSTRUMENT, report) }
}

impl<K, R: FnMut(Event), F: FnMut(&Event), S: Stream> Emit<K, Cleared> for Gate<R, F, S> {
    #[inline]
    fn emit(&mut self, _: &mut K, cleared: &Cleared) {
        self.on_event(cleared.event());
    }
}

// Used by documentation and by the checks of the last moment.
const _: () = assert!(WORKING.is_power_of_two() && size_of::<Facts>() <= 320);
