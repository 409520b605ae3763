//! A plan in; its threads, started one after the other, out.

use super::{
    Failure, Plan,
    agents::{Intake, Now, Signs, Stretch},
    exit::{Close, Exit, OnSent, Reply},
    link::Link,
    live::{secret, state_directory},
    meter::{Desktop, Market, Meter, Time, Wire},
    recovery::Past,
    say::println,
    series::names,
    settings::Threads,
    stages::{Watches, front, rear},
    supervisor::pause,
};
use crate::{
    book::Desk,
    chain::Track,
    feed::{
        Feed, Health,
        control::Control,
        fix::{FixDecoder, store},
        reader::{Broker, Parts},
    },
    gate::{Ends, Gate},
    journal::{Hold, Inputs, Outputs, Sync, Watch, Writer},
    risk::Cleared,
    rt::{
        clock::{self, Clock},
        counters::Counters,
        histogram::Histograms,
        idle::Idle,
        probe::{self, Probe, Thread},
        ring::{Consumer, Producer, ring},
        runner::{self, Halt, Placement, Running},
        seal::Seal,
    },
    stage::{Emit, Then},
    wire::{Event, control::Run},
};
use std::{
    boxed::Box,
    format, io,
    string::ToString,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::sync_channel,
    },
    time::Duration,
    vec::Vec,
};

/// What threads are made from.
pub(super) struct Assembly<'a> {
    pub(super) plan: &'a Plan,
    pub(super) clock: &'a Clock,
    pub(super) counters: &'a mut Counters,
    pub(super) histograms: &'a mut Histograms,
    pub(super) control: Control,
    /// What files say of external series.
    pub(super) observations: Vec<Event>,
    pub(super) signs: Signs,
    /// Says how the journal stands.
    pub(super) health: Health,
    /// The kill switch: once true, no order leaves.
    pub(super) kill: Arc<AtomicBool>,
    pub(super) epoch: u64,
    /// What earlier sessions of the run have left.
    pub(super) past: Past,
    /// Cores that the process had before its first thread was pinned.
    pub(super) cores: usize,
    /// Inputs and outputs of the journal, where orders wait for the disk.
    pub(super) strict: Option<[Watch; 2]>,
    /// What has been started, the last of the pipeline first.
    pub(super) threads: Vec<(Running, Halt)>,
}

/// The threads of a run, in the order of a tick's life.
pub(super) struct Made {
    threads: Vec<(Running, Halt)>,
    pub(super) signs: Signs,
    pub(super) kill: Arc<AtomicBool>,
}

/// Replies of the gate that may be on their way to the feed.
const REPLIES: usize = 4_096;

type Outgoing<E> = Then<Outputs<Cleared, fn(&Cleared) -> &Event>, Hold<Cleared, E>>;

/// Both ends of the pipeline, and its journal.
struct Sides {
    feed: Feed<FixDecoder, Now>,
    replies: Consumer<Event>,
    inputs: Writer,
    outputs: Writer,
    exit: Exit,
}

