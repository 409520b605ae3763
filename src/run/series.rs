//! The files of external series in; their observations, in the order in which they became known,
//! or every mistake in them, out.

use super::{Failure, Plan};
use crate::{
    feed::series,
    wire::{Event, Timestamp},
};
use std::{format, fs, string::String, vec::Vec};

/// Names of the series, in the order of the universe: the numbers that events carry.
pub(super) fn names(plan: &Plan) -> Vec<String> {
    plan.universe.series.iter().map(|row| row.name.clone()).collect()
}

/// What the files of `[feed] series_files` say.
pub(super) fn observations(plan: &Plan) -> Result<Vec<Event>, Failure> {
    let names = names(plan);
    let (mut events, mut wrong) = (Vec::new(), Vec::new());
    for path in &plan.feed.series_files {
        match fs::read_to_string(path) {
            Ok(text) => match series::read(path, &text, &names) {
                Ok(read) => events.extend(read),
                Err(lines) => wrong.extend(lines),
            },
            Err(e) => wrong.push(format!("[feed] series_files: {path}: cannot be read: {e}")),
        }
    }
    events.sort_by_key(|event: &Event| -> Timestamp { event.ts_event });
    if wrong.is_empty() { Ok(events) } else { Err(Failure::input(wrong.join("\n"))) }
}
