//! The decoder: the broker's bytes in, `REPORT`, `ADMIN`, `SESSION` and `FAULT` events out.

use super::{
    fault,
    frame::{self, Step},
    report::{self, Message, Tag, admin, admin_text},
    store::Inbound,
};
use crate::{
    feed::Decoder,
    wire::{
        Event, Kind, NO_INSTRUMENT,
        control::{Fault, Session, SessionState},
        order::{Admin, AdminKind, Report},
    },
};
use alloc::{boxed::Box, string::String};
use core::cmp::Ordering;

/// Passes of resending that may leave the same hole before it is called stuck.
const PASSES_MAX: u32 = 4;
/// Live messages above a hole before the resend is asked for again; fourfold each time.
const IGNORED_MAX: u64 = 4;
/// Messages in order after which the journal is told how far they go. As many may come twice after
/// a power cut, and the book must still know their fills.
const MARK_EVERY: u64 = 256;

/// A hole in the inbound sequence.
#[derive(Debug)]
struct Hole {
    /// Highest number seen above it.
    top: u64,
    /// Highest resent number seen above it since the last request.
    resent: u64,
    /// Whether numbers were filled in since the last request.
    moved: bool,
    /// Requests without progress.
    passes: u32,
    /// Live messages above it, ignored.
    ignored: u64,
    /// At how many of them the next request goes out.
    patience: u64,
}

/// FIX 4.4 inbound. A number is kept as received only at the [`Decoder::commit`] after its events
/// were journaled, so what follows a kill is a resend and never a loss.
#[derive(Debug)]
pub struct FixDecoder {
    ours: Box<[u8]>,
    theirs: Box<[u8]>,
    inbound: Inbound,
    /// The number that the next message must have.
    next: u64,
    /// Numbers below it are known to the journal.
    marked: u64,
    hole: Option<Hole>,
    logged_on: bool,
    up: bool,
    offset: u64,
    faults: u64,
    in_garbage: bool,
}

impl FixDecoder {
    /// For the session in which we are `sender` and the broker is `target`.
    pub fn new(sender: &str, target: &str, inbound: Inbound) -> FixDecoder {
        let boxed = |text: &str| String::from(text).into_bytes().into_boxed_slice();
        FixDecoder {
            ours: boxed(sender),
            theirs: boxed(target),
            next: inbound.next(),
            marked: inbound.next(),
            inbound,
            hole: None,
            logged_on: false,
            up: false,
            offset: 0,
            faults: 0,
            in_garbage: false,
        }
    }

