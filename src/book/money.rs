//! Prices, contracts and multipliers in, money as an integer out.
//!
//! Money is `i64` in 1e-9 units of currency, as prices are: what a fill costs is exact, and up to
//! nine billion fit. What does not fit saturates, which every limit refuses.

use crate::wire::PRICE_SCALE;

/// Money in 1e-9 units of currency.
pub type Money = i64;

/// A worst case without a bound, or money beyond what fits.
pub const UNBOUNDED: Money = i64::MAX;

/// The nearest representable money.
#[inline(always)]
pub fn fit(wide: i128) -> Money {
    wide.clamp(-(i64::MAX as i128), i64::MAX as i128) as i64
}

/// `contracts` (signed) at `price` (1e-9 per unit), `multiplier` units each.
#[inline(always)]
pub fn value(price: i64, contracts: i64, multiplier: i64) -> Money {
    fit(i128::from(price) * i128::from(contracts) * i128::from(multiplier))
}

/// Money from units of currency; NaN and what does not fit become [`UNBOUNDED`].
#[inline]
pub fn from_currency(amount: f64) -> Money {
    let scaled = amount * PRICE_SCALE as f64;
    // NaN is not below the bound.
    if scaled.abs() < 9.2e18 {
        (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64
    } else {
        UNBOUNDED
    }
}

/// In units of currency, for reports only; infinite for [`UNBOUNDED`].
#[inline]
pub fn to_currency(money: Money) -> f64 {
    if money == UNBOUNDED { f64::INFINITY } else { money as f64 / PRICE_SCALE as f64 }
}
