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
    let mut value = cash;
    let mut slope = 0i128;
    for claimed in claims.iter() {
        let units = i128::from(claimed.units);
        match claimed.claim {
            Claim::Call => {}
            Claim::Put => {
                value += i128::from(claimed.strike) * units;
                slope -= units;
            }
            Claim::Price => slope += units,
        }
    }
    let (mut worst, mut best, mut at) = (value, value, 0);
    for claimed in claims.iter().filter(|claimed| claimed.claim != Claim::Price) {
        value += slope * i128::from(claimed.strike - at);
        at = claimed.strike;
        // A put ends to the right of its strike, a call begins there: the same change of slope.
        slope += i128::from(claimed.units);
        worst = worst.min(value);
        best = best.max(value);
    }
    Extremes {
        worst: if slope < 0 { -UNBOUNDED } else { fit(worst) },
        best: if slope > 0 { UNBOUNDED } else { fit(best) },
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
