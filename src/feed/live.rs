//! The client's side of the Databento live protocol: bytes of the gateway in, events and the lines
//! to send out. No socket, no clock.
//!
//! ```text
//! S: lsg_version=…             C:                    any one line
//! S: cram=NONCE                C: auth=…|dataset=…|encoding=dbn|compression=none|ts_out=0|…
//! S: success=1|session_id=…    C: schema=…|stype_in=…|symbols=a,b,c|…|is_last=1|id=1   (repeated)
//!                              C: start_session
//! S: DBN metadata and records for ever
//! ```
//! Fields are `key=value` joined by `|`, found by key. The subscription is written out once, when
//! the client is made, so that a reconnect allocates nothing; the key goes into one answer and
//! nowhere else.

use super::{
    Key, Registry,
    dbn::{Prints, Stream, Verdict, gap},
    faults::Code,
    settings::Session,
};
use crate::wire::{
    Event, Kind, NO_INSTRUMENT,
    control::{self, Gap, SessionState},
};
use alloc::{format, string::String, vec::Vec};

/// Most symbols of one line.
pub const SYMBOLS_MAX: usize = 500;

/// Longest line of the gateway that is believed.
pub const LINE_MAX: usize = 4_096;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Greeting,
    Challenge,
    Answer,
    Records,
    Over(Verdict),
}

/// One session with a gateway, over all its connections.
#[derive(Debug)]
pub struct Client {
    phase: Phase,
    key: Key,
    login: String,
    subscription: String,
    outbox: Vec<u8>,
    attempts: u32,
    streamed: bool,
    offset: u64,
    /// The records, with their counters.
    pub stream: Stream,
}

impl Client {
    /// A client for `session`, which is number `place` of the registry.
    pub fn new(place: u16, session: &Session, key: Key) -> Client {
        let (login, subscription) = (login(session), subscription(session));
        let outbox = Vec::with_capacity(login.len() + subscription.len() + 256);
        Client {
            phase: Phase::Greeting,
            key,
            login,
            subscription,
            outbox,
            attempts: 0,
            streamed: false,
            offset: 0,
            stream: Stream::new(place, Prints::of(&session.schemas)),
        }
    }

    /// A new connection stands, after this many attempts.
    pub fn connected(&mut self, attempts: u32) {
        (self.phase, self.attempts, self.offset) = (Phase::Greeting, attempts, 0);
        self.outbox.clear();
        self.stream.restart();
    }