impl Assembly<'_> {
    /// Starts all threads; the first one last, so that nothing comes in before all can take it.
    pub(super) fn start(mut self, inputs: Writer, outputs: Writer) -> Result<Made, Failure> {
        let io = |e: io::Error| Failure::environment(format!("threads: {e}"));
        let strict = self.plan.journal.sync == Sync::Strict;
        self.strict = strict.then(|| [inputs.watch(), outputs.watch()]);
        let watches = Watches::declare(self.histograms).map_err(io)?;
        let (reply, replies) = ring::<Event>(REPLIES);
        let (exit, decoder) = self.exit(reply)?;
        let sides = Sides { feed: self.feed(decoder)?, replies, inputs, outputs, exit };
        self.say_idle();
        let started = match self.plan.run.threads {
            Threads::Inline => self.inline(sides, watches),
            Threads::Shared => self.shared(sides, watches),
            Threads::Dedicated => self.dedicated(sides, watches),
        };
        started.map_err(io)?;
        self.threads.reverse();
        Ok(Made { threads: self.threads, signs: self.signs, kill: self.kill })
    }

    fn inline(&mut self, sides: Sides, watches: Watches) -> io::Result<()> {
        let (plan, thread) = (self.plan, self.thread());
        let Sides { feed, replies, inputs, outputs, exit } = sides;
        let exit = probe::Exit::of(self.outgoing(outputs, exit), watches.exit, &thread);
        let rear = rear(plan, [watches.features, watches.strategy, watches.risk], &thread, exit);
        let front = front(plan, [watches.chain, watches.greeks], &thread, rear);
        let stages =
            Then(Probe::of(Inputs::new(inputs, self.past.first), watches.journal, &thread), front);
        let meter = Meter { market: self.market()?, desktop: self.desktop()? };
        self.intake(feed, replies, stages, meter)
    }

    fn shared(&mut self, sides: Sides, watches: Watches) -> io::Result<()> {
        let (plan, thread) = (self.plan, self.thread());
        let Sides { feed, replies, inputs, outputs, exit } = sides;
        let (producer, consumer) = ring::<Event>(plan.run.ring);
        let exit = probe::Exit::of(self.outgoing(outputs, exit), watches.exit, &thread);
        let rear = rear(plan, [watches.features, watches.strategy, watches.risk], &thread, exit);
        let stages = Then(Probe::of(Track, watches.link, &thread), rear);
        let meter = Meter { market: None, desktop: self.desktop()? };
        self.stretch(("strategy..gate", 1), consumer, stages, meter)?;
        let link = self.link("greeks", producer)?;
        let thread = self.thread();
        let front = front(plan, [watches.chain, watches.greeks], &thread, link);
        let stages =
            Then(Probe::of(Inputs::new(inputs, self.past.first), watches.journal, &thread), front);
        let meter = Meter { market: self.market()?, desktop: None };
        self.intake(feed, replies, stages, meter)
    }

    fn dedicated(&mut self, sides: Sides, watches: Watches) -> io::Result<()> {
        let (plan, thread) = (self.plan, self.thread());
        let Sides { feed, replies, inputs, outputs, exit } = sides;
        let (cleared, gate) = ring::<Cleared>(plan.run.ring);
        let exit = probe::Exit::of(exit, watches.exit, &thread);
        self.stretch(("gate", 3), gate, exit, Meter::default())?;

        let (priced, decide) = ring::<Event>(plan.run.ring);
        let link = self.link("risk", cleared)?;
        let link = self.outgoing(outputs, link);
        let thread = self.thread();
        let rear = rear(plan, [watches.features, watches.strategy, watches.risk], &thread, link);
        let stages = Then(Probe::of(Track, watches.link, &thread), rear);
        let meter = Meter { market: None, desktop: self.desktop()? };
        self.stretch(("strategy, risk", 2), decide, stages, meter)?;

        let (numbered, price) = ring::<Event>(plan.run.ring);
        let link = self.link("greeks", priced)?;
        let thread = self.thread();
        let front = front(plan, [watches.chain, watches.greeks], &thread, link);
        let meter = Meter { market: self.market()?, desktop: None };
        self.stretch(("chain, greeks", 1), price, front, meter)?;

        let link = self.link("feed", numbered)?;
        let thread = self.thread();
        let stages =
            Then(Probe::of(Inputs::new(inputs, self.past.first), watches.journal, &thread), link);
        self.intake(feed, replies, stages, Meter::default())
    }

    fn thread(&self) -> Thread {
        Thread::new(self.clock).starting_at(self.past.first)
    }

    fn outgoing<E>(&mut self, outputs: Writer, end: E) -> Outgoing<E> {
        let outputs = Outputs::new(outputs, Cleared::event as fn(&Cleared) -> &Event);
        let outputs = outputs.after(self.past.recorded.take());
        Then(outputs, Hold::new(self.strict.clone(), end))
    }

    fn market(&mut self) -> io::Result<Option<Market>> {
        Market::declare(self.counters, "market").map(Some)
    }

    fn desktop(&mut self) -> io::Result<Option<Desktop>> {
        Desktop::declare(self.counters, "book").map(Some)
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
        meter: Meter,
    ) -> io::Result<()> {
        let names = self.plan.sessions.iter().map(|session| &session.name);
        let wires =
            names.map(|name| Wire::declare(self.counters, name)).collect::<io::Result<_>>()?;
        let events = self.counters.counter("feed", "events", "events", "Events numbered.")?;
        let time = Time::declare(self.counters, "feed")?;
        let (desk, signs, clock) = (self.plan.desk(), self.signs.clone(), self.clock.clone());
        let broker = self.plan.broker_source();
        let intake = Intake {
            feed,
            broker,
            replies,
            desk,
            stages,
            wires,
            events,
            time,
            meter,
            signs,
            clock,
            past: self.past.relive.take(),
            before: 0,
            started: false,
        };
        let name = if self.plan.run.threads == Threads::Inline { "pipeline" } else { "feed" };
        self.run((name, 0), intake)
    }

    fn stretch<T, S>(
        &mut self,
        place: (&str, usize),
        ring: Consumer<T>,
        stages: S,
        meter: Meter,
    ) -> io::Result<()>
    where
        T: crate::rt::ring::Message + core::borrow::Borrow<Event> + 'static,
        S: Emit<Desk, T> + Close + Send + 'static,
    {
        let (desk, clock) = (self.plan.desk(), self.clock.clone());
        self.run(place, Stretch { ring, desk, stages, meter, clock })
    }

    /// Where hot threads have to take turns on cores, the one that waits must give its core away:
    /// two real-time threads that spin on one core hang it.
    fn takes_turns(&self) -> bool {
        let run = &self.plan.run;
        let doubled = (1..run.cores.len()).any(|at| run.cores[..at].contains(&run.cores[at]));
        doubled || self.cores < run.threads.count()
    }

    fn say_idle(&self) {
        let run = &self.plan.run;
        if self.takes_turns() && (run.fifo || run.idle != Idle::Yield) {
            println!(
                "machine: {} hot threads on {} cores take turns: they yield, without real-time \
                 scheduling",
                run.threads.count(),
                self.cores
            );
        }
    }

    fn run<A: runner::Agent + Send + 'static>(
        &mut self,
        (name, place): (&str, usize),
        agent: A,
    ) -> io::Result<()> {
        let (run, turns) = (&self.plan.run, self.takes_turns());
        let placement = Placement {
            name: name.to_string(),
            core: run.cores.get(place).map(|core| *core as usize),
            priority: (run.fifo && !turns).then_some(run.priority),
            idle: if turns { Idle::Yield } else { run.idle },
            stall_ns: run.stall.nanos(),
            seal: Seal::Counting,
        };
        let halt = Halt::with_alarm(Arc::clone(&self.kill));
        let running = runner::start(placement, self.counters, self.clock, &halt, move || agent)?;
        for got in &running.got {
            println!("thread {name}: {}", got.what);
        }
        self.threads.push((running, halt));
        Ok(())
    }

    fn feed(
        &mut self,
        decoder: Option<Broker<FixDecoder>>,
    ) -> Result<Feed<FixDecoder, Now>, Failure> {
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
            series: &names(self.plan),
            observations: core::mem::take(&mut self.observations),
        };
        let check = clock::Check::start(self.clock);
        let made = Feed::new(parts, &secret);
        let mut feed = made.map_err(|e| Failure::environment(e.to_string()))?;
        feed.watch_clock(Box::new(move || check.drift()));
        feed.watch_journal(self.health.clone());
        Ok(feed)
    }

    /// The gate and the feed's side of the broker's session, if there is one.
    fn exit(
        &mut self,
        mut reply: Producer<Event>,
    ) -> Result<(Exit, Option<Broker<FixDecoder>>), Failure> {
        let failed = |e: io::Error| Failure::environment(format!("counters: {e}"));
        let source = self.plan.broker_source();
        if source == 0 {
            let exit = Exit::new(None, self.counters).map_err(failed)?;
            return Ok((exit, None));
        }
        let broker = &self.plan.broker;
        let path = state_directory(&self.plan.run.state)?.join(&broker.store);
        let (sender, target) = (&broker.sender_comp_id, &broker.target_comp_id);
        let (inbound, mut outbound) = store::open(&path, sender, target, broker.reset_on_logon)
            .map_err(|e| Failure::environment(e.to_string()))?;
        if self.past.power_cut {
            // The numbers may be older than what the broker has seen: it is told of a gap.
            outbound.set_next(outbound.next() + store::SLOTS as u64);
        }
        let about = "Reports on orders that could not be sent and found no room.";
        let lost =
            self.counters.counter("gate", "replies_lost", "events", about).map_err(failed)?;
        let (to_gate, streams) = sync_channel(8);
        let ends = Ends {
            streams,
            kill: Arc::clone(&self.kill),
            clock: {
                let clock = self.clock.clone();
                Box::new(move || clock.now())
            },
            // On one thread nobody would make room meanwhile, so a reply that finds none is counted
            // and lost; the book then shows an order that was never sent until the run ends.
            reply: Box::new(move |event| lost.add(u64::from(!reply.try_push(&event)))) as Reply,
            on_sent: self.on_sent().map_err(failed)?,
        };
        let password = secret(&broker.password_env).unwrap_or_default();
        let gate = Gate::new(broker.clone(), password, source, outbound, ends);
        let gate = gate.starting_at(self.past.first);
        let decoder = FixDecoder::new(sender, target, inbound);
        let exit = Exit::new(Some(gate), self.counters).map_err(failed)?;
        Ok((exit, Some(Broker { decoder, gate: to_gate })))
    }

    fn on_sent(&mut self) -> io::Result<OnSent> {
        let about = "from the return of the read that held the tick to that of the order's write";
        let trade = self.histograms.histogram("gate", "tick_to_trade", "ns", about)?;
        let clock = self.clock.clone();
        let record = move |event: &Event| trade.record(clock.now().saturating_sub(event.ts_recv));
        Ok(Box::new(record))
    }
}

