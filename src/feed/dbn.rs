//! A stream of DBN 1 to 3 in, events out: in place, whatever the split.
//!
//! The stream is `DBN`, a version, the length of the metadata, the metadata (skipped but for one
//! flag), then records for ever. Nothing is copied but the event itself, and nothing is believed:
//! a length is checked before it is used, a type before its size, a size before its fields.
//!
//! **Losing the framing.** DBN has no mark to resynchronise on. A record of an unknown type or of
//! a size that is none of its type's is passed over by its length; [`STRIKES_MAX`] of these in a
//! row, or one record shorter than its header, and the stream is given up: [`Verdict::Broken`].
//!
//! **Time.** `ts_event` is the exchange's; where it is undefined, and for sampled quotes (cbbo,
//! bbo), whose event time is the last trade's, it is the venue's own receive time.
//!
//! **Prints.** A trade can come as a trade record, inside a tcbbo record, and as the action of an
//! mbp-1 or cmbp-1 record, and a session may carry several of these: [`Prints`] says which counts.

use super::{
    Registry,
    counts::Counts,
    faults::{Code, Faults},
    layout::{
        self, HEADER, PREFIX, TS_OUT, WORD, message, price, rtype, statistic, status, u32_at,
    },
    record,
    registry::Named,
    symbol::Symbol,
};
use crate::wire::{Event, Kind, NO_INSTRUMENT, control::Gap, market::Name};

/// Refused records in a row after which the framing counts as lost.
pub const STRIKES_MAX: u32 = 16;

/// Versions that can be decoded.
pub const VERSIONS: core::ops::RangeInclusive<u8> = 1..=3;

/// How a stream stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The metadata are not complete yet.
    Opening,
    /// Records come.
    Streaming,
    /// What came is no DBN stream, or no longer: reconnect.
    Broken,
    /// Another attempt would end the same way: version 4, key deactivated.
    Refused,
}

/// Which records count as prints: the first of these that the session subscribes to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Prints {
    /// Trade records.
    #[default]
    Trades,
    /// The trades of tcbbo records.
    Tcbbo,
    /// The trades of mbp-1, tbbo, mbp-10 and cmbp-1 records.
    Book,
}

impl Prints {
    /// The choice for a session with these schemas.
    pub fn of<S: AsRef<str>>(schemas: &[S]) -> Prints {
        let has = |name: &str| schemas.iter().any(|schema| schema.as_ref() == name);
        match (has("trades"), has("tcbbo")) {
            (true, _) => Prints::Trades,
            (false, true) => Prints::Tcbbo,
            (false, false) => Prints::Book,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Prefix,
    Head { version: u8, length: u32 },
    Skip { left: u32 },
    Records,
    Over(Verdict),
}

/// Decodes one stream.
#[derive(Debug)]
pub struct Stream {
    session: u16,
    prints: Prints,
    state: State,
    /// Bytes of `ts_out` behind each record.
    tail: usize,
    offset: u64,
    strikes: u32,
    faults: Faults,
    /// What was counted, over all streams of the session.
    pub counts: Counts,
}

impl Stream {
    /// Decodes the streams of session `session` of the registry.
    pub fn new(session: u16, prints: Prints) -> Stream {
        Stream {
            session,
            prints,
            state: State::Prefix,
            tail: 0,
            offset: 0,
            strikes: 0,
            faults: Faults::default(),
            counts: Counts::default(),
        }
    }

    /// Expects a new stream, from its prefix on. Counters go on.
    pub fn restart(&mut self) {
        (self.state, self.tail, self.offset, self.strikes) = (State::Prefix, 0, 0, 0);
    }

    /// Expects records without a prefix (a fragment, a datagram).
    pub fn restart_in_records(&mut self, ts_out: bool) {
        self.restart();
        (self.state, self.tail) = (State::Records, if ts_out { TS_OUT } else { 0 });
    }

    /// How the stream stands.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        match self.state {
            State::Records => Verdict::Streaming,
            State::Over(verdict) => verdict,
            _ => Verdict::Opening,
        }
    }

    /// Bytes taken since the last restart.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Counts a fault and passes its event on, if it has one.
    pub fn fault(&mut self, code: Code, at: u64, found: u64, out: &mut impl FnMut(Event)) {
        self.counts.faults += 1;
        if let Some(event) = self.faults.note(code, at, found) {
            out(event);
        }
    }

    /// Takes whole records from the front of `bytes` and hands their events to `out`; returns how
    /// many bytes it is done with. What it leaves comes again, with more behind it.
    #[inline]
    pub fn decode(
        &mut self,
        bytes: &[u8],
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) -> usize {
        let opened = if self.state == State::Records { 0 } else { self.open(bytes, out) };
        let taken = self.records(&bytes[opened..], registry, out);
        self.offset += taken as u64;
        opened + taken
    }

