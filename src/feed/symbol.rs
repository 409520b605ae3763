//! Symbol text in, what it says of the instrument out: OSI options, futures, everything else.

use crate::wire::{
    NANOS_PER_SECOND, Price, Timestamp, UNDEF_TIME,
    market::{Class, Definition},
};

/// Longest symbol of any version of DBN.
pub const SYMBOL_MAX: usize = 71;

/// Bytes of an option symbol padded as the Options Symbology Initiative has it.
const OSI: usize = 21;

/// Bytes of the part behind the root: date, right, strike.
const OSI_TAIL: usize = 15;

/// A symbol in one spelling: OSI options padded to 21 bytes, anything else as it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Symbol {
    text: [u8; SYMBOL_MAX],
    len: u8,
}

impl Symbol {
    /// The symbol of a fixed field: up to the first zero, without blanks at its ends. `None` where
    /// nothing is left or where it is no printable ASCII.
    pub fn of_field(field: &[u8]) -> Option<Symbol> {
        let text = field.split(|&byte| byte == 0).next()?.trim_ascii();
        let printable = text.iter().all(|byte| (b' '..=b'~').contains(byte));
        if text.is_empty() || text.len() > SYMBOL_MAX || !printable {
            return None;
        }
        let mut symbol = Symbol { text: [0; SYMBOL_MAX], len: text.len() as u8 };
        symbol.text[..text.len()].copy_from_slice(text);
        if let Some(split) = osi_split(text) {
            symbol.text = [0; SYMBOL_MAX];
            symbol.text[..OSI].fill(b' ');
            let root = text[..split].trim_ascii_end();
            symbol.text[..root.len()].copy_from_slice(root);
            symbol.text[OSI - OSI_TAIL..OSI].copy_from_slice(&text[split..]);
            symbol.len = OSI as u8;
        }
        Some(symbol)
    }

    /// The text.
    #[inline]
    pub fn text(&self) -> &[u8] {
        &self.text[..self.len as usize]
    }

    /// What the text alone says; `mapped` is set and `venue_id` as given. A strike or an expiration
    /// that it does not say is undefined.
    pub fn definition(&self, venue_id: u32) -> Definition {
        let text = self.text();
        let (class, strike, expiration) =
            self.osi().unwrap_or_else(|| (class_by_shape(text), Price::UNDEF, UNDEF_TIME));
        let root = if self.osi().is_some() { &text[..OSI - OSI_TAIL] } else { text };
        let mapped = 1;
        Definition { strike, expiration, root: root_of(root), venue_id, class, mapped, reserved: 0 }
    }

    /// Class, strike and expiration (00:00 UTC of the date, as OPRA's own definitions have it).
    fn osi(&self) -> Option<(Class, Price, Timestamp)> {
        let text = self.text();
        let split = osi_split(text)?;
        let tail = &text[split..];
        let date = number(&tail[..6])?;
        let midnight = midnight(2000 + date / 10_000, date / 100 % 100, date % 100)?;
        let strike = number(&tail[7..])? as i64 * 1_000_000;
        Some((Class(tail[6]), Price(strike), midnight))
    }
}

/// The first eight bytes without the blanks behind them, padded with zeros.
pub fn root_of(text: &[u8]) -> [u8; 8] {
    let text = text.trim_ascii_end();
    let mut root = [0; 8];
    let len = text.len().min(8);
    root[..len].copy_from_slice(&text[..len]);
    root
}

/// Where the fifteen bytes behind the root begin, if `text` is an option's symbol.
fn osi_split(text: &[u8]) -> Option<usize> {
    let split = text.len().checked_sub(OSI_TAIL)?;
    let root = text[..split].trim_ascii_end();
    let tail = &text[split..];
    let date = number(&tail[..6])?;
    let right = matches!(tail[6], b'C' | b'P');
    let day = (1..=12).contains(&(date / 100 % 100)) && (1..=31).contains(&(date % 100));
    let rooted = (1..=6).contains(&root.len())
        && split <= 6
        && root.iter().all(|byte| byte.is_ascii_alphanumeric());
    (rooted && right && day && number(&tail[7..]).is_some()).then_some(split)
}

/// Without a definition only the shape tells: CME options are `ESM4 C5200`, futures `ESM4`.
fn class_by_shape(text: &[u8]) -> Class {
    if let Some(blank) = text.iter().position(|&byte| byte == b' ')
        && let [right @ (b'C' | b'P'), b'0'..=b'9', ..] = text[blank + 1..]
    {
        return Class(right);
    }
    let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let month = text.len().checked_sub(digits + 1).map(|at| (at, text[at]));
    match month {
        Some((1..=3, letter)) if (1..=2).contains(&digits) && is_month(letter) => Class::FUTURE,
        _ => Class::STOCK,
    }
}

/// The letters of the months of futures.
fn is_month(letter: u8) -> bool {
    b"FGHJKMNQUVXZ".contains(&letter)
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, &byte| {
        byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0'))
    })
}

/// 00:00 UTC of a date from 2000 on, by the days of the proleptic Gregorian calendar.
fn midnight(year: u64, month: u64, day: u64) -> Option<Timestamp> {
    // Years begin in March, so that the leap day is the last one (Hinnant's days_from_civil).
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    days.checked_sub(719_468).map(|days| days * 86_400 * NANOS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(text: &str) -> Definition {
        Symbol::of_field(text.as_bytes()).unwrap().definition(7)
    }

    #[test]
    fn an_option_is_the_same_padded_or_not() {
        let padded = definition("SPXW  240119C04800000\0\0\0");
        assert_eq!(padded, definition("SPXW240119C04800000"));
        assert_eq!(padded.root, *b"SPXW\0\0\0\0");
        assert_eq!(padded.strike, Price(4_800_000_000_000));
        assert_eq!((padded.class, padded.mapped), (Class::CALL, 1));
        assert_eq!(padded.expiration, 1_705_622_400 * NANOS_PER_SECOND);
        assert_eq!(definition("GOOG  151224P00748500").strike, Price(748_500_000_000));
        assert_eq!(definition("F240229P00012500").expiration, 1_709_164_800 * NANOS_PER_SECOND);
    }

    #[test]
    fn other_symbols_are_told_by_their_shape() {
        for (text, class) in [
            ("GOOG", Class::STOCK),
            ("ESM4", Class::FUTURE),
            ("ESZ24", Class::FUTURE),
            ("BRK.B", Class::STOCK),
            ("SPXW  241319C04800000", Class::STOCK),
            ("ESM4 C5200", Class::CALL),
            ("E2AK4 P5130", Class::PUT),
        ] {
            assert_eq!(definition(text).class, class, "{text}");
        }
        assert_eq!(definition("ESM4").root, *b"ESM4\0\0\0\0");
        assert!(!definition("GOOG").strike.is_defined());
    }

    #[test]
    fn text_that_is_no_symbol_is_refused() {
        for field in [&b""[..], b"\0GOOG", b"   ", b"\xff\xfe", b"a\nb"] {
            assert_eq!(Symbol::of_field(field), None);
        }
    }
}
