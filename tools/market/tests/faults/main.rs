//! Faults of the machine in, with the whole engine trading in front of a market on free ports; what
//! its operator sees, and that no order left after the fault, out.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;
mod disk;
#[path = "../whole/engine.rs"]
#[allow(dead_code, reason = "the whole runs use the rest")]
mod engine;
mod rig;
mod stages;
mod time;

/// Not a test by itself: what the other tests start, again and again, as the engine's process.
#[test]
fn engine_itself() {
    rig::arm_if_asked();
    engine::run_if_asked();
}