    /// The part of [`Stream::decode`] before the first record; it stops where that begins.
    pub fn open(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        let mut done = 0;
        while self.state != State::Records && done < bytes.len() {
            let taken = self.step(&bytes[done..], out);
            if taken == 0 {
                break;
            }
            self.offset += taken as u64;
            done += taken;
        }
        done
    }

    /// One step towards the first record.
    fn step(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        match self.state {
            State::Prefix => self.prefix(bytes, out),
            State::Head { version, length } => {
                let need = layout::METADATA_HEAD;
                if bytes.len() < need {
                    return 0;
                }
                self.tail = TS_OUT * usize::from(bytes[layout::ts_out_at(version)] == 1);
                self.skip(length - need as u32);
                need
            }
            State::Skip { left } => {
                let taken = bytes.len().min(left as usize);
                self.skip(left - taken as u32);
                taken
            }
            State::Over(_) => bytes.len(),
            State::Records => 0,
        }
    }

    fn skip(&mut self, left: u32) {
        self.state = if left == 0 { State::Records } else { State::Skip { left } };
    }

    fn prefix(&mut self, bytes: &[u8], out: &mut impl FnMut(Event)) -> usize {
        let known = bytes.len().min(3);
        if bytes[..known] != b"DBN"[..known] {
            let mut found = [0; 4];
            found[..bytes.len().min(4)].copy_from_slice(&bytes[..bytes.len().min(4)]);
            self.end(Verdict::Broken, Code::NOT_DBN, u64::from(u32::from_le_bytes(found)), out);
            return bytes.len();
        }
        let Some(prefix) = bytes.first_chunk::<PREFIX>() else { return 0 };
        let (version, length) = (prefix[3], u32_at(prefix, 4));
        if !VERSIONS.contains(&version) {
            self.end(Verdict::Refused, Code::VERSION, u64::from(version), out);
        } else if !(layout::METADATA_HEAD as u32..=layout::METADATA_MAX).contains(&length) {
            self.end(Verdict::Broken, Code::METADATA, u64::from(length), out);
        } else {
            self.state = State::Head { version, length };
        }
        PREFIX
    }

    fn end(&mut self, verdict: Verdict, code: Code, found: u64, out: &mut impl FnMut(Event)) {
        self.fault(code, self.offset, found, out);
        self.state = State::Over(verdict);
    }

    fn records(
        &mut self,
        bytes: &[u8],
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) -> usize {
        let mut rest = bytes;
        while self.state == State::Records
            && let Some(head) = rest.first_chunk::<HEADER>()
        {
            let len = head[0] as usize * WORD;
            let at = self.offset + (bytes.len() - rest.len()) as u64;
            if len < HEADER + self.tail {
                self.fault(Code::LENGTH, at, u64::from(head[0]), out);
                self.state = State::Over(Verdict::Broken);
                return bytes.len();
            }
            let Some((record, behind)) = rest.split_at_checked(len) else { break };
            self.counts.records += 1;
            self.record(&record[..len - self.tail], at, registry, out);
            rest = behind;
        }
        bytes.len() - rest.len()
    }

    /// One whole record without its `ts_out`, at least a header long.
    #[inline(always)]
    fn record(
        &mut self,
        record: &[u8],
        at: u64,
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) {
        // The two types that a day consists of come first, each with one comparison of the size.
        let Some(head) = record.first_chunk::<HEADER>() else { return };
        let instrument = registry.index(self.session, u32_at(head, 4));
        match head[1] {
            rtype::CMBP_1 | rtype::MBP_1 if record.len() == price::QUOTE_SIZE => {
                self.quoted::<{ price::QUOTE_SIZE }>(record, at, instrument, out);
            }
            rtype::TRADES if record.len() == price::TRADE_SIZE => {
                self.traded(record, at, instrument, out);
            }
            _ => self.seldom(record, at, registry, out),
        }
    }

    #[inline(always)]
    fn quoted<const N: usize>(
        &mut self,
        record: &[u8],
        at: u64,
        instrument: u32,
        out: &mut impl FnMut(Event),
    ) {
        let Some(record) = record.first_chunk::<N>() else { return };
        self.strikes = 0;
        if instrument == NO_INSTRUMENT {
            return self.unnamed(u32_at(record, 4), at, out);
        }
        self.counts.quotes += 1;
        out(record::quote(record, instrument));
        if record[price::ACTION] == b'T' && self.prints_of(record[1]) {
            self.counts.trades += 1;
            out(record::trade(record, instrument));
        }
    }

