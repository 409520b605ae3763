//! The directory of a run that has ended, however it ended, in; the same journal, open for a
//! further session, out.
//!
//! In this order, and a crash at any instant of it leaves what the next attempt goes on from:
//! both streams are read through, nothing is changed; the manifest says what was found and what
//! will be kept ([`Status::Recovering`]); both streams are ended in order (`recover`); the new
//! session's segments are made; the manifest says that it runs.

use super::{
    End, Error, Journal, Manifest, Opened, Settings, Start, Status, Stream,
    directory::lock,
    fail,
    recover::{self, Found, Until},
    session::Session,
};
use alloc::boxed::Box;
use core::mem;
use std::path::Path;

/// What [`Journal::resume`] refuses, and a caller may allow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow {
    /// To go on with another program, configuration, schema or processor target.
    pub another: bool,
    /// To step over damage: what lies before it is kept, what lies behind it is put aside.
    pub damage: bool,
}

/// A journal that a further session has taken over.
#[derive(Debug)]
pub struct Resumed {
    /// The journal and its writers, which go on behind the last record kept.
    pub opened: Opened,
    /// Input records kept.
    pub inputs: u64,
    /// Output records kept.
    pub outputs: u64,
    /// How inputs and outputs ended.
    pub ends: [End; 2],
    /// Whether the machine has run on since the session before: then no power cut lies between.
    pub same_boot: bool,
}

impl Resumed {
    /// What was found and done; the manifest has it too.
    pub fn start(&self) -> Start {
        let sessions = &self.opened.journal.manifest().sessions;
        sessions.last().map(|session| session.start.clone()).unwrap_or_default()
    }
}

impl Journal {
    /// Goes on with a run: puts the end of its last session in order and begins another one. What
    /// `manifest` says of program, configuration, schema and processor must be what has run.
    pub fn resume(
        directory: &Path,
        settings: &Settings,
        manifest: Manifest,
    ) -> Result<Resumed, Error> {
        Journal::resume_allowing(directory, settings, manifest, Allow::default())
    }

    /// The same, with what it would refuse.
    pub fn resume_allowing(
        directory: &Path,
        settings: &Settings,
        mut manifest: Manifest,
        allow: Allow,
    ) -> Result<Resumed, Error> {
        // Before the lock, which would make a directory of its own.
        Manifest::read(directory)?;
        let lock = lock(directory)?;
        let found = recover(directory, settings, &mut manifest, allow)?;
        let same_boot = manifest.sessions.last().is_some_and(|session| session.start.same_boot);
        let keep = [found[0].keep, found[1].keep];
        let opened = Journal::begin(directory, settings, manifest, lock, keep)?;
        let [inputs, outputs] = keep.map(|keep| keep.records);
        Ok(Resumed { opened, inputs, outputs, ends: found.map(|found| found.end), same_boot })
    }
}

/// Ends both streams in order and puts a session into `manifest` that begins behind them.
pub(super) fn recover(
    directory: &Path,
    settings: &Settings,
    manifest: &mut Manifest,
    allow: Allow,
) -> Result<[Found; 2], Error> {
    let mut old = Manifest::read(directory)?;
    check(&old, manifest, directory, allow)?;
    let interrupted = take_interrupted(&mut old);
    let found = find(directory, interrupted.as_ref())?;
    if let Some(damaged) = damaged(&found, interrupted.as_ref(), allow) {
        return Err(Error::Damaged(Box::new(damaged.end.clone())));
    }
    let mut session = begin(&mut old, manifest, settings, &found, interrupted)?;
    manifest.sessions.push(session.clone());
    manifest.status = Status::Recovering;
    manifest.write(directory)?;
    fail::point("recovery: it has been announced");
    let number = manifest.sessions.len() as u32;
    for stream in [Stream::Inputs, Stream::Outputs] {
        let of_stream = &found[stream.place()];
        let aside = recover::settle(directory, stream, of_stream, number, settings.sync)?;
        session.start.tails[stream.place()].aside = aside;
    }
    fail::point("recovery: both streams are in order");
    (manifest.status, session.status) = (Status::Running, Status::Running);
    manifest.sessions.pop();
    manifest.sessions.push(session);
    Ok(found)
}

/// Whether the run may be gone on with.
fn check(old: &Manifest, new: &Manifest, directory: &Path, allow: Allow) -> Result<(), Error> {
    if old.format != new.format {
        return Err(Error::Older(directory.into()));
    }
    let what = [
        (old.program != new.program, "program"),
        (old.config_hash != new.config_hash, "configuration"),
        (old.schema != new.schema, "schema of events"),
        (old.cpu != new.cpu, "processor target"),
    ];
    match what.into_iter().find(|(differs, _)| *differs && !allow.another) {
        Some((_, what)) => Err(Error::Another { path: directory.into(), what }),
        None => Ok(()),
    }
}

/// The session whose recovery was cut short: this one takes its place.
fn take_interrupted(old: &mut Manifest) -> Option<Session> {
    old.sessions.pop_if(|session| session.status == Status::Recovering)
}

/// Reads both streams through. Outputs are kept as far as the inputs that caused them are.
fn find(directory: &Path, interrupted: Option<&Session>) -> Result<[Found; 2], Error> {
    let until = |stream: Stream, otherwise| match interrupted {
        Some(session) => Until::Record(session.first(stream) - 1),
        None => otherwise,
    };
    let inputs = recover::find(directory, Stream::Inputs, until(Stream::Inputs, Until::End))?;
    let cause = Until::Cause(inputs.seq);
    let outputs = recover::find(directory, Stream::Outputs, until(Stream::Outputs, cause))?;
    Ok([inputs, outputs])
}

/// What may not be gone on from. What an earlier attempt has announced was allowed then, and must
/// still be there.
fn damaged<'a>(
    found: &'a [Found; 2],
    interrupted: Option<&Session>,
    allow: Allow,
) -> Option<&'a Found> {
    let streams = [Stream::Inputs, Stream::Outputs].into_iter().zip(found);
    let mut damaged = streams.filter(|(stream, found)| match interrupted {
        Some(session) => found.keep.records + 1 != session.first(*stream),
        None => found.is_damaged() && !allow.damage,
    });
    damaged.next().map(|(_, found)| found)
}

/// The session that begins, and the sessions before it into the new manifest.
fn begin(
    old: &mut Manifest,
    new: &mut Manifest,
    settings: &Settings,
    found: &[Found; 2],
    interrupted: Option<Session>,
) -> Result<Session, Error> {
    new.sessions = mem::take(&mut old.sessions);
    if old.config_hash != new.config_hash
        && let Some(last) = new.sessions.last_mut()
    {
        last.superseded = mem::take(&mut old.config);
    }
    if let Some(before) = &interrupted {
        // Nothing was appended under it, and its segments may be there.
        new.epoch = before.epoch;
    }
    let first = [found[0].keep.records + 1, found[1].keep.records + 1];
    let mut session = Session::of(new, settings.sync, first)?;
    session.status = Status::Recovering;
    let before = new.sessions.last().map_or(0, |last| last.boot);
    let same_boot = before != 0 && before == session.boot;
    let tails = [found[0].tail(), found[1].tail()];
    session.start = match interrupted {
        Some(before) => {
            let same_boot = same_boot && before.boot == session.boot && before.start.same_boot;
            Start { same_boot, ..before.start }
        }
        None => Start { same_boot, tails },
    };
    Ok(session)
}