    /// What is to be sent; the caller removes what it has sent.
    pub fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// How the session stands.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        match self.phase {
            Phase::Records => self.stream.verdict(),
            Phase::Over(verdict) => verdict,
            _ => Verdict::Opening,
        }
    }

    /// Takes what it can from the front of `bytes`; returns how many bytes it is done with.
    #[inline]
    pub fn decode(
        &mut self,
        bytes: &[u8],
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) -> usize {
        if self.phase == Phase::Records && self.stream.verdict() == Verdict::Streaming {
            return self.stream.decode(bytes, registry, out);
        }
        let opened = self.open(bytes, out);
        if self.verdict() != Verdict::Streaming {
            return opened;
        }
        self.announce(out);
        opened + self.stream.decode(&bytes[opened..], registry, out)
    }

    /// The lines before the records, and the stream's metadata.
    #[inline(never)]
    fn open(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        let mut done = 0;
        while !matches!(self.phase, Phase::Records | Phase::Over(_)) {
            let rest = &bytes[done..];
            let Some(len) = rest.iter().take(LINE_MAX).position(|&byte| byte == b'\n') else {
                if rest.len() >= LINE_MAX {
                    self.refuse_line(rest, out);
                }
                break;
            };
            self.line(&rest[..len], out);
            done += len + 1;
            self.offset += len as u64 + 1;
        }
        match self.phase {
            Phase::Records => done + self.stream.open(&bytes[done..], out),
            Phase::Over(_) => bytes.len(),
            _ => done,
        }
    }

    fn line(&mut self, line: &[u8], out: &mut impl FnMut(Event)) {
        match self.phase {
            Phase::Greeting => self.phase = Phase::Challenge,
            Phase::Challenge => match field(line, b"cram") {
                Some(nonce) if !nonce.is_empty() => self.answer(nonce),
                _ => self.refuse_line(line, out),
            },
            Phase::Answer => match field(line, b"success") {
                Some(b"1") => {
                    self.outbox.extend_from_slice(self.subscription.as_bytes());
                    self.phase = Phase::Records;
                }
                Some(b"0") => self.refused(line, out),
                _ => self.refuse_line(line, out),
            },
            Phase::Records | Phase::Over(_) => {}
        }
    }

    fn answer(&mut self, nonce: &[u8]) {
        self.outbox.extend_from_slice(b"auth=");
        self.outbox.extend_from_slice(&self.key.answer(nonce));
        self.outbox.extend_from_slice(self.login.as_bytes());
        self.phase = Phase::Answer;
    }

    /// Too many sessions at once is worth another attempt; a wrong key is not.
    fn refused(&mut self, line: &[u8], out: &mut impl FnMut(Event)) {
        let error = field(line, b"error").unwrap_or_default();
        let full = error.windows(10).any(|part| part == b"connection");
        self.stream.fault(Code::REFUSED, self.offset, 0, out);
        self.phase = Phase::Over(if full { Verdict::Broken } else { Verdict::Refused });
    }

    fn refuse_line(&mut self, line: &[u8], out: &mut impl FnMut(Event)) {
        let mut found = [0; 8];
        let len = line.len().min(8);
        found[..len].copy_from_slice(&line[..len]);
        self.stream.fault(Code::LINE, self.offset, u64::from_le_bytes(found), out);
        self.phase = Phase::Over(Verdict::Broken);
    }

    /// The session is up; what came before an interruption is stale until it is quoted again.
    fn announce(&mut self, out: &mut impl FnMut(Event)) {
        out(session(SessionState::UP, self.attempts, 0));
        if self.streamed {
            self.stream.counts.gaps += 1;
            out(gap(Gap::RECONNECT, 0));
        }
        self.streamed = true;
    }
}

/// A SESSION event.
pub(super) fn session(state: SessionState, attempts: u32, next_in: u64) -> Event {
    let session =
        control::Session { state, reserved: [0; 3], attempts, next_in, reserved2: [0; 2] };
    Event::new(Kind::SESSION, NO_INSTRUMENT, session)
}

/// The value of `key` in a line of `key=value` joined by `|`.
fn field<'a>(line: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    line.trim_ascii_end().split(|&byte| byte == b'|').find_map(|pair| {
        let at = pair.iter().position(|&byte| byte == b'=')?;
        (&pair[..at] == key).then(|| &pair[at + 1..])
    })
}

/// The login line behind the answer to the challenge.
fn login(session: &Session) -> String {
    format!(
        "|dataset={}|encoding=dbn|compression=none|ts_out={}|client=zomma/{}|\
         heartbeat_interval_s={}|slow_reader_behavior={}\n",
        session.dataset,
        u8::from(session.ts_out),
        env!("CARGO_PKG_VERSION"),
        session.heartbeat.nanos().div_ceil(1_000_000_000),
        session.slow_reader,
    )
}

/// All subscription lines and the start.
fn subscription(session: &Session) -> String {
    let start = match session.start {
        0 => String::new(),
        start => format!("|start={start}"),
    };
    let mut lines = String::new();
    for (id, schema) in session.schemas.iter().enumerate() {
        let mut chunks = session.symbols.chunks(SYMBOLS_MAX).peekable();
        while let Some(chunk) = chunks.next() {
            lines += &format!(
                "schema={schema}|stype_in={}|symbols={}|snapshot=0|is_last={}|id={}{start}\n",
                session.stype,
                chunk.join(","),
                u8::from(chunks.peek().is_none()),
                id + 1,
            );
        }
    }
    lines + "start_session\n"
}
