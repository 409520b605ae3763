//! The outbound half of the session: events about the broker in, session messages and resends out.

use super::{
    Counts,
    encoder::Encoder,
    link::{Link, Stream},
    settings::Broker,
};
use crate::{
    feed::fix::{field::Fields, store::Outbound},
    wire::{
        Timestamp,
        audit::Audit,
        order::{Admin, AdminKind, order_of},
    },
};
use std::string::String;

/// Where the session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// No connection.
    Off,
    /// Logon sent, not answered.
    LoggingOn,
    /// Orders may be sent.
    On,
    /// Logout sent, not answered.
    LoggingOff,
}

/// What a message that was sent is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Subject {
    /// The order.
    pub(super) order: u64,
    /// What it asked for.
    pub(super) wish: Wish,
}

/// What a message about an order asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    /// The order itself.
    Order,
    /// That it be canceled.
    Cancel,
    /// How it stands.
    Inquiry,
}

/// Numbers of what is being sent again.
#[derive(Debug)]
struct Resend {
    next: u64,
    last: u64,
}

/// Numbers, times, the link and the state.
#[derive(Debug)]
pub(super) struct Session<S> {
    pub(super) broker: Broker,
    pub(super) encoder: Encoder,
    pub(super) outbound: Outbound,
    pub(super) link: Link<S>,
    pub(super) state: State,
    pub(super) counts: Counts,
    password: String,
    /// When the state was entered.
    since: Timestamp,
    /// When something was last sent, heard.
    sent: Timestamp,
    heard: Timestamp,
    /// A TestRequest is under way.
    tested: bool,
    resend: Option<Resend>,
    /// Numbers below it are those of an earlier process: nothing of them is sent again, and the
    /// broker's answers to inquiries say what became of its orders.
    floor: u64,
}

/// Encodes with the next number, keeps (session messages: the number alone) and sends.
macro_rules! transmit {
    ($session:expr, $now:expr, |$seq:ident| $message:expr) => {{
        let $seq = $session.outbound.next();
        if let Some(message) = $message {
            $session.outbound.keep(&[], $now);
            let sent = $session.link.send(message);
            $session.after($now, sent.is_ok());
        }
    }};
}

impl<S: Stream> Session<S> {
    pub(super) fn new(broker: Broker, password: String, outbound: Outbound) -> Session<S> {
        Session {
            floor: outbound.next(),
            encoder: Encoder::new(&broker),
            broker,
            outbound,
            link: Link::new(),
            state: State::Off,
            counts: Counts::default(),
            password,
            since: 0,
            sent: 0,
            heard: 0,
            tested: false,
            resend: None,
        }
    }

    fn enter(&mut self, state: State, now: Timestamp) {
        (self.state, self.since) = (state, now);
    }

    /// After a write: counts it, or gives the connection up.
    #[inline]
    pub(super) fn after(&mut self, now: Timestamp, whole: bool) {
        self.sent = now;
        if whole {
            self.counts.messages += 1;
        } else {
            self.counts.broken += 1;
            self.on_down(now);
        }
    }

    pub(super) fn on_connected(&mut self, stream: S, now: Timestamp) {
        if self.link.connect(stream).is_err() {
            self.counts.broken += 1;
            return self.on_down(now);
        }
        (self.resend, self.tested, self.heard) = (None, false, now);
        self.enter(State::LoggingOn, now);
        if self.broker.reset_on_logon {
            self.outbound.set_next(1);
            self.floor = 1;
        }
        let password = &self.password;
        transmit!(self, now, |seq| self.encoder.logon(&self.broker, password, seq, now));
        self.encoder.wipe();
    }

    pub(super) fn on_down(&mut self, now: Timestamp) {
        self.link.disconnect();
        self.resend = None;
        self.enter(State::Off, now);
    }

    pub(super) fn on_heard(&mut self, now: Timestamp) {
        (self.heard, self.tested) = (now, false);
    }

    /// Answers a session message. What it says about one of our own messages is given back.
    pub(super) fn on_admin(&mut self, admin: &Admin, now: Timestamp) -> Option<Subject> {
        let (begin, end) = admin.begin_end();
        match admin.kind {
            AdminKind::LOGON if self.link.is_connected() => self.enter(State::On, now),
            AdminKind::TEST => {
                let text = &admin.text[..usize::from(admin.len).min(admin.text.len())];
                self.admin(b"0", (b"112=", text), now);
            }
            AdminKind::RESEND => self.on_resend_request(begin, end),
            AdminKind::GAP => {
                self.counts.gaps_in += 1;
                transmit!(self, now, |seq| self.encoder.resend_request(begin, seq, now));
            }
            AdminKind::LOGOUT => {
                if self.state != State::LoggingOff {
                    self.admin(b"5", (b"58=", b""), now);
                }
                self.on_down(now);
            }
            AdminKind::TOO_LOW => {
                self.counts.too_low += 1;
                self.admin(b"5", (b"58=", b"MsgSeqNum too low"), now);
                self.on_down(now);
            }
            AdminKind::REJECT => {
                self.counts.rejects += 1;
                return self.subject(begin);
            }
            _ => {}
        }
        None
    }