    /// Whether a trade inside a quote record counts.
    fn prints_of(&self, rtype: u8) -> bool {
        match rtype {
            rtype::TCBBO => self.prints == Prints::Tcbbo,
            rtype::MBP_1 | rtype::MBP_10 | rtype::CMBP_1 => self.prints == Prints::Book,
            // Sampled quotes have padding where others have an action.
            _ => false,
        }
    }

    #[inline(always)]
    fn traded(&mut self, record: &[u8], at: u64, instrument: u32, out: &mut impl FnMut(Event)) {
        let Some(record) = record.first_chunk::<{ price::TRADE_SIZE }>() else { return };
        self.strikes = 0;
        if instrument == NO_INSTRUMENT {
            return self.unnamed(u32_at(record, 4), at, out);
        }
        if self.prints != Prints::Trades {
            self.counts.passed_over += 1;
            return;
        }
        self.counts.trades += 1;
        out(record::trade(record, instrument));
    }

    #[cold]
    fn unnamed(&mut self, venue_id: u32, at: u64, out: &mut impl FnMut(Event)) {
        self.counts.unknown_instruments += 1;
        self.fault(Code::UNNAMED, at, u64::from(venue_id), out);
    }
}

// Records that come seldom: out of the hot loop.
impl Stream {
    #[inline(never)]
    fn seldom(
        &mut self,
        record: &[u8],
        at: u64,
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) {
        let Some(head) = record.first_chunk::<HEADER>() else { return };
        let instrument = registry.index(self.session, u32_at(head, 4));
        match (head[1], record.len()) {
            (
                rtype::CBBO_1S | rtype::CBBO_1M | rtype::TCBBO | rtype::BBO_1S | rtype::BBO_1M,
                price::QUOTE_SIZE,
            ) => self.quoted::<{ price::QUOTE_SIZE }>(record, at, instrument, out),
            (rtype::MBP_10, price::DEPTH_SIZE) => {
                self.quoted::<{ price::DEPTH_SIZE }>(record, at, instrument, out);
            }
            (rtype::STATISTICS, statistic::SIZE_V1) => {
                self.statistic::<{ statistic::SIZE_V1 }>(record, at, instrument, out);
            }
            (rtype::STATISTICS, statistic::SIZE_V3) => {
                self.statistic::<{ statistic::SIZE_V3 }>(record, at, instrument, out);
            }
            (rtype::DEFINITION, 360 | 400 | 520) => self.define(record, at, registry, out),
            (rtype::MAPPING, 80 | 176) => self.map(record, at, registry, out),
            (rtype::STATUS, status::SIZE) => {
                if let Some(record) = record.first_chunk() {
                    self.strikes = 0;
                    self.counts.statuses += 1;
                    out(record::status(record, instrument));
                }
            }
            (rtype::SYSTEM, message::SIZE_V1 | message::SIZE_V2) => self.system(record, at, out),
            (rtype::ERROR, message::SIZE_V1 | message::SIZE_V2) => self.error(record, at, out),
            (rtype::MBO, 56)
            | (rtype::OHLCV_OLD | rtype::OHLCV_1S..=rtype::OHLCV_EOD, 56)
            | (rtype::IMBALANCE, 112) => {
                self.strikes = 0;
                self.counts.passed_over += 1;
            }
            _ => self.strike(record, at, out),
        }
    }

    /// A type or a size that no version has.
    fn strike(&mut self, record: &[u8], at: u64, out: &mut impl FnMut(Event)) {
        let rtype = record[1];
        let found = u64::from(rtype) | (record.len() as u64) << 32;
        if is_known(rtype) {
            self.fault(Code::SIZE, at, found, out);
        } else {
            self.counts.unknown_records += 1;
            self.fault(Code::TYPE, at, u64::from(rtype), out);
        }
        self.strikes += 1;
        if self.strikes >= STRIKES_MAX {
            self.fault(Code::DESYNC, at, u64::from(self.strikes), out);
            self.state = State::Over(Verdict::Broken);
        }
    }

    fn statistic<const N: usize>(
        &mut self,
        record: &[u8],
        at: u64,
        instrument: u32,
        out: &mut impl FnMut(Event),
    ) {
        let Some(record) = record.first_chunk::<N>() else { return };
        self.strikes = 0;
        if instrument == NO_INSTRUMENT {
            return self.unnamed(u32_at(record, 4), at, out);
        }
        match record::interest(record, instrument) {
            Some(event) => {
                self.counts.interests += 1;
                out(event);
            }
            None => self.counts.statistics += 1,
        }
    }

