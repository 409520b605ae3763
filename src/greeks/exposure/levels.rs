//! Strikes with their exposures in; walls, concentration, and the strike that pays least, out.

use super::{Exposure, Sums};
use crate::chain::{Chain, Expiry};
use alloc::vec::Vec;

/// What is held at one strike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// The strike.
    pub strike: f64,
    /// Calls that count, contracts.
    pub calls: f64,
    /// Puts that count, contracts.
    pub puts: f64,
    /// Figures of the calls.
    pub call: Sums,
    /// Figures of the puts.
    pub put: Sums,
}

impl Level {
    /// The strike's exposures, by both conventions.
    pub fn exposure(&self) -> Exposure {
        Exposure {
            dealer: self.call.plus(&self.put, -1.0),
            gross: self.call.plus(&self.put, 1.0),
            contracts: self.calls + self.puts,
            unpriced: 0.0,
        }
    }
}

/// All strikes of a root and what stands out among them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels<'a> {
    /// Ascending.
    pub strikes: &'a [Level],
    /// The strike with the most gamma of calls; NaN where there is none.
    pub call_wall: f64,
    /// The strike with the most gamma of puts; NaN where there is none.
    pub put_wall: f64,
    /// Sum of the squared shares of the strikes in the gross gamma (Herfindahl): 1 where one
    /// strike has it all, 1/n where n share it evenly; NaN where there is none.
    pub concentration: f64,
}

impl<'a> Levels<'a> {
    pub(super) fn new(strikes: &'a [Level]) -> Levels<'a> {
        let wall = |gamma: fn(&Level) -> f64| {
            let most = strikes.iter().max_by(|a, b| gamma(a).total_cmp(&gamma(b)));
            most.filter(|level| gamma(level) > 0.0).map_or(f64::NAN, |level| level.strike)
        };
        let (calls, puts) = (
            |level: &Level| level.call.gamma_per_percent,
            |level: &Level| level.put.gamma_per_percent,
        );
        let gross = |level: &Level| calls(level) + puts(level);
        let total: f64 = strikes.iter().map(gross).sum();
        let squares: f64 = strikes.iter().map(|level| gross(level) * gross(level)).sum();
        Levels {
            strikes,
            call_wall: wall(calls),
            put_wall: wall(puts),
            concentration: squares / (total * total),
        }
    }
}

/// Sorts strikes and makes one of equal ones.
pub(super) fn merge(levels: &mut Vec<Level>) {
    levels.sort_unstable_by(|a, b| a.strike.total_cmp(&b.strike));
    levels.dedup_by(|next, kept| {
        let same = next.strike == kept.strike;
        if same {
            kept.calls += next.calls;
            kept.puts += next.puts;
            kept.call = kept.call.plus(&next.call, 1.0);
            kept.put = kept.put.plus(&next.put, 1.0);
        }
        same
    });
}

/// Where a function that has different signs at two places is zero, to a millionth.
pub(super) fn root_between(
    mut a: (f64, f64),
    mut b: (f64, f64),
    value: impl Fn(f64) -> f64,
) -> f64 {
    while (b.0 - a.0).abs() > 1e-6 {
        let middle = 0.5 * (a.0 + b.0);
        let at = (middle, value(middle));
        if (at.1 > 0.0) == (a.1 > 0.0) { a = at } else { b = at }
    }
    0.5 * (a.0 + b.0)
}

/// The strike of an expiry at which its options would pay their holders least, by open interest;
/// the lowest of equal ones, `None` where nothing is open.
pub fn max_pain(chain: &Chain, expiry: &Expiry) -> Option<f64> {
    let open = |index: Option<u32>| index.map_or(0, |index| chain.tape(index).interest.max(0));
    let rows = || (0..expiry.rows()).map(|row| (expiry.strike(row), row));
    let calls: f64 = rows().map(|(_, row)| open(expiry.call(row)) as f64).sum();
    let puts: f64 = rows().map(|(_, row)| open(expiry.put(row)) as f64).sum();
    if calls + puts == 0.0 {
        return None;
    }
    // From strike to strike the payout changes by the calls below less the puts above.
    let (mut below, mut above) = (0.0, puts);
    let (mut pays, mut best) = (0.0, (0.0, expiry.strike(0)));
    let mut last = expiry.strike(0);
    for (strike, row) in rows() {
        pays += (strike - last) * (below - above);
        if pays < best.0 {
            best = (pays, strike);
        }
        below += open(expiry.call(row)) as f64;
        above -= open(expiry.put(row)) as f64;
        last = strike;
    }
    Some(best.1)
}
