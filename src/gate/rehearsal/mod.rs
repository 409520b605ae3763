//! The gate as it runs, with a small feed around it: approved events in, what came over the socket
//! out. The counterparty is QuickFIX ([`quickfix`]) or a scripted peer ([`scripted`]).

mod quickfix;
mod scripted;

use super::{Broker, Counts, Ends, Gate, State, store};
use crate::{
    config::{Reader, Span},
    feed::{Decoder, fix::FixDecoder},
    risk::Cleared,
    stage::Emit,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, Timestamp,
        control::{Session, SessionState, Timer},
        market::{Class, Definition},
        order::{Cancel, Leg, Order, Purpose, Report},
    },
};
use core::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::{
    io::Read,
    net::{SocketAddr, TcpStream},
    path::Path,
    rc::Rc,
    string::String,
    sync::Arc,
    sync::mpsc::{SyncSender, sync_channel},
    vec::Vec,
};

const SOURCE: u16 = 3;
/// Longest wait for anything, in turns of about a millisecond.
const TURNS_MAX: u32 = 20_000;

type Inbox = Rc<core::cell::RefCell<Vec<Event>>>;
type Reply = std::boxed::Box<dyn FnMut(Event)>;
type Sent = std::boxed::Box<dyn FnMut(&Event)>;

/// A gate, a decoder and the socket between them and the broker.
struct Rig {
    gate: Gate<Reply, Sent>,
    decoder: FixDecoder,
    streams: SyncSender<TcpStream>,
    kill: Arc<AtomicBool>,
    stream: Option<TcpStream>,
    unread: Vec<u8>,
    /// Everything that the decoder gave.
    events: Vec<Event>,
    /// What the gate said of what it did not send.
    replies: Inbox,
    /// Bytes from the broker are thrown away: a forced gap.
    deaf: bool,
    /// How long ago the causes of what it is given were received, ns.
    age: u64,
    seq: u64,
}

#[expect(clippy::disallowed_methods, reason = "the rehearsal has no feed to give it the time")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_nanos() as u64
}

fn settings(text: &str) -> Broker {
    let mut reader = Reader::new("broker.toml", &std::format!("[broker]\n{text}")).unwrap();
    let broker: Broker = reader.section("broker").unwrap();
    broker.check(&mut reader);
    reader.finish().unwrap();
    broker
}

impl Rig {
    fn new(path: &Path, more: &str) -> Rig {
        let text = std::format!("target_comp_id = \"BROKER\"\naccount = \"A1\"\n{more}");
        let broker = settings(&text);
        let (inbound, outbound) =
            store::open(path, "ZOMMA", "BROKER", broker.reset_on_logon).unwrap();
        let (sender, streams) = sync_channel(4);
        let (replies, kill) = (Inbox::default(), Arc::new(AtomicBool::new(false)));
        let inbox = replies.clone();
        let ends = Ends {
            streams,
            kill: kill.clone(),
            clock: std::boxed::Box::new(now),
            reply: Reply::from(std::boxed::Box::new(move |e| inbox.borrow_mut().push(e))),
            on_sent: Sent::from(std::boxed::Box::new(|_: &Event| {})),
        };
        let mut rig = Rig {
            gate: Gate::new(broker, String::new(), SOURCE, outbound, ends),
            decoder: FixDecoder::new("ZOMMA", "BROKER", inbound),
            streams: sender,
            kill,
            stream: None,
            unread: Vec::new(),
            events: Vec::new(),
            replies,
            deaf: false,
            age: 0,
            seq: 0,
        };
        rig.define();
        rig
    }

    /// Four options of one expiry (instruments 0 to 3) and a stock (4).
    fn define(&mut self) {
        for (i, (strike, class)) in
            [(4_700, b'P'), (4_750, b'P'), (4_850, b'C'), (4_900, b'C')].into_iter().enumerate()
        {
            let definition = Definition {
                strike: Price(strike * 1_000_000_000 + 500_000_000),
                expiration: 1_767_312_000_000_000_000, // 2026-01-02
                root: *b"SPXW\0\0\0\0",
                class: Class(class),
                ..bytemuck::Zeroable::zeroed()
            };
            self.give(Event::new(Kind::DEFINITION, i as u32, definition));
        }
        let stock = Definition {
            strike: Price::UNDEF,
            expiration: u64::MAX,
            root: *b"GOOG\0\0\0\0",
            class: Class::STOCK,
            ..bytemuck::Zeroable::zeroed()
        };
        self.give(Event::new(Kind::DEFINITION, 4, stock));
    }

