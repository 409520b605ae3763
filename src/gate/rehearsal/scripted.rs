//! The gate against a peer that does on purpose what a good one does not, or not at once.

use super::{CONDOR, Rig, span};
use crate::{
    feed::fix::frame::{Step, step},
    gate::State,
    wire::{
        Event, Kind, NO_INSTRUMENT,
        control::{Command, Verb},
        order::{Inquiry, Report, ReportKind, client_order_id},
    },
};
use std::{
    format,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    string::String,
    vec::Vec,
};

/// A peer that says what the test writes.
struct Peer {
    listener: TcpListener,
    stream: Option<TcpStream>,
    unread: Vec<u8>,
    /// Bodies heard, with `|` for the terminator.
    heard: Vec<String>,
    seq: u64,
}

impl Peer {
    fn new() -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Peer { listener, stream: None, unread: Vec::new(), heard: Vec::new(), seq: 0 }
    }

    fn connect(&mut self, rig: &mut Rig) {
        rig.connect(self.listener.local_addr().unwrap());
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        self.stream = Some(stream);
        self.unread.clear();
    }

    fn log_on(&mut self, rig: &mut Rig) {
        self.connect(rig);
        self.until(rig, "35=A|");
        self.say("A", "98=0|108=1|");
        rig.until("the logon", |rig| rig.gate.state() == State::On);
    }

    fn say(&mut self, kind: &str, fields: &str) {
        self.seq += 1;
        self.say_as(self.seq, kind, fields);
    }

    fn say_as(&mut self, seq: u64, kind: &str, fields: &str) {
        let time = "20260102-14:30:00.000";
        let body = format!("35={kind}|49=BROKER|56=ZOMMA|34={seq}|52={time}|{fields}");
        let body = body.replace('|', "\x01");
        let mut text = format!("8=FIX.4.4\x019={}\x01{body}", body.len());
        let sum = text.bytes().map(u32::from).sum::<u32>() % 256;
        text.push_str(&format!("10={sum:03}\x01"));
        self.stream.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn listen(&mut self) {
        let mut bytes = [0; 4_096];
        while let Ok(n @ 1..) = self.stream.as_mut().unwrap().read(&mut bytes) {
            self.unread.extend_from_slice(&bytes[..n]);
        }
        while let Step::Message { body, len } = step(&self.unread) {
            self.heard.push(String::from_utf8_lossy(body).replace('\x01', "|"));
            self.unread.drain(..len);
        }
    }

    #[track_caller]
    fn until(&mut self, rig: &mut Rig, part: &str) -> String {
        for _ in 0..super::TURNS_MAX {
            self.listen();
            if let Some(found) = self.heard.iter().position(|text| text.contains(part)) {
                return self.heard.drain(..=found).next_back().unwrap();
            }
            rig.turn();
        }
        panic!("never heard {part}; {:?}", self.heard);
    }

    /// What is heard in a while, if nothing else happens.
    fn rest(&mut self, rig: &mut Rig) -> Vec<String> {
        for _ in 0..50 {
            rig.turn();
            self.listen();
        }
        core::mem::take(&mut self.heard)
    }
}

fn rig(more: &str) -> (Rig, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Rig::new(&directory.path().join("session"), more), directory)
}

fn said(rig: &Rig) -> Vec<(u64, ReportKind)> {
    let replies = rig.replies.borrow();
    replies.iter().map(|e| e.body::<Report>()).map(|r| (r.order, r.event)).collect()
}

/// Nothing leaves before the logon, and each order that did not leave is answered.
#[test]
fn an_order_without_a_session_comes_back_as_rejected() {
    let (mut rig, _directory) = rig("");
    let mut peer = Peer::new();
    rig.order(1, 1, 5, &CONDOR);
    rig.cancel(2, 1);
    peer.connect(&mut rig);
    rig.order(3, 1, 5, &CONDOR);
    assert_eq!(said(&rig).len(), 3);
    assert_eq!(said(&rig)[1], (1, ReportKind::CANCEL_REFUSED));
    assert_eq!(said(&rig)[2], (3, ReportKind::REJECTED));
    assert!(peer.rest(&mut rig).iter().all(|text| text.starts_with("35=A|")));
    assert_eq!(rig.counts().unsent, 3);
}

