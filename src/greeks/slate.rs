//! The working columns of one expiry: strikes, anchored logarithms and volatilities in blocks of
//! eight rows; a block and the expiry's slice in, the Greeks of its calls and puts out.

use super::{
    black::{Pair, Slice, pair, settled},
    forward::ln_of_ratio,
    implied::{Priced, Terms},
    math::{V, all, ln, ln_ratio, one},
};
use crate::{
    chain::{Chain, Expiry, Universe},
    wire::{
        Timestamp,
        market::{Greeks, VolStatus},
    },
};
use alloc::{boxed::Box, vec};

/// Rows of a block.
pub(super) const LANES: usize = Expiry::LANES;

// The anchor moves when the forward is further from it than this, so logarithms stay small and
// exact near the money.
const ANCHOR_REACH: f64 = 0.02;

/// Eight rows with their columns together: far-apart arrays fight for the same cache sets.
#[derive(Clone, Copy, Debug)]
struct Block {
    strike: V,
    // ln(strike / anchor).
    log: V,
    vol: V,
    inv_vol: V,
    status: [VolStatus; LANES],
}

/// One expiry's columns.
#[derive(Clone, Debug)]
pub(super) struct Slate {
    /// Layout of the rows that the columns were made for.
    layout: u32,
    anchor: f64,
    blocks: Box<[Block]>,
    /// Chain time at which the forward was taken.
    pub(super) valued: Timestamp,
    /// Rows that the forward was taken from.
    pub(super) window: (usize, usize),
    /// The settlement was seen.
    pub(super) done: bool,
}

/// What the whole expiry shares, and the logarithm of the forward over the anchor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    slice: Slice,
    log_forward: V,
    forward: f64,
    // On volatility's clock.
    years: f64,
    // What theta has to be corrected by, times vega and volatility, where that clock does not run
    // at the calendar's pace.
    decay: Option<V>,
}

impl Slate {
    pub(super) fn new(universe: &Universe) -> Slate {
        let empty = Block {
            strike: all(f64::NAN),
            log: all(f64::NAN),
            vol: all(f64::NAN),
            inv_vol: all(f64::NAN),
            status: [VolStatus::UNKNOWN; LANES],
        };
        let blocks = universe.limits.strikes_max.div_ceil(LANES);
        Slate {
            layout: 0,
            anchor: f64::NAN,
            blocks: vec![empty; blocks].into(),
            valued: 0,
            window: (0, usize::MAX),
            done: false,
        }
    }

    /// Brings the columns in line with the chain's rows and forward, and gives what they share.
    pub(super) fn shared(&mut self, chain: &Chain, index: u16) -> Shared {
        let expiry = chain.expiry(index);
        let distance = (expiry.forward - self.anchor).abs();
        let far = distance.is_nan() || distance > ANCHOR_REACH * expiry.forward;
        if self.layout != expiry.layout {
            self.lay_out(chain, expiry);
        }
        if far || self.layout != expiry.layout {
            self.anchor = expiry.forward;
            for block in &mut self.blocks[..expiry.rows().div_ceil(LANES)] {
                block.log = ln_ratio(block.strike, all(self.anchor));
            }
        }
        self.layout = expiry.layout;
        let (a, root_t) = (expiry.discount * expiry.forward, expiry.vol_years.max(0.0).sqrt());
        let rate = match expiry.years > 0.0 {
            true => -one(ln, expiry.discount) / expiry.years,
            false => chain.rate(),
        };
        let slice = Slice {
            a: all(a),
            discount: all(expiry.discount),
            inv_spot: all(1.0 / a),
            root_t: all(root_t),
            inv_root_t: all(1.0 / root_t),
            r: all(rate),
            q: all(rate),
        };
        let log_forward = all(ln_of_ratio(expiry.forward, self.anchor));
        let (forward, years) = (expiry.forward, expiry.vol_years);
        let decay = all(0.5 * (1.0 - expiry.vol_pace) / years);
        let even = expiry.vol_pace == 1.0;
        Shared { slice, log_forward, forward, years, decay: (!even).then_some(decay) }
    }

    // Rows moved: strikes come from the chain, volatilities from the Greeks of their options.
    fn lay_out(&mut self, chain: &Chain, expiry: &Expiry) {
        for (at, block) in self.blocks[..expiry.rows().div_ceil(LANES)].iter_mut().enumerate() {
            let mut strikes = [f64::NAN; LANES];
            let mut vols = [f64::NAN; LANES];
            for lane in 0..LANES {
                let row = at * LANES + lane;
                if row >= expiry.rows() {
                    break;
                }
                strikes[lane] = expiry.strike(row);
                let known = [expiry.call(row), expiry.put(row)];
                let known = known.iter().flatten().find_map(|index| chain.greeks(*index));
                block.status[lane] = known.map_or(VolStatus::UNKNOWN, |g| g.status);
                vols[lane] = known.map_or(f64::NAN, |g| g.iv);
            }
            block.strike = V::new(strikes);
            block.vol = V::new(vols);
            block.inv_vol = all(1.0) / block.vol;
        }
    }

