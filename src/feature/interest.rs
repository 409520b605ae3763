//! Reports of open interest in; how much is open, how fast it grows, and what that says together
//! with the price, out.
//!
//! Where the venue reports once a day (OPRA) nothing moves within it and rates are zero; where it
//! reports with the ticks (NSE, BSE) they are a flow. The first report of a contract is its level,
//! not a change.

use super::{
    block::{Block, See, Setup, Subject},
    rolling::{ROW_NAMES, ROWS, Rolling, fill, ratio},
    table::{Axis, REAL, Stat, Table, all_by, stat},
};
use crate::{
    chain::Instrument,
    wire::{
        Event, Kind, NANOS_PER_SECOND,
        market::{Class, Interest as Report},
    },
};
use alloc::{vec, vec::Vec};

mod tally {
    pub(super) const CALLS: usize = 0;
    pub(super) const PUTS: usize = 1;
    /// Move of the underlying, 1e-9.
    pub(super) const MOVE: usize = 2;
    /// Of calls and puts of monthly expiries.
    pub(super) const MONTHLY: usize = 3;
    pub(super) const COUNT: usize = 4;
}
use tally::*;

const STATS: &[Stat] = &all_by(
    "open interest by the last report",
    [
        stat("oi_velocity_calls", "contracts/min", REAL, "change of calls' open interest"),
        stat("oi_velocity_puts", "contracts/min", REAL, "change of puts' open interest"),
        stat("oi_growth", "1", [-1.0, f64::INFINITY], "change / open interest before it"),
        stat("pcr_oi_change", "1", REAL, "puts/calls now − puts/calls a window ago"),
        stat(
            "pcr_divergence",
            "1",
            REAL,
            "pcr_oi_change / puts/calls a window ago + return: of one sign is a divergence",
        ),
        stat("long_build_up", "0/1", [0.0, 1.0], "price and open interest have risen"),
        stat("short_build_up", "0/1", [0.0, 1.0], "price has fallen, open interest risen"),
        stat("short_covering", "0/1", [0.0, 1.0], "price has risen, open interest fallen"),
        stat("long_unwinding", "0/1", [0.0, 1.0], "price and open interest have fallen"),
        stat(
            "oi_rollover",
            "1",
            [-1.0, 1.0],
            "open interest of monthly expiries (third Fridays) / all, now − a window ago",
        ),
    ],
);

/// Open interest of a root's calls and puts.
#[derive(Debug)]
pub(super) struct Interest {
    every: f64,
    // By instrument, −1 before the first report.
    reported: Vec<i64>,
    open: [i64; 2],
    // By instrument, whether its expiry is monthly; and what those have open.
    is_monthly: Vec<bool>,
    monthly: i64,
    tallies: [i64; COUNT],
    rolling: Rolling<COUNT>,
    price: f64,
}

impl Interest {
    fn stats(&self, sums: &[i64; COUNT], rows: f64) -> [f64; STATS.len()] {
        let minutes = rows * self.every / 60.0;
        let (change, moved) = (sums[CALLS] + sums[PUTS], sums[MOVE] as f64 / 1e9);
        let before = [self.open[0] - sums[CALLS], self.open[1] - sums[PUTS]];
        let (now, then) = (ratio(self.open[1], self.open[0]), ratio(before[1], before[0]));
        let gone = moved / (self.price - moved);
        let both = |price: bool, interest: bool| {
            let is = price && interest;
            if self.price.is_nan() { f64::NAN } else { f64::from(u8::from(is)) }
        };
        [
            sums[CALLS] as f64 / minutes,
            sums[PUTS] as f64 / minutes,
            ratio(change, before[0] + before[1]),
            now - then,
            (now - then) / then + gone,
            both(moved > 0.0, change > 0),
            both(moved < 0.0, change > 0),
            both(moved > 0.0, change < 0),
            both(moved < 0.0, change < 0),
            ratio(self.monthly, self.open[0] + self.open[1])
                - ratio(self.monthly - sums[MONTHLY], before[0] + before[1]),
        ]
    }
}

impl Interest {
    fn define(&mut self, see: &See<'_>, instrument: u32, terms: &Instrument) {
        let day = see.chain.calendar(see.root).map(|calendar| calendar.day(terms.settles));
        if let (Some(day), Some(is)) = (day, self.is_monthly.get_mut(instrument as usize)) {
            *is = day.is_monthly();
        }
    }
}

impl Block for Interest {
    const TABLE: &'static Table = &Table {
        family: "interest",
        outer: Axis::One,
        inner: Axis::Named(ROW_NAMES),
        stats: STATS,
    };

    fn new(setup: &Setup<'_>) -> Interest {
        Interest {
            every: setup.settings.every.nanos() as f64 / NANOS_PER_SECOND as f64,
            reported: vec![-1; setup.limits.instruments_max],
            open: [0; 2],
            is_monthly: vec![false; setup.limits.instruments_max],
            monthly: 0,
            tallies: [0; COUNT],
            rolling: Rolling::new(),
            price: f64::NAN,
        }
    }

    #[inline(always)]
    fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
        let Subject::Option(terms) = of else { return };
        if event.kind == Kind::DEFINITION {
            self.define(see, event.instrument, terms);
        }
        if event.kind != Kind::INTEREST {
            return;
        }
        let contracts = event.body::<Report>().contracts.max(0);
        let Some(held) = self.reported.get_mut(event.instrument as usize) else { return };
        let before = core::mem::replace(held, contracts);
        let right = usize::from(terms.class == Class::PUT);
        let change = if before < 0 { 0 } else { contracts - before };
        self.open[right] += contracts - before.max(0);
        self.tallies[right] += change;
        if self.is_monthly[event.instrument as usize] {
            self.monthly += contracts - before.max(0);
            self.tallies[MONTHLY] += change;
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        let moved = (see.price - self.price) * 1e9;
        // NaN, before the first price, counts as no move.
        self.tallies[MOVE] = moved as i64;
        self.price = if see.price.is_nan() { self.price } else { see.price };
        self.rolling.push(&mut self.tallies);
        fill(&self.rolling, out, |sums, rows| self.stats(sums, rows));
    }
}

const _: () = assert!(STATS.len() * ROWS.len() == 40);
