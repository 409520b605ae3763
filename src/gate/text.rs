//! Numbers, prices and times in; the bytes of a FIX message out, by hand and without allocation.

use crate::{
    feed::fix::{field::SOH, frame::checksum, store::SENT_BYTES_MAX},
    wire::{NANOS_PER_SECOND, PRICE_SCALE, Price, Timestamp},
};
use std::boxed::Box;

/// Room before the body for `8=FIX.4.4`, `9=` and five digits, each terminated.
const START: usize = 24;
/// `10=000` and its terminator.
const TRAILER: usize = 7;
const DAY_NS: u64 = 86_400 * NANOS_PER_SECOND;

/// One message being written. The body comes first, then what depends on it is put around it, so
/// nothing is moved.
#[derive(Debug)]
pub(super) struct Text {
    bytes: Box<[u8; SENT_BYTES_MAX]>,
    at: usize,
    overflow: bool,
    day: u64,
    date: [u8; 8],
}

impl Text {
    pub(super) fn new() -> Text {
        let bytes = Box::new([0; SENT_BYTES_MAX]);
        Text { bytes, at: START, overflow: false, day: u64::MAX, date: [b'0'; 8] }
    }

    pub(super) fn clear(&mut self) {
        (self.at, self.overflow) = (START, false);
    }

    /// Overwrites what was written: it may hold a password.
    pub(super) fn wipe(&mut self) {
        self.bytes.fill(0);
        self.clear();
    }

    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &[u8]) -> &mut Text {
        let end = self.at + bytes.len();
        if end > SENT_BYTES_MAX - TRAILER {
            self.overflow = true;
            return self;
        }
        self.bytes[self.at..end].copy_from_slice(bytes);
        self.at = end;
        self
    }

    /// A field of text: `tag` is written with its `=`.
    #[inline(always)]
    pub(super) fn text(&mut self, tag: &[u8], value: &[u8]) -> &mut Text {
        self.put(tag).put(value).put(&[SOH])
    }

    /// A field of text that is left out where there is none.
    pub(super) fn optional(&mut self, tag: &[u8], value: &str) -> &mut Text {
        if value.is_empty() { self } else { self.text(tag, value.as_bytes()) }
    }

    #[inline(always)]
    pub(super) fn number(&mut self, tag: &[u8], value: u64) -> &mut Text {
        let (digits, from) = digits(value);
        self.put(tag).put(&digits[from..]).put(&[SOH])
    }

    #[inline(always)]
    pub(super) fn price(&mut self, tag: &[u8], value: Price) -> &mut Text {
        self.put(tag);
        put_decimal(value, |bytes| {
            self.put(bytes);
        });
        self.put(&[SOH])
    }

    /// A UTCTimestamp with milliseconds: `20260102-14:30:00.000`.
    #[inline(always)]
    pub(super) fn time(&mut self, tag: &[u8], at: Timestamp) -> &mut Text {
        if at / DAY_NS != self.day {
            self.day = at / DAY_NS;
            self.date = date_text(at);
        }
        let ms = at % DAY_NS / 1_000_000;
        let mut clock = *b"-00:00:00.000\x01";
        let mut pair = |place: usize, value: u64| {
            clock[place] = b'0' + (value / 10) as u8;
            clock[place + 1] = b'0' + (value % 10) as u8;
        };
        pair(1, ms / 3_600_000);
        pair(4, ms / 60_000 % 60);
        pair(7, ms / 1_000 % 60);
        pair(10, ms % 1_000 / 10);
        clock[12] = b'0' + (ms % 10) as u8;
        let date = self.date;
        self.put(tag).put(&date).put(&clock)
    }

    /// Puts begin, length and checksum around the body. `None` where it did not fit.
    #[inline]
    pub(super) fn finish(&mut self) -> Option<&[u8]> {
        if self.overflow {
            return None;
        }
        let (length, from) = digits((self.at - START) as u64);
        let length = &length[from..];
        let begin = START - 1 - length.len() - 12;
        self.bytes[begin..begin + 12].copy_from_slice(b"8=FIX.4.4\x019=");
        self.bytes[begin + 12..START - 1].copy_from_slice(length);
        self.bytes[START - 1] = SOH;
        let sum = checksum(&self.bytes[begin..self.at]);
        let digits = [b'0' + sum / 100, b'0' + sum / 10 % 10, b'0' + sum % 10];
        let end = self.at + TRAILER;
        let trailer = [b'1', b'0', b'=', digits[0], digits[1], digits[2], SOH];
        self.bytes[self.at..end].copy_from_slice(&trailer);
        Some(&self.bytes[begin..end])
    }
}

/// Decimal digits of `value`: the array and where they begin in it.
#[inline]
pub(super) fn digits(mut value: u64) -> ([u8; 20], usize) {
    let mut digits = [b'0'; 20];
    let mut from = 20;
    loop {
        from -= 1;
        digits[from] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return (digits, from);
        }
    }
}

/// A price as decimal text, exactly, without trailing zeros.
#[inline]
pub(super) fn put_decimal(value: Price, mut put: impl FnMut(&[u8])) {
    if value.0 < 0 {
        put(b"-");
    }
    let scale = PRICE_SCALE as u64;
    let (whole, nanos) = (value.0.unsigned_abs() / scale, value.0.unsigned_abs() % scale);
    let (text, from) = digits(whole);
    put(&text[from..]);
    if nanos > 0 {
        // Counted from 10⁹ on, the digits keep their leading zeros.
        let (text, from) = digits(scale + nanos);
        let end = text.iter().rposition(|&b| b != b'0').unwrap_or(from);
        put(b".");
        put(&text[from + 1..=end]);
    }
}

/// The UTC date as `YYYYMMDD` (H. Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn date_text(at: Timestamp) -> [u8; 8] {
    let z = at / DAY_NS + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    let (text, from) = digits(year * 10_000 + month * 100 + day);
    let mut date = [b'0'; 8];
    let len = (20 - from).min(8);
    date[8 - len..].copy_from_slice(&text[20 - len..]);
    date
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::fix::{
        field::decimal,
        frame::{Step, step},
    };
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_price_survives_the_way_to_text_and_back(value in -i64::MAX + 1..i64::MAX) {
            let mut text = Vec::new();
            put_decimal(Price(value), |bytes| text.extend_from_slice(bytes));
            prop_assert_eq!(decimal(&text), Some(value));
            prop_assert!(text.last() != Some(&b'0') || !text.contains(&b'.'));
        }
    }

    #[test]
    fn dates_and_times_are_those_of_the_calendar() {
        // Seconds since the epoch from `date -u -d … +%s`.
        for (seconds, text) in [
            (0, "19700101"),
            (951_782_400, "20000229"),
            (1_450_915_200, "20151224"),
            (1_767_312_000, "20260102"),
            (4_107_542_400, "21000301"),
        ] {
            assert_eq!(date_text(seconds * NANOS_PER_SECOND), text.as_bytes());
        }
        let mut line = Text::new();
        let at = (1_767_312_000 + 52_199) * NANOS_PER_SECOND + 987_654_321;
        let bytes = line.put(b"35=0\x01").time(b"52=", at).finish().unwrap();
        assert!(bytes.windows(22).any(|w| w == b"20260102-14:29:59.987\x01"));
        assert!(matches!(step(bytes), Step::Message { len, .. } if len == bytes.len()));
    }

    #[test]
    fn what_does_not_fit_is_no_message() {
        let mut text = Text::new();
        for _ in 0..SENT_BYTES_MAX {
            text.put(b"x");
        }
        assert!(text.finish().is_none());
    }
}
