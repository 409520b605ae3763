//! The working columns of one expiry: strikes, anchored logarithms and volatilities in blocks of
//! eight rows; a block and the expiry's slice in, the Greeks of its calls and puts out.

use super::{
    american::{Cache, Lift, Place, Terms as Exercise, even_yield},
    black::{Pair, Slice, pair, settled},
    forward::{ln_of_ratio, present_value},
    implied::{Priced, Terms},
    math::{V, all, ln, ln_ratio, one},
};
use crate::{
    chain::{Chain, Expiry, Style, Universe},
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
    // What early exercise adds to the call less what it adds to the put.
    early: V,
    status: [VolStatus; LANES],
    // Any of its strikes counts as near the money.
    near: bool,
    // The forward has moved since it was valued.
    waits: bool,
}

/// How many of their own standard deviations from the forward strikes come into the window and how
/// many they leave it: a forward that swings about the one border does not reach the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    enter: f64,
    leave: f64,
}

impl Reach {
    pub(super) fn new(near: f64, slack: f64) -> Reach {
        Reach { enter: near, leave: near + slack }
    }
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
    /// The spot that the forward was taken from; NaN where pairs gave it.
    pub(super) spot: f64,
    /// Some blocks wait for the expiry's turn.
    pub(super) waits: bool,
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
    // For American options.
    pub(super) early: Option<Exercise>,
}

impl Shared {
    /// Why a price gives no volatility. An American one has to be above what exercising now gives,
    /// and above the European floor with what early exercise adds to it.
    fn status(&self, call: bool, strike: f64, price: f64) -> VolStatus {
        let one = |column: V| column.to_array()[0];
        let (a, b) = match &self.early {
            Some(early) => (early.spot, strike),
            None => (one(self.slice.a), strike * one(self.slice.discount)),
        };
        let cp = if call { 1.0 } else { -1.0 };
        let terms = Terms { cp, spot: self.forward, strike, years: self.years, a, b };
        match terms.status(price) {
            VolStatus::OK if self.early.is_some() => VolStatus::BELOW_INTRINSIC,
            status => status,
        }
    }
}

/// What early exercise adds to the calls and the puts of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifts {
    call: Option<Lift>,
    put: Option<Lift>,
}

impl Lifts {
    /// Of European options.
    const NONE: Lifts = Lifts { call: None, put: None };

    /// Of the calls less that of the puts, at these volatilities; 0 where it is not known.
    fn apart(&self, vol: V) -> V {
        let price = |lift: &Option<Lift>| lift.map_or(all(0.0), |lift| lift.price(vol));
        let apart = price(&self.call) - price(&self.put);
        apart.is_nan().select(all(0.0), apart)
    }

    fn is_none(&self) -> bool {
        self.call.is_none() && self.put.is_none()
    }

    fn price(&self, call: V, vol: V) -> V {
        let price = |lift: &Option<Lift>| lift.map_or(all(0.0), |lift| lift.price(vol));
        call.select(price(&self.call), price(&self.put))
    }

    /// Lanes of these sides that are exercised at once: any volatility gives the same price.
    fn exercised(&self, call: V) -> u32 {
        let mask = |lift: &Option<Lift>| lift.map_or(all(0.0), |lift| lift.exercised);
        call.select(mask(&self.call), mask(&self.put)).to_bitmask()
    }
}

