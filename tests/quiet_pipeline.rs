//! The real stages, from the input journal to the broker's socket, under a seal: quotes that move,
//! orders that leave, reports that come back in; not one request for memory out.
mod floor;

use floor::{BROKER, Floor, OPEN, SECOND, call, settings, universe};
use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, atomic::AtomicBool, mpsc::sync_channel},
};
use zomma::{
    book::{Book, Desk},
    chain::{Chain, Track},
    config::Reader,
    feature::{self, Features, Row, Schema},
    feed::fix::store,
    gate::{Broker, Ends, Gate},
    greeks::Revalue,
    journal::{Inputs, Journal, Manifest, Opened, Outputs, Settings},
    risk::{Cleared, Risk},
    rt::seal::{self, Seal},
    stage::{Emit, Then},
    strategy::{Decide, Set},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        control::{Session, SessionState},
        order::{Admin, AdminKind, Cancel, Leg, Order, OrderStatus, Report, ReportKind},
    },
};

#[global_allocator]
static ALLOCATOR: seal::Sealed = seal::Sealed;

const STRATEGIES: &str = r#"
[[iron_condor]]
root = "SPXW"
entry_windows = ["09:30-09:31", "09:32-09:33"]
short_delta = 0.2
short_delta_tolerance = 0.15
wing_width = 5.0
wing_width_max = 20.0
leg_spread_max = 5.0
leg_spread_share_max = 2.0
credit_min = 0.05
credit_width_share_min = 0.0
profit_target = 0.05

[[butterfly]]
root = "SPXW"
entry_windows = ["09:30-09:34"]
sample_every = "1s"
attempts_max = 1000
cooldown = "1s"
leg_spread_max = 5.0
leg_spread_share_max = 2.0
risk_share = 0.0
profit_target = 0.0
stop = 0.0
adjust_when = ["|short_distance| > 0.0002"]
adjust_max = 1000

[[gamma_scalping]]
root = "SPXW"
entry_windows = ["09:30-09:34"]
entry_when = ["|return_1m| < 1", "pcr_volume < 0"]
leg_spread_max = 5.0
leg_spread_share_max = 2.0

[[gamma_scalping]]
name = "scalping"
root = "SPXW"
entry_windows = ["09:30-09:34"]
entry_when = ["level > 1", "SPXW.session_share > -1"]
sample_every = "1s"
expiry = "today"
quantity = 4
risk_share = 0.0
leg_spread_max = 5.0
leg_spread_share_max = 2.0
profit_target = 0.0
stop = 0.0
exit_when = ["minutes_held > 1"]
hedge_band = 0.5
hedge_every = "1s"
hedge_wing = "points 20 within 20"

[[probe]]
name = "probe"
every = 2
place = "ask"
"#;

const LIMITS: &str = concat!(
    "order_loss_max = 1e8\norder_premium_max = 1e8\ntrade_risk_share_max = 1.0\n\
    expiry_loss_max = 1e9\nstrategy_risk_share_max = 1.0\ncollar_max = 100.0\n\
    daily_loss_max = 1e8\n",
    include_str!("../src/run/simulate/wide.toml")
);

/// Rounds before the seal and in all.
const ROUNDS: (usize, usize) = (100, 1_500);

type Call<T> = Box<dyn FnMut(T)>;
type Sent = Box<dyn FnMut(&Event)>;

/// The gate, and a broker who answers every order: the even ones are filled, the odd ones wait.
struct Exit {
    gate: Gate<Call<Event>, Sent>,
    answers: Vec<Event>,
    filling: Option<Order>,
    told: u64,
    orders: u64,
    combos: u64,
    fills: u64,
    cancels: u64,
}

impl Exit {
    fn tell(&mut self, order: u64, leg: u8, what: (ReportKind, OrderStatus), fill: (Price, u32)) {
        self.told += 1;
        let (event, status) = what;
        let (price, quantity) = fill;
        let exec_id = self.told;
        let report = Report { order, exec_id, price, quantity, event, status, leg, resent: 0 };
        let event = Event::new(Kind::REPORT, NO_INSTRUMENT, report);
        self.answers.push(Event { source: BROKER, ..event });
    }

