//! Greeks of one unit and contracts in; exposures in currency, as integers, out.
//!
//! Integers add up to the same whatever the order, so what is kept up line by line never drifts.

use crate::{
    book::Money,
    chain::{Chain, Delivery, Instrument, NO_EXPIRY},
    wire::{
        PRICE_SCALE,
        market::{Class, Greeks, VolStatus},
    },
};
use core::ops::{Add, Sub};

/// Money beyond what [`Money`] holds, 1e-9 units of currency.
pub(super) type Wide = i128;

/// Exposures of a holding, 1e-9 units of currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Dollars {
    /// q m Δ S.
    pub(super) delta: Wide,
    /// q m Γ S² 0.01: change of dollar delta for a move of 1 %.
    pub(super) gamma: Wide,
    /// q m vega 0.01: for a point of volatility.
    pub(super) vega: Wide,
    /// q m θ/365: for a day.
    pub(super) theta: Wide,
}

impl Dollars {
    /// Of so many contracts; `None` where a Greek or the price of the underlying is unknown.
    pub(super) fn of(
        chain: &Chain,
        terms: &Instrument,
        instrument: u32,
        units: i64,
    ) -> Option<Dollars> {
        let spot = reference(chain, terms, instrument)?;
        Dollars::at(terms, spot, known_greeks(chain, instrument).as_ref(), units)
    }

    /// The same at a price of the underlying, with the Greeks that are known.
    pub(super) fn at(
        terms: &Instrument,
        spot: f64,
        greeks: Option<&Greeks>,
        units: i64,
    ) -> Option<Dollars> {
        let units = units as f64;
        if !terms.class.is_option() {
            return Some(Dollars { delta: wide(spot * units)?, ..Dollars::default() });
        }
        let g = greeks?;
        let gamma = f64::from(g.gamma) * spot * spot * 0.01;
        Some(Dollars {
            delta: wide(units * f64::from(g.delta) * spot)?,
            gamma: wide(units * gamma)?,
            vega: wide(units * f64::from(g.vega) * 0.01)?,
            theta: wide(units * f64::from(g.theta) / 365.0)?,
        })
    }

    /// Each as a positive number.
    pub(super) fn gross(self) -> Dollars {
        Dollars {
            delta: self.delta.abs(),
            gamma: self.gamma.abs(),
            vega: self.vega.abs(),
            theta: self.theta.abs(),
        }
    }
}

impl Add for Dollars {
    type Output = Dollars;
    fn add(self, other: Dollars) -> Dollars {
        Dollars {
            delta: self.delta + other.delta,
            gamma: self.gamma + other.gamma,
            vega: self.vega + other.vega,
            theta: self.theta + other.theta,
        }
    }
}

impl Sub for Dollars {
    type Output = Dollars;
    fn sub(self, other: Dollars) -> Dollars {
        Dollars {
            delta: self.delta - other.delta,
            gamma: self.gamma - other.gamma,
            vega: self.vega - other.vega,
            theta: self.theta - other.theta,
        }
    }
}

/// Greeks of an instrument that has a volatility.
pub(super) fn known_greeks(chain: &Chain, instrument: u32) -> Option<Greeks> {
    chain.greeks(instrument).filter(|g| g.status == VolStatus::OK)
}

/// What the underlying of an instrument is worth: its own mid for what is no option, the spot of
/// the root, or the forward of the expiry where there is none.
pub(super) fn reference(chain: &Chain, terms: &Instrument, instrument: u32) -> Option<f64> {
    let own = || chain.quote(instrument).mid();
    let spot = if terms.class.is_option() { chain.spot(terms.root) } else { own() };
    let forward =
        || Some(terms.expiry).filter(|e| *e != NO_EXPIRY).map(|e| chain.expiry(e).forward);
    let usable = |price: &f64| price.is_finite() && *price > 0.0;
    Some(spot).filter(usable).or_else(|| forward().filter(usable))
}

/// Currency as an integer; `None` for what is not finite or beyond all reason.
pub(super) fn wide(amount: f64) -> Option<Wide> {
    let scaled = amount * PRICE_SCALE as f64;
    let half = if scaled < 0.0 { -0.5 } else { 0.5 };
    (scaled.abs() < 1e30).then_some(whole(scaled + half))
}

/// Below this a float fits the integers of the machine, whose conversions are its own.
const NARROW: f64 = 9.2e18;

/// The whole part.
#[inline]
pub(super) fn whole(amount: f64) -> Wide {
    if amount.abs() < NARROW { Wide::from(amount as i64) } else { amount as Wide }
}

/// The nearest float.
#[inline]
pub(super) fn float(amount: Wide) -> f64 {
    i64::try_from(amount).map_or_else(|_| amount as f64, |amount| amount as f64)
}

/// In units of currency, for reports.
pub(super) fn currency(amount: Wide) -> f64 {
    float(amount) / PRICE_SCALE as f64
}

/// Units of one contract as an integer; 0 where they are unknown or not whole, which no order may
/// have.
pub(super) fn multiplier(terms: &Instrument) -> i64 {
    let whole = terms.multiplier as i64;
    if whole as f64 == terms.multiplier { whole } else { 0 }
}

/// Whether it can be traded: options, and what they deliver. An index cannot, whatever its feed
/// calls it.
pub(super) fn is_tradable(chain: &Chain, terms: &Instrument) -> bool {
    let hedges = terms.class == Class::STOCK || terms.class == Class::FUTURE;
    let delivered =
        || chain.root(chain.root_on(terms)).is_some_and(|r| r.delivery == Delivery::Physical);
    terms.class.is_option() || hedges && delivered()
}

/// A share of an amount, 1e-9 of currency; `None` for what is no number or beyond all reason.
pub(super) fn share_of(amount: Money, share: f64) -> Option<Wide> {
    let part = amount as f64 * share;
    (part.abs() < 1e30).then_some(whole(part))
}
