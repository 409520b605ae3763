//! A recorded day and a broker who fills in; the journal that the engine writes of it out, without
//! a socket or a clock, the same each time.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
    sync::OnceLock,
};
use zomma::{
    book::Desk,
    chain::Track,
    feature::Features,
    feed::{
        Registry, Sequencer,
        dbn::{Prints, Stream as Decoder},
        settings::source,
    },
    greeks::Revalue,
    journal::{ConfigFile, Inputs, Journal, Manifest, Outputs},
    risk::{Cleared, Risk},
    run::{Files, Plan},
    stage::{Emit, Tap, Then},
    strategy::Decide,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        control::{Run, Session, SessionState, Timer},
        order::{Cancel, Leg, Order, OrderStatus, Report, ReportKind},
    },
};
use zomma_market::{source::Source, tape::Tape};

/// A folder of the shared data, `None` with a visible word where it is absent.
pub fn data(folder: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("ZOMMA_DATA").map_or(beside, PathBuf::from);
    let path = root.join(folder);
    if !path.exists() {
        println!("skipped: no data/{folder}; set ZOMMA_DATA");
        return None;
    }
    Some(path)
}

/// A run on the recorded half day, made once for all tests.
pub fn run() -> Option<&'static Path> {
    static RUN: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = RUN.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recorded-run");
        let _ = std::fs::remove_dir_all(&directory);
        record(goog()?, &directory);
        Some(directory)
    });
    made.as_deref()
}

/// The recorded half day with its underlying.
fn goog() -> Option<Tape> {
    let folder = data("lean-goog-20151224/dbn")?;
    let names = ["goog-20151224.live.dbn.zst", "goog-20151224.underlying.mbp-1.dbn.zst"];
    let files = names.map(|name| folder.join(name));
    Some(Tape::open(&[&files[0], &files[1]], &[]).unwrap())
}

/// A probe that buys at the ask, so that there are orders and fills all day.
const PROBE: &str = "[[probe]]\nname = \"buyer\"\nevery = 300\nplace = \"ask\"\n";

/// The configuration of a recorded day that the repository ships, with the probe.
fn files() -> Files {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/recorded.toml");
    let shipped = Files::gather(&config, &[]).unwrap();
    let mut list = shipped.list().to_vec();
    // The broker of these tests answers no question about positions.
    for (_, text) in &mut list {
        *text = text.replace("reconcile_every = \"60s\"", "reconcile_every = \"0s\"");
    }
    list[0].1 = list[0].1.replace("iron_condor-goog.toml\"", "iron_condor-goog.toml\", \"probe\"");
    list.push(("probe".into(), PROBE.into()));
    Files::from_list(list)
}

/// What the engine knows together, and what it is made from.
pub fn plan() -> (Plan, Desk) {
    let plan = Plan::new(&files()).unwrap();
    let desk = plan.desk();
    (plan, desk)
}

/// Records of one read at most.
const READ: usize = 32;
/// 2015-12-24 14:00:00 UTC.
const START: u64 = 1_450_965_600_000_000_000;

/// A broker who takes every order and fills it; every third fill is told twice.
#[derive(Default)]
struct Broker {
    order: Option<Order>,
    answers: Vec<Event>,
    told: u64,
}

impl Broker {
    fn tell(&mut self, order: u64, leg: u8, what: (ReportKind, OrderStatus), fill: (Price, u32)) {
        self.told += 1;
        let ((event, status), (price, quantity)) = (what, fill);
        let exec_id = self.told;
        let report = Report { order, exec_id, price, quantity, event, status, leg, resent: 0 };
        self.answers.push(Event::new(Kind::REPORT, NO_INSTRUMENT, report));
        if quantity > 0 && self.told.is_multiple_of(3) {
            let again = Report { resent: 1, ..report };
            self.answers.push(Event::new(Kind::REPORT, NO_INSTRUMENT, again));
        }
    }

    fn on_output(&mut self, event: &Event) {
        let (nothing, filled) = ((Price::UNDEF, 0), (ReportKind::FILL, OrderStatus::FILLED));
        match event.kind {
            Kind::ORDER => {
                let order = *event.body::<Order>();
                self.order = Some(order);
                let new = (ReportKind::NEW, OrderStatus::NEW);
                self.tell(order.id, Report::WHOLE, new, nothing);
            }
            Kind::ORDER_LEG => {
                let (leg, Some(order)) = (*event.body::<Leg>(), self.order) else { return };
                let contracts = order.quantity * leg.ratio;
                // The order as a whole repeats what its legs say.
                if order.legs > 1 && leg.index == 0 {
                    self.tell(order.id, Report::WHOLE, filled, (order.limit, order.quantity));
                }
                let place = if order.legs > 1 { leg.index } else { Report::WHOLE };
                self.tell(order.id, place, filled, (leg.price, contracts));
            }
            Kind::CANCEL => {
                let canceled = (ReportKind::CANCELED, OrderStatus::CANCELED);
                self.tell(event.body::<Cancel>().order, Report::WHOLE, canceled, nothing);
            }
            _ => {}
        }
    }
}

