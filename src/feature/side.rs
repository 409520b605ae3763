//! A print and the quote before it in; who wanted it out.

use crate::{chain::Quote, wire::market::Trade};

/// +1 bought, −1 sold, 0 unknown: the venue's word where it has one, else by the quote that stood
/// when it printed: at the ask or above bought, at the bid or below sold, inside by the nearer
/// side, in the middle nobody knows (Lee and Ready 1991 without the tick test, which needs prints
/// that options do not have).
#[inline]
pub(super) fn side_of(trade: &Trade, quote: &Quote) -> i8 {
    match trade.side {
        b'B' => return 1,
        b'A' => return -1,
        _ => {}
    }
    if !quote.is_firm() {
        return 0;
    }
    let off = trade.price.to_f64() - quote.mid();
    i8::from(off > NOTHING) - i8::from(off < -NOTHING)
}

/// Mids are whole multiples of 5e-10, which binary fractions are not.
const NOTHING: f64 = 2.5e-10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Price;

    #[test]
    fn the_venue_knows_best_and_the_quote_else() {
        let quote = Quote { bid: 1.0, ask: 1.5, ts: 1, ..Quote::NONE };
        let side = |side: u8, price: f64, quote: &Quote| {
            let price = Price::from_f64(price);
            side_of(&Trade { price, size: 1, side, ..bytemuck::Zeroable::zeroed() }, quote)
        };
        let by_quote = [0.95, 1.0, 1.2, 1.25, 1.3, 1.5, 1.6].map(|price| side(b'N', price, &quote));
        assert_eq!(by_quote, [-1, -1, -1, 0, 1, 1, 1]);
        let cents = Quote { bid: 12.3, ask: 12.4, ..quote };
        assert_eq!(side(b'N', 12.35, &cents), 0, "in the middle to the last digit");
        assert_eq!((side(b'A', 1.5, &quote), side(b'B', 1.0, &quote)), (-1, 1));
        assert_eq!(side(b'N', 1.5, &Quote::NONE), 0);
    }
}