impl Slate {
    pub(super) fn new(universe: &Universe) -> Slate {
        let empty = Block {
            strike: all(f64::NAN),
            log: all(f64::NAN),
            vol: all(f64::NAN),
            inv_vol: all(f64::NAN),
            early: all(0.0),
            status: [VolStatus::UNKNOWN; LANES],
            near: false,
            waits: false,
        };
        let blocks = universe.limits.strikes_max.div_ceil(LANES);
        Slate {
            layout: 0,
            anchor: f64::NAN,
            blocks: vec![empty; blocks].into(),
            valued: 0,
            window: (0, usize::MAX),
            spot: f64::NAN,
            waits: false,
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
        let early = exercise(chain, expiry, slice.r.to_array()[0]);
        Shared { slice, log_forward, forward, years, decay: (!even).then_some(decay), early }
    }

    /// What early exercise adds to a block's options, by the boundaries that are held.
    #[inline]
    pub(super) fn lifts(&self, cache: &Cache, shared: &Shared, place: Place) -> Lifts {
        let Some(terms) = &shared.early else { return Lifts::NONE };
        let block = &self.blocks[place.block];
        let log = shared.log_forward - block.log + all((terms.q - terms.r) * terms.years);
        let lift = |call: bool| cache.lift(place, call, terms, block.strike, log);
        Lifts { call: lift(true), put: lift(false) }
    }

    /// Solves the boundaries of a block where they have aged; how many.
    pub(super) fn refresh(&self, cache: &mut Cache, shared: &Shared, place: Place) -> usize {
        let Some(terms) = &shared.early else { return 0 };
        let vol = self.blocks[place.block].vol;
        let solved = [false, true].map(|call| cache.refresh(place, call, terms, vol));
        solved.iter().filter(|solved| **solved).count()
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
            block.early = all(0.0);
        }
    }

    /// Whether the forward came from a spot that has moved since, by more than these of the root's
    /// smallest ticks.
    #[inline]
    pub(super) fn spot_moved(&self, chain: &Chain, index: u16, ticks: f64) -> bool {
        if self.spot.is_nan() {
            return false;
        }
        let root = chain.expiry(index).root;
        (chain.spot(root) - self.spot).abs() > ticks * chain.tick(root, 0.0)
    }

    /// Whether a block belongs to the window, now that the forward has moved.
    #[inline]
    pub(super) fn is_near(&mut self, shared: &Shared, at: usize, reach: Reach) -> bool {
        let block = &mut self.blocks[at];
        let deviations = (shared.log_forward - block.log).abs() * block.inv_vol;
        let bound = all(if block.near { reach.leave } else { reach.enter });
        block.near = (deviations * shared.slice.inv_root_t).simd_le(bound).any();
        block.near
    }

    /// Whether a block waits for the expiry's turn.
    #[inline]
    pub(super) fn is_waiting(&self, at: usize) -> bool {
        self.blocks[at].waits
    }

    /// A block is not valued now; where the forward has moved it waits from here on.
    #[inline]
    pub(super) fn leave(&mut self, at: usize, moved: bool) {
        self.blocks[at].waits |= moved;
        self.waits |= moved;
    }

    /// What early exercise adds to a row's call less what it adds to the put, as last valued.
    pub(super) fn early(&self, row: usize) -> f64 {
        self.blocks[row / LANES].early.to_array()[row % LANES]
    }

    /// Volatilities of the rows of a block that `dirty` marks; the others keep theirs.
    pub(super) fn solve(
        &mut self,
        chain: &Chain,
        expiry: &Expiry,
        shared: &Shared,
        at: usize,
        dirty: u8,
        lifts: &Lifts,
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
        let (price, call) = (V::new(prices), V::new(calls.map(bits)));
        let priced = |premium: V| Priced {
            price: price - premium,
            call,
            a: shared.slice.a,
            b: block.strike * shared.slice.discount,
            x: shared.log_forward - block.log,
            inv_root_t: shared.slice.inv_root_t,
        };
        let root_t = shared.slice.root_t;
        let near =
            |premium: V, vol: V, inv_vol: V| priced(premium).implied_from(vol, inv_vol, root_t);
        let (vol, valid) = if lifts.is_none() {
            near(all(0.0), block.vol, block.inv_vol)
        } else {
            // The premium at the boundary's volatility, then at the one that it gives.
            let premium = lifts.price(call, all(f64::NAN));
            let (first, _) = near(premium, block.vol, block.inv_vol);
            near(lifts.price(call, first), first, all(1.0) / first)
        };
        let exercised = lifts.exercised(call);
        let marked = V::new(core::array::from_fn(|lane| bits(dirty >> lane & 1 == 1)));
        block.vol = marked.select(vol, block.vol);
        block.inv_vol = all(1.0) / block.vol;
        let valid = valid.to_bitmask() & !exercised;
        for lane in (0..LANES).filter(|lane| dirty >> lane & 1 == 1) {
            block.status[lane] = if valid >> lane & 1 == 1 {
                VolStatus::OK
            } else if prices[lane].is_nan() {
                VolStatus::NO_QUOTE
            } else if exercised >> lane & 1 == 1 {
                VolStatus::AT_INTRINSIC_ITM
            } else {
                shared.status(calls[lane], block.strike.to_array()[lane], prices[lane])
            };
        }
    }

