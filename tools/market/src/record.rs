//! DBN version 3 records as bytes in; header fields, schemas and the gateway's own records out.

use dbn::{ErrorMsg, SType, SymbolMappingMsg, SystemCode, SystemMsg};

/// No price.
pub const UNDEF_PRICE: i64 = i64::MAX;
/// No time.
pub const UNDEF_TIME: u64 = u64::MAX;
/// The longest record: a definition with a send time.
pub const RECORD_LEN_MAX: usize = 528;

/// Record types that the market looks into.
pub mod rtype {
    #![allow(missing_docs)]
    pub const TRADE: u8 = 0x00;
    pub const MBP1: u8 = 0x01;
    pub const DEFINITION: u8 = 0x13;
    pub const ERROR: u8 = 0x15;
    pub const MAPPING: u8 = 0x16;
    pub const SYSTEM: u8 = 0x17;
    pub const STATISTICS: u8 = 0x18;
    pub const CMBP1: u8 = 0xB1;
    pub const CBBO_1S: u8 = 0xC0;
    pub const CBBO_1M: u8 = 0xC1;
    pub const TCBBO: u8 = 0xC2;
    pub const BBO_1S: u8 = 0xC3;
    pub const BBO_1M: u8 = 0xC4;
}

/// A schema of a subscription and the record type that it delivers. Bit = place in the table.
const SCHEMAS: &[(&str, u8)] = &[
    ("mbo", 0xA0),
    ("mbp-1", rtype::MBP1),
    ("mbp-10", 0x0A),
    ("tbbo", 0xC5),
    ("trades", rtype::TRADE),
    ("ohlcv-1s", 0x20),
    ("ohlcv-1m", 0x21),
    ("ohlcv-1h", 0x22),
    ("ohlcv-1d", 0x23),
    ("definition", rtype::DEFINITION),
    ("statistics", rtype::STATISTICS),
    ("status", 0x12),
    ("imbalance", 0x14),
    ("cmbp-1", rtype::CMBP1),
    ("cbbo-1s", rtype::CBBO_1S),
    ("cbbo-1m", rtype::CBBO_1M),
    ("tcbbo", rtype::TCBBO),
    ("bbo-1s", rtype::BBO_1S),
    ("bbo-1m", rtype::BBO_1M),
];

/// Set for every instrument of a subscription, whatever its schema: symbol mappings follow it.
pub const MAPPING_BIT: u32 = 1 << 31;

/// The bit of a schema's name; `None` for an unknown one.
pub fn schema_bit(name: &str) -> Option<u32> {
    SCHEMAS.iter().position(|(schema, _)| *schema == name).map(|bit| 1 << bit)
}

/// Record types to schema bits, one entry per record type; 0 for records that nobody subscribes to.
pub const fn bits_by_rtype() -> [u32; 256] {
    let mut bits = [0; 256];
    let mut bit = 0;
    while bit < SCHEMAS.len() {
        bits[SCHEMAS[bit].1 as usize] = 1 << bit;
        bit += 1;
    }
    bits[rtype::MAPPING as usize] = MAPPING_BIT;
    bits
}

/// Little-endian reads at fixed places of one record.
pub trait Fields {
    /// Eight bytes at `at`.
    fn u64_at(&self, at: usize) -> u64;
    /// Four bytes at `at`.
    fn u32_at(&self, at: usize) -> u32;
    /// Two bytes at `at`.
    fn u16_at(&self, at: usize) -> u16;
    /// A price at `at`.
    fn i64_at(&self, at: usize) -> i64 {
        self.u64_at(at) as i64
    }
    /// The record type.
    fn rtype(&self) -> u8;
    /// The instrument id.
    fn instrument(&self) -> u32 {
        self.u32_at(4)
    }
    /// The exchange's time.
    fn ts_event(&self) -> u64 {
        self.u64_at(8)
    }
    /// Text up to its first zero byte.
    fn text(&self, at: usize, len: usize) -> &str;
}

