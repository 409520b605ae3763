//! Exposures of the nearest expiries in; the walls, the flip and what gamma would be elsewhere,
//! out.
//!
//! Gamma at other spots is reckoned at three places of a grid a row, expiry by expiry, so the whole
//! grid is [`GRID`] rows old at most; between its places the flip is drawn as a straight line.

use super::{
    block::{Block, See, Setup},
    nearest::{NEAREST, nearest},
    table::{Axis, REAL, Stat, Table, all_by, stat},
};
use crate::greeks::exposure::{Exposures, Weight};

const STATS: &[Stat] = &all_by(
    "greeks::exposure, open interest",
    [
        stat(
            "call_wall",
            "1",
            [-1.0, f64::INFINITY],
            "strike of the nearest expiry with most call Γ / F − 1",
        ),
        stat(
            "put_wall",
            "1",
            [-1.0, f64::INFINITY],
            "strike of the nearest expiry with most put Γ / F − 1",
        ),
        stat("wall_width", "1", REAL, "(call wall − put wall) / F"),
        stat("gex_concentration", "1", [0.0, 1.0], "Σ of squared shares of strikes in gross Γ"),
        stat(
            "gamma_flip",
            "1",
            [-REACH, REACH],
            "nearest move at which Γ dealer of e1 to e3 is zero",
        ),
        stat("gex_up", "currency/%", REAL, "Γ dealer of e1 to e3 if spot were 1 % higher"),
        stat("gex_down", "currency/%", REAL, "Γ dealer of e1 to e3 if spot were 1 % lower"),
        stat("gex_slope", "1", [-2.0, 2.0], "(gex_up − gex_down) / (|gex_up| + |gex_down|)"),
    ],
);

/// Places of the grid, a [`STEP`] from one to the next, the spot in the middle.
const GRID: usize = 21;
const STEP: f64 = 0.005;
const HERE: usize = GRID / 2;
const REACH: f64 = STEP * HERE as f64;
/// A move of 1 %, in places.
const PERCENT: usize = 2;

/// Levels of the nearest expiries.
#[derive(Debug)]
pub(super) struct Levels {
    exposures: Exposures,
    of: [Option<u16>; NEAREST],
    /// Γ dealer of each of the nearest expiries at each place; NaN before it was looked at.
    grid: [[f64; GRID]; NEAREST],
    turn: usize,
}

fn share(place: usize) -> f64 {
    (place as f64 - HERE as f64) * STEP
}

impl Levels {
    fn look(&mut self, see: &See<'_>) {
        let found = nearest(see);
        self.turn = (self.turn + 1) % GRID;
        for (place, index) in found.into_iter().enumerate() {
            if self.of[place] != index {
                (self.of[place], self.grid[place]) = (index, [f64::NAN; GRID]);
            }
            if let Some(index) = index {
                self.exposures.update(see.chain, index);
                self.grid[place][self.turn] = self.exposures.gamma_of(index, share(self.turn));
            }
        }
    }

    /// Γ dealer of all that were found; NaN while any of them was not looked at there.
    fn gamma(&self, place: usize) -> f64 {
        let found = (0..NEAREST).filter(|at| self.of[*at].is_some());
        let sum = found.map(|at| self.grid[at][place]).reduce(|a, b| a + b);
        sum.unwrap_or(f64::NAN)
    }
}

/// The zero nearest to the middle of a function known on the grid; NaN where there is none.
fn flip(gamma: impl Fn(usize) -> f64) -> f64 {
    let crossing = |a: usize, b: usize| {
        let (from, to) = (gamma(a), gamma(b));
        let crosses = (from > 0.0) != (to > 0.0) && from.is_finite() && to.is_finite();
        crosses.then(|| share(a) + (share(b) - share(a)) * from / (from - to))
    };
    let steps = 0..HERE;
    let mut found = steps.filter_map(|step| {
        let up = crossing(HERE + step, HERE + step + 1);
        let down = crossing(HERE - step, HERE - step - 1);
        match (up, down) {
            (Some(up), Some(down)) => Some(if up <= -down { up } else { down }),
            (up, down) => up.or(down),
        }
    });
    found.next().unwrap_or(f64::NAN)
}

impl Block for Levels {
    const TABLE: &'static Table =
        &Table { family: "exposure", outer: Axis::One, inner: Axis::One, stats: STATS };

    fn new(setup: &Setup<'_>) -> Levels {
        Levels {
            exposures: Exposures::new(setup.universe, Weight::Interest),
            of: [None; NEAREST],
            grid: [[f64::NAN; GRID]; NEAREST],
            turn: 0,
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        self.look(see);
        let Some(first) = self.of[0] else { return out.fill(f64::NAN) };
        let forward = see.chain.expiry(first).forward;
        let levels = self.exposures.levels_of(first);
        let walls = [levels.call_wall / forward - 1.0, levels.put_wall / forward - 1.0];
        let concentration = levels.concentration;
        let [up, down] = [HERE + PERCENT, HERE - PERCENT].map(|place| self.gamma(place));
        out.copy_from_slice(&[
            walls[0],
            walls[1],
            walls[0] - walls[1],
            concentration,
            flip(|place| self.gamma(place)),
            up,
            down,
            (up - down) / (up.abs() + down.abs()),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flip_is_the_nearest_zero_on_either_side() {
        assert_eq!(flip(|place| place as f64 - 12.5), share(12) + 0.5 * STEP);
        assert_eq!(flip(|place| 7.25 - place as f64), share(7) + 0.25 * STEP);
        let two = |place: usize| (place as f64 - 4.5) * (place as f64 - 14.5);
        assert!(flip(two) > 0.0, "the one above is nearer");
        assert!(flip(|_| 1.0).is_nan() && flip(|_| f64::NAN).is_nan());
    }
}
