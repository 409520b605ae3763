//! How many rounds each thread has done in; the thread that does none any more out.
//!
//! It counts its own looks, not time: a machine that stood still for a while has not hung.

use std::{string::String, vec::Vec};

/// What is known of one thread.
#[derive(Debug)]
struct Known {
    name: String,
    rounds: u64,
    /// Looks in a row that saw no further round.
    still: u64,
}

/// Watches the rounds of all threads.
#[derive(Debug)]
pub(super) struct Watchdog {
    known: Vec<Known>,
    /// So many looks without a round are a hang.
    looks_max: u64,
}

impl Watchdog {
    /// Bites after so many looks.
    pub(super) fn new(looks_max: u64) -> Watchdog {
        Watchdog { known: Vec::new(), looks_max: looks_max.max(1) }
    }

    /// Takes the rounds of each thread as they are now; gives the first that hangs. A thread that
    /// has done none yet is still starting.
    pub(super) fn look<'a>(
        &mut self,
        rounds: impl Iterator<Item = (&'a str, u64)>,
    ) -> Option<&str> {
        for (name, rounds) in rounds {
            match self.known.iter_mut().find(|known| known.name == name) {
                Some(known) => {
                    let stands = rounds > 0 && known.rounds == rounds;
                    known.still = if stands { known.still + 1 } else { 0 };
                    known.rounds = rounds;
                }
                None => self.known.push(Known { name: name.into(), rounds, still: 0 }),
            }
        }
        let limit = self.looks_max;
        self.known.iter().find(|known| known.still >= limit).map(|known| known.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_thread_that_stands_still_and_no_other() {
        let mut dog = Watchdog::new(3);
        let mut look = |a, b| dog.look([("a", a), ("b", b)].into_iter()).map(String::from);
        for round in 1..=9 {
            assert_eq!(look(round, 0), None, "b is still starting");
        }
        assert_eq!([look(10, 5), look(11, 5), look(12, 5)], [None, None, None]);
        assert_eq!(look(13, 5).as_deref(), Some("b"));
        assert_eq!(look(14, 6), None, "it was only slow");
    }
}
