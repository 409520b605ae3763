//! From tick to order on pinned cores.
//!
//! Read the modules in the order below: it is the way a tick goes. A module names only modules
//! above it, and a pure module names only pure ones; `tests/tidy.rs` checks both. A pure module
//! is a deterministic function of its input: no clock, file, socket, thread or environment.
//!
//! What everything speaks: [`wire`], [`stage`], [`config`]. The machine under it: [`rt`],
//! [`journal`]. The life of a tick: [`feed`] → [`chain`] → [`greeks`] → [`feature`] →
//! [`strategy`] → [`risk`] → [`gate`], with [`book`] as what we own. The outside, rehearsed:
//! [`sim`]. The wiring: [`run`].
//!
//! `std` is not in scope by default. A pure module cannot print, lock, sleep or read a clock
//! without writing `std::` in its source, and `tests/tidy.rs` fails on that word.
#![no_std]
extern crate alloc;
extern crate std;

// What everything speaks.
pub mod wire; // pure: the 64-byte event and its kinds, prices and times with their units
pub mod stage; // pure: Stage, Emit, Then
pub mod config; // pure: declared keys; TOML text in, checked settings or all errors out

// The machine: threads, memory, clock. Unsafe code lives here and in the journal.
pub mod rt; // rings, runners, pinning, clock, counters, histograms, sealed allocator
pub mod journal; // what came in and what went out, memory-mapped

// The life of a tick.
pub mod feed; // 1. bytes in, one numbered stream of events out
pub mod chain; // 2. pure: events in, the market as known: instruments, expiries, columns
pub mod greeks; // 3. pure: chain in, forwards, implied volatilities and Greeks out
pub mod feature; // 4. pure: chain in, rows of features out, from one table
pub mod book; // 5. pure: approved orders and broker reports in, positions and P&L out
pub mod strategy; // 6. pure: chain, features and book in, intents out
pub mod risk; // 7. pure: intents in; the only maker of an approved order
pub mod gate; // 8. approved orders in, protocol bytes out

// The outside, for rehearsal.
pub mod sim; // pure: a venue made of arithmetic: fills, latency, fees, faults

// The wiring.
pub mod run; // live and replay: the same stages, other ends
