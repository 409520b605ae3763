//! Capital, worst loss, swing and edge in; packages by each method out.
//!
//! | method | packages |
//! |---|---|
//! | fixed fraction | capital · fraction / loss |
//! | volatility target | capital · target / √252 / swing |
//! | fractional Kelly | capital · min(share · f, cap) / loss, f = p − (1 − p) / b |
//!
//! `loss` is the worst of one package, `swing` its standard deviation a day, p the chance to win
//! and b what is won for each unit that is lost. The least of the methods counts; one whose input
//! is not known says nothing, except that a Kelly fraction of nothing is a bet of nothing.

use super::settings::Settings;
use crate::book::{Record, to_currency};

/// √252, sessions a year.
const ROOT_SESSIONS: f64 = 15.874_507_866_387_544;

/// What an entry is thought to win.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Chance to win, 0 to 1.
    pub win: f64,
    /// Won for each unit that is lost otherwise.
    pub odds: f64,
}

impl Edge {
    /// Of what was won and lost: how often, and how much on the mean. Without a loss so far, or
    /// without a win, the odds are not known: the chance alone speaks.
    pub fn of(record: &Record) -> Option<Edge> {
        let (won, lost) = (f64::from(record.won), f64::from(record.lost));
        let win = won / (won + lost);
        let mean = |sum: i64, count: f64| to_currency(sum) / count;
        let odds = match (record.won, record.lost) {
            (0, 0) => return None,
            (_, 0) => f64::INFINITY,
            (0, _) => 0.0,
            _ => mean(record.gained, won) / mean(record.given, lost),
        };
        Some(Edge { win, odds })
    }

    /// The share of capital that makes it grow fastest; 0 where there is no edge.
    pub fn kelly(&self) -> f64 {
        let share = self.win - (1.0 - self.win) / self.odds;
        // NaN is no edge.
        if share > 0.0 { share } else { 0.0 }
    }
}

/// Packages by the least of the methods, not yet whole.
pub fn packages(capital: f64, loss: f64, swing: f64, edge: Option<Edge>, set: &Settings) -> f64 {
    let of_loss = |share: f64| capital * share / loss.max(0.01);
    let fixed = of_loss(set.fraction);
    let target = capital * set.volatility_target / ROOT_SESSIONS / swing;
    let volatility =
        if set.volatility_target > 0.0 && swing > 0.0 { target } else { f64::INFINITY };
    let kelly = match edge.filter(|_| set.kelly_share > 0.0) {
        Some(edge) => of_loss((set.kelly_share * edge.kelly()).min(set.kelly_max)),
        None => f64::INFINITY,
    };
    if loss.is_nan() { 0.0 } else { fixed.min(volatility).min(kelly) }
}

/// What one of `others + 1` signals of correlation ρ counts: 1 / (1 + others · ρ), so that together
/// they count as many as they are independent.
pub fn shrink(others: usize, correlation: f64) -> f64 {
    1.0 / (1.0 + others as f64 * correlation)
}
