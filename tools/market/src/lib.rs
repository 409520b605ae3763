//! The other side of the wire: recordings or a simulated market in, live sessions and fills out.
//!
//! One thread serves both ports. A [`source`] gives records in the order of one clock; [`pace`]
//! says when each is due; [`gateway`] sends it to the sessions that subscribed to it ([`lsg`] is
//! their protocol, without sockets); the [`venue`] behind the FIX port ([`broker`], [`fix`]) sees
//! every record first, so an order meets the quotes that its sender could have seen.

pub mod broker;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod echo;
pub mod fault;
pub mod fix;
pub mod gateway;
pub mod lsg;
pub mod pace;
pub mod record;
pub mod rng;
pub mod server;
pub mod sim;
pub mod source;
pub mod stats;
pub mod tape;
pub mod udp;
pub mod venue;
