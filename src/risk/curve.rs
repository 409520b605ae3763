//! What is held at settlement, as its value at each strike, in; its least value with the claims of
//! an order beside it, out.
//!
//! The value of claims that settle together is piecewise linear in the price, and so is an order's.
//! Between two strikes of the order its own part is a straight line: there the sum is least at a
//! strike of what is held. So a few claims more are one multiplication for each strike that is
//! held, none of which waits for the one before, instead of a walk over all claims. Of many strikes
//! floats tell first which can be the least at all; what is least among those, integers say.

use super::{
    dollars::float,
    payoff::{Claim, Claimed},
};
use alloc::vec::Vec;

/// A price at which the slope changes, the value there, and the slope to the right of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) at: i64,
    pub(super) value: i128,
    pub(super) slope: i128,
}

/// Curves one behind the other, as points and, rounded, as columns.
#[derive(Debug)]
pub(super) struct Curves {
    points: Vec<Point>,
    at: Vec<f64>,
    value: Vec<f64>,
}

impl Curves {
    pub(super) fn with_capacity(points: usize) -> Curves {
        let column = || Vec::with_capacity(points);
        Curves { points: Vec::with_capacity(points), at: column(), value: column() }
    }

    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.at.clear();
        self.value.clear();
    }

    /// Adds the curve of claims (by strike) and cash, beginning at price 0; its place.
    pub(super) fn add(&mut self, claims: &[Claimed], cash: i128) -> (u32, u32) {
        let from = self.points.len() as u32;
        let mut here = Point { at: 0, value: cash, slope: 0 };
        claims.iter().for_each(|claimed| begin(&mut here, claimed, 1));
        for claimed in claims.iter().filter(|claimed| claimed.claim != Claim::Price) {
            if claimed.strike > here.at {
                self.push(here);
                here.value += here.slope * i128::from(claimed.strike - here.at);
                here.at = claimed.strike;
            }
            here.slope += i128::from(claimed.units);
        }
        self.push(here);
        (from, self.points.len() as u32)
    }

    fn push(&mut self, point: Point) {
        self.points.push(point);
        self.at.push(point.at as f64);
        self.value.push(float(point.value));
    }

    /// The curve at a place.
    pub(super) fn curve(&self, (from, until): (u32, u32)) -> Curve<'_> {
        let place = from as usize..until as usize;
        Curve {
            points: &self.points[place.clone()],
            at: &self.at[place.clone()],
            value: &self.value[place],
        }
    }
}

/// A curve, or a stretch of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curve<'a> {
    points: &'a [Point],
    at: &'a [f64],
    value: &'a [f64],
}

