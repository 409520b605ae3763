//! A root as the chain uses it: multiplier, exercise style, tick table, settlement clock.

use super::universe::RootRow;
use crate::{config::Value, wire::Timestamp};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// How an option can be exercised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// At expiration only.
    European,
    /// At any time.
    American,
}

impl Value for Style {
    const WANTED: &'static str = "\"european\" or \"american\"";
    fn read(value: &toml::Value) -> Option<Style> {
        match value.as_str()? {
            "european" => Some(Style::European),
            "american" => Some(Style::American),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Style::European => "\"european\"".to_string(),
            Style::American => "\"american\"".to_string(),
        }
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
    /// Tick size of the underlying where that is a stock.
    pub underlying_tick: f64,
    /// What it moves together with; zeros for nothing but itself.
    pub group: [u8; 8],
    /// Dividends of the underlying, by time.
    pub dividends: Vec<Dividend>,
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
            underlying_tick: row.underlying_tick,
            group: name_of(&row.group),
            dividends: Vec::new(),
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
