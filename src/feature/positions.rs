//! The chain's strikes, an expiry a row in turn, in; where open interest and today's volume lie in
//! the nearest expiries out.
//!
//! One of the three nearest expiries is looked through at each row, so a row costs what one expiry
//! costs, and what it says of an expiry is at most three rows old.

use super::{
    block::{Block, See, Setup},
    nearest::{NEAREST, NEAREST_NAMES, nearest},
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::{
    chain::{Chain, Expiry},
    greeks::exposure::max_pain,
};

const STATS: &[Stat] = &all_by(
    "open interest by the last report",
    [
        stat("oi_calls", "contracts", POSITIVE, "Σ open interest of calls"),
        stat("oi_puts", "contracts", POSITIVE, "Σ open interest of puts"),
        stat("pcr_oi", "1", POSITIVE, "oi_puts / oi_calls"),
        stat(
            "oi_concentration",
            "1",
            [0.0, 1.0],
            "open interest of the three largest strikes / all",
        ),
        stat("oi_herfindahl", "1", [0.0, 1.0], "Σ of squared shares of the strikes"),
        stat("oi_center", "1", REAL, "mean of K/F − 1 by open interest"),
        stat("oi_width", "1", POSITIVE, "standard deviation of K/F − 1 by open interest"),
        stat("oi_skewness", "1", REAL, "third central moment / width³"),
        stat("call_peak", "1", REAL, "K/F − 1 of the call strike with the most open interest"),
        stat("put_peak", "1", REAL, "K/F − 1 of the put strike with the most open interest"),
        stat("max_pain_distance", "1", REAL, "max pain / F − 1"),
        stat("volume_peak", "1", REAL, "K/F − 1 of the strike with the most volume today"),
        stat("volume_center", "1", REAL, "mean of K/F − 1 by volume today"),
        stat("volume_interest", "1", POSITIVE, "volume today / open interest"),
        stat("otm_volume_share", "1", [0.0, 1.0], "volume out of the money / all"),
    ],
);

/// What the last look at each of the nearest expiries gave.
#[derive(Debug)]
pub(super) struct Positions {
    values: [[f64; STATS.len()]; NEAREST],
    of: [Option<u16>; NEAREST],
    turn: usize,
}

/// One strike of an expiry.
struct Strike {
    off: f64,
    calls: f64,
    puts: f64,
    call_volume: f64,
    put_volume: f64,
}

impl Strike {
    fn interest(&self) -> f64 {
        self.calls + self.puts
    }

    fn volume(&self) -> f64 {
        self.call_volume + self.put_volume
    }
}

fn strikes<'a>(chain: &'a Chain, expiry: &'a Expiry) -> impl Iterator<Item = Strike> + 'a {
    (0..expiry.rows()).map(move |row| {
        let held = |index: Option<u32>| {
            let tape = index.map(|index| chain.tape(index));
            tape.map_or((0.0, 0.0), |tape| (tape.interest.max(0) as f64, tape.volume as f64))
        };
        let ((calls, call_volume), (puts, put_volume)) =
            (held(expiry.call(row)), held(expiry.put(row)));
        let off = expiry.strike(row) / expiry.forward - 1.0;
        Strike { off, calls, puts, call_volume, put_volume }
    })
}

/// A weight's sums of powers, largest strikes and where the largest one is.
#[derive(Clone, Copy, Debug, Default)]
struct Spread {
    sum: f64,
    squares: f64,
    powers: [f64; 3],
    top: [f64; 3],
    peak: (f64, f64),
}

impl Spread {
    fn add(&mut self, off: f64, weight: f64) {
        self.sum += weight;
        self.squares += weight * weight;
        self.powers[0] += weight * off;
        self.powers[1] += weight * off * off;
        self.powers[2] += weight * off * off * off;
        let mut weight_left = weight;
        for place in &mut self.top {
            if weight_left > *place {
                core::mem::swap(place, &mut weight_left);
            }
        }
        if weight > self.peak.1 {
            self.peak = (off, weight);
        }
    }

    /// Where the largest is; NaN where there is nothing.
    fn peak(&self) -> f64 {
        if self.peak.1 > 0.0 { self.peak.0 } else { f64::NAN }
    }

    /// Mean, standard deviation and skewness; NaN where there is nothing.
    fn moments(&self) -> [f64; 3] {
        let [a, b, c] = self.powers.map(|power| power / self.sum);
        let variance = b - a * a;
        let width = variance.max(0.0).sqrt();
        [a, width, (c - 3.0 * a * b + 2.0 * a * a * a) / (width * width * width)]
    }
}

fn look(chain: &Chain, expiry: &Expiry) -> [f64; STATS.len()] {
    let [mut all, mut calls, mut puts, mut volume] = [Spread::default(); 4];
    let mut outside = 0.0;
    for strike in strikes(chain, expiry) {
        all.add(strike.off, strike.interest());
        calls.add(strike.off, strike.calls);
        puts.add(strike.off, strike.puts);
        volume.add(strike.off, strike.volume());
        outside += if strike.off > 0.0 { strike.call_volume } else { strike.put_volume };
    }
    let [center, width, skewness] = all.moments();
    let pain = max_pain(chain, expiry).map_or(f64::NAN, |strike| strike / expiry.forward - 1.0);
    [
        calls.sum,
        puts.sum,
        puts.sum / calls.sum,
        all.top.iter().sum::<f64>() / all.sum,
        all.squares / (all.sum * all.sum),
        center,
        width,
        skewness,
        calls.peak(),
        puts.peak(),
        pain,
        volume.peak(),
        volume.moments()[0],
        volume.sum / all.sum,
        outside / volume.sum,
    ]
}

impl Block for Positions {
    const TABLE: &'static Table = &Table {
        family: "interest",
        outer: Axis::Named(NEAREST_NAMES),
        inner: Axis::One,
        stats: STATS,
    };

    fn new(_: &Setup<'_>) -> Positions {
        let values = [[f64::NAN; STATS.len()]; NEAREST];
        Positions { values, of: [None; NEAREST], turn: 0 }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        let found = nearest(see);
        let places = self.of.iter_mut().zip(&mut self.values);
        for ((of, values), found) in places.zip(found) {
            // Another expiry has moved up: what is known is of the one before.
            if found != *of {
                (*of, *values) = (found, [f64::NAN; STATS.len()]);
            }
        }
        self.turn = (self.turn + 1) % NEAREST;
        if let Some(index) = found[self.turn] {
            let expiry = see.chain.expiry(index);
            if expiry.forward > 0.0 {
                self.values[self.turn] = look(see.chain, expiry);
            }
        }
        for (values, out) in self.values.iter().zip(out.chunks_mut(STATS.len())) {
            out.copy_from_slice(values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_the_largest_are_those_of_the_weights() {
        let mut spread = Spread::default();
        for (off, weight) in [(-0.2, 1.0), (0.0, 6.0), (0.1, 2.0), (0.3, 1.0)] {
            spread.add(off, weight);
        }
        let [mean, width, skewness] = spread.moments();
        // Ten numbers by hand: mean 0.03, variance 0.0141, third central moment 0.000804.
        assert!((mean - 0.03).abs() < 1e-15);
        assert!((width * width - 0.0141).abs() < 1e-15);
        assert!((skewness * width * width * width - 0.000_804).abs() < 1e-15, "{skewness}");
        assert_eq!((spread.top, spread.peak()), ([6.0, 2.0, 1.0], 0.0));
        assert!(Spread::default().peak().is_nan() && Spread::default().moments()[0].is_nan());
    }
}
