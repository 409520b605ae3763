//! All order clients: bytes by connection in; requests to the exchange and bytes to send out.

use super::{
    codec::{Body, Message, Parsed, parse},
    orders::{Refused, order_of},
    positions::{acknowledged, position},
    reports::{Echo, refused, reports},
    session::{Action, Peer, Seat},
};
use crate::{
    catalog::Catalog,
    venue::{Exchange, Execution},
};
use std::collections::HashMap;

/// What a client asked of the exchange, for the latency statistics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// SecondaryClOrdID: the exchange's time of the record that caused the order.
    pub caused_by: Option<u64>,
}

/// One connection.
#[derive(Debug)]
struct Line {
    peer: Peer,
    seat: Option<usize>,
    inbox: Vec<u8>,
    /// Bytes to send.
    out: Vec<u8>,
    closing: bool,
}

/// Clients, their connections and what they wrote on their orders.
#[derive(Debug, Default)]
pub struct Desk {
    seats: Vec<Seat>,
    lines: HashMap<u64, Line>,
    echoes: HashMap<(usize, String), Echo>,
    refusals: u64,
    /// Orders received.
    pub orders: u64,
    /// Cancels received.
    pub cancels: u64,
    /// Inquiries after orders received.
    pub inquiries: u64,
    /// Questions for all open orders received.
    pub audits: u64,
    /// Fills told, packages.
    pub packages: u64,
}

impl Desk {
    /// A connection was opened.
    pub fn open(&mut self, id: u64, now: u64) {
        let (inbox, out) = (Vec::new(), Vec::new());
        let line = Line { peer: Peer::new(now), seat: None, inbox, out, closing: false };
        self.lines.insert(id, line);
    }

    /// A connection is gone; its client's numbers stay.
    pub fn close(&mut self, id: u64) {
        self.lines.remove(&id);
    }

    /// The bytes to send on a connection, and whether it is to be closed after them.
    pub fn outbox(&mut self, id: u64) -> Option<(&mut Vec<u8>, bool)> {
        self.lines.get_mut(&id).map(|line| (&mut line.out, line.closing))
    }

    /// Whether any client is logged on.
    pub fn is_up(&self) -> bool {
        self.lines.values().any(|line| line.peer.up)
    }

