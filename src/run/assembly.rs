//! A plan in; its threads, started one after the other, out.

use super::{
    Failure, Plan,
    agents::{Intake, Now, Signs, Stretch},
    exit::{Close, Exit, OnSent, Reply},
    link::Link,
    live::{secret, state_directory},
    meter::{Desktop, Market, Meter, Wire},
    settings::Threads,
    stages::{Watched, desk},
};
use crate::{
    book::Desk,
    chain::Track,
    feed::{
        Feed,
        control::Control,
        fix::{FixDecoder, store},
        reader::{Broker, Parts},
    },
    gate::{Ends, Gate},
    journal::{Inputs, Outputs, Writer},
    risk::Cleared,
    rt::{
        clock::Clock,
        counters::Counters,
        histogram::Histograms,
        probe::Thread,
        ring::{Consumer, Producer, ring},
        runner::{self, Halt, Placement, Running},
        seal::Seal,
    },
    stage::{Emit, Then},
    wire::{Event, control::Run},
};
use std::{
    boxed::Box,
    format, io, println,
    string::ToString,
    sync::{Arc, atomic::AtomicBool, mpsc::sync_channel},
    vec::Vec,
};

/// What threads are made from.
pub(super) struct Assembly<'a> {
    pub(super) plan: &'a Plan,
    pub(super) clock: &'a Clock,
    pub(super) counters: &'a mut Counters,
    pub(super) histograms: &'a mut Histograms,
    pub(super) control: Control,
    pub(super) signs: Signs,
    pub(super) epoch: u64,
}

/// The threads of a run, in the order of a tick's life.
pub(super) struct Made {
    threads: Vec<(Running, Halt)>,
    pub(super) signs: Signs,
    pub(super) kill: Arc<AtomicBool>,
}

/// Replies of the gate that may be on their way to the feed.
const REPLIES: usize = 4_096;

type Outgoing<E> = Then<Outputs<Cleared, fn(&Cleared) -> &Event>, E>;

