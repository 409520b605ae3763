//! A fitted SVI and its time in; volatilities by strike and by delta, level, skew, curvature,
//! risk reversals and butterflies out. No transcendental function is needed for any of them.

use super::Svi;

/// Steps of the search for the strike of a delta: the bracket shrinks below rounding.
const BISECTIONS: u32 = 60;
/// Half-width of the bracket, in standard deviations at the money.
const REACH: f64 = 12.0;

/// The smile of one expiry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smile {
    /// Total variance over log-moneyness.
    pub svi: Svi,
    /// Years to settlement on the volatility's clock, positive.
    pub years: f64,
}

/// Volatilities of a delta's call and put against the one at the money.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wing {
    /// Log-moneyness of the call and the put with this delta.
    pub at: (f64, f64),
    /// Volatility of the call and the put.
    pub vol: (f64, f64),
    /// Volatility of the call less that of the put.
    pub risk_reversal: f64,
    /// Mean volatility of the two less the one at the money.
    pub butterfly: f64,
}

impl Smile {
    /// d1 of the call whose forward delta N(d1) is 0.25; the put's is the same with the sign
    /// changed.
    pub const DELTA_25: f64 = -0.674_489_750_196_081_7;
    /// The same for a delta of 0.10.
    pub const DELTA_10: f64 = -1.281_551_565_544_600_4;

    /// Annual volatility at log-moneyness `k` = ln(K/F).
    #[inline(always)]
    pub fn vol(&self, k: f64) -> f64 {
        (self.svi.variance(k) / self.years).sqrt()
    }

    /// Annual volatility at the forward.
    pub fn level(&self) -> f64 {
        self.vol(0.0)
    }

    /// dσ/dk at the forward: negative where puts are dearer.
    pub fn skew(&self) -> f64 {
        let (w, first, _) = self.svi.slopes(0.0);
        0.5 * first / (w * self.years).sqrt()
    }

    /// d²σ/dk² at the forward.
    pub fn curvature(&self) -> f64 {
        let (w, first, second) = self.svi.slopes(0.0);
        (0.5 * second - 0.25 * first * first / w) / (w * self.years).sqrt()
    }

    /// Log-moneyness at which d1 has this value, on the smile's own volatility there; NaN where a
    /// wing rises so fast that none within the bracket has.
    pub fn strike_of(&self, d1: f64) -> f64 {
        // −k + w/2 − d1 √w falls with k wherever d1 does, which no butterfly arbitrage implies.
        let above = |k: f64| {
            let w = self.svi.variance(k);
            0.5 * w - k - d1 * w.sqrt() > 0.0
        };
        let reach = REACH * self.svi.variance(0.0).sqrt();
        let (mut low, mut high) = (-reach, reach);
        if !above(low) || above(high) {
            return f64::NAN;
        }
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            if above(middle) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }

    /// Risk reversal and butterfly of a delta, named by its `d1`: [`Smile::DELTA_25`],
    /// [`Smile::DELTA_10`].
    pub fn wing(&self, d1: f64) -> Wing {
        let at = (self.strike_of(d1), self.strike_of(-d1));
        let vol = (self.vol(at.0), self.vol(at.1));
        let butterfly = 0.5 * (vol.0 + vol.1) - self.level();
        Wing { at, vol, risk_reversal: vol.0 - vol.1, butterfly }
    }
}

/// Volatility at the forward that the market expects between two expiries; NaN where total variance
/// falls, which is calendar arbitrage.
pub fn forward_vol(near: &Smile, far: &Smile) -> f64 {
    let variance = far.svi.variance(0.0) - near.svi.variance(0.0);
    (variance / (far.years - near.years)).sqrt()
}
