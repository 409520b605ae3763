//! A seed in; the market, the broker and the engine, moved step by step with everything that goes
//! wrong between them, and what must hold of it all, out.

use super::{
    engine::{Common, Engine, survivor},
    pipe::Wire,
    setting::Setting,
    torn,
    totals::Totals,
    weakness::Weakness,
    witness::Witness,
};
use crate::{
    journal::Stream,
    risk::Limits,
    run::Plan,
    sim::{
        Dice, FAULTS, Mischief,
        broker::Broker,
        gateway::{Gateway, Way},
        market::{BEGIN, Market},
    },
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        control::{Command, Verb},
    },
};
use std::{
    cell::RefCell,
    format, fs, io,
    path::{Path, PathBuf},
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};

/// Steps until everything must be in order again once nothing goes wrong any more.
const CALM_STEPS: usize = 2_000;

/// What a run is made from.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// Where everything comes from.
    pub seed: u64,
    /// Steps before the calm; 0 for as many as the seed says.
    pub steps: u64,
    /// Names of the only faults that may strike; `None` for those that the seed says.
    pub only: Option<Vec<String>>,
    /// Where the journals are kept; `None` for nowhere.
    pub keep: Option<PathBuf>,
    /// What the engine does wrong on purpose.
    pub weakness: Option<Weakness>,
}

/// Everything.
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) dice: Dice,
    pub(super) bad: Mischief,
    pub(super) market: Market,
    pub(super) gateway: Gateway,
    pub(super) broker: Rc<RefCell<Broker>>,
    pub(super) witness: Rc<RefCell<Witness>>,
    pub(super) engine: Option<Engine>,
    pub(super) common: Common,
    /// As the configuration has them, whatever the engine takes them for.
    pub(super) limits: Limits,
    pub(super) is_calm: bool,
    pub(super) wire: Option<Rc<Wire>>,
    pub(super) silent_until: Timestamp,
    pub(super) command: Option<Event>,
    pub(super) paused: Vec<(Timestamp, Option<usize>)>,
    pub(super) weakness: Option<Weakness>,
    /// Orders at the venue that were compared.
    pub(super) checked: usize,
    pub(super) totals: Totals,
}

impl World {
    /// At ten in the morning, on a directory of its own.
    pub(super) fn new(case: &Case, base: &Path) -> Result<World, String> {
        let mut dice = Dice::new(case.seed);
        let setting = Setting::new(&mut dice.fork());
        let told = |errors: Vec<crate::config::Error>| {
            errors.iter().map(|e| e.to_string() + "\n").collect::<String>()
        };
        let strict = Plan::new(&setting.files).map_err(told)?;
        let loose = case.weakness.and_then(Weakness::loosens);
        let files = loose
            .map_or_else(|| setting.files.clone(), |(key, value)| setting.loosened(key, value));
        let plan = Rc::new(Plan::new(&files).map_err(told)?);
        let mut bad = Mischief::new(&mut dice);
        bad.keep(|fault| {
            let name = FAULTS[fault as usize].name;
            let only = case.only.as_ref();
            only.is_none_or(|only| only.iter().any(|o| o == name))
        });
        let market = Market::new(&mut dice);
        let broker = Rc::new(RefCell::new(Broker::new(&mut dice)));
        let fee = crate::book::from_currency(plan.account.fee_per_contract);
        let witness = Witness::new(&strict.limits, fee, plan.broker_source(), &broker);
        let witness = Rc::new(RefCell::new(witness));
        let weakness = case.weakness;
        let common = Common { plan, files, weakness, witness: Rc::clone(&witness) };
        let engine = Engine::start(&common, base, BEGIN)?;
        let mut world = World {
            now: BEGIN,
            dice,
            bad,
            market,
            gateway: Gateway::new(setting.way),
            broker,
            witness,
            engine: Some(engine),
            common,
            limits: strict.limits,
            is_calm: false,
            wire: None,
            silent_until: 0,
            command: None,
            paused: Vec::new(),
            weakness,
            checked: 0,
            totals: Totals::default(),
        };
        world.open_market();
        Ok(world)
    }

