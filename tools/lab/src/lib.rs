//! A run's journal in; Parquet files with documented columns out, for whoever asks questions later.
//!
//! ```text
//! zomma-lab export DIR --out FOLDER [--from N|TIME] [--to N|TIME] [--only events,chain,…]
//!                      [--every 1m|batch] [--expiry DAY,…] [--overwrite]
//! zomma-lab columns [--markdown]
//! zomma-lab surface DIR [--at TIME] [--html F] [--json F]
//! zomma-lab day DIR [--expiry DAY] [--every 1m] [--html F] [--json F]
//! zomma-lab features DIR [--html F] [--json F]
//! ```
//! An export takes the way of a replay: the recorded inputs go through the stages that ran, and the
//! recorded outputs follow the inputs that caused them. So the chain's rows hold what a strategy
//! saw, and a fill's row holds the order that it belongs to. `--from` and `--to` are those
//! of `zomma replay`: an input's number or its receive time; the state before `--from` is there all
//! the same. A damaged journal is no export: `--to` takes what lies before the damage.
//!
//! Every column is declared once, in the files of [`group`], with type, unit and meaning. The Arrow
//! schema, the metadata of its fields (`unit`, `about`) and `zomma-lab columns` come from there.
//! Prices of events are decimals, so that sums are exact; the chain has the floating-point numbers
//! that were reckoned with. A footer names the run: program, configuration, schema, session.
//!
//! **How files change.** A column never changes its name, type, unit or meaning: what has to be
//! different becomes a new column, which a reader of an older file finds absent.
//!
//! # Files and columns
//!
#![doc = include_str!("columns.md")]

mod column;
pub mod export;
mod facts;
pub mod features;
pub mod group;
mod known;
pub mod options;
mod sheet;
pub mod surface;
mod table;
pub mod tail;

pub use column::Day;
pub use sheet::Written;
pub use table::Table;
