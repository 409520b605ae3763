//! The broker's side of FIX 4.4: bytes of a client in; orders to the exchange, reports back out.

pub mod codec;
pub mod desk;
pub mod orders;
pub mod positions;
pub mod reports;
pub mod session;

pub use codec::{Body, Message, Parsed, frame, parse};
pub use desk::{Desk, Request};
pub use session::{Action, Peer, Seat};
