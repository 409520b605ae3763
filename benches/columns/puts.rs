//! American puts of one expiry about the money, as SPY has them: terms in; boundaries as the cache
//! keeps them, and one pass of the premium, out.

use super::{LANES, V, all};
use zomma::greeks::{
    american::{Boundary, Carry, Grid, Standard},
    math,
    options::Options,
    sets::{Model, Tick},
};

/// Spot.
pub(crate) const SPOT: f64 = 600.0;
/// Years to expiry: 91 days.
pub(crate) const YEARS: f64 = 91.0 / 365.0;
/// Continuous rate a year.
pub(crate) const RATE: f64 = 0.045;
/// Continuous yield a year.
pub(crate) const YIELD: f64 = 0.012;
/// Puts.
pub(crate) const PUTS: usize = 128;

/// 128 puts within 10 % of the spot.
pub(crate) struct Puts {
    /// The rule that boundaries are solved by.
    pub(crate) rule: Standard,
    /// What the expiry's rates leave.
    pub(crate) carry: Carry<24>,
    /// The tables of the expiry.
    pub(crate) grid: Grid<10, 8>,
    /// Volatilities.
    pub(crate) vols: Vec<V>,
    strikes: Vec<V>,
    logs: Vec<V>,
    boundaries: Vec<Boundary<24>>,
}

impl Puts {
    /// With all boundaries solved.
    pub(crate) fn new() -> Puts {
        let rule = Standard::new();
        let carry = rule.carry(RATE, YIELD, YEARS).expect("these rates have one boundary");
        let grid = rule.grid(&carry);
        let at = |block: usize, lane: usize| (block * LANES + lane) as f64 / PUTS as f64;
        let strike = |block, lane| SPOT * (0.9 + 0.2 * at(block, lane));
        let strikes = |block| V::new(core::array::from_fn(|lane| strike(block, lane)));
        let strikes: Vec<V> = (0..PUTS / LANES).map(strikes).collect();
        let vol = |strike: f64| 0.2 - 0.4 * (strike / SPOT - 1.0);
        let vols: Vec<V> = strikes.iter().map(|k| V::new(k.to_array().map(vol))).collect();
        let logs = strikes.iter().map(|strike| math::ln_ratio(all(SPOT), *strike)).collect();
        let boundaries = vols.iter().map(|vol| rule.boundary(&grid, *vol)).collect();
        Puts { rule, carry, grid, vols, strikes, logs, boundaries }
    }

    /// Reads and adds the boundaries: what a pass costs that computes nothing.
    pub(crate) fn nothing(&self) -> V {
        let sums = self.boundaries.iter().map(|boundary| boundary.edge + boundary.vol);
        sums.fold(all(0.0), |sum, edge| sum + edge)
    }

    /// European price, delta, gamma, theta and vega.
    pub(crate) fn european(&self, shift: f64) {
        let spot = all(SPOT * (1.0 + shift));
        for (strike, vol) in self.strikes.iter().zip(&self.vols) {
            let (years, r, q) = (all(YEARS), all(RATE), all(YIELD));
            let options = Options { spot, strike: *strike, years, r, q, vol: *vol };
            core::hint::black_box(options.value(Model::Spot).put::<Tick>());
        }
    }

    /// The premium of early exercise alone, after the logarithm of the spot moved by `shift`.
    pub(crate) fn premium(&self, shift: f64) {
        for (boundary, x) in self.boundaries.iter().zip(&self.logs) {
            core::hint::black_box(self.carry.value(boundary, *x + all(shift)));
        }
    }

    /// The premium and its delta, gamma, theta and vega.
    pub(crate) fn tick(&self, shift: f64) {
        let rows = self.boundaries.iter().zip(&self.logs).zip(&self.strikes);
        for ((boundary, x), strike) in rows {
            let premium = self.carry.premium(boundary, *x + all(shift));
            core::hint::black_box(premium.of(false, all(SPOT), *strike));
        }
    }
}
