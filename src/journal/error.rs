//! What can go wrong around a journal, and the sentence that says so.

use super::End;
use alloc::{boxed::Box, string::String, sync::Arc};
use core::fmt;
use std::{
    io,
    path::{Path, PathBuf},
};

/// A journal could not be made, kept or opened. Damage inside a journal is no error but an
/// [`End`](super::End): it is what the reader is for.
#[derive(Clone, Debug)]
pub enum Error {
    /// The system refused; the action says what was tried.
    System {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// The disk has no room for the next segment. Nothing that was appended is lost.
    DiskFull {
        /// The segment that could not be made.
        path: PathBuf,
        /// How many bytes it needs.
        bytes: u64,
    },
    /// Another process writes into the directory.
    Locked(PathBuf),
    /// The directory holds a journal already: every run has its own.
    Exists(PathBuf),
    /// There is no journal of this kind.
    Missing(PathBuf),
    /// The manifest does not hold what it should.
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The directory is of an older format: it is read, never appended to.
    Older(PathBuf),
    /// What is to go on with a run is not what has run.
    Another {
        /// The directory.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A stream is damaged in a way that no crash explains; nothing was changed.
    Damaged(Box<End>),
    /// A writer still exists while the journal is to be finished.
    WriterAlive(PathBuf),
    /// The keeper's thread has ended before its time; nothing is sealed.
    KeeperStopped(PathBuf),
}

impl Error {
    /// Wraps what the system said.
    pub(super) fn system(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::System { action, path, source: Arc::new(source) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System { action, path, source } => {
                write!(f, "{}: cannot {action}: {source}", path.display())
            }
            Error::DiskFull { path, bytes } => {
                let mib = bytes.div_ceil(1 << 20);
                let file = path.display();
                write!(f, "{file}: the disk has no room for a segment of {mib} MiB; free some ")?;
                write!(f, "or make journal.segment_bytes smaller")
            }
            Error::Locked(path) => {
                write!(f, "{}: another process writes here; end it first", path.display())
            }
            Error::Exists(path) => {
                write!(f, "{}: holds a journal already; ", path.display())?;
                f.write_str("take it up again with --resume, or give another directory")
            }
            Error::Missing(path) => write!(f, "{}: no journal is here", path.display()),
            Error::Manifest { path, what } => write!(f, "{}: {what}", path.display()),
            Error::Older(path) => {
                let path = path.display();
                write!(f, "{path}: is of an older format and takes no records; start a new one")
            }
            Error::Another { path, what } => {
                write!(f, "{}: was written with another {what}; ", path.display())?;
                f.write_str("go on with the same one, start in a new directory, or insist: --force")
            }
            Error::Damaged(end) => {
                write!(f, "damaged, and left as it is: {end}; restore it from a copy, ")?;
                f.write_str("or step over the damage with --force")
            }
            Error::KeeperStopped(path) => {
                write!(f, "{}: the keeper's thread has ended; nothing is sealed", path.display())
            }
            Error::WriterAlive(path) => {
                write!(f, "{}: a writer still exists; drop it before finishing", path.display())
            }
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::System { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
