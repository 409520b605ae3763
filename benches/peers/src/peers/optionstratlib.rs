//! optionstratlib 0.23: decimal arithmetic on an option object. Theta is per day, vega and rho per
//! point, as its documentation has them.

use crate::{
    columns::Terms,
    peer::{Peer, Values, place},
};
use optionstratlib_core::model::{
    ExpirationDate, OptionStyle, OptionType, Options, Positive, Side,
};
use optionstratlib_pricing::{
    greeks::{delta, gamma, rho, theta, vega},
    pricing::black_scholes,
    volatility::implied_volatility,
};
use rust_decimal::{Decimal, prelude::ToPrimitive};

/// Its option; nothing where its numbers cannot hold the terms.
pub struct OptionStratLib(Option<Options>);

impl OptionStratLib {
    fn told<E>(&self, of: impl Fn(&Options) -> Result<Decimal, E>) -> f64 {
        let value = self.0.as_ref().and_then(|option| of(option).ok());
        value.and_then(|value| value.to_f64()).unwrap_or(f64::NAN)
    }
}

fn option(terms: &Terms) -> Option<Options> {
    let positive = |x: f64| Positive::new(x).ok();
    Some(Options::new(
        OptionType::European,
        Side::Long,
        "SPX".into(),
        positive(terms.strike)?,
        ExpirationDate::Days(positive(terms.years * 365.0)?),
        positive(terms.vol)?,
        Positive::ONE,
        positive(terms.spot)?,
        Decimal::try_from(terms.r).ok()?,
        if terms.call { OptionStyle::Call } else { OptionStyle::Put },
        positive(terms.q)?,
        None,
    ))
}

impl Peer for OptionStratLib {
    const NAME: &'static str = "optionstratlib 0.23.0";
    const NOTE: &'static str = "decimals; every 20th row compared";
    const EVERY: usize = 20;
    const GREEKS: &'static [&'static str] = &["delta", "gamma", "theta", "vega", "rho"];

    fn new(terms: &Terms) -> Self {
        OptionStratLib(option(terms))
    }

    fn price(&self) -> f64 {
        self.told(black_scholes)
    }

    fn greeks(&self, out: &mut Values) {
        out[place("price")] = self.told(black_scholes);
        out[place("delta")] = self.told(delta);
        out[place("gamma")] = self.told(gamma);
        out[place("theta")] = self.told(theta) * 365.0;
        out[place("vega")] = self.told(vega) * 100.0;
        out[place("rho")] = self.told(rho) * 100.0;
    }

    fn volatility(&self, price: f64) -> f64 {
        let (Some(option), Ok(price)) = (&self.0, Positive::new(price)) else { return f64::NAN };
        let found = implied_volatility(price, &mut option.clone(), 100).ok();
        found.map_or(f64::NAN, |found| found.to_f64())
    }
}
