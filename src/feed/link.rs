//! One session over all its connections: readiness and time in, numbered events out.
//!
//! ```text
//! DOWN ──time──> connecting ──> CONNECTED ──login──> UP <──bytes/silence──> STALE
//!  ^                 │              │                 │                       │
//!  └── backoff ──────┴──────────────┴─────────────────┴───────────────────────┘
//! REFUSED and ENDED are final.
//! ```

use super::{
    Backoff, Decoder, Registry, Sequencer,
    buffer::Buffer,
    counts::Counts,
    dbn::Verdict,
    faults::{Code, Faults},
    live::{Client, session},
    series::Lines,
    settings::Session,
    socket::{self, Socket},
    udp::Packets,
};
use crate::wire::{Event, Timestamp, control::SessionState};
use alloc::vec::Vec;
use core::net::SocketAddr;
use mio::{Interest, Registry as Poller, Token, net::TcpStream};
use std::{
    io::{self, Read, Write},
    sync::mpsc::SyncSender,
};

/// What a session's bytes are.
#[derive(Debug)]
pub(crate) enum Role<D> {
    Live(Client),
    Packets(Packets),
    Series(Lines),
    Broker(Broker<D>),
}

/// The broker's side: its decoder and where each new connection is handed to.
#[derive(Debug)]
pub struct Broker<D> {
    /// Decodes what the broker sends.
    pub decoder: D,
    /// The gate takes each connected stream here, before it sees the SESSION event.
    pub gate: SyncSender<std::net::TcpStream>,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// Waiting for the next attempt.
    Down { retry: Timestamp },
    /// The transport is being opened.
    Connecting { since: Timestamp },
    /// The transport is open, the login is under way.
    Opening { since: Timestamp },
    /// Streaming.
    Up,
    /// Streaming, but silent for too long.
    Stale,
    /// Refused or ended.
    Over,
}

/// What a link needs of the feed while it works.
pub(crate) struct Context<'a, O> {
    pub(crate) registry: &'a mut Registry,
    pub(crate) sequencer: &'a mut Sequencer,
    pub(crate) poller: &'a Poller,
    pub(crate) turn_bytes: usize,
    pub(crate) pauses: &'a mut Pauses,
    pub(crate) out: &'a mut O,
}

/// When the clock was last read, and what that says of the feed itself.
#[derive(Debug)]
pub(crate) struct Pauses {
    /// A longer time between two readings is a pause.
    pub(crate) max: u64,
    pub(crate) last: Timestamp,
    /// The pause that the other sessions have not been told of, ns.
    pub(crate) untold: u64,
    /// Pauses, and the longest.
    pub(crate) count: u64,
    pub(crate) longest: u64,
}

impl Pauses {
    /// The clock shows `now`: whether the feed stood still until then.
    #[inline(always)]
    pub(crate) fn is_one(&mut self, now: Timestamp) -> bool {
        let since = now.saturating_sub(self.last);
        let paused = since > self.max && self.last > 0;
        self.last = now;
        if paused {
            (self.untold, self.count) = (since, self.count + 1);
            self.longest = self.longest.max(since);
        }
        paused
    }
}

/// Beats with nothing left to read after which a session is no longer behind.
const CAUGHT_UP: u32 = 2;

/// One session.
#[derive(Debug)]
pub(crate) struct Link<D> {
    pub(crate) source: u16,
    pub(crate) settings: Session,
    pub(crate) role: Role<D>,
    pub(crate) state: State,
    /// There may be something to read.
    pub(crate) ready: bool,
    /// The peer has closed its side: read on until the end shows.
    pub(crate) closing: bool,
    /// Beats until what it says is believed again: the feed stood still, and what waited is old.
    behind: u32,
    addresses: Vec<SocketAddr>,
    socket: Socket,
    buffer: Buffer,
    backoff: Backoff,
    heard: Timestamp,
    counts: Counts,
    faults: Faults,
}

