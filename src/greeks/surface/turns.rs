//! The chain in; on the beat, the smiles of the expiries whose turn it is, as SMILE events, out.

use super::{Bound, Fitter, Smile, Svi};
use crate::{
    chain::{Chain, Expiry, Surface, Universe},
    greeks::math::{V, ln_ratio},
    stage::Emit,
    wire::{
        Event, Kind,
        market::{self, VolStatus},
    },
};

const LANES: usize = Expiry::LANES;
/// Less than this share of the variance is the rounding of the numbers that the event carries.
const CROSSING: f64 = 1e-4;

/// Fits smiles in turn; where it stands is all it remembers, the smiles are the chain's.
#[derive(Clone, Debug)]
pub struct Turns {
    settings: Surface,
    fitter: Fitter,
    beats: usize,
    turn: usize,
}

impl Turns {
    /// Room for the points of the longest expiry.
    pub fn new(universe: &Universe) -> Turns {
        let fitter = Fitter::new(universe.limits.strikes_max);
        Turns { settings: universe.surface.clone(), fitter, beats: 0, turn: 0 }
    }

    /// A beat has come: fits the next of `order`, expiries by settlement, that have points enough.
    pub fn on_beat<K: AsMut<Chain>>(
        &mut self,
        known: &mut K,
        cause: &Event,
        order: &[u16],
        out: &mut impl Emit<K, Event>,
    ) {
        self.beats += 1;
        if !self.beats.is_multiple_of(self.settings.every) || order.is_empty() {
            return;
        }
        for _ in 0..self.settings.turns.min(order.len()) {
            self.turn = (self.turn + 1) % order.len();
            let chain = known.as_mut();
            if let Some(smile) = self.fit(chain, order, self.turn) {
                let event = Event::caused_by(cause, Kind::SMILE, order[self.turn].into(), smile);
                chain.apply(&event);
                out.emit(known, &event);
            }
        }
    }

    /// The smile of the expiry at `place` of `order`, from its last one and above the one before
    /// it of the same root.
    pub fn fit(&mut self, chain: &Chain, order: &[u16], place: usize) -> Option<market::Smile> {
        let expiry = chain.expiry(order[place]);
        points(chain, expiry, self.settings.width_max, &mut self.fitter);
        let near = order[..place].iter().rev().map(|index| chain.expiry(*index));
        let near = near.filter(|near| near.root == expiry.root).find_map(svi_of);
        let fit = self.fitter.fit(svi_of(expiry).as_ref(), near.map(Bound))?;
        Some(market::Smile {
            a: fit.svi.a as f32,
            b: fit.svi.b as f32,
            rho: fit.svi.rho as f32,
            m: fit.svi.m as f32,
            sigma: fit.svi.sigma as f32,
            rms: fit.rms as f32,
            butterfly: fit.butterfly as f32,
            points: fit.points as u16,
            crossed: fit.crosses(CROSSING).into(),
        })
    }
}

/// The SVI that an expiry carries, if it has one.
pub fn svi_of(expiry: &Expiry) -> Option<Svi> {
    let smile = &expiry.smile;
    (smile.points > 0).then(|| Svi {
        a: smile.a.into(),
        b: smile.b.into(),
        rho: smile.rho.into(),
        m: smile.m.into(),
        sigma: smile.sigma.into(),
    })
}

/// The smile that an expiry carries, if it has one and time is left.
pub fn smile_of(expiry: &Expiry) -> Option<Smile> {
    let years = expiry.vol_years;
    svi_of(expiry).filter(|_| years > 0.0).map(|svi| Smile { svi, years })
}

/// The points of an expiry: of each strike the side out of the money, where it has a volatility
/// and a firm quote; weighted by what half a spread is in total variance.
fn points(chain: &Chain, expiry: &Expiry, width_max: f64, into: &mut Fitter) {
    into.clear();
    let (forward, years) = (expiry.forward, expiry.vol_years);
    if forward.is_nan() || years <= 0.0 {
        return;
    }
    for at in 0..expiry.rows().div_ceil(LANES) {
        let strikes = core::array::from_fn(|lane| expiry.strike_or_nan(at * LANES + lane));
        let logs = ln_ratio(V::new(strikes), V::splat(forward)).to_array();
        for (lane, k) in logs.into_iter().enumerate() {
            let row = at * LANES + lane;
            if row >= expiry.rows() {
                return;
            }
            let side = if k < 0.0 { expiry.put(row) } else { expiry.call(row) };
            if let Some((w, weight)) = side.and_then(|i| point(chain, i, years, width_max)) {
                into.push(k, w, weight);
            }
        }
    }
}

/// Total variance of an option and the weight of that.
fn point(chain: &Chain, index: u32, years: f64, width_max: f64) -> Option<(f64, f64)> {
    let greeks = chain.greeks(index).filter(|greeks| greeks.status == VolStatus::OK)?;
    let quote = chain.quote(index);
    let half = 0.5 * (quote.ask - quote.bid);
    if !quote.is_firm() || quote.bid <= 0.0 || 2.0 * half > width_max * quote.mid() {
        return None;
    }
    // A price moves by vega·dσ, and dw = 2σT·dσ.
    let slope = f64::from(greeks.vega) / (2.0 * greeks.iv * years);
    let uncertainty = half / slope;
    Some((greeks.iv * greeks.iv * years, 1.0 / (uncertainty * uncertainty)))
}