    fn answer(&mut self, event: &Event) {
        let nothing = (Price::UNDEF, 0);
        match event.kind {
            Kind::ORDER => {
                let order = *event.body::<Order>();
                self.orders += 1;
                self.combos += u64::from(order.legs > 1);
                self.filling = (order.legs > 1 || self.orders.is_multiple_of(2)).then_some(order);
                let new = (ReportKind::NEW, OrderStatus::NEW);
                self.tell(order.id, Report::WHOLE, new, nothing);
            }
            Kind::ORDER_LEG => {
                let leg = *event.body::<Leg>();
                let Some(order) = self.filling else { return };
                self.fills += 1;
                let fill = (ReportKind::FILL, OrderStatus::FILLED);
                self.tell(order.id, leg.index, fill, (leg.price, order.quantity * leg.ratio));
                if leg.index + 1 == order.legs && order.legs > 1 {
                    self.tell(order.id, Report::WHOLE, fill, nothing);
                }
            }
            Kind::CANCEL => {
                self.cancels += 1;
                let canceled = (ReportKind::CANCELED, OrderStatus::CANCELED);
                self.tell(event.body::<Cancel>().order, Report::WHOLE, canceled, nothing);
            }
            _ => {}
        }
    }
}

impl Emit<Desk, Cleared> for Exit {
    fn emit(&mut self, desk: &mut Desk, cleared: &Cleared) {
        self.gate.emit(desk, cleared);
        self.answer(cleared.event());
    }
}

fn read<T>(text: &str, take: impl FnOnce(&mut Reader) -> T) -> T {
    let mut reader = Reader::new("test.toml", text).unwrap();
    let taken = take(&mut reader);
    reader.finish().unwrap();
    taken
}

fn unsent(event: Event) {
    panic!("not sent: {event:?}");
}

/// A gate on one end of a loopback connection; everything at the other end is read and counted.
fn gate(folder: &Path) -> (Gate<Call<Event>, Sent>, std::thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_nonblocking(true).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let heard = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        peer.read_to_end(&mut bytes).unwrap();
        let is_order = |part: &[u8]| [b"\x0135=D\x01".as_slice(), b"\x0135=AB\x01"].contains(&part);
        let singles = bytes.windows(6).filter(|part| is_order(part)).count();
        singles + bytes.windows(7).filter(|part| is_order(part)).count()
    });
    let broker = "[broker]\nheartbeat = \"300s\"\nreset_on_logon = true\n";
    let broker = read(broker, |reader| reader.section::<Broker>("broker").unwrap());
    let (_, outbound) = store::open(&folder.join("store"), "ZOMMA", "MARKET", true).unwrap();
    let (streams, taken) = sync_channel(1);
    streams.send(stream).unwrap();
    let ends = Ends {
        streams: taken,
        kill: Arc::new(AtomicBool::new(false)),
        clock: Box::new(|| 0),
        reply: Box::new(unsent) as Call<Event>,
        on_sent: Box::new(|_: &Event| {}) as Sent,
    };
    (Gate::new(broker, String::new(), BROKER, outbound, ends), heard)
}

/// What comes in: definitions, a broker that logs on, a chain that is quoted again and again.
fn stream() -> Vec<Event> {
    let mut floor = Floor::new(Set::default(), "");
    let session = |state| {
        let session = Session { state, ..bytemuck::Zeroable::zeroed() };
        Event { source: BROKER, ..Event::new(Kind::SESSION, NO_INSTRUMENT, session) }
    };
    floor.send(session(SessionState::CONNECTED));
    let text = Admin::range(300, 1);
    let logon = Admin { kind: AdminKind::LOGON, len: 16, reserved: 0, seq: 1, text };
    floor.send(Event { source: BROKER, ..Event::new(Kind::ADMIN, NO_INSTRUMENT, logon) });
    floor.send(session(SessionState::UP));
    for round in 0..ROUNDS.1 {
        let wave = (round % 40) as f64 - 20.0;
        if round % 4 == 0 {
            floor.market(5_400.0 + wave.abs() * 0.2, 1.0 - 0.004 * wave.abs());
        }
        floor.quote(call(5_420), 300 + round as i64 % 7 * 10, 370 + round as i64 % 5 * 10);
        floor.wait(0.15);
    }
    floor.sent.into_iter().filter(|event| event.kind != Kind::GREEKS).collect()
}

