//! Implied volatilities of American prices: eight prices of one expiry and side in; the boundaries
//! of their volatilities out.
//!
//! Newton's method on the American price with a bracket around it: each step solves the boundary
//! anew, so this is work for the cold path, some four steps from the European volatility and one
//! or two from a near one. On the tick path the premium of a cached boundary is taken off the
//! price, and the European solver does the rest.

use super::{Boundary, Carry, Grid, Premium, Rule};
use crate::greeks::{
    black::Parts,
    implied::Priced,
    math::{V, all, exp},
};

// Of the volatility: a step below this leaves far less.
const STEP_MIN: f64 = 1e-8;
const STEPS_MAX: usize = 40;
/// Greatest volatility that is looked for.
pub const VOL_MAX: f64 = 10.0;

/// Prices of eight puts of strike 1, and x = ln(S/K).
#[derive(Clone, Copy, Debug)]
pub struct Puts {
    /// Price over the strike.
    pub price: V,
    /// ln(S/K).
    pub x: V,
}

impl Puts {
    /// Puts, or calls as the puts that they are.
    pub fn new(call: bool, price: V, spot: V, strike: V, log_moneyness: V) -> Puts {
        if call {
            Puts { price: price / spot, x: -log_moneyness }
        } else {
            Puts { price: price / strike, x: log_moneyness }
        }
    }

    /// Lanes whose price is above what exercising gives, and below the strike.
    fn valid(&self) -> V {
        let floor = all(1.0) - exp(self.x);
        self.price.simd_gt(all(0.0)) & self.price.simd_gt(floor) & self.price.simd_lt(all(1.0))
    }
}

/// An expiry's slice of European puts of strike 1.
pub(super) struct European {
    a: V,
    b: V,
    x: V,
    root_t: f64,
}

impl European {
    pub(super) fn new(r: f64, q: f64, years: f64, x: V) -> European {
        let (a, b) = (exp(x - all(q * years)), exp(all(-r * years)));
        European { a, b, x: x + all((r - q) * years), root_t: years.sqrt() }
    }

    /// Price and vega.
    fn price(&self, vol: V) -> (V, V) {
        let s = vol * all(self.root_t);
        let parts = Parts::new(self.a, self.b, self.x, s, all(1.0) / s);
        let (asset, strike) = parts.side(all(-0.0));
        (strike - asset, parts.density * all(self.root_t))
    }

    pub(super) fn implied(&self, price: V) -> (V, V) {
        let inv_root_t = all(1.0 / self.root_t);
        let call = all(0.0);
        Priced { price, call, a: self.a, b: self.b, x: self.x, inv_root_t }.implied()
    }
}

impl<const N: usize, const L: usize, const P: usize> Rule<N, L, P> {
    /// Boundaries of the volatilities that give these prices, and the lanes that have one; others
    /// hold some volatility. `near` are volatilities to start from, NaN where there is none.
    pub fn implied(
        &self,
        carry: &Carry<P>,
        grid: &Grid<N, L>,
        puts: &Puts,
        near: V,
    ) -> (Boundary<P>, V) {
        let (valid, european) =
            (puts.valid(), European::new(carry.r, carry.q, carry.years, puts.x));
        // More than the American volatility, where there is one.
        let (first, found) = european.implied(puts.price);
        let mut high = (valid & found).select(first, all(VOL_MAX));
        let mut low = all(0.0);
        let start = (near.simd_gt(low) & near.simd_lt(high)).select(near, high);
        let mut vol = valid.select(start.fast_min(all(VOL_MAX * 0.5)), all(1.0));
        let mut boundary = self.boundary(grid, vol);
        let mut open = valid;
        for _ in 0..STEPS_MAX {
            let (miss, slope) = miss(carry, &boundary, puts, &european);
            let above = miss.simd_gt(all(0.0));
            (high, low) = (above.select(vol.fast_min(high), high), above.select(low, vol));
            let next = vol - miss / slope;
            let inside = next.simd_gt(low) & next.simd_lt(high);
            let next = inside.select(next, (low + high) * all(0.5));
            open &= (next - vol).abs().simd_gt(vol * all(STEP_MIN));
            if !open.any() {
                break;
            }
            vol = open.select(next, vol);
            boundary = self.boundary(grid, vol);
        }
        (boundary, valid & !open)
    }
}

/// How far the prices of a boundary's volatilities are above those wanted, and their vega.
fn miss<const P: usize>(
    carry: &Carry<P>,
    boundary: &Boundary<P>,
    puts: &Puts,
    european: &European,
) -> (V, V) {
    let (price, vega) = european.price(boundary.vol);
    let Premium { value, by_vol, .. } = carry.premium(boundary, puts.x);
    let exercised = puts.x.simd_le(boundary.edge);
    let price = exercised.select(all(1.0) - exp(puts.x), price + value);
    (price - puts.price, exercised.select(all(0.0), vega + by_vol))
}