    /// Messages and spans that were refused so far.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    fn fault(&mut self, code: u32, at: usize, found: &[u8], out: &mut impl FnMut(Event)) {
        self.faults += 1;
        let found = found.iter().take(8).rev().fold(0u64, |n, &b| n << 8 | u64::from(b));
        let offset = self.offset + at as u64;
        let fault = Fault { code, reserved: 0, offset, found, count: self.faults };
        out(Event::new(Kind::FAULT, NO_INSTRUMENT, fault));
    }

    fn session(&mut self, state: SessionState, out: &mut impl FnMut(Event)) {
        self.up = state == SessionState::UP;
        let next_in = self.next;
        self.marked = next_in;
        let session = Session { state, reserved: [0; 3], attempts: 0, next_in, reserved2: [0; 2] };
        out(Event::new(Kind::SESSION, NO_INSTRUMENT, session));
    }

    fn on_message(&mut self, at: usize, body: &[u8], out: &mut impl FnMut(Event)) {
        let message = Message::read(body);
        let Some(seq) = message.number(Tag::SEQ).filter(|&seq| seq > 0) else {
            return self.fault(fault::SEQUENCE_MISSING, at, body, out);
        };
        if message.text(Tag::SENDER) != &*self.theirs || message.text(Tag::TARGET) != &*self.ours {
            return self.fault(fault::IDENTITY, at, message.text(Tag::SENDER), out);
        }
        let kind = message.text(Tag::KIND);
        match kind {
            b"A" => return self.on_logon(&message, seq, out),
            b"5" => return self.on_logout(seq, out),
            _ if !self.logged_on => return self.fault(fault::NOT_LOGGED_ON, at, kind, out),
            b"4" if !message.is_set(Tag::GAP_FILL) => return self.on_reset(at, &message, out),
            _ => {}
        }
        match seq.cmp(&self.next) {
            Ordering::Less if message.is_set(Tag::DUP) => {}
            Ordering::Less => self.too_low(seq, out),
            Ordering::Greater => self.on_ahead(&message, seq, out),
            Ordering::Equal => {
                let next = self.on_expected(at, &message, seq, out);
                self.advance(next, out);
            }
        }
    }

    /// A message in its turn; gives the number that comes next.
    fn on_expected(
        &mut self,
        at: usize,
        message: &Message<'_>,
        seq: u64,
        out: &mut impl FnMut(Event),
    ) -> u64 {
        if !message.clean {
            self.fault(fault::FIELDS, at, message.text(Tag::KIND), out);
        }
        match message.text(Tag::KIND) {
            b"8" => self.on_execution(at, message, out),
            b"9" => out(Event::new(Kind::REPORT, NO_INSTRUMENT, report::cancel_reject(message))),
            b"AO" => {
                let positions = report::positions(message);
                out(Event::new(Kind::POSITIONS, NO_INSTRUMENT, positions));
            }
            b"AP" => match report::position(message) {
                Some(position) => out(Event::new(Kind::POSITION, NO_INSTRUMENT, position)),
                None => self.fault(fault::VALUE, at, message.text(Tag::SYMBOL), out),
            },
            b"AW" => match report::assignment(message) {
                Some(assigned) => out(Event::new(Kind::ASSIGNMENT, NO_INSTRUMENT, assigned)),
                None => self.fault(fault::VALUE, at, message.text(Tag::SYMBOL), out),
            },
            b"0" => emit(AdminKind::HEARTBEAT, seq, message.text(Tag::TEST), out),
            b"1" => emit(AdminKind::TEST, seq, message.text(Tag::TEST), out),
            b"2" => on_resend_request(message, seq, out),
            b"3" | b"j" => on_reject(message, seq, out),
            b"4" => match message.number(Tag::NEW_SEQ).filter(|&next| next > seq) {
                Some(next) => return next,
                None => self.fault(fault::NEW_SEQUENCE, at, message.text(Tag::NEW_SEQ), out),
            },
            kind => self.fault(fault::TYPE, at, kind, out),
        }
        seq + 1
    }

    fn on_execution(&mut self, at: usize, message: &Message<'_>, out: &mut impl FnMut(Event)) {
        let read = report::execution(message);
        if read.unread {
            self.fault(fault::VALUE, at, message.text(Tag::QUANTITY), out);
        }
        if read.lost_leg {
            self.fault(fault::LEG, at, message.text(Tag::LEG), out);
        }
        if read.bust {
            self.fault(fault::BUST, at, message.text(Tag::EXEC), out);
        }
        let report: Report = read.report;
        out(Event::new(Kind::REPORT, NO_INSTRUMENT, report));
    }

    fn on_logon(&mut self, message: &Message<'_>, seq: u64, out: &mut impl FnMut(Event)) {
        let reset = message.is_set(Tag::RESET);
        if reset {
            self.next = seq;
            self.hole = None;
        }
        let next = self.next;
        if seq < next {
            if !message.is_set(Tag::DUP) {
                self.too_low(seq, out);
            }
            return;
        }
        self.logged_on = true;
        let beat = message.number(Tag::HEARTBEAT).unwrap_or(0);
        let logon = admin(AdminKind::LOGON, seq, beat, u64::from(reset));
        out(Event::new(Kind::ADMIN, NO_INSTRUMENT, logon));
        if seq > next {
            return self.on_hole(seq, false, out);
        }
        self.next = seq + 1;
        self.session(SessionState::UP, out);
    }

    /// The end of a session counts whatever its number is; its number is taken if it is its turn.
    fn on_logout(&mut self, seq: u64, out: &mut impl FnMut(Event)) {
        emit(AdminKind::LOGOUT, seq, &[], out);
        if self.logged_on && seq == self.next {
            self.next = seq + 1;
        }
        self.logged_on = false;
        self.session(SessionState::DOWN, out);
    }

    /// SequenceReset in reset mode: its own number does not count; it never lowers the sequence.
    fn on_reset(&mut self, at: usize, message: &Message<'_>, out: &mut impl FnMut(Event)) {
        match message.number(Tag::NEW_SEQ).filter(|&next| next >= self.next) {
            Some(next) => self.advance(next, out),
            None => self.fault(fault::NEW_SEQUENCE, at, message.text(Tag::NEW_SEQ), out),
        }
    }

    fn too_low(&mut self, seq: u64, out: &mut impl FnMut(Event)) {
        let admin = admin(AdminKind::TOO_LOW, seq, self.next, seq);
        out(Event::new(Kind::ADMIN, NO_INSTRUMENT, admin));
    }

    fn on_ahead(&mut self, message: &Message<'_>, seq: u64, out: &mut impl FnMut(Event)) {
        match message.text(Tag::KIND) {
            b"2" => on_resend_request(message, seq, out),
            b"1" => emit(AdminKind::TEST, seq, message.text(Tag::TEST), out),
            _ => {}
        }
        self.on_hole(seq, message.is_set(Tag::DUP), out);
    }

    /// A number above the expected one: asks for a resend once, and again only where the bytes
    /// show that the resend itself was torn: a second pass of it, or live traffic after it.
    fn on_hole(&mut self, seq: u64, resent: bool, out: &mut impl FnMut(Event)) {
        let Some(hole) = &mut self.hole else {
            let patience = IGNORED_MAX;
            let hole = Hole { top: seq, resent: 0, moved: false, passes: 1, ignored: 0, patience };
            self.hole = Some(hole);
            return self.ask(out);
        };
        hole.top = hole.top.max(seq);
        if resent {
            let new_pass = hole.resent == 0 || seq <= hole.resent;
            hole.resent = hole.resent.max(seq);
            if new_pass && hole.passes <= PASSES_MAX {
                hole.passes += 1;
                (hole.resent, hole.moved) = (seq, false);
                if hole.passes > PASSES_MAX {
                    return self.fault(fault::GAP_STUCK, 0, &[], out);
                }
                self.ask(out);
            }
        } else {
            hole.ignored += 1;
            if hole.moved || hole.ignored >= hole.patience {
                hole.patience = hole.patience.saturating_mul(4);
                (hole.ignored, hole.moved, hole.resent) = (0, false, 0);
                self.ask(out);
            }
        }
    }

    fn ask(&self, out: &mut impl FnMut(Event)) {
        let begin = self.next;
        let gap = admin(AdminKind::GAP, 0, begin, 0);
        out(Event::new(Kind::ADMIN, NO_INSTRUMENT, gap));
    }

    /// Takes numbers below `next` as received. The session is up once nothing is missing.
    fn advance(&mut self, next: u64, out: &mut impl FnMut(Event)) {
        self.next = next;
        if next - self.marked.min(next) >= MARK_EVERY {
            self.marked = next;
            let received = admin(AdminKind::RECEIVED, 0, next, 0);
            out(Event::new(Kind::ADMIN, NO_INSTRUMENT, received));
        }
        if let Some(hole) = &mut self.hole {
            (hole.moved, hole.passes) = (true, 1);
            if next > hole.top {
                self.hole = None;
            }
        }
        if self.hole.is_none() && self.logged_on && !self.up {
            self.session(SessionState::UP, out);
        }
    }
}

