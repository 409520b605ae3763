//! The valued chain in; what a move of spot, volatility or time does to the hedges of those who
//! hold it, by how near the contracts settle, out.
//!
//! Figures are those of [`crate::greeks::exposure`], with its units and its `dealer` and `gross`
//! conventions in the names of the columns. At each row the nearest expiry is looked at and one of
//! the others in turn, so what a row costs has a bound and what it says of a far expiry is as many
//! rows old as there are expiries.

use super::{
    block::{Block, See, Setup},
    bucket::{BUCKETS, COUNT as GROUPS, bucket_of},
    nearest::nearest,
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::greeks::exposure::{Exposures as Chainwide, Sums, Weight};

const STATS: &[Stat] = &all_by(
    "greeks::exposure",
    [
        stat("gex_dealer", "currency/%", REAL, "Σ ±Γ·S²·0.01·contracts·multiplier, calls + puts −"),
        stat("vanna_dealer", "currency/point", REAL, "Σ ±vanna·S·0.01·contracts·multiplier"),
        stat("charm_dealer", "currency/day", REAL, "Σ ±charm·S/365·contracts·multiplier"),
        stat("vomma_dealer", "currency/point²", REAL, "Σ ±vomma·0.01²·contracts·multiplier"),
        stat("speed_dealer", "currency/%²", REAL, "Σ ±speed·S³·0.01²·contracts·multiplier"),
        stat("zomma_dealer", "currency/%/point", REAL, "Σ ±zomma·S²·0.01²·contracts·multiplier"),
        stat("gex_gross", "currency/%", POSITIVE, "the same, calls + puts +"),
        stat("vanna_gross", "currency/point", REAL, "the same, calls + puts +"),
        stat("charm_gross", "currency/day", REAL, "the same, calls + puts +"),
        stat("vomma_gross", "currency/point²", REAL, "the same, calls + puts +"),
        stat("speed_gross", "currency/%²", REAL, "the same, calls + puts +"),
        stat("zomma_gross", "currency/%/point", REAL, "the same, calls + puts +"),
        stat("gex_tilt", "1", [-1.0, 1.0], "gex_dealer / gex_gross"),
    ],
);

const WEIGHTS: [Weight; 2] = [Weight::Interest, Weight::Volume];
const WEIGHT_NAMES: &[&str] = &["oi", "volume"];
const FIGURES: usize = 12;

/// Exposures by open interest and by volume.
#[derive(Debug)]
pub(super) struct Exposures {
    by: [Chainwide; WEIGHTS.len()],
    turn: u16,
}

fn figures(sums: &Sums) -> [f64; 6] {
    [
        sums.gamma_per_percent,
        sums.vanna_per_point,
        sums.charm_per_day,
        sums.vomma_per_point,
        sums.speed_per_percent,
        sums.zomma_per_point,
    ]
}

impl Exposures {
    fn look(&mut self, see: &See<'_>) {
        let count = see.chain.expiries_len() as u16;
        if count == 0 {
            return;
        }
        // One that is another root's or has settled costs nothing: take the next of ours.
        let mine = |index: &u16| {
            let expiry = see.chain.expiry(*index);
            expiry.root == see.root && expiry.settles > see.now
        };
        let next = (1..=count).map(|step| (self.turn + step) % count).find(mine);
        self.turn = next.unwrap_or(self.turn);
        let nearest = nearest(see)[0];
        for exposures in &mut self.by {
            for index in [nearest, next].into_iter().flatten() {
                exposures.update(see.chain, index);
            }
        }
    }

    /// Sums of each group of expiries, and of all; `None` where it holds no contract.
    fn sums(&self, see: &See<'_>, weight: usize) -> [Option<[f64; FIGURES]>; GROUPS + 1] {
        let (mut sums, mut contracts) = ([[0.0; FIGURES]; GROUPS + 1], [0.0; GROUPS + 1]);
        for (index, expiry) in see.chain.expiries() {
            if expiry.root != see.root || expiry.settles <= see.now {
                continue;
            }
            let found = self.by[weight].expiry(index);
            let (dealer, gross) = (figures(&found.dealer), figures(&found.gross));
            for group in [bucket_of(see, expiry.settles), GROUPS] {
                let all = sums[group].iter_mut().zip(dealer.iter().chain(&gross));
                all.for_each(|(sum, figure)| *sum += figure);
                contracts[group] += found.contracts - found.unpriced;
            }
        }
        core::array::from_fn(|group| (contracts[group] > 0.0).then_some(sums[group]))
    }
}

impl Block for Exposures {
    const TABLE: &'static Table = &Table {
        family: "exposure",
        outer: Axis::Named(&[BUCKETS[0], BUCKETS[1], BUCKETS[2], "all"]),
        inner: Axis::Named(WEIGHT_NAMES),
        stats: STATS,
    };

    fn new(setup: &Setup<'_>) -> Exposures {
        Exposures { by: WEIGHTS.map(|weight| Chainwide::new(setup.universe, weight)), turn: 0 }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        self.look(see);
        for weight in 0..WEIGHTS.len() {
            for (group, sums) in self.sums(see, weight).into_iter().enumerate() {
                let at = |stat: usize| (group * STATS.len() + stat) * WEIGHTS.len() + weight;
                let sums = sums.unwrap_or([f64::NAN; FIGURES]);
                for (stat, sum) in sums.into_iter().enumerate() {
                    out[at(stat)] = sum;
                }
                out[at(FIGURES)] = sums[0] / sums[FIGURES / 2];
            }
        }
    }
}
