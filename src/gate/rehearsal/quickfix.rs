//! The gate against QuickFIX with its data dictionary: an engine that is not ours decides whether
//! what we say is FIX. Needs a Python with the package `quickfix` (`ZOMMA_QUICKFIX_PYTHON`).

use super::{CONDOR, Rig, now};
use crate::{
    feed::Decoder,
    gate::{Encoder, Facts, Stamp, State, store},
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, UNDEF_TIME,
        audit::{Audit, Position, Positions},
        market::{Class, Definition},
        order::{Inquiry, Leg, Order, Purpose, Report, ReportKind, client_order_id},
    },
};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    println,
    process::{Child, ChildStdin, Command, Stdio},
    string::String,
    sync::mpsc::{Receiver, channel},
    thread,
    vec::Vec,
};

/// The other engine, in a process of its own.
struct Acceptor {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    heard: Vec<String>,
    address: SocketAddr,
}

fn python() -> Option<OsString> {
    let named = std::env::var_os("ZOMMA_QUICKFIX_PYTHON");
    let python = named.unwrap_or_else(|| "python3".into());
    let mut probe = Command::new(&python);
    let status = probe.args(["-c", "import quickfix"]).stderr(Stdio::null()).status();
    let works = status.is_ok_and(|status| status.success());
    works.then_some(python)
}

impl Acceptor {
    fn start(python: &OsString, directory: &Path) -> Acceptor {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/quickfix/acceptor.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(std::format!("{}", address.port()))
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        let input = child.stdin.take().unwrap();
        let ready: String = lines.recv().unwrap();
        assert_eq!(ready, "ready");
        Acceptor { child, input, lines, heard: Vec::new(), address }
    }

    fn listen(&mut self) {
        for line in self.lines.try_iter() {
            // With --nocapture this is the protocol of the rehearsal.
            println!("    quickfix: {line}");
            self.heard.push(line);
        }
    }

    fn say(&mut self, line: &str) {
        self.input.write_all(std::format!("{line}\n").as_bytes()).unwrap();
    }

    #[track_caller]
    fn until(&mut self, rig: &mut Rig, parts: &[&str]) -> String {
        for _ in 0..10_000 {
            self.listen();
            let said = self.heard.iter().find(|line| parts.iter().all(|part| line.contains(part)));
            if let Some(line) = said {
                return line.clone();
            }
            rig.turn();
        }
        panic!("quickfix never said {parts:?}: {:#?}", self.heard);
    }

