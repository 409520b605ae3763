//! Messages of one client in; session duties done (logon, heartbeats, gaps, resends), bytes out.
//!
//! A [`Seat`] is a client by name and outlives its connections: sequence numbers and what was said
//! while it was away stay with it.

use super::codec::{Body, Message, frame};
use crate::clock::fix_time;

/// What was sent under one sequence number.
#[derive(Clone, Debug)]
struct Sent {
    kind: &'static str,
    time: u64,
    body: Body,
}

/// A client by its CompID.
#[derive(Debug, Default)]
pub struct Seat {
    /// Its CompID.
    pub name: String,
    /// Ours, as it calls us.
    pub our_name: String,
    /// The next sequence number that it is to use.
    pub next_in: u64,
    /// By sequence number − 1; `None` for session messages, which are never sent again.
    sent: Vec<Option<Sent>>,
}

/// What the caller does after a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Nothing more.
    None,
    /// An application message in its turn.
    Apply(Message),
    /// Close the connection when all is sent.
    Close,
}

/// One connection of a client.
#[derive(Debug, Default)]
pub struct Peer {
    /// Whether it has logged on.
    pub up: bool,
    heartbeat_ns: u64,
    heard: u64,
    spoke: u64,
    /// When a test request went out that nothing has answered.
    tested: Option<u64>,
    /// The end of a gap that was asked for: not asked for again before it is filled.
    asked_to: u64,
}

impl Seat {
    /// A client that was never here.
    pub fn new(name: &str, our_name: &str) -> Seat {
        Seat { name: name.into(), our_name: our_name.into(), next_in: 1, sent: Vec::new() }
    }

    /// Numbers, remembers and frames a message; the bytes go to the client if it is there.
    pub fn say(&mut self, kind: &'static str, body: Body, now: u64) -> Vec<u8> {
        let session = matches!(kind, "0" | "1" | "2" | "3" | "4" | "5" | "A");
        let bytes = self.framed(kind, self.sent.len() as u64 + 1, now, None, &body);
        self.sent.push((!session).then_some(Sent { kind, time: now, body }));
        bytes
    }

    /// The number that the next message to the client gets.
    pub fn next_out(&self) -> u64 {
        self.sent.len() as u64 + 1
    }

    fn framed(&self, kind: &str, seq: u64, now: u64, first: Option<u64>, body: &Body) -> Vec<u8> {
        let header = Body::default()
            .with(35, kind)
            .with(49, &self.our_name)
            .with(56, &self.name)
            .with(34, seq)
            .with_some(43, first.map(|_| "Y"))
            .with(52, fix_time(now))
            .with_some(122, first.map(fix_time));
        frame(&header, body)
    }

    /// What a resend request asks for: reports again, gap fills in place of session messages.
    fn again(&self, begin: u64, end: u64, now: u64) -> Vec<u8> {
        let last = self.sent.len() as u64;
        let end = if end == 0 { last } else { end.min(last) };
        let (mut bytes, mut gap) = (Vec::new(), None);
        let fill = |from: Option<u64>, to: u64, bytes: &mut Vec<u8>| {
            if let Some(from) = from {
                let body = Body::default().with(123, "Y").with(36, to);
                bytes.extend(self.framed("4", from, now, Some(now), &body));
            }
        };
        for seq in begin.max(1)..=end {
            match &self.sent[seq as usize - 1] {
                Some(sent) => {
                    fill(gap.take(), seq, &mut bytes);
                    bytes.extend(self.framed(sent.kind, seq, now, Some(sent.time), &sent.body));
                }
                None => gap = gap.or(Some(seq)),
            }
        }
        fill(gap, end + 1, &mut bytes);
        bytes
    }
}

impl Peer {
    /// A connection that was opened at `now`.
    pub fn new(now: u64) -> Peer {
        Peer { heard: now, spoke: now, heartbeat_ns: 30_000_000_000, ..Peer::default() }
    }

    /// Something was sent.
    pub fn spoke(&mut self, now: u64) {
        self.spoke = now;
    }

