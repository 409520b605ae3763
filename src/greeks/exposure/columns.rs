//! One expiry's strikes with what is held of them, in blocks of eight; their exposures out.

use super::{Exposure, Level, Sums, Weight};
use crate::{
    chain::{Chain, Expiry},
    greeks::{
        black::{Row, Slice},
        lanes::V,
        math::{all, ln, ln_ratio, one},
        sets,
        surface::smile_of,
    },
    wire::market::VolStatus,
};
use alloc::vec::Vec;

const LANES: usize = Expiry::LANES;
const DAYS_A_YEAR: f64 = 365.0;

#[derive(Clone, Copy, Debug)]
struct Block {
    strike: V,
    /// ln(F/K) at the forward that was taken.
    x: V,
    vol: V,
    inv_vol: V,
    calls: V,
    puts: V,
    /// The figures of one contract, call and put, in the order of [`exposure`].
    each: [[V; 6]; 2],
}

/// One expiry's columns and their sums.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    /// The root, `None` where there is nothing to count.
    pub(super) root: Option<u16>,
    pub(super) sums: Exposure,
    blocks: Vec<Block>,
    slice: Option<Slice>,
    spot: f64,
    multiplier: f64,
}

impl Columns {
    pub(super) fn new(strikes_max: usize) -> Columns {
        Columns {
            root: None,
            sums: Exposure::default(),
            blocks: Vec::with_capacity(strikes_max.div_ceil(LANES)),
            slice: None,
            spot: f64::NAN,
            multiplier: f64::NAN,
        }
    }

    /// Takes the expiry as the chain has it. One that is settled, or has no forward, holds nothing.
    pub(super) fn take(&mut self, chain: &Chain, index: u16, weight: Weight) {
        let expiry = chain.expiry(index);
        self.blocks.clear();
        (self.root, self.slice, self.sums) = (None, None, Exposure::default());
        let root = chain.root(expiry.root);
        let live = expiry.vol_years > 0.0 && expiry.years > 0.0 && expiry.forward > 0.0;
        let (Some(root), true) = (root, live) else { return };
        (self.root, self.multiplier) = (Some(expiry.root), root.multiplier);
        self.spot = expiry.discount * expiry.forward;
        self.slice = Some(slice_of(expiry));
        for at in 0..expiry.rows().div_ceil(LANES) {
            let block = self.block(chain, expiry, at, weight);
            self.blocks.push(block);
        }
        self.sum();
    }

