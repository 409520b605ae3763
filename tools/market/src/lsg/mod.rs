//! The live gateway's side of the Databento protocol: lines of a client in, lines and records out.

pub mod auth;
pub mod line;
pub mod session;

pub use auth::{Keys, answer, nonce};
pub use line::Line;
pub use session::{Context, Phase, Session};
