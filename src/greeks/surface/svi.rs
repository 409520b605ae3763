//! Five numbers and a log-moneyness in; total variance, its slopes, and Durrleman's condition out.

/// A smile in raw SVI: w(k) = a + b (ρ (k − m) + √((k − m)² + σ²)), with k = ln(K/F) and w = iv²·T.
/// Gatheral, "A parsimonious arbitrage-free implied volatility parameterization" (2004).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Svi {
    /// Level.
    pub a: f64,
    /// Steepness of the wings together, not negative.
    pub b: f64,
    /// Tilt, −1 to 1.
    pub rho: f64,
    /// Where the bend lies, in log-moneyness.
    pub m: f64,
    /// How round the bend is, positive.
    pub sigma: f64,
}

impl Svi {
    /// Total variance at log-moneyness `k`.
    #[inline(always)]
    pub fn variance(&self, k: f64) -> f64 {
        self.slopes(k).0
    }

    /// Total variance, its first and its second derivative in `k`.
    #[inline(always)]
    pub fn slopes(&self, k: f64) -> (f64, f64, f64) {
        let x = k - self.m;
        let root = x.mul_add(x, self.sigma * self.sigma).sqrt();
        let w = self.b.mul_add(self.rho.mul_add(x, root), self.a);
        let first = self.b * (self.rho + x / root);
        let second = self.b * self.sigma * self.sigma / (root * root * root);
        (w, first, second)
    }

    /// The smallest total variance of the smile.
    pub fn floor(&self) -> f64 {
        (self.b * self.sigma).mul_add((1.0 - self.rho * self.rho).max(0.0).sqrt(), self.a)
    }

    /// Durrleman's g at `k`: the risk-neutral density has its sign, so below zero a butterfly
    /// there has a negative price. Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces"
    /// (2014), equation 2.1.
    #[inline(always)]
    pub fn density_sign(&self, k: f64) -> f64 {
        let (w, first, second) = self.slopes(k);
        let centre = 1.0 - 0.5 * k * first / w;
        let bend = first * first * 0.25 * (1.0 / w + 0.25);
        centre * centre - bend + 0.5 * second
    }

    /// Whether every number is one, the smile is nowhere at or below zero, and neither wing is
    /// steeper than Lee's bound of 2 ("The moment formula for implied volatility", 2004).
    pub fn is_sound(&self) -> bool {
        let steepest = self.b * (1.0 + self.rho.abs());
        self.sigma > 0.0
            && self.b >= 0.0
            && self.rho.abs() <= 1.0
            && self.m.is_finite()
            && steepest <= 2.0
            && self.floor() > 0.0
    }
}
