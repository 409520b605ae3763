//! One record of a known type and size in, its event out. Pure arithmetic on bytes.

use super::{
    layout::{self, price, rtype, statistic, status},
    layout::{i32_at, i64_at, u16_at, u32_at, u64_at},
    symbol::{Symbol, root_of},
};
use crate::wire::{
    Event, Flags, Kind, NO_INSTRUMENT, Price, Timestamp, UNDEF_TIME,
    market::{Class, Definition, Interest, Quote, Status, Trade},
};

/// The event time: where the exchange gave none, when the venue received it.
#[inline(always)]
fn time(ts_event: Timestamp, ts_recv: Timestamp) -> Timestamp {
    if ts_event == UNDEF_TIME { ts_recv } else { ts_event }
}

/// DBN's flags as ours: the bits lie elsewhere.
#[inline(always)]
fn flags(dbn: u8) -> Flags {
    const _: () = assert!(Flags::SNAPSHOT.0 == 2 && Flags::BAD_TIME.0 == 4);
    const _: () = assert!(Flags::MAYBE_BAD.0 == 8);
    Flags((dbn & 0x20) >> 4 | (dbn & 0x08) >> 1 | (dbn & 0x04) << 1)
}

#[inline(always)]
fn stamped<P: bytemuck::NoUninit>(
    (kind, instrument): (Kind, u32),
    (ts_event, flags): (Timestamp, Flags),
    payload: P,
) -> Event {
    Event { ts_event, flags, ..Event::new(kind, instrument, payload) }
}

/// A record with a best bid and ask. `N` is the size of its type; only the first level is read.
#[inline(always)]
pub(super) fn quote<const N: usize>(record: &[u8; N], instrument: u32) -> Event {
    const { assert!(N >= price::QUOTE_SIZE) };
    let rtype = record[1];
    let ts_recv = u64_at(record, price::TS_RECV);
    // A sampled quote's event time is that of the last trade, which can be an hour old: what dates
    // the quote is the end of the interval.
    let sampled = matches!(rtype, rtype::CBBO_1S | rtype::CBBO_1M | rtype::BBO_1S | rtype::BBO_1M);
    let ts_event = if sampled { ts_recv } else { time(u64_at(record, 8), ts_recv) };
    let consolidated =
        matches!(rtype, rtype::CMBP_1 | rtype::TCBBO | rtype::CBBO_1S | rtype::CBBO_1M);
    let quote = Quote {
        bid: Price(i64_at(record, price::BID)),
        ask: Price(i64_at(record, price::ASK)),
        bid_size: u32_at(record, price::BID_SIZE),
        ask_size: u32_at(record, price::ASK_SIZE),
        venue_seq: if consolidated { 0 } else { u32_at(record, price::SEQUENCE) },
        reserved: 0,
    };
    stamped((Kind::QUOTE, instrument), (ts_event, flags(record[price::FLAGS])), quote)
}

/// A print, of a trade record or of a quote record whose action is a trade.
#[inline(always)]
pub(super) fn trade<const N: usize>(record: &[u8; N], instrument: u32) -> Event {
    const { assert!(N >= price::TRADE_SIZE) };
    let ts_event = time(u64_at(record, 8), u64_at(record, price::TS_RECV));
    let consolidated = matches!(record[1], rtype::CMBP_1 | rtype::TCBBO);
    let trade = Trade {
        price: Price(i64_at(record, price::PRICE)),
        size: u32_at(record, price::SIZE),
        side: record[price::SIDE],
        reserved: [0; 3],
        venue_seq: if consolidated { 0 } else { u32_at(record, price::SEQUENCE) },
        reserved2: [0; 3],
    };
    stamped((Kind::TRADE, instrument), (ts_event, flags(record[price::FLAGS])), trade)
}