/// After the switch no order leaves, whoever threw it, and cancels still do.
#[test]
fn the_kill_switch_stops_orders_and_lets_cancels_pass() {
    for by_command in [false, true] {
        let (mut rig, _directory) = rig("");
        let mut peer = Peer::new();
        peer.log_on(&mut rig);
        rig.order(1, 7, 5, &CONDOR);
        peer.until(&mut rig, "35=AB|");
        if by_command {
            let command = Command { verb: Verb::KILL, ..bytemuck::Zeroable::zeroed() };
            rig.give(Event::new(Kind::COMMAND, NO_INSTRUMENT, command));
        } else {
            rig.kill();
        }
        rig.order(2, 7, 5, &CONDOR);
        rig.cancel(3, 1);
        // Latched: closing the switch again does not bring orders back.
        rig.kill.store(false, core::sync::atomic::Ordering::Release);
        rig.order(4, 7, 5, &CONDOR);
        peer.until(&mut rig, "35=F|");
        // Nor does a request to resend what went before.
        peer.say("2", "7=1|16=0|");
        let heard = peer.rest(&mut rig).join(" ");
        assert!(!heard.contains("35=AB|") && heard.contains("123=Y|"), "{heard}");
        assert!(heard.contains("35=F|"), "{heard}");
        assert_eq!(rig.counts().killed, 2);
    }
}

/// A decision that stood still on its way, with the process or behind a disk, is decided no more;
/// a cancel is as good as ever.
#[test]
fn an_order_that_was_decided_too_long_ago_is_not_sent() {
    let (mut rig, _directory) = rig("decision_age = \"5s\"");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    rig.order(1, 7, 5, &CONDOR);
    peer.until(&mut rig, "35=AB|");
    rig.age = 6_000_000_000;
    rig.order(2, 7, 5, &CONDOR);
    rig.cancel(3, 1);
    rig.age = 0;
    let heard = peer.until(&mut rig, "35=F|");
    assert!(!heard.contains("35=AB|"), "{heard}");
    assert_eq!((rig.counts().late, said(&rig)), (1, [(2, ReportKind::REJECTED)].into()));
}

#[test]
fn what_cannot_be_said_in_fix_is_not_sent() {
    let (mut rig, _directory) = rig("");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    rig.order(1, 1, 5, &[(0, 1), (99, -1)]);
    rig.order(2, 1, -5, &[(0, 1)]);
    rig.order(3, 1, i64::MAX, &[(0, 1)]);
    rig.order(4, 1, 5, &[]);
    rig.order(5, 1, 5, &[(0, 3)]);
    assert_eq!(rig.counts().unknown, 1);
    assert_eq!(rig.counts().malformed, 4);
    assert!(said(&rig).iter().map(|r| r.0).eq(1..=5));
    assert_eq!(peer.rest(&mut rig), [""; 0]);
}

/// A message that the broker throws back is an order that was rejected.
#[test]
fn a_session_reject_is_brought_back_to_its_order() {
    let (mut rig, _directory) = rig("");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    rig.order(0x51, 1, 5, &CONDOR);
    rig.cancel(0x52, 0x51);
    peer.until(&mut rig, "35=F|");
    peer.say("3", "45=2|372=AB|373=5|58=no|");
    peer.say("j", "45=3|372=F|380=3|");
    rig.until("both replies", |rig| rig.replies.borrow().len() == 2);
    assert_eq!(said(&rig), [(0x51, ReportKind::REJECTED), (0x51, ReportKind::CANCEL_REFUSED)]);
    assert_eq!(rig.counts().refused, 2);
}

