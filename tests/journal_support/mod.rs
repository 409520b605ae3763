//! What the tests of the journal share: events by their number in, journals out.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};
use zomma::{
    config::Span,
    journal::{
        Allow, End, Error, Journal, Manifest, Opened, Reader, Resumed, Settings, Stream, Sync,
        format,
    },
    wire::{Event, Kind, Price, market::Quote, order::Leg},
};

pub(crate) const SEGMENT: usize = 65_536;
pub(crate) const BOTH: [Stream; 2] = [Stream::Inputs, Stream::Outputs];

pub(crate) fn settings(sync: Sync) -> Settings {
    Settings {
        segment_bytes: SEGMENT,
        output_segment_bytes: SEGMENT,
        sync,
        sync_interval: Span(1_000_000),
    }
}

/// The input of this number.
pub(crate) fn event(number: u64) -> Event {
    let quote = Quote {
        bid: Price(number as i64 * 10_000_000),
        ask: Price::UNDEF,
        bid_size: number as u32,
        ask_size: 1,
        venue_seq: 3,
        reserved: 0,
    };
    Event { seq: number, ts_recv: number * 1000, ..Event::new(Kind::QUOTE, 5, quote) }
}

/// The output of this number: every second input causes one.
pub(crate) fn output(number: u64) -> Event {
    let leg = Leg {
        order: number,
        price: Price(1_250_000_000),
        ratio: 1,
        side: -1,
        index: 0,
        reserved: 0,
        reserved2: 0,
    };
    Event { seq: 2 * number, ..Event::new(Kind::ORDER_LEG, 9, leg) }
}

pub(crate) fn manifest() -> Manifest {
    Manifest::new(42, Vec::new()).unwrap()
}

pub(crate) fn create(directory: &Path) -> Opened {
    Journal::create(directory, &settings(Sync::Interval), manifest()).unwrap()
}

pub(crate) fn resume(directory: &Path) -> Result<Resumed, Error> {
    Journal::resume(directory, &settings(Sync::Interval), manifest())
}

pub(crate) fn resume_allowing(directory: &Path, allow: Allow) -> Result<Resumed, Error> {
    Journal::resume_allowing(directory, &settings(Sync::Interval), manifest(), allow)
}

/// Appends inputs up to this number, and the outputs that they cause.
pub(crate) fn append(opened: &mut Opened, up_to: u64) {
    for number in opened.inputs.watch().written() + 1..=up_to {
        assert_eq!(opened.inputs.append(&event(number)), Ok(number));
        if number % 2 == 0 {
            assert_eq!(opened.outputs.append(&output(number / 2)), Ok(number / 2));
        }
    }
}

/// What a kill leaves: neither drop nor finish. The lock goes with the process, so in its place the
/// directory is copied. Without the copies of what was being filled: what a test takes out of a
/// segment, none of them gives back.
pub(crate) fn kill(opened: Opened, directory: &Path, into: &Path) {
    copy(directory, into);
    let _ = fs::remove_file(into.join("doublewrite.zj"));
    drop(opened);
}

pub(crate) fn copy(from: &Path, into: &Path) {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        // What the keeper is making has no name yet.
        if path.extension().is_none_or(|extension| extension != "new") {
            fs::copy(&path, into.join(path.file_name().unwrap())).unwrap();
        }
    }
}

pub(crate) fn finish(opened: Opened) -> Manifest {
    drop((opened.inputs, opened.outputs));
    opened.journal.finish().unwrap()
}

/// Reads both streams, checks each record against what was appended, and gives the ends.
pub(crate) fn read(directory: &Path) -> [End; 2] {
    BOTH.map(|stream| {
        let mut reader = Reader::open(directory, stream).unwrap();
        let wanted = if stream == Stream::Inputs { event } else { output };
        let mut number = 0;
        while let Some(found) = reader.next_event() {
            number += 1;
            assert_eq!(*found, wanted(number), "{stream:?} {number}");
        }
        assert_eq!(reader.end().unwrap().records(), number);
        reader.end().unwrap().clone()
    })
}

pub(crate) fn clean(inputs: u64, outputs: u64) -> [End; 2] {
    [inputs, outputs].map(|records| End::Clean { records })
}

pub(crate) fn segment(directory: &Path, number: u32) -> PathBuf {
    directory.join(format!("in-{number:06}.zj"))
}

/// Where a record of the first segment lies.
pub(crate) fn at(record: u64) -> u64 {
    (format::RECORDS_AT + (record as usize - 1) * format::RECORD) as u64
}

pub(crate) fn open(path: &Path) -> File {
    File::options().read(true).write(true).open(path).unwrap()
}
