//! The textbook's formulas in scalar f64 with the C library's erfc: what one writes oneself.

use crate::{
    columns::Terms,
    peer::{NAMES, Peer, Values, place},
};
use core::f64::consts::{FRAC_1_SQRT_2, PI};

/// Terms.
pub struct Textbook(Terms);

fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

impl Peer for Textbook {
    const NAME: &'static str = "textbook f64";
    const GREEKS: &'static [&'static str] = NAMES.split_at(1).1;
    const VOLATILITIES: bool = false;

    fn new(terms: &Terms) -> Self {
        Textbook(*terms)
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        let Terms { call, spot, strike, years, r, q, vol, .. } = self.0;
        let s = vol * years.sqrt();
        let d1 = ((spot / strike).ln() + (r - q) * years) / s + 0.5 * s;
        let sign = if call { 1.0 } else { -1.0 };
        let a = spot * (-q * years).exp() * cdf(sign * d1);
        sign * (a - strike * (-r * years).exp() * cdf(sign * (d1 - s)))
    }

    #[inline(always)]
    fn greeks(&self, out: &mut Values) {
        let Terms { call, spot, strike, years, r, q, vol, .. } = self.0;
        let (root, sign) = (years.sqrt(), if call { 1.0 } else { -1.0 });
        let s = vol * root;
        let d1 = ((spot / strike).ln() + (r - q) * years) / s + 0.5 * s;
        let d2 = d1 - s;
        let (growth, discount) = ((-q * years).exp(), (-r * years).exp());
        let density = growth * (-0.5 * d1 * d1).exp() / (2.0 * PI).sqrt();
        let (n1, n2) = (sign * growth * cdf(sign * d1), sign * discount * cdf(sign * d2));
        let price = spot * n1 - strike * n2;
        let (gamma, vega) = (density / (spot * s), spot * density * root);
        let drift = (r - q) / s - d2 / (2.0 * years);
        let product = d1 * d2;
        let shape = product * (product - 1.0) - d1 * d1 - d2 * d2;
        let decay = spot * density * vol / (2.0 * root);
        out[place("price")] = price;
        out[place("delta")] = n1;
        out[place("gamma")] = gamma;
        out[place("theta")] = q * spot * n1 - r * strike * n2 - decay;
        out[place("vega")] = vega;
        out[place("rho")] = strike * years * n2;
        out[place("phi")] = -spot * years * n1;
        out[place("vanna")] = -density * d2 / vol;
        out[place("charm")] = q * n1 - density * drift;
        out[place("vomma")] = vega * product / vol;
        out[place("veta")] = vega * (1.0 / (2.0 * years) - q - d1 * drift);
        out[place("speed")] = -gamma / spot * (d1 / s + 1.0);
        out[place("zomma")] = gamma * (product - 1.0) / vol;
        out[place("color")] = -gamma * (1.0 / (2.0 * years) + q + d1 * drift);
        out[place("ultima")] = vega / (vol * vol) * shape;
        out[place("dual_delta")] = -n2;
        out[place("dual_gamma")] = spot * density / (strike * strike * s);
    }
}
