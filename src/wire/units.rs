//! Prices, times and their undefined values, as DBN has them.

/// Nanoseconds since the Unix epoch, UTC. [`UNDEF_TIME`] where the exchange gave none.
pub type Timestamp = u64;

/// No time: real consolidated quotes come without one.
pub const UNDEF_TIME: Timestamp = u64::MAX;

/// Nanoseconds in a second.
pub const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Seconds in a year of the ACT/365 day count.
pub const SECONDS_PER_YEAR: f64 = 365.0 * 86_400.0;

/// Units of [`Price`] in one unit of currency.
pub const PRICE_SCALE: i64 = 1_000_000_000;

/// The value of an undefined price on the wire.
pub const UNDEF_PRICE: i64 = i64::MAX;

/// A price in units of 1e-9, as it travels; [`UNDEF_PRICE`] where a side of a quote is absent.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Price(pub i64);

impl Price {
    /// The absent price.
    pub const UNDEF: Price = Price(UNDEF_PRICE);

    /// Whether there is a price.
    #[inline(always)]
    pub fn is_defined(self) -> bool {
        self.0 != UNDEF_PRICE
    }

    /// The price in units of currency; NaN where it is undefined.
    #[inline(always)]
    pub fn to_f64(self) -> f64 {
        // Division, not multiplication by 1e-9: exact decimal quotes stay the nearest double.
        if self.is_defined() { self.0 as f64 / PRICE_SCALE as f64 } else { f64::NAN }
    }

    /// The nearest wire price; undefined for NaN and for what does not fit.
    #[inline]
    pub fn from_f64(value: f64) -> Price {
        let scaled = value * PRICE_SCALE as f64;
        if scaled.is_nan() || scaled.abs() >= 9.2e18 {
            return Price::UNDEF;
        }
        // `f64::round` is not in core: half away from zero by hand.
        Price((scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_survives_the_way_to_f64_and_back() {
        for cents in -1_000_000..1_000_000i64 {
            let price = Price(cents * 10_000_000);
            assert_eq!(Price::from_f64(price.to_f64()), price);
        }
    }

    #[test]
    fn an_undefined_price_is_nan_and_nan_is_undefined() {
        assert!(Price::UNDEF.to_f64().is_nan());
        assert_eq!(Price::from_f64(f64::NAN), Price::UNDEF);
        assert_eq!(Price::from_f64(1e300), Price::UNDEF);
    }
}
