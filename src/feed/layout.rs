//! Where the fields of DBN records lie: the one table that decoding reads from.
//!
//! Sizes and offsets are those of `dbn` 0.73 for versions 1 to 3; the test below holds each of
//! them against that crate. All fields are little-endian. A record's length without `ts_out`
//! tells the versions of one type apart, so no version has to be carried along.

/// Bytes of a record's header: length in words, type, publisher, instrument, event time.
pub(crate) const HEADER: usize = 16;

/// Bytes of one word of the header's length.
pub(crate) const WORD: usize = 4;

/// Bytes that `ts_out` adds behind each record.
pub(crate) const TS_OUT: usize = 8;

/// Bytes of the stream's prefix: `DBN`, version, length of the metadata.
pub(crate) const PREFIX: usize = 8;

/// Bytes of the metadata that decoding looks at, from the end of the prefix.
pub(crate) const METADATA_HEAD: usize = 56;

/// Longest metadata that is believed: 13,000 symbols with their mappings take 5 MB.
pub(crate) const METADATA_MAX: u32 = 256 << 20;

/// Where the metadata say whether records carry `ts_out`, by version.
pub(crate) fn ts_out_at(version: u8) -> usize {
    // Version 1 has a record count of eight bytes before the symbol types.
    if version == 1 { 52 } else { 44 }
}

/// Record types (`rtype`).
pub(crate) mod rtype {
    pub(crate) const TRADES: u8 = 0x00;
    pub(crate) const MBP_1: u8 = 0x01;
    pub(crate) const MBP_10: u8 = 0x0A;
    pub(crate) const OHLCV_OLD: u8 = 0x11;
    pub(crate) const STATUS: u8 = 0x12;
    pub(crate) const DEFINITION: u8 = 0x13;
    pub(crate) const IMBALANCE: u8 = 0x14;
    pub(crate) const ERROR: u8 = 0x15;
    pub(crate) const MAPPING: u8 = 0x16;
    pub(crate) const SYSTEM: u8 = 0x17;
    pub(crate) const STATISTICS: u8 = 0x18;
    pub(crate) const OHLCV_1S: u8 = 0x20;
    pub(crate) const OHLCV_EOD: u8 = 0x24;
    pub(crate) const MBO: u8 = 0xA0;
    pub(crate) const CMBP_1: u8 = 0xB1;
    pub(crate) const CBBO_1S: u8 = 0xC0;
    pub(crate) const CBBO_1M: u8 = 0xC1;
    pub(crate) const TCBBO: u8 = 0xC2;
    pub(crate) const BBO_1S: u8 = 0xC3;
    pub(crate) const BBO_1M: u8 = 0xC4;
}

/// Offsets common to trades and to everything with a quote in it.
pub(crate) mod price {
    pub(crate) const TRADE_SIZE: usize = 48;
    pub(crate) const QUOTE_SIZE: usize = 80;
    pub(crate) const DEPTH_SIZE: usize = 368;
    pub(crate) const PRICE: usize = 16;
    pub(crate) const SIZE: usize = 24;
    pub(crate) const ACTION: usize = 28;
    pub(crate) const SIDE: usize = 29;
    pub(crate) const FLAGS: usize = 30;
    pub(crate) const TS_RECV: usize = 32;
    pub(crate) const SEQUENCE: usize = 44;
    pub(crate) const BID: usize = 48;
    pub(crate) const ASK: usize = 56;
    pub(crate) const BID_SIZE: usize = 64;
    pub(crate) const ASK_SIZE: usize = 68;
}

/// Offsets of a statistic; the later ones depend on the version.
pub(crate) mod statistic {
    pub(crate) const SIZE_V1: usize = 64;
    pub(crate) const SIZE_V3: usize = 80;
    pub(crate) const TS_RECV: usize = 16;
    pub(crate) const TS_REF: usize = 24;
    pub(crate) const QUANTITY: usize = 40;
    pub(crate) const TYPE_V1: usize = 52;
    pub(crate) const TYPE_V3: usize = 56;
    pub(crate) const ACTION_V1: usize = 56;
    pub(crate) const ACTION_V3: usize = 60;
    /// Open interest.
    pub(crate) const OPEN_INTEREST: u16 = 9;
    /// The statistic is withdrawn.
    pub(crate) const DELETE: u8 = 2;
}

/// Offsets of a definition by version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefinitionLayout {
    pub(crate) strike: usize,
    pub(crate) symbol: usize,
    pub(crate) symbol_len: usize,
    pub(crate) asset: usize,
    pub(crate) asset_len: usize,
    pub(crate) class: usize,
}

/// Where every version of a definition has its expiration.
pub(crate) const EXPIRATION: usize = 40;

/// The layout of a definition of `size` bytes.
pub(crate) fn definition(size: usize) -> Option<DefinitionLayout> {
    let row = |strike, symbol, symbol_len, asset, asset_len, class| {
        Some(DefinitionLayout { strike, symbol, symbol_len, asset, asset_len, class })
    };
    match size {
        360 => row(328, 200, 22, 248, 7, 325),
        400 => row(112, 200, 71, 297, 7, 374),
        520 => row(104, 238, 71, 335, 11, 487),
        _ => None,
    }
}

/// Where a symbol mapping of `size` bytes has its two symbols, and their length.
pub(crate) fn mapping(size: usize) -> Option<(usize, usize, usize)> {
    match size {
        80 => Some((16, 38, 22)),
        176 => Some((17, 89, 71)),
        _ => None,
    }
}

