//! Bytes in; as many as the socket takes out, the rest kept in order until it takes more.

use std::{
    boxed::Box,
    io::{self, ErrorKind, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
    vec,
};

/// Bytes that may wait for a slow broker: session messages, cancels, resends.
const PENDING_BYTES: usize = 262_144;

/// Longest silence of a peer that is to take the last of what was sent.
const SETTLE: Duration = Duration::from_millis(200);

/// A broken connection.
#[derive(Debug)]
pub(super) struct Broken;

/// What the gate writes to: a socket, or memory where the broker is simulated.
pub trait Stream: Write {
    /// Makes its writes return at once, with what was taken.
    fn prepare(&mut self) -> io::Result<()>;
    /// Ends it for both directions, so that whoever reads it sees the end too.
    fn end(&mut self);
    /// Waits a moment until the peer has taken what was written: a socket that is closed before it
    /// was read takes that along.
    fn settle(&mut self) {}
}

impl Stream for TcpStream {
    fn prepare(&mut self) -> io::Result<()> {
        self.set_nonblocking(true)?;
        self.set_nodelay(true)
    }

    fn end(&mut self) {
        // Refused where the peer was faster: the connection is at its end either way.
        drop(self.shutdown(Shutdown::Both));
    }

    fn settle(&mut self) {
        let mut rest = [0; 4_096];
        let waits = self.set_nonblocking(false).and(self.set_read_timeout(Some(SETTLE)));
        if waits.and(self.shutdown(Shutdown::Write)).is_ok() {
            // A peer that goes on talking has long read what it was sent.
            let mut reads = 0..64;
            while reads.next().is_some()
                && std::io::Read::read(self, &mut rest).is_ok_and(|count| count > 0)
            {}
        }
    }
}

/// One non-blocking stream and what waits for it.
#[derive(Debug)]
pub(super) struct Link<S> {
    stream: Option<S>,
    pending: Box<[u8]>,
    from: usize,
    to: usize,
}

impl<S: Stream> Link<S> {
    pub(super) fn new() -> Link<S> {
        let pending = vec![0; PENDING_BYTES].into_boxed_slice();
        Link { stream: None, pending, from: 0, to: 0 }
    }

    /// Takes a new stream; what waited for the old one is forgotten, the sequence numbers bring it
    /// back.
    pub(super) fn connect(&mut self, mut stream: S) -> io::Result<()> {
        self.disconnect();
        stream.prepare()?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Ends the connection for both directions, so that the reader of the stream sees it too.
    pub(super) fn disconnect(&mut self) {
        if let Some(mut stream) = self.stream.take() {
            stream.end();
        }
        (self.from, self.to) = (0, 0);
    }

    /// Waits until the peer has taken what was sent.
    pub(super) fn settle(&mut self) {
        drop(self.flush());
        self.stream.iter_mut().for_each(Stream::settle);
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether everything so far is in the system's hands.
    #[inline(always)]
    pub(super) fn is_clear(&self) -> bool {
        self.from == self.to
    }

    /// Bytes that fit behind what waits.
    pub(super) fn room(&self) -> usize {
        PENDING_BYTES - (self.to - self.from)
    }

    /// Sends `bytes` or keeps what the socket does not take. With no room for them the connection
    /// counts as broken: a peer that reads nothing is gone.
    #[inline]
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.flush()?;
        let done = if self.is_clear() { self.write(bytes)? } else { 0 };
        if done < bytes.len() { self.keep(&bytes[done..]) } else { Ok(()) }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> Result<(), Broken> {
        while !self.is_clear() {
            let Some(stream) = &mut self.stream else { return Err(Broken) };
            match write(stream, &self.pending[self.from..self.to])? {
                0 => break,
                n => self.from += n,
            }
        }
        if self.is_clear() {
            (self.from, self.to) = (0, 0);
        }
        Ok(())
    }

    /// Bytes taken of `bytes`.
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let stream = self.stream.as_mut().ok_or(Broken)?;
        let mut done = 0;
        while done < bytes.len() {
            match write(stream, &bytes[done..])? {
                0 => break,
                n => done += n,
            }
        }
        Ok(done)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if bytes.len() > self.room() {
            return Err(Broken);
        }
        if self.to + bytes.len() > PENDING_BYTES {
            self.pending.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        self.pending[self.to..self.to + bytes.len()].copy_from_slice(bytes);
        self.to += bytes.len();
        Ok(())
    }
}

/// One write; 0 where the socket takes nothing now.
#[inline]
fn write(stream: &mut impl Stream, bytes: &[u8]) -> Result<usize, Broken> {
    loop {
        match stream.write(bytes) {
            Ok(0) => return Err(Broken),
            Ok(n) => return Ok(n),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{io::Read, net::TcpListener, thread, vec::Vec};

    /// A peer that reads late gets every byte in order; one that never reads is called broken.
    #[test]
    fn partial_writes_keep_the_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut link = Link::new();
        link.connect(TcpStream::connect(listener.local_addr().unwrap()).unwrap()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut sent = Vec::new();
        let mut next = 0u8;
        while link.room() > 4_096 {
            let chunk: Vec<u8> = (0..997)
                .map(|_| {
                    next = next.wrapping_add(7);
                    next
                })
                .collect();
            assert!(link.send(&chunk).is_ok());
            sent.extend(chunk);
        }
        assert!(!link.is_clear());
        let total = sent.len();
        let reader = thread::spawn(move || {
            let mut got = vec![0; total];
            peer.read_exact(&mut got).unwrap();
            got
        });
        while !link.is_clear() {
            assert!(link.flush().is_ok());
        }
        assert!(reader.join().unwrap() == sent);
        link.disconnect();
        assert!(link.send(b"x").is_err());
    }
}
