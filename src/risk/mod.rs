//! Intents in; the only maker of an approved order out.

mod cleared;

pub use cleared::Cleared;
