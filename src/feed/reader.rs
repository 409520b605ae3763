//! Sockets, time and commands in; one numbered stream of events out.
//!
//! [`Feed::duty`] is one turn of the loop: poll, the broker first, then each session's share, then
//! what is due by time. It does not know who runs it, nor what its events are handed to.

use super::{
    Decoder, Key, Registry, Sequencer,
    control::Control,
    counts::Counts,
    faults::{Code, Faults},
    health::{Ear, Health},
    link::{Context, Link, Pauses, Role},
    live::{Client, session},
    series::{Lines, Waiting},
    settings::{Session, Settings, Transport, source},
    socket,
    udp::Packets,
};
use crate::{
    rt::clock::Drift,
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        control::{Clock, Run, SessionState, Timer},
    },
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::{fmt, time::Duration};
use mio::{Events, Poll, Token};
use std::io;

pub use super::link::Broker;

/// The source of what the pipeline makes itself: RUN, TIMER, COMMAND, CLOCK, DISK.
pub const OWN: u16 = 0;

/// Says how far the system's clocks are from the one clock.
pub type Watch = Box<dyn FnMut() -> Drift + Send>;

/// Between two looks at the system's clocks, ns.
const LOOK: u64 = 1_000_000_000;

/// Events of the poller that are taken at once.
const EVENTS_MAX: usize = 64;

/// Turns of a busy feed between two looks at the poller.
const POLL_TURNS: u32 = 64;

/// Why the feed cannot start.
#[derive(Debug)]
pub enum Error {
    /// The system gives no poller.
    Poll(io::Error),
    /// The address of a session has no meaning.
    Resolve(String, String, io::Error),
    /// Datagrams cannot be received there.
    Listen(String, String, io::Error),
    /// A session's key is missing or of the wrong form.
    Key(String, String, String),
    /// There is a broker's session, but no gate that would speak there.
    NoGate(String),
    /// A kind of session that there is not.
    Kind(String, String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Poll(error) => write!(f, "feed: the system gives no poller: {error}"),
            Error::Resolve(name, address, error) => {
                write!(f, "session {name}: cannot resolve {address}: {error}; write host:port")
            }
            Error::Listen(name, address, error) => write!(
                f,
                "session {name}: cannot listen on {address}: {error}; choose another port or group"
            ),
            Error::Key(name, variable, what) => {
                write!(f, "session {name}: {what}; put the key into {variable}")
            }
            Error::NoGate(name) => write!(f, "session {name}: no gate is configured; add [broker]"),
            Error::Kind(name, kind) => write!(f, "session {name}: {kind:?} is no kind of session"),
        }
    }
}

impl core::error::Error for Error {}

/// What a feed is made of.
#[derive(Debug)]
pub struct Parts<'a, D, T> {
    /// `[feed]`.
    pub settings: &'a Settings,
    /// `[[session]]`, in the order of the file.
    pub sessions: &'a [Session],
    /// The broker's decoder and the way to the gate.
    pub broker: Option<Broker<D>>,
    /// What the run is called and where its order numbers begin.
    pub run: Run,
    /// The one clock.
    pub clock: T,
    /// Where commands come from.
    pub control: Control,
    /// Names of the external series, in the order of the universe.
    pub series: &'a [String],
    /// Their observations from files, in order: told right after RUN.
    pub observations: Vec<Event>,
}

/// All sessions, the clock and the numbers.
pub struct Feed<D, T> {
    poll: Poll,
    events: Events,
    links: Vec<Link<D>>,
    registry: Registry,
    sequencer: Sequencer,
    control: Control,
    waiting: Waiting,
    clock: T,
    run: Option<Run>,
    turn_bytes: usize,
    busy: bool,
    rounds: u32,
    beat: u64,
    next_beat: Timestamp,
    beats: u64,
    pauses: Pauses,
    faults: Faults,
    ear: Ear,
    watch: Option<Watch>,
    /// What the last CLOCK event said, and when it is time to look again.
    told: Drift,
    next_look: Timestamp,
    clock_step: u64,
}