impl<'a> Curve<'a> {
    fn split(&self, at: usize) -> (Curve<'a>, Curve<'a>) {
        let (points, at_value) = (self.points.split_at(at), self.value.split_at(at));
        let place = self.at.split_at(at);
        let curve = |points, at, value| Curve { points, at, value };
        (curve(points.0, place.0, at_value.0), curve(points.1, place.1, at_value.1))
    }
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

/// The least over all prices of what a curve says and `scale` times an order's claims (by strike);
/// `None` where the upper tail has no floor.
pub(super) fn least(curve: Curve<'_>, order: &[Claimed], scale: i128) -> Option<i128> {
    let mut line = Point { at: 0, value: 0, slope: 0 };
    order.iter().for_each(|claimed| begin(&mut line, claimed, scale));
    let (mut rest, mut least) = (curve, i128::MAX);
    let mut last = *curve.points.first()?;
    for claimed in order.iter().filter(|claimed| claimed.claim != Claim::Price) {
        let below = rest.points.partition_point(|point| point.at < claimed.strike);
        let (passed, ahead) = rest.split(below);
        least = least.min(along(passed, &line));
        last = passed.points.last().copied().unwrap_or(last);
        rest = ahead;
        let wide = i128::from(claimed.strike - line.at);
        line.value += line.slope * wide;
        line.at = claimed.strike;
        let held = last.value + last.slope * i128::from(claimed.strike - last.at);
        least = least.min(held + line.value);
        line.slope += i128::from(claimed.units) * scale;
    }
    least = least.min(along(rest, &line));
    let end = curve.points.last()?;
    (end.slope + line.slope >= 0).then_some(least)
}

/// Points that are looked at together.
const BLOCK: usize = 8;

/// More than twice what all roundings of a sum of floats come to, as a share of its terms: each
/// term, the product and both sums are rounded once, by 2⁻⁵³.
const ROUNDING: f64 = 1.0 / (1u64 << 48) as f64;

/// The least of values at points with what a line rises by to each; the greatest number for none.
#[inline(always)]
fn lowest(points: &[Point], rise: impl Fn(i64) -> i128) -> i128 {
    points.iter().map(|point| point.value + rise(point.at)).min().unwrap_or(i128::MAX)
}

/// The least of a stretch together with a straight line.
fn along(curve: Curve<'_>, line: &Point) -> i128 {
    if curve.points.is_empty() {
        return i128::MAX;
    }
    // From 0 on, so that no product waits for a difference; nearly every slope fits one word, whose
    // product is one instruction.
    let from = line.value - line.slope * i128::from(line.at);
    let exact = |points: &[Point]| match i64::try_from(line.slope) {
        Ok(slope) => lowest(points, |at| i128::from(slope) * i128::from(at)),
        Err(_) => lowest(points, |at| line.slope * i128::from(at)),
    };
    if curve.points.len() < 2 * BLOCK {
        return from + exact(curve.points);
    }
    let (blocks, rest) = curve.points.as_chunks::<BLOCK>();
    let (at, value) = (curve.at.as_chunks::<BLOCK>().0, curve.value.as_chunks::<BLOCK>().0);
    let slope = float(line.slope);
    let sum = |at: f64, value: f64| at.mul_add(slope, value);
    let (mut low, mut size) = ([f64::INFINITY; BLOCK], [0.0; BLOCK]);
    for (at, value) in at.iter().zip(value) {
        for i in 0..BLOCK {
            low[i] = lesser(sum(at[i], value[i]), low[i]);
            size[i] = -lesser(-value[i].abs(), -size[i]);
        }
    }
    let top = curve.at.last().copied().unwrap_or(0.0);
    let most = size.into_iter().fold(0.0, |a, b| -lesser(-a, -b)) + (slope * top).abs();
    let near = low.into_iter().fold(f64::INFINITY, lesser) + most * ROUNDING;
    let mut least = exact(rest);
    for ((at, value), points) in at.iter().zip(value).zip(blocks) {
        let mut low = [0.0; BLOCK];
        (0..BLOCK).for_each(|i| low[i] = sum(at[i], value[i]));
        if low.into_iter().fold(f64::INFINITY, lesser) <= near {
            least = least.min(exact(points));
        }
    }
    from + least
}

/// The smaller one, as one instruction.
#[inline(always)]
fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
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

    /// So many claims on the first so many whole prices.
    fn some(dice: &mut Dice, count: i64, strikes: u64) -> Vec<Claimed> {
        let mut claims: Vec<Claimed> = (0..count)
            .map(|_| {
                let kinds = [Claim::Call, Claim::Put, Claim::Call, Claim::Price];
                let claim = kinds[dice.below(4) as usize];
                let strike = if claim == Claim::Price { 0 } else { 1 + dice.below(strikes) };
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
        for (most, strikes) in [(12, 12), (120, 60)].into_iter().cycle().take(50_000) {
            let held = dice.below(most);
            let (held, asked) = (some(&mut dice, held, strikes), dice.below(7));
            let order = some(&mut dice, asked, strikes);
            let cash = i128::from(dice.below(41) - 20);
            let mut kept = Curves::with_capacity(8);
            let place = kept.add(&held, cash);
            for scale in [1, 1 << 20] {
                let times = |c: &Claimed| Claimed { units: c.units * scale as i64, ..*c };
                let scaled: Vec<Claimed> = order.iter().map(times).collect();
                let mut walk = Walk::new([&held, &scaled], cash);
                let mut walked = walk.value;
                while walk.step() {
                    walked = walked.min(walk.value);
                }
                let walked = (walk.slope >= 0).then_some(walked);
                assert_eq!(
                    least(kept.curve(place), &order, scale),
                    walked,
                    "{held:?} {order:?} {cash}"
                );
                floors += u32::from(walked.is_some());
            }
        }
        assert!(floors > 10_000, "{floors}");
    }
}
