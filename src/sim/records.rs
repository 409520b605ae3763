//! Values in; DBN version 3 out, as a gateway writes it, into a block of bytes.

use super::market::{Best, Contract, MIDNIGHT};
use crate::wire::{Timestamp, UNDEF_TIME};
use alloc::vec::Vec;

/// The code of the gateway's error message by which it says that it skipped records.
const SKIPPED: u8 = 7;
/// The action of a status by which trading goes on, and one by which it is halted.
pub const TRADING: u16 = 7;
/// Halted.
pub const HALTED: u16 = 8;

/// A record of `size` bytes with its header, the rest zeros; gives its place.
fn begin(to: &mut Vec<u8>, size: usize, rtype: u8, id: u32, ts: Timestamp) -> usize {
    let at = to.len();
    to.resize(at + size, 0);
    to[at] = (size / 4) as u8;
    to[at + 1] = rtype;
    put(to, at + 4, &id.to_le_bytes());
    put(to, at + 8, &ts.to_le_bytes());
    at
}

fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    to[at..at + bytes.len()].copy_from_slice(bytes);
}

/// What stands before the records of a stream.
pub fn metadata(to: &mut Vec<u8>) {
    to.extend_from_slice(b"DBN\x03");
    to.extend_from_slice(&100u32.to_le_bytes());
    to.extend_from_slice(&[0; 100]);
}

/// A symbol mapping.
pub fn mapping(to: &mut Vec<u8>, contract: &Contract, ts: Timestamp) {
    let at = begin(to, 176, 0x16, contract.venue_id, ts);
    put(to, at + 17, &contract.symbol);
    put(to, at + 89, &contract.symbol);
}

/// A definition, as OPRA has it: without multiplier and tick.
pub fn definition(to: &mut Vec<u8>, contract: &Contract, ts: Timestamp) {
    let at = begin(to, 520, 0x13, contract.venue_id, ts);
    put(to, at + 40, &MIDNIGHT.to_le_bytes());
    put(to, at + 104, &contract.strike.to_le_bytes());
    put(to, at + 238, &contract.symbol);
    put(to, at + 335, b"SPXW");
    to[at + 487] = if contract.call { b'C' } else { b'P' };
}

/// A consolidated quote.
pub fn quote(to: &mut Vec<u8>, contract: &Contract, best: &Best, ts: Timestamp) {
    let at = begin(to, 80, 0xB1, contract.venue_id, ts);
    to[at + 28] = b'M';
    put(to, at + 32, &ts.to_le_bytes());
    put(to, at + 48, &best.bid.to_le_bytes());
    put(to, at + 56, &best.ask.to_le_bytes());
    put(to, at + 64, &best.bid_size.to_le_bytes());
    put(to, at + 68, &best.ask_size.to_le_bytes());
}

/// A print.
pub fn trade(to: &mut Vec<u8>, contract: &Contract, price: i64, size: u32, ts: Timestamp) {
    let at = begin(to, 48, 0x00, contract.venue_id, ts);
    put(to, at + 16, &price.to_le_bytes());
    put(to, at + 24, &size.to_le_bytes());
    put(to, at + 28, b"TB");
    put(to, at + 32, &ts.to_le_bytes());
}

/// Open interest.
pub fn interest(to: &mut Vec<u8>, contract: &Contract, contracts: i64, ts: Timestamp) {
    let at = begin(to, 80, 0x18, contract.venue_id, ts);
    put(to, at + 16, &ts.to_le_bytes());
    put(to, at + 24, &ts.to_le_bytes());
    put(to, at + 40, &contracts.to_le_bytes());
    put(to, at + 56, &9u16.to_le_bytes());
    to[at + 60] = 1;
}

/// A trading status; of the whole market without a contract.
pub fn status(to: &mut Vec<u8>, contract: Option<&Contract>, action: u16, ts: Timestamp) {
    let id = contract.map_or(0, |contract| contract.venue_id);
    let at = begin(to, 40, 0x12, id, ts);
    put(to, at + 16, &ts.to_le_bytes());
    put(to, at + 24, &action.to_le_bytes());
}

/// The gateway's word that it skipped records.
pub fn skipped(to: &mut Vec<u8>, ts: Timestamp) {
    let at = begin(to, 320, 0x15, 0, ts);
    (to[at + 318], to[at + 319]) = (SKIPPED, 1);
}

/// The gateway's heartbeat.
pub fn heartbeat(to: &mut Vec<u8>, ts: Timestamp) {
    begin(to, 320, 0x17, 0, ts);
}

/// A record that nobody knows.
pub fn alien(to: &mut Vec<u8>) {
    begin(to, 64, 0x77, 1, UNDEF_TIME);
}
