//! A client's lines and the market's records in; bytes of the live protocol, or datagrams, out.

use super::{Fault, Mischief, market::Market, records};
use crate::wire::Timestamp;
use alloc::{collections::VecDeque, vec::Vec};

/// How a market is delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// The Databento live protocol over a connection.
    Stream,
    /// Numbered datagrams.
    Datagrams,
}

/// The market's end of a connection, or the sender of datagrams.
#[derive(Debug)]
pub struct Gateway {
    /// How it delivers.
    pub way: Way,
    /// Bytes on their way to the client.
    pub bytes: Vec<u8>,
    /// Datagrams on their way.
    pub datagrams: VecDeque<Vec<u8>>,
    /// Somebody has subscribed; datagrams always stream.
    streaming: bool,
    heard: Vec<u8>,
    next: u64,
    kept: Option<Vec<u8>>,
}

impl Gateway {
    /// Nobody is connected.
    pub fn new(way: Way) -> Gateway {
        Gateway {
            way,
            bytes: Vec::new(),
            datagrams: VecDeque::new(),
            streaming: way == Way::Datagrams,
            heard: Vec::new(),
            next: 1,
            kept: None,
        }
    }

    /// A client has connected.
    pub fn on_connect(&mut self) {
        (self.heard, self.streaming) = (Vec::new(), false);
        self.bytes.clear();
        self.bytes.extend_from_slice(b"lsg_version=0.6.0\ncram=0123456789abcdef\n");
    }

    /// The connection is gone.
    pub fn on_disconnect(&mut self) {
        self.bytes.clear();
        self.streaming = self.way == Way::Datagrams;
    }

    /// Lines of the client; after the last one, everything that there is to know.
    pub fn on_bytes(&mut self, bytes: &[u8], market: &Market, now: Timestamp) {
        self.heard.extend_from_slice(bytes);
        while let Some(end) = self.heard.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            if line.starts_with(b"auth=") {
                self.bytes.extend_from_slice(b"success=1|session_id=1\n");
            } else if line.starts_with(b"start_session") {
                self.streaming = true;
                records::metadata(&mut self.bytes);
                let list = listing(market, now);
                self.bytes.extend_from_slice(&list);
            }
        }
    }

    /// Everything that is listed, quoted: what a new client hears first.
    pub fn announce(&mut self, market: &Market, now: Timestamp) {
        for chunk in 0..market.contracts.len().div_ceil(16) {
            let mut list = Vec::new();
            let places = chunk * 16..(chunk * 16 + 16).min(market.contracts.len());
            for place in places {
                let contract = &market.contracts[place];
                records::definition(&mut list, contract, now);
                records::quote(&mut list, contract, &market.best[place], now);
            }
            self.datagram(&list);
        }
    }

    /// Whether anybody hears records.
    pub fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// Sends records, or what becomes of them.
    pub fn send(&mut self, list: &[u8], now: Timestamp, bad: &mut Mischief) {
        if !self.streaming || list.is_empty() {
            return;
        }
        if self.way == Way::Datagrams {
            return self.post(list, bad);
        }
        if bad.strikes(Fault::Skip) {
            return records::skipped(&mut self.bytes, now);
        }
        self.bytes.extend_from_slice(list);
    }

    fn post(&mut self, list: &[u8], bad: &mut Mischief) {
        let late = self.kept.take();
        self.datagram(list);
        let Some(newest) = self.datagrams.pop_back() else { return };
        if bad.strikes(Fault::Swap) {
            self.kept = Some(newest);
        } else if !bad.strikes(Fault::Loss) {
            if bad.strikes(Fault::Repeat) {
                self.datagrams.push_back(newest.clone());
            }
            self.datagrams.push_back(newest);
        }
        self.datagrams.extend(late);
    }

    fn datagram(&mut self, list: &[u8]) {
        let mut datagram = Vec::with_capacity(16 + list.len());
        datagram.extend_from_slice(b"ZDG1\0\0\x03\0");
        datagram.extend_from_slice(&self.next.to_le_bytes());
        datagram.extend_from_slice(list);
        self.next += 1;
        self.datagrams.push_back(datagram);
    }
}

fn listing(market: &Market, now: Timestamp) -> Vec<u8> {
    let mut list = Vec::new();
    for contract in &market.contracts {
        records::mapping(&mut list, contract, now);
    }
    for (contract, best) in market.contracts.iter().zip(&market.best) {
        records::definition(&mut list, contract, now);
        records::quote(&mut list, contract, best, now);
    }
    list
}
