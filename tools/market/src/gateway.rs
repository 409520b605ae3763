//! The live gateway's port: connections and records in; each session's bytes out, never blocking.

use crate::{
    lsg::{Context, Phase, Session},
    record,
    source::{Item, Source},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

/// A session that has so much unsent holds the market back.
const BACKLOG_MAX: usize = 1 << 20;

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    session: Session,
    head: usize,
    spoke: u64,
    dead: bool,
}

/// All sessions.
#[derive(Debug)]
pub struct Gateway {
    /// None once the market has ended: who comes then is refused.
    listener: Option<TcpListener>,
    clients: Vec<Client>,
    accepted: u64,
    salt: u64,
    /// Records handed to sessions.
    pub sent: u64,
}

impl Gateway {
    /// Serves a bound listener.
    pub fn new(listener: TcpListener, salt: u64) -> std::io::Result<Gateway> {
        listener.set_nonblocking(true)?;
        Ok(Gateway { listener: Some(listener), clients: Vec::new(), accepted: 0, salt, sent: 0 })
    }

    /// Takes in connections and what clients have written.
    pub fn poll(&mut self, context: Context<'_>, now: u64) {
        while let Some(Ok((stream, _))) = self.listener.as_ref().map(TcpListener::accept) {
            if stream.set_nonblocking(true).is_err() || stream.set_nodelay(true).is_err() {
                continue;
            }
            self.accepted += 1;
            let session = Session::greet(self.accepted, self.salt.wrapping_add(self.accepted));
            self.clients.push(Client { stream, session, head: 0, spoke: now, dead: false });
        }
        for client in &mut self.clients {
            client.read(context);
        }
    }

    /// Sessions that have asked for the stream, or have it.
    pub fn started(&self) -> usize {
        let asked = |c: &&Client| matches!(c.session.phase, Phase::Starting | Phase::Streaming);
        self.clients.iter().filter(asked).count()
    }

    /// Sends the header to sessions that have asked for the stream, and what they missed.
    pub fn start(&mut self, source: &dyn Source, ts: u64, now: u64) {
        for client in self.clients.iter_mut().filter(|c| c.session.phase == Phase::Starting) {
            client.session.start(ts);
            source.preamble(&mut |item| {
                let bits = record::bits_by_rtype()[usize::from(item.bytes[1])];
                client.session.offer(&item, bits, now);
            });
        }
    }

    /// Whether some session streams.
    pub fn streams(&self) -> bool {
        self.clients.iter().any(|c| c.session.phase == Phase::Streaming && !c.dead)
    }

    /// Puts a record into the buffers of the sessions that want it.
    #[inline]
    pub fn offer(&mut self, item: &Item<'_>, bits: u32, now: u64) {
        for client in &mut self.clients {
            self.sent += u64::from(client.session.offer(item, bits, now));
        }
    }

    /// Puts bytes that are no record into every stream.
    pub fn spoil(&mut self, garbage: &[u8]) {
        for client in self.clients.iter_mut().filter(|c| c.session.phase == Phase::Streaming) {
            client.session.out.extend_from_slice(garbage);
        }
    }

    /// Writes what sockets take, sends heartbeats that are due, forgets the dead.
    pub fn flush(&mut self, now: u64) {
        let mut gone = false;
        for client in &mut self.clients {
            client.flush(now);
            gone |= client.dead;
        }
        if gone {
            self.clients.retain(|client| !client.dead);
        }
    }

    /// Whether a session is so far behind that the market has to wait.
    pub fn is_behind(&self) -> bool {
        self.clients.iter().any(|c| c.session.out.len() - c.head > BACKLOG_MAX)
    }

    /// Whether all is written.
    pub fn is_drained(&self) -> bool {
        self.clients.iter().all(|c| c.session.out.len() == c.head)
    }

    /// Cuts all sessions off, in the middle of whatever they were sending.
    pub fn cut(&mut self) {
        for client in self.clients.drain(..) {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends all sessions properly: their readers see the end of the stream after the last record.
    pub fn end(&mut self) {
        self.listener = None;
        for client in &mut self.clients {
            let _ = client.stream.shutdown(Shutdown::Write);
            client.session.phase = Phase::Closing;
        }
    }
}

impl Client {
    fn read(&mut self, context: Context<'_>) {
        let mut buffer = [0; 16 * 1024];
        while !self.dead {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.dead = true,
                Ok(n) => self.session.on_bytes(&buffer[..n], context),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.dead = true,
            }
        }
    }

    fn flush(&mut self, now: u64) {
        if self.dead {
            return;
        }
        let session = &mut self.session;
        let silent = now.saturating_sub(self.spoke);
        let waiting = session.out.len() > self.head;
        if session.phase == Phase::Streaming && silent >= session.heartbeat_ns && !waiting {
            session.send(&record::heartbeat(now), now);
        }
        while self.head < session.out.len() {
            match self.stream.write(&session.out[self.head..]) {
                Ok(0) => break,
                Ok(n) => {
                    self.head += n;
                    self.spoke = now;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.dead = true,
            }
        }
        if self.head == session.out.len() {
            session.out.clear();
            self.head = 0;
            self.dead = session.phase == Phase::Closing;
        } else if self.head > BACKLOG_MAX {
            session.out.drain(..self.head);
            self.head = 0;
        }
    }
}