    /// A message of the client, in the order of arrival.
    pub fn on_message(
        &mut self,
        seat: &mut Seat,
        message: Message,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Action {
        self.heard = now;
        self.tested = None;
        let Some(seq) = message.number(34) else {
            return self.logout(seat, "MsgSeqNum missing", now, out);
        };
        if message.kind() == "A" {
            return self.logon(seat, &message, seq, now, out);
        }
        if !self.up {
            return Action::Close;
        }
        // Reset mode sets the number whatever the message's own is.
        if message.kind() == "4" && !message.is_yes(123) {
            seat.next_in = message.number(36).unwrap_or(seat.next_in);
            return Action::None;
        }
        if seq > seat.next_in {
            self.ask_for_gap(seat, seq, now, out);
            return Action::None;
        }
        if seq < seat.next_in {
            if message.is_yes(43) {
                return Action::None;
            }
            let text = format!("MsgSeqNum too low, expecting {} but received {seq}", seat.next_in);
            return self.logout(seat, &text, now, out);
        }
        seat.next_in += 1;
        self.in_turn(seat, message, now, out)
    }

    /// Time passes: heartbeats, test requests, silence.
    pub fn on_time(&mut self, seat: &mut Seat, now: u64, out: &mut Vec<u8>) -> Action {
        if !self.up {
            return Action::None;
        }
        if now.saturating_sub(self.spoke) >= self.heartbeat_ns {
            out.extend(seat.say("0", Body::default(), now));
            self.spoke = now;
        }
        let silent = now.saturating_sub(self.heard);
        match self.tested {
            None if silent > self.heartbeat_ns * 6 / 5 => {
                out.extend(seat.say("1", Body::default().with(112, "ARE-YOU-THERE"), now));
                self.tested = Some(now);
            }
            Some(then) if now - then > self.heartbeat_ns => {
                return self.logout(seat, "No answer to a test request", now, out);
            }
            _ => {}
        }
        Action::None
    }

    /// Says goodbye.
    pub fn logout(&mut self, seat: &mut Seat, text: &str, now: u64, out: &mut Vec<u8>) -> Action {
        out.extend(seat.say("5", Body::default().with(58, text), now));
        self.up = false;
        Action::Close
    }

    fn logon(
        &mut self,
        seat: &mut Seat,
        message: &Message,
        seq: u64,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Action {
        let reset = message.is_yes(141);
        if reset {
            seat.next_in = 1;
            seat.sent.clear();
        }
        if seq < seat.next_in && !message.is_yes(43) {
            let text = format!("MsgSeqNum too low, expecting {} but received {seq}", seat.next_in);
            return self.logout(seat, &text, now, out);
        }
        let seconds = message.number(108).unwrap_or(30).min(3600);
        self.heartbeat_ns = seconds.max(1) * 1_000_000_000;
        self.up = true;
        let body =
            Body::default().with(98, 0).with(108, seconds).with_some(141, reset.then_some("Y"));
        out.extend(seat.say("A", body, now));
        self.spoke = now;
        if seq > seat.next_in {
            self.ask_for_gap(seat, seq, now, out);
        } else {
            seat.next_in = seq + 1;
        }
        Action::None
    }

    fn in_turn(
        &mut self,
        seat: &mut Seat,
        message: Message,
        now: u64,
        out: &mut Vec<u8>,
    ) -> Action {
        match message.kind() {
            "0" | "3" => Action::None,
            "1" => {
                let body = Body::default().with_some(112, message.get(112));
                out.extend(seat.say("0", body, now));
                self.spoke = now;
                Action::None
            }
            "2" => {
                let (begin, end) =
                    (message.number(7).unwrap_or(1), message.number(16).unwrap_or(0));
                out.extend(seat.again(begin, end, now));
                self.spoke = now;
                Action::None
            }
            "4" => {
                let next = message.number(36).unwrap_or(seat.next_in);
                seat.next_in = seat.next_in.max(next);
                Action::None
            }
            "5" => self.logout(seat, "Goodbye", now, out),
            _ => Action::Apply(message),
        }
    }

    fn ask_for_gap(&mut self, seat: &mut Seat, seq: u64, now: u64, out: &mut Vec<u8>) {
        if seat.next_in <= self.asked_to {
            return;
        }
        self.asked_to = seq;
        out.extend(seat.say("2", Body::default().with(7, seat.next_in).with(16, 0), now));
        self.spoke = now;
    }
}
