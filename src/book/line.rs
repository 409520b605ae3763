//! Fills of one contract in; what is held, what it cost and what was realised out.

use super::money::{Money, fit, value};

/// A holding of one instrument: contracts, their cost, and what closing some of them has realised.
///
/// `realised + (value of what is held − cost)` is exact whatever the order of the fills; how it
/// splits between realised and unrealised follows average cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// Dense index of the instrument.
    pub instrument: u32,
    /// Units per contract.
    pub multiplier: i64,
    /// Contracts: positive long, negative short.
    pub held: i64,
    /// What the held contracts cost: positive paid, negative received.
    pub cost: Money,
    /// Profit of what was closed, before fees.
    pub realised: Money,
    /// Fees paid.
    pub fees: Money,
}

impl Line {
    /// Nothing held yet.
    pub fn new(instrument: u32, multiplier: i64) -> Line {
        Line { instrument, multiplier, ..Line::default() }
    }

    /// Takes a fill of `contracts` (signed: positive bought) at `price` (1e-9 per unit), which cost
    /// `fee` in all.
    pub fn fill(&mut self, contracts: i64, price: i64, fee: Money) {
        self.fees = self.fees.saturating_add(fee);
        let opposite = (contracts > 0) != (self.held > 0);
        let closed = if opposite { contracts.abs().min(self.held.abs()) } else { 0 };
        if closed > 0 {
            self.close(closed, price);
        }
        let opened = contracts - contracts.signum() * closed;
        self.held += opened;
        self.cost = self.cost.saturating_add(value(price, opened, self.multiplier));
    }

    fn close(&mut self, closed: i64, price: i64) {
        let share = fit(i128::from(self.cost) * i128::from(closed) / i128::from(self.held.abs()));
        let signed = -self.held.signum() * closed;
        let proceeds = value(price, -signed, self.multiplier);
        self.realised = self.realised.saturating_add(proceeds.saturating_sub(share));
        self.cost -= share;
        self.held += signed;
    }

    /// Profit of what is held if it were worth `price` (1e-9 per unit).
    #[inline]
    pub fn unrealised(&self, price: i64) -> Money {
        value(price, self.held, self.multiplier).saturating_sub(self.cost)
    }

    /// What came in less what went out for it, before fees.
    #[inline]
    pub fn cash(&self) -> Money {
        self.realised.saturating_sub(self.cost)
    }

    /// Average price of what is held, 1e-9 per unit; 0 where nothing is.
    pub fn average(&self) -> i64 {
        let units = i128::from(self.held) * i128::from(self.multiplier);
        if units == 0 { 0 } else { fit(i128::from(self.cost) / units) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_round_trip_realises_the_difference_and_pays_its_fees() {
        let mut line = Line::new(1, 100);
        line.fill(-2, 1_500_000_000, 1_300_000_000);
        assert_eq!((line.held, line.cost, line.average()), (-2, -300_000_000_000, 1_500_000_000));
        line.fill(1, 500_000_000, 650_000_000);
        assert_eq!((line.held, line.realised), (-1, 100_000_000_000));
        line.fill(2, 1_000_000_000, 1_300_000_000);
        assert_eq!((line.held, line.cost, line.realised), (1, 100_000_000_000, 150_000_000_000));
        assert_eq!(line.fees, 5 * 650_000_000);
    }

    proptest! {
        /// Profit is cash plus what is held, whatever the way there.
        #[test]
        fn profit_is_exact_whatever_the_order(
            fills in prop::collection::vec((-5i64..=5, 1i64..10_000), 1..30), mark in 1i64..10_000,
        ) {
            let mut line = Line::new(1, 100);
            let (mut held, mut cash) = (0, 0);
            for (contracts, price) in fills {
                line.fill(contracts, price, 0);
                held += contracts;
                cash -= contracts * price * 100;
            }
            prop_assert_eq!(line.held, held);
            prop_assert_eq!(line.realised + line.unrealised(mark), cash + held * mark * 100);
            prop_assert_eq!(line.cash(), cash);
            prop_assert!(held != 0 || line.cost == 0);
        }
    }
}