impl<D, T> fmt::Debug for Feed<D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Feed {{ sessions: {}, events: {} }}",
            self.links.len(),
            self.sequencer.next() - 1
        )
    }
}

impl<D: Decoder, T: Fn() -> Timestamp> Feed<D, T> {
    /// Resolves addresses and allocates everything; connects nothing yet. `secret` gives the value
    /// of an environment variable.
    pub fn new(
        parts: Parts<'_, D, T>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Feed<D, T>, Error> {
        let Parts { settings, sessions, mut broker, run, clock, control, series, observations } =
            parts;
        let mut links = Vec::with_capacity(sessions.len());
        for (place, session) in sessions.iter().enumerate() {
            let (role, source) =
                (role(place, session, &mut broker, series, secret)?, source(place));
            let named = || (session.name.clone(), session.address.clone());
            let addresses = socket::resolve(&session.address)
                .map_err(|error| Error::Resolve(named().0, named().1, error))?;
            let link = Link::new(source, session.clone(), role, addresses, settings.read_bytes);
            links.push(link);
        }
        Ok(Feed {
            poll: Poll::new().map_err(Error::Poll)?,
            events: Events::with_capacity(EVENTS_MAX),
            registry: Registry::new(links.len(), settings.instruments_max),
            links,
            sequencer: Sequencer::new(1, settings.batch_max),
            control,
            waiting: Waiting::new(observations),
            clock,
            run: Some(run),
            turn_bytes: settings.turn_bytes,
            busy: settings.busy_poll,
            rounds: 0,
            beat: settings.beat.nanos(),
            next_beat: 0,
            beats: 0,
            pauses: Pauses {
                max: settings.pause_max.nanos().max(4 * settings.beat.nanos()),
                last: 0,
                untold: 0,
                count: 0,
                longest: 0,
            },
            faults: Faults::default(),
            ear: Ear::new(Health::default()),
            watch: None,
            told: Drift::default(),
            next_look: 0,
            clock_step: settings.clock_step.nanos(),
        })
    }

    /// Takes an event of an earlier session of the run: numbers, times, instruments and timers go
    /// on behind it. Before [`Feed::start`].
    pub fn restore(&mut self, event: &Event) {
        self.sequencer.resume(event);
        self.registry.restore(event);
        match event.kind {
            Kind::TIMER => self.beats = event.body::<Timer>().count,
            Kind::OBSERVATION => self.waiting.restore(event),
            _ => {}
        }
        let place = usize::from(event.source).wrapping_sub(1);
        if let Some(Role::Broker(broker)) = self.links.get_mut(place).map(|link| &mut link.role) {
            broker.decoder.restore(event);
        }
    }

    /// Lets `watch` say, once a second, how far the system's clocks are from the one clock.
    pub fn watch_clock(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// Lets whoever watches the journal say how it stands; each change becomes an event.
    pub fn watch_journal(&mut self, health: Health) {
        self.ear = Ear::new(health);
    }

    /// How often the feed itself stood still, and for how long at most, ns.
    pub fn pauses(&self) -> (u64, u64) {
        (self.pauses.count, self.pauses.longest)
    }

    /// What was last told of the system's clocks.
    pub fn drift(&self) -> Drift {
        self.told
    }

    /// Starts listening for datagrams; RUN is the first event. Called once, before the first duty.
    pub fn start(&mut self, out: &mut impl FnMut(&Event)) -> Result<(), Error> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let now = (self.clock)();
        self.sequencer.alone(OWN, now, Event::new(Kind::RUN, NO_INSTRUMENT, run), out);
        self.sequencer.begin(OWN, now);
        self.waiting.left().for_each(|event| self.sequencer.push(event, out));
        self.sequencer.end(out);
        self.next_beat = now;
        let (links, mut cx) = self.split(out);
        for link in links.iter_mut().filter(|link| matches!(link.role, Role::Packets(_))) {
            let source = link.source;
            link.listen(now, &mut cx).map_err(|error| {
                let (name, address) = (link.settings.name.clone(), link.settings.address.clone());
                Error::Listen(name, address, error)
            })?;
            let up = session(SessionState::UP, 0, 0);
            cx.sequencer.alone(source, now, up, cx.out);
        }
        Ok(())
    }