    /// Hands an event to the gate as the feed and risk would.
    fn give(&mut self, event: Event) {
        self.seq += 1;
        let ts_recv = now() - self.age;
        let event = Event { seq: self.seq, ts_recv, source: SOURCE, ..event };
        self.gate.emit(&mut (), &Cleared::rehearse(event));
    }

    fn connect(&mut self, address: SocketAddr) {
        let stream = TcpStream::connect(address).unwrap();
        self.streams.send(stream.try_clone().unwrap()).unwrap();
        self.stream = Some(stream);
        self.unread.clear();
        self.decoder.restart();
        let session = Session { state: SessionState::CONNECTED, ..bytemuck::Zeroable::zeroed() };
        self.give(Event::new(Kind::SESSION, NO_INSTRUMENT, session));
    }

    /// One turn: what the socket has, a beat, a short rest.
    fn turn(&mut self) {
        let mut bytes = [0; 4_096];
        let read = self.stream.as_mut().map(|stream| stream.read(&mut bytes));
        match read {
            Some(Ok(0)) => self.hang_up(),
            Some(Ok(n)) if !self.deaf => self.take(&bytes[..n]),
            _ => {}
        }
        self.give(Event::new(Kind::TIMER, NO_INSTRUMENT, <Timer as bytemuck::Zeroable>::zeroed()));
        std::thread::park_timeout(Duration::from_millis(1));
    }

    fn hang_up(&mut self) {
        self.stream = None;
        let session = <Session as bytemuck::Zeroable>::zeroed();
        self.give(Event::new(Kind::SESSION, NO_INSTRUMENT, session));
    }

    fn take(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
        let mut found = Vec::new();
        let done = self.decoder.decode(&self.unread, &mut |event| found.push(event));
        self.unread.drain(..done);
        for event in found {
            self.events.push(event);
            self.give(event);
        }
    }

    #[track_caller]
    fn until(&mut self, what: &str, done: impl Fn(&Rig) -> bool) {
        for _ in 0..TURNS_MAX {
            if done(self) {
                return;
            }
            self.turn();
        }
        panic!("waited in vain for {what}; {:?}, {:?}", self.gate.counts(), self.events);
    }

    /// An approved order of these legs: instrument and side.
    fn order(&mut self, id: u64, quantity: u32, limit: i64, legs: &[(u32, i8)]) {
        let order = Order {
            id,
            limit: Price(limit),
            quantity,
            strategy: 1,
            legs: legs.len() as u8,
            purpose: Purpose::ENTRY,
            package: id,
        };
        self.give(Event::new(Kind::ORDER, NO_INSTRUMENT, order));
        for (index, &(instrument, side)) in legs.iter().enumerate() {
            let leg = Leg {
                order: id,
                price: Price::UNDEF,
                ratio: 1,
                side,
                index: index as u8,
                ..bytemuck::Zeroable::zeroed()
            };
            self.give(Event { ts_event: 12_345, ..Event::new(Kind::ORDER_LEG, instrument, leg) });
        }
    }

    fn cancel(&mut self, id: u64, order: u64) {
        let cancel = Cancel { id, order, ..bytemuck::Zeroable::zeroed() };
        self.give(Event::new(Kind::CANCEL, NO_INSTRUMENT, cancel));
    }

    fn reports(&self, order: u64) -> Vec<Report> {
        let reports = self.events.iter().filter(|e| e.kind == Kind::REPORT);
        reports.map(|e| *e.body::<Report>()).filter(|r| r.order == order).collect()
    }

    fn is_up(&self) -> bool {
        let mut sessions = self.events.iter().rev().filter(|e| e.kind == Kind::SESSION);
        sessions.next().is_some_and(|e| e.body::<Session>().state == SessionState::UP)
    }

    fn counts(&self) -> Counts {
        *self.gate.counts()
    }

    fn log_out(&mut self) {
        self.gate.log_out(now());
        self.until("the end of the session", |rig| rig.gate.state() == State::Off);
        self.turn();
    }

    fn kill(&self) {
        self.kill.store(true, Ordering::Release);
    }
}

fn span(ms: u64) -> String {
    use crate::config::Value;
    Span(ms * 1_000_000).show()
}

/// Four legs of an iron condor: sells the inner ones.
const CONDOR: [(u32, i8); 4] = [(0, 1), (1, -1), (2, -1), (3, 1)];