impl<D: Decoder> Link<D> {
    pub(crate) fn new(
        source: u16,
        settings: Session,
        role: Role<D>,
        addresses: Vec<SocketAddr>,
        read_bytes: usize,
    ) -> Link<D> {
        let (min, max) = (settings.backoff_min.nanos(), settings.backoff_max.nanos());
        Link {
            source,
            role,
            state: State::Down { retry: 0 },
            ready: false,
            closing: false,
            behind: 0,
            addresses,
            socket: Socket::None,
            buffer: Buffer::new(read_bytes),
            backoff: Backoff::new(min, max, u64::from(source)),
            heard: 0,
            counts: Counts::default(),
            faults: Faults::default(),
            settings,
        }
    }

    /// Its counters.
    pub(crate) fn counts(&self) -> Counts {
        let stream = match &self.role {
            Role::Live(client) => client.stream.counts,
            Role::Packets(packets) => packets.stream.counts,
            Role::Series(lines) => lines.counts(),
            Role::Broker(_) => Counts::default(),
        };
        self.counts.plus(&stream)
    }

    /// Whether it is a session that reads and is not the broker's.
    pub(crate) fn is_market(&self) -> bool {
        !matches!(self.role, Role::Broker(_))
    }

    /// Whether a run that ends with its market waits for this session's end.
    pub(crate) fn holds_the_run(&self) -> bool {
        matches!(self.role, Role::Live(_) | Role::Packets(_))
    }

    /// The poller has news of this socket.
    pub(crate) fn on_ready<O: FnMut(&Event)>(
        &mut self,
        event: &mio::event::Event,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        self.ready |= event.is_readable() || event.is_error();
        self.closing |= event.is_read_closed() || event.is_error();
        if let State::Connecting { .. } = self.state {
            self.on_connecting(now, cx);
        } else if event.is_writable()
            && let Err(error) = self.flush()
        {
            self.failed(&error, now, cx);
        }
    }

    /// Reads what is there, up to a turn's share; returns the bytes read.
    pub(crate) fn turn<O: FnMut(&Event)>(
        &mut self,
        clock: &impl Fn() -> Timestamp,
        cx: &mut Context<'_, O>,
    ) -> usize {
        let mut total = 0;
        while self.ready && total < cx.turn_bytes && self.is_open() {
            let space = self.buffer.space();
            let room = space.len();
            let result = match &mut self.socket {
                Socket::Tcp(stream) => stream.read(space),
                Socket::Udp(socket) => socket.recv(space),
                Socket::None => break,
            };
            let now = clock();
            if cx.pauses.is_one(now) {
                self.on_pause(now, cx);
            }
            match result {
                Ok(0) if !matches!(self.socket, Socket::Udp(_)) => self.on_end(now, cx),
                Ok(len) => {
                    total += len;
                    // A short read has emptied a stream, unless its end is still to be read.
                    let stream = matches!(self.socket, Socket::Tcp(_));
                    self.ready = !stream || len == room || self.closing;
                    self.on_bytes(len, now, cx);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.ready = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.failed(&error, now, cx),
            }
        }
        total
    }

    /// What is due by time: a new attempt, a timeout, staleness.
    pub(crate) fn on_time<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        let over =
            |since: Timestamp, span: crate::config::Span| now.saturating_sub(since) >= span.nanos();
        let silence = now.saturating_sub(self.heard);
        if self.behind > 0 && !self.ready {
            self.behind -= 1;
        }
        match self.state {
            State::Down { retry } if now >= retry => self.connect(now, cx),
            State::Connecting { since } if over(since, self.settings.connect_timeout) => {
                self.timed_out(now - since, now, cx);
            }
            State::Opening { since } if over(since, self.settings.login_timeout) => {
                self.timed_out(now - since, now, cx);
            }
            State::Up | State::Stale if self.drops(silence) => self.timed_out(silence, now, cx),
            // The gate judges the broker's silence: it alone knows what was agreed at the logon.
            State::Up if self.is_market() && over(self.heard, self.settings.stale_after) => {
                self.state = State::Stale;
                self.counts.stales += 1;
                self.tell(SessionState::STALE, now, cx);
            }
            _ => {}
        }
    }

