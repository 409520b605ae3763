//! The FIX port: connections in; orders to the exchange and reports to clients out, never blocking.

use crate::{
    catalog::Catalog,
    fix::{Desk, Request},
    venue::Exchange,
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
};

/// All order connections.
#[derive(Debug)]
pub struct Broker {
    listener: TcpListener,
    streams: Vec<(u64, TcpStream)>,
    accepted: u64,
    /// Sessions, orders, reports.
    pub desk: Desk,
}

impl Broker {
    /// Serves a bound listener.
    pub fn new(listener: TcpListener) -> std::io::Result<Broker> {
        listener.set_nonblocking(true)?;
        Ok(Broker { listener, streams: Vec::new(), accepted: 0, desk: Desk::default() })
    }

    /// Takes in connections; session duties that time brings.
    pub fn on_time(&mut self, now: u64) {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_err() || stream.set_nodelay(true).is_err() {
                continue;
            }
            self.accepted += 1;
            self.desk.open(self.accepted, now);
            self.streams.push((self.accepted, stream));
        }
        self.desk.on_time(now);
    }

    /// Reads orders. `now` is called after each read that brought something: then they came.
    pub fn read(
        &mut self,
        now: &dyn Fn() -> u64,
        exchange: &mut Exchange,
        catalog: &Catalog,
        each: &mut dyn FnMut(Request, u64),
    ) -> bool {
        let mut buffer = [0; 16 * 1024];
        let (mut busy, desk) = (false, &mut self.desk);
        self.streams.retain_mut(|(id, stream)| {
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => {
                        busy = true;
                        let came = now();
                        let mut each = |request| each(request, came);
                        desk.on_bytes(*id, &buffer[..n], came, exchange, catalog, &mut each);
                        if n < buffer.len() {
                            return true;
                        }
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            desk.close(*id);
            false
        });
        busy
    }

    /// Tells what the exchange has done, and writes what sockets take.
    pub fn flush(&mut self, exchange: &mut Exchange, catalog: &Catalog, now: u64) {
        if exchange.has_executions() {
            self.desk.tell(exchange.take_executions(), catalog, now);
        }
        let desk = &mut self.desk;
        self.streams.retain_mut(|(id, stream)| {
            let Some((out, closing)) = desk.outbox(*id) else { return false };
            if write(stream, out) && !(closing && out.is_empty()) {
                return true;
            }
            let _ = stream.shutdown(Shutdown::Both);
            desk.close(*id);
            false
        });
    }
}

/// Writes what the socket takes; whether it is still good.
fn write(stream: &mut TcpStream, out: &mut Vec<u8>) -> bool {
    while !out.is_empty() {
        match stream.write(out) {
            Ok(0) => return false,
            Ok(n) => drop(out.drain(..n)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}
