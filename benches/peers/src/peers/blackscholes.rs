//! blackscholes 0.24: single precision; its rational forms call Jaeckel's C++ on single-precision
//! inputs. Theta is per 1/365.25 of a year, vega and rho per point.

use crate::{
    columns::Terms,
    peer::{Peer, Values, place},
};
use ::blackscholes::{Greeks, ImpliedVolatility, Inputs, OptionType, Pricing};

/// Its inputs.
pub struct Blackscholes(Inputs);

impl Peer for Blackscholes {
    const NAME: &'static str = "blackscholes 0.24.0";
    const NOTE: &'static str = "f32";
    const GREEKS: &'static [&'static str] = &["delta", "gamma", "theta", "vega", "rho"];

    fn new(terms: &Terms) -> Self {
        let Terms { call, spot, strike, years, r, q, vol, price } = *terms;
        let side = if call { OptionType::Call } else { OptionType::Put };
        let [s, k, r, q, t, vol, price] = [spot, strike, r, q, years, vol, price].map(|x| x as f32);
        Blackscholes(Inputs::new(side, s, k, Some(price), r, q, t, Some(vol)))
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        self.0.calc_price().map_or(f64::NAN, f64::from)
    }

    #[inline(always)]
    fn greeks(&self, out: &mut Values) {
        let told = |value: Result<f32, String>| value.map_or(f64::NAN, f64::from);
        out[place("price")] = told(self.0.calc_price());
        out[place("delta")] = told(self.0.calc_delta());
        out[place("gamma")] = told(self.0.calc_gamma());
        out[place("theta")] = told(self.0.calc_theta()) * 365.25;
        out[place("vega")] = told(self.0.calc_vega()) * 100.0;
        out[place("rho")] = told(self.0.calc_rho()) * 100.0;
    }

    #[inline(always)]
    fn volatility(&self, price: f64) -> f64 {
        let inputs = Inputs { p: Some(price as f32), ..self.0.clone() };
        inputs.calc_rational_iv().unwrap_or(f64::NAN)
    }
}
