//! Live and replay: a configuration in, the same stages between other ends, reports out.

mod agents;
mod assembly;
pub mod check;
mod exit;
mod failure;
pub mod features;
mod files;
pub mod host;
mod lag;
mod lanes;
mod link;
pub mod live;
mod meter;
mod plan;
pub mod price;
mod progress;
mod recovery;
pub mod replay;
pub mod report;
pub mod say;
mod scaffold;
mod scene;
pub mod settings;
mod sheet;
pub mod simulate;
mod source;
mod stages;
pub mod strategies;
mod supervisor;
pub mod tools;
mod units;
mod watchdog;
mod whatif;

pub use failure::Failure;
pub use files::Files;
pub use plan::Plan;
