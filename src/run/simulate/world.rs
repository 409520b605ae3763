//! A seed in; the market, the broker and the engine, moved step by step with everything that goes
//! wrong between them, and what must hold of it all, out.

use super::{
    engine::{Common, Engine, survivor},
    intake::{BROKER, MARKET, State},
    pipe::{Pipe, Wire},
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
        Dice, FAULTS, Fault, Mischief,
        broker::Broker,
        gateway::{Gateway, Way},
        market::{BEGIN, Market},
        records,
    },
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        control::{Command, Verb},
    },
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    format, fs, io, mem,
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
    now: Timestamp,
    dice: Dice,
    bad: Mischief,
    market: Market,
    gateway: Gateway,
    broker: Rc<RefCell<Broker>>,
    pub(super) witness: Rc<RefCell<Witness>>,
    pub(super) engine: Option<Engine>,
    common: Common,
    /// As the configuration has them, whatever the engine takes them for.
    limits: Limits,
    is_calm: bool,
    wire: Option<Rc<Wire>>,
    silent_until: Timestamp,
    command: Option<Event>,
    paused: Vec<(Timestamp, Option<usize>)>,
    weakness: Option<Weakness>,
    /// Orders at the venue that were compared.
    checked: usize,
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

    /// What was on its way arrives up to some byte.
    fn lose_wire(&mut self, wire: &Wire) {
        wire.closed.set(true);
        let mut bytes = mem::take(&mut *wire.bytes.borrow_mut());
        bytes.truncate(self.dice.below(bytes.len() as u64 + 1) as usize);
        let mut broker = self.broker.borrow_mut();
        broker.on_bytes(&bytes, &self.market, self.now, &mut self.bad);
        broker.on_disconnect();
    }

    fn engine(&mut self) -> &mut Engine {
        match &mut self.engine {
            Some(engine) => engine,
            None => unreachable!("there is an engine until the run is over"),
        }
    }

    fn move_market(&mut self) {
        if self.bad.strikes(Fault::Silence) {
            self.silent_until = self.now + self.bad.below(6_000_000_000);
        }
        self.pause();
        if self.now < self.silent_until {
            return;
        }
        let World { now, dice, bad, market, gateway, .. } = self;
        for _ in 0..dice.between(0, 6) {
            let place = market.place(dice);
            market.quote(place, *now, dice, bad);
            let mut list = Vec::new();
            let (contract, best) = (&market.contracts[place], market.best[place]);
            match dice.below(30) {
                0 => records::interest(&mut list, contract, dice.below(9_999) as i64, *now),
                1 => records::definition(&mut list, contract, *now),
                2 => records::trade(&mut list, contract, best.ask, best.ask_size, *now),
                _ => {}
            }
            records::quote(&mut list, contract, &best, *now);
            if bad.strikes(Fault::Twice) {
                records::quote(&mut list, contract, &best, *now);
            }
            if bad.strikes(Fault::Alien) {
                records::alien(&mut list);
            }
            gateway.send(&list, *now, bad);
        }
        if dice.chance(0.02) {
            let mut beat = Vec::new();
            records::heartbeat(&mut beat, *now);
            gateway.send(&beat, *now, bad);
        }
    }

    /// Trading pauses, and goes on later.
    fn pause(&mut self) {
        let World { now, bad, market, gateway, paused, .. } = self;
        let mut list = Vec::new();
        if bad.strikes(Fault::Pause) {
            let place = bad.below(market.contracts.len() as u64) as usize;
            let which = (bad.below(3) > 0).then_some(place);
            let contract = which.map(|place| &market.contracts[place]);
            records::status(&mut list, contract, records::HALTED, *now);
            paused.push((*now + bad.below(2_000_000_000), which));
        }
        while let Some(at) = paused.iter().position(|(until, _)| until <= now) {
            let (_, which) = paused.swap_remove(at);
            let contract = which.map(|place| &market.contracts[place]);
            records::status(&mut list, contract, records::TRADING, *now);
        }
        gateway.send(&list, *now, bad);
    }

    /// The way between the gate and the broker, in both directions.
    fn move_broker(&mut self) {
        let (now, wire) = (self.now, self.wire.clone());
        if let Some(wire) = &wire {
            let slow = self.bad.strikes(Fault::Slow);
            wire.room.set(slow.then(|| self.bad.below(200) as usize));
            let bytes = mem::take(&mut *wire.bytes.borrow_mut());
            self.broker.borrow_mut().on_bytes(&bytes, &self.market, now, &mut self.bad);
        }
        self.broker.borrow_mut().on_time(now, &self.market, &mut self.bad);
        let cut = wire.is_some() && self.bad.strikes(Fault::Cut);
        let (mut bytes, closing) = {
            let mut broker = self.broker.borrow_mut();
            (mem::take(&mut broker.bytes), broker.closing)
        };
        if cut {
            bytes.truncate(self.bad.below(bytes.len() as u64 + 1) as usize);
        }
        self.deliver(BROKER, &bytes);
        let gone = wire.as_ref().is_some_and(|wire| wire.closed.get());
        if cut || closing || gone {
            self.hang_up_broker();
        }
    }

    fn hang_up_broker(&mut self) {
        let now = self.now;
        if let Some(wire) = self.wire.take() {
            self.lose_wire(&wire);
        }
        if !matches!(self.engine().intake.state(BROKER), State::Down { .. }) {
            self.engine().feed(|intake, out| intake.on_closed(BROKER, now, out));
        }
    }

    fn move_operator(&mut self) {
        if self.bad.strikes(Fault::Stop) {
            self.command = Some(command(Verb::STOP));
        }
        if self.bad.strikes(Fault::Kill) {
            self.command = Some(command(Verb::KILL));
        }
        if self.bad.strikes(Fault::Crash) {
            let points = self.bad.below(200);
            self.engine().fuse.light(points);
        }
    }

    fn move_engine(&mut self) {
        let now = self.now;
        self.read_market();
        self.engine().answer(now);
        let mut command = self.command.take();
        let dropped = self.engine().feed(|intake, out| intake.on_time(now, &mut command, out));
        self.command = command;
        if dropped[BROKER] {
            self.hang_up_broker();
        }
        if dropped[MARKET] {
            self.gateway.on_disconnect();
        }
        self.engine().answer(now);
        self.connect();
    }

    fn read_market(&mut self) {
        let now = self.now;
        while let Some(datagram) = self.gateway.datagrams.pop_front() {
            self.engine().feed(|intake, out| intake.on_bytes(MARKET, &datagram, now, out));
        }
        let lines = self.engine().intake.outbox();
        if !lines.is_empty() {
            self.gateway.on_bytes(&lines, &self.market, now);
        }
        let mut bytes = mem::take(&mut self.gateway.bytes);
        let hangs_up = self.gateway.way == Way::Stream && self.bad.strikes(Fault::Hangup);
        if hangs_up {
            bytes.truncate(self.bad.below(bytes.len() as u64 + 1) as usize);
        }
        self.deliver(MARKET, &bytes);
        let down = matches!(self.engine().intake.state(MARKET), State::Down { .. });
        if hangs_up && !down {
            self.engine().feed(|intake, out| intake.on_closed(MARKET, now, out));
        }
        if hangs_up || down {
            self.gateway.on_disconnect();
        }
    }

    /// Hands bytes over in reads of any length.
    fn deliver(&mut self, place: usize, bytes: &[u8]) {
        let (now, mut rest) = (self.now, bytes);
        while !rest.is_empty() {
            if matches!(self.engine().intake.state(place), State::Down { .. }) {
                return;
            }
            let all = rest.len() as u64;
            let len = if self.dice.chance(0.3) { 1 + self.dice.below(all) } else { all };
            let (read, later) = rest.split_at(len as usize);
            self.engine().feed(|intake, out| intake.on_bytes(place, read, now, out));
            self.engine().answer(now);
            rest = later;
        }
    }

    fn connect(&mut self) {
        let now = self.now;
        if self.engine().intake.wants(MARKET, now) {
            self.gateway.on_connect();
            self.engine().feed(|intake, out| intake.on_connected(MARKET, now, out));
        }
        if !self.engine().intake.wants(BROKER, now) {
            return;
        }
        if self.dice.chance(0.1) {
            return self.engine().feed(|intake, out| intake.on_refused(BROKER, now, out));
        }
        let wire = Rc::new(Wire::default());
        let witness = Rc::clone(&self.witness);
        let twice = self.weakness == Some(Weakness::SendTwice);
        let on_write = Rc::new(move |bytes: &[u8]| {
            witness.borrow_mut().on_write(bytes);
            if twice {
                witness.borrow_mut().on_write(bytes);
            }
        });
        let fuse = Rc::clone(&self.engine().fuse);
        let pipe = Pipe { wire: Rc::clone(&wire), fuse, on_write };
        let taken = self.engine().pipes.try_send(pipe).is_ok();
        debug_assert!(taken, "the gate takes every pipe before the next one");
        self.broker.borrow_mut().on_connect(now);
        self.wire = Some(wire);
        self.engine().feed(|intake, out| intake.on_connected(BROKER, now, out));
    }

    /// Nothing is on its way, in any direction.
    fn is_in_sync(&mut self) -> bool {
        let (quiet, next) = {
            let broker = self.broker.borrow();
            let wire = self.wire.as_ref().is_some_and(|wire| wire.bytes.borrow().is_empty());
            let told = broker.bytes.is_empty() && broker.exchange.telling.is_empty();
            (broker.up && wire && told, broker.next_out())
        };
        let engine = self.engine();
        quiet && engine.is_on() && engine.intake.next_in() == next
    }

    fn why_not_in_sync(&mut self) -> String {
        let next_out = self.broker.borrow().next_out();
        let telling = self.broker.borrow().exchange.telling.len();
        let up = self.broker.borrow().up;
        let engine = self.engine();
        format!(
            "the session never came back into order: gate on {}, broker up {up}, engine expects \
             {}, broker will say {next_out}, {telling} news untold, {:?}",
            engine.is_on(),
            engine.intake.next_in(),
            engine.counts()
        )
    }

    /// What must hold at any time.
    fn check(&mut self) -> Result<(), String> {
        let witness = self.witness.borrow();
        let exchange = &self.broker.borrow().exchange;
        let first = witness.violations.first().or(exchange.offences.first());
        if let Some(what) = first {
            return Err(what.clone());
        }
        for order in &exchange.orders[self.checked..] {
            let mut order = order.clone();
            if self.weakness == Some(Weakness::WrongQuantity) {
                order.quantity += 1;
            }
            if let Some(what) = witness.ledger.differs(&order) {
                return Err(what);
            }
        }
        self.checked = exchange.orders.len();
        Ok(())
    }

    /// What must hold once everything is told.
    pub(super) fn conclude(&mut self) -> Result<(), String> {
        let (held, fills) = {
            let engine = self.engine();
            let lines = engine.desk.book.holdings().map(|line| (line.instrument, line.held));
            (lines.collect::<BTreeMap<u32, i64>>(), engine.desk.book.tally.fills)
        };
        let witness = self.witness.borrow();
        let truth = witness.ledger.truth(&self.broker.borrow().exchange);
        if held != truth {
            return Err(format!("the book holds {held:?}, the venue {truth:?}"));
        }
        if fills != witness.ledger.fills {
            let told = witness.ledger.fills;
            return Err(format!("the book has taken {fills} fills, {told} were told"));
        }
        Ok(())
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

fn command(verb: Verb) -> Event {
    let body = Command { verb, reserved: [0; 7], reserved2: [0; 3] };
    Event::new(Kind::COMMAND, NO_INSTRUMENT, body)
}
