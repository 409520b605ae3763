//! What every stage and every file speaks: one 64-byte event, its kinds, prices and times.
//!
//! Everything here is plain data: any 64 bytes are a valid [`Event`], no padding is undefined, and
//! what a byte means is decided by [`Kind`] alone. Reading a payload of the wrong kind yields
//! numbers without meaning, never undefined behaviour.

mod event;
mod kind;
mod units;

pub mod audit;
pub mod control;
pub mod market;
pub mod order;

pub use event::{Event, Flags, NO_INSTRUMENT};
pub use kind::{KINDS, Kind, KindDoc};
pub use units::{
    NANOS_PER_SECOND, PRICE_SCALE, Price, SECONDS_PER_YEAR, Timestamp, UNDEF_PRICE, UNDEF_TIME,
};