    /// Bytes of a connection, received at `now`. Orders go to the exchange at once.
    pub fn on_bytes(
        &mut self,
        id: u64,
        bytes: &[u8],
        now: u64,
        exchange: &mut Exchange,
        catalog: &Catalog,
        each: &mut dyn FnMut(Request),
    ) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.inbox.extend_from_slice(bytes);
        loop {
            let Some(line) = self.lines.get_mut(&id).filter(|l| !l.closing) else { return };
            let (used, message) = match parse(&line.inbox) {
                Parsed::Partial => return,
                Parsed::Garbage(skip) => (skip, None),
                Parsed::Whole(message, used) => (used, Some(message)),
            };
            line.inbox.drain(..used);
            if let Some(message) = message {
                self.on_message(id, message, now, exchange, catalog, each);
            }
        }
    }

    /// Time passes: session duties of all connections.
    pub fn on_time(&mut self, now: u64) {
        for line in self.lines.values_mut() {
            let Some(seat) = line.seat else { continue };
            if line.peer.on_time(&mut self.seats[seat], now, &mut line.out) == Action::Close {
                line.closing = true;
            }
        }
    }

    /// Tells owners what has happened to their orders.
    pub fn tell(&mut self, executions: Vec<Execution>, catalog: &Catalog, now: u64) {
        for execution in executions {
            let key = (execution.owner, execution.order.client_id.clone());
            let echo = self.echoes.get(&key).cloned().unwrap_or_default();
            if let crate::venue::Outcome::Filled { packages, .. } = execution.outcome {
                self.packages += u64::from(packages);
            }
            for (kind, body) in reports(&execution, &echo, catalog, now) {
                self.say(execution.owner, kind, body, now);
            }
        }
    }

    /// Says goodbye to everybody.
    pub fn logout(&mut self, text: &str, now: u64) {
        for line in self.lines.values_mut().filter(|line| line.peer.up) {
            if let Some(seat) = line.seat {
                line.peer.logout(&mut self.seats[seat], text, now, &mut line.out);
                line.closing = true;
            }
        }
    }

    fn on_message(
        &mut self,
        id: u64,
        message: Message,
        now: u64,
        exchange: &mut Exchange,
        catalog: &Catalog,
        each: &mut dyn FnMut(Request),
    ) {
        let Some(seat) = self.seat_of(id, &message) else { return };
        let Some(line) = self.lines.get_mut(&id) else { return };
        match line.peer.on_message(&mut self.seats[seat], message, now, &mut line.out) {
            Action::None => {}
            Action::Close => line.closing = true,
            Action::Apply(message) => self.apply(seat, &message, now, exchange, catalog, each),
        }
    }

    /// The client of a connection, by the CompIDs of its first message.
    fn seat_of(&mut self, id: u64, message: &Message) -> Option<usize> {
        let line = self.lines.get_mut(&id)?;
        if line.seat.is_some() {
            return line.seat;
        }
        let (Some(name), Some(us)) = (message.get(49), message.get(56)) else {
            line.closing = true;
            return None;
        };
        let known = self.seats.iter().position(|s| s.name == name && s.our_name == us);
        let seat = known.unwrap_or(self.seats.len());
        if known.is_none() {
            self.seats.push(Seat::new(name, us));
        }
        line.seat = Some(seat);
        // A second connection under the same name replaces the first.
        for (other, line) in &mut self.lines {
            if *other != id && line.seat == Some(seat) {
                line.closing = true;
                line.peer.up = false;
                line.seat = None;
            }
        }
        Some(seat)
    }

    fn apply(
        &mut self,
        seat: usize,
        message: &Message,
        now: u64,
        exchange: &mut Exchange,
        catalog: &Catalog,
        each: &mut dyn FnMut(Request),
    ) {
        match message.kind() {
            "D" | "AB" => {
                self.orders += 1;
                each(Request { caused_by: message.number(526) });
                self.order(seat, message, now, exchange, catalog);
            }
            "F" => {
                self.cancels += 1;
                let id = message.get(11).unwrap_or("").into();
                let target = message.get(41).unwrap_or("").into();
                exchange.cancel(seat, id, target, now);
            }
            "H" => {
                self.inquiries += 1;
                exchange.inquire(seat, message.get(11).unwrap_or("").into(), now);
            }
            // What has happened is told before what it has led to.
            "AF" | "AN" => {
                self.tell(exchange.take_executions(), catalog, now);
                match message.kind() {
                    "AF" => self.list_orders(seat, message, exchange, catalog, now),
                    _ => self.list_positions(seat, message, exchange, catalog, now),
                }
            }
            kind => {
                let body = Body::default()
                    .with_some(45, message.get(34))
                    .with(372, kind)
                    .with(380, 3)
                    .with(58, "unsupported message type");
                self.say(seat, "j", body, now);
            }
        }
    }

    fn list_orders(
        &mut self,
        seat: usize,
        message: &Message,
        exchange: &mut Exchange,
        catalog: &Catalog,
        now: u64,
    ) {
        self.audits += 1;
        let open = exchange.open_orders(seat);
        let all = open.len();
        for (number, execution) in (1..).zip(open) {
            let key = (seat, execution.order.client_id.clone());
            let echo = self.echoes.get(&key).cloned().unwrap_or_default();
            for (kind, body) in reports(&execution, &echo, catalog, now) {
                let body = body.with_some(584, message.get(584)).with(911, all);
                self.say(seat, kind, body.with_some(912, (number == all).then_some("Y")), now);
            }
        }
    }

    fn list_positions(
        &mut self,
        seat: usize,
        message: &Message,
        exchange: &Exchange,
        catalog: &Catalog,
        now: u64,
    ) {
        let held = exchange.positions(seat, catalog);
        let asked = message.get(710).unwrap_or("");
        self.say(seat, "AO", acknowledged(message, held.len()), now);
        for (number, (index, contracts)) in held.iter().enumerate() {
            let listed = &catalog.listed[*index as usize];
            let name = format!("P{asked}-{number}");
            self.say(seat, "AP", position(message, &name, held.len(), listed, *contracts), now);
        }
    }

    fn order(
        &mut self,
        seat: usize,
        message: &Message,
        now: u64,
        exchange: &mut Exchange,
        catalog: &Catalog,
    ) {
        match order_of(message, seat, catalog) {
            Ok(order) => {
                let key = (seat, order.client_id.clone());
                self.echoes.entry(key).or_insert_with(|| Echo::of(message));
                exchange.submit(order, now);
            }
            Err(Refused(code, text)) => {
                self.refusals += 1;
                let body = refused(message, self.refusals, code, &text, now);
                self.say(seat, "8", body, now);
            }
        }
    }

    /// To the client if it is there; remembered for its resend request where it is not.
    fn say(&mut self, seat: usize, kind: &'static str, body: Body, now: u64) {
        let bytes = self.seats[seat].say(kind, body, now);
        let there = |line: &&mut Line| line.seat == Some(seat) && line.peer.up;
        if let Some(line) = self.lines.values_mut().find(there) {
            line.out.extend(bytes);
            line.peer.spoke(now);
        }
    }
}
