//! Prices of all roots in; how many of them rise together, and how far apart they drift, out.

use super::{
    rolling::{ROW_NAMES, ROWS, Rolling, whole},
    table::{Axis, POSITIVE, Stat, Table, all_by, stat},
};
use crate::chain::Chain;
use alloc::vec::Vec;

const STATS: &[Stat] = &all_by(
    "the configured roots",
    [
        stat(
            "breadth",
            "1",
            [-1.0, 1.0],
            "(roots that rose − roots that fell) / roots, over the window",
        ),
        stat("dispersion", "1", POSITIVE, "population deviation of the roots' returns"),
    ],
);

#[derive(Debug)]
struct Member {
    root: u16,
    last: f64,
    // Return from row to row, 1e-9.
    rolling: Rolling<1>,
}

impl Member {
    fn take(&mut self, price: f64) {
        let moved = whole((price / self.last - 1.0) * 1e9);
        if !price.is_nan() {
            if !self.last.is_nan() {
                self.rolling.push(&mut [moved]);
            }
            self.last = price;
        }
    }
}

/// The columns over all roots.
#[derive(Debug)]
pub(super) struct Breadth {
    members: Vec<Member>,
}

impl Breadth {
    /// What there is where there are two roots or more.
    pub(super) const TABLE: &'static Table =
        &Table { family: "cross", outer: Axis::One, inner: Axis::Named(ROW_NAMES), stats: STATS };

    /// Of these roots.
    pub(super) fn new(roots: impl Iterator<Item = u16>) -> Breadth {
        let member = |root| Member { root, last: f64::NAN, rolling: Rolling::new() };
        Breadth { members: roots.map(member).collect() }
    }

    /// Writes its columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        for member in &mut self.members {
            member.take(chain.spot(member.root));
        }
        for window in 0..ROWS.len() {
            let [breadth, dispersion] = self.over(window);
            (out[window], out[ROWS.len() + window]) = (breadth, dispersion);
        }
    }

    /// NaN while any root's window is not full.
    fn over(&self, window: usize) -> [f64; 2] {
        let (mut rose, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for member in &self.members {
            let Some([moved]) = member.rolling.sums(window) else { return [f64::NAN; 2] };
            let moved = *moved as f64 / 1e9;
            rose += f64::from(i8::from(moved > 0.0) - i8::from(moved < 0.0));
            sum += moved;
            squares += moved * moved;
        }
        let count = self.members.len() as f64;
        let mean = sum / count;
        [rose / count, (squares / count - mean * mean).max(0.0).sqrt()]
    }
}
