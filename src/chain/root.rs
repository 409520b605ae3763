//! A root as the chain uses it: multiplier, exercise style, tick table, settlement clock.

use super::universe::RootRow;
use crate::{
    config::Value,
    wire::{Price, Timestamp},
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// A word of the configuration that stands for a choice.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident, $wanted:literal {
        $($(#[$about:meta])* $item:ident = $text:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $($(#[$about])* $item,)* }

        impl Value for $name {
            const WANTED: &'static str = $wanted;
            fn read(value: &toml::Value) -> Option<$name> {
                match value.as_str()? {
                    $($text => Some($name::$item),)*
                    _ => None,
                }
            }
            fn show(&self) -> String {
                match self {
                    $($name::$item => concat!("\"", $text, "\"").to_string(),)*
                }
            }
        }
    };
}

choice! {
    /// How an option can be exercised.
    Style, "\"european\" or \"american\"" {
        /// At expiration only.
        European = "european";
        /// At any time.
        American = "american";
    }
}

choice! {
    /// What an exercised contract turns into.
    Delivery, "\"cash\" or \"physical\"" {
        /// Its intrinsic value.
        Cash = "cash";
        /// Units of the underlying at the strike.
        Physical = "physical";
    }
}

choice! {
    /// Which price of the underlying a contract settles on.
    Fixing, "\"last\", \"open\" or \"average\"" {
        /// The last mid up to the settlement instant.
        Last = "last";
        /// The first mid from the settlement instant on.
        Open = "open";
        /// The average over time of the mid before the settlement instant.
        Average = "average";
    }
}

/// The first eight bytes of a name, padded with zeros, as definitions carry it.
pub fn name_of(text: &str) -> [u8; 8] {
    let mut name = [0; 8];
    for (to, from) in name.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    name
}

/// A cash dividend of an underlying.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dividend {
    /// From when the underlying is quoted without it, ns UTC.
    pub ex: Timestamp,
    /// Currency per unit.
    pub amount: f64,
}

/// A root: what the option feed does not say of its contracts.
#[derive(Clone, Debug)]
pub struct Root {
    /// Option root (`SPXW`), ASCII, padded with zeros.
    pub name: [u8; 8],
    /// Ticker of the underlying as its session defines it, or zeros for none.
    pub underlying: [u8; 8],
    /// Currency per point of one contract.
    pub multiplier: f64,
    /// Exercise style.
    pub style: Style,
    /// Second of the day at which a contract settles, in the calendar's zone.
    pub settle_second: u32,
    /// Settled on the opening: an early close does not move it.
    pub morning: bool,
    /// Which calendar of the universe.
    pub calendar: u16,
    /// The configuration names it; otherwise it was met in the feed and took the default's rules.
    pub listed: bool,
    /// Prices from which the tick of the same place holds, ascending.
    pub tick_from: Vec<f64>,
    /// Tick sizes.
    pub tick_size: Vec<f64>,
    /// Orders must be for whole multiples of so many contracts.
    pub lot: u32,
    /// Most contracts of one order.
    pub freeze: u32,
    /// Nothing is opened in it.
    pub restricted: bool,
    /// What it moves together with; zeros for nothing but itself.
    pub group: [u8; 8],
    /// Dividends of the underlying, by time.
    pub dividends: Vec<Dividend>,
    /// How exercised contracts are settled.
    pub delivery: Delivery,
    /// A contract in the money by at least this is exercised, 1e-9 of currency.
    pub exercise_min: i64,
    /// The price that it settles on,
    pub fixing: Fixing,
    /// and over how long it is averaged, ns.
    pub average_over: u64,
    /// Tick of the underlying itself.
    pub underlying_tick: f64,
}

impl Root {
    /// The root that a row of the configuration describes.
    pub(super) fn new(row: &RootRow, calendar: u16) -> Root {
        Root {
            name: name_of(&row.name),
            underlying: name_of(&row.underlying),
            multiplier: row.multiplier,
            style: row.style,
            settle_second: row.settles.0,
            morning: row.morning,
            calendar,
            listed: true,
            tick_from: row.tick_from.clone(),
            tick_size: row.tick_size.clone(),
            lot: row.lot,
            freeze: row.freeze,
            restricted: row.restricted,
            group: name_of(&row.group),
            dividends: Vec::new(),
            delivery: row.delivery,
            exercise_min: Price::from_f64(row.exercise_min).0,
            fixing: row.settled_on,
            average_over: row.average_over.nanos(),
            underlying_tick: row.underlying_tick,
        }
    }

    /// The tick size at a price.
    #[inline]
    pub fn tick(&self, price: f64) -> f64 {
        let steps = self.tick_from.iter().zip(&self.tick_size);
        let below = steps.take_while(|(from, _)| **from <= price.abs());
        below.last().map_or(self.tick_size[0], |(_, size)| *size)
    }

    /// The root's name as text.
    pub fn text(&self) -> &str {
        let end = self.name.iter().position(|b| *b == 0).unwrap_or(self.name.len());
        core::str::from_utf8(&self.name[..end]).unwrap_or("?")
    }
}
