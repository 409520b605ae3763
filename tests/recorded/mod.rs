//! A small trading day made by hand: quotes in, what the real stages decide and a broker answers,
//! and a journal of it out.
#![allow(dead_code, missing_docs, reason = "every test binary uses its own part")]

use super::floor::{BROKER, Floor, OPEN, call};
use sha2::{Digest, Sha256};
use std::{
    cell::RefCell,
    collections::VecDeque,
    fs,
    path::Path,
    process::{Command, Output},
};
use zomma::{
    book::Desk,
    chain::Track,
    config::Span,
    feature::Features,
    greeks::Revalue,
    journal::{ConfigFile, Journal, Manifest, Opened, Settings, Sync},
    risk::{Cleared, Risk},
    run::{Files, Plan},
    stage::{Emit, Tap, Then},
    strategy::{Decide, Set},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        control::Run,
        order::{Cancel, Leg, Order, OrderStatus, Report, ReportKind},
    },
};

const MAIN: &str = r#"
[run]
universe = "universe.toml"
limits = "limits.toml"
strategies = ["strategy.toml"]
ring = 64

[features]
roots = ["SPXW"]
every = "100ms"

[[session]]
name = "options"
address = "127.0.0.1:9"
dataset = "OPRA.PILLAR"
schemas = ["cmbp-1"]
symbols = ["SPXW.OPT"]
stype = "parent"

[[session]]
name = "broker"
kind = "broker"
address = "127.0.0.1:9"
"#;

const STRATEGY: &str = "[[probe]]\nname = \"probe\"\nevery = 7\nplace = \"ask\"\n\
    cancel_after = \"1s\"\nworking_max = 3\n";

const LIMITS: &str = "[account]\norders_max = 64\npackages_max = 64\ninstruments_max = 128\n\
    [limits]\norder_loss_max = 1e8\norder_premium_max = 1e8\ntrade_risk_share_max = 1.0\n\
    expiry_loss_max = 1e9\nstrategy_risk_share_max = 1.0\ndaily_loss_max = 1e8\n\
    open_packages_max = 1000\n";

/// The files of the configuration under which the day was traded.
pub(crate) fn texts() -> Vec<(String, String)> {
    let universe = include_str!("../../config/universe.toml");
    let universe = universe.replace("instruments_max = 16_384", "instruments_max = 128");
    [
        ("main", MAIN),
        ("universe.toml", &universe),
        ("limits.toml", LIMITS),
        ("strategy.toml", STRATEGY),
    ]
    .map(|(name, text)| (name.into(), text.into()))
    .into()
}

/// The same on disk, for `--config`; the path of its main file.
pub(crate) fn config(folder: &Path, change: impl Fn(&str, String) -> String) -> std::path::PathBuf {
    for (name, text) in texts() {
        let file = if name == "main" { "engine.toml" } else { &name };
        fs::write(folder.join(file), change(&name, text)).unwrap();
    }
    folder.join("engine.toml")
}

/// Inputs and outputs of a day.
#[derive(Clone)]
pub(crate) struct Day {
    pub(crate) inputs: Vec<Event>,
    pub(crate) outputs: Vec<Event>,
}

impl Day {
    /// Quotes that move for so many rounds, orders on them, and a broker who fills every other one.
    pub(crate) fn trade(rounds: usize) -> Day {
        let plan = Plan::new(&Files::from_list(texts())).unwrap();
        let source = plan.broker_source();
        let mut desk = plan.desk();
        let out = RefCell::new(Vec::new());
        let tap = Tap(|_: &mut Desk, cleared: &Cleared| {
            out.borrow_mut().extend(Some(*cleared.event()).filter(|e| e.kind.is_output()));
        });
        let decide = Decide::new(plan.strategies.clone());
        let rear =
            Then(decide, Then(Risk::new(plan.limits.clone(), plan.strategies.roster()), tap));
        let rear = Then(Features::new(&plan.features, &plan.universe), rear);
        let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
        let mut day = Day { inputs: Vec::new(), outputs: Vec::new() };
        let mut broker = Broker { source, ..Broker::default() };
        for event in market(rounds, source) {
            let mut due = VecDeque::from([event]);
            while let Some(event) = due.pop_front() {
                let event = Event { seq: day.inputs.len() as u64 + 1, ..event };
                day.inputs.push(event);
                stages.emit(&mut desk, &event);
                for output in out.take() {
                    day.outputs.push(output);
                    due.extend(broker.answer(&output));
                }
            }
        }
        day
    }

    /// Writes the journal of a run that ended, as the engine `program` would have.
    pub(crate) fn write(&self, directory: &Path) -> Manifest {
        self.write_as(directory, manifest())
    }

