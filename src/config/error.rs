//! What can be wrong with a configuration, and the sentence that says so.

use alloc::string::String;
use core::fmt;

/// One mistake: where it is, what is wrong and what would be right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The file, as it was named.
    pub file: String,
    /// Section and key, or a line and column for a syntax error.
    pub at: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl Error {
    /// An error at a place in a file.
    pub fn new(file: &str, at: impl Into<String>, what: impl Into<String>) -> Error {
        Error { file: file.into(), at: at.into(), what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.at, self.what)
    }
}

impl core::error::Error for Error {}
