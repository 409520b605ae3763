//! A chain in; its smiles, term structure and exposures as JSON and as one page of pictures out.
//!
//! The chain is that of a run at an instant, or of a file in Cboe's end-of-day layout; either way
//! it went through the engine's own stages, so what is drawn is what a strategy would have seen.
//! [`Day`] follows one expiry through a run instead.

mod day;
pub(crate) mod page;
mod shot;
mod snapshot;

pub use day::{Day, DayRequest};
pub use shot::Shot;

use std::{
    fs,
    path::{Path, PathBuf},
};
use zomma::{
    chain::{Chain, Track, Universe},
    greeks::Revalue,
    journal::{Manifest, Reader, Stream},
    run::{Failure, Files, Plan},
    stage::{Emit, Sink, Then},
    wire::{Event, Timestamp},
};

/// What to draw.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A run's directory.
    pub directory: Option<PathBuf>,
    /// Or a file in Cboe's layout, with the universe's file that it is read by.
    pub cboe: Option<(PathBuf, PathBuf)>,
    /// The instant, ns UTC: needed for a file; the end of a run where nothing is said.
    pub at: Option<Timestamp>,
    /// Root that is drawn; the one with most expiries where nothing is said.
    pub root: Option<String>,
}

impl Request {
    /// The chain as it was, and what it is drawn with.
    pub fn take(&self) -> Result<Shot, Failure> {
        let (chain, universe) = match (&self.directory, &self.cboe) {
            (Some(directory), None) => {
                let at = self.at.unwrap_or(u64::MAX);
                walk(directory, |chain, _| chain.now < at)?
            }
            (None, Some((file, universe))) => {
                let at = self.at.ok_or_else(|| Failure::input("--at TIME is missing"))?;
                file_at(file, universe, at)?
            }
            _ => return Err(Failure::input("name a run's directory, or --cboe FILE")),
        };
        Shot::of(&chain, &universe, self.root.as_deref())
    }
}

/// A run's inputs through the engine's stages, until `goes_on` says no at one of them.
fn walk(
    directory: &Path,
    mut goes_on: impl FnMut(&Chain, &Event) -> bool,
) -> Result<(Chain, Universe), Failure> {
    let unusable = |e: zomma::journal::Error| Failure::input(e.to_string());
    let manifest = Manifest::read(directory).map_err(unusable)?;
    let files = manifest.config.iter().map(|file| (file.name.clone(), file.text.clone()));
    let universe = Plan::new(&Files::from_list(files.collect()))?.universe;
    let mut inputs = Reader::open(directory, Stream::Inputs).map_err(unusable)?;
    let mut chain = Chain::new(&universe);
    let mut stages = Then(Track, Then(Revalue::new(&universe), Sink));
    while let Some(event) = inputs.next_event() {
        stages.emit(&mut chain, event);
        if !goes_on(&chain, event) {
            break;
        }
    }
    Ok((chain, universe))
}

fn file_at(file: &Path, universe: &Path, at: Timestamp) -> Result<(Chain, Universe), Failure> {
    let read = |path: &Path| {
        let failed = |e| Failure::input(format!("{}: {e}", path.display()));
        fs::read_to_string(path).map_err(failed)
    };
    let name = universe.display().to_string();
    let mut universe = Universe::parse(&name, &read(universe)?)?;
    // There is one batch: every expiry has its turn in it.
    let all = universe.limits.expiries_max;
    (universe.revaluation.turns, universe.surface.turns) = (all, all);
    universe.surface.every = 1;
    let events = snapshot::events(&file.display().to_string(), &read(file)?, at)?;
    let mut chain = Chain::new(&universe);
    let mut stages = Then(Track, Then(Revalue::new(&universe), Sink));
    events.iter().for_each(|event| stages.emit(&mut chain, event));
    Ok((chain, universe))
}
