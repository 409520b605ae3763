//! Bytes of the simulated sessions in, one numbered stream of events out: the feed without sockets.
//!
//! Client, decoders, registry, backoff and sequencer are the feed's own. What a socket would tell
//! (connected, closed, silent) comes as a call, and is judged as [`crate::feed::Feed`] judges it.

use super::setting::BEAT_NS;
use crate::{
    feed::{
        Backoff, Decoder, Key, Registry, Sequencer,
        dbn::Verdict,
        faults::{Code, Faults},
        fix::FixDecoder,
        live::Client,
        reader::OWN,
        settings::{Session, source},
        udp::Packets,
    },
    run::Plan,
    wire::{
        Event, Kind, NO_INSTRUMENT, Timestamp,
        control::{self, SessionState, Timer},
    },
};
use std::{string::String, vec::Vec};

/// The market's session in the configuration's list, and the broker's.
pub(super) const MARKET: usize = 0;
/// The broker's.
pub(super) const BROKER: usize = 1;

/// How a connection stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Down { retry: Timestamp },
    Opening { since: Timestamp },
    Up,
    Stale,
}

/// What a session decodes with.
enum Role {
    Stream(Client),
    Datagrams(Packets),
    Broker(FixDecoder),
}

/// One session.
struct Line {
    settings: Session,
    role: Role,
    state: State,
    backoff: Backoff,
    heard: Timestamp,
    bytes: Vec<u8>,
    total: u64,
    faults: Faults,
}

/// All sessions, and the numbers.
pub(super) struct Intake {
    lines: [Line; 2],
    registry: Registry,
    sequencer: Sequencer,
    next_beat: Timestamp,
    beats: u64,
}

/// Where numbered events go.
pub(super) type Out<'a> = &'a mut dyn FnMut(&Event);

const KEY: &str = "db-simulation-of-a-key-000000000";

impl Intake {
    /// For the sessions of a plan.
    pub(super) fn new(plan: &Plan, decoder: FixDecoder) -> Result<Intake, String> {
        let [market, broker] = plan.sessions.as_slice() else { return Err("two sessions".into()) };
        let role = match market.kind.as_str() {
            "udp" => Role::Datagrams(Packets::new(MARKET as u16)),
            _ => Role::Stream(Client::new(MARKET as u16, market, Key::new(KEY)?)),
        };
        let line = |place: usize, settings: &Session, role: Role| {
            let (min, max) = (settings.backoff_min.nanos(), settings.backoff_max.nanos());
            let backoff = Backoff::new(min, max, u64::from(source(place)));
            let state = match role {
                Role::Datagrams(_) => State::Up,
                _ => State::Down { retry: 0 },
            };
            let (bytes, faults) = (Vec::new(), Faults::default());
            let settings = settings.clone();
            Line { settings, role, state, backoff, heard: 0, bytes, total: 0, faults }
        };
        Ok(Intake {
            lines: [line(MARKET, market, role), line(BROKER, broker, Role::Broker(decoder))],
            registry: Registry::new(2, plan.feed.instruments_max),
            sequencer: Sequencer::new(1, plan.feed.batch_max),
            next_beat: 0,
            beats: 0,
        })
    }

    /// Takes an event of an earlier process, as [`crate::feed::Feed::restore`] does.
    pub(super) fn restore(&mut self, event: &Event) {
        self.sequencer.resume(event);
        self.registry.restore(event);
        if event.kind == Kind::TIMER {
            self.beats = event.body::<Timer>().count;
        }
        if event.source == source(BROKER)
            && let Role::Broker(decoder) = &mut self.lines[BROKER].role
        {
            decoder.restore(event);
        }
    }

    /// RUN is the first event.
    pub(super) fn start(&mut self, run: control::Run, now: Timestamp, out: Out<'_>) {
        self.alone(OWN, Event::new(Kind::RUN, NO_INSTRUMENT, run), now, out);
        self.next_beat = now;
        if matches!(self.lines[MARKET].role, Role::Datagrams(_)) {
            self.lines[MARKET].heard = now;
            self.tell(MARKET, SessionState::UP, 0, now, out);
        }
    }

    /// The number that the broker is expected to use next.
    pub(super) fn next_in(&self) -> u64 {
        match &self.lines[BROKER].role {
            Role::Broker(decoder) => decoder.next_in(),
            _ => 0,
        }
    }

    /// How a session stands.
    pub(super) fn state(&self, place: usize) -> State {
        self.lines[place].state
    }

    /// Whether a session wants to be connected now.
    pub(super) fn wants(&self, place: usize, now: Timestamp) -> bool {
        matches!(self.lines[place].state, State::Down { retry } if now >= retry)
    }

    /// A connection stands. The broker's goes to the gate before this.
    pub(super) fn on_connected(&mut self, place: usize, now: Timestamp, out: Out<'_>) {
        let line = &mut self.lines[place];
        line.heard = now;
        line.bytes.clear();
        let attempts = line.backoff.attempts();
        let next_in = match &mut line.role {
            Role::Stream(client) => {
                client.connected(attempts);
                line.state = State::Opening { since: now };
                0
            }
            Role::Broker(decoder) => {
                decoder.restart();
                line.state = State::Up;
                line.backoff.succeeded();
                decoder.next_in()
            }
            Role::Datagrams(_) => return,
        };
        self.tell(place, SessionState::CONNECTED, next_in, now, out);
    }

    /// A connection could not be made.
    pub(super) fn on_refused(&mut self, place: usize, now: Timestamp, out: Out<'_>) {
        self.drop_connection(place, now, out);
    }

