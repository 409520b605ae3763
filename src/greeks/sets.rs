//! Every Greek and the sets that are asked for together: the pieces of a row in, one side's values
//! out.
//!
//! A kernel names a set as its type, and what the set does not name is never computed: the tick
//! path takes [`Tick`], a risk report [`All`]. Definitions and units are those of the conventions:
//! theta −dV/dT a year, charm −d²V/dSdT, veta d²V/dσdT and color d³V/dS²dT a year, vega and the
//! rest per 1.00 of volatility, rho per 1.00 of rate with the yield held, phi per 1.00 of yield.

use super::black::{Parts, Row, Slice};
use super::lanes::{Lanes, V};

/// What the spot of a row is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Model {
    /// An asset that pays the yield: Black, Scholes and Merton.
    Spot,
    /// A forward of the option's expiry, held when rates move: Black 1976.
    Forward,
}

/// Eight rows valued, both sides still to be asked for.
#[derive(Clone, Copy, Debug)]
pub struct Value<R = V> {
    slice: Slice<R>,
    row: Row<R>,
    parts: Parts<R>,
    inv_s: R,
    model: Model,
}

/// Calls or puts of rows, or one or the other by lane: one method a Greek.
#[derive(Clone, Copy, Debug)]
pub struct Side<R = V> {
    value: Value<R>,
    // A·N(±d1) and B·N(±d2), negative for puts: what the option holds of the asset and owes of the
    // strike.
    holds: R,
    owes: R,
    price: R,
    delta: R,
    dual_delta: R,
}

impl<R: Lanes> Value<R> {
    #[inline(always)]
    pub(super) fn new(slice: Slice<R>, row: Row<R>, parts: Parts<R>, inv_s: R) -> Value<R> {
        Value { slice, row, parts, inv_s, model: Model::Spot }
    }

    /// The same rows under this model: it decides rho and phi.
    #[inline(always)]
    pub fn under(self, model: Model) -> Value<R> {
        Value { model, ..self }
    }

    #[inline(always)]
    pub(super) fn model(&self) -> Model {
        self.model
    }

    /// The calls.
    #[inline(always)]
    pub fn call(&self) -> Side<R> {
        self.side(R::splat(0.0))
    }

    /// The puts.
    #[inline(always)]
    pub fn put(&self) -> Side<R> {
        self.side(R::splat(-0.0))
    }

    /// Calls where `sign` is 0.0, puts where it is −0.0.
    #[inline(always)]
    pub fn side(&self, sign: R) -> Side<R> {
        let (a, b) = self.parts.side(sign);
        let (holds, owes) = (a ^ sign, b ^ sign);
        let price = holds - owes;
        let delta = holds * self.slice.inv_spot;
        let dual_delta = -owes / self.row.strike;
        Side { value: *self, holds, owes, price, delta, dual_delta }
    }
}

impl<R: Lanes> Side<R> {
    /// The same with another price, and with these delta and dual delta where `live` is not set.
    #[inline(always)]
    pub(super) fn with(self, price: R, live: R, delta: R, dual_delta: R) -> Side<R> {
        let delta = live.select(self.delta, delta);
        let dual_delta = live.select(self.dual_delta, dual_delta);
        Side { price, delta, dual_delta, ..self }
    }
}

/// The Greeks; what is the same for call and put is computed once where both are asked for.
impl<R: Lanes> Side<R> {
    /// Price.
    #[inline(always)]
    pub fn price(&self) -> R {
        self.price
    }

    /// dV/dS.
    #[inline(always)]
    pub fn delta(&self) -> R {
        self.delta
    }

    /// d²V/dS².
    #[inline(always)]
    pub fn gamma(&self) -> R {
        let Value { slice, parts, inv_s, .. } = &self.value;
        parts.density * *inv_s * slice.inv_spot * slice.inv_spot
    }

    /// −dV/dT a year.
    #[inline(always)]
    pub fn theta(&self) -> R {
        let Value { slice, row, parts, .. } = &self.value;
        let decay = parts.density * row.vol * slice.inv_root_t * R::splat(0.5);
        self.holds.mul_sub(slice.q, self.owes.mul_add(slice.r, decay))
    }

    /// −dV/dT a calendar day.
    #[inline(always)]
    pub fn theta_day(&self) -> R {
        self.theta() / R::splat(365.0)
    }

    /// dV/dσ per 1.00.
    #[inline(always)]
    pub fn vega(&self) -> R {
        self.value.parts.density * self.value.slice.root_t
    }

    /// dV/dr per 1.00, yield or forward held.
    #[inline(always)]
    pub fn rho(&self) -> R {
        match self.value.model {
            Model::Spot => self.owes * self.years(),
            Model::Forward => -self.price * self.years(),
        }
    }

    /// dV/dq per 1.00; a forward has none.
    #[inline(always)]
    pub fn phi(&self) -> R {
        match self.value.model {
            Model::Spot => -self.holds * self.years(),
            Model::Forward => R::splat(f64::NAN),
        }
    }

    /// d²V/dSdσ.
    #[inline(always)]
    pub fn vanna(&self) -> R {
        let Value { slice, row, parts, .. } = &self.value;
        -(parts.density * slice.inv_spot) * (parts.d2 * row.inv_vol)
    }

