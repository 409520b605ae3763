//! What is held at settlement, as its value at each strike, in; its least value with the claims of
//! an order beside it, out.
//!
//! The value of claims that settle together is piecewise linear in the price, and so is an order's.
//! Between two strikes of the order its own part is a straight line: there the sum is least at a
//! strike of what is held. So a few claims more are one multiplication for each strike that is
//! held, none of which waits for the one before, instead of a walk over all claims. Integers
//! throughout.

use super::payoff::{Claim, Claimed};
use alloc::vec::Vec;

/// A price at which the slope changes, the value there, and the slope to the right of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) at: i64,
    pub(super) value: i128,
    pub(super) slope: i128,
}

/// Adds the points of claims (by strike) and cash, beginning at price 0, to `into`.
pub(super) fn points(claims: &[Claimed], cash: i128, into: &mut Vec<Point>) {
    let mut here = Point { at: 0, value: cash, slope: 0 };
    claims.iter().for_each(|claimed| begin(&mut here, claimed, 1));
    for claimed in claims.iter().filter(|claimed| claimed.claim != Claim::Price) {
        if claimed.strike > here.at {
            into.push(here);
            here.value += here.slope * i128::from(claimed.strike - here.at);
            here.at = claimed.strike;
        }
        here.slope += i128::from(claimed.units);
    }
    into.push(here);
}

/// Value and slope at price 0 with one claim more.
fn begin(here: &mut Point, claimed: &Claimed, scale: i128) {
    let units = i128::from(claimed.units) * scale;
    match claimed.claim {
        Claim::Call => {}
        Claim::Put => {
            here.value += i128::from(claimed.strike) * units;
            here.slope -= units;
        }
        Claim::Price => here.slope += units,
    }
}

/// The least over all prices of what `points` say and `scale` times an order's claims (by strike);
/// `None` where the upper tail has no floor.
pub(super) fn least(points: &[Point], order: &[Claimed], scale: i128) -> Option<i128> {
    let mut line = Point { at: 0, value: 0, slope: 0 };
    order.iter().for_each(|claimed| begin(&mut line, claimed, scale));
    let (mut rest, mut least) = (points, i128::MAX);
    let mut last = *points.first()?;
    for claimed in order.iter().filter(|claimed| claimed.claim != Claim::Price) {
        let below = rest.partition_point(|point| point.at < claimed.strike);
        let (passed, ahead) = rest.split_at(below);
        least = least.min(along(passed, &line));
        last = passed.last().copied().unwrap_or(last);
        rest = ahead;
        let wide = i128::from(claimed.strike - line.at);
        line.value += line.slope * wide;
        line.at = claimed.strike;
        let held = last.value + last.slope * i128::from(claimed.strike - last.at);
        least = least.min(held + line.value);
        line.slope += i128::from(claimed.units) * scale;
    }
    least = least.min(along(rest, &line));
    let end = points.last()?;
    (end.slope + line.slope >= 0).then_some(least)
}

/// The least of points together with a straight line.
#[inline(always)]
fn along(points: &[Point], line: &Point) -> i128 {
    // From 0 on, so that no product waits for a difference.
    let from = line.value - line.slope * i128::from(line.at);
    let slope = line.slope as i64;
    if i128::from(slope) != line.slope {
        let sum = |p: &Point| p.value + from + line.slope * i128::from(p.at);
        return points.iter().map(sum).min().unwrap_or(i128::MAX);
    }
    let sum = |p: &Point| p.value + from + i128::from(slope) * i128::from(p.at);
    points.iter().map(sum).min().unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::{super::payoff::Walk, *};

    /// Numbers from 0 to below a bound, the same in every run.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, bound: u64) -> i64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((self.0 >> 33) % bound) as i64
        }
    }

    fn some(dice: &mut Dice, count: i64) -> Vec<Claimed> {
        let mut claims: Vec<Claimed> = (0..count)
            .map(|_| {
                let kinds = [Claim::Call, Claim::Put, Claim::Call, Claim::Price];
                let claim = kinds[dice.below(4) as usize];
                let strike = if claim == Claim::Price { 0 } else { 1 + dice.below(12) };
                Claimed { claim, strike, units: dice.below(9) - 4 }
            })
            .collect();
        claims.sort_unstable_by_key(|claimed| claimed.strike);
        claims
    }

    #[test]
    fn it_is_what_a_walk_over_both_lists_finds() {
        let mut dice = Dice(5);
        let mut floors = 0;
        for _ in 0..50_000 {
            let held = dice.below(12);
            let (held, asked) = (some(&mut dice, held), dice.below(7));
            let (order, cash) = (some(&mut dice, asked), i128::from(dice.below(41) - 20));
            let mut kept = Vec::new();
            points(&held, cash, &mut kept);
            for scale in [1, 1 << 20] {
                let times = |c: &Claimed| Claimed { units: c.units * scale as i64, ..*c };
                let scaled: Vec<Claimed> = order.iter().map(times).collect();
                let mut walk = Walk::new([&held, &scaled], cash);
                let mut walked = walk.value;
                while walk.step() {
                    walked = walked.min(walk.value);
                }
                let walked = (walk.slope >= 0).then_some(walked);
                assert_eq!(least(&kept, &order, scale), walked, "{held:?} {order:?} {cash}");
                floors += u32::from(walked.is_some());
            }
        }
        assert!(floors > 10_000, "{floors}");
    }
}
