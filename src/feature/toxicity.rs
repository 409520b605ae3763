//! Prints in; how one-sided the volume is by a clock of volume, out: VPIN.
//!
//! Volume fills buckets of equal size; a print that is larger than what is missing spills into the
//! next ones. VPIN over n buckets is Σ |bought − sold| / (n · size) (Easley, López de Prado, O'Hara
//! 2012), with the side by the quote where their bulk classification would guess it. What nobody
//! knows counts half on either side, and so for nothing.

use super::{
    block::{Block, See, Setup, Subject},
    group::{GROUPS, group_of},
    side::side_of,
    table::{Axis, POSITIVE, Stat, Table, all_by, stat},
};
use crate::wire::{Event, Kind, NANOS_PER_SECOND, Timestamp, market::Trade};

const BUCKETS: usize = 50;
const FEW: usize = 10;

const STATS: &[Stat] = &all_by(
    "Easley, López de Prado, O'Hara 2012",
    [
        stat("vpin_50", "1", [0.0, 1.0], "Σ |bought − sold| / Σ size, last 50 buckets")
            .after(|_| BUCKETS),
        stat("vpin_10", "1", [0.0, 1.0], "the same, last 10 buckets").after(|_| FEW),
        stat("toxicity_rise", "1", [-1.0, 1.0], "vpin_10 − vpin_50").after(|_| BUCKETS),
        stat("bucket_time", "s", POSITIVE, "mean seconds of the last 10 buckets").after(|_| FEW),
    ],
);

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    unevenness: i64,
    ended: Timestamp,
}

#[derive(Debug)]
struct Clock {
    size: i64,
    filled: i64,
    signed: i64,
    done: [Bucket; BUCKETS],
    count: usize,
}

impl Clock {
    fn on(&mut self, now: Timestamp, side: i64, mut contracts: i64) {
        // A print of more than all buckets would only repeat itself.
        contracts = contracts.min(self.size * (BUCKETS as i64 + 1));
        while contracts > 0 {
            let part = contracts.min(self.size - self.filled);
            self.filled += part;
            self.signed += side * part;
            contracts -= part;
            if self.filled == self.size {
                let bucket = Bucket { unevenness: self.signed.abs(), ended: now };
                self.done[self.count % BUCKETS] = bucket;
                self.count += 1;
                (self.filled, self.signed) = (0, 0);
            }
        }
    }

    /// The bucket that ended `ago` buckets before the last one.
    fn back(&self, ago: usize) -> &Bucket {
        &self.done[(self.count + BUCKETS - 1 - ago) % BUCKETS]
    }

    fn vpin(&self, buckets: usize) -> f64 {
        if self.count < buckets {
            return f64::NAN;
        }
        let uneven: i64 = (0..buckets).map(|ago| self.back(ago).unevenness).sum();
        uneven as f64 / (self.size * buckets as i64) as f64
    }

    fn seconds(&self) -> f64 {
        if self.count <= FEW {
            return f64::NAN;
        }
        let passed = self.back(0).ended - self.back(FEW).ended;
        passed as f64 / NANOS_PER_SECOND as f64 / FEW as f64
    }
}

/// The clocks of the underlying, the calls and the puts.
#[derive(Debug)]
pub(super) struct Toxicity {
    clocks: [Clock; GROUPS.len()],
}

impl Block for Toxicity {
    const TABLE: &'static Table =
        &Table { family: "flow", outer: Axis::Named(GROUPS), inner: Axis::One, stats: STATS };

    fn new(setup: &Setup<'_>) -> Toxicity {
        let size = i64::from(setup.settings.vpin_bucket);
        let clock =
            || Clock { size, filled: 0, signed: 0, done: [Bucket::default(); BUCKETS], count: 0 };
        Toxicity { clocks: core::array::from_fn(|_| clock()) }
    }

    #[inline(always)]
    fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
        if event.kind != Kind::TRADE {
            return;
        }
        let trade: &Trade = event.body();
        let clock = &mut self.clocks[group_of(of)];
        let side = side_of(trade, &see.chain.quote(event.instrument));
        clock.on(see.now, i64::from(side), i64::from(trade.size));
    }

    fn fill(&mut self, _: &See<'_>, _: &[f64], out: &mut [f64]) {
        for (clock, out) in self.clocks.iter().zip(out.chunks_mut(STATS.len())) {
            let (many, few) = (clock.vpin(BUCKETS), clock.vpin(FEW));
            out.copy_from_slice(&[many, few, few - many, clock.seconds()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(size: i64) -> Clock {
        Clock { size, filled: 0, signed: 0, done: [Bucket::default(); BUCKETS], count: 0 }
    }

    #[test]
    fn prints_spill_over_buckets_and_unevenness_is_that_of_their_parts() {
        let mut clock = clock(10);
        clock.on(1, 1, 7);
        clock.on(2, -1, 25);
        // 7 bought and 3 sold, 10 sold, 10 sold; 2 sold lie in the open one.
        assert_eq!(clock.done[..3].iter().map(|b| b.unevenness).sum::<i64>(), 4 + 10 + 10);
        assert_eq!((clock.count, clock.filled, clock.signed), (3, 2, -2));
        assert!(clock.vpin(10).is_nan());
    }

    #[test]
    fn one_sided_volume_is_wholly_toxic_and_even_volume_not_at_all() {
        let mut clock = clock(10);
        (0..50).for_each(|at| clock.on(at * NANOS_PER_SECOND, 1, 10));
        assert_eq!((clock.vpin(50), clock.vpin(10), clock.seconds()), (1.0, 1.0, 1.0));
        for at in 50..60 {
            clock.on(at * NANOS_PER_SECOND, 1, 5);
            clock.on(at * NANOS_PER_SECOND, -1, 5);
        }
        assert_eq!((clock.vpin(50), clock.vpin(10)), (0.8, 0.0));
        let before = clock.count;
        clock.on(99 * NANOS_PER_SECOND, 0, i64::MAX);
        assert_eq!((clock.count - before, clock.vpin(50)), (51, 0.0), "unknown is even");
    }
}
