//! All sixteen Greeks of one American option, as files need them: terms in, the European values
//! with what early exercise adds to each out.
//!
//! Price, delta, gamma, theta and vega of the premium have closed forms; the others are differences
//! of these, of the premium alone, so the larger European part is exact. Strikes need none: a price
//! is homogeneous in spot and strike. A step that would cross the boundary is not taken, since
//! gamma jumps there.

use super::{Added, Contract, Early, Rule, Value};
use crate::greeks::{
    lanes::{Lanes, Scalar},
    math::{V, all, ln_ratio},
    sets::All,
};

// Steps: of the volatility, of the time, in standard deviations of the spot, and of the rates.
const VOL_STEP: f64 = 1e-3;
const TIME_STEP: f64 = 1e-3;
const SPOT_STEP: f64 = 1e-2;
const RATE_STEP: f64 = 1e-5;

// Lanes of one boundary: the option itself, more and less volatility, more and less spot.
const HERE: usize = 0;
const WILDER: usize = 1;
const CALMER: usize = 2;
const ABOVE: usize = 3;
const BELOW: usize = 4;

/// What early exercise adds at several volatilities and spots.
struct Lifted {
    added: Added,
    exercised: u32,
}

impl Lifted {
    fn free(&self, lane: usize) -> bool {
        self.exercised >> lane & 1 == 0
    }
}

/// A function at a point and a step to either side of it, where it is known there.
struct Slope {
    here: f64,
    up: Option<f64>,
    down: Option<f64>,
    step: f64,
}

impl Slope {
    fn first(&self) -> f64 {
        match (self.up, self.down) {
            (Some(up), Some(down)) => (up - down) / (2.0 * self.step),
            (Some(up), None) => (up - self.here) / self.step,
            (None, Some(down)) => (self.here - down) / self.step,
            (None, None) => 0.0,
        }
    }

    fn second(&self) -> f64 {
        match (self.up, self.down) {
            (Some(up), Some(down)) => (up - 2.0 * self.here + down) / (self.step * self.step),
            _ => 0.0,
        }
    }
}