    /// A read returned.
    pub(super) fn on_bytes(&mut self, place: usize, read: &[u8], now: Timestamp, out: Out<'_>) {
        let line = &mut self.lines[place];
        line.heard = now;
        line.total += read.len() as u64;
        self.sequencer.begin(source(place), now);
        let sequencer = &mut self.sequencer;
        let mut out = out;
        let mut push = |event: Event| sequencer.push(event, &mut out);
        if line.state == State::Stale {
            line.state = State::Up;
            push(session(SessionState::UP, 0, 0));
        }
        line.bytes.extend_from_slice(read);
        let taken = match &mut line.role {
            Role::Stream(client) => client.decode(&line.bytes, &mut self.registry, &mut push),
            Role::Broker(decoder) => decoder.decode(&line.bytes, &mut push),
            Role::Datagrams(packets) => {
                packets.decode(&line.bytes, &mut self.registry, &mut push);
                line.bytes.len()
            }
        };
        line.bytes.drain(..taken);
        self.sequencer.end(&mut out);
        if let Role::Broker(decoder) = &mut line.role {
            decoder.commit();
        }
        self.judge(place, now, out);
    }

    fn judge(&mut self, place: usize, now: Timestamp, out: Out<'_>) {
        let line = &mut self.lines[place];
        let Role::Stream(client) = &line.role else { return };
        match client.verdict() {
            Verdict::Streaming if matches!(line.state, State::Opening { .. }) => {
                line.state = State::Up;
                line.backoff.succeeded();
            }
            Verdict::Broken => self.drop_connection(place, now, out),
            _ => {}
        }
    }

    /// Lines that the market's client wants to send.
    pub(super) fn outbox(&mut self) -> Vec<u8> {
        match &mut self.lines[MARKET].role {
            Role::Stream(client) => core::mem::take(client.outbox()),
            _ => Vec::new(),
        }
    }

    /// The peer has closed, or the connection broke.
    pub(super) fn on_closed(&mut self, place: usize, now: Timestamp, out: Out<'_>) {
        let line = &self.lines[place];
        let left = line.bytes.len() as u64;
        if left > 0 || !matches!(line.state, State::Up | State::Stale) {
            self.fault(place, Code::CLOSED, left, now, out);
        }
        self.drop_connection(place, now, out);
    }

    /// The beat, if it is due, with the operator's word; tells which connections it gave up.
    pub(super) fn on_time(
        &mut self,
        now: Timestamp,
        command: &mut Option<Event>,
        out: Out<'_>,
    ) -> [bool; 2] {
        if now < self.next_beat {
            return [false; 2];
        }
        let missed = (now - self.next_beat) / BEAT_NS;
        let due = self.next_beat + missed * BEAT_NS;
        self.next_beat = due + BEAT_NS;
        self.beats += 1;
        if let Some(command) = command.take() {
            self.alone(OWN, command, now, out);
        }
        let dropped = [MARKET, BROKER].map(|place| self.watch(place, now, out));
        let timer = Timer { id: Timer::BEAT, reserved: 0, due, count: self.beats, reserved2: 0 };
        self.alone(OWN, Event::new(Kind::TIMER, NO_INSTRUMENT, timer), now, out);
        dropped
    }

    /// Timeouts and staleness of one session; whether its connection was given up.
    fn watch(&mut self, place: usize, now: Timestamp, out: Out<'_>) -> bool {
        let line = &mut self.lines[place];
        let silence = now.saturating_sub(line.heard);
        let settings = &line.settings;
        let waited = match line.state {
            State::Opening { since } => {
                Some(now - since).filter(|w| *w >= settings.login_timeout.nanos())
            }
            State::Up | State::Stale if !matches!(line.role, Role::Datagrams(_)) => {
                Some(silence).filter(|s| *s >= settings.drop_after.nanos())
            }
            _ => None,
        };
        if let Some(waited) = waited {
            self.fault(place, Code::TIMEOUT, waited, now, out);
            self.drop_connection(place, now, out);
            return true;
        }
        if line.state == State::Up && place == MARKET && silence >= settings.stale_after.nanos() {
            line.state = State::Stale;
            self.tell(place, SessionState::STALE, 0, now, out);
        }
        false
    }

    /// Numbers an event that the pipeline itself sends back.
    pub(super) fn inject(&mut self, event: Event, now: Timestamp, out: Out<'_>) {
        self.alone(source(BROKER), event, now, out);
    }

    fn drop_connection(&mut self, place: usize, now: Timestamp, out: Out<'_>) {
        let line = &mut self.lines[place];
        line.bytes.clear();
        line.state = State::Down { retry: line.backoff.failed(now) };
        self.tell(place, SessionState::DOWN, 0, now, out);
    }

    fn tell(
        &mut self,
        place: usize,
        state: SessionState,
        next_in: u64,
        now: Timestamp,
        out: Out<'_>,
    ) {
        let event = session(state, self.lines[place].backoff.attempts(), next_in);
        self.alone(source(place), event, now, out);
    }

    fn fault(&mut self, place: usize, code: Code, found: u64, now: Timestamp, out: Out<'_>) {
        let line = &mut self.lines[place];
        if let Some(event) = line.faults.note(code, line.total, found) {
            self.alone(source(place), event, now, out);
        }
    }

    fn alone(&mut self, source: u16, event: Event, now: Timestamp, mut out: Out<'_>) {
        self.sequencer.alone(source, now, event, &mut out);
    }
}

fn session(state: SessionState, attempts: u32, next_in: u64) -> Event {
    let session =
        control::Session { state, reserved: [0; 3], attempts, next_in, reserved2: [0; 2] };
    Event::new(Kind::SESSION, NO_INSTRUMENT, session)
}
