//! Values in; the records that a consolidated option feed and an exchange write of them out.

use super::{calendar::Day, config::Quotes};
use crate::{catalog::Contract, record::UNDEF_PRICE, rng::Rng};
use dbn::{
    Action, Cmbp1Msg, InstrumentClass, InstrumentDefMsg, Mbp1Msg, Schema, Side, StatMsg, StatType,
    TradeMsg, flags,
};
use std::ffi::c_char;

/// The consolidated quote of OPRA.
const OPRA: u16 = 30;
/// The exchange of the underlying.
const EXCHANGE: u16 = 2;

/// Best prices and sizes.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    /// Bid, 1e-9, or undefined.
    pub bid: i64,
    /// Ask, 1e-9.
    pub ask: i64,
    /// Contracts bid.
    pub bid_size: u32,
    /// Contracts offered.
    pub ask_size: u32,
}

/// Quotes a value: spread, ticks, sizes.
pub fn quote(value: f64, of: &Quotes, rng: &mut Rng) -> Best {
    let half = (of.half_spread + of.half_spread_share * value).min(of.half_spread_max);
    let middle = value + half * of.noise * rng.normal();
    let tick = |price: f64| if price < of.tick_break { of.tick_low } else { of.tick_high };
    let (low, high) = (middle - half, middle + half);
    let bid = (low / tick(low)).floor() * tick(low);
    let ask = ((high / tick(high)).ceil() * tick(high)).max(bid.max(0.0) + tick(high));
    // Many small sizes and few large ones.
    let size = |rng: &mut Rng| 1 + (f64::from(of.size_max - 1) * rng.unit().powi(3)) as u32;
    let (bid_size, ask_size) = (size(rng), size(rng));
    match bid > 0.0 {
        true => Best { bid: nanos(bid), ask: nanos(ask), bid_size, ask_size },
        false => Best { bid: UNDEF_PRICE, ask: nanos(ask), bid_size: 0, ask_size },
    }
}

/// A price in 1e-9, exact to a ten-thousandth.
pub fn nanos(price: f64) -> i64 {
    (price * 10_000.0).round() as i64 * 100_000
}

fn text<const N: usize>(value: &str) -> [c_char; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(value.bytes().take(N - 1)) {
        *to = from as c_char;
    }
    field
}

/// A definition as OPRA writes it: no multiplier, no tick, expiration at midnight UTC.
pub fn definition(id: u32, symbol: &str, contract: &Contract, day: Day, ts: u64) -> Vec<u8> {
    let (year, month, date) = day.parts();
    let class = if contract.call { InstrumentClass::Call } else { InstrumentClass::Put };
    let mut record = InstrumentDefMsg {
        ts_recv: ts,
        expiration: day.midnight().unwrap_or(ts),
        strike_price: contract.strike,
        raw_instrument_id: u64::from(id),
        maturity_year: year,
        maturity_month: month,
        maturity_day: date,
        currency: text("USD"),
        strike_price_currency: text("USD"),
        raw_symbol: text(symbol),
        asset: text(&contract.root),
        underlying: text(&contract.root),
        security_type: text("OOF"),
        exchange: text("OPRA"),
        instrument_class: class as c_char,
        ..InstrumentDefMsg::default()
    };
    record.hd.publisher_id = OPRA;
    record.hd.instrument_id = id;
    record.hd.ts_event = ts;
    record.as_ref().to_vec()
}

/// Open interest, as one participant tells it.
pub fn interest(id: u32, contracts: i64, participant: u16, ts: u64) -> Vec<u8> {
    let mut record = StatMsg {
        ts_recv: ts,
        ts_ref: ts,
        quantity: contracts,
        stat_type: StatType::OpenInterest as u16,
        update_action: 1,
        ..StatMsg::default()
    };
    record.hd.publisher_id = participant;
    record.hd.instrument_id = id;
    record.hd.ts_event = ts;
    record.as_ref().to_vec()
}

/// A quote of an option.
pub fn option_quote(id: u32, best: &Best, ts: u64) -> Cmbp1Msg {
    let mut record = Cmbp1Msg::default_for_schema(Schema::Cmbp1);
    record.hd.publisher_id = OPRA;
    record.hd.instrument_id = id;
    record.hd.ts_event = ts;
    record.ts_recv = ts;
    record.action = Action::Modify as c_char;
    record.side = Side::None as c_char;
    record.price = best.bid;
    record.flags = flags::FlagSet::new(flags::LAST | flags::TOB);
    let level = &mut record.levels[0];
    (level.bid_px, level.ask_px) = (best.bid, best.ask);
    (level.bid_sz, level.ask_sz) = (best.bid_size, best.ask_size);
    (level.bid_pb, level.ask_pb) = (OPRA, OPRA);
    record
}

/// A quote of the underlying.
pub fn spot_quote(id: u32, best: &Best, ts: u64, sequence: u32) -> Mbp1Msg {
    let mut record = Mbp1Msg::default();
    record.hd.publisher_id = EXCHANGE;
    record.hd.instrument_id = id;
    record.hd.ts_event = ts;
    record.ts_recv = ts;
    record.action = Action::Modify as c_char;
    record.side = Side::None as c_char;
    record.price = best.bid;
    record.sequence = sequence;
    record.flags = flags::FlagSet::new(flags::LAST | flags::TOB);
    let level = &mut record.levels[0];
    (level.bid_px, level.ask_px) = (best.bid, best.ask);
    (level.bid_sz, level.ask_sz) = (best.bid_size, best.ask_size);
    (level.bid_ct, level.ask_ct) = (1, 1);
    record
}

/// A trade of an option.
pub fn trade(id: u32, price: i64, size: u32, bought: bool, ts: u64) -> TradeMsg {
    let mut record = TradeMsg { price, size, ts_recv: ts, ..TradeMsg::default() };
    record.hd.publisher_id = OPRA;
    record.hd.instrument_id = id;
    record.hd.ts_event = ts;
    record.action = Action::Trade as c_char;
    record.side = if bought { Side::Bid } else { Side::Ask } as c_char;
    record.flags = flags::FlagSet::new(flags::LAST);
    record
}
