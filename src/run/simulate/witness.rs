//! What goes in and comes out of the stages, as it happens; what must never be true of it, out.
//!
//! The witness keeps its own account of quotes, sessions, fills and orders, and holds each approval
//! against the limits as it reckons them itself; the venue's book is the truth about what is held
//! and what works. It shares no code with the chain, the book and the gate.

use super::{
    ledger::{Approved, Ledger},
    quotes::Quotes,
    round::Round,
};
use crate::{
    journal::Watch,
    risk::{Action, Limit, Limits},
    sim::{
        broker::Broker,
        fix::{Front, Message},
    },
    wire::{
        Event, Kind, NANOS_PER_SECOND, Timestamp,
        control::{Command, Session, SessionState, Verb},
        order::{Cancel, Halt, Leg, Order},
    },
};
use std::{
    cell::RefCell,
    collections::{BTreeSet, VecDeque},
    format, mem,
    rc::Rc,
    string::String,
    vec::Vec,
};

/// Units of a contract.
pub(super) const MULTIPLIER: i128 = 100;

/// Everything that was seen, and what was wrong with it.
pub(super) struct Witness {
    pub(super) violations: Vec<String>,
    /// What the stages saw, and what came out of them.
    pub(super) inputs: Vec<Event>,
    pub(super) outputs: Vec<Event>,
    pub(super) ledger: Ledger,
    /// Orders whose bytes were written, by any session.
    pub(super) written: BTreeSet<u64>,
    pub(super) watches: Option<[Watch; 2]>,
    /// What an earlier process saw and made: it must come again.
    before: [Vec<Event>; 2],
    reliving: bool,
    quotes: Quotes,
    broker: Rc<RefCell<Broker>>,
    broker_source: u16,
    limits: Limits,
    round: Round,
    pending: Option<Approved>,
    openings: VecDeque<Timestamp>,
    broker_up: bool,
    stopping: bool,
    leaving: bool,
    pub(super) killed: bool,
    halted: bool,
    /// A breaker allows only what reduces risk; and strategies that one has halted.
    reduced: bool,
    idle: Vec<u16>,
}

