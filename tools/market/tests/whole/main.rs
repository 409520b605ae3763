//! Whole runs: a market on free ports, the engine as a process of its own, and then what must be
//! true of the files that it left.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;
mod breakers;
mod days;
mod engine;
mod faults;
mod positions;
mod powercut;
mod recorded;
mod restarts;
mod runs;
mod stops;
mod strategies;

/// Not a test by itself: what the other tests start, again and again, as the engine's process.
#[test]
fn engine_itself() {
    engine::run_if_asked();
}