    /// −d²V/dSdT a year.
    #[inline(always)]
    pub fn charm(&self) -> R {
        let Value { slice, parts, .. } = &self.value;
        (parts.density * slice.inv_spot).mul_neg_add(self.drift(), slice.q * self.delta)
    }

    /// d²V/dσ².
    #[inline(always)]
    pub fn vomma(&self) -> R {
        let Value { row, parts, .. } = &self.value;
        self.vega() * row.inv_vol * (parts.d1 * parts.d2)
    }

    /// d²V/dσdT a year.
    #[inline(always)]
    pub fn veta(&self) -> R {
        let Value { slice, parts, .. } = &self.value;
        let rate = self.half_inv_years() - slice.q;
        self.vega() * parts.d1.mul_neg_add(self.drift(), rate)
    }

    /// d³V/dS³.
    #[inline(always)]
    pub fn speed(&self) -> R {
        let Value { slice, parts, inv_s, .. } = &self.value;
        let one = R::splat(1.0);
        -(self.gamma() * slice.inv_spot) * parts.d1.mul_add(*inv_s, one)
    }

    /// d³V/dS²dσ.
    #[inline(always)]
    pub fn zomma(&self) -> R {
        let Value { row, parts, .. } = &self.value;
        self.gamma() * row.inv_vol * parts.d1.mul_sub(parts.d2, R::splat(1.0))
    }

    /// d³V/dS²dT a year.
    #[inline(always)]
    pub fn color(&self) -> R {
        let Value { slice, parts, .. } = &self.value;
        let rate = self.half_inv_years() + slice.q;
        -self.gamma() * parts.d1.mul_add(self.drift(), rate)
    }

    /// d³V/dσ³.
    #[inline(always)]
    pub fn ultima(&self) -> R {
        let Value { row, parts, .. } = &self.value;
        let product = parts.d1 * parts.d2;
        let squares = parts.d1.mul_add(parts.d1, parts.d2 * parts.d2);
        let shape = product.mul_sub(product - R::splat(1.0), squares);
        self.vega() * row.inv_vol * row.inv_vol * shape
    }

    /// dV/dK.
    #[inline(always)]
    pub fn dual_delta(&self) -> R {
        self.dual_delta
    }

    /// d²V/dK².
    #[inline(always)]
    pub fn dual_gamma(&self) -> R {
        let Value { row, parts, inv_s, .. } = &self.value;
        parts.density * *inv_s / (row.strike * row.strike)
    }

    #[inline(always)]
    fn years(&self) -> R {
        self.value.slice.root_t * self.value.slice.root_t
    }

    // 1/2T.
    #[inline(always)]
    fn half_inv_years(&self) -> R {
        let inv_root_t = self.value.slice.inv_root_t;
        inv_root_t * inv_root_t * R::splat(0.5)
    }

    // d(d1)/dT with the spot held.
    #[inline(always)]
    fn drift(&self) -> R {
        let Value { slice, parts, inv_s, .. } = &self.value;
        (slice.r - slice.q).mul_sub(*inv_s, parts.d2 * self.half_inv_years())
    }
}

/// Greeks that are asked for together.
pub trait Set<R: Lanes>: Copy {
    /// Their names, in order.
    const NAMES: &'static [&'static str];

    /// Their values.
    fn of(side: &Side<R>) -> Self;

    /// Each through a function of its name and itself.
    fn map(self, change: impl FnMut(&'static str, R) -> R) -> Self;

    /// Each told, in the order of the names.
    fn tell(&self, hear: impl FnMut(R));
}

/// Declares sets: a name and the Greeks in it, each a public field and a method of [`Side`].
macro_rules! sets {
    ($($(#[$about:meta])* $name:ident { $($greek:ident),* $(,)? })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs, reason = "a field has the name of the method that it comes from")]
        pub struct $name<R = V> {
            $(pub $greek: R,)*
        }

        impl<R: Lanes> Set<R> for $name<R> {
            const NAMES: &'static [&'static str] = &[$(stringify!($greek)),*];

            #[inline(always)]
            fn of(side: &Side<R>) -> Self {
                $name { $($greek: side.$greek()),* }
            }

            #[inline(always)]
            fn map(self, mut change: impl FnMut(&'static str, R) -> R) -> Self {
                $name { $($greek: change(stringify!($greek), self.$greek)),* }
            }

            #[inline(always)]
            fn tell(&self, mut hear: impl FnMut(R)) {
                $(hear(self.$greek);)*
            }
        }
    )*};
}

sets! {
    /// The price alone.
    Price { price }

    /// What the tick path reads.
    Tick { price, delta, gamma, theta, vega }

    /// What exposures are summed from.
    Exposure { delta, gamma, vanna, charm, vomma, speed, zomma }

    /// Price and nine Greeks.
    Nine { price, delta, gamma, vega, theta, vanna, charm, vomma, speed, zomma }

    /// Price and all sixteen Greeks.
    Sixteen {
        price, delta, gamma, theta, vega, rho, phi, vanna, charm, vomma, veta, speed, zomma, color,
        ultima, dual_delta, dual_gamma,
    }

    /// The columns of `zomma price`: all, and theta per day beside theta per year.
    All {
        price, delta, gamma, theta, theta_day, vega, rho, phi, vanna, charm, vomma, veta, speed,
        zomma, color, ultima, dual_delta, dual_gamma,
    }
}
