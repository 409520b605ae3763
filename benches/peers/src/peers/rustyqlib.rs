//! RustyQLib 0.0.3: one function a value; delta, gamma, theta and rho only through its option
//! object, so its Greeks here are those that have a function.

use crate::{
    columns::Terms,
    peer::{Peer, Values, place},
};
use ::rustyqlib::{core::trade::PutOrCall, equity::blackscholes as theirs};

/// Terms.
pub struct RustyQLib(Terms);

impl RustyQLib {
    #[inline(always)]
    fn side(&self) -> PutOrCall {
        if self.0.call { PutOrCall::Call } else { PutOrCall::Put }
    }
}

impl Peer for RustyQLib {
    const NAME: &'static str = "RustyQLib 0.0.3";
    const GREEKS: &'static [&'static str] = &["vega", "vanna", "charm", "vomma", "zomma"];

    fn new(terms: &Terms) -> Self {
        RustyQLib(*terms)
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        let Terms { spot, strike, years, r, q, vol, .. } = self.0;
        theirs::bs_price(spot, strike, r, q, vol, years, self.side())
    }

    #[inline(always)]
    fn greeks(&self, out: &mut Values) {
        let Terms { spot, strike, years, r, q, vol, .. } = self.0;
        out[place("price")] = self.price();
        out[place("vega")] = theirs::bs_vega(spot, strike, r, q, vol, years);
        out[place("vanna")] = theirs::bs_vanna(spot, strike, r, q, vol, years);
        out[place("charm")] = theirs::bs_charm(spot, strike, r, q, vol, years, self.side());
        out[place("vomma")] = theirs::bs_volga(spot, strike, r, q, vol, years);
        out[place("zomma")] = theirs::bs_zomma(spot, strike, r, q, vol, years);
    }

    #[inline(always)]
    fn volatility(&self, price: f64) -> f64 {
        let Terms { spot, strike, years, r, q, .. } = self.0;
        let found = theirs::implied_vol_from_price(spot, strike, r, q, years, price, self.side());
        found.unwrap_or(f64::NAN)
    }
}
