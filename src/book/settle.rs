//! A chain whose time has reached a settlement in; what was held of it as cash out.

use super::{Book, Desk};
use crate::{
    chain::Chain,
    wire::{Price, market::Class},
};

impl Desk {
    /// Turns held options whose settlement instant has come into what they are worth then: the
    /// intrinsic value at the underlying's mid, or at the expiry's forward where there is none.
    /// What has neither stays held, and is tried again at the next batch. There is no fee.
    pub fn settle(&mut self) {
        let Desk { chain, book, .. } = self;
        let mut i = 0;
        while let Some(&instrument) = book.held.get(i) {
            match settlement(chain, instrument) {
                // The list closes up over what is no longer held.
                Some(price) => book.settle(instrument, price),
                None => i += 1,
            }
        }
    }
}

impl Book {
    fn settle(&mut self, instrument: u32, price: i64) {
        for i in (0..self.open.len()).rev() {
            let place = self.open[i];
            let package = &mut self.packages[place as usize];
            let line = package.lines().iter().find(|line| line.instrument == instrument);
            let held = line.map_or(0, |line| line.held);
            package.fill(instrument, -held, price, 0);
            self.list(place, true);
        }
        let line = self.position(instrument).line;
        self.hold(instrument, line.multiplier, -line.held, price, 0);
    }
}

/// What an option is worth at its settlement, 1e-9 per unit; `None` before it, or where the
/// underlying's price is unknown.
fn settlement(chain: &Chain, instrument: u32) -> Option<i64> {
    let terms = chain.instrument(instrument).filter(|terms| terms.class.is_option())?;
    if chain.now < terms.settles {
        return None;
    }
    let spot = Some(chain.spot(terms.root)).filter(|spot| spot.is_finite());
    let forward = || chain.expiries().nth(usize::from(terms.expiry)).map(|(_, e)| e.forward);
    let price = spot.or_else(forward).filter(|price| price.is_finite())?;
    let inside =
        if terms.class == Class::CALL { price - terms.strike } else { terms.strike - price };
    Some(Price::from_f64(inside.max(0.0))).filter(|price| price.is_defined()).map(|price| price.0)
}
