//! Lines that are held and moves of the market in; profits by full revaluation, value at risk and
//! expected shortfall out.
//!
//! A move is a relative change of the forward and of each option's own volatility. Historical moves
//! come from a file; simulated ones are normal with a correlation, from a seed. With losses
//! l₁ ≤ … ≤ lₙ and the confidence β, value at risk is the order statistic at ⌈nβ⌉: no average
//! of two losses, of which neither happened. Expected shortfall is that of Rockafellar and Uryasev
//! (2000), with the exact fraction of the loss at the quantile:
//!
//! ```text
//! ES = VaR + Σ max(l − VaR, 0) / (n (1 − β))
//! ```

use serde_json::{Value, json};
use std::{fs, path::Path};
use zomma::{
    chain::{Chain, Style, Track},
    feature::Features,
    greeks::{
        Revalue,
        lanes::{Lanes, Scalar},
        options::Options,
        sets::{Model, Price},
    },
    journal::{Manifest, Reader, Stream},
    risk::Risk,
    run::{Failure, Files, Plan},
    stage::{Emit, Sink, Then},
    strategy::Decide,
    wire::{
        Timestamp,
        market::{Class, VolStatus},
    },
};

/// A held option, as it is revalued.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// +1 a call, −1 a put.
    pub cp: f64,
    /// Forward of its expiry.
    pub forward: f64,
    /// Strike.
    pub strike: f64,
    /// Years to settlement on the clock that its volatility runs by.
    pub years: f64,
    /// Implied volatility, annual.
    pub iv: f64,
    /// Discount factor to settlement.
    pub discount: f64,
    /// Contracts × multiplier, signed.
    pub units: f64,
    /// Exercised at any time: worth no less than its intrinsic value.
    pub american: bool,
}

/// Value at risk and expected shortfall of one day, currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// The loss at the confidence.
    pub value_at_risk: f64,
    /// The mean of the losses from there on.
    pub shortfall: f64,
}

impl Tail {
    /// Of profits, at a confidence such as 0.99. `None` without profits, or where one is no number.
    pub fn of(profits: &[f64], confidence: f64) -> Option<Tail> {
        let mut losses: Vec<f64> = profits.iter().map(|profit| -profit).collect();
        if losses.is_empty() || losses.iter().any(|loss| loss.is_nan()) {
            return None;
        }
        losses.sort_by(f64::total_cmp);
        let count = losses.len() as f64;
        // Less than a part in 2³⁰ of a place is rounding, no place.
        let place = (count * confidence - 1e-9).ceil().clamp(1.0, count) as usize;
        let value_at_risk = losses[place - 1];
        let beyond: f64 = losses[place..].iter().map(|loss| loss - value_at_risk).sum();
        let shortfall = value_at_risk + beyond / (count * (1.0 - confidence));
        Some(Tail { value_at_risk, shortfall })
    }
}

impl Line {
    /// Worth of one unit after a move.
    fn worth(&self, [spot, vol]: [f64; 2]) -> f64 {
        let forward = self.forward * (1.0 + spot);
        let options = Options {
            spot: Scalar(forward),
            strike: Scalar(self.strike),
            years: Scalar(self.years),
            r: Scalar(0.0),
            q: Scalar(0.0),
            vol: Scalar((self.iv * (1.0 + vol)).max(0.0)),
        };
        let valued = options.value(Model::Spot);
        let Price { price } = if self.cp > 0.0 { valued.call() } else { valued.put() };
        let inside = self.cp * (forward - self.strike);
        let price = price.lane(0) * self.discount;
        if self.american { price.max(inside) } else { price }
    }

    /// Profit after a move.
    pub fn profit(&self, moves: [f64; 2]) -> f64 {
        self.units * (self.worth(moves) - self.worth([0.0; 2]))
    }
}

/// Profits of all lines together, one for each move.
pub fn profits(lines: &[Line], moves: &[[f64; 2]]) -> Vec<f64> {
    moves.iter().map(|&moves| lines.iter().map(|line| line.profit(moves)).sum()).collect()
}

/// Normal moves of spot and volatility with their standard deviations and correlation.
pub fn simulated(paths: usize, seed: u64, [spot, vol, correlation]: [f64; 3]) -> Vec<[f64; 2]> {
    let mut state = seed;
    let mut unit = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) >> 11) as f64 / (1u64 << 53) as f64
    };
    let rest = (1.0 - correlation * correlation).max(0.0).sqrt();
    let pair = |_| {
        // Box and Muller: two normal numbers of two uniform ones.
        let size = (-2.0 * (1.0 - unit()).ln()).sqrt();
        let turn = core::f64::consts::TAU * unit();
        let (a, b) = (size * turn.cos(), size * turn.sin());
        [spot * a, vol * (correlation * a + rest * b)]
    };
    (0..paths).map(pair).collect()
}