#[test]
fn silence_is_tested_and_then_ended() {
    let (mut rig, _directory) = rig("heartbeat = \"1s\"");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    let heartbeat = peer.until(&mut rig, "35=0|");
    assert!(heartbeat.contains("34=2|"));
    peer.until(&mut rig, "35=1|");
    rig.until("the end", |rig| rig.gate.state() == State::Off);
    assert_eq!((rig.counts().tests, rig.counts().timeouts), (1, 1));
    // A logon that nobody answers ends as well.
    let (mut rig, _directory) = super::scripted::rig(&format!("answer = {}", span(100)));
    peer.connect(&mut rig);
    rig.until("giving up", |rig| rig.gate.state() == State::Off);
}

/// Numbers below the expected one without a mark: two sessions mixed up. The end, said why.
#[test]
fn a_number_too_low_ends_the_session() {
    let (mut rig, _directory) = rig("");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    peer.say_as(1, "0", "");
    let logout = peer.until(&mut rig, "35=5|");
    assert!(logout.contains("58=MsgSeqNum too low|"));
    rig.until("the end", |rig| rig.gate.state() == State::Off);
}

/// An order that broke off with its connection is filled over when it is old, and said to be in
/// doubt if the broker never spoke of it: it may have it all the same. One that it acknowledged is
/// not.
#[test]
fn stale_orders_are_filled_over_and_said_so_once() {
    let (mut rig, _directory) = rig("resend_age = \"0s\"");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    rig.order(1, 7, 5, &CONDOR);
    rig.order(2, 7, 5, &CONDOR);
    let id = String::from_utf8(client_order_id(1).into()).unwrap();
    peer.say("8", &format!("37=B|17=E1|11={id}|150=0|39=0|442=3|"));
    rig.until("the acknowledgement", |rig| !rig.reports(1).is_empty());
    for _ in 0..2 {
        peer.say("2", "7=2|16=3|");
        let fill = peer.until(&mut rig, "123=Y|");
        assert!(fill.contains("34=2|") && fill.contains("36=4|"), "{fill}");
    }
    assert_eq!(said(&rig), [(2, ReportKind::DOUBT)]);
}

/// What an earlier process sent never goes out again, whatever the broker asks for; inquiries do.
#[test]
fn a_gate_that_is_taken_up_again_asks_and_repeats_no_order() {
    let (mut rig, directory) = rig("");
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    rig.order(1, 7, 5, &CONDOR);
    peer.until(&mut rig, "35=AB|");
    drop(rig);
    let mut rig = Rig::new(&directory.path().join("session"), "");
    rig.gate = rig.gate.starting_at(100);
    rig.order(1, 7, 5, &CONDOR);
    assert!(rig.replies.borrow().is_empty(), "what is recorded is not answered");
    rig.seq = 100;
    let mut peer = Peer::new();
    peer.log_on(&mut rig);
    let inquiry = Inquiry { order: 1, ..bytemuck::Zeroable::zeroed() };
    rig.give(Event::new(Kind::INQUIRY, NO_INSTRUMENT, inquiry));
    let id = String::from_utf8(client_order_id(1).into()).unwrap();
    let asked = peer.until(&mut rig, "35=H|");
    assert!(asked.contains(&format!("11={id}|")) && asked.contains("|54=B|"), "{asked}");
    peer.say("2", "7=1|16=0|");
    let again = peer.until(&mut rig, "35=H|");
    assert!(again.contains("43=Y|") && again.contains("34=4|"), "{again}");
    let heard = peer.rest(&mut rig).join(" ");
    assert!(!heard.contains("35=AB|"), "{heard}");
    // That the broker throws the question back says nothing of the order.
    peer.say("3", "45=4|372=H|373=11|");
    peer.rest(&mut rig);
    assert_eq!(said(&rig), []);
    assert_eq!((rig.counts().orders, rig.counts().inquiries), (0, 1));
}
