//! American options one by one, as files and tests need them: terms in, price and Greeks out.

use super::{
    Boundary, Carry, Early, Premium, Rule,
    implied::{European, Puts},
};
use crate::{
    greeks::{
        implied::Terms,
        lanes::{Lanes, Scalar},
        math::{V, all, exp, ln, ln_ratio, one},
        options::Options,
        sets::{Model, Set, Tick},
    },
    wire::market::VolStatus,
};

/// The even yield that takes as much from the spot by expiry as dividends of this present value.
///
/// With it as `q` the European part of a price is the escrowed one, exactly. Early exercise is
/// that of an income spread evenly, which is what quarterly payments of an index fund come to over
/// months. It is not right to the day: a call whose one dividend is days off is worth exercising on
/// the evening before and at no other time, and a put is not, until the day after.
pub fn even_yield(spot: f64, dividends: f64, years: f64) -> f64 {
    if dividends == 0.0 { 0.0 } else { one(ln, spot / (spot - dividends)) / years }
}

/// One American option.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Call, or put.
    pub call: bool,
    /// Spot.
    pub spot: f64,
    /// Strike.
    pub strike: f64,
    /// Years to expiry.
    pub years: f64,
    /// Continuous rate a year.
    pub r: f64,
    /// Continuous yield a year.
    pub q: f64,
    /// Volatility, annual.
    pub vol: f64,
}

/// Price and Greeks, in the units of the European ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Price.
    pub price: f64,
    /// dV/dS.
    pub delta: f64,
    /// d²V/dS².
    pub gamma: f64,
    /// −dV/dT a year.
    pub theta: f64,
    /// dV/dσ per 1.00.
    pub vega: f64,
}

impl Value {
    /// What exercising now gives.
    pub fn exercised(contract: &Contract) -> Value {
        let sign = if contract.call { 1.0 } else { -1.0 };
        let price = (contract.spot - contract.strike) * sign;
        Value { price, delta: sign, gamma: 0.0, theta: 0.0, vega: 0.0 }
    }
}

impl Contract {
    /// Whether and how exercising early can pay.
    pub fn early(&self) -> Early {
        let (r, q) = self.put_rates();
        Early::of(r, q)
    }

    /// Rate and yield of the put that this is.
    pub(super) fn put_rates(&self) -> (f64, f64) {
        if self.call { (self.q, self.r) } else { (self.r, self.q) }
    }

