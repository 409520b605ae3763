//! Events in; a directory that holds them, in their order, through `kill -9`, out; and back.
//!
//! Every run has a directory of its own: `manifest` says what ran, `in-*.zj` hold what came in
//! before it was passed on, `out-*.zj` what was decided before it was acted on. [`mod@format`] has
//! every byte. One thread appends to a stream with [`Writer::append`]; the keeper, one thread for
//! the journal, makes, prefaults, syncs and seals segments around it.
//!
//! # What survives
//!
//! | [`Sync`] | `kill -9`, a panic | a power cut, a crash of the kernel |
//! |---|---|---|
//! | `None` | every record appended | perhaps nothing, not even the files |
//! | `Interval` | every record appended | every record up to [`Watch::durable`], which follows |
//! | `Strict` | every record appended | the same, and every order that left, with its cause |
//!
//! Mapped pages belong to the kernel, so the end of the process takes none of them; at most one
//! record a stream is torn, the one that was being stored. After a power cut the surviving pages
//! are no prefix: what lies behind a hole is put aside, never spliced. Finished pages are brought
//! to the disk where they lie; of a page that is still stored into, the file `doublewrite.zj` gets
//! a copy, so that no writer ever waits with the disk. With `Interval` that happens when a stream
//! has rested for the interval; its mark trails by the interval and one wait for the disk. With
//! `Strict` it happens as soon as an order needs it: each order waits for the disk
//! (`benches/journal.rs` measures how long), and only orders do. [`Journal::resume`] goes on with a
//! run whichever way it ended.
//!
//! A full disk is told by [`Watch::state`] while a whole segment is left, and is an error when the
//! next one is needed, never a signal: blocks are reserved up front. After the first failed sync
//! nothing is believed: the kernel marks pages clean that were lost.

pub mod dump;
pub mod format;
pub mod tool;

mod bar;
mod between;
mod compare;
mod crc;
mod cut;
mod directory;
mod doublewrite;
mod end;
mod error;
mod fail;
mod fields;
mod follow;
mod hold;
mod keeper;
mod manifest;
mod map;
mod merge;
mod names;
mod origin;
mod reader;
mod recover;
mod resume;
mod scan;
mod seek;
mod segment;
mod session;
mod settings;
mod tee;
mod v1;
mod writer;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod powercut;

pub use bar::Bar;
pub use between::{Between, Mark};
pub use compare::{Compare, Difference, Verdict, stage_of};
pub use cut::{Cut, cut};
pub use directory::{Journal, Opened};
pub use end::{Cause, End, Place};
pub use error::Error;
pub use fields::{Field, FieldType, PAYLOAD_AT, fields, schema, show_time};
pub use follow::Follower;
pub use format::Stream;
pub use hold::Hold;
pub use manifest::{ConfigFile, MANIFEST, Manifest};
pub use names::Names;
pub use reader::Reader;
pub use resume::{Allow, Resumed};
pub use seek::Skipped;
pub use session::{Outcome, Session, Start, Status, Tail};
pub use settings::{Settings, Sync};
pub use tee::{Inputs, Outputs, Recorded, Relived};
pub use writer::{State, Stopped, Watch, Writer};