/// Waits half a second for a thread's end.
fn ends_soon(running: &Running) -> bool {
    (0..50).any(|_| {
        let over = running.is_over();
        if !over {
            pause(Duration::from_millis(10));
        }
        over
    })
}

impl Made {
    /// Whether a stage has panicked: nothing may be sent any more.
    pub(super) fn panicked(&self) -> bool {
        self.threads.iter().any(|(_, halt)| halt.panicked())
    }

    /// Ends the threads in the order of a tick's life, so that each takes all that was sent to it.
    /// One that does not end once the kill switch is on is left behind, and with it the journal
    /// that it holds; the end of the process ends it.
    pub(super) fn join(self) -> Result<(), Failure> {
        let mut died = Ok(());
        let killed = self.kill.load(Ordering::SeqCst);
        for (running, halt) in self.threads {
            halt.stop();
            if killed && !ends_soon(&running) {
                let name = running.name();
                let what = format!("thread {name} hangs; see at the broker what is open");
                died = died.and(Err(Failure::environment(what)));
                continue;
            }
            let outcome = running.join();
            if let Some(panic) = outcome.panic {
                let what = format!("thread {} panicked: {panic}", outcome.name);
                died = Err(Failure::environment(what));
            }
        }
        self.signs.failed.get().map_or(died, |failure| Err(failure.clone()))
    }
}
