//! A directory of format version 1 in, what this program knows of it out: read, never appended to.
//!
//! Version 1 had one session a directory. Its header page ended at byte 192, where version 2 has
//! the number of the session; all else in a segment is the same. Its manifest is the archive below.

use super::{
    manifest::{ConfigFile, Manifest},
    session::{Session, Start, Status},
    settings::Sync,
};
use alloc::{string::String, vec::Vec};
use rkyv::{rancor, util::AlignedVec};

pub(super) const VERSION: u32 = 1;
/// The one session that a directory had.
pub(super) const SESSION: u32 = 1;

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
enum StatusV1 {
    Running,
    Ended,
    Failed,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct ConfigFileV1 {
    name: String,
    text: String,
}

#[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
struct ManifestV1 {
    format: u32,
    version: String,
    program: [u8; 32],
    config: Vec<ConfigFileV1>,
    config_hash: [u8; 32],
    schema: [u8; 32],
    cpu: String,
    status: StatusV1,
    epoch: u128,
    wall: u64,
    inputs: u64,
    outputs: u64,
}

/// Reads the archive of a manifest.
pub(super) fn manifest(archive: &AlignedVec<16>) -> Result<Manifest, rancor::Error> {
    let old = rkyv::from_bytes::<ManifestV1, rancor::Error>(archive)?;
    let status = match old.status {
        StatusV1::Running => Status::Running,
        StatusV1::Ended => Status::Ended,
        StatusV1::Failed => Status::Failed,
    };
    let file = |file: ConfigFileV1| ConfigFile { name: file.name, text: file.text };
    let session = Session {
        epoch: old.epoch,
        wall: old.wall,
        boot: 0,
        version: old.version.clone(),
        program: old.program,
        config_hash: old.config_hash,
        superseded: Vec::new(),
        sync: Sync::None,
        first: [1, 1],
        status,
        start: Start::default(),
    };
    Ok(Manifest {
        format: old.format,
        version: old.version,
        program: old.program,
        config: old.config.into_iter().map(file).collect(),
        config_hash: old.config_hash,
        schema: old.schema,
        cpu: old.cpu,
        status,
        epoch: old.epoch,
        wall: old.wall,
        inputs: old.inputs,
        outputs: old.outputs,
        sessions: Vec::from([session]),
    })
}