    /// Sends a session message with one field of text.
    fn admin(&mut self, kind: &[u8], text: (&[u8], &[u8]), now: Timestamp) {
        transmit!(self, now, |seq| self.encoder.admin(kind, text, seq, now));
    }

    /// Asks for all open orders, then for all positions. Neither is sent again on request: RISK
    /// asks anew.
    pub(super) fn audit(&mut self, audit: &Audit, now: Timestamp) {
        if self.state != State::On {
            return;
        }
        let request = audit.request;
        transmit!(self, now, |seq| self.encoder.all_orders(request, seq, now));
        if self.link.is_connected() {
            transmit!(self, now, |seq| self.encoder.all_positions(&self.broker, request, seq, now));
            self.counts.audits += 1;
        }
    }

    /// Says goodbye; the connection is dropped when the broker has answered.
    pub(super) fn log_out(&mut self, now: Timestamp) {
        if self.state == State::On {
            self.admin(b"5", (b"58=", b""), now);
            if self.link.is_connected() {
                self.enter(State::LoggingOff, now);
            }
        } else {
            self.on_down(now);
        }
    }

    /// A moment passed: heartbeats, silence, answers that do not come, what waits.
    pub(super) fn on_beat(&mut self, now: Timestamp) {
        if !self.link.is_connected() {
            return;
        }
        if self.link.flush().is_err() {
            self.counts.broken += 1;
            return self.on_down(now);
        }
        let beat = self.broker.heartbeat.nanos();
        let waiting = now.saturating_sub(self.since) > self.broker.answer.nanos();
        let silent = now.saturating_sub(self.heard);
        match self.state {
            State::LoggingOn | State::LoggingOff if waiting => self.time_out(now),
            // FIX allows for the time that messages travel: a fifth of the interval is usual.
            State::On if silent > beat * 2 + beat / 5 => self.time_out(now),
            State::On if silent > beat + beat / 5 && !self.tested => {
                self.tested = true;
                self.counts.tests += 1;
                self.admin(b"1", (b"112=", b"ZOMMA"), now);
            }
            State::On if now.saturating_sub(self.sent) >= beat => {
                self.admin(b"0", (b"112=", b""), now);
            }
            _ => {}
        }
    }

    fn time_out(&mut self, now: Timestamp) {
        self.counts.timeouts += 1;
        self.on_down(now);
    }

    fn on_resend_request(&mut self, begin: u64, end: u64) {
        let newest = self.outbound.next() - 1;
        let last = if end == 0 { newest } else { end.min(newest) };
        self.counts.gaps_out += 1;
        if begin.max(1) <= last {
            self.resend = Some(Resend { next: begin.max(1), last });
        }
    }

    /// Sends the next part of what was asked for again; `keep` says whether a message still may be
    /// sent. Messages that may not, and session messages, are filled over.
    pub(super) fn pump(
        &mut self,
        now: Timestamp,
        mut keep: impl FnMut(Subject, Timestamp) -> bool,
    ) {
        while let Some(Resend { next, last }) = self.resend {
            if next > last || !self.link.is_connected() {
                self.resend = None;
                return;
            }
            if self.link.room() < 4 * crate::feed::fix::store::SLOT_BYTES {
                return;
            }
            let mut until = next;
            while until <= last && !self.may_repeat(until, &mut keep) {
                until += 1;
            }
            let (message, after) = if until > next {
                (self.encoder.gap_fill(next, until, now), until)
            } else {
                let sent = self.outbound.sent(next);
                self.counts.resent += 1;
                (sent.and_then(|sent| self.encoder.again(sent.body, next, now)), next + 1)
            };
            // The next turn begins where this one ended, whatever became of the write.
            self.resend = Some(Resend { next: after, last });
            if let Some(message) = message {
                let sent = self.link.send(message);
                self.after(now, sent.is_ok());
            }
        }
    }

    fn may_repeat(&self, seq: u64, keep: &mut impl FnMut(Subject, Timestamp) -> bool) -> bool {
        let sent = self.outbound.sent(seq).filter(|_| seq >= self.floor);
        let Some(sent) = sent else { return false };
        subject(sent.body).is_some_and(|subject| keep(subject, sent.at))
    }

    fn subject(&self, seq: u64) -> Option<Subject> {
        subject(self.outbound.sent(seq)?.body)
    }

    /// Whether a new order may go out now: logged on, and nothing waits before it.
    #[inline]
    pub(super) fn takes_orders(&self) -> bool {
        self.state == State::On && self.link.is_clear()
    }
}

fn subject(body: &[u8]) -> Option<Subject> {
    let value = |wanted: u32| Fields::new(body).find(|f| f.0 == wanted).map(|f| f.1);
    let wish = match value(35)? {
        b"F" => Wish::Cancel,
        b"H" => Wish::Inquiry,
        _ => Wish::Order,
    };
    let order = order_of(value(if wish == Wish::Cancel { 41 } else { 11 })?)?;
    Some(Subject { order, wish })
}