    /// One turn; returns how much there was to do. It sleeps only where the settings allow it, and
    /// never beyond the next beat. A busy feed does not ask the poller whether there are bytes: it
    /// reads and sees. The poller then only tells of connections, now and then.
    pub fn duty(&mut self, out: &mut impl FnMut(&Event)) -> usize {
        self.rounds = self.rounds.wrapping_add(1);
        let asks = !self.busy || self.rounds.is_multiple_of(POLL_TURNS);
        let mut work = if asks { self.poll(out) } else { self.assume_ready() };
        work += self.turns(out);
        let now = (self.clock)();
        self.pauses.is_one(now);
        if self.pauses.untold > 0 {
            self.on_pause(now, out);
        }
        if now >= self.next_beat {
            work += 1;
            self.on_beat(now, out);
        }
        work
    }

    /// Numbers an event that the pipeline itself sends back, such as a report on an order that the
    /// gate could not send. It is a batch of its own.
    pub fn inject(&mut self, source: u16, event: Event, out: &mut impl FnMut(&Event)) {
        let now = (self.clock)();
        self.sequencer.alone(source, now, event, out);
    }

    /// Whether every session of the market has ended or was refused.
    pub fn ended(&self) -> bool {
        use super::link::State;
        let mut market = self.links.iter().filter(|link| link.holds_the_run()).peekable();
        market.peek().is_some() && market.all(|link| link.state == State::Over)
    }

    /// The counters of each session, in the order of the file.
    pub fn counts(&self) -> impl Iterator<Item = (&str, Counts)> {
        self.links.iter().map(|link| (link.settings.name.as_str(), link.counts()))
    }

    /// The counters of the session at `place` of the file.
    pub fn counts_of(&self, place: usize) -> Counts {
        self.links.get(place).map_or_else(Counts::default, Link::counts)
    }

    /// Instruments named so far, on all sessions.
    pub fn instruments(&self) -> usize {
        self.registry.len()
    }

    /// Events numbered so far.
    pub fn events(&self) -> u64 {
        self.sequencer.next() - 1
    }

    fn assume_ready(&mut self) -> usize {
        self.links.iter_mut().filter(|link| link.is_open()).for_each(|link| link.ready = true);
        0
    }

    fn poll(&mut self, out: &mut impl FnMut(&Event)) -> usize {
        let timeout = self.timeout();
        // An interrupted or failed poll is an empty one: signals arrive through the control.
        if self.poll.poll(&mut self.events, Some(timeout)).is_err() || self.events.is_empty() {
            return 0;
        }
        let now = (self.clock)();
        let mut news = 0;
        // The events are taken out for the loop, so that the rest of the feed can be borrowed.
        let events = core::mem::replace(&mut self.events, Events::with_capacity(0));
        let (links, mut cx) = self.split(out);
        for event in &events {
            let Token(source) = event.token();
            if let Some(link) = source.checked_sub(1).and_then(|place| links.get_mut(place)) {
                link.on_ready(event, now, &mut cx);
                news += 1;
            }
        }
        self.events = events;
        news
    }

    /// None in a busy loop or where bytes are waiting; else up to the next beat.
    fn timeout(&self) -> Duration {
        if self.busy || self.links.iter().any(|link| link.ready) {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.next_beat.saturating_sub((self.clock)()))
    }

    /// Reads every session that has something, the broker's first: a fill changes what a quote
    /// means.
    fn turns(&mut self, out: &mut impl FnMut(&Event)) -> usize {
        let mut bytes = 0;
        for market in [false, true] {
            let clock = &self.clock;
            let mut cx = Context {
                registry: &mut self.registry,
                sequencer: &mut self.sequencer,
                poller: self.poll.registry(),
                turn_bytes: self.turn_bytes,
                pauses: &mut self.pauses,
                out,
            };
            for link in self.links.iter_mut().filter(|l| l.ready && l.is_market() == market) {
                bytes += link.turn(clock, &mut cx);
            }
        }
        bytes
    }