/// Moves of a file: two columns, spot and volatility, a header or none.
pub fn moves(path: &Path) -> Result<Vec<[f64; 2]>, Failure> {
    let text = fs::read_to_string(path).map_err(|e| Failure::file(path, "read the moves", &e))?;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<Option<f64>> =
            line.split(',').map(|cell| cell.trim().parse().ok()).collect();
        match cells[..] {
            [Some(spot), Some(vol)] if spot.is_finite() && vol.is_finite() => {
                found.push([spot, vol]);
            }
            _ if number == 0 => {}
            _ => {
                let what = "write two numbers, the relative moves of spot and volatility";
                let place = path.display();
                return Err(Failure::input(format!("{place}: line {}: {what}", number + 1)));
            }
        }
    }
    Ok(found)
}

/// What a run held at an instant; the end of it with `u64::MAX`.
pub fn held(directory: &Path, at: Timestamp) -> Result<(Vec<Line>, f64), Failure> {
    let unusable = |e: zomma::journal::Error| Failure::input(e.to_string());
    let manifest = Manifest::read(directory).map_err(unusable)?;
    let files = manifest.config.iter().map(|file| (file.name.clone(), file.text.clone()));
    let plan = Plan::new(&Files::from_list(files.collect()))?;
    let mut desk = plan.desk();
    let risk = Risk::new(plan.limits.clone(), plan.strategies.roster());
    let rear = Then(Decide::new(plan.strategies.clone()), Then(risk, Sink));
    let rear = Then(Features::new(&plan.features, &plan.universe), rear);
    let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
    let mut inputs = Reader::open(directory, Stream::Inputs).map_err(unusable)?;
    while let Some(event) = inputs.next_event().filter(|event| event.ts_recv <= at) {
        stages.emit(&mut desk, event);
    }
    let lines = desk.book.holdings().map(|held| {
        let instrument = held.instrument;
        line(&desk.chain, held.instrument, held.held as f64 * held.multiplier as f64)
            .ok_or_else(|| Failure::mismatch(format!("instrument {instrument} has no volatility")))
    });
    let lines = lines.collect::<Result<Vec<Line>, Failure>>()?;
    Ok((lines, plan.account.capital))
}

fn line(chain: &Chain, instrument: u32, units: f64) -> Option<Line> {
    let terms = chain.instrument(instrument).filter(|terms| terms.class.is_option())?;
    let greeks = chain.greeks(instrument).filter(|greeks| greeks.status == VolStatus::OK)?;
    let expiry = chain.expiry(terms.expiry);
    Some(Line {
        cp: if terms.class == Class::CALL { 1.0 } else { -1.0 },
        forward: expiry.forward,
        strike: terms.strike,
        years: chain.vol_years(terms.expiry),
        iv: greeks.iv,
        discount: expiry.discount,
        units,
        american: chain.root(terms.root).is_some_and(|root| root.style == Style::American),
    })
}

/// Lines, how they fare, and their tail, for a program to read.
pub fn tell(lines: &[Line], profits: &[f64], confidence: f64, capital: f64) -> Value {
    let tail = Tail::of(profits, confidence);
    let [value_at_risk, shortfall] =
        [tail.map(|tail| tail.value_at_risk), tail.map(|tail| tail.shortfall)];
    let share = |amount: Option<f64>| amount.map(|amount| amount / capital);
    json!({
        "lines": lines.len(), "scenarios": profits.len(), "confidence": confidence,
        "value_at_risk": value_at_risk, "value_at_risk_of_capital": share(value_at_risk),
        "expected_shortfall": shortfall, "expected_shortfall_of_capital": share(shortfall),
        "worst": profits.iter().copied().reduce(f64::min),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_an_order_statistic_and_its_mean_has_the_exact_fraction() {
        let profits: Vec<f64> = (1..=10).map(|loss| -f64::from(loss)).collect();
        let tail = Tail::of(&profits, 0.75).unwrap();
        // Losses from 8 on, the 8 by half: (0.5·8 + 9 + 10) / 2.5.
        assert_eq!(tail, Tail { value_at_risk: 8.0, shortfall: 9.2 });
        let whole = Tail::of(&profits, 0.9).unwrap();
        assert_eq!(whole.value_at_risk, 9.0);
        assert!((whole.shortfall - 10.0).abs() < 1e-12);
        assert_eq!(Tail::of(&[], 0.9), None);
        assert_eq!(Tail::of(&[1.0, f64::NAN], 0.9), None);
    }

    #[test]
    fn simulated_moves_have_the_moments_that_were_asked_for() {
        let moves = simulated(400_000, 7, [0.02, 0.1, -0.7]);
        let mean =
            |of: &dyn Fn(&[f64; 2]) -> f64| moves.iter().map(of).sum::<f64>() / moves.len() as f64;
        assert!(mean(&|m| m[0]).abs() < 2e-4);
        assert!((mean(&|m| m[0] * m[0]) / 4e-4 - 1.0).abs() < 0.01);
        assert!((mean(&|m| m[1] * m[1]) / 1e-2 - 1.0).abs() < 0.01);
        assert!((mean(&|m| m[0] * m[1]) / 2e-3 + 0.7).abs() < 0.01);
    }
}
