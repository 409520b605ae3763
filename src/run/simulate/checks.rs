//! A journal's directory and what the witness saw in; whether the journal holds all of it and
//! replays to the same bytes out.

use super::witness::Witness;
use crate::{
    journal::{Reader, Stream},
    run::{replay, settings::Threads},
    wire::Event,
};
use std::{format, path::Path, string::String, string::ToString};

/// All checks of a journal; the replay is grouped on threads in this way.
pub(super) fn journal(directory: &Path, witness: &Witness, threads: Threads) -> Result<(), String> {
    complete(directory, Stream::Inputs, &witness.inputs)?;
    complete(directory, Stream::Outputs, &witness.outputs)?;
    let replayed = replay::on(directory, threads).map_err(|failure| failure.message)?;
    if !replayed.verdict.holds() {
        return Err(format!("the replay differs: {}", replayed.verdict));
    }
    Ok(())
}

/// The stream holds exactly what was seen, in its order, and is whole.
fn complete(directory: &Path, stream: Stream, seen: &[Event]) -> Result<(), String> {
    let name = stream.prefix();
    let mut reader = Reader::open(directory, stream).map_err(|e| e.to_string())?;
    for (at, expected) in seen.iter().enumerate() {
        let number = at + 1;
        let Some(found) = reader.next_event() else {
            let end = reader.verify();
            return Err(format!("{name}: record {number} of {} is missing: {end}", seen.len()));
        };
        if found.bytes() != expected.bytes() {
            return Err(format!("{name}: record {number} is {found:?}, seen was {expected:?}"));
        }
    }
    let end = reader.verify();
    if end.records() != seen.len() as u64 || !end.is_whole() {
        return Err(format!("{name}: {} were seen, the journal: {end}", seen.len()));
    }
    Ok(())
}
