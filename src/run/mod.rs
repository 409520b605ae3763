//! Live and replay: a configuration in, the same stages between other ends, reports out.

mod failure;
mod files;
pub mod host;
mod link;
mod meter;
mod plan;
pub mod report;
pub mod settings;

pub use failure::Failure;
pub use files::Files;
pub use plan::Plan;