    /// The same under another manifest.
    pub(crate) fn write_as(&self, directory: &Path, manifest: Manifest) -> Manifest {
        let opened = Journal::create(directory, &settings(), manifest).unwrap();
        self.append(opened)
    }

    /// Appends the day to a journal and ends the run.
    pub(crate) fn append(&self, opened: Opened) -> Manifest {
        let Opened { journal, mut inputs, mut outputs } = opened;
        self.inputs.iter().for_each(|event| assert!(inputs.append(event).is_ok()));
        self.outputs.iter().for_each(|event| assert!(outputs.append(event).is_ok()));
        drop((inputs, outputs));
        journal.finish().unwrap()
    }
}

/// What a run of the engine `program` says of itself.
pub(crate) fn manifest() -> Manifest {
    let files = texts().into_iter().map(|(name, text)| ConfigFile { name, text });
    let mut manifest = Manifest::new(OPEN, files.collect()).unwrap();
    manifest.program = Sha256::digest(fs::read(env!("CARGO_BIN_EXE_zomma")).unwrap()).into();
    manifest
}

/// Small segments, so that a day has many.
pub(crate) fn settings() -> Settings {
    Settings {
        segment_bytes: 65_536,
        output_segment_bytes: 65_536,
        sync: Sync::None,
        sync_interval: Span(1_000_000),
    }
}

/// Takes every order, fills those with an even number, cancels what it is told to.
#[derive(Default)]
struct Broker {
    source: u16,
    told: u64,
    order: Option<Order>,
}

impl Broker {
    fn answer(&mut self, output: &Event) -> Vec<Event> {
        let (new, filled) = (OrderStatus::NEW, OrderStatus::FILLED);
        let nothing = (Price::UNDEF, 0);
        match output.kind {
            Kind::ORDER => {
                let order = *output.body::<Order>();
                self.order = Some(order);
                vec![self.tell(output, order.id, (ReportKind::NEW, new), nothing)]
            }
            Kind::ORDER_LEG => {
                let (leg, order) = (*output.body::<Leg>(), self.order.unwrap());
                let fill = (leg.price, order.quantity * leg.ratio);
                let report = self.tell(output, order.id, (ReportKind::FILL, filled), fill);
                Some(report).filter(|_| order.id % 2 == 0).into_iter().collect()
            }
            Kind::CANCEL => {
                let order = output.body::<Cancel>().order;
                let canceled = (ReportKind::CANCELED, OrderStatus::CANCELED);
                vec![self.tell(output, order, canceled, nothing)]
            }
            _ => Vec::new(),
        }
    }

    fn tell(
        &mut self,
        cause: &Event,
        order: u64,
        (event, status): (ReportKind, OrderStatus),
        (price, quantity): (Price, u32),
    ) -> Event {
        self.told += 1;
        let leg = if quantity > 0 { 0 } else { Report::WHOLE };
        let exec_id = self.told;
        let report = Report { order, exec_id, price, quantity, event, status, leg, resent: 0 };
        let event = Event::caused_by(cause, Kind::REPORT, NO_INSTRUMENT, report);
        Event { source: self.source, flags: Flags::BATCH_END, ..event }
    }
}

/// What comes in from the market, and a broker's session that comes up.
fn market(rounds: usize, source: u16) -> Vec<Event> {
    let mut floor = Floor::new(Set::default(), "");
    for round in 0..rounds {
        let wave = (round % 40) as f64 - 20.0;
        if round % 4 == 0 {
            floor.market(5_400.0 + wave.abs() * 0.2, 1.0 - 0.004 * wave.abs());
        }
        floor.quote(call(5_420), 300 + round as i64 % 7 * 10, 370 + round as i64 % 5 * 10);
        floor.wait(0.15);
    }
    let inputs = floor.sent.into_iter().filter(|event| event.kind.is_input());
    inputs.map(|event| as_the_engine_has_it(event, source)).collect()
}

/// Order numbers far above any count, as those of a real run, and the broker in its place.
fn as_the_engine_has_it(event: Event, source: u16) -> Event {
    let run = Run { epoch: 1, order_base: 1 << 40, reserved: [0; 2] };
    match event.kind {
        Kind::RUN => Event { payload: bytemuck::must_cast(run), ..event },
        _ if event.source == BROKER => Event { source, ..event },
        _ => event,
    }
}

/// A command of the engine, run to its end.
pub(crate) fn zomma(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zomma")).args(arguments).output().unwrap()
}

/// Standard output of a command that must end with this code.
#[track_caller]
pub(crate) fn said(code: i32, arguments: &[&str]) -> String {
    let output = zomma(arguments);
    let (out, errors) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    let (out, errors) = (out.unwrap(), errors.unwrap());
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}{out}");
    assert!(code != 0 || errors.is_empty(), "{arguments:?}: {errors}");
    if code == 0 { out } else { out + &errors }
}
