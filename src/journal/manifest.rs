//! What a run was: program, configuration, events, processor; its sessions, what each found when it
//! began and how it ended.
//!
//! `manifest` is 24 bytes and an rkyv archive, replaced as a whole: magic `zommaRUN`, u32 format
//! version, u32 CRC-32C of the archive, u64 its length. The archive is checked before it is read.

use super::{
    Error, Stream, crc, fail, fields,
    format::VERSION,
    session::{Session, Status},
    v1,
};
use crate::wire::Timestamp;
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use rkyv::{rancor, util::AlignedVec};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The file's name in a journal's directory.
pub const MANIFEST: &str = "manifest";
const MAGIC: &[u8; 8] = b"zommaRUN";
const PREFIX: usize = 24;
/// No manifest is larger; a longer file is not read into memory.
const BYTES_MAX: u64 = 64 << 20;

/// A file of the configuration as it was read.
#[derive(Clone, Debug, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ConfigFile {
    /// Its name, as the run knew it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The facts of a run. Program, configuration, epoch and wall clock are those of its newest
/// session; `sessions` has those before it.
#[derive(Clone, Debug, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Manifest {
    /// Format version of the segments.
    pub format: u32,
    /// Version of the program and, where the build gave it, its commit.
    pub version: String,
    /// SHA-256 of the program's file.
    pub program: [u8; 32],
    /// The configuration: what a replay runs with.
    pub config: Vec<ConfigFile>,
    /// SHA-256 of names and texts of the configuration.
    pub config_hash: [u8; 32],
    /// SHA-256 of kinds, payloads and their layout.
    pub schema: [u8; 32],
    /// Processor target of the build: it decides the bits of floating-point results.
    pub cpu: String,
    /// How far it came.
    pub status: Status,
    /// Chosen once per session, never again.
    pub epoch: u128,
    /// Wall clock at the start, ns UTC.
    pub wall: Timestamp,
    /// Input records of all sessions, once it has ended.
    pub inputs: u64,
    /// Output records of all sessions, once it has ended.
    pub outputs: u64,
    /// Every start of the engine on this directory, the first one first.
    pub sessions: Vec<Session>,
}

/// How many records a stream must have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Promise {
    /// It may have grown since.
    AtLeast(u64),
    /// It has ended.
    Exactly(u64),
}

impl Promise {
    /// The number that was promised, where `records` breaks the promise.
    pub(super) fn broken_by(self, records: u64) -> Option<u64> {
        match self {
            Promise::AtLeast(promised) => (records < promised).then_some(promised),
            Promise::Exactly(promised) => (records != promised).then_some(promised),
        }
    }
}

impl Manifest {
    /// The manifest of a run that begins at `wall` with this configuration, by this program.
    pub fn new(wall: Timestamp, config: Vec<ConfigFile>) -> Result<Manifest, Error> {
        let commit = option_env!("ZOMMA_COMMIT").map_or(String::new(), |c| format!("+{c}"));
        Ok(Manifest {
            format: VERSION,
            version: env!("CARGO_PKG_VERSION").to_string() + &commit,
            program: hash_of_program()?,
            config_hash: hash_of_config(&config),
            config,
            schema: fields::schema(),
            cpu: cpu_target().into(),
            status: Status::Running,
            epoch: random_epoch()?,
            wall,
            inputs: 0,
            outputs: 0,
            sessions: Vec::new(),
        })
    }

    /// The last record that must be there: what the end of the run counted, or what its newest
    /// session found and kept.
    pub(super) fn promised(&self, stream: Stream) -> Promise {
        let kept = self.sessions.last().map_or(0, |session| session.first(stream) - 1);
        match self.status {
            Status::Running | Status::Recovering => Promise::AtLeast(kept),
            Status::Ended | Status::Failed => Promise::Exactly(match stream {
                Stream::Inputs => self.inputs,
                Stream::Outputs => self.outputs,
            }),
        }
    }

    /// A session by its number, from 1.
    pub fn session(&self, number: u32) -> Option<&Session> {
        self.sessions.get(number.checked_sub(1)? as usize)
    }

