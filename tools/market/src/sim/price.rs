//! Forward, strike, time and volatility in; a Black-76 price out. Good to a thousandth of a tick.

use std::f64::consts::PI;

/// The normal distribution by Zelen and Severo (Abramowitz and Stegun 26.2.17), error below 1e-7.
fn normal_cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = 0.319_381_530
        + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429)));
    let tail = (-0.5 * x * x).exp() / (2.0 * PI).sqrt() * t * poly;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

/// Undiscounted value of a call and a put.
pub fn black(forward: f64, strike: f64, years: f64, sigma: f64) -> (f64, f64) {
    let deviation = sigma * years.sqrt();
    if deviation <= 1e-12 {
        return ((forward - strike).max(0.0), (strike - forward).max(0.0));
    }
    let d1 = (forward / strike).ln() / deviation + 0.5 * deviation;
    let call = forward * normal_cdf(d1) - strike * normal_cdf(d1 - deviation);
    let call = call.max((forward - strike).max(0.0));
    (call, call - forward + strike)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_those_of_the_textbook() {
        // Hull: F = K = 20, r = 9 %, T = 4/12, sigma = 25 %; discounted put 1.1166.
        let (call, put) = black(20.0, 20.0, 4.0 / 12.0, 0.25);
        let discount = (-0.09f64 * 4.0 / 12.0).exp();
        assert!((put * discount - 1.1166).abs() < 1e-4, "{put}");
        assert!((call - put).abs() < 1e-9, "parity at the money");
        assert_eq!(black(105.0, 100.0, 0.0, 0.2), (5.0, 0.0));
    }
}