fn feed<S: FnMut(&Event)>(seq: &mut u64, now: u64, event: &Event, mut stages: S) {
    *seq += 1;
    let flags = event.flags;
    stages(&Event { seq: *seq, ts_recv: now, flags, ..*event });
}

#[test]
fn from_the_journal_to_the_socket_nothing_allocates() {
    let folder = tempfile::tempdir().unwrap();
    let (gate, heard) = gate(folder.path());
    let answers = Vec::with_capacity(4_096);
    let (filling, told) = (None, 0);
    let (orders, combos, fills, cancels) = (0, 0, 0, 0);
    let mut exit = Exit { gate, answers, filling, told, orders, combos, fills, cancels };
    let (account, limits) = settings(LIMITS);
    let schema = Schema::new(&feature::Settings::with_roots(&["SPXW"]));
    let book = Book::new(&account, BROKER);
    let features = Row::new(&schema);
    let mut desk = Desk { chain: Chain::new(&universe()), book, features };
    let set = read(STRATEGIES, |reader| {
        let mut set = Set::default();
        set.read(reader, &schema);
        set
    });
    let text = "[journal]\nsegment_bytes = 1048576\noutput_segment_bytes = 65536\n";
    let journal = read(text, |reader| reader.section::<Settings>("journal").unwrap());
    let manifest = Manifest::new(OPEN, Vec::new()).unwrap();
    let Opened { journal, inputs, outputs } =
        Journal::create(&folder.path().join("run"), &journal, manifest).unwrap();
    let view = Cleared::event as fn(&Cleared) -> &Event;
    let stream = stream();
    let rounds = stream.iter().filter(|event| event.kind == Kind::TIMER).count();
    assert_eq!(rounds, ROUNDS.1);
    let (mut seq, mut round, mut sealed) = (0, 0, 0);
    {
        let outward = Then(Outputs::new(outputs, view), &mut exit);
        let rear = Then(Decide::new(set.clone()), Then(Risk::new(limits, set.roster()), outward));
        let rear = Then(Features::new(&schema, &universe()), rear);
        let front = Then(Track, Then(Revalue::new(&universe()), rear));
        let mut stages = Then(Inputs::new(inputs, 0), front);
        let before = seal::requests().after_seal;
        for event in &stream {
            round += usize::from(event.kind == Kind::TIMER);
            if round == ROUNDS.0 {
                seal::seal(Seal::Counting);
            }
            feed(&mut seq, event.ts_recv, event, |event| stages.emit(&mut desk, event));
            let mut next = 0;
            while next < stages.1.1.1.1.1.1.1.answers.len() {
                let answer = stages.1.1.1.1.1.1.1.answers[next];
                let answer = Event { flags: Flags::BATCH_END, ts_event: event.ts_event, ..answer };
                feed(&mut seq, event.ts_recv, &answer, |event| stages.emit(&mut desk, event));
                next += 1;
            }
            stages.1.1.1.1.1.1.1.answers.clear();
        }
        seal::seal(Seal::Open);
        sealed += seal::requests().after_seal - before;
    }
    let manifest = journal.finish().unwrap();
    println!(
        "{} inputs, {} outputs, {} orders ({} combos), {} fills, {} cancels",
        manifest.inputs, manifest.outputs, exit.orders, exit.combos, exit.fills, exit.cancels
    );
    assert_eq!(sealed, 0, "requests for memory on the sealed path");
    assert!(exit.orders > 100 && exit.combos > 0 && exit.fills > 100 && exit.cancels > 50);
    assert_eq!(exit.gate.counts().orders, exit.orders, "all were written");
    let orders = exit.orders as usize;
    drop(exit);
    assert_eq!(heard.join().unwrap(), orders, "and arrived");
    assert!(desk.chain.now > OPEN + 200 * SECOND);
    let row = &desk.features;
    println!("{} rows, {} of {} columns known", row.number, row.count, row.values().len());
    assert!(row.number > 200 && row.count > 200, "rows were made, and bars ended");
}