    /// Greeks of a block: calls, then puts.
    pub(super) fn value(
        &mut self,
        shared: &Shared,
        at: usize,
        lifts: &Lifts,
    ) -> [[Greeks; LANES]; 2] {
        let block = &mut self.blocks[at];
        block.waits = false;
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
        let (call, put) = Side::both(&pair);
        if shared.early.is_some() {
            block.early = lifts.apart(block.vol);
        }
        let call = call.lifted(&lifts.call, shared, block, 1.0);
        let put = put.lifted(&lifts.put, shared, block, -1.0);
        [call.columns(block.vol, &status), put.columns(block.vol, &status)]
    }
}

/// Price and Greeks of a block's calls or puts.
#[derive(Clone, Copy, Debug)]
struct Side {
    price: V,
    delta: V,
    gamma: V,
    theta: V,
    vega: V,
}

impl Side {
    #[inline(always)]
    fn both(pair: &Pair) -> (Side, Side) {
        let side = |price: V, delta: V, theta: V| {
            let Pair { gamma, vega, .. } = *pair;
            Side { price, delta, gamma, theta, vega }
        };
        (
            side(pair.call, pair.call_delta, pair.call_theta),
            side(pair.put, pair.put_delta, pair.put_theta),
        )
    }

    /// With what early exercise adds; theta to a fixed forward, as the European one.
    #[inline(always)]
    fn lifted(self, lift: &Option<Lift>, shared: &Shared, block: &Block, sign: f64) -> Side {
        let (Some(lift), Some(terms)) = (lift, &shared.early) else { return self };
        let (added, sign, spot) = (lift.added(), all(sign), all(terms.spot));
        let carry = spot * all(terms.r - terms.q);
        let now = (spot - block.strike) * sign;
        let pick = |exercised: V, held: V| lift.exercised.select(exercised, held);
        let held = self.price + lift.price(block.vol);
        Side {
            price: pick(now, held.fast_max(now)),
            delta: pick(sign, self.delta + added.delta),
            gamma: pick(all(0.0), self.gamma + added.gamma),
            theta: pick(sign * carry, added.delta.mul_add(carry, self.theta + added.theta)),
            vega: pick(all(0.0), self.vega + added.vega),
        }
    }

    fn columns(&self, vol: V, status: &[VolStatus; LANES]) -> [Greeks; LANES] {
        let (price, delta, gamma) =
            (self.price.to_array(), self.delta.to_array(), self.gamma.to_array());
        let (theta, vega, vol) = (self.theta.to_array(), self.vega.to_array(), vol.to_array());
        core::array::from_fn(|lane| {
            let known = status[lane] == VolStatus::OK || status[lane] == VolStatus::EXPIRED;
            if !known {
                return unknown(status[lane]);
            }
            Greeks {
                iv: if vol[lane].is_nan() { 0.0 } else { vol[lane] },
                price: price[lane] as f32,
                delta: delta[lane] as f32,
                gamma: gamma[lane] as f32,
                theta: theta[lane] as f32,
                vega: vega[lane] as f32,
                status: status[lane],
                reserved: [0; 3],
            }
        })
    }
}

/// Spot, rates and times for early exercise; `None` for European options and settled ones.
fn exercise(chain: &Chain, expiry: &Expiry, r: f64) -> Option<Exercise> {
    let american = chain.root(expiry.root).is_some_and(|root| root.style == Style::American);
    if !american || expiry.years.is_nan() || expiry.years <= 0.0 {
        return None;
    }
    let (years, escrowed) = (expiry.years, expiry.forward * expiry.discount);
    let dividends = present_value(chain, expiry, r);
    let (spot, pace) = (escrowed + dividends, (expiry.vol_years / years).sqrt());
    Some(Exercise { spot, r, q: even_yield(spot, dividends, years), years, pace })
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

fn unknown(status: VolStatus) -> Greeks {
    Greeks { status, ..bytemuck::Zeroable::zeroed() }
}
