//! black_scholes 0.11: one call computes both sides with nine values each; its one-value functions
//! have no dividends, so they are given the spot less them.

use crate::{
    columns::Terms,
    peer::{Peer, Values, place},
};
use ::black_scholes as theirs;

/// Terms, and the spot less its dividends.
pub struct BlackScholes(Terms, f64);

impl Peer for BlackScholes {
    const NAME: &'static str = "black_scholes 0.11.1";
    const NOTE: &'static str = "both sides at once; vega, vanna, vomma without e^-qT; every \
        5th row compared";
    const EVERY: usize = 5;
    const GREEKS: &'static [&'static str] =
        &["delta", "gamma", "theta", "vega", "rho", "vanna", "charm", "vomma"];

    fn new(terms: &Terms) -> Self {
        BlackScholes(*terms, terms.spot * (-terms.q * terms.years).exp())
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        let BlackScholes(Terms { call, strike, years, r, vol, .. }, spot) = *self;
        let price = if call { theirs::call } else { theirs::put };
        price(spot, strike, r, vol, years)
    }

    #[inline(always)]
    fn greeks(&self, out: &mut Values) {
        let Terms { call, spot, strike, years, r, q, vol, .. } = self.0;
        let all = theirs::bsm_compute_all(spot, strike, vol, r, q, years);
        if call {
            out[place("price")] = all.call_price;
            out[place("delta")] = all.call_delta;
            out[place("gamma")] = all.call_gamma;
            out[place("theta")] = all.call_theta;
            out[place("vega")] = all.call_vega;
            out[place("rho")] = all.call_rho;
            out[place("vanna")] = all.call_vanna;
            out[place("charm")] = all.call_charm;
            out[place("vomma")] = all.call_vomma;
        } else {
            out[place("price")] = all.put_price;
            out[place("delta")] = all.put_delta;
            out[place("gamma")] = all.put_gamma;
            out[place("theta")] = all.put_theta;
            out[place("vega")] = all.put_vega;
            out[place("rho")] = all.put_rho;
            out[place("vanna")] = all.put_vanna;
            out[place("charm")] = all.put_charm;
            out[place("vomma")] = all.put_vomma;
        }
    }

    #[inline(always)]
    fn volatility(&self, price: f64) -> f64 {
        let BlackScholes(Terms { call, strike, years, r, .. }, spot) = *self;
        let volatility = if call { theirs::call_iv } else { theirs::put_iv };
        volatility(price, spot, strike, r, years).unwrap_or(f64::NAN)
    }
}
