//! Settings in; the listed contracts, their smile and their theoretical prices out.

use super::{calendar::Day, config::Config, price::black, spot::Underlying};
use crate::catalog::{Catalog, Contract, osi};

const YEAR_NS: f64 = 365.0 * 86_400e9;
/// Options are quoted to the last second.
const YEARS_MIN: f64 = 1.0 / (365.0 * 86_400.0);

/// One expiry: strikes at equal steps, a call and a put each.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// Its date.
    pub day: Day,
    /// Settlement, ns UTC.
    pub settles: u64,
    /// Lowest strike.
    pub low: f64,
    /// Dense index of the lowest strike's call; its put follows, then the next strike's call.
    pub first: u32,
}

/// All contracts.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Expiries, nearest first.
    pub expiries: Vec<Expiry>,
    /// Strikes per expiry.
    pub strikes: u32,
    step: f64,
    rate: f64,
    dividend: f64,
    skew: f64,
    curvature: f64,
}

impl Listing {
    /// Lists the contracts, all on channel 0, into the catalog. Ids start at 1.
    pub fn new(config: &Config, day: Day, catalog: &mut Catalog) -> Option<Listing> {
        let chain = &config.chain;
        let mut days = chain.days.clone();
        days.sort_unstable();
        days.dedup();
        let strikes = 2 * chain.strikes + 1;
        let centre = (config.spot.price / chain.strike_step).round() * chain.strike_step;
        let low = (centre - f64::from(chain.strikes) * chain.strike_step).max(chain.strike_step);
        let mut expiries = Vec::new();
        for later in days {
            let day = day.later(later, &config.holidays)?;
            let settles = day.at(config.session.close.0)?;
            let first = catalog.listed.len() as u32;
            for place in 0..strikes {
                let strike = low + f64::from(place) * chain.strike_step;
                for call in [true, false] {
                    let strike = (strike * 1e9).round() as i64;
                    let root = chain.root.clone();
                    let contract = Contract { root, expiry: day.number(), strike, call };
                    let index = catalog.index_of(0, catalog.listed.len() as u32 + 1);
                    catalog.name(index, &osi(&contract));
                }
            }
            expiries.push(Expiry { day, settles, low, first });
        }
        Some(Listing {
            expiries,
            strikes,
            step: chain.strike_step,
            rate: chain.rate,
            dividend: chain.dividend,
            skew: chain.skew,
            curvature: chain.curvature,
        })
    }

    /// The place of the strike nearest to a price.
    pub fn nearest(&self, expiry: &Expiry, price: f64) -> i64 {
        ((price - expiry.low) / self.step).round() as i64
    }

    /// The strike at a place.
    pub fn strike(&self, expiry: &Expiry, place: u32) -> f64 {
        expiry.low + f64::from(place) * self.step
    }

    /// Values of call and put at a place.
    pub fn value(&self, of: &Expiry, place: u32, spot: &Underlying, now: u64) -> (f64, f64) {
        let years = (of.settles.saturating_sub(now) as f64 / YEAR_NS).max(YEARS_MIN);
        let forward = spot.price * ((self.rate - self.dividend) * years).exp();
        let strike = self.strike(of, place);
        let level = spot.vol(years);
        let moneyness = ((strike / forward).ln() / (level * years.sqrt())).clamp(-8.0, 8.0);
        let shape = 1.0 + self.skew * moneyness + self.curvature * moneyness * moneyness;
        let (call, put) = black(forward, strike, years, level * shape.clamp(0.3, 4.0));
        let discount = (-self.rate * years).exp();
        (call * discount, put * discount)
    }
}