    /// The feed stood still: what this session quoted, and what waits in its socket, is old.
    pub(crate) fn on_pause<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        if !self.is_market() || !matches!(self.state, State::Up | State::Stale) {
            return;
        }
        if self.behind == 0 && self.state == State::Up {
            self.state = State::Stale;
            self.counts.stales += 1;
            self.tell(SessionState::STALE, now, cx);
        }
        self.behind = CAUGHT_UP;
    }

    /// Datagrams have no connection to give up, and a series may have nothing to say for days.
    fn drops(&self, silence: u64) -> bool {
        let speaks = !matches!(self.role, Role::Packets(_) | Role::Series(_));
        speaks && silence >= self.settings.drop_after.nanos()
    }

    /// Whether it has a stream that can be read.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Opening { .. } | State::Up | State::Stale)
    }

    fn on_bytes<O: FnMut(&Event)>(&mut self, len: usize, now: Timestamp, cx: &mut Context<'_, O>) {
        self.heard = now;
        self.counts.bytes += len as u64;
        self.counts.reads += 1;
        self.buffer.filled(len);
        cx.sequencer.begin(self.source, now);
        let (sequencer, out) = (&mut *cx.sequencer, &mut *cx.out);
        let mut push = |event: Event| sequencer.push(event, out);
        if self.state == State::Stale && self.behind == 0 {
            self.state = State::Up;
            push(session(SessionState::UP, 0, 0));
        }
        let data = self.buffer.data();
        let taken = match &mut self.role {
            Role::Live(client) => client.decode(data, cx.registry, &mut push),
            Role::Broker(broker) => broker.decoder.decode(data, &mut push),
            Role::Series(lines) => lines.decode(data, &mut push),
            Role::Packets(packets) => {
                packets.decode(data, cx.registry, &mut push);
                data.len()
            }
        };
        self.buffer.taken(taken);
        cx.sequencer.end(cx.out);
        if let Role::Broker(broker) = &mut self.role {
            broker.decoder.commit();
        }
        self.judge(now, cx);
    }

    /// What the bytes mean for the session as a whole.
    #[inline]
    fn judge<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        if self.buffer.is_full() {
            let held = self.buffer.data().len() as u64;
            self.fault(Code::OVERRUN, held, now, cx);
            return self.drop_connection(now, cx);
        }
        let Role::Live(client) = &self.role else { return };
        match client.verdict() {
            Verdict::Streaming if matches!(self.state, State::Opening { .. }) => {
                self.state = State::Up;
                self.backoff.succeeded();
            }
            Verdict::Streaming => return,
            Verdict::Opening => {}
            Verdict::Broken => return self.drop_connection(now, cx),
            Verdict::Refused => return self.finish(SessionState::REFUSED, now, cx),
        }
        if let Err(error) = self.flush() {
            self.failed(&error, now, cx);
        }
    }

    /// The peer closed its side in good order.
    fn on_end<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        let left = self.buffer.data().len() as u64;
        let streaming = matches!(self.state, State::Up | State::Stale);
        if left > 0 || !streaming {
            self.fault(Code::CLOSED, left, now, cx);
        } else if self.settings.ends_on_close() {
            return self.finish(SessionState::ENDED, now, cx);
        }
        self.drop_connection(now, cx);
    }
}