impl Assembly<'_> {
    /// Starts all threads; the first one last, so that nothing comes in before all can take it.
    pub(super) fn start(mut self, inputs: Writer, outputs: Writer) -> Result<Made, Failure> {
        let (reply, replies) = ring::<Event>(REPLIES);
        let (exit, decoder, kill) = self.exit(reply)?;
        let feed = self.feed(decoder)?;
        let mut threads = Vec::new();
        let io = |e: io::Error| Failure::environment(format!("threads: {e}"));
        let started = match self.plan.run.threads {
            Threads::Inline => self.inline(feed, replies, inputs, outputs, exit, &mut threads),
            Threads::Shared => self.shared(feed, replies, inputs, outputs, exit, &mut threads),
            Threads::Dedicated => {
                self.dedicated(feed, replies, inputs, outputs, exit, &mut threads)
            }
        };
        started.map_err(io)?;
        threads.reverse();
        Ok(Made { threads, signs: self.signs, kill })
    }

    fn inline(
        &mut self,
        feed: Feed<FixDecoder, Now>,
        replies: Consumer<Event>,
        inputs: Writer,
        outputs: Writer,
        exit: Exit,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let thread = Thread::new(self.clock);
        let set = self.plan.strategies.clone();
        let mut watched = Watched { thread: &thread, file: self.histograms };
        let rear = watched.rear(self.plan, set, outgoing(outputs, exit))?;
        let front = watched.front(self.plan, rear)?;
        let stages = Then(watched.watch("journal", Inputs(inputs))?, front);
        self.intake(feed, replies, stages, true, threads)
    }

    fn shared(
        &mut self,
        feed: Feed<FixDecoder, Now>,
        replies: Consumer<Event>,
        inputs: Writer,
        outputs: Writer,
        exit: Exit,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let (producer, consumer) = ring::<Event>(self.plan.run.ring);
        self.decide("strategy..gate", 1, consumer, outgoing(outputs, exit), threads)?;
        let link = self.link("greeks", producer)?;
        let thread = Thread::new(self.clock);
        let mut watched = Watched { thread: &thread, file: self.histograms };
        let front = watched.front(self.plan, link)?;
        let stages = Then(watched.watch("journal", Inputs(inputs))?, front);
        self.intake(feed, replies, stages, false, threads)
    }

    fn dedicated(
        &mut self,
        feed: Feed<FixDecoder, Now>,
        replies: Consumer<Event>,
        inputs: Writer,
        outputs: Writer,
        exit: Exit,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let (cleared, gate) = ring::<Cleared>(self.plan.run.ring);
        self.stretch("gate", 3, gate, exit, Meter::default(), threads)?;
        let (priced, decide) = ring::<Event>(self.plan.run.ring);
        let link = self.link("risk", cleared)?;
        self.decide("strategy, risk", 2, decide, outgoing(outputs, link), threads)?;
        let (numbered, price) = ring::<Event>(self.plan.run.ring);
        let link = self.link("greeks", priced)?;
        let thread = Thread::new(self.clock);
        let front = Watched { thread: &thread, file: self.histograms }.front(self.plan, link)?;
        let meter =
            Meter { market: Some(Market::declare(self.counters, "market")?), desktop: None };
        self.stretch("chain, greeks", 1, price, front, meter, threads)?;
        let link = self.link("feed", numbered)?;
        let thread = Thread::new(self.clock);
        let mut watched = Watched { thread: &thread, file: self.histograms };
        let stages = Then(watched.watch("journal", Inputs(inputs))?, link);
        self.intake_with(feed, replies, stages, Meter::default(), threads)
    }

    /// Strategy and risk on a thread that keeps its own replica of the chain.
    fn decide<E: Emit<Desk, Cleared> + Close + Send + 'static>(
        &mut self,
        name: &str,
        place: usize,
        ring: Consumer<Event>,
        end: E,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let thread = Thread::new(self.clock);
        let set = self.plan.strategies.clone();
        let mut watched = Watched { thread: &thread, file: self.histograms };
        let rear = watched.rear(self.plan, set, end)?;
        let stages = Then(watched.watch("link", Track)?, rear);
        let desktop = Some(Desktop::declare(self.counters, "book")?);
        self.stretch(name, place, ring, stages, Meter { market: None, desktop }, threads)
    }

    fn link<T: crate::rt::ring::Message>(
        &mut self,
        behind: &str,
        ring: Producer<T>,
    ) -> io::Result<Link<T>> {
        let about = "Times that the ring behind this stage was full.";
        Ok(Link::new(ring, self.counters.counter(behind, "ring_waits", "1", about)?))
    }

    fn intake<S: Emit<Desk, Event> + Close + Send + 'static>(
        &mut self,
        feed: Feed<FixDecoder, Now>,
        replies: Consumer<Event>,
        stages: S,
        decides: bool,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let market = Some(Market::declare(self.counters, "market")?);
        let desktop = decides.then(|| Desktop::declare(self.counters, "book")).transpose()?;
        self.intake_with(feed, replies, stages, Meter { market, desktop }, threads)
    }

    fn intake_with<S: Emit<Desk, Event> + Close + Send + 'static>(
        &mut self,
        feed: Feed<FixDecoder, Now>,
        replies: Consumer<Event>,
        stages: S,
        meter: Meter,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let names = self.plan.sessions.iter().map(|session| &session.name);
        let wires =
            names.map(|name| Wire::declare(self.counters, name)).collect::<io::Result<_>>()?;
        let events = self.counters.counter("feed", "events", "events", "Events numbered.")?;
        let (desk, signs, clock) = (desk(self.plan), self.signs.clone(), self.clock.clone());
        let broker = self.plan.broker_source();
        let intake = Intake {
            feed,
            broker,
            replies,
            desk,
            stages,
            wires,
            events,
            meter,
            signs,
            clock,
            started: false,
        };
        let name = if self.plan.run.threads == Threads::Inline { "pipeline" } else { "feed" };
        self.run(name, 0, intake, threads)
    }

    fn stretch<T, S>(
        &mut self,
        name: &str,
        place: usize,
        ring: Consumer<T>,
        stages: S,
        meter: Meter,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()>
    where
        T: crate::rt::ring::Message + core::borrow::Borrow<Event> + 'static,
        S: Emit<Desk, T> + Close + Send + 'static,
    {
        let (desk, clock) = (desk(self.plan), self.clock.clone());
        self.run(name, place, Stretch { ring, desk, stages, meter, clock }, threads)
    }

    fn run<A: runner::Agent + Send + 'static>(
        &mut self,
        name: &str,
        place: usize,
        agent: A,
        threads: &mut Vec<(Running, Halt)>,
    ) -> io::Result<()> {
        let run = &self.plan.run;
        let placement = Placement {
            name: name.to_string(),
            core: run.cores.get(place).map(|core| *core as usize),
            priority: run.fifo.then_some(run.priority),
            idle: run.idle,
            stall_ns: run.stall.nanos(),
            seal: Seal::Counting,
        };
        let halt = Halt::default();
        let running = runner::start(placement, self.counters, self.clock, &halt, move || agent)?;
        for got in &running.got {
            println!("thread {name}: {}", got.what);
        }
        threads.push((running, halt));
        Ok(())
    }

    fn feed(&self, decoder: Option<Broker<FixDecoder>>) -> Result<Feed<FixDecoder, Now>, Failure> {
        let clock = self.clock.clone();
        // Order numbers of a run start above those of all runs before it: they are its second.
        let order_base = (self.epoch / 1_000_000_000) << 24;
        let parts = Parts {
            settings: &self.plan.feed,
            sessions: &self.plan.sessions,
            broker: decoder,
            run: Run { epoch: self.epoch, order_base, reserved: [0; 2] },
            clock: Box::new(move || clock.now()) as Now,
            control: self.control.clone(),
        };
        Feed::new(parts, &secret).map_err(|e| Failure::environment(e.to_string()))
    }

    /// The gate and the feed's side of the broker's session, if there is one.
    #[expect(clippy::type_complexity, reason = "made here, taken apart by the caller at once")]
    fn exit(
        &mut self,
        mut reply: Producer<Event>,
    ) -> Result<(Exit, Option<Broker<FixDecoder>>, Arc<AtomicBool>), Failure> {
        let failed = |e: io::Error| Failure::environment(format!("counters: {e}"));
        let kill = Arc::new(AtomicBool::new(false));
        let source = self.plan.broker_source();
        if source == 0 {
            let exit = Exit::new(None, self.counters).map_err(failed)?;
            return Ok((exit, None, kill));
        }
        let broker = &self.plan.broker;
        let path = state_directory(&self.plan.run.state)?.join(&broker.store);
        let (sender, target) = (&broker.sender_comp_id, &broker.target_comp_id);
        let (inbound, outbound) = store::open(&path, sender, target, broker.reset_on_logon)
            .map_err(|e| Failure::environment(e.to_string()))?;
        let (to_gate, streams) = sync_channel(8);
        let ends = Ends {
            streams,
            kill: Arc::clone(&kill),
            // A reply that finds no room would leave a strategy waiting: it cannot be, since
            // there are never that many orders between two turns of the feed.
            reply: Box::new(move |event| while !reply.try_push(&event) {}) as Reply,
            on_sent: self.on_sent().map_err(failed)?,
        };
        let password = secret(&broker.password_env).unwrap_or_default();
        let gate = Gate::new(broker.clone(), password, source, outbound, ends);
        let decoder = FixDecoder::new(sender, target, inbound);
        let exit = Exit::new(Some(gate), self.counters).map_err(failed)?;
        Ok((exit, Some(Broker { decoder, gate: to_gate }), kill))
    }

    fn on_sent(&mut self) -> io::Result<OnSent> {
        let about = "from the return of the read that held the tick to that of the order's write";
        let trade = self.histograms.histogram("gate", "tick_to_trade", "ns", about)?;
        let clock = self.clock.clone();
        let record = move |event: &Event| trade.record(clock.now().saturating_sub(event.ts_recv));
        Ok(Box::new(record))
    }
}

fn outgoing<E>(outputs: Writer, end: E) -> Outgoing<E> {
    Then(Outputs::new(outputs, Cleared::event as fn(&Cleared) -> &Event), end)
}

impl Made {
    /// Whether a stage has panicked: nothing may be sent any more.
    pub(super) fn panicked(&self) -> bool {
        self.threads.iter().any(|(_, halt)| halt.panicked())
    }

    /// Ends the threads in the order of a tick's life, so that each takes all that was sent to it.
    pub(super) fn join(self) -> Result<(), Failure> {
        let mut died = Ok(());
        for (running, halt) in self.threads {
            halt.stop();
            let outcome = running.join();
            if let Some(panic) = outcome.panic {
                let what = format!("thread {} panicked: {panic}", outcome.name);
                died = Err(Failure::environment(what));
            }
        }
        let failed = self.signs.failed.get().map(|what| Failure::environment(what.as_str()));
        failed.map_or(died, Err)
    }
}