    /// Price and Greeks; `None` where there would be two boundaries.
    pub fn value<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
    ) -> Option<Value> {
        let european = self.european();
        let (r, q) = self.put_rates();
        match self.early() {
            Early::Between => None,
            Early::Never => Some(european),
            Early::Below if self.is_certain() => Some(self.certain()),
            Early::Below => {
                let Some(carry) = rule.carry(r, q, self.years) else { return Some(european) };
                let boundary = rule.boundary(&rule.grid(&carry), all(self.vol));
                Some(self.with(&carry, &boundary, &european))
            }
        }
    }

    /// dV/dr and dV/dq, by central differences of the price.
    pub fn rho_phi<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
    ) -> Option<(f64, f64)> {
        const STEP: f64 = 1e-5;
        let at = |r: f64, q: f64| {
            let moved = Contract { r: self.r + r, q: self.q + q, ..*self };
            moved.value(rule).map(|value| value.price)
        };
        let slope = |up: Option<f64>, down: Option<f64>| Some((up? - down?) / (2.0 * STEP));
        Some((slope(at(STEP, 0.0), at(-STEP, 0.0))?, slope(at(0.0, STEP), at(0.0, -STEP))?))
    }

    /// The volatility of a price, or why there is none; [`VolStatus::UNKNOWN`] where there would be
    /// two boundaries. `near` is a volatility to start from, NaN for none; what this one is for is
    /// not read.
    pub fn implied<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
        price: f64,
        near: f64,
    ) -> Result<f64, VolStatus> {
        let early = self.early();
        let status = self.status(early, price);
        if status != VolStatus::OK || early == Early::Between {
            return Err(if early == Early::Between { VolStatus::UNKNOWN } else { status });
        }
        let (r, q) = self.put_rates();
        let log = one(|x| ln_ratio(x, all(self.strike)), self.spot);
        let (spot, strike) = (all(self.spot), all(self.strike));
        let puts = Puts::new(self.call, all(price), spot, strike, all(log));
        let (vol, found) = match rule.carry(r, q, self.years) {
            Some(carry) => {
                let found = rule.implied(&carry, &rule.grid(&carry), &puts, all(near));
                (found.0.vol, found.1)
            }
            None => European::new(r, q, self.years, puts.x).implied(puts.price),
        };
        if found.any() { Ok(vol.to_array()[0]) } else { Err(VolStatus::AT_INTRINSIC_ITM) }
    }

    fn status(&self, early: Early, price: f64) -> VolStatus {
        let factor = |rate: f64| one(|x| exp(-x), rate * self.years);
        let never = early == Early::Never;
        let (a, b) = if never { (factor(self.q), factor(self.r)) } else { (1.0, 1.0) };
        let terms = Terms {
            cp: if self.call { 1.0 } else { -1.0 },
            spot: self.spot,
            strike: self.strike,
            years: self.years,
            a: a * self.spot,
            b: b * self.strike,
        };
        match terms.status(price) {
            VolStatus::OK if !never && price <= self.certain().price => VolStatus::BELOW_INTRINSIC,
            status => status,
        }
    }

    /// The European option of the same terms.
    pub fn european(&self) -> Value {
        let side: Tick<Scalar> = self.european_set();
        let [price, delta, gamma, theta, vega] =
            [side.price, side.delta, side.gamma, side.theta, side.vega].map(|x| x.lane(0));
        Value { price, delta, gamma, theta, vega }
    }

    pub(super) fn european_set<S: Set<Scalar>>(&self) -> S {
        let options = Options {
            spot: Scalar(self.spot),
            strike: Scalar(self.strike),
            years: Scalar(self.years),
            r: Scalar(self.r),
            q: Scalar(self.q),
            vol: Scalar(self.vol),
        };
        let sign = Scalar(if self.call { 0.0 } else { -0.0 });
        options.value(Model::Spot).side(sign)
    }

    /// Whether nothing is left to chance: no volatility, or one of the legs is worth nothing.
    pub(super) fn is_certain(&self) -> bool {
        self.vol == 0.0 || self.spot == 0.0 || self.strike == 0.0
    }

    /// The value then: the best of all times to exercise, known now.
    fn certain(&self) -> Value {
        let Contract { spot, strike, years, r, q, .. } = *self;
        let sign = if self.call { 1.0 } else { -1.0 };
        let factor = |rate: f64, time: f64| one(|x| exp(-x), rate * time);
        let legs = |time: f64| (sign * spot * factor(q, time), sign * strike * factor(r, time));
        let still = one(ln, q * spot / (r * strike)) / (q - r);
        let times = [0.0, years.max(0.0), still];
        let inside = times.iter().filter(|time| **time >= 0.0 && **time <= years.max(0.0));
        let gain = |time: f64| legs(time).0 - legs(time).1;
        let best =
            inside.fold(0.0, |best, time| if gain(*time) > gain(best) { *time } else { best });
        if gain(best) <= 0.0 {
            return Value { price: 0.0, delta: 0.0, gamma: 0.0, theta: 0.0, vega: 0.0 };
        }
        let (income, interest) = (legs(best).0 * q, legs(best).1 * r);
        let theta = if best == years { income - interest } else { 0.0 };
        let delta = sign * factor(q, best);
        Value { price: gain(best), delta, gamma: 0.0, theta, vega: 0.0 }
    }

    /// ln(S/K) of the put that this is.
    fn log(&self) -> f64 {
        let (above, below) =
            if self.call { (self.strike, self.spot) } else { (self.spot, self.strike) };
        one(|x| ln_ratio(x, all(below)), above)
    }

    fn with<const P: usize>(
        &self,
        carry: &Carry<P>,
        boundary: &Boundary<P>,
        european: &Value,
    ) -> Value {
        let x = all(self.log());
        let exercised = Value::exercised(self);
        if x.simd_le(boundary.edge).any() {
            return exercised;
        }
        let premium = carry.premium(boundary, x).of(self.call, all(self.spot), all(self.strike));
        let add = |european: f64, premium: V| european + premium.to_array()[0];
        Value {
            price: add(european.price, premium.price).max(exercised.price),
            delta: add(european.delta, premium.delta),
            gamma: add(european.gamma, premium.gamma),
            theta: add(european.theta, premium.theta),
            vega: add(european.vega, premium.vega),
        }
    }
}

/// What early exercise adds to price and Greeks of eight options.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    /// Price.
    pub price: V,
    /// dV/dS.
    pub delta: V,
    /// d²V/dS².
    pub gamma: V,
    /// −dV/dT a year.
    pub theta: V,
    /// dV/dσ per 1.00.
    pub vega: V,
}

impl Added {
    pub(super) const NONE: Added =
        Added { price: V::ZERO, delta: V::ZERO, gamma: V::ZERO, theta: V::ZERO, vega: V::ZERO };

    /// These lanes where `mask` is set, nothing elsewhere.
    #[inline(always)]
    pub(super) fn masked(&self, mask: V) -> Added {
        let pick = |value: V| mask.select(value, all(0.0));
        Added {
            price: pick(self.price),
            delta: pick(self.delta),
            gamma: pick(self.gamma),
            theta: pick(self.theta),
            vega: pick(self.vega),
        }
    }
}

impl Premium {
    /// In the units of calls or puts of these spots and strikes.
    #[inline(always)]
    pub fn of(&self, call: bool, spot: V, strike: V) -> Added {
        let inv_spot = all(1.0) / spot;
        let curve = self.bend - self.slope;
        let (scale, delta, gamma) = if call {
            (spot, self.value - self.slope, curve * inv_spot)
        } else {
            let scaled = strike * inv_spot;
            (strike, self.slope * scaled, curve * scaled * inv_spot)
        };
        Added {
            price: self.value * scale,
            delta,
            gamma,
            theta: -self.by_time * scale,
            vega: self.by_vol * scale,
        }
    }
}
