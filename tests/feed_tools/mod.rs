//! What the feed's tests share: records and metadata made by the `dbn` crate, and the events that
//! are expected of them, told by that crate's own fields and not by ours.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use dbn::{
    Cmbp1Msg, InstrumentDefMsg, Mbp1Msg, Mbp10Msg, RecordHeader, RecordRef, StatMsg, StatusMsg,
    TradeMsg, rtype,
};
use std::{ffi::c_char, path::PathBuf};
use zomma::{
    feed::{
        Registry,
        dbn::{Prints, Stream},
    },
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price, UNDEF_TIME,
        market::{Interest, Quote, Status, Trade},
    },
};

/// A folder of the shared data, if it is here.
pub fn data(folder: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where the data lie is no setting of a run")]
    let root = std::env::var("ZOMMA_DATA").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if !path.exists() {
        println!("skipped: {folder} is not here");
        return None;
    }
    Some(path)
}

/// A symbol field.
pub fn text<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from as c_char;
    }
    field
}

/// A header as `R` has it.
pub fn header<R: dbn::v3::HasRType>(rtype: u8, id: u32, ts_event: u64) -> RecordHeader {
    RecordHeader::new::<R>(rtype, 30, id, ts_event)
}

/// A symbol mapping of version 3.
pub fn mapping(id: u32, symbol: &str) -> Vec<u8> {
    let record = dbn::SymbolMappingMsg {
        hd: header::<dbn::SymbolMappingMsg>(rtype::SYMBOL_MAPPING, id, 5),
        stype_out_symbol: text(symbol),
        ..Default::default()
    };
    record.as_ref().to_vec()
}

/// A consolidated quote.
pub fn quote(id: u32, ts_event: u64, bid: i64, ask: i64) -> Vec<u8> {
    let mut record = Cmbp1Msg {
        hd: header::<Cmbp1Msg>(rtype::CMBP_1, id, ts_event),
        ts_recv: ts_event.saturating_add(7),
        ..Cmbp1Msg::default_for_schema(dbn::Schema::Cmbp1)
    };
    record.levels[0].bid_px = bid;
    record.levels[0].ask_px = ask;
    record.levels[0].bid_sz = 3;
    record.levels[0].ask_sz = 4;
    record.as_ref().to_vec()
}

/// Open interest.
pub fn interest(id: u32, contracts: i64) -> Vec<u8> {
    let record = StatMsg {
        hd: header::<StatMsg>(rtype::STATISTICS, id, 9),
        stat_type: dbn::StatType::OpenInterest as u16,
        quantity: contracts,
        ..Default::default()
    };
    record.as_ref().to_vec()
}

/// An error message of the gateway.
pub fn error(code: u8) -> Vec<u8> {
    let record = dbn::ErrorMsg {
        hd: header::<dbn::ErrorMsg>(rtype::ERROR, 0, 9),
        code,
        ..Default::default()
    };
    record.as_ref().to_vec()
}

/// A system message of the gateway.
pub fn system(code: u8) -> Vec<u8> {
    let record = dbn::SystemMsg {
        hd: header::<dbn::SystemMsg>(rtype::SYSTEM, 0, 9),
        code,
        ..Default::default()
    };
    record.as_ref().to_vec()
}

/// The prefix and the metadata of a live stream.
pub fn metadata(version: u8, ts_out: bool, symbols: Vec<String>) -> Vec<u8> {
    let metadata = dbn::Metadata::builder()
        .version(version)
        .dataset("OPRA.PILLAR")
        .schema(None)
        .start(1)
        .stype_in(None)
        .stype_out(dbn::SType::InstrumentId)
        .ts_out(ts_out)
        .symbols(symbols)
        .build();
    let mut bytes = Vec::new();
    dbn::encode::dbn::MetadataEncoder::new(&mut bytes).encode(&metadata).unwrap();
    bytes
}

/// All events of a stream that is fed in pieces of these sizes, over and over.
pub fn decode(bytes: &[u8], sizes: &[usize], prints: Prints) -> (Vec<Event>, Stream) {
    let (mut stream, mut registry) = (Stream::new(0, prints), Registry::new(1, 4096));
    let events = decode_with(&mut stream, &mut registry, bytes, sizes);
    (events, stream)
}

