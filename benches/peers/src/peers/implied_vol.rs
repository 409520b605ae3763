//! implied-vol 2.1: undiscounted prices on the forward, and four solvers of the volatility.

use crate::{columns::Terms, peer::Peer};
use ::implied_vol::{
    DefaultSpecialFn, ImpliedBlackVolatility, PriceBlackScholes,
    solver::{BlackSolver, Experimental, FlashIv, Hybrid, Jaeckel},
};
use core::marker::PhantomData;

/// Which solver.
pub trait Named {
    /// Crate, version, solver.
    const NAME: &'static str;
    /// The solver.
    type Solver: BlackSolver;
    /// Whether the price is measured beside it.
    const PRICES: bool = false;
}

/// Forward, discount and terms; the solver as a type.
pub struct ImpliedVol<N> {
    terms: Terms,
    forward: f64,
    growth: f64,
    discount: f64,
    solver: PhantomData<N>,
}

impl<N: Named> Peer for ImpliedVol<N> {
    const NAME: &'static str = N::NAME;
    const PRICES: bool = N::PRICES;

    fn new(terms: &Terms) -> Self {
        let (growth, discount) = ((terms.r * terms.years).exp(), (-terms.r * terms.years).exp());
        let (terms, forward) = (*terms, terms.forward());
        ImpliedVol { terms, forward, growth, discount, solver: PhantomData }
    }

    #[inline(always)]
    fn price(&self) -> f64 {
        let Terms { call, strike, years, vol, .. } = self.terms;
        let option = PriceBlackScholes::builder()
            .forward(self.forward)
            .strike(strike)
            .volatility(vol)
            .expiry(years)
            .is_call(call)
            .build();
        let price = option.map_or(f64::NAN, |option| option.calculate::<DefaultSpecialFn>());
        self.discount * price
    }

    #[inline(always)]
    fn volatility(&self, price: f64) -> f64 {
        let Terms { call, strike, years, .. } = self.terms;
        let option = ImpliedBlackVolatility::builder()
            .option_price(self.growth * price)
            .forward(self.forward)
            .strike(strike)
            .expiry(years)
            .is_call(call)
            .build();
        let found = option.and_then(|option| option.calculate_with::<N::Solver>());
        found.unwrap_or(f64::NAN)
    }
}

/// What `calculate` takes by itself.
pub struct Default;
/// Jaeckel's method.
pub struct LetsBeRational;
/// Behind the feature `flashiv`.
pub struct Flash;
/// Behind the feature `experimental`.
pub struct Fastest;

impl Named for Default {
    const NAME: &'static str = "implied-vol 2.1.0";
    const PRICES: bool = true;
    type Solver = Hybrid<DefaultSpecialFn>;
}

impl Named for LetsBeRational {
    const NAME: &'static str = "implied-vol 2.1.0, Jaeckel";
    type Solver = Jaeckel;
}

impl Named for Flash {
    const NAME: &'static str = "implied-vol 2.1.0, flashiv";
    type Solver = FlashIv;
}

impl Named for Fastest {
    const NAME: &'static str = "implied-vol 2.1.0, experimental";
    type Solver = Experimental;
}
