//! A stage's name and a kind of fault in; a stage that panics or hangs, out: for tests alone.
//!
//! Nothing that a program's user can write arms it: a test does, in the process that it starts, by
//! [`arm`], before the stages are made. A stage that was not named holds `None`, and looks at it
//! once a batch.

use crate::wire::{Event, Kind};
use alloc::string::String;
use std::sync::OnceLock;

/// What happens to the stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// It panics.
    Panic,
    /// It never comes back.
    Hang,
}

static ARMED: OnceLock<(String, Fault, u64)> = OnceLock::new();

/// Lets the stage of this name fail at its first timer after `events` events. Once a process.
pub fn arm(stage: &str, fault: Fault, events: u64) {
    drop(ARMED.set((stage.into(), fault, events)));
}

/// A stage's own part of it.
#[derive(Clone, Copy, Debug)]
pub struct Trip(Option<(Fault, u64)>);

impl Trip {
    /// What was armed for the stage of this name.
    pub fn of(stage: &str) -> Trip {
        let armed = ARMED.get().filter(|(name, ..)| name == stage);
        Trip(armed.map(|(_, fault, events)| (*fault, *events)))
    }

    /// Fails, if it is time.
    #[inline(always)]
    pub fn look(&self, event: &Event) {
        if self.0.is_some() {
            self.fall(event);
        }
    }

    #[cold]
    fn fall(&self, event: &Event) {
        let due = |at| event.kind == Kind::TIMER && event.seq > at;
        match self.0 {
            Some((Fault::Panic, at)) if due(at) => panic!("on purpose, at event {}", event.seq),
            Some((Fault::Hang, at)) if due(at) => loop {
                core::hint::spin_loop();
            },
            _ => {}
        }
    }
}
