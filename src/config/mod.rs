//! Settings: TOML text in, checked structures or all errors at once out.
//!
//! Each module declares its own section with [`section!`](crate::section): one row per key with
//! type, default, bounds, unit and meaning. Reading, checking, the message for a mistake and the
//! list that `zomma check --keys` prints all come from that row. Two steps, as in ripgrep: what was
//! typed ([`Reader`]), then what it means (each module's own `from_config`).

mod error;
mod reader;
mod section;
mod value;

pub use error::Error;
pub use reader::Reader;
pub use section::{Key, Section};
pub use value::{Span, TimeOfDay, Value};

// The macro names its helpers through here.
#[doc(hidden)]
pub mod macros {
    pub use super::section::{in_range, take};
    pub use alloc::{format, string::String, vec::Vec};
    pub use toml::Table;
}
