//! How the journal stands, as whoever watches it says, in; a DISK event whenever that changes, out.
//!
//! A decision may not depend on what only a cold thread has seen: so what it sees becomes an input
//! like all others, numbered and journaled, and a replay refuses what the run refused.

use crate::wire::{
    Event, Kind, NO_INSTRUMENT,
    control::{Disk, DiskState},
};
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

/// Bits of the lag below the state: two years of nanoseconds.
const LAG_BITS: u32 = 56;
const LAG_MAX: u64 = (1 << LAG_BITS) - 1;

/// What the watcher of the journal and the feed share.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<AtomicU64>);

impl Health {
    /// Says how the journal stands, and how far it is behind, ns.
    pub fn say(&self, state: DiskState, lag: u64) {
        let word = u64::from(state.0) << LAG_BITS | lag.min(LAG_MAX);
        self.0.store(word, Ordering::Relaxed);
    }

    fn heard(&self) -> (DiskState, u64) {
        let word = self.0.load(Ordering::Relaxed);
        (DiskState((word >> LAG_BITS) as u8), word & LAG_MAX)
    }
}

/// The feed's side: what was told last.
#[derive(Debug)]
pub(super) struct Ear {
    health: Health,
    told: DiskState,
}

impl Ear {
    /// A run begins with a journal that keeps up.
    pub(super) fn new(health: Health) -> Ear {
        Ear { health, told: DiskState::KEEPS_UP }
    }

    /// An event where the state is another one than was told last.
    pub(super) fn news(&mut self) -> Option<Event> {
        let (state, lag) = self.health.heard();
        (core::mem::replace(&mut self.told, state) != state).then(|| {
            let disk = Disk { state, reserved: [0; 7], lag, reserved2: [0; 2] };
            Event::new(Kind::DISK, NO_INSTRUMENT, disk)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_of_the_state_is_told_once_with_its_lag() {
        let health = Health::default();
        let mut ear = Ear::new(health.clone());
        let mut told = |state, lag| {
            health.say(state, lag);
            ear.news().map(|event| (event.body::<Disk>().state, event.body::<Disk>().lag))
        };
        assert_eq!(told(DiskState::KEEPS_UP, 7), None);
        assert_eq!(told(DiskState::LATE, 9), Some((DiskState::LATE, 9)));
        assert_eq!(told(DiskState::LATE, 99), None, "still late");
        assert_eq!(told(DiskState::FAILED, u64::MAX), Some((DiskState::FAILED, LAG_MAX)));
        assert_eq!(told(DiskState::KEEPS_UP, 0), Some((DiskState::KEEPS_UP, 0)));
    }
}
