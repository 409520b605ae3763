//! Live and replay: a configuration in, the same stages between other ends, reports out.

mod agents;
mod assembly;
pub mod check;
mod exit;
mod failure;
mod files;
pub mod host;
mod lag;
mod link;
pub mod live;
mod meter;
mod plan;
mod progress;
pub mod replay;
pub mod report;
pub mod say;
pub mod settings;
mod stages;
mod supervisor;
pub mod tools;
mod watchdog;

pub use failure::Failure;
pub use files::Files;
pub use plan::Plan;
