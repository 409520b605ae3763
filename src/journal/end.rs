//! How a stream ends, in types and in words.

use alloc::string::String;
use core::fmt;
use std::path::PathBuf;

/// A place in a journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Bytes from its start.
    pub offset: u64,
    /// Number of the record there, 0 where it belongs to none.
    pub record: u64,
}

/// How a stream ends. `records` counts those that are whole and prove their whole past.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// After a whole record, and nothing follows.
    Clean {
        /// Whole records.
        records: u64,
    },
    /// Within a record that was not finished, and nothing follows: the process was killed there.
    Torn {
        /// Whole records.
        records: u64,
        /// The record that was not finished.
        at: Place,
    },
    /// At a hole: records of this session lie behind it. A power cut leaves that.
    Gap {
        /// Whole records.
        records: u64,
        /// Where the hole begins.
        at: Place,
        /// Where records begin again.
        resumes: Place,
    },
    /// At bytes that do not fit.
    Corrupt {
        /// Whole records.
        records: u64,
        /// What does not fit.
        at: Place,
        /// In which way.
        cause: Cause,
        /// Where records of this session that fit begin again, if they do.
        resumes: Option<Place>,
    },
}

/// In which way bytes do not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The file is too short for a header page.
    NoHeader,
    /// The header page is wrong.
    Header(&'static str),
    /// The segment was not opened with the chain that leads to it.
    Opening,
    /// A record whose checksum does not continue the chain.
    Record,
    /// Bytes behind the end that belong to no record of this session.
    Foreign,
    /// The seal contradicts the records.
    Seal,
    /// Fewer records than were promised by the seal or the manifest.
    Short {
        /// Number of the last record that was promised.
        promised: u64,
    },
    /// The file is shorter than its header says, and it is not sealed.
    Cut,
    /// The system could not read it.
    Unreadable(String),
}

impl End {
    /// Whole records.
    pub fn records(&self) -> u64 {
        match self {
            End::Clean { records }
            | End::Torn { records, .. }
            | End::Gap { records, .. }
            | End::Corrupt { records, .. } => *records,
        }
    }

    /// Whether every committed record is there: after a kill a torn one may follow.
    pub fn is_whole(&self) -> bool {
        matches!(self, End::Clean { .. } | End::Torn { .. })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { file, offset, record } = self;
        write!(f, "{} at byte {offset}", file.display())?;
        if *record > 0 { write!(f, ", record {record}") } else { Ok(()) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NoHeader => f.write_str("the file is too short for a header"),
            Cause::Header(what) => f.write_str(what),
            Cause::Opening => f.write_str("the segment does not continue the one before"),
            Cause::Record => f.write_str("the checksum does not continue the chain"),
            Cause::Foreign => f.write_str("bytes that belong to no record of this session"),
            Cause::Seal => f.write_str("the seal contradicts the records"),
            Cause::Short { promised } => write!(f, "{promised} records were promised"),
            Cause::Cut => f.write_str("the file is shorter than its header says"),
            Cause::Unreadable(what) => f.write_str(what),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Clean { records } => write!(f, "clean, {records} records"),
            End::Torn { records, at } => {
                write!(f, "{records} whole records, then one that was not finished: {at}")
            }
            End::Gap { records, at, resumes } => {
                write!(f, "{records} whole records, then a hole: {at}; records again: {resumes}")
            }
            End::Corrupt { records, at, cause, resumes } => {
                write!(f, "{records} whole records, then damage: {at}: {cause}")?;
                match resumes {
                    Some(place) => write!(f, "; records again: {place}"),
                    None => Ok(()),
                }
            }
        }
    }
}
