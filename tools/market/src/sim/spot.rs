//! Time passing in; price and variance of the underlying out (Heston, full truncation).

use super::config::Spot;
use crate::rng::Rng;

const YEAR_NS: f64 = 365.0 * 86_400e9;
/// A trading day's worth of variance passes in 6.5 hours, a year's in 252 of them.
const TRADING_YEAR_NS: f64 = 252.0 * 23_400e9;

/// The underlying.
#[derive(Clone, Debug)]
pub struct Underlying {
    settings: Spot,
    /// Price.
    pub price: f64,
    variance: f64,
    /// Annual drift of the price.
    carry: f64,
}

impl Underlying {
    /// At the opening.
    pub fn new(settings: &Spot, carry: f64) -> Underlying {
        let (price, variance) = (settings.price, settings.vol * settings.vol);
        Underlying { settings: settings.clone(), price, variance, carry }
    }

    /// Lets `ns` of trading time pass.
    pub fn step(&mut self, ns: u64, rng: &mut Rng) {
        let years = ns as f64 / TRADING_YEAR_NS;
        let of = &self.settings;
        let (a, b) = (rng.normal(), rng.normal());
        let b = of.correlation * a + (1.0 - of.correlation * of.correlation).sqrt() * b;
        let held = self.variance.max(0.0);
        let root = (held * years).sqrt();
        let drift = self.carry * ns as f64 / YEAR_NS - 0.5 * held * years;
        let mut growth = drift + root * a;
        if rng.chance(of.jumps * years * 252.0) {
            growth += of.jump_size * rng.normal();
        }
        self.price *= growth.exp();
        let mean = of.vol_mean * of.vol_mean;
        self.variance += of.reversion * (mean - held) * years + of.vol_of_vol * root * b;
    }

    /// Volatility at the money that options with so many years to go are priced with.
    pub fn vol(&self, years: f64) -> f64 {
        let (mean, held) = (self.settings.vol_mean.powi(2), self.variance.max(1e-6));
        let decay = self.settings.reversion * years;
        let weight = if decay < 1e-9 { 1.0 } else { (1.0 - (-decay).exp()) / decay };
        (mean + (held - mean) * weight).sqrt()
    }
}