    /// Volatilities of the rows of a block that `dirty` marks; the others keep theirs.
    pub(super) fn solve(
        &mut self,
        chain: &Chain,
        expiry: &Expiry,
        shared: &Shared,
        at: usize,
        dirty: u8,
    ) {
        let mut prices = [f64::NAN; LANES];
        let mut calls = [false; LANES];
        for lane in 0..LANES {
            if dirty >> lane & 1 == 1 {
                let row = at * LANES + lane;
                (prices[lane], calls[lane]) = best_price(chain, expiry, row, shared.forward);
            }
        }
        let block = &mut self.blocks[at];
        let bits = |flag: bool| f64::from_bits(if flag { u64::MAX } else { 0 });
        let priced = Priced {
            price: V::new(prices),
            call: V::new(calls.map(bits)),
            a: shared.slice.a,
            b: block.strike * shared.slice.discount,
            x: shared.log_forward - block.log,
            inv_root_t: shared.slice.inv_root_t,
        };
        let (vol, valid) = priced.implied();
        let marked = V::new(core::array::from_fn(|lane| bits(dirty >> lane & 1 == 1)));
        block.vol = marked.select(vol, block.vol);
        block.inv_vol = all(1.0) / block.vol;
        let (a, b) = (shared.slice.a.to_array()[0], priced.b.to_array());
        let valid = valid.to_bitmask();
        for lane in (0..LANES).filter(|lane| dirty >> lane & 1 == 1) {
            block.status[lane] = if valid >> lane & 1 == 1 {
                VolStatus::OK
            } else if prices[lane].is_nan() {
                VolStatus::NO_QUOTE
            } else {
                let cp = if calls[lane] { 1.0 } else { -1.0 };
                let strike = block.strike.to_array()[lane];
                let (spot, years, b) = (shared.forward, shared.years, b[lane]);
                Terms { cp, spot, strike, years, a, b }.status(prices[lane])
            };
        }
    }

    /// Greeks of a block: calls, then puts.
    pub(super) fn value(&self, shared: &Shared, at: usize) -> [[Greeks; LANES]; 2] {
        let block = &self.blocks[at];
        let x = shared.log_forward - block.log;
        let expired = shared.years <= 0.0;
        let pair = if expired {
            settled(&shared.slice, block.strike)
        } else {
            at_pace(
                pair(&shared.slice, block.strike, x, block.vol, block.inv_vol),
                block.vol,
                shared,
            )
        };
        let status = if expired { [VolStatus::EXPIRED; LANES] } else { block.status };
        columns(&pair, block.vol, &status)
    }
}

/// Theta a calendar year, where volatility's clock runs at another pace just now.
#[inline(always)]
fn at_pace(pair: Pair, vol: V, shared: &Shared) -> Pair {
    let Some(decay) = shared.decay else { return pair };
    let slower = decay * vol * pair.vega;
    let (call_theta, put_theta) = (pair.call_theta + slower, pair.put_theta + slower);
    Pair { call_theta, put_theta, ..pair }
}

/// The price that a row's volatility comes from: the mid of the side out of the money, or of the
/// other one. NaN where neither is firm.
fn best_price(chain: &Chain, expiry: &Expiry, row: usize, forward: f64) -> (f64, bool) {
    let mid = |index: Option<u32>| {
        let quote = index.map(|index| chain.quote(index)).filter(|quote| quote.is_firm());
        quote.map_or(f64::NAN, |quote| quote.mid())
    };
    let call_first = expiry.strike(row) >= forward;
    let side = |call: bool| mid(if call { expiry.call(row) } else { expiry.put(row) });
    let first = side(call_first);
    if first.is_nan() { (side(!call_first), !call_first) } else { (first, call_first) }
}

fn columns(pair: &Pair, vol: V, status: &[VolStatus; LANES]) -> [[Greeks; LANES]; 2] {
    let shared = (vol.to_array(), pair.gamma.to_array(), pair.vega.to_array());
    let side = |price: V, delta: V, theta: V| {
        let (price, delta, theta) = (price.to_array(), delta.to_array(), theta.to_array());
        core::array::from_fn(|lane| {
            let known = status[lane] == VolStatus::OK || status[lane] == VolStatus::EXPIRED;
            if !known {
                return unknown(status[lane]);
            }
            let iv = shared.0[lane];
            Greeks {
                iv: if iv.is_nan() { 0.0 } else { iv },
                price: price[lane] as f32,
                delta: delta[lane] as f32,
                gamma: shared.1[lane] as f32,
                theta: theta[lane] as f32,
                vega: shared.2[lane] as f32,
                status: status[lane],
                reserved: [0; 3],
            }
        })
    };
    [
        side(pair.call, pair.call_delta, pair.call_theta),
        side(pair.put, pair.put_delta, pair.put_theta),
    ]
}

fn unknown(status: VolStatus) -> Greeks {
    Greeks { status, ..bytemuck::Zeroable::zeroed() }
}
