//! The recorded day as the engine journals it in; an export whose sums are those of the day's
//! description, whose chain is what a replay holds, whose fills are what the book owns, out.
#![allow(unreachable_pub, reason = "modules of one test")]

mod chain;
mod day;
mod failures;
mod features;
mod files;
mod prices;
mod pyarrow;
mod recorded;
mod sums;
mod trading;