    fn count(&self, part: &str) -> usize {
        self.heard.iter().filter(|line| line.contains(part)).count()
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn fills(rig: &Rig, order: u64) -> Vec<(u8, u32, Price)> {
    let fills = rig.reports(order).into_iter().filter(|r| r.event == ReportKind::FILL);
    fills.map(|r| (r.leg, r.quantity, r.price)).collect()
}

fn id_text(id: u64) -> String {
    String::from_utf8(client_order_id(id).into()).unwrap()
}

#[test]
fn quickfix_understands_us_and_we_understand_it() {
    let Some(python) = python() else {
        println!("skipped: no Python with quickfix; set ZOMMA_QUICKFIX_PYTHON");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let mut broker = Acceptor::start(&python, directory.path());
    let path = directory.path().join("session");
    let mut rig = Rig::new(&path, "heartbeat = \"1s\"");

    println!("logon");
    rig.connect(broker.address);
    rig.until("the logon", Rig::is_up);

    println!("orders: a single option, a stock, an iron condor for a credit");
    rig.order(0x101, 3, 1_050_000_000, &[(2, 1)]);
    rig.order(0x102, 100, -750_250_000_000, &[(4, -1)]);
    rig.order(0x103, 2, -1_350_000_000, &CONDOR);
    rig.until("the condor's fills", |rig| fills(rig, 0x103).len() == 5);
    assert_eq!(fills(&rig, 0x101), [(0, 3, Price(1_050_000_000))]);
    assert_eq!(fills(&rig, 0x102), [(0, 100, Price(750_250_000_000))]);
    let price = Price(1_250_000_000);
    let legs: Vec<_> = (0..4).map(|leg| (leg, 2, price)).collect();
    assert_eq!(fills(&rig, 0x103)[..4], legs);
    assert_eq!(fills(&rig, 0x103)[4], (Report::WHOLE, 2, Price(-1_350_000_000)));
    broker.until(&mut rig, &["app", "35=AB", "555=4", "44=-1.35", "526=12345"]);

    println!("test request and heartbeats");
    broker.say("test ARE-YOU-THERE");
    broker.until(&mut rig, &["admin", "35=0", "112=ARE-YOU-THERE"]);

    println!("a resting order and its cancel; the cancel of an unknown order");
    rig.order(0x104, 7, 1_000_000_000, &[(1, 1)]);
    rig.until("the order's acknowledgement", |rig| !rig.reports(0x104).is_empty());
    rig.cancel(0x105, 0x104);
    rig.until("the cancel", |rig| rig.reports(0x104).len() == 2);
    assert_eq!(rig.reports(0x104)[1].event, ReportKind::CANCELED);
    rig.cancel(0x106, 0x999);
    rig.until("the refusal", |rig| rig.reports(0x999).len() == 1);
    assert_eq!(rig.reports(0x999)[0].event, ReportKind::CANCEL_REFUSED);

    println!("a gap in what we hear: reports are lost and come again");
    rig.deaf = true;
    rig.order(0x107, 1, 2_000_000_000, &[(0, 1)]);
    broker.until(&mut rig, &["sent", "35=8", "150=F", &id_text(0x107)]);
    for _ in 0..50 {
        rig.turn();
    }
    rig.deaf = false;
    rig.until("the lost fill", |rig| !fills(rig, 0x107).is_empty());
    assert_eq!(rig.counts().gaps_in, 1);
    assert!(rig.reports(0x107).iter().all(|report| report.resent == 1));
    broker.until(&mut rig, &["admin", "35=2"]);

    println!("logout");
    rig.log_out();
    broker.until(&mut rig, &["logout"]);
    restart(broker, rig, &path);
}

/// A restart after a kill between keeping an order and writing it: the numbers go on, the broker
/// finds the gap, and both orders are filled over: nobody knows any more whether they are wanted.
fn restart(mut broker: Acceptor, rig: Rig, path: &Path) {
    println!("restart: two orders were kept and never written");
    drop(rig);
    let next = {
        let (_, mut outbound) = store::open(path, "ZOMMA", "BROKER", false).unwrap();
        let next = outbound.next();
        keep(&mut outbound, 0x201, now() - 60_000_000_000);
        keep(&mut outbound, 0x202, now());
        next
    };
    let mut rig = Rig::new(path, "heartbeat = \"1s\"");
    let before = rig.decoder.next_in();
    rig.connect(broker.address);
    rig.until("the second logon", Rig::is_up);
    let logon = std::format!("34={}|", next + 2);
    broker.until(&mut rig, &["admin", "35=A", &logon]);
    broker.until(&mut rig, &["sent", "35=2", &std::format!("|7={next}|")]);
    broker.until(&mut rig, &["admin", "35=4", "123=Y"]);
    assert_eq!((rig.counts().gaps_out, rig.counts().resent), (1, 0));

    println!("and goes on");
    rig.order(0x203, 1, 2_000_000_000, &[(0, 1)]);
    rig.until("a fill", |rig| !fills(rig, 0x203).is_empty());
    assert!(rig.decoder.next_in() > before);
    let inquiry = Inquiry { order: 0x203, ..bytemuck::Zeroable::zeroed() };
    rig.give(Event::new(Kind::INQUIRY, NO_INSTRUMENT, inquiry));
    broker.until(&mut rig, &["app", "35=H", &id_text(0x203)]);

    println!("positions and open orders");
    let audit = Audit { request: 0x777, ..bytemuck::Zeroable::zeroed() };
    rig.give(Event::new(Kind::AUDIT, NO_INSTRUMENT, audit));
    broker.until(&mut rig, &["app", "35=AF", "585=7", &id_text(0x777)]);
    broker.until(&mut rig, &["app", "35=AN", "724=0", "|1=A1|", &id_text(0x777)]);
    rig.until("the position", |rig| rig.events.iter().any(|e| e.kind == Kind::POSITION));
    let heads = rig.events.iter().filter(|event| event.kind == Kind::POSITIONS);
    let heads: Vec<Positions> = heads.map(|event| *event.body()).collect();
    let head = heads.last().unwrap();
    assert_eq!((head.request, head.total, head.valid), (0x777, 1, 1));
    let found = rig.events.iter().find(|event| event.kind == Kind::POSITION).unwrap();
    let held: &Position = found.body();
    assert_eq!((held.strike, held.date), (Price(4_700_500_000_000), 20_260_102));
    assert_eq!((&held.root[..4], held.class), (&b"SPXW"[..], Class::PUT));
    assert_eq!((held.request, held.contracts), (0x777, -3));
    for kept in [0x201, 0x202] {
        assert_eq!(broker.count(&id_text(kept)), 0);
    }
    rig.log_out();
    broker.listen();
    assert_eq!(rig.gate.state(), State::Off);
    assert_eq!((rig.counts().rejects, rig.decoder.faults()), (0, 0));
    assert_eq!(broker.count("35=3|") + broker.count("35=j|"), 0, "{:#?}", broker.heard);
    broker.say("quit");
}

fn keep(outbound: &mut store::Outbound, id: u64, at: u64) {
    let text = "target_comp_id = \"BROKER\"";
    let mut encoder = Encoder::new(&super::settings(text));
    let facts = Facts::new(&Definition {
        strike: Price(4_700_500_000_000),
        expiration: 1_767_312_000_000_000_000,
        root: *b"SPXW\0\0\0\0",
        class: Class::PUT,
        ..bytemuck::Zeroable::zeroed()
    });
    let limit = Price(1_000_000_000);
    let order = Order {
        id,
        limit,
        quantity: 1,
        strategy: 0,
        legs: 1,
        purpose: Purpose::ENTRY,
        package: id,
    };
    let leg = Leg { order: id, ratio: 1, side: 1, ..bytemuck::Zeroable::zeroed() };
    let stamp = Stamp { seq: outbound.next(), now: at, cause: UNDEF_TIME };
    let message = encoder.order(&order, &[(&leg, &facts)], stamp).unwrap();
    outbound.keep(message, at);
}
