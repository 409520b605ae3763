//! Why a command did not do what it was asked: an exit code and lines for stderr.

use crate::config;
use std::{format, io, path::Path, string::String, vec::Vec};

/// A command's failure; the code is the exit code of the process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// 1 the thing checked does not hold, 2 unusable input or usage, 3 the environment.
    pub code: u8,
    /// What, where and what to do; one line per mistake.
    pub message: String,
}

impl Failure {
    /// The thing checked does not hold.
    pub fn mismatch(message: impl Into<String>) -> Failure {
        Failure { code: 1, message: message.into() }
    }

    /// Unusable input or usage.
    pub fn input(message: impl Into<String>) -> Failure {
        Failure { code: 2, message: message.into() }
    }

    /// The environment: a port, the disk, a permission.
    pub fn environment(message: impl Into<String>) -> Failure {
        Failure { code: 3, message: message.into() }
    }

    /// A file that could not be used.
    pub fn file(path: &Path, doing: &str, error: &io::Error) -> Failure {
        Failure::environment(format!("{}: cannot {doing}: {error}", path.display()))
    }
}

impl From<Vec<config::Error>> for Failure {
    fn from(errors: Vec<config::Error>) -> Failure {
        let lines: Vec<String> = errors.iter().map(|error| format!("{error}")).collect();
        Failure::input(lines.join("\n"))
    }
}