// Making, handing over and giving up connections.
impl<D: Decoder> Link<D> {
    fn connect<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        if let Role::Packets(_) = self.role {
            return;
        }
        let place = self.backoff.attempts() as usize % self.addresses.len().max(1);
        let Some(&address) = self.addresses.get(place) else { return };
        match self.open(address, cx.poller) {
            Ok(stream) => {
                self.socket = Socket::Tcp(stream);
                self.state = State::Connecting { since: now };
            }
            Err(error) => self.failed(&error, now, cx),
        }
    }

    fn open(&self, address: SocketAddr, poller: &Poller) -> io::Result<TcpStream> {
        let mut stream = socket::connect(address, &self.settings)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poller.register(&mut stream, Token(usize::from(self.source)), interest)?;
        Ok(stream)
    }

    /// Opens a session of datagrams; once, at start.
    pub(crate) fn listen<O: FnMut(&Event)>(
        &mut self,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) -> io::Result<()> {
        let Some(&address) = self.addresses.first() else { return Ok(()) };
        let mut socket = socket::listen(address, &self.settings)?;
        cx.poller.register(&mut socket, Token(usize::from(self.source)), Interest::READABLE)?;
        self.socket = Socket::Udp(socket);
        (self.state, self.heard) = (State::Up, now);
        self.counts.connects += 1;
        Ok(())
    }

    fn on_connecting<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        let Socket::Tcp(stream) = &self.socket else { return };
        match socket::connected(stream) {
            Ok(true) => self.on_connected(now, cx),
            Ok(false) => {}
            Err(error) => self.failed(&error, now, cx),
        }
    }

    fn on_connected<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        self.counts.connects += 1;
        (self.heard, self.ready) = (now, true);
        self.buffer.clear();
        let attempts = self.backoff.attempts();
        let next_in = match &mut self.role {
            Role::Live(client) => {
                client.connected(attempts);
                self.state = State::Opening { since: now };
                0
            }
            Role::Broker(broker) => {
                broker.decoder.restart();
                if !hand_over(&self.socket, &broker.gate) {
                    self.fault(Code::HANDOVER, 0, now, cx);
                    return self.drop_connection(now, cx);
                }
                self.state = State::Up;
                self.backoff.succeeded();
                broker.decoder.next_in()
            }
            Role::Series(_) => {
                self.state = State::Up;
                self.backoff.succeeded();
                0
            }
            Role::Packets(_) => 0,
        };
        let event = session(SessionState::CONNECTED, attempts, next_in);
        cx.sequencer.alone(self.source, now, event, cx.out);
        if matches!(self.role, Role::Series(_)) {
            // Nobody logs on there.
            cx.sequencer.alone(self.source, now, session(SessionState::UP, 0, 0), cx.out);
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let (Role::Live(client), Socket::Tcp(stream)) = (&mut self.role, &mut self.socket) else {
            return Ok(());
        };
        let outbox = client.outbox();
        while !outbox.is_empty() {
            match stream.write(outbox) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => drop(outbox.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn failed<O: FnMut(&Event)>(
        &mut self,
        error: &io::Error,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        self.fault(Code::IO, error.raw_os_error().unwrap_or(0) as u64, now, cx);
        // An error of a datagram socket (an ICMP answer) does not close it.
        if !matches!(self.role, Role::Packets(_)) {
            self.drop_connection(now, cx);
        }
    }

    fn timed_out<O: FnMut(&Event)>(
        &mut self,
        waited: u64,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        self.fault(Code::TIMEOUT, waited, now, cx);
        self.drop_connection(now, cx);
    }

    fn drop_connection<O: FnMut(&Event)>(&mut self, now: Timestamp, cx: &mut Context<'_, O>) {
        self.close(cx);
        self.counts.drops += 1;
        self.state = State::Down { retry: self.backoff.failed(now) };
        self.tell(SessionState::DOWN, now, cx);
    }

    fn finish<O: FnMut(&Event)>(
        &mut self,
        state: SessionState,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        self.close(cx);
        self.state = State::Over;
        self.tell(state, now, cx);
    }

    fn close<O>(&mut self, cx: &mut Context<'_, O>) {
        if let Socket::Tcp(stream) = &mut self.socket {
            // The gate's handle keeps the descriptor open: tell the peer ourselves.
            drop(cx.poller.deregister(stream));
            drop(stream.shutdown(std::net::Shutdown::Both));
        }
        self.socket = Socket::None;
        self.buffer.clear();
        (self.ready, self.closing) = (false, false);
    }

    fn tell<O: FnMut(&Event)>(
        &mut self,
        state: SessionState,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        let event = session(state, self.backoff.attempts(), 0);
        cx.sequencer.alone(self.source, now, event, cx.out);
    }

    fn fault<O: FnMut(&Event)>(
        &mut self,
        code: Code,
        found: u64,
        now: Timestamp,
        cx: &mut Context<'_, O>,
    ) {
        self.counts.faults += 1;
        if let Some(event) = self.faults.note(code, self.counts.bytes, found) {
            cx.sequencer.alone(self.source, now, event, cx.out);
        }
    }
}

fn hand_over(socket: &Socket, gate: &SyncSender<std::net::TcpStream>) -> bool {
    let Socket::Tcp(stream) = socket else { return false };
    socket::handle(stream).is_ok_and(|stream| gate.try_send(stream).is_ok())
}