fn emit(kind: AdminKind, seq: u64, text: &[u8], out: &mut impl FnMut(Event)) {
    out(Event::new(Kind::ADMIN, NO_INSTRUMENT, admin_text(kind, seq, text)));
}

fn on_resend_request(message: &Message<'_>, seq: u64, out: &mut impl FnMut(Event)) {
    let (begin, end) = (message.number(Tag::BEGIN), message.number(Tag::END));
    let admin = admin(AdminKind::RESEND, seq, begin.unwrap_or(1), end.unwrap_or(0));
    out(Event::new(Kind::ADMIN, NO_INSTRUMENT, admin));
}

/// A refused message: by its number where there is one (the gate knows what it sent under it),
/// else by the order that it names.
fn on_reject(message: &Message<'_>, seq: u64, out: &mut impl FnMut(Event)) {
    let reason = message.number(Tag::REASON).or(message.number(Tag::BUSINESS_REASON));
    out(match message.number(Tag::REF_SEQ) {
        Some(number) => {
            let admin = admin(AdminKind::REJECT, seq, number, reason.unwrap_or(u64::MAX));
            Event::new(Kind::ADMIN, NO_INSTRUMENT, admin)
        }
        None => Event::new(Kind::REPORT, NO_INSTRUMENT, report::business_reject(message)),
    });
}

impl Decoder for FixDecoder {
    /// The sequence goes on over connections, everything else begins anew.
    fn restart(&mut self) {
        (self.hole, self.logged_on, self.up) = (None, false, false);
        (self.offset, self.in_garbage) = (0, false);
    }

    fn next_in(&self) -> u64 {
        self.next
    }

    fn commit(&mut self) {
        if self.next != self.inbound.next() {
            self.inbound.set_next(self.next);
        }
    }

    /// What came twice is known by its execution id; what is missing would be missed for ever.
    fn restore(&mut self, event: &Event) {
        let proven = match event.kind {
            Kind::SESSION => event.body::<Session>().next_in,
            Kind::ADMIN => match event.body::<Admin>() {
                admin if admin.kind == AdminKind::RECEIVED => admin.begin_end().0,
                _ => 0,
            },
            _ => 0,
        };
        if proven > 0 {
            self.next = proven.min(self.inbound.next());
            self.marked = self.next;
        }
    }

    fn decode(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            match frame::step(&bytes[at..]) {
                Step::Message { body, len } => {
                    self.in_garbage = false;
                    self.on_message(at, body, out);
                    at += len;
                }
                Step::Garbled { len, code } => {
                    // One fault for a run of garbage, however many reads bring it.
                    if code != fault::GARBAGE || !self.in_garbage {
                        self.fault(code, at, &bytes[at..], out);
                    }
                    self.in_garbage = true;
                    at += len;
                }
                Step::Partial => break,
            }
        }
        self.offset += at as u64;
        at
    }
}