    /// Reads and checks the manifest of a journal's directory.
    pub fn read(directory: &Path) -> Result<Manifest, Error> {
        let path = directory.join(MANIFEST);
        let bytes = match read_bounded(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Error::Missing(path)),
            Err(e) => return Err(Error::system("read the manifest", &path)(e)),
        };
        parse(&bytes).map_err(|what| Error::Manifest { path, what })
    }

    /// Replaces the manifest of a directory durably: a reader sees the old one or the new one.
    pub(super) fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(MANIFEST);
        let archive = rkyv::to_bytes::<rancor::Error>(self)
            .map_err(|e| Error::Manifest { path: path.clone(), what: e.to_string() })?;
        let mut bytes = Vec::from(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&crc::bytes(u32::MAX, &archive).to_le_bytes());
        bytes.extend_from_slice(&(archive.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&archive);
        replace(directory, &path, &bytes).map_err(Error::system("write the manifest", &path))
    }
}

fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fail::point("manifest: before its name");
    fs::rename(&fresh, path)?;
    fail::point("manifest: before the directory is on the disk");
    File::open(directory)?.sync_all()
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Result<Manifest, String> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else {
        return Err("is too short for a manifest".into());
    };
    if !prefix.starts_with(MAGIC) {
        return Err("is no manifest of a journal".into());
    }
    let version = u32::from_le_bytes([prefix[8], prefix[9], prefix[10], prefix[11]]);
    if ![v1::VERSION, VERSION].contains(&version) {
        return Err(format!("has format version {version}, this program reads up to {VERSION}"));
    }
    let crc = u32::from_le_bytes([prefix[12], prefix[13], prefix[14], prefix[15]]);
    let length = (rest.len() as u64).to_le_bytes();
    if prefix[16..] != length || crc::bytes(u32::MAX, rest) != crc {
        return Err("is damaged: its checksum does not hold".into());
    }
    let mut aligned = AlignedVec::<16>::new();
    aligned.extend_from_slice(rest);
    let read = if version == v1::VERSION {
        v1::manifest(&aligned)
    } else {
        rkyv::from_bytes::<Manifest, rancor::Error>(&aligned)
    };
    let manifest = read.map_err(|e| format!("is damaged: {e}"))?;
    match manifest.format == version && !manifest.sessions.is_empty() {
        true => Ok(manifest),
        false => Err("contradicts itself: its version, or no session".into()),
    }
}

fn random_epoch() -> Result<u128, Error> {
    let path = PathBuf::from("/dev/urandom");
    let mut bytes = [0; 16];
    File::open(&path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::system("read random numbers", &path))?;
    Ok(u128::from_le_bytes(bytes).max(1))
}

/// Read once: a program does not change while it runs.
fn hash_of_program() -> Result<[u8; 32], Error> {
    static KNOWN: OnceLock<[u8; 32]> = OnceLock::new();
    match KNOWN.get() {
        Some(hash) => Ok(*hash),
        None => read_program().map(|hash| *KNOWN.get_or_init(|| hash)),
    }
}

fn read_program() -> Result<[u8; 32], Error> {
    let path = PathBuf::from("/proc/self/exe");
    let mut hash = Sha256::new();
    let mut chunk = alloc::vec![0; 1 << 16];
    let mut file = File::open(&path).map_err(Error::system("read the program", &path))?;
    loop {
        match file.read(&mut chunk).map_err(Error::system("read the program", &path))? {
            0 => return Ok(hash.finalize().into()),
            n => hash.update(&chunk[..n]),
        }
    }
}

fn hash_of_config(files: &[ConfigFile]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for file in files {
        for text in [&file.name, &file.text] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
    }
    hash.finalize().into()
}

/// What this build requires of the processor, by the features that change results.
fn cpu_target() -> &'static str {
    match (cfg!(target_feature = "avx512f"), cfg!(target_feature = "fma")) {
        (true, _) => "x86-64-v4",
        (false, true) => "x86-64-v3",
        (false, false) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Sync, *};

    fn sample() -> Manifest {
        let file = ConfigFile { name: "engine.toml".into(), text: "[feed]".into() };
        let mut manifest = Manifest::new(7, Vec::from([file])).unwrap();
        manifest.sessions.push(Session::of(&manifest, Sync::Interval, [1, 1]).unwrap());
        manifest
    }

    #[test]
    fn a_manifest_reads_back_and_any_changed_byte_of_it_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let manifest = sample();
        manifest.write(directory.path()).unwrap();
        assert_eq!(Manifest::read(directory.path()).unwrap(), manifest);
        let bytes = fs::read(directory.path().join(MANIFEST)).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(parse(&damaged).is_err(), "byte {at}");
            assert!(parse(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn no_manifest_is_a_clear_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Manifest::read(directory.path()), Err(Error::Missing(_))));
    }
}
