//! A journal and a span in; a journal of its own that holds the inputs of the span, what they led
//! to, and the facts of their sessions, out.
//!
//! Events keep their numbers and times; records are numbered anew, and the chain is a new one. The
//! manifest says of the first session that it was cut out, and how many inputs lie before: where
//! that is none, the cut replays.

use super::{
    Allow, Between, Error, Journal, Manifest, Opened, Outcome, Reader, Session, Settings, Stream,
    Sync, Tail, bar::Bar, tool::ToolError,
};
use crate::{config::Span, wire::Event};
use alloc::{boxed::Box, format, vec::Vec};
use core::mem;
use std::{fs, io, path::Path};

/// Inputs and outputs that a cut holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cut {
    /// Inputs.
    pub inputs: u64,
    /// Outputs.
    pub outputs: u64,
}

/// Makes `to`, which must not be there or be empty, the cut of a journal. Nothing is made of a span
/// that holds nothing.
pub fn cut(from: &Path, to: &Path, between: &Between) -> Result<Cut, ToolError> {
    let manifest = Manifest::read(from)?;
    let mut streams = [Stream::Inputs, Stream::Outputs]
        .map(|stream| Piece::open(from, stream, between))
        .into_iter()
        .collect::<Result<Vec<Piece<'_>>, Error>>()?;
    if streams.iter().all(|piece| piece.next.is_none()) {
        return Ok(Cut::default());
    }
    let before = streams[0].before;
    let refused = |e: io::Error| ToolError::Text(e);
    fs::create_dir_all(to).map_err(refused)?;
    if fs::read_dir(to).map_err(refused)?.next().is_some() {
        return Err(ToolError::Journal(Error::Exists(to.into())));
    }
    let mut facts = Vec::new();
    let mut bar = Bar::new("cut", manifest.counted(Stream::Inputs));
    for (place, session) in manifest.sessions.iter().enumerate() {
        let number = place as u32 + 1;
        if streams.iter().all(|piece| piece.session() != Some(number)) {
            continue;
        }
        let opened = begin(to, &manifest, session, facts.is_empty())?;
        append(opened, &mut streams, number, &mut bar)?;
        facts.push(session);
    }
    for piece in &streams {
        piece.whole()?;
    }
    let found = format!("cut out of epoch {:032x}: {}", manifest.epoch, between);
    told(to, &facts, Tail { outcome: Outcome::Cut, found, lost: before, ..Tail::default() })?;
    Ok(Cut { inputs: streams[0].taken, outputs: streams[1].taken })
}

/// The part of a stream that lies in the span.
struct Piece<'a> {
    reader: Reader,
    between: &'a Between,
    next: Option<Event>,
    /// Records before it.
    before: u64,
    taken: u64,
}

impl Piece<'_> {
    fn open<'a>(from: &Path, stream: Stream, between: &'a Between) -> Result<Piece<'a>, Error> {
        let reader = Reader::open_for(from, stream, between)?;
        let before = reader.records();
        let mut piece = Piece { reader, between, next: None, before, taken: 0 };
        piece.advance();
        Ok(piece)
    }

    fn advance(&mut self) -> Option<Event> {
        let next = self.reader.next_event().copied();
        let next = next.filter(|event| !self.between.is_past(event));
        mem::replace(&mut self.next, next)
    }

    /// The session of the next record.
    fn session(&self) -> Option<u32> {
        self.next.map(|_| self.reader.session())
    }

    fn whole(&self) -> Result<(), Error> {
        match self.reader.end().filter(|end| !end.is_whole()) {
            Some(end) => Err(Error::Damaged(Box::new(end.clone()))),
            None => Ok(()),
        }
    }
}

/// Opens the cut for the records of one session.
fn begin(to: &Path, all: &Manifest, session: &Session, first: bool) -> Result<Opened, Error> {
    let manifest = Manifest {
        config: all.config.clone(),
        config_hash: session.config_hash,
        version: session.version.clone(),
        program: session.program,
        schema: all.schema,
        cpu: all.cpu.clone(),
        ..Manifest::new(session.wall, Vec::new())?
    };
    let settings = Settings {
        segment_bytes: 16 << 20,
        output_segment_bytes: 1 << 20,
        sync: Sync::Interval,
        sync_interval: Span(50_000_000),
    };
    if first {
        return Journal::create(to, &settings, manifest);
    }
    let allow = Allow { another: true, damage: false };
    Journal::resume_allowing(to, &settings, manifest, allow).map(|resumed| resumed.opened)
}

fn append(
    opened: Opened,
    streams: &mut [Piece<'_>],
    session: u32,
    bar: &mut Bar,
) -> Result<(), Error> {
    let Opened { journal, inputs, outputs } = opened;
    for (piece, mut writer) in streams.iter_mut().zip([inputs, outputs]) {
        while piece.session() == Some(session)
            && let Some(event) = piece.advance()
            && writer.append(&event).is_ok()
        {
            piece.taken += 1;
            bar.at(piece.taken);
        }
    }
    journal.finish().map(drop)
}

/// What ran stays what ran, whoever cut it out.
fn told(to: &Path, facts: &[&Session], tail: Tail) -> Result<(), Error> {
    let mut manifest = Manifest::read(to)?;
    for (session, was) in manifest.sessions.iter_mut().zip(facts) {
        (session.boot, session.sync, session.status) = (was.boot, was.sync, was.status);
        session.start = was.start.clone();
        session.superseded = was.superseded.clone();
    }
    if let Some(first) = manifest.sessions.first_mut() {
        first.start.tails[0] = tail;
    }
    manifest.write(to)
}
