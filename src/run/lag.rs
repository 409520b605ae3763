//! What is written and what is durable in; for how long the disk has been behind, and when that is
//! worth a word, out.

use crate::wire::Timestamp;
use std::collections::VecDeque;

/// Looks that are remembered: the lag of a disk that takes nothing for longer is no longer exact.
const LOOKS_MAX: usize = 8_192;

/// Follows one stream.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// When a record was first seen written that is not durable yet, oldest first.
    seen: VecDeque<(Timestamp, u64)>,
}

impl Lag {
    /// Takes both marks as they are at `now`; gives how long ago the oldest record was seen that a
    /// power cut would lose, ns.
    pub(super) fn look(&mut self, now: Timestamp, written: u64, durable: u64) -> u64 {
        while self.seen.front().is_some_and(|(_, number)| *number <= durable) {
            self.seen.pop_front();
        }
        let fresh = self.seen.back().is_none_or(|(_, number)| written > *number);
        if written > durable && fresh && self.seen.len() < LOOKS_MAX {
            self.seen.push_back((now, written));
        }
        self.seen.front().map_or(0, |(at, _)| now - at)
    }
}

/// Decides when the lag matters, and when it has ceased to.
#[derive(Debug)]
pub(super) struct Alarm {
    bound: u64,
    /// For how long the lag must stay below its bound until it matters no more.
    calm: u64,
    /// When the lag was last beyond its bound, while that is on.
    late: Option<Timestamp>,
}

impl Alarm {
    /// For the operator: a disk that others use too is late now and then, and each time anew is no
    /// news.
    pub(super) fn of_words(bound: u64) -> Alarm {
        Alarm { bound, calm: bound.saturating_mul(20), late: None }
    }

    /// For orders: what has kept up for as long as it may be late is trusted again. A span in which
    /// the whole engine stood still costs no more than that.
    pub(super) fn of_orders(bound: u64) -> Alarm {
        Alarm { bound, calm: bound, late: None }
    }

    /// True when the lag begins to matter, false when it has ceased to.
    pub(super) fn look(&mut self, now: Timestamp, lag: u64) -> Option<bool> {
        if lag > self.bound {
            return self.late.replace(now).is_none().then_some(true);
        }
        self.late.take_if(|late| now.saturating_sub(*late) >= self.calm).map(|_| false)
    }

    /// Whether the lag matters now, or has not been calm for long enough yet.
    pub(super) fn is_on(&self) -> bool {
        self.late.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_lag_is_that_of_the_oldest_record_that_is_not_durable() {
        let mut lag = Lag::default();
        assert_eq!(lag.look(10, 5, 0), 0);
        assert_eq!(lag.look(20, 9, 0), 10);
        assert_eq!(lag.look(30, 9, 4), 20, "the fifth is still not there");
        assert_eq!(lag.look(40, 9, 5), 20, "the ninth was seen at 20");
        assert_eq!(lag.look(50, 9, 9), 0);
        assert_eq!(lag.look(60, 9, 9), 0);
    }

    #[test]
    fn a_lag_that_comes_and_goes_is_told_once_and_its_end_once() {
        for (mut alarm, calm) in [(Alarm::of_words(10), 200), (Alarm::of_orders(10), 10)] {
            let told: Vec<(u64, bool)> = (0..1_000)
                .filter_map(|now| {
                    let lag = if (100..400).contains(&now) && now % 7 == 0 { 11 } else { 10 };
                    alarm.look(now, lag).map(|is_late| (now, is_late))
                })
                .collect();
            assert_eq!(told, [(105, true), (399 + calm, false)]);
        }
    }
}
