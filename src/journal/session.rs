//! One start of the engine on a journal's directory: what began, what it found, how it ended.

use super::{ConfigFile, Error, Manifest, Stream, Sync};
use crate::wire::Timestamp;
use alloc::{string::String, vec::Vec};
use core::fmt;
use std::{fs, path::Path};

/// How far a session came.
#[derive(Clone, Copy, Debug, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Status {
    /// It runs, or it was killed.
    Running,
    /// It was finished; both streams are sealed.
    Ended,
    /// The keeper failed, or a thread of the run; the streams hold what was written until then.
    Failed,
    /// It puts the end of the session before it in order; nothing has been appended by it yet.
    Recovering,
}

/// In which state a session found what the one before it had left; later ones are worse.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    Ord,
    PartialEq,
    PartialOrd,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub enum Outcome {
    /// There was nothing before it.
    #[default]
    Fresh,
    /// Every record was whole.
    Clean,
    /// The last record was not finished; all before it were kept.
    RecoveredTorn,
    /// There was a hole; what lay before it was kept, what lay behind it was put aside.
    RecoveredGap,
    /// There was damage; on request what lay before it was kept, what lay behind it put aside.
    SteppedOver,
    /// It is a piece of a longer journal; `lost` inputs lie before it.
    Cut,
}

/// What recovery found at the end of one stream, and what it did.
#[derive(
    Clone, Debug, Default, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Tail {
    /// In which state.
    pub outcome: Outcome,
    /// The end as it was found, in words, with file and offset.
    pub found: String,
    /// Records kept: the last number of the session before.
    pub kept: u64,
    /// Records known to have been there that are not kept: the highest number seen, less `kept`.
    pub lost: u64,
    /// Files that hold what was put aside.
    pub aside: Vec<String>,
}

/// What a session found when it began.
#[derive(
    Clone, Debug, Default, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Start {
    /// Whether the machine had not been started anew since the session before: then no power cut
    /// lies between them.
    pub same_boot: bool,
    /// Inputs, outputs.
    pub tails: [Tail; 2],
}

impl Start {
    /// The worse state of the two streams.
    pub fn outcome(&self) -> Outcome {
        self.tails[0].outcome.max(self.tails[1].outcome)
    }
}

/// One start of the engine on a journal's directory.
#[derive(Clone, Debug, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Session {
    /// Chosen once, never again: no record of another session fits.
    pub epoch: u128,
    /// Wall clock at its start, ns UTC.
    pub wall: Timestamp,
    /// Which start of the machine it ran in: `/proc/sys/kernel/random/boot_id`, 0 if unknown.
    pub boot: u128,
    /// Version of the program.
    pub version: String,
    /// SHA-256 of the program's file.
    pub program: [u8; 32],
    /// SHA-256 of its configuration.
    pub config_hash: [u8; 32],
    /// Its configuration, where a later session was forced to run with another one.
    pub superseded: Vec<ConfigFile>,
    /// What it brought to the disk while it ran.
    pub sync: Sync,
    /// Numbers of its first input and its first output.
    pub first: [u64; 2],
    /// How far it came.
    pub status: Status,
    /// What it found when it began.
    pub start: Start,
}

impl Session {
    /// The first session of a run, or one after `kept` records, in this start of the machine.
    pub(super) fn of(manifest: &Manifest, sync: Sync, first: [u64; 2]) -> Result<Session, Error> {
        Ok(Session {
            epoch: manifest.epoch,
            wall: manifest.wall,
            boot: boot_id()?,
            version: manifest.version.clone(),
            program: manifest.program,
            config_hash: manifest.config_hash,
            superseded: Vec::new(),
            sync,
            first,
            status: Status::Running,
            start: Start::default(),
        })
    }

    /// Number of its first record in a stream.
    pub fn first(&self, stream: Stream) -> u64 {
        self.first[stream.place()]
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Fresh => "fresh",
            Outcome::Clean => "clean",
            Outcome::RecoveredTorn => "recovered from a torn record",
            Outcome::RecoveredGap => "recovered from a hole",
            Outcome::SteppedOver => "stepped over damage",
            Outcome::Cut => "cut out",
        })
    }
}

/// The number that the machine draws at each start.
fn boot_id() -> Result<u128, Error> {
    let path = Path::new("/proc/sys/kernel/random/boot_id");
    let text = fs::read_to_string(path).map_err(Error::system("read", path))?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    Ok(u128::from_str_radix(&digits, 16).unwrap_or(0))
}
