//! A client's bytes in; its session kept, its orders handed to the exchange, answers out.
//!
//! The seat outlives connections: sequence numbers and what was said while the client was away stay
//! with it, and are sent again when it asks.

use super::{
    Dice, Fault, Mischief,
    fix::{self, Body, Front, Message},
    market::Market,
    venue::{Exchange, Leg, News, Order, Told},
};
use crate::wire::Timestamp;
use alloc::{format, string::String, vec::Vec};

/// A message that was said: its type and body, `None` for the session's own.
type Said = Option<(&'static str, Body)>;

/// The broker's end of the session, with the exchange behind it.
#[derive(Debug)]
pub struct Broker {
    /// Where orders go.
    pub exchange: Exchange,
    /// Bytes on their way to the client.
    pub bytes: Vec<u8>,
    /// Whether a client is connected.
    pub connected: bool,
    /// Whether it has logged on.
    pub up: bool,
    /// The number that the client is to use next.
    pub next_in: u64,
    /// It is to be closed as soon as the bytes have left.
    pub closing: bool,
    said: Vec<Said>,
    heard: Vec<u8>,
    asked_to: u64,
    heartbeat_ns: u64,
    spoke: Timestamp,
}

impl Broker {
    /// Nobody was ever here.
    pub fn new(dice: &mut Dice) -> Broker {
        Broker {
            exchange: Exchange::new(dice),
            bytes: Vec::new(),
            connected: false,
            up: false,
            next_in: 1,
            closing: false,
            said: Vec::new(),
            heard: Vec::new(),
            asked_to: 0,
            heartbeat_ns: 1_000_000_000,
            spoke: 0,
        }
    }

    /// The number that the next message to the client gets.
    pub fn next_out(&self) -> u64 {
        self.said.len() as u64 + 1
    }

    /// A client has connected.
    pub fn on_connect(&mut self, now: Timestamp) {
        self.on_disconnect();
        (self.connected, self.spoke) = (true, now);
    }

    /// The connection is gone, with all that was on its way.
    pub fn on_disconnect(&mut self) {
        (self.connected, self.up, self.closing, self.asked_to) = (false, false, false, 0);
        self.bytes.clear();
        self.heard.clear();
    }

    /// Bytes of the client.
    pub fn on_bytes(&mut self, bytes: &[u8], market: &Market, now: Timestamp, bad: &mut Mischief) {
        self.heard.extend_from_slice(bytes);
        while self.connected && !self.closing {
            match Message::front(&self.heard) {
                Front::Whole(message, len) => {
                    self.heard.drain(..len);
                    self.on_message(&message, market, now, bad);
                }
                Front::Partial => return,
                Front::Broken(what) => {
                    self.exchange.offences.push(format!("bytes that are no FIX: {what}"));
                    return self.on_disconnect();
                }
            }
        }
    }

    /// News that are due, heartbeats, and what goes wrong with a session.
    pub fn on_time(&mut self, now: Timestamp, market: &Market, bad: &mut Mischief) {
        self.exchange.step(market, now, bad);
        while let Some(told) = self.exchange.due(now) {
            for body in reports(&told) {
                self.say(body.0, body.1, now, bad);
            }
        }
        if !self.up {
            return;
        }
        if now.saturating_sub(self.spoke) >= self.heartbeat_ns {
            self.say("0", Body::default(), now, bad);
        }
        if bad.strikes(Fault::Test) {
            self.say("1", Body::default().with(112, "ARE YOU THERE"), now, bad);
        }
        // Also for what it has and has not answered.
        if bad.strikes(Fault::Ask) {
            let begin = 1 + bad.below(self.next_in.saturating_sub(1));
            self.say("2", Body::default().with(7, begin).with(16, 0), now, bad);
        }
        if bad.strikes(Fault::Noise) {
            self.bytes.extend_from_slice(b"8=FIX.4.4\x019=5\x0135=0\x0110=000\x01");
        }
        if bad.strikes(Fault::Again) && !self.said.is_empty() {
            let seq = 1 + bad.below(self.said.len() as u64);
            self.repeat(seq, seq);
        }
        if bad.strikes(Fault::Goodbye) {
            self.log_out(now, bad, "Goodbye");
        }
    }

    /// Numbers and remembers a message; it leaves if the client is there to hear it.
    fn say(&mut self, kind: &'static str, body: Body, now: Timestamp, bad: &mut Mischief) {
        let seq = self.next_out();
        let session = matches!(kind, "0" | "1" | "2" | "4" | "5" | "A");
        let bytes = body.framed(&header(kind, seq, false));
        self.said.push((!session).then_some((kind, body)));
        let lost = kind != "A" && bad.strikes(Fault::Hole);
        if (self.up || kind == "A" || kind == "5") && self.connected && !lost {
            self.bytes.extend_from_slice(&bytes);
            self.spoke = now;
        }
    }

    fn log_out(&mut self, now: Timestamp, bad: &mut Mischief, text: &str) {
        self.say("5", Body::default().with(58, text), now, bad);
        (self.up, self.closing) = (false, true);
    }

    fn on_message(&mut self, m: &Message, market: &Market, now: Timestamp, bad: &mut Mischief) {
        let Some(seq) = m.number(34) else {
            self.exchange.offences.push("a message without number".into());
            return;
        };
        if m.get(49) != Some("ZOMMA") || m.get(56) != Some("MARKET") {
            self.exchange.offences.push("a message of somebody else".into());
        }
        if m.kind() == "A" {
            return self.on_logon(m, seq, now, bad);
        }
        if !self.up {
            return;
        }
        let again = m.get(43) == Some("Y");
        if seq > self.next_in {
            return self.ask(seq, now, bad);
        }
        if seq < self.next_in {
            if !again {
                self.exchange.offences.push(format!("number {seq} came twice"));
                self.log_out(now, bad, "MsgSeqNum too low");
            }
            return;
        }
        self.next_in += 1;
        match m.kind() {
            "1" => {
                let text = String::from(m.get(112).unwrap_or(""));
                self.say("0", Body::default().with(112, text), now, bad);
            }
            "2" => self.repeat(m.number(7).unwrap_or(1), m.number(16).unwrap_or(0)),
            "4" => self.next_in = self.next_in.max(m.number(36).unwrap_or(0)),
            "5" => self.log_out(now, bad, "Goodbye"),
            "D" | "AB" => match order(m, market) {
                Some(order) => self.exchange.on_order(order, now, bad),
                None => self.exchange.offences.push(format!("no order: {m:?}")),
            },
            "F" | "H" => self.on_request(m, now, bad),
            "AF" => self.exchange.on_status_of_all(now),
            "AN" => self.tell_positions(m, market, now, bad),
            "0" | "3" => {}
            kind => self.exchange.offences.push(format!("a message of type {kind}")),
        }
    }

    fn on_request(&mut self, m: &Message, now: Timestamp, bad: &mut Mischief) {
        match (m.kind(), m.order(41), m.order(11)) {
            ("F", Some(id), Some(request)) => self.exchange.on_cancel(id, request, now, bad),
            ("H", _, Some(id)) => self.exchange.on_status(id, now),
            _ => self.exchange.offences.push(format!("no request: {m:?}")),
        }
    }

    /// What is booked at this instant; what was traded and not told yet is part of it.
    fn tell_positions(&mut self, m: &Message, market: &Market, now: Timestamp, bad: &mut Mischief) {
        let positions = self.exchange.positions();
        let result = if positions.is_empty() { 2 } else { 0 };
        let head = || {
            let request = m.get(710).unwrap_or("");
            let head = Body::default().with(721, "P").with(710, request).with(728, result);
            head.with(727, positions.len())
        };
        self.say("AO", head().with(729, 0), now, bad);
        for (place, contracts) in &positions {
            let contract = &market.contracts[*place];
            let named = head()
                .with(55, "SPXW")
                .with(541, "20250910")
                .with(202, fix::price(contract.strike))
                .with(461, if contract.call { "OCXXXX" } else { "OPXXXX" });
            let (long, short) = ((*contracts).max(0), (-contracts).max(0));
            let body = named.with(702, 1).with(703, "TOT").with(704, long).with(705, short);
            self.say("AP", body, now, bad);
        }
    }

    fn on_logon(&mut self, m: &Message, seq: u64, now: Timestamp, bad: &mut Mischief) {
        let reset = m.get(141) == Some("Y");
        if reset {
            self.next_in = 1;
            self.said.clear();
        }
        if seq < self.next_in {
            self.exchange.offences.push(format!("logon {seq} is below {}", self.next_in));
            return self.log_out(now, bad, "MsgSeqNum too low");
        }
        self.heartbeat_ns = m.number(108).unwrap_or(1).max(1) * 1_000_000_000;
        self.up = true;
        let body = Body::default().with(98, 0).with(108, self.heartbeat_ns / 1_000_000_000);
        let body = if reset { body.with(141, "Y") } else { body };
        self.say("A", body, now, bad);
        if seq > self.next_in {
            self.ask(seq, now, bad);
        } else {
            self.next_in = seq + 1;
        }
    }

    /// Asks once for what is missing.
    fn ask(&mut self, seq: u64, now: Timestamp, bad: &mut Mischief) {
        if self.next_in > self.asked_to {
            self.asked_to = seq;
            self.say("2", Body::default().with(7, self.next_in).with(16, 0), now, bad);
        }
    }

    /// Says again what was said under these numbers, and fills over the session's own messages.
    fn repeat(&mut self, begin: u64, end: u64) {
        let newest = self.said.len() as u64;
        let end = if end == 0 { newest } else { end.min(newest) };
        let mut gap = None;
        let mut bytes = Vec::new();
        for seq in begin.max(1)..=end {
            match &self.said[seq as usize - 1] {
                Some((kind, body)) => {
                    bytes.extend(gap.take().map_or(Vec::new(), |from| gap_fill(from, seq)));
                    bytes.extend(body.framed(&header(kind, seq, true)));
                }
                None => gap = gap.or(Some(seq)),
            }
        }
        bytes.extend(gap.map_or(Vec::new(), |from| gap_fill(from, end + 1)));
        if self.up {
            self.bytes.extend(bytes);
        }
    }
}

fn header(kind: &str, seq: u64, again: bool) -> Body {
    let header = Body::default().with(35, kind).with(49, "MARKET").with(56, "ZOMMA").with(34, seq);
    let header = if again { header.with(43, "Y") } else { header };
    header.with(52, "20250910-14:00:00.000")
}

fn gap_fill(from: u64, next: u64) -> Vec<u8> {
    Body::default().with(123, "Y").with(36, next).framed(&header("4", from, true))
}

/// The order that a message asks for, its limit per package with the sign of what is paid.
fn order(m: &Message, market: &Market) -> Option<Order> {
    let quantity = u32::try_from(m.number(38)?).ok()?;
    let (id, price) = (m.order(11)?, m.decimal(44)?);
    if m.get(40) != Some("2") || quantity == 0 {
        return None;
    }
    let side = |text: Option<&str>| match text {
        Some("1") => Some(1),
        Some("2") => Some(-1),
        _ => None,
    };
    if m.kind() == "D" {
        let place = place(market, m, [55, 541, 202, 461])?;
        let side = side(m.get(54))?;
        let legs = Vec::from([Leg { place, side, ratio: 1 }]);
        return Some(Order::new(id, legs, side * price, quantity));
    }
    let leg = |entry: &Message| {
        let place = place(market, entry, [600, 611, 612, 608])?;
        let ratio = u32::try_from(entry.number(623)?).ok()?;
        Some(Leg { place, side: side(entry.get(624))?, ratio })
    };
    let legs: Vec<Leg> = m.group(600).iter().map(leg).collect::<Option<_>>()?;
    (m.number(555) == Some(legs.len() as u64)).then(|| Order::new(id, legs, price, quantity))
}

/// The contract that fields name: symbol, date, strike, code.
fn place(market: &Market, m: &Message, tags: [u32; 4]) -> Option<usize> {
    let named = m.get(tags[0]) == Some("SPXW") && m.get(tags[1]) == Some("20250910");
    let (strike, call) = (m.decimal(tags[2])?, m.get(tags[3])?.starts_with("OC"));
    let mut contracts = market.contracts.iter();
    contracts.position(|c| c.strike == strike && c.call == call).filter(|_| named)
}

/// The messages that tell news.
fn reports(told: &Told) -> Vec<(&'static str, Body)> {
    let order = &told.order;
    let base = |execution: String, event: char, status: char| {
        Body::default()
            .with(37, format!("M{}", order.id))
            .with(17, execution)
            .with(150, event)
            .with(39, status)
            .with(38, order.quantity)
            .with(14, order.filled)
    };
    let name = |what: &str| format!("{what}{:x}-{}", order.id, told.due);
    let whole = |what: &str, event: char, status: char| {
        base(name(what), event, status).with(442, 3).with_order(11, order.id)
    };
    match &told.news {
        News::New => Vec::from([("8", whole("N", '0', '0'))]),
        News::Rejected => Vec::from([("8", whole("J", '8', '8'))]),
        News::Expired => Vec::from([("8", whole("X", 'C', 'C'))]),
        News::Status(status) => Vec::from([("8", whole("S", 'I', *status))]),
        News::Canceled(None) => Vec::from([("8", whole("C", '4', '4'))]),
        News::Canceled(Some(request)) => {
            let body = base(name("C"), '4', '4').with(442, 3);
            Vec::from([("8", body.with_order(41, order.id).with_order(11, *request))])
        }
        News::CancelRefused(request, status) => {
            let body = Body::default().with(39, status).with(434, 1).with(102, 0);
            Vec::from([("9", body.with_order(41, order.id).with_order(11, *request))])
        }
        News::Filled(packages, prices, execution, status) => {
            fills(order, *packages, prices, *execution, *status)
        }
    }
}

fn fills(
    order: &Order,
    packages: u32,
    prices: &[i64],
    execution: u64,
    status: char,
) -> Vec<(&'static str, Body)> {
    let report = |name: String, quantity: u32, price: i64| {
        Body::default()
            .with(37, format!("M{}", order.id))
            .with_order(11, order.id)
            .with(17, name)
            .with(150, 'F')
            .with(39, status)
            .with(32, quantity)
            .with(31, fix::price(price))
    };
    if let ([leg], [price]) = (order.legs.as_slice(), prices) {
        return Vec::from([("8", report(format!("E{execution}"), packages * leg.ratio, *price))]);
    }
    let legs = order.legs.iter().zip(prices).enumerate();
    let mut all: Vec<_> = legs
        .map(|(i, (leg, price))| {
            let name = format!("E{execution}L{i}");
            ("8", report(name, packages * leg.ratio, *price).with(442, 2).with(654, i))
        })
        .collect();
    all.push(("8", report(format!("E{execution}W"), packages, 0).with(442, 3)));
    all
}
