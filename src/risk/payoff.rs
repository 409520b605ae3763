//! Legs of one expiry and cash in; the worst and the best that they can come to out, exactly.
//!
//! At settlement the value is a continuous, piecewise linear function of the price S ≥ 0 with kinks
//! at the strikes. So its extremes lie at S = 0, at a strike, or in the upper tail, which is
//! bounded exactly if the slope there is zero or points the right way. Integers throughout.

use crate::book::{Money, UNBOUNDED, fit};

/// A claim on the price at settlement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Claim {
    /// max(S − strike, 0).
    Call,
    /// max(strike − S, 0).
    Put,
    /// S itself: a share, a future.
    Price,
}

/// So many units of a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Claimed {
    /// What it pays.
    pub claim: Claim,
    /// Strike in 1e-9; 0 for the price itself.
    pub strike: i64,
    /// Contracts × multiplier: positive owned, negative owed.
    pub units: i64,
}

/// The least and the most that claims and cash come to, over all prices from 0 up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extremes {
    /// Least profit; −[`UNBOUNDED`] where the upper tail has no floor.
    pub worst: Money,
    /// Most profit; [`UNBOUNDED`] where the upper tail has no ceiling.
    pub best: Money,
}

/// The extremes of `claims` and `cash` (1e-9 units of currency). Sorts the claims by strike.
pub fn extremes(claims: &mut [Claimed], cash: i128) -> Extremes {
    claims.sort_unstable_by_key(|claimed| claimed.strike);
    together(claims, &[], cash)
}

/// The extremes of two lists of claims, each by strike, and `cash`.
pub(super) fn together(one: &[Claimed], other: &[Claimed], cash: i128) -> Extremes {
    let mut walk = Walk::new([one, other], cash);
    let (mut worst, mut best) = (walk.value, walk.value);
    while walk.step() {
        worst = worst.min(walk.value);
        best = best.max(walk.value);
    }
    Extremes {
        worst: if walk.slope < 0 { -UNBOUNDED } else { fit(worst) },
        best: if walk.slope > 0 { UNBOUNDED } else { fit(best) },
    }
}

/// The value at settlement of two lists of claims and cash, from price 0 on, strike by strike.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    lists: [&'a [Claimed]; 2],
    /// The price that it has come to, 1e-9.
    pub(super) at: i64,
    /// What everything is worth there, 1e-9.
    pub(super) value: i128,
    /// Change of value a unit of price, to the right of it.
    pub(super) slope: i128,
}

impl<'a> Walk<'a> {
    pub(super) fn new(lists: [&'a [Claimed]; 2], cash: i128) -> Walk<'a> {
        Walk { lists, at: 0, value: cash, slope: 0 }.with(lists[0]).with(lists[1])
    }

    fn with(mut self, list: &[Claimed]) -> Walk<'a> {
        for claimed in list {
            let units = i128::from(claimed.units);
            match claimed.claim {
                Claim::Call => {}
                Claim::Put => {
                    self.value += i128::from(claimed.strike) * units;
                    self.slope -= units;
                }
                Claim::Price => self.slope += units,
            }
        }
        self
    }

    /// Goes on to the next strike; false behind the last one.
    #[inline(always)]
    pub(super) fn step(&mut self) -> bool {
        let key = |list: &[Claimed]| list.first().map_or(i64::MAX, |claimed| claimed.strike);
        let from = usize::from(key(self.lists[1]) < key(self.lists[0]));
        let Some((claimed, rest)) = self.lists[from].split_first() else { return false };
        self.lists[from] = rest;
        // A put ends to the right of its strike, a call begins there: the same change of slope.
        let turn = if claimed.claim == Claim::Price { 0 } else { claimed.units };
        let wide = i128::from(claimed.strike - self.at);
        self.value += self.slope * wide;
        self.at = claimed.strike;
        self.slope += i128::from(turn);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: i64 = 1_000_000_000;

    fn of(claim: Claim, strike: i64, units: i64) -> Claimed {
        Claimed { claim, strike: strike * POINT, units }
    }

    #[test]
    fn an_iron_condor_loses_its_wider_wing_less_the_credit() {
        let mut legs = [
            of(Claim::Put, 90, 100),
            of(Claim::Put, 95, -100),
            of(Claim::Call, 105, -100),
            of(Claim::Call, 115, 100),
        ];
        let credit = i128::from(150 * POINT);
        let found = extremes(&mut legs, credit);
        assert_eq!(found, Extremes { worst: -850 * POINT, best: 150 * POINT });
    }

    #[test]
    fn a_naked_call_has_no_floor_and_a_naked_put_has_one_at_zero() {
        let naked_call = extremes(&mut [of(Claim::Call, 100, -100)], 0);
        assert_eq!(naked_call, Extremes { worst: -UNBOUNDED, best: 0 });
        let naked_put = extremes(&mut [of(Claim::Put, 100, -100)], 0);
        assert_eq!(naked_put, Extremes { worst: -10_000 * POINT, best: 0 });
        let covered = [of(Claim::Call, 100, -100), of(Claim::Price, 0, 100)];
        let covered = extremes(&mut covered.clone(), i128::from(-9_500 * POINT));
        assert_eq!(covered, Extremes { worst: -9_500 * POINT, best: 500 * POINT });
    }

    #[test]
    fn nothing_is_worth_its_cash() {
        assert_eq!(extremes(&mut [], 7), Extremes { worst: 7, best: 7 });
    }
}
