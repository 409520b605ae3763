//! A seed in; a market, a broker and a venue made of arithmetic, and what goes wrong, out.
//!
//! Everything here speaks the real wires: DBN records, the live protocol's lines, datagrams, FIX
//! 4.4 bytes. It has no socket and no clock: who drives it says what time it is and carries the
//! bytes. The same seed gives the same bytes, whatever machine it is. [`Exchange::fills`] is the
//! truth that an engine's book is held against.
//!
//! [`Exchange::fills`]: venue::Exchange::fills

mod dice;
mod faults;

pub mod broker;
pub mod fix;
pub mod gateway;
pub mod market;
pub mod records;
pub mod venue;

pub use dice::Dice;
pub use faults::{FAULTS, Fault, FaultDoc, Mischief};
