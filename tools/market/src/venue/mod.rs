//! The exchange behind the FIX port: quotes and orders in, executions out. No socket, no clock.

pub mod board;
pub mod exchange;
pub mod order;

pub use board::{Board, Touch};
pub use exchange::{Exchange, Terms};
pub use order::{Entry, Execution, Ledger, Leg, NewOrder, Outcome, Reason, Standing, TimeInForce};
