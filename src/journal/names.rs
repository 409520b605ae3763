//! Definitions in; what a contract is called, by its dense index, out.

use super::{Error, Follower, Mark, Stream};
use crate::wire::{Event, Kind, UNDEF_TIME, market::Definition};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use jiff::tz::Offset;
use std::path::Path;

/// Symbols by dense index.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<String>);

/// No dense index is larger in a journal that this program wrote: see `chain.instruments_max`.
const INDEX_MAX: usize = 1 << 22;

impl Names {
    /// All names that the inputs of a journal define so far; where they are damaged, up to there.
    pub fn read(directory: &Path) -> Result<Names, Error> {
        let mut names = Names::default();
        // A run may be ending meanwhile, so nothing of it is mapped.
        let mut inputs = match Follower::open(directory, Stream::Inputs, Some(Mark::Seq(0))) {
            Err(Error::Damaged(_)) => return Ok(names),
            opened => opened?,
        };
        while let Some(event) = inputs.next_event() {
            names.learn(&event);
        }
        Ok(names)
    }

    /// Takes a definition; other events are passed over.
    #[inline]
    pub fn learn(&mut self, event: &Event) {
        let place = event.instrument as usize;
        if event.kind != Kind::DEFINITION || place >= INDEX_MAX {
            return;
        }
        if self.0.len() <= place {
            self.0.resize(place + 1, String::new());
        }
        self.0[place] = symbol(event.body());
    }

    /// The name of a dense index; empty where it has none.
    pub fn of(&self, instrument: u32) -> &str {
        self.0.get(instrument as usize).map_or("", String::as_str)
    }

    /// The indices that go by a name: an option's symbol, or a root for all that it has.
    pub fn find(&self, name: &str) -> Vec<u32> {
        let name: String = name.split_whitespace().collect();
        let goes_by = |symbol: &str| symbol == name || root_of(symbol) == name;
        let all = self.0.iter().enumerate();
        all.filter(|(_, symbol)| goes_by(symbol)).map(|(place, _)| place as u32).collect()
    }
}

/// Root of an option's symbol; the whole of any other.
fn root_of(symbol: &str) -> &str {
    const TERMS: usize = 15;
    let split = symbol.len().saturating_sub(TERMS);
    match symbol.split_at_checked(split) {
        Some((root, terms)) if !root.is_empty() && is_terms(terms.as_bytes()) => root,
        _ => symbol,
    }
}

fn is_terms(terms: &[u8]) -> bool {
    let digit = |at: usize| terms.get(at).is_some_and(u8::is_ascii_digit);
    (0..6).chain(7..15).all(digit) && matches!(terms.get(6), Some(b'C' | b'P'))
}

/// An option as `SPXW250910C06500000` (root, day, call or put, strike in thousandths), anything
/// else by its root.
fn symbol(definition: &Definition) -> String {
    let end = definition.root.iter().position(|&b| b == 0).unwrap_or(definition.root.len());
    let root = definition.root[..end].escape_ascii().to_string();
    if !definition.class.is_option() || definition.expiration == UNDEF_TIME {
        return root;
    }
    let class = char::from(definition.class.0);
    let instant = jiff::Timestamp::from_nanosecond(i128::from(definition.expiration));
    let Ok(instant) = instant else { return root };
    let day = Offset::UTC.to_datetime(instant).date();
    let (year, strike) = (day.year().rem_euclid(100), definition.strike.0 / 1_000_000);
    format!("{root}{year:02}{:02}{:02}{class}{strike:08}", day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Price, market::Class};

    fn define(names: &mut Names, index: u32, root: &str, class: Class, strike: i64) {
        let mut text = [0; 8];
        text[..root.len()].copy_from_slice(root.as_bytes());
        let definition = Definition {
            strike: Price(strike),
            expiration: 1_757_462_400_000_000_000,
            root: text,
            class,
            ..bytemuck::Zeroable::zeroed()
        };
        names.learn(&Event::new(Kind::DEFINITION, index, definition));
    }

    #[test]
    fn a_contract_goes_by_its_symbol_and_its_root() {
        let mut names = Names::default();
        define(&mut names, 3, "SPXW", Class::CALL, 6_500_000_000_000);
        define(&mut names, 1, "SPXW", Class::PUT, 6_487_500_000_000);
        define(&mut names, 0, "SPX", Class::INDEX, i64::MAX);
        assert_eq!(names.of(3), "SPXW250910C06500000");
        assert_eq!((names.of(0), names.of(2), names.of(9)), ("SPX", "", ""));
        assert_eq!(names.find("SPXW  250910P06487500"), [1]);
        assert_eq!((names.find("SPXW"), names.find("SPX")), (Vec::from([1, 3]), Vec::from([0])));
        assert!(names.find("GOOG").is_empty());
    }
}