/// What a statistics record says of open interest; `None` for every other statistic, for a
/// withdrawn one and for an undefined quantity.
#[inline]
pub(super) fn interest<const N: usize>(record: &[u8; N], instrument: u32) -> Option<Event> {
    const { assert!(N == statistic::SIZE_V1 || N == statistic::SIZE_V3) };
    let old = N == statistic::SIZE_V1;
    let (type_at, action_at) = if old {
        (statistic::TYPE_V1, statistic::ACTION_V1)
    } else {
        (statistic::TYPE_V3, statistic::ACTION_V3)
    };
    let wanted = u16_at(record, type_at) == statistic::OPEN_INTEREST
        && record[action_at] != statistic::DELETE;
    let contracts = match old {
        true => Some(i32_at(record, statistic::QUANTITY)).filter(|&q| q != i32::MAX).map(i64::from),
        false => Some(i64_at(record, statistic::QUANTITY)).filter(|&q| q != i64::MAX),
    };
    let interest = Interest {
        contracts: contracts.filter(|_| wanted)?,
        ts_ref: u64_at(record, statistic::TS_REF),
        reserved: [0; 2],
    };
    let ts_event = time(u64_at(record, 8), u64_at(record, statistic::TS_RECV));
    Some(stamped((Kind::INTEREST, instrument), (ts_event, Flags::NONE), interest))
}

/// A trading status; of the venue as a whole where it names no instrument.
pub(super) fn status(record: &[u8; status::SIZE], instrument: u32) -> Event {
    let status = Status {
        action: u16_at(record, status::ACTION),
        reason: u16_at(record, status::REASON),
        reserved: [0; 7],
    };
    let ts_event = time(u64_at(record, 8), u64_at(record, 16));
    stamped((Kind::STATUS, instrument), (ts_event, Flags::NONE), status)
}

/// The symbol of a mapping and the time of its record. The output symbol counts; where the client
/// asked for numbers, the input symbol is the text.
pub(super) fn mapping(record: &[u8]) -> Option<Symbol> {
    let (input, output, len) = layout::mapping(record.len())?;
    let field = |at: usize| record.get(at..at + len);
    let is_text = |symbol: &Symbol| !symbol.text().iter().all(u8::is_ascii_digit);
    Symbol::of_field(field(output)?)
        .filter(is_text)
        .or_else(|| Symbol::of_field(field(input)?).filter(is_text))
}

/// The symbol and the definition of a definition record. What it leaves undefined is taken from an
/// option's symbol.
pub(super) fn definition(record: &[u8]) -> Option<(Symbol, Definition)> {
    let at = layout::definition(record.len())?;
    let field = |from: usize, len: usize| record.get(from..from + len);
    let symbol = Symbol::of_field(field(at.symbol, at.symbol_len)?)?;
    let number =
        |from: usize| -> Option<u64> { Some(u64::from_le_bytes(field(from, 8)?.try_into().ok()?)) };
    let venue_id = u32::from_le_bytes(field(4, 4)?.try_into().ok()?);
    let said = symbol.definition(venue_id);
    let class = Class(*record.get(at.class)?);
    let strike = Price(number(at.strike)? as i64);
    let expiration = number(layout::EXPIRATION)?;
    let asset = Symbol::of_field(field(at.asset, at.asset_len)?);
    let named = said.strike.is_defined() || !class.is_option();
    let root = asset.filter(|_| !named).map_or(said.root, |asset| root_of(asset.text()));
    let definition = Definition {
        strike: if strike.is_defined() { strike } else { said.strike },
        expiration: if expiration == UNDEF_TIME { said.expiration } else { expiration },
        root,
        venue_id,
        class,
        mapped: 0,
        reserved: 0,
    };
    Some((symbol, definition))
}

/// The event of a definition; records' own event time is that of the listing.
pub(super) fn defined(record: &[u8], instrument: u32, definition: Definition) -> Event {
    let ts_event = record.first_chunk::<{ layout::HEADER }>().map_or(UNDEF_TIME, |h| u64_at(h, 8));
    debug_assert!(instrument != NO_INSTRUMENT);
    stamped((Kind::DEFINITION, instrument), (ts_event, Flags::NONE), definition)
}
