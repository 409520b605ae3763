//! What each scorer thinks of an entry and how sure it is in; one score out.
//!
//! | scorer | score, −1 to 1 | confidence |
//! |---|---|---|
//! | volatility | (0.75 − ratio) / 0.25 for a seller, its negative for a buyer | 1, if known |
//! | direction | direction · trend | \|trend\|, for an entry with a direction |
//! | timing | 1 − 2 · (share of the session that has passed)² | 1 within a session |
//! | execution | 1 − 2 · spread / `spread_max` | 1 where the spread is known |
//! | risk | 1 − 2 · (session's loss) / `loss_max` | 1 where the P&L is known |
//! | models | as they say | as they say |
//!
//! The score is Σ w c s / Σ w c over all scorers, 0 where nobody is sure of anything. It shrinks an
//! entry by min(1, 1 + score): nobody's enthusiasm makes one larger.

use super::{Ask, settings::Settings};

/// Models that may vote beside the rules.
pub const MODELS: usize = 4;

/// One scorer's word.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vote {
    /// Against (−1) to for (1).
    pub score: f64,
    /// Not at all (0) to fully (1) sure.
    pub confidence: f64,
}

impl Vote {
    /// A score within its bounds, of full confidence; none where it is not known.
    fn sure(score: f64) -> Vote {
        Vote::of(score, 1.0)
    }

    /// Both within their bounds; no confidence where either is not known.
    pub fn of(score: f64, confidence: f64) -> Vote {
        if score.is_nan() || confidence.is_nan() {
            return Vote::default();
        }
        Vote { score: score.clamp(-1.0, 1.0), confidence: confidence.clamp(0.0, 1.0) }
    }
}

/// What the scorers of rules look at besides the ask.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    /// Share of the session that has passed; NaN outside of one.
    pub(super) passed: f64,
    /// Loss of the session as a share of the capital; NaN where it is not known.
    pub(super) lost: f64,
}

/// The votes of the rules, in the order of the table.
pub(super) fn rules(ask: &Ask, scene: &Scene, set: &Settings) -> [Vote; 5] {
    let readings = &ask.readings;
    let rich = (0.75 - readings.ratio) / 0.25;
    let volatility = if ask.vega == 0 { f64::NAN } else { -f64::from(ask.vega) * rich };
    let direction = f64::from(ask.direction);
    let confidence = if ask.direction == 0 { 0.0 } else { readings.trend.abs() };
    [
        Vote::sure(volatility),
        Vote::of(direction * readings.trend, confidence),
        Vote::sure(1.0 - 2.0 * scene.passed * scene.passed),
        Vote::sure(1.0 - 2.0 * ask.spread / set.spread_max),
        Vote::sure(1.0 - 2.0 * scene.lost.max(0.0) / set.loss_max),
    ]
}

/// The score, and the sum of weighted confidences behind it.
pub fn tally(votes: impl Iterator<Item = (f64, Vote)>) -> (f64, f64) {
    let (sum, sure) = votes.fold((0.0, 0.0), |(sum, sure), (weight, vote)| {
        let sureness = weight * vote.confidence;
        (sum + sureness * vote.score, sure + sureness)
    });
    if sure > 0.0 { (sum / sure, sure) } else { (0.0, 0.0) }
}
