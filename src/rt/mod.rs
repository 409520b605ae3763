//! The machine: what threads, memory and the clock of this host give, out to the stages above.
//!
//! [`ring`] joins two threads, [`runner`] runs agents on pinned ones ([`pin`], [`idle`]), [`clock`]
//! is the one clock. [`counters`] and [`histogram`] live in mapped files ([`table`]) that other
//! programs read while the engine runs; [`probe`] stamps between stages, [`noise`] measures what
//! the host takes away, [`seal`] and [`faults`] prove that the hot threads neither allocate nor
//! fault after start-up.

mod mapped;
mod sync;

pub mod clock; // nothing in, UTC nanoseconds out
pub mod counters; // single-writer counts in, a mapped file out
pub mod faults; // page faults of a thread
pub mod histogram; // durations in, percentiles out, live from another process
pub mod idle; // what a thread does when there is nothing to do
pub mod noise; // what the host takes from a spinning core
pub mod pin; // cores, real-time scheduling, locked memory: asked for and reported
pub mod probe; // stamps between stages
pub mod region; // part of a locked file in, its bytes and one indivisible word out
pub mod ring; // one thread's messages in, another's out, in order
pub mod runner; // agents in, pinned threads and their outcomes out
pub mod seal; // the allocator that counts what must not be
pub mod signals; // a mapped file that was cut short in, a line that says so out
pub mod table; // named rows of 64-bit words in a mapped file
pub mod trip; // a stage that fails on purpose, for tests