/// The feed without sockets: decoders, registry and sequencer.
struct Feed {
    decoders: [Decoder; 2],
    registry: Registry,
    sequencer: Sequencer,
}

impl Feed {
    fn read(&mut self, session: u8, now: u64, bytes: &[u8], out: &mut impl FnMut(&Event)) {
        let Feed { decoders, registry, sequencer } = self;
        sequencer.begin(source(session.into()), now);
        decoders[usize::from(session)].decode(bytes, registry, &mut |event| {
            sequencer.push(event, out);
        });
        sequencer.end(out);
    }
}

/// Runs what `drive` sends through the engine's stages into a journal; what leaves RISK is `heard`.
pub fn journaled(
    directory: &Path,
    files: &Files,
    heard: impl FnMut(&Event) + 'static,
    drive: impl FnOnce(&Plan, &mut dyn FnMut(&Event)),
) {
    let plan = Plan::new(files).unwrap();
    let mut desk = plan.desk();
    let config = files.list().iter().cloned().map(|(name, text)| ConfigFile { name, text });
    let manifest = Manifest::new(START, config.collect()).unwrap();
    let opened = Journal::create(directory, &plan.journal, manifest).unwrap();
    let mut heard = heard;
    let tap = Tap(move |_: &mut Desk, cleared: &Cleared| heard(cleared.event()));
    let outputs = Outputs::new(opened.outputs, Cleared::event as fn(&Cleared) -> &Event);
    let rear = Then(Risk::new(plan.limits.clone(), plan.strategies.roster()), Then(outputs, tap));
    let rear = Then(Decide::new(plan.strategies.clone()), rear);
    let features = Features::new(&plan.features, &plan.universe);
    let front = Then(Revalue::new(&plan.universe), Then(features, rear));
    let mut stages = Then(Inputs::new(opened.inputs, 0), Then(Track, front));
    drive(&plan, &mut |event: &Event| stages.emit(&mut desk, event));
    drop(stages);
    opened.journal.finish().unwrap();
}

/// Runs the recording into a journal, with a broker who answers.
fn record(tape: Tape, directory: &Path) {
    let broker = Rc::new(RefCell::new(Broker::default()));
    let heard = Rc::clone(&broker);
    let heard = move |event: &Event| heard.borrow_mut().on_output(event);
    journaled(directory, &files(), heard, |plan, out| play(tape, plan, &broker, out));
}

/// The recording as sockets would have brought it, and what the broker answers.
fn play(tape: Tape, plan: &Plan, broker: &RefCell<Broker>, mut out: &mut dyn FnMut(&Event)) {
    let mut decoders = [0, 1].map(|session| Decoder::new(session, Prints::Trades));
    decoders.iter_mut().for_each(|decoder| decoder.restart_in_records(false));
    let registry = Registry::new(2, plan.feed.instruments_max);
    let mut feed = Feed { decoders, registry, sequencer: Sequencer::new(1, 1_024) };
    let run = Run { epoch: 7, order_base: 1 << 24, reserved: [0; 2] };
    feed.sequencer.alone(0, START, Event::new(Kind::RUN, NO_INSTRUMENT, run), &mut out);
    let up = Session {
        state: SessionState::UP,
        reserved: [0; 3],
        attempts: 0,
        next_in: 1,
        reserved2: [0; 2],
    };
    let up = Event::new(Kind::SESSION, NO_INSTRUMENT, up);
    feed.sequencer.alone(plan.broker_source(), START, up, &mut out);

    let mut beats = 0;
    for (channel, at, bytes) in reads(tape) {
        let now = at.max(START);
        feed.read(channel, now, &bytes, &mut out);
        loop {
            let answers = std::mem::take(&mut broker.borrow_mut().answers);
            if answers.is_empty() {
                break;
            }
            for answer in answers {
                feed.sequencer.alone(plan.broker_source(), now, answer, &mut out);
            }
        }
        while START + beats * 1_000_000_000 < now {
            beats += 1;
            let due = START + beats * 1_000_000_000;
            let timer = Timer { id: Timer::BEAT, reserved: 0, due, count: beats, reserved2: 0 };
            feed.sequencer.alone(0, now, Event::new(Kind::TIMER, NO_INSTRUMENT, timer), &mut out);
        }
    }
}

/// What a socket's reads would have brought: session, time, bytes.
fn reads(mut tape: Tape) -> Vec<(u8, u64, Vec<u8>)> {
    let mut reads: Vec<(u8, u64, Vec<u8>)> = Vec::new();
    let mut records = 0;
    while tape.peek().is_some() {
        let item = tape.take();
        match reads.last_mut() {
            Some((channel, at, bytes))
                if (*channel, *at) == (item.channel, item.at) && records < READ =>
            {
                bytes.extend_from_slice(item.bytes);
                records += 1;
            }
            _ => {
                reads.push((item.channel, item.at, item.bytes.to_vec()));
                records = 1;
            }
        }
    }
    reads
}
