//! What an order must say of its instruments: definitions in, ready-made fields out.

use super::text::{date_text, put_decimal};
use crate::wire::{
    Price, UNDEF_TIME,
    market::{Class, Definition},
};
use std::{boxed::Box, vec};

/// Bytes of the ready-made fields: root 8, strike 20, dates 14, tags and terminators below 60.
const TEXT_MAX: usize = 120;

/// A short text in place.
#[derive(Clone, Copy, Debug)]
struct Line {
    bytes: [u8; TEXT_MAX],
    len: u8,
}

impl Line {
    const EMPTY: Line = Line { bytes: [0; TEXT_MAX], len: 0 };

    fn put(&mut self, text: &[u8]) {
        let from = usize::from(self.len);
        self.bytes[from..from + text.len()].copy_from_slice(text);
        self.len += text.len() as u8;
    }

    fn get(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// One instrument as the broker is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Strike; undefined where it is no option.
    pub strike: Price,
    /// Expiration date as `YYYYMMDD` in ASCII; zeros where there is none.
    pub date: [u8; 8],
    /// Call, put, stock, …; `Class(0)` where nothing is known.
    pub class: Class,
    root_len: u8,
    root: [u8; 8],
    single: Line,
    leg: Line,
}

impl Facts {
    const UNKNOWN: Facts = Facts {
        strike: Price::UNDEF,
        date: [0; 8],
        class: Class(0),
        root_len: 0,
        root: [0; 8],
        single: Line::EMPTY,
        leg: Line::EMPTY,
    };

    /// From a definition. OPRA's expiration is 00:00 UTC of the date, so the date is that of UTC.
    pub fn new(definition: &Definition) -> Facts {
        let root_len = definition.root.iter().position(|&b| b == 0).unwrap_or(8) as u8;
        let dated = definition.expiration != UNDEF_TIME;
        let mut facts = Facts {
            strike: definition.strike,
            date: if dated { date_text(definition.expiration) } else { [0; 8] },
            class: definition.class,
            root_len,
            root: definition.root,
            ..Facts::UNKNOWN
        };
        facts.single = facts.fields([b"55=", b"167=", b"461=", b"541=", b"202="], true);
        facts.leg = facts.fields([b"600=", b"609=", b"608=", b"611=", b"612="], false);
        facts
    }

    /// Symbol, SecurityType, CFICode, maturity date, strike, each under its tag. Exercise style and
    /// delivery are the broker's to know: `X` in the code (ISO 10962).
    fn fields(&self, tags: [&[u8]; 5], single: bool) -> Line {
        let mut line = Line::EMPTY;
        let mut field = |tag: &[u8], value: &[u8]| {
            line.put(tag);
            line.put(value);
            line.put(&[1]);
        };
        field(tags[0], self.root());
        field(tags[1], self.security_type());
        if let Some(code) = self.code() {
            field(tags[2], code);
        }
        if self.date != [0; 8] {
            if single {
                field(b"200=", &self.date[..6]);
            }
            field(tags[3], &self.date);
        }
        if single && self.class.is_option() {
            field(b"201=", if self.class == Class::PUT { b"0" } else { b"1" });
        }
        if self.class.is_option() {
            line.put(tags[4]);
            put_decimal(self.strike, |bytes| line.put(bytes));
            line.put(&[1]);
        }
        line
    }

    /// CFICode; `None` for what cannot be ordered.
    pub fn code(&self) -> Option<&'static [u8]> {
        match self.class {
            Class::CALL => Some(b"OCXXXX"),
            Class::PUT => Some(b"OPXXXX"),
            Class::STOCK => Some(b"ESXXXX"),
            Class::FUTURE => Some(b"FXXXXX"),
            _ => None,
        }
    }

    fn security_type(&self) -> &'static [u8] {
        match self.class {
            Class::CALL | Class::PUT => b"OPT",
            Class::FUTURE => b"FUT",
            Class::INDEX => b"INDEX",
            _ => b"CS",
        }
    }

    /// Symbol: the option root or the ticker.
    pub fn root(&self) -> &[u8] {
        &self.root[..usize::from(self.root_len)]
    }

    /// The fields of an order on this instrument alone.
    pub(super) fn single(&self) -> &[u8] {
        self.single.get()
    }

    /// The fields of a leg on it.
    pub(super) fn leg(&self) -> &[u8] {
        self.leg.get()
    }

    /// Whether an order can name it: an option has a strike and a date.
    fn is_whole(&self) -> bool {
        let option = self.strike.is_defined() && self.date != [0; 8];
        self.root_len > 0 && self.class != Class::INDEX && (option || !self.class.is_option())
    }
}

/// Facts by dense index, in memory that is taken once.
#[derive(Debug)]
pub(super) struct Table {
    facts: Box<[Facts]>,
}

impl Table {
    pub(super) fn new(instruments_max: usize) -> Table {
        Table { facts: vec![Facts::UNKNOWN; instruments_max].into_boxed_slice() }
    }

    /// Takes a definition; false where the table is too small.
    pub(super) fn define(&mut self, instrument: u32, definition: &Definition) -> bool {
        let slot = self.facts.get_mut(instrument as usize);
        slot.map(|slot| *slot = Facts::new(definition)).is_some()
    }

    /// What is known, if it is enough for an order.
    #[inline]
    pub(super) fn get(&self, instrument: u32) -> Option<&Facts> {
        self.facts.get(instrument as usize).filter(|facts| facts.is_whole())
    }
}
