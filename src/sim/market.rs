//! Dice and time in; a chain of options with a spot, a smile and two-sided quotes out.

use super::{Dice, Fault, Mischief};
use crate::{
    greeks::math,
    wire::{PRICE_SCALE, Timestamp, UNDEF_PRICE},
};
use alloc::{format, vec::Vec};

/// When a simulation begins: Wednesday, 10 September 2025, 10:00 in New York.
pub const BEGIN: Timestamp = 1_757_512_800 * SECOND;
/// Midnight UTC of that date, which OPRA gives as the expiration.
pub const MIDNIGHT: Timestamp = 1_757_462_400 * SECOND;
/// When the chain settles: 16:00 in New York.
const SETTLES: Timestamp = BEGIN + 6 * 3_600 * SECOND;
/// Nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// Cents of the only tick.
pub const TICK_CENTS: i64 = 5;

const CENT: i64 = PRICE_SCALE / 100;
const STEP_POINTS: i64 = 5;
const YEAR_SECONDS: f64 = 365.0 * 86_400.0;

/// A listed option.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The venue's own number.
    pub venue_id: u32,
    /// Strike, 1e-9.
    pub strike: i64,
    /// Call, or put.
    pub call: bool,
    /// As the OSI writes it.
    pub symbol: [u8; 21],
}

/// Best bid and ask, 1e-9, undefined where there is none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Best {
    /// What is bid.
    pub bid: i64,
    /// What is asked.
    pub ask: i64,
    /// Contracts bid.
    pub bid_size: u32,
    /// Contracts offered.
    pub ask_size: u32,
}

/// The whole market.
#[derive(Debug)]
pub struct Market {
    /// What is listed.
    pub contracts: Vec<Contract>,
    /// What is quoted now, by the same place.
    pub best: Vec<Best>,
    spot: f64,
    vol: f64,
    gait: f64,
}

impl Market {
    /// A chain of puts and calls around a spot, with quotes.
    pub fn new(dice: &mut Dice) -> Market {
        let spot = 6_000.0 + dice.unit() * 50.0;
        let strikes = dice.between(10, 16) as i64;
        let middle = spot as i64 / STEP_POINTS * STEP_POINTS;
        let points = (-strikes..=strikes).map(|i| middle + i * STEP_POINTS);
        let listed = points.flat_map(|points| [(points, true), (points, false)]);
        let contracts: Vec<Contract> =
            listed.enumerate().map(|(i, (points, call))| contract(i, points, call)).collect();
        let none = Best { bid: UNDEF_PRICE, ask: UNDEF_PRICE, bid_size: 0, ask_size: 0 };
        let best = contracts.iter().map(|_| none).collect();
        let vol = 0.08 + 0.12 * dice.unit();
        Market { contracts, best, spot, vol, gait: 0.2 + 3.0 * dice.unit() }
    }

    /// Lets time pass: the spot walks, faster in some runs than the smile allows for.
    pub fn step(&mut self, ns: u64, dice: &mut Dice) {
        let years = ns as f64 / SECOND as f64 / YEAR_SECONDS;
        let deviation = self.gait * self.vol * math::one(|v| v.sqrt(), years) * 10.0;
        self.spot *= 1.0 + deviation * dice.normal();
    }

    /// Quotes a contract anew.
    pub fn quote(&mut self, place: usize, now: Timestamp, dice: &mut Dice, bad: &mut Mischief) {
        let value = self.value(&self.contracts[place], now);
        let half = (2.0 + value * 0.4) as i64 + dice.below(4) as i64;
        let cents = (value * 100.0) as i64;
        let down = |cents: i64| cents.div_euclid(TICK_CENTS) * TICK_CENTS;
        let (bid, ask) = (down(cents - half), down(cents + half) + TICK_CENTS);
        let mut size = || dice.between(1, 30) as u32;
        let price = |cents: i64| if cents > 0 { cents * CENT } else { UNDEF_PRICE };
        let mut best =
            Best { bid: price(bid), ask: price(ask), bid_size: size(), ask_size: size() };
        if best.bid == UNDEF_PRICE {
            best.bid_size = 0;
        }
        if bad.strikes(Fault::OneSided) {
            if bad.below(3) > 0 {
                (best.bid, best.bid_size) = (UNDEF_PRICE, 0);
            } else {
                (best.ask, best.ask_size) = (UNDEF_PRICE, 0);
            }
        }
        if bad.strikes(Fault::Crossed) && best.bid != UNDEF_PRICE {
            best.ask = best.bid - bad.below(2) as i64 * TICK_CENTS * CENT;
            best.ask = if best.ask > 0 { best.ask } else { best.bid };
        }
        self.best[place] = best;
    }

    /// A place near the money, as most messages are.
    pub fn place(&self, dice: &mut Dice) -> usize {
        let half = self.contracts.len() as f64 / 2.0;
        let at = half + half * dice.normal() / 2.5;
        (at.max(0.0) as usize).min(self.contracts.len() - 1)
    }

    /// Black's formula with a smile that is steeper below the money.
    fn value(&self, contract: &Contract, now: Timestamp) -> f64 {
        let strike = contract.strike as f64 / PRICE_SCALE as f64;
        let years = SETTLES.saturating_sub(now).max(SECOND) as f64 / SECOND as f64 / YEAR_SECONDS;
        let away = strike / self.spot - 1.0;
        let vol = (self.vol - 0.8 * away + 12.0 * away * away).max(0.02);
        let deviation = vol * math::one(|v| v.sqrt(), years);
        let d1 = math::one(math::ln, self.spot / strike) / deviation + 0.5 * deviation;
        let normal = |x: f64| math::one(math::cdf, x);
        let call = self.spot * normal(d1) - strike * normal(d1 - deviation);
        let value = if contract.call { call } else { call - self.spot + strike };
        value.max(0.0)
    }
}

fn contract(place: usize, points: i64, call: bool) -> Contract {
    let mut symbol = [b' '; 21];
    let right = if call { 'C' } else { 'P' };
    let text = format!("SPXW  250910{right}{:08}", points * 1_000);
    symbol.copy_from_slice(&text.as_bytes()[..21]);
    Contract { venue_id: 1_000 + 7 * place as u32, strike: points * PRICE_SCALE, call, symbol }
}