impl Witness {
    pub(super) fn new(
        limits: &Limits,
        fee: i64,
        broker_source: u16,
        broker: &Rc<RefCell<Broker>>,
    ) -> Witness {
        Witness {
            violations: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            ledger: Ledger::new(fee),
            written: BTreeSet::new(),
            watches: None,
            before: [Vec::new(), Vec::new()],
            reliving: false,
            quotes: Quotes::default(),
            broker: Rc::clone(broker),
            broker_source,
            limits: limits.clone(),
            round: Round::default(),
            pending: None,
            openings: VecDeque::new(),
            broker_up: false,
            stopping: false,
            leaving: false,
            killed: false,
            halted: false,
            reduced: false,
            idle: Vec::new(),
        }
    }

    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(what());
        }
    }

    /// The process has died: another one begins, and what is known is known of the journal alone.
    pub(super) fn restart(&mut self, limits: &Limits, fee: i64) {
        let fresh = Witness::new(limits, fee, self.broker_source, &self.broker);
        let old = mem::replace(self, fresh);
        (self.violations, self.written) = (old.violations, old.written);
        self.before = [old.inputs, old.outputs];
    }

    /// The recorded inputs come again from here on, or have all come.
    pub(super) fn relive(&mut self, reliving: bool) {
        self.reliving = reliving;
        if reliving {
            return;
        }
        let [inputs, outputs] = self.before.each_ref().map(Vec::len);
        let kept = [self.inputs.len(), self.outputs.len()];
        let holds = kept[0] >= inputs && kept[1] >= outputs;
        self.must(holds, || {
            format!("{inputs} inputs and {outputs} outputs, after a crash {kept:?}")
        });
    }

    /// What came before a crash comes again as it was.
    fn again(&mut self, stream: usize, number: usize, event: &Event) {
        let same = self.before[stream].get(number - 1).is_none_or(|e| e.bytes() == event.bytes());
        let name = ["input", "output"][stream];
        self.must(same, || format!("{name} {number} is not what it was before a crash"));
    }

    /// An input that the journal has, before any stage sees it.
    pub(super) fn on_input(&mut self, event: &Event) {
        let expected = self.inputs.len() as u64 + 1;
        self.must(event.seq == expected, || format!("input {} came as {expected}", event.seq));
        self.inputs.push(*event);
        self.again(0, self.inputs.len(), event);
        self.quotes.on_input(event);
        match event.kind {
            Kind::DEFINITION => self.ledger.define(event),
            Kind::REPORT => self.ledger.report(event.body()),
            Kind::POSITIONS => self.round.begin(event.body(), &self.ledger),
            Kind::POSITION => self.round.take(event.body(), &self.ledger),
            Kind::RUN => {
                self.quotes.lose_all();
                self.ledger.begin();
                self.round = Round::default();
                (self.broker_up, self.stopping, self.leaving) = (false, false, false);
            }
            Kind::SESSION if event.source == self.broker_source => {
                self.broker_up = event.body::<Session>().state == SessionState::UP;
                if !self.broker_up {
                    self.round = Round::default();
                }
            }
            Kind::COMMAND => match event.body::<Command>().verb {
                Verb::KILL => self.killed = true,
                Verb::LEAVE => self.leaving = true,
                Verb::STOP => self.stopping = true,
                _ => {}
            },
            _ => {}
        }
    }

    /// An output that RISK stands behind, before it is recorded.
    pub(super) fn on_output(&mut self, event: &Event) {
        self.outputs.push(*event);
        let number = self.outputs.len() as u64;
        self.again(1, self.outputs.len(), event);
        match event.kind {
            Kind::ORDER => {
                let head: Order = *event.body();
                self.pending = Some(Approved::new(head, event.ts_recv));
            }
            Kind::ORDER_LEG => self.on_leg(event, number),
            Kind::CANCEL => {
                let order = event.body::<Cancel>().order;
                let known = self.ledger.approved.contains_key(&order);
                self.must(known, || format!("a cancel of order {order:x}, which never was"));
            }
            Kind::AUDIT => self.round.ask(event.body()),
            Kind::HALT => {
                let halt: &Halt = event.body();
                self.halted |= halt.action == Action::Halt as u32;
                self.killed |= halt.action == Action::Kill as u32;
                let reduces = halt.action == Action::Reduce as u32;
                self.reduced |= reduces && halt.limit != Limit::HORIZON_LOSS.0;
                if halt.action == Action::HaltStrategy as u32 {
                    self.idle.push(halt.scope as u16);
                }
            }
            _ => {}
        }
    }

    fn on_leg(&mut self, event: &Event, number: u64) {
        let Some(mut order) = self.pending.take() else {
            return self.violations.push(format!("output {number}: a leg without an order"));
        };
        order.legs.push((event.instrument, *event.body::<Leg>()));
        order.last_output = number;
        if order.legs.len() < usize::from(order.head.legs) {
            self.pending = Some(order);
            return;
        }
        if !self.reliving {
            self.judge(&order);
        }
        let twice = self.ledger.approved.insert(order.head.id, order.clone()).is_some();
        self.must(!twice, || format!("order {:x} was approved twice", order.head.id));
    }

    /// All limits that can be reckoned anew, for one approval.
    fn judge(&mut self, order: &Approved) {
        let (id, now, opens) = (order.head.id, order.at, order.head.purpose.opens());
        let (up, killed) = (self.broker_up, self.killed);
        self.must(up, || format!("order {id:x} while the broker's session is down"));
        self.must(!killed, || format!("order {id:x} after the kill switch"));
        let leaving = self.leaving;
        self.must(!leaving, || format!("order {id:x} after the stop's time was over"));
        let doubts = self.ledger.doubts(&self.broker.borrow().exchange);
        self.must(doubts.is_empty(), || format!("order {id:x} while {doubts:x?} are in doubt"));
        for (instrument, _) in &order.legs {
            let trading = self.quotes.is_trading(*instrument);
            self.must(trading, || format!("order {id:x} on {instrument}, which does not trade"));
        }
        if !opens {
            return;
        }
        let (halted, stopping) = (self.halted, self.stopping);
        self.must(!halted && !stopping, || format!("order {id:x} opens after a halt or a stop"));
        let strategy = order.head.strategy;
        let less = self.reduced || self.idle.contains(&strategy);
        self.must(!less, || format!("order {id:x} of {strategy} opens after a breaker's word"));
        let sure = self.round.agrees || self.limits.reconcile_every.nanos() == 0;
        self.must(sure, || format!("order {id:x} opens while the broker may hold something else"));
        self.sizes(order);
        self.exposure(order);
        self.money(order);
        if let Some(what) = self.quotes.object(order, now, &self.limits) {
            self.violations.push(format!("order {id:x}: {what}"));
        }
        self.rate(now);
    }

    fn sizes(&mut self, order: &Approved) {
        let id = order.head.id;
        let most = order.legs.iter().map(|(_, leg)| order.contracts(leg)).max().unwrap_or(0);
        let bound = i64::from(self.limits.order_contracts_max);
        self.must(most <= bound, || format!("order {id:x}: {most} contracts, allowed {bound}"));
        let premium = order.premium().abs();
        let bound = money_of(self.limits.order_premium_max);
        self.must(premium <= bound, || format!("order {id:x}: premium {premium} over {bound}"));
        let loss = self.ledger.worst_loss(order);
        let bound = money_of(self.limits.order_loss_max);
        let holds = loss.is_some_and(|loss| loss <= bound);
        self.must(holds, || format!("order {id:x}: may lose {loss:?}, allowed {bound}"));
    }

    /// What would be held if everything that works at the venue, or is on its way there, filled.
    fn exposure(&mut self, order: &Approved) {
        let id = order.head.id;
        let bound = i64::from(self.limits.position_contracts_max);
        let exchange = &self.broker.borrow().exchange;
        for (instrument, leg) in &order.legs {
            let (long, short, odd) = self.ledger.exposure(*instrument, exchange);
            let wanted = order.contracts(leg);
            let most = if leg.side > 0 { long + wanted } else { short + wanted };
            if most > bound + odd {
                let what = format!("order {id:x}: {most} of {instrument}, allowed {bound}");
                self.violations.push(what);
            }
        }
        let (working, bound) =
            (self.ledger.working(exchange) + 1, u64::from(self.limits.working_orders_max));
        if working > bound {
            self.violations.push(format!("order {id:x}: {working} work, allowed {bound}"));
        }
    }

    fn money(&mut self, order: &Approved) {
        let id = order.head.id;
        let bound = money_of(self.limits.daily_loss_max);
        let loss = self.ledger.profit(&self.quotes).map(|profit| -profit);
        let holds = loss.is_some_and(|loss| loss <= bound);
        self.must(holds, || format!("order {id:x}: the day has lost {loss:?}, allowed {bound}"));
        let (odd, bound) = (self.ledger.odd, u64::from(self.limits.unreconciled_fills_max));
        self.must(odd <= bound, || format!("order {id:x}: {odd} unreconciled fills"));
    }

    fn rate(&mut self, now: Timestamp) {
        self.openings.push_back(now);
        while self.openings.front().is_some_and(|then| now - then >= NANOS_PER_SECOND) {
            self.openings.pop_front();
        }
        let bound = self.limits.message_rate_max + self.limits.message_burst;
        let many = self.openings.len();
        self.must(many <= bound as usize, || format!("{many} orders in a second, over {bound}"));
    }

    /// Bytes that the gate writes, before they are anywhere.
    pub(super) fn on_write(&mut self, bytes: &[u8]) {
        let Front::Whole(message, _) = Message::front(bytes) else { return };
        if !matches!(message.kind(), "D" | "AB") {
            return;
        }
        let Some(id) = message.order(11) else { return };
        let (killed, reliving) = (self.killed, self.reliving);
        self.must(!killed, || format!("order {id:x} was sent after the kill switch"));
        self.must(!reliving, || format!("order {id:x} was sent by a process that reads its past"));
        let Some(order) = self.ledger.approved.get(&id) else {
            return self.violations.push(format!("order {id:x} was sent without approval"));
        };
        let (output, input) = (order.last_output, self.inputs.len() as u64);
        let held = self.watches.as_ref().map(|watches| watches.each_ref().map(Watch::written));
        let held = held.unwrap_or_default();
        self.must(held[0] >= input, || format!("order {id:x}: input {input} is not journaled"));
        self.must(held[1] >= output, || format!("order {id:x}: output {output} is not recorded"));
        let again = message.get(43) == Some("Y");
        let old = self.ledger.is_old(id);
        self.must(!old, || format!("order {id:x} of an earlier process was sent"));
        let fresh = self.written.insert(id) || again;
        self.must(fresh, || format!("order {id:x} was sent twice"));
    }
}

/// An amount of the configuration in 1e-9.
pub(super) fn money_of(amount: f64) -> i128 {
    i128::from(crate::book::from_currency(amount))
}