    fn map(
        &mut self,
        record: &[u8],
        at: u64,
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) {
        self.strikes = 0;
        self.counts.mappings += 1;
        let venue_id = venue_id(record);
        match record::mapping(record) {
            None => self.fault(Code::SYMBOL, at, u64::from(venue_id), out),
            Some(symbol) => {
                let named = registry.map(self.session, venue_id, &symbol);
                self.named((record, at), named, &symbol, out);
            }
        }
    }

    fn define(
        &mut self,
        record: &[u8],
        at: u64,
        registry: &mut Registry,
        out: &mut impl FnMut(Event),
    ) {
        self.strikes = 0;
        self.counts.definitions += 1;
        match record::definition(record) {
            None => self.fault(Code::SYMBOL, at, u64::from(venue_id(record)), out),
            Some((symbol, definition)) => {
                let named = registry.define(self.session, &symbol, definition);
                self.named((record, at), named, &symbol, out);
            }
        }
    }

    fn named(
        &mut self,
        (record, at): (&[u8], u64),
        named: Named,
        symbol: &Symbol,
        out: &mut impl FnMut(Event),
    ) {
        match named {
            Named::New(index, definition) => {
                Name::parts(symbol.text())
                    .for_each(|part| out(Event::new(Kind::NAME, index, part)));
                out(record::defined(record, index, definition));
            }
            Named::Changed(index, definition) => out(record::defined(record, index, definition)),
            Named::Same => self.counts.repeats += 1,
            Named::Full => self.fault(Code::FULL, at, u64::from(venue_id(record)), out),
        }
    }

    fn system(&mut self, record: &[u8], at: u64, out: &mut impl FnMut(Event)) {
        self.strikes = 0;
        match code_of(record, message::SYSTEM_CODE) {
            Some(0) => self.counts.heartbeats += 1,
            Some(2) => self.slow(at, out),
            Some(_) => self.counts.notices += 1,
            None if text_begins(record, "Heartbeat") => self.counts.heartbeats += 1,
            None if text_begins(record, "Warning: slow reading") => self.slow(at, out),
            None => self.counts.notices += 1,
        }
    }

    fn slow(&mut self, at: u64, out: &mut impl FnMut(Event)) {
        self.counts.notices += 1;
        self.fault(Code::SLOW, at, 0, out);
    }

    fn error(&mut self, record: &[u8], at: u64, out: &mut impl FnMut(Event)) {
        self.strikes = 0;
        self.counts.errors += 1;
        let code = code_of(record, message::ERROR_CODE).unwrap_or_else(|| code_by_text(record));
        match code {
            7 => {
                self.counts.gaps += 1;
                out(gap(Gap::SLOW_READER, 0));
            }
            _ => self.fault(Code::GATEWAY, at, u64::from(code), out),
        }
        // Login failed, key deactivated: asking again would not help.
        if matches!(code, 1 | 2) {
            self.state = State::Over(Verdict::Refused);
        }
    }
}

/// A GAP event.
pub(super) fn gap(cause: u32, lost: u64) -> Event {
    let gap = Gap { cause, reserved: 0, lost, reserved2: [0; 2] };
    Event::new(Kind::GAP, NO_INSTRUMENT, gap)
}

fn is_known(rtype: u8) -> bool {
    use rtype::{BBO_1M, CBBO_1S, CMBP_1, IMBALANCE, MBO, MBP_1, MBP_10, OHLCV_OLD, STATISTICS};
    const { assert!(IMBALANCE < STATISTICS) };
    matches!(rtype, rtype::TRADES | MBP_1 | MBP_10 | OHLCV_OLD..=STATISTICS | MBO | CMBP_1)
        || (rtype::OHLCV_1S..=rtype::OHLCV_EOD).contains(&rtype)
        || (CBBO_1S..=BBO_1M).contains(&rtype)
}

fn venue_id(record: &[u8]) -> u32 {
    record.first_chunk::<HEADER>().map_or(0, |head| u32_at(head, 4))
}

/// The code of a message, where it has one (255 stands for none).
fn code_of(record: &[u8], at: usize) -> Option<u8> {
    record.get(at).copied().filter(|&code| code != u8::MAX)
}

fn text_begins(record: &[u8], text: &str) -> bool {
    record.get(message::TEXT..).is_some_and(|found| found.starts_with(text.as_bytes()))
}

/// Version 1 tells errors apart by their text alone; the sentences are those that `dbn` knows.
fn code_by_text(record: &[u8]) -> u8 {
    const TEXTS: &[(&str, u8)] = &[
        ("User or API key deactivated", 2),
        ("User has reached their open connection limit", 3),
        ("Failed to resolve symbol", 4),
        ("Internal error", 6),
        ("Slow client detected for ", 7),
    ];
    TEXTS.iter().find(|(text, _)| text_begins(record, text)).map_or(u8::MAX, |&(_, code)| code)
}
