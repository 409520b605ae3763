//! jaeckel 0.2: undiscounted prices and volatilities on the forward, a port of Jaeckel's C++.

use crate::{columns::Terms, peer::Peer};

/// Terms, forward and side.
pub struct Jaeckel {
    terms: Terms,
    forward: f64,
    side: f64,
    growth: f64,
    discount: f64,
}

impl Peer for Jaeckel {
    const NAME: &'static str = "jaeckel 0.2.0";

    fn new(terms: &Terms) -> Self {
        let (growth, discount) = ((terms.r * terms.years).exp(), (-terms.r * terms.years).exp());
        let side = if terms.call { 1.0 } else { -1.0 };
        Jaeckel { terms: *terms, forward: terms.forward(), side, growth, discount }
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        let Terms { strike, years, vol, .. } = self.terms;
        self.discount * ::jaeckel::black(self.forward, strike, vol, years, self.side)
    }

    #[inline(always)]
    fn volatility(&self, price: f64) -> f64 {
        let Terms { strike, years, .. } = self.terms;
        let price = self.growth * price;
        let found =
            ::jaeckel::implied_black_volatility(price, self.forward, strike, years, self.side);
        // It tells refusals by numbers that no volatility has.
        if found.abs() < 1e10 { found } else { f64::NAN }
    }
}
