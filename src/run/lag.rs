//! What is written and what is durable in; for how long the disk has been behind, out.

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
