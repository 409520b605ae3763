//! A market made of arithmetic: settings and a seed in, the same records every time out.

pub mod calendar;
pub mod chain;
pub mod config;
pub mod market;
pub mod price;
pub mod records;
pub mod spot;

pub use config::Config;
pub use market::Simulation;
