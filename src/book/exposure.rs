//! Holdings and a chain in; their Greeks in currency, net and gross, out.
//!
//! Conventions, per line of `units` = contracts × multiplier and a price S of the underlying (for
//! an option the present value of its expiry's forward, which its Greeks refer to; for a stock or
//! a future its own mid):
//!
//! | figure | of a line |
//! |---|---|
//! | delta | Δ · S · units |
//! | gamma | Γ · S² · 0.01 · units: change of delta for a move of S by 1 % |
//! | theta | θ / 365 · units: a calendar day |
//! | vega | ν · 0.01 · units: one point of volatility |
//!
//! Net is the sum over lines, gross the sum of their absolute values.

use super::{Desk, Line, Mark, mark};
use crate::{
    chain::{Chain, NO_EXPIRY},
    wire::{Price, SECONDS_PER_YEAR, market::VolStatus},
};

const DAYS_A_YEAR: f64 = SECONDS_PER_YEAR / 86_400.0;

/// Greeks in currency, by the conventions of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dollars {
    /// Currency.
    pub delta: f64,
    /// Currency per 1 % of the underlying.
    pub gamma: f64,
    /// Currency a day.
    pub theta: f64,
    /// Currency per point of volatility.
    pub vega: f64,
}

/// Net and gross Greeks of some holdings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// With their signs.
    pub net: Dollars,
    /// Each line's absolute value.
    pub gross: Dollars,
    /// Lines that hold something and have no Greeks: the sums are without them.
    pub missing: u32,
}

impl Exposure {
    /// Of these holdings.
    pub fn of<'a>(chain: &Chain, lines: impl Iterator<Item = &'a Line>) -> Exposure {
        let mut sum = Exposure::default();
        for line in lines.filter(|line| line.held != 0) {
            sum.add(per_unit(chain, line.instrument), line.held as f64 * line.multiplier as f64);
        }
        sum
    }

    /// Adds so many units of something; `None` counts as missing.
    pub fn add(&mut self, unit: Option<Dollars>, units: f64) {
        let Some(unit) = unit else {
            self.missing += 1;
            return;
        };
        let Exposure { net, gross, .. } = self;
        for (value, net, gross) in [
            (unit.delta, &mut net.delta, &mut gross.delta),
            (unit.gamma, &mut net.gamma, &mut gross.gamma),
            (unit.theta, &mut net.theta, &mut gross.theta),
            (unit.vega, &mut net.vega, &mut gross.vega),
        ] {
            *net += value * units;
            *gross += (value * units).abs();
        }
    }
}

/// Greeks in currency of one unit of an instrument; `None` where they are not known.
pub fn per_unit(chain: &Chain, instrument: u32) -> Option<Dollars> {
    let terms = chain.instrument(instrument)?;
    if !terms.class.is_option() {
        let spot = Price(mark(chain, instrument, 1, Mark::Mid)?).to_f64();
        return Some(Dollars { delta: spot, ..Dollars::default() });
    }
    let greeks = chain.greeks(instrument).filter(|greeks| greeks.status == VolStatus::OK)?;
    let spot = present_value(chain, terms.expiry).filter(|spot| spot.is_finite())?;
    Some(Dollars {
        delta: f64::from(greeks.delta) * spot,
        gamma: f64::from(greeks.gamma) * spot * spot * 0.01,
        theta: f64::from(greeks.theta) / DAYS_A_YEAR,
        vega: f64::from(greeks.vega) * 0.01,
    })
}

/// What Greeks of an expiry refer to: the present value of its forward.
pub(super) fn present_value(chain: &Chain, expiry: u16) -> Option<f64> {
    let known = expiry != NO_EXPIRY && usize::from(expiry) < chain.expiries_len();
    known.then(|| chain.expiry(expiry)).map(|expiry| expiry.discount * expiry.forward)
}

/// The name of what an instrument is on: its root's underlying, or the root where that has none.
pub fn underlying_name(chain: &Chain, instrument: u32) -> Option<[u8; 8]> {
    let terms = chain.instrument(instrument)?;
    if !terms.class.is_option() {
        return Some(terms.name);
    }
    let root = chain.root(terms.root)?;
    Some(if root.underlying == [0; 8] { root.name } else { root.underlying })
}

impl Desk {
    /// Of a package's or any other lines.
    pub fn exposure<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Exposure {
        Exposure::of(&self.chain, lines.into_iter())
    }

    /// Of everything held.
    pub fn exposure_of_book(&self) -> Exposure {
        self.exposure(self.book.holdings())
    }

    /// Of the packages of a strategy.
    pub fn exposure_of_strategy(&self, strategy: u16) -> Exposure {
        let mine = self.book.open_packages().filter(|package| package.strategy == strategy);
        self.exposure(mine.flat_map(|package| package.lines()))
    }

    /// Of everything held on an underlying: see [`underlying_name`].
    pub fn exposure_of_underlying(&self, name: [u8; 8]) -> Exposure {
        let on = |line: &&Line| underlying_name(&self.chain, line.instrument) == Some(name);
        self.exposure(self.book.holdings().filter(on))
    }
}
