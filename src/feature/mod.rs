//! The chain and its inputs in; rows of numbers for models and strategies, from one table, out.
//!
//! A feature is a statistic at a place of two axes: [`Table`] declares them, and the names, units,
//! ranges, warm-ups and formulas of all columns, the schema's hash and `zomma features` follow from
//! it. A [`Block`] keeps the accumulators behind one table; [`Features`] is the stage that feeds
//! them and makes a [`Row`] at the configured cadence. A row holds what was known when its FEATURES
//! event was emitted and nothing later; live, replay and export run this very stage.
//!
//! The price of an underlying is the mid of its last quote with both sides, neither locked nor
//! crossed, or its last print until there is one; where the root has no underlying at all, the
//! discounted forward of its nearest expiry, looked at where a batch ends. A tick counts when it
//! arrives: the chain's time never goes back, so one that was late in coming belongs to the bar and
//! the row that are open then, and what has been told is never changed.

mod bar;
mod block;
mod breadth;
mod bucket;
mod common;
mod contracts;
mod daily;
mod derived;
mod exposures;
mod flow;
mod gauge;
mod group;
mod interest;
mod lanes;
mod levels;
mod members;
mod micro;
mod nearest;
mod pairs;
mod past;
mod pin;
mod positions;
mod profile;
mod rolling;
mod row;
mod schema;
mod series;
mod session;
mod settings;
mod side;
mod stage;
mod surface;
mod sweep;
mod table;
mod technical;
mod time;
mod toxicity;
mod trend;
mod underlying;
mod volatility;
mod windows;

pub use bar::{Bar, Bars, Tick};
pub use block::{Block, See, Setup, Subject, TABLES};
pub use gauge::Gauge;
pub use members::{MEMBERS, Member};
pub use row::Row;
pub use schema::{Column, Schema};
pub use settings::{Contract, Resolution, Settings, WINDOW_MAX, WINDOWS_MAX};
pub use stage::Features;
pub use table::{Axis, ColumnDoc, Stat, Table};
pub use windows::{Sums, Terms, Windows};
