//! Events in; a directory that holds them, in their order, through `kill -9`, out; and back.
//!
//! Every run has a directory of its own: `manifest` says what ran, `in-*.zj` hold what came in
//! before it was passed on, `out-*.zj` what was decided before it was acted on. [`mod@format`] has
//! every byte. One thread appends to a stream with [`Writer::append`]; the keeper, one thread for
//! the journal, makes, prefaults, syncs and seals segments around it.
//!
//! What survives: the end of the process loses nothing that was appended, because mapped pages
//! belong to the kernel. A power cut loses at most what lies above [`Watch::durable`]. A full disk
//! is an error when the next segment is made, and never a signal: blocks are reserved up front.
//! After the first failed sync nothing is believed: the kernel marks pages clean that were lost.

pub mod dump;
pub mod format;
pub mod tool;

mod bar;
mod between;
mod compare;
mod crc;
mod cut;
mod directory;
mod end;
mod error;
mod fail;
mod fields;
mod follow;
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
pub use manifest::{ConfigFile, MANIFEST, Manifest};
pub use names::Names;
pub use reader::Reader;
pub use resume::{Allow, Resumed};
pub use seek::Skipped;
pub use session::{Outcome, Session, Start, Status, Tail};
pub use settings::{Settings, Sync};
pub use tee::{Inputs, Outputs};
pub use writer::{Stopped, Watch, Writer};