/// Sizes of system and error messages: version 1 has no code, only text.
pub(crate) mod message {
    pub(crate) const SIZE_V1: usize = 80;
    pub(crate) const SIZE_V2: usize = 320;
    pub(crate) const TEXT: usize = 16;
    pub(crate) const SYSTEM_CODE: usize = 319;
    pub(crate) const ERROR_CODE: usize = 318;
}

/// Offsets of a status record.
pub(crate) mod status {
    pub(crate) const SIZE: usize = 40;
    pub(crate) const ACTION: usize = 24;
    pub(crate) const REASON: usize = 26;
}

macro_rules! readers {
    ($($name:ident: $type:ty;)*) => {$(
        /// The little-endian number at `at`; the caller has checked the record's size.
        #[inline(always)]
        pub(crate) fn $name<const N: usize>(record: &[u8; N], at: usize) -> $type {
            const WIDTH: usize = size_of::<$type>();
            let mut bytes = [0; WIDTH];
            bytes.copy_from_slice(&record[at..at + WIDTH]);
            <$type>::from_le_bytes(bytes)
        }
    )*};
}

readers! {
    u16_at: u16;
    u32_at: u32;
    u64_at: u64;
    i32_at: i32;
    i64_at: i64;
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    macro_rules! same {
        ($record:ty, $size:expr, $($field:ident $at:expr),*) => {
            assert_eq!(size_of::<$record>(), $size, stringify!($record));
            $(assert_eq!(offset_of!($record, $field), $at, stringify!($record.$field));)*
        };
    }

    #[test]
    fn prices_and_messages_lie_where_the_dbn_crate_has_them() {
        use price::*;
        same!(dbn::RecordHeader, HEADER, rtype 1, instrument_id 4, ts_event 8);
        same!(dbn::TradeMsg, TRADE_SIZE, price PRICE, size SIZE, action ACTION, side SIDE,
            flags FLAGS, ts_recv TS_RECV, sequence SEQUENCE);
        same!(dbn::Mbp1Msg, QUOTE_SIZE, price PRICE, size SIZE, action ACTION, side SIDE,
            flags FLAGS, ts_recv TS_RECV, sequence SEQUENCE, levels BID);
        same!(dbn::Cmbp1Msg, QUOTE_SIZE, price PRICE, size SIZE, action ACTION, side SIDE,
            flags FLAGS, ts_recv TS_RECV, levels BID);
        same!(dbn::CbboMsg, QUOTE_SIZE, flags FLAGS, ts_recv TS_RECV, levels BID);
        same!(dbn::BboMsg, QUOTE_SIZE, flags FLAGS, ts_recv TS_RECV, sequence SEQUENCE, levels BID);
        same!(dbn::Mbp10Msg, DEPTH_SIZE, price PRICE, size SIZE, action ACTION, side SIDE,
            flags FLAGS, ts_recv TS_RECV, sequence SEQUENCE, levels BID);
        same!(dbn::ConsolidatedBidAskPair, 32, bid_px 0, ask_px ASK - BID,
            bid_sz BID_SIZE - BID, ask_sz ASK_SIZE - BID);
        same!(dbn::BidAskPair, 32, bid_px 0, ask_px ASK - BID, bid_sz BID_SIZE - BID,
            ask_sz ASK_SIZE - BID);
        same!(dbn::StatusMsg, status::SIZE, ts_recv 16, action status::ACTION,
            reason status::REASON);
        same!(dbn::v1::SystemMsg, message::SIZE_V1, msg message::TEXT);
        same!(dbn::v1::ErrorMsg, message::SIZE_V1, err message::TEXT);
        same!(dbn::SystemMsg, message::SIZE_V2, msg message::TEXT, code message::SYSTEM_CODE);
        same!(dbn::ErrorMsg, message::SIZE_V2, err message::TEXT, code message::ERROR_CODE);
    }

    #[test]
    fn what_changed_between_versions_lies_where_each_version_has_it() {
        use statistic::*;
        same!(dbn::v1::StatMsg, SIZE_V1, ts_recv TS_RECV, ts_ref TS_REF, quantity QUANTITY,
            stat_type TYPE_V1, update_action ACTION_V1);
        same!(dbn::v3::StatMsg, SIZE_V3, ts_recv TS_RECV, ts_ref TS_REF, quantity QUANTITY,
            stat_type TYPE_V3, update_action ACTION_V3);
        macro_rules! definition_of {
            ($record:ty) => {
                let at = definition(size_of::<$record>()).unwrap();
                same!($record, size_of::<$record>(), expiration EXPIRATION, strike_price at.strike,
                    raw_symbol at.symbol, asset at.asset, instrument_class at.class);
            };
        }
        definition_of!(dbn::v1::InstrumentDefMsg);
        definition_of!(dbn::v2::InstrumentDefMsg);
        definition_of!(dbn::v3::InstrumentDefMsg);
        let (input, output, _) = mapping(80).unwrap();
        same!(dbn::v1::SymbolMappingMsg, 80, stype_in_symbol input, stype_out_symbol output);
        let (input, output, _) = mapping(176).unwrap();
        same!(dbn::v3::SymbolMappingMsg, 176, stype_in_symbol input, stype_out_symbol output);
    }
}