    fn on_beat(&mut self, now: Timestamp, out: &mut impl FnMut(&Event)) {
        // Beats that were missed are not made up for: one event says how late it is.
        let missed = (now - self.next_beat) / self.beat;
        let due = self.next_beat + missed * self.beat;
        self.next_beat = due + self.beat;
        self.beats += 1;
        if let Some(command) = self.control.poll(now) {
            self.sequencer.alone(OWN, now, command, out);
        }
        self.look_at_clocks(now, out);
        if let Some(disk) = self.ear.news() {
            self.sequencer.alone(OWN, now, disk, out);
        }
        let (links, mut cx) = self.split(out);
        for link in links {
            link.on_time(now, &mut cx);
        }
        let timer = Timer { id: Timer::BEAT, reserved: 0, due, count: self.beats, reserved2: 0 };
        self.sequencer.alone(OWN, now, Event::new(Kind::TIMER, NO_INSTRUMENT, timer), out);
    }

    /// Every session that reads the market is behind, and the journal says why.
    #[cold]
    fn on_pause(&mut self, now: Timestamp, out: &mut impl FnMut(&Event)) {
        let paused = core::mem::take(&mut self.pauses.untold);
        if let Some(fault) = self.faults.note(Code::PAUSE, 0, paused) {
            self.sequencer.alone(OWN, now, fault, out);
        }
        let (links, mut cx) = self.split(out);
        links.iter_mut().for_each(|link| link.on_pause(now, &mut cx));
    }

    fn look_at_clocks(&mut self, now: Timestamp, out: &mut impl FnMut(&Event)) {
        let Some(watch) = self.watch.as_mut().filter(|_| now >= self.next_look) else { return };
        self.next_look = now + LOOK;
        let found = watch();
        let moved = |to: i64, from: i64| to.abs_diff(from) >= self.clock_step;
        if moved(found.wall, self.told.wall) || moved(found.raw, self.told.raw) {
            self.told = found;
            let clock = Clock { wall_ahead: found.wall, raw_ahead: found.raw, reserved: [0; 2] };
            let event = Event::new(Kind::CLOCK, NO_INSTRUMENT, clock);
            self.sequencer.alone(OWN, now, event, out);
        }
    }

    fn split<'a, O>(&'a mut self, out: &'a mut O) -> (&'a mut [Link<D>], Context<'a, O>) {
        let cx = Context {
            registry: &mut self.registry,
            sequencer: &mut self.sequencer,
            poller: self.poll.registry(),
            turn_bytes: self.turn_bytes,
            pauses: &mut self.pauses,
            out,
        };
        (&mut self.links, cx)
    }
}

/// What the session at `place` is.
fn role<D>(
    place: usize,
    session: &Session,
    broker: &mut Option<Broker<D>>,
    series: &[String],
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Role<D>, Error> {
    let name = || session.name.clone();
    match session.transport() {
        Some(Transport::Databento) => {
            let wrong = |what| Error::Key(name(), session.key_env.clone(), what);
            let text = secret(&session.key_env)
                .ok_or_else(|| wrong(String::from("there is no API key")))?;
            let key = Key::new(&text).map_err(wrong)?;
            Ok(Role::Live(Client::new(place as u16, session, key)))
        }
        Some(Transport::Udp) => Ok(Role::Packets(Packets::new(place as u16))),
        Some(Transport::Series) => Ok(Role::Series(Lines::new(series.to_vec()))),
        Some(Transport::Broker) => {
            broker.take().map(Role::Broker).ok_or_else(|| Error::NoGate(name()))
        }
        None => Err(Error::Kind(name(), session.kind.clone())),
    }
}

/// The decoder of a feed without a broker.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBroker;

impl Decoder for NoBroker {
    fn decode(&mut self, bytes: &[u8], _: &mut impl FnMut(Event)) -> usize {
        bytes.len()
    }
}