    fn block(&mut self, chain: &Chain, expiry: &Expiry, at: usize, weight: Weight) -> Block {
        let strike = core::array::from_fn(|lane| expiry.strike_or_nan(at * LANES + lane));
        let x = ln_ratio(all(expiry.forward), V::new(strike));
        let (logs, smile) = (x.to_array(), smile_of(expiry));
        let (mut vols, mut calls, mut puts) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let row = at * LANES + lane;
            if row >= expiry.rows() {
                break;
            }
            let sides = [expiry.call(row), expiry.put(row)];
            calls[lane] = held(chain, sides[0], weight);
            puts[lane] = held(chain, sides[1], weight);
            let own = sides.iter().flatten().find_map(|index| vol_of(chain, *index));
            vols[lane] = own.or(smile.map(|smile| smile.vol(-logs[lane]))).unwrap_or(0.0);
            let held = calls[lane] + puts[lane];
            self.sums.contracts += held;
            self.sums.unpriced += if vols[lane] > 0.0 { 0.0 } else { held };
        }
        let vol = V::new(vols);
        Block {
            strike: V::new(strike),
            x,
            vol,
            inv_vol: all(1.0) / vol,
            calls: V::new(calls),
            puts: V::new(puts),
            each: [[all(0.0); 6]; 2],
        }
    }

    /// One pass over the blocks: the figures of each strike, and their sums.
    fn sum(&mut self) {
        let Some(slice) = self.slice else { return };
        let units = self.units();
        let mut sums = [[all(0.0); 6]; 2];
        for block in &mut self.blocks {
            let value = slice.value(&block.row());
            let priced = block.vol.simd_gt(all(0.0));
            let each = [exposure(&value.call()), exposure(&value.put())];
            block.each = each.map(|side| {
                core::array::from_fn(|figure| {
                    priced.select(side[figure] * all(units[figure]), all(0.0))
                })
            });
            let [call, put] = &block.each;
            for figure in 0..6 {
                let (calls, puts) = (call[figure] * block.calls, put[figure] * block.puts);
                sums[0][figure] += calls - puts;
                sums[1][figure] += calls + puts;
            }
        }
        let [dealer, gross] = sums.map(|sums| named(sums.map(total)));
        (self.sums.dealer, self.sums.gross) = (dealer, gross);
    }

    /// What turns a unit's Greek into the figure, in the order of [`exposure`].
    fn units(&self) -> [f64; 6] {
        let (s, m) = (self.spot, self.multiplier);
        let point = 0.01 * 0.01;
        [
            s * s * 0.01 * m,
            s * 0.01 * m,
            s / DAYS_A_YEAR * m,
            point * m,
            s * s * s * point * m,
            s * s * point * m,
        ]
    }

    /// The dealers' gamma if spot stood at `1 + share` times where it is.
    pub(super) fn gamma_at(&self, share: f64) -> f64 {
        let Some(slice) = self.slice else { return 0.0 };
        let scale = 1.0 + share;
        let moved = all(one(ln, scale));
        let slice =
            Slice { a: slice.a * all(scale), inv_spot: slice.inv_spot * all(1.0 / scale), ..slice };
        let mut sum = all(0.0);
        for block in &self.blocks {
            let row = Row { x: block.x + moved, ..block.row() };
            let gamma = slice.value(&row).call().gamma();
            let held = block.calls - block.puts;
            sum += block.vol.simd_gt(all(0.0)).select(gamma * held, all(0.0));
        }
        total(sum) * self.units()[0] * scale * scale
    }

    /// Every strike of which something is held.
    pub(super) fn tell(&self, mut hear: impl FnMut(Level)) {
        for block in &self.blocks {
            let columns = [block.strike, block.calls, block.puts].map(|column| column.to_array());
            let each = block.each.map(|side| side.map(|figure| figure.to_array()));
            for lane in 0..LANES {
                let [strike, calls, puts] = columns.map(|column| column[lane]);
                if calls + puts > 0.0 {
                    let of = |side: usize, held: f64| named(each[side].map(|f| f[lane] * held));
                    hear(Level { strike, calls, puts, call: of(0, calls), put: of(1, puts) });
                }
            }
        }
    }
}

impl Block {
    fn row(&self) -> Row {
        Row { strike: self.strike, x: self.x, vol: self.vol, inv_vol: self.inv_vol }
    }
}

/// The Greeks that are summed, of one unit.
fn exposure(side: &sets::Side) -> [V; 6] {
    [side.gamma(), side.vanna(), side.charm(), side.vomma(), side.speed(), side.zomma()]
}

fn named([gamma, vanna, charm, vomma, speed, zomma]: [f64; 6]) -> Sums {
    Sums {
        gamma_per_percent: gamma,
        vanna_per_point: vanna,
        charm_per_day: charm,
        vomma_per_point: vomma,
        speed_per_percent: speed,
        zomma_per_point: zomma,
    }
}

/// The terms that all strikes of an expiry share.
fn slice_of(expiry: &Expiry) -> Slice {
    let root_t = expiry.vol_years.sqrt();
    let rate = -one(ln, expiry.discount) / expiry.years;
    let a = expiry.discount * expiry.forward;
    Slice {
        a: all(a),
        discount: all(expiry.discount),
        inv_spot: all(1.0 / a),
        root_t: all(root_t),
        inv_root_t: all(1.0 / root_t),
        r: all(rate),
        q: all(rate),
    }
}

fn held(chain: &Chain, index: Option<u32>, weight: Weight) -> f64 {
    let Some(index) = index else { return 0.0 };
    let tape = chain.tape(index);
    match weight {
        Weight::Interest => tape.interest.max(0) as f64,
        Weight::Volume => tape.volume as f64,
    }
}

fn vol_of(chain: &Chain, index: u32) -> Option<f64> {
    let greeks = chain.greeks(index).filter(|greeks| greeks.status == VolStatus::OK)?;
    (greeks.iv > 0.0).then_some(greeks.iv)
}

/// The sum of the lanes, in a fixed order.
fn total(v: V) -> f64 {
    let [a, b, c, d, e, f, g, h] = v.to_array();
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
