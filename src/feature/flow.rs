//! Prints of the root's options in; who buys and sells calls and puts, in what size and how
//! urgently, by how near they settle, out.
//!
//! The side of a print is by the quote before it ([`side_of`]). Delta and vega of what was traded
//! are those of the row in which it traded.

use super::{
    block::{Block, See, Setup, Subject},
    bucket::{BUCKETS, COUNT as GROUPS, bucket_of},
    rolling::{ROW_NAMES, ROWS, Rolling, fill, ratio},
    side::side_of,
    sweep::Sweeps,
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::{
    chain::Instrument,
    wire::{
        Event, Kind,
        market::{Class, Trade, VolStatus},
    },
};
use alloc::{vec, vec::Vec};

/// What is counted between two rows: contracts, or millionths of what is named.
mod tally {
    pub(super) const CALLS: usize = 0;
    pub(super) const PUTS: usize = 1;
    pub(super) const CALLS_SIGNED: usize = 2;
    pub(super) const PUTS_SIGNED: usize = 3;
    pub(super) const CALL_CENTS: usize = 4;
    pub(super) const PUT_CENTS: usize = 5;
    pub(super) const TRADES: usize = 6;
    pub(super) const BLOCKS: usize = 7;
    pub(super) const IN_BLOCKS: usize = 8;
    pub(super) const BLOCKS_SIGNED: usize = 9;
    pub(super) const SWEEPS: usize = 10;
    pub(super) const SMART: usize = 11;
    pub(super) const DELTA_MILLI: usize = 12;
    pub(super) const VEGA_CENTS: usize = 13;
    pub(super) const COUNT: usize = 14;
}
use tally::*;

const STATS: &[Stat] = &all_by(
    "prints signed by Lee, Ready 1991",
    [
        stat("call_volume", "contracts", POSITIVE, "Σ sizes of prints of calls"),
        stat("put_volume", "contracts", POSITIVE, "Σ sizes of prints of puts"),
        stat("pcr_volume", "1", POSITIVE, "put_volume / call_volume"),
        stat("call_lean", "1", [-1.0, 1.0], "(bought − sold) / call_volume"),
        stat("put_lean", "1", [-1.0, 1.0], "(bought − sold) / put_volume"),
        stat("call_premium", "currency", REAL, "premium of calls bought less sold"),
        stat("put_premium", "currency", REAL, "premium of puts bought less sold"),
        stat("print_size", "contracts", POSITIVE, "volume / prints"),
        stat("blocks", "prints", POSITIVE, "prints of at least [features] block contracts"),
        stat("block_share", "1", [0.0, 1.0], "contracts in blocks / volume"),
        stat(
            "block_imbalance",
            "1",
            [-1.0, 1.0],
            "(bought − sold in blocks) / contracts in blocks",
        ),
        stat(
            "sweeps",
            "sweeps",
            POSITIVE,
            "times that one side took one right at three strikes or more within 5 s",
        ),
        stat(
            "smart_money_flow",
            "contracts",
            REAL,
            "contracts in blocks and sweeps that bought calls or sold puts, less the opposite",
        ),
        stat("delta_bought", "units", REAL, "Σ side · size · multiplier · delta"),
        stat("vega_bought", "currency/point", REAL, "Σ side · size · multiplier · vega · 0.01"),
        stat(
            "volume_acceleration",
            "1",
            POSITIVE,
            "volume a row / volume a row since the first row of the day",
        ),
    ],
);

const WIDTH: usize = STATS.len() * ROWS.len();

#[derive(Debug)]
struct Group {
    tallies: [i64; COUNT],
    rolling: Rolling<COUNT>,
    // Contracts and rows of the day.
    volume: i64,
    rows: i64,
}

impl Group {
    fn fill(&mut self, out: &mut [f64]) {
        self.volume += self.tallies[CALLS] + self.tallies[PUTS];
        self.rows += 1;
        self.rolling.push(&mut self.tallies);
        let usual = ratio(self.volume, self.rows);
        fill(&self.rolling, out, |sums, rows| stats(sums, rows, usual));
    }
}

fn stats(sums: &[i64; COUNT], rows: f64, usual: f64) -> [f64; STATS.len()] {
    let at = |tally: usize| sums[tally];
    let volume = at(CALLS) + at(PUTS);
    [
        at(CALLS) as f64,
        at(PUTS) as f64,
        ratio(at(PUTS), at(CALLS)),
        ratio(at(CALLS_SIGNED), at(CALLS)),
        ratio(at(PUTS_SIGNED), at(PUTS)),
        at(CALL_CENTS) as f64 / 100.0,
        at(PUT_CENTS) as f64 / 100.0,
        ratio(volume, at(TRADES)),
        at(BLOCKS) as f64,
        ratio(at(IN_BLOCKS), volume),
        ratio(at(BLOCKS_SIGNED), at(IN_BLOCKS)),
        at(SWEEPS) as f64,
        at(SMART) as f64,
        at(DELTA_MILLI) as f64 / 1_000.0,
        at(VEGA_CENTS) as f64 / 100.0,
        volume as f64 / rows / usual,
    ]
}

/// The tape of a root's options.
#[derive(Debug)]
pub(super) struct Flow {
    block: i64,
    groups: [Group; GROUPS],
    sweeps: Sweeps,
    // Contracts bought less sold since the last row, and of which instruments.
    net: Vec<i64>,
    touched: Vec<u32>,
    date: u32,
}

impl Flow {
    fn on_trade(&mut self, see: &See<'_>, event: &Event, terms: &Instrument) {
        let trade: &Trade = event.body();
        let side = i64::from(side_of(trade, &see.chain.quote(event.instrument)));
        let (size, is_call) = (i64::from(trade.size), terms.class == Class::CALL);
        let signed = side * size;
        let paid = terms.multiplier * 100.0 * trade.price.to_f64() * signed as f64;
        let block = if size >= self.block { size } else { 0 };
        let swept = self.sweeps.on(see.now, side as i8, is_call, terms.strike);
        let bullish = if is_call { side } else { -side };
        let [volume, lean, cents] = if is_call {
            [CALLS, CALLS_SIGNED, CALL_CENTS]
        } else {
            [PUTS, PUTS_SIGNED, PUT_CENTS]
        };
        let tallies = &mut self.groups[bucket_of(see, terms.settles)].tallies;
        tallies[volume] += size;
        tallies[lean] += signed;
        // A price that is undefined makes NaN, which counts as nothing.
        tallies[cents] += paid as i64;
        tallies[TRADES] += 1;
        tallies[BLOCKS] += i64::from(block > 0);
        tallies[IN_BLOCKS] += block;
        tallies[BLOCKS_SIGNED] += side * block;
        tallies[SWEEPS] += i64::from(swept);
        tallies[SMART] += if swept || block > 0 { bullish * size } else { 0 };
        self.remember(event.instrument, signed);
    }

    fn remember(&mut self, instrument: u32, signed: i64) {
        let Some(net) = self.net.get_mut(instrument as usize) else { return };
        if *net == 0 && signed != 0 && self.touched.len() < self.touched.capacity() {
            self.touched.push(instrument);
        }
        *net += signed;
    }

    /// What was traded since the last row, at the Greeks of this one.
    fn value(&mut self, see: &See<'_>) {
        while let Some(instrument) = self.touched.pop() {
            let net = core::mem::take(&mut self.net[instrument as usize]) as f64;
            let (Some(terms), Some(greeks)) =
                (see.chain.instrument(instrument), see.chain.greeks(instrument))
            else {
                continue;
            };
            if greeks.status == VolStatus::OK {
                let contracts = net * terms.multiplier;
                let tallies = &mut self.groups[bucket_of(see, terms.settles)].tallies;
                tallies[DELTA_MILLI] += (contracts * f64::from(greeks.delta) * 1_000.0) as i64;
                tallies[VEGA_CENTS] += (contracts * f64::from(greeks.vega)) as i64;
            }
        }
    }
}

impl Block for Flow {
    const TABLE: &'static Table = &Table {
        family: "flow",
        outer: Axis::Named(BUCKETS),
        inner: Axis::Named(ROW_NAMES),
        stats: STATS,
    };

    fn new(setup: &Setup<'_>) -> Flow {
        let group = || Group { tallies: [0; COUNT], rolling: Rolling::new(), volume: 0, rows: 0 };
        let instruments = setup.limits.instruments_max;
        Flow {
            block: i64::from(setup.settings.block),
            groups: core::array::from_fn(|_| group()),
            sweeps: Sweeps::default(),
            net: vec![0; instruments],
            touched: Vec::with_capacity(instruments),
            date: 0,
        }
    }

    #[inline(always)]
    fn on(&mut self, see: &See<'_>, event: &Event, of: &Subject) {
        if let (Subject::Option(terms), Kind::TRADE) = (of, event.kind) {
            self.on_trade(see, event, terms);
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        if self.date != see.day.date {
            self.date = see.day.date;
            self.groups.iter_mut().for_each(|group| (group.volume, group.rows) = (0, 0));
        }
        self.value(see);
        for (group, out) in self.groups.iter_mut().zip(out.chunks_mut(WIDTH)) {
            group.fill(out);
        }
    }
}