/// The same with a given stream.
pub fn decode_with(
    stream: &mut Stream,
    registry: &mut Registry,
    bytes: &[u8],
    sizes: &[usize],
) -> Vec<Event> {
    let (mut events, mut held, mut rest) = (Vec::new(), Vec::new(), bytes);
    for &size in sizes.iter().cycle() {
        let (piece, behind) = rest.split_at(size.clamp(1, rest.len().max(1)).min(rest.len()));
        held.extend_from_slice(piece);
        let taken = stream.decode(&held, registry, &mut |event| events.push(event));
        assert!(taken <= held.len());
        held.drain(..taken);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    events
}

fn flags(flags: dbn::FlagSet) -> Flags {
    let mut ours = Flags::NONE;
    for (set, flag) in [
        (flags.is_snapshot(), Flags::SNAPSHOT),
        (flags.is_bad_ts_recv(), Flags::BAD_TIME),
        (flags.is_maybe_bad_book(), Flags::MAYBE_BAD),
    ] {
        if set {
            ours = ours.with(flag);
        }
    }
    ours
}

fn event<P: bytemuck::NoUninit>(
    kind: Kind,
    instrument: u32,
    ts: (u64, u64),
    flags: Flags,
    payload: P,
) -> Event {
    let ts_event = if ts.0 == UNDEF_TIME { ts.1 } else { ts.0 };
    Event { ts_event, flags, ..Event::new(kind, instrument, payload) }
}

fn level(level: (i64, i64, u32, u32), venue_seq: u32) -> Quote {
    Quote {
        bid: Price(level.0),
        ask: Price(level.1),
        bid_size: level.2,
        ask_size: level.3,
        venue_seq,
        reserved: 0,
    }
}

fn print(price: i64, size: u32, side: c_char, venue_seq: u32) -> Trade {
    Trade {
        price: Price(price),
        size,
        side: side as u8,
        reserved: [0; 3],
        venue_seq,
        reserved2: [0; 3],
    }
}

/// The events that a record of market data should give, told by the `dbn` crate's fields. `None`
/// for records that name instruments: those are compared elsewhere.
pub fn expected(
    record: RecordRef<'_>,
    prints: Prints,
    index: &dyn Fn(u32) -> u32,
) -> Option<Vec<Event>> {
    let head: RecordHeader = *record.header();
    let instrument = index(head.instrument_id);
    let mut events = Vec::new();
    let is_trade = |action: c_char| action as u8 == b'T';
    if let Some(r) = record.get::<TradeMsg>() {
        if prints == Prints::Trades {
            let payload = print(r.price, r.size, r.side, r.sequence);
            let ts = (head.ts_event, r.ts_recv);
            events.push(event(Kind::TRADE, instrument, ts, flags(r.flags), payload));
        }
    } else if let Some(r) = record.get::<Mbp1Msg>() {
        let (l, ts) = (&r.levels[0], (head.ts_event, r.ts_recv));
        let payload = level((l.bid_px, l.ask_px, l.bid_sz, l.ask_sz), r.sequence);
        events.push(event(Kind::QUOTE, instrument, ts, flags(r.flags), payload));
        if is_trade(r.action) && prints == Prints::Book {
            let payload = print(r.price, r.size, r.side, r.sequence);
            events.push(event(Kind::TRADE, instrument, ts, flags(r.flags), payload));
        }
    } else if let Some(r) = record.get::<Mbp10Msg>() {
        let (l, ts) = (&r.levels[0], (head.ts_event, r.ts_recv));
        let payload = level((l.bid_px, l.ask_px, l.bid_sz, l.ask_sz), r.sequence);
        events.push(event(Kind::QUOTE, instrument, ts, flags(r.flags), payload));
        if is_trade(r.action) && prints == Prints::Book {
            let payload = print(r.price, r.size, r.side, r.sequence);
            events.push(event(Kind::TRADE, instrument, ts, flags(r.flags), payload));
        }
    } else if let Some(r) = record.get::<Cmbp1Msg>() {
        let (l, ts) = (&r.levels[0], (head.ts_event, r.ts_recv));
        let payload = level((l.bid_px, l.ask_px, l.bid_sz, l.ask_sz), 0);
        events.push(event(Kind::QUOTE, instrument, ts, flags(r.flags), payload));
        let wanted = if head.rtype == rtype::TCBBO { Prints::Tcbbo } else { Prints::Book };
        if is_trade(r.action) && prints == wanted {
            let payload = print(r.price, r.size, r.side, 0);
            events.push(event(Kind::TRADE, instrument, ts, flags(r.flags), payload));
        }
    } else if let Some(r) = record.get::<dbn::CbboMsg>() {
        let (l, ts) = (&r.levels[0], (r.ts_recv, r.ts_recv));
        let payload = level((l.bid_px, l.ask_px, l.bid_sz, l.ask_sz), 0);
        events.push(event(Kind::QUOTE, instrument, ts, flags(r.flags), payload));
    } else if let Some(r) = record.get::<dbn::BboMsg>() {
        let (l, ts) = (&r.levels[0], (r.ts_recv, r.ts_recv));
        let payload = level((l.bid_px, l.ask_px, l.bid_sz, l.ask_sz), r.sequence);
        events.push(event(Kind::QUOTE, instrument, ts, flags(r.flags), payload));
    } else if let Some(r) = record.get::<StatusMsg>() {
        let payload = Status { action: r.action, reason: r.reason, reserved: [0; 7] };
        let ts = (head.ts_event, r.ts_recv);
        events.push(event(Kind::STATUS, instrument, ts, Flags::NONE, payload));
    } else if let Some(r) = record.get::<StatMsg>() {
        let withdrawn = r.update_action == dbn::StatUpdateAction::Delete as u8;
        if r.stat_type == 9 && !withdrawn && r.quantity != i64::MAX {
            let payload = Interest { contracts: r.quantity, ts_ref: r.ts_ref, reserved: [0; 2] };
            let ts = (head.ts_event, r.ts_recv);
            events.push(event(Kind::INTEREST, instrument, ts, Flags::NONE, payload));
        }
    } else if record.get::<InstrumentDefMsg>().is_some()
        || record.get::<dbn::SymbolMappingMsg>().is_some()
    {
        return None;
    }
    assert!(instrument != NO_INSTRUMENT || events.is_empty());
    Some(events)
}