    fn open_market(&mut self) {
        for place in 0..self.market.contracts.len() {
            self.market.quote(place, self.now, &mut self.dice, &mut self.bad);
        }
        if self.gateway.way == Way::Datagrams {
            self.gateway.announce(&self.market, self.now);
        }
    }

    /// The whole run.
    pub(super) fn run(&mut self, case: &Case) -> Result<(), String> {
        let drawn = self.dice.between(50, 400);
        let steps = if case.steps == 0 { drawn } else { case.steps };
        for _ in 0..steps {
            self.step()?;
            self.check()?;
        }
        self.bad.calm();
        self.is_calm = true;
        self.broker.borrow_mut().exchange.calm();
        self.command = self.command.or(Some(command(Verb::STOP)));
        for _ in 0..CALM_STEPS {
            self.step()?;
            self.check()?;
            if self.is_in_sync() {
                return Ok(());
            }
        }
        Err(self.why_not_in_sync())
    }

    /// One step of time: the market, the broker, the engine.
    fn step(&mut self) -> Result<(), String> {
        let ns = *self.dice.pick(&[1, 5, 20, 60, 150]) * 1_000_000 + self.dice.below(1_000_000);
        self.now += ns;
        self.market.step(ns, &mut self.dice);
        self.move_market();
        self.move_broker();
        self.move_operator();
        self.move_engine();
        if self.engine().fuse.is_dead() { self.restart() } else { Ok(()) }
    }

    /// The process is dead. What it wrote arrives up to some byte, and another one begins on what
    /// the files held at that instant.
    fn restart(&mut self) -> Result<(), String> {
        if let Some(wire) = self.wire.take() {
            self.lose_wire(&wire);
        }
        self.gateway.on_disconnect();
        self.gateway.datagrams.clear();
        let Some(dead) = self.engine.take() else { return Ok(()) };
        self.totals.add_process(&dead.counts());
        let base = survivor(&dead.base);
        let old = dead.base.clone();
        drop(dead);
        drop(fs::remove_dir_all(old));
        self.tear(&base).map_err(|e| format!("{}: {e}", base.display()))?;
        self.now += self.dice.below(5_000_000_000);
        let fee = crate::book::from_currency(self.common.plan.account.fee_per_contract);
        self.witness.borrow_mut().restart(&self.limits, fee);
        self.engine = Some(Engine::resume(&self.common, &base, self.now)?);
        self.totals.restarts += 1;
        if self.is_calm {
            self.command = Some(command(Verb::STOP));
        }
        Ok(())
    }

    /// What the death of a process may leave besides whole records: one that was being written.
    fn tear(&mut self, base: &Path) -> io::Result<()> {
        let journal = base.join("journal");
        for stream in [Stream::Inputs, Stream::Outputs] {
            if self.dice.chance(0.3) {
                torn::tear(&journal, stream, self.dice.between(1, 72) as usize)?;
            }
        }
        if self.weakness == Some(Weakness::ForgetTail) {
            torn::forget(&journal, Stream::Inputs, 3)?;
        }
        if self.weakness == Some(Weakness::ForgetNumbers) {
            fs::remove_dir_all(base.join("state"))?;
        }
        Ok(())
    }

    pub(super) fn engine(&mut self) -> &mut Engine {
        match &mut self.engine {
            Some(engine) => engine,
            None => unreachable!("there is an engine until the run is over"),
        }
    }

    /// Ends the process in good order; its journal, and the totals.
    pub(super) fn finish(&mut self) -> Result<PathBuf, String> {
        let witness = self.witness.borrow();
        let exchange = &self.broker.borrow().exchange;
        if let Some(engine) = &self.engine {
            self.totals.add_process(&engine.counts());
        }
        self.totals.add_run(&witness, exchange, self.bad.counts());
        self.engine.take().map_or_else(|| Err("there is no engine".into()), Engine::finish)
    }
}

/// The operator's word.
pub(super) fn command(verb: Verb) -> Event {
    let body = Command::new(verb, 0, b"");
    Event::new(Kind::COMMAND, NO_INSTRUMENT, body)
}