impl Fields for [u8] {
    #[inline(always)]
    fn u64_at(&self, at: usize) -> u64 {
        self[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
    }
    #[inline(always)]
    fn u32_at(&self, at: usize) -> u32 {
        self[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b))
    }
    #[inline(always)]
    fn u16_at(&self, at: usize) -> u16 {
        self[at..].first_chunk().map_or(0, |b| u16::from_le_bytes(*b))
    }
    #[inline(always)]
    fn rtype(&self) -> u8 {
        self[1]
    }
    fn text(&self, at: usize, len: usize) -> &str {
        let field = &self[at..at + len];
        let end = field.iter().position(|&b| b == 0).unwrap_or(len);
        std::str::from_utf8(&field[..end]).unwrap_or("")
    }
}

/// When the record happened: the exchange's time, else the capture's; `None` where it has neither.
pub fn happened(record: &[u8]) -> Option<u64> {
    let defined = |ts: u64| ts != UNDEF_TIME && ts != 0;
    let received = || match record.rtype() {
        rtype::STATISTICS | rtype::DEFINITION => Some(record.u64_at(16)),
        rtype::MAPPING | rtype::SYSTEM | rtype::ERROR => None,
        _ if record.len() >= 48 => Some(record.u64_at(32)),
        _ => None,
    };
    Some(record.ts_event())
        .filter(|&ts| defined(ts))
        .or_else(|| received().filter(|&ts| defined(ts)))
}

/// Best bid and ask with sizes, of records that carry them.
pub fn bbo(record: &[u8]) -> Option<(i64, i64, u32, u32)> {
    match record.rtype() {
        rtype::MBP1
        | rtype::CMBP1
        | rtype::CBBO_1S
        | rtype::CBBO_1M
        | rtype::TCBBO
        | rtype::BBO_1S
        | rtype::BBO_1M
        | 0xC5 => {
            let sizes = (record.u32_at(64), record.u32_at(68));
            Some((record.i64_at(48), record.i64_at(56), sizes.0, sizes.1))
        }
        _ => None,
    }
}

/// A symbol mapping: the subscription's symbol to the instrument's own.
pub fn mapping(id: u32, ts: u64, asked: &str, stype_in: SType, symbol: &str) -> Vec<u8> {
    let end = UNDEF_TIME;
    let record = SymbolMappingMsg::new(id, ts, stype_in, asked, SType::RawSymbol, symbol, ts, end);
    record.map(|r| r.as_ref().to_vec()).unwrap_or_default()
}

/// A message of the gateway itself. Texts that do not fit are cut.
pub fn system(ts: u64, code: SystemCode, text: &str) -> Vec<u8> {
    let text: String = text.chars().take(300).collect();
    SystemMsg::new(ts, Some(code), &text).map(|r| r.as_ref().to_vec()).unwrap_or_default()
}

/// A heartbeat.
pub fn heartbeat(ts: u64) -> Vec<u8> {
    SystemMsg::heartbeat(ts).as_ref().to_vec()
}

/// An error of the gateway.
pub fn error(ts: u64, code: dbn::ErrorCode, text: &str) -> Vec<u8> {
    ErrorMsg::new(ts, Some(code), text, true).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use dbn::{Cmbp1Msg, Schema, TradeMsg};

    #[test]
    fn schema_names_and_record_types_are_those_of_the_format() {
        for (name, rtype) in SCHEMAS {
            let schema: Schema = name.parse().unwrap();
            let expected = if *name == "tbbo" { 0x01 } else { dbn::RType::from(schema) as u8 };
            if *name != "tbbo" {
                assert_eq!(*rtype, expected, "{name}");
            }
        }
    }

    #[test]
    fn best_prices_and_times_are_read_where_the_format_has_them() {
        let mut quote = Cmbp1Msg::default_for_schema(Schema::Cmbp1);
        quote.levels[0].bid_px = 1;
        quote.levels[0].ask_px = 2;
        quote.levels[0].bid_sz = 3;
        quote.levels[0].ask_sz = 4;
        quote.ts_recv = 77;
        assert_eq!(bbo(quote.as_ref()), Some((1, 2, 3, 4)));
        assert_eq!(happened(quote.as_ref()), Some(77), "undefined event time");
        quote.hd.ts_event = 55;
        assert_eq!(happened(quote.as_ref()), Some(55));
        assert_eq!(bbo(TradeMsg::default().as_ref()), None);
    }
}
