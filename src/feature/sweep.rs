//! Prints of options in; whether one completes a sweep out.
//!
//! A sweep is one side taking one right, calls or puts, at three different strikes or more within
//! five seconds of the chain's time. It is told once: the prints that made it are not looked at
//! again.

use crate::wire::{NANOS_PER_SECOND, Timestamp};

const WITHIN: u64 = 5 * NANOS_PER_SECOND;
const STRIKES: usize = 3;
/// Prints of one kind that are remembered.
const LAST: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Print {
    at: Timestamp,
    strike: f64,
}

/// The last prints of each kind: bought and sold calls, bought and sold puts.
#[derive(Clone, Debug)]
pub(super) struct Sweeps {
    kinds: [[Print; LAST]; 4],
    next: [usize; 4],
}

const NONE: Print = Print { at: 0, strike: f64::NAN };

impl Default for Sweeps {
    fn default() -> Sweeps {
        Sweeps { kinds: [[NONE; LAST]; 4], next: [0; 4] }
    }
}

impl Sweeps {
    /// Takes a print; whether it completes a sweep.
    pub(super) fn on(&mut self, now: Timestamp, side: i8, is_call: bool, strike: f64) -> bool {
        if side == 0 {
            return false;
        }
        let kind = usize::from(side > 0) + 2 * usize::from(is_call);
        let prints = &mut self.kinds[kind];
        prints[self.next[kind] % LAST] = Print { at: now, strike };
        self.next[kind] += 1;
        let swept = strikes(prints, now) >= STRIKES;
        if swept {
            *prints = [NONE; LAST];
        }
        swept
    }
}

/// Different strikes among the prints that are recent enough.
fn strikes(prints: &[Print; LAST], now: Timestamp) -> usize {
    let recent =
        |print: &&Print| print.strike.is_finite() && now.saturating_sub(print.at) <= WITHIN;
    let first = |(at, print): &(usize, &Print)| {
        !prints[..*at].iter().filter(recent).any(|earlier| earlier.strike == print.strike)
    };
    prints.iter().enumerate().filter(|(_, print)| recent(print)).filter(first).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = NANOS_PER_SECOND;

    #[test]
    fn three_strikes_of_one_kind_within_five_seconds_are_one_sweep() {
        let mut sweeps = Sweeps::default();
        let mut on = |at: u64, side: i8, is_call: bool, strike: f64| {
            sweeps.on(1_000 * SECOND + at * SECOND, side, is_call, strike)
        };
        assert!(!on(0, 1, true, 100.0) && !on(1, 1, true, 105.0));
        assert!(!on(2, -1, true, 110.0) && !on(2, 1, false, 110.0), "another side, another right");
        assert!(!on(3, 1, true, 105.0), "the same strike again");
        assert!(on(5, 1, true, 110.0));
        assert!(!on(5, 1, true, 115.0), "what has been told is not told again");
        assert!(!on(6, 1, true, 120.0) && !on(11, 1, true, 125.0), "the first is too old");
        assert!(!on(11, 0, true, 130.0), "nobody knows who wanted it");
        assert!(on(11, 1, true, 130.0));
    }
}