impl Contract {
    /// Price and all Greeks; `None` where there would be two boundaries.
    pub fn sixteen<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
    ) -> Option<All<Scalar>> {
        let value = self.value(rule)?;
        let european: All<Scalar> = self.european_set();
        if self.early() == Early::Never || value == self.european() {
            return Some(european);
        }
        if value == Value::exercised(self) || self.is_certain() {
            return Some(self.still(&value));
        }
        Some(match self.premium(rule) {
            Some(premium) => self.joined(&value, &european, &premium, rule),
            None => european,
        })
    }

    /// Price and first Greeks alone are left: exercised, or certain.
    fn still(&self, value: &Value) -> All<Scalar> {
        let zero = Scalar(0.0);
        let Value { price, delta, theta, .. } = *value;
        let [price, delta, theta] = [price, delta, theta].map(Scalar);
        let dual_delta = match self.strike > 0.0 {
            true => (price.0 - self.spot * delta.0) / self.strike,
            // A call at its end; a put there is worth nothing.
            false if price.0 > 0.0 => -delta.0,
            false => 0.0,
        };
        All {
            price,
            delta,
            gamma: zero,
            theta,
            theta_day: Scalar(theta.0 / 365.0),
            vega: zero,
            rho: zero,
            phi: zero,
            vanna: zero,
            charm: zero,
            vomma: zero,
            veta: zero,
            speed: zero,
            zomma: zero,
            color: zero,
            ultima: zero,
            dual_delta: Scalar(dual_delta),
            dual_gamma: zero,
        }
    }

    fn premium<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
    ) -> Option<Lifted> {
        let (r, q) = self.put_rates();
        let carry = rule.carry(r, q, self.years)?;
        let (mut spots, mut vols) = ([self.spot; V::COUNT], [self.vol; V::COUNT]);
        (vols[WILDER], vols[CALMER]) = (self.vol + self.vol_step(), self.vol - self.vol_step());
        (spots[ABOVE], spots[BELOW]) = (self.spot + self.spot_step(), self.spot - self.spot_step());
        let spot = V::new(spots);
        let boundary = rule.boundary(&rule.grid(&carry), V::new(vols));
        let log = ln_ratio(spot, all(self.strike));
        let x = if self.call { -log } else { log };
        let added = carry.premium(&boundary, x).of(self.call, spot, all(self.strike));
        Some(Lifted { added, exercised: x.simd_le(boundary.edge).to_bitmask() })
    }

    /// What early exercise adds to the price with other terms; 0 where it never pays.
    fn premium_price<const N: usize, const L: usize, const P: usize>(
        &self,
        rule: &Rule<N, L, P>,
    ) -> Option<f64> {
        match self.early() {
            Early::Between => None,
            Early::Never => Some(0.0),
            Early::Below => {
                let premium = self.premium(rule)?;
                premium.free(HERE).then(|| premium.added.price.lane(HERE))
            }
        }
    }

    fn vol_step(&self) -> f64 {
        self.vol * VOL_STEP
    }

    fn spot_step(&self) -> f64 {
        self.spot * SPOT_STEP * (self.vol * self.years.sqrt()).min(1.0)
    }

    fn joined<const N: usize, const L: usize, const P: usize>(
        &self,
        value: &Value,
        european: &All<Scalar>,
        premium: &Lifted,
        rule: &Rule<N, L, P>,
    ) -> All<Scalar> {
        let by_vol = |column: V| self.across(premium, column, [WILDER, CALMER], self.vol_step());
        let by_spot = |column: V| self.across(premium, column, [ABOVE, BELOW], self.spot_step());
        let step = self.years * TIME_STEP;
        let later = Contract { years: self.years + step, ..*self }.premium(rule);
        let sooner = Contract { years: self.years - step, ..*self }.premium(rule);
        let by_time = |column: fn(&Added) -> V| {
            let at = |there: &Option<Lifted>| {
                let free = there.as_ref().filter(|lifted| lifted.free(HERE));
                free.map(|lifted| column(&lifted.added).lane(HERE))
            };
            let here = column(&premium.added).lane(HERE);
            Slope { here, up: at(&later), down: at(&sooner), step }.first()
        };
        let by_rate = |r: f64, q: f64| {
            let at = |sign: f64| {
                let moved = Contract { r: self.r + sign * r, q: self.q + sign * q, ..*self };
                moved.premium_price(rule)
            };
            let here = premium.added.price.lane(HERE);
            Slope { here, up: at(1.0), down: at(-1.0), step: RATE_STEP }.first()
        };
        let Added { delta, gamma, vega, .. } = premium.added;
        let plus = |european: Scalar, added: f64| Scalar(european.0 + added);
        let Value { price, delta: slope, gamma: bend, .. } = *value;
        let scale = self.spot / self.strike;
        All {
            price: Scalar(price),
            delta: Scalar(slope),
            gamma: Scalar(bend),
            theta: Scalar(value.theta),
            theta_day: Scalar(value.theta / 365.0),
            vega: Scalar(value.vega),
            rho: plus(european.rho, by_rate(RATE_STEP, 0.0)),
            phi: plus(european.phi, by_rate(0.0, RATE_STEP)),
            vanna: plus(european.vanna, by_vol(delta).first()),
            charm: plus(european.charm, -by_time(|added| added.delta)),
            vomma: plus(european.vomma, by_vol(vega).first()),
            veta: plus(european.veta, by_time(|added| added.vega)),
            speed: plus(european.speed, by_spot(gamma).first()),
            zomma: plus(european.zomma, by_vol(gamma).first()),
            color: plus(european.color, by_time(|added| added.gamma)),
            ultima: plus(european.ultima, by_vol(vega).second()),
            dual_delta: Scalar((price - self.spot * slope) / self.strike),
            dual_gamma: Scalar(bend * scale * scale),
        }
    }

    fn across(&self, premium: &Lifted, column: V, [up, down]: [usize; 2], step: f64) -> Slope {
        let at = |lane: usize| premium.free(lane).then(|| column.lane(lane));
        Slope { here: column.lane(HERE), up: at(up), down: at(down), step }
    }
}
