//! What is held and stated scenarios with their weights in; value at risk and expected shortfall of
//! the book out, on the beat.
//!
//! A scenario is a move of every underlying, a change of every volatility, and a weight: all the
//! same for a list of historical days, probabilities for a stated distribution. Everything is fully
//! revalued, as in [`super::grid`], `tail_days` later. With losses l, weights p that add up to 1
//! and the confidence β, value at risk is the least l with P(loss ≤ l) ≥ β, and the shortfall that
//! of Rockafellar and Uryasev (2000), with the exact fraction of the loss at the quantile:
//!
//! ```text
//! ES = VaR + Σ p max(l − VaR, 0) / (1 − β)
//! ```

use super::{
    dollars::{Wide, currency, wide},
    grid::{Grid, Moves},
    limits::Limits,
};
use crate::book::Desk;
use alloc::vec::Vec;

/// Most scenarios: a year of days.
pub(super) const TAIL_MAX: usize = 264;

/// Less than this much probability is rounding.
const ROUNDING: f64 = 1e-9;

/// Value at risk and expected shortfall, 1e-9 of currency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Risked {
    pub(super) value_at_risk: Wide,
    pub(super) shortfall: Wide,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Tail {
    grid: Grid<{ TAIL_MAX / 8 }>,
    /// Of the scenarios, in their order; they add up to 1.
    weights: Vec<f64>,
    confidence: f64,
    losses: Vec<(Wide, f64)>,
    unknown_allowed: bool,
    risked: Option<Risked>,
}

impl Tail {
    pub(super) fn new(limits: &Limits) -> Tail {
        let vol = |at: usize| limits.tail_vols.get(at).copied().unwrap_or(0.0);
        let spots = limits.tail_spots.iter().enumerate();
        let moves = spots.map(|(at, &spot)| [spot, vol(at), limits.tail_days]);
        let moves: Vec<Moves> = moves.take(TAIL_MAX - 1).collect();
        let given = |at: usize| limits.tail_weights.get(at).copied().unwrap_or(1.0);
        let all: f64 = (0..moves.len()).map(given).sum();
        Tail {
            weights: (0..moves.len()).map(|at| given(at) / all).collect(),
            losses: Vec::with_capacity(moves.len()),
            grid: Grid::new(moves, limits.grid_turns),
            confidence: limits.tail_confidence,
            unknown_allowed: limits.unknown_greeks_allowed,
            risked: Some(Risked::default()),
        }
    }

    /// Takes over what is held, values some of it anew, and measures.
    pub(super) fn look(&mut self, desk: &Desk) {
        self.grid.renew(desk);
        self.grid.turn(desk);
        let (profits, unknown) = self.grid.profits();
        if unknown > 0 && !self.unknown_allowed {
            self.risked = None;
            return;
        }
        self.losses.clear();
        let weighed = profits.iter().zip(&self.weights);
        self.losses.extend(weighed.map(|(profit, weight)| (-profit, *weight)));
        self.losses.sort_unstable_by_key(|(loss, _)| *loss);
        self.risked = risked(&self.losses, self.confidence);
    }

    /// What was measured last; `None` where a line could not be valued.
    pub(super) fn risked(&self) -> Option<Risked> {
        self.risked
    }
}

/// Of losses, the least first, and their weights.
fn risked(losses: &[(Wide, f64)], confidence: f64) -> Option<Risked> {
    let mut below = 0.0;
    let at = losses.iter().position(|(_, weight)| {
        below += weight;
        below >= confidence - ROUNDING
    });
    // Weights whose sum is rounded to less than 1: the last one is the quantile.
    let at = at.unwrap_or(losses.len().checked_sub(1)?);
    let quantile = losses[at].0;
    let beyond = losses[at..].iter().map(|(loss, weight)| currency(loss - quantile) * weight);
    let mean = wide(beyond.sum::<f64>() / (1.0 - confidence))?;
    Some(Risked { value_at_risk: quantile, shortfall: quantile + mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Wide = 1_000_000_000;

    #[test]
    fn the_quantile_is_a_loss_and_the_mean_beyond_it_has_the_exact_fraction() {
        let even: Vec<(Wide, f64)> = (1..=10).map(|loss| (loss * ONE, 0.1)).collect();
        // Losses from 8 on, the 8 by half: (0.5·8 + 9 + 10) / 2.5.
        let wanted = Risked { value_at_risk: 8 * ONE, shortfall: 92 * ONE / 10 };
        assert_eq!(risked(&even, 0.75), Some(wanted));
        let wanted = Risked { value_at_risk: 9 * ONE, shortfall: 10 * ONE };
        assert_eq!(risked(&even, 0.9), Some(wanted));
        // One in twenty loses 100, one in a hundred 1,000: (0.04·100 + 0.01·1,000) / 0.05.
        let rare = [(0, 0.94), (100 * ONE, 0.05), (1_000 * ONE, 0.01)];
        let wanted = Risked { value_at_risk: 100 * ONE, shortfall: 280 * ONE };
        assert_eq!(risked(&rare, 0.95), Some(wanted));
        assert_eq!(risked(&[], 0.95), None);
    }
}
