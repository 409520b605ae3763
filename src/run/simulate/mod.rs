//! A seed in; a whole engine's life among faults, and whether everything that must hold has held,
//! out.
//!
//! The engine is the product's own: decoders, registry, sequencer, stages, journal, session store,
//! gate, resumption, replay. Around it is [`crate::sim`], and between them a `World` that carries
//! bytes, lets time pass and makes things go wrong, everything on one thread and from one number:
//! the same seed is the same run. A `Witness` sees what goes in and what comes out, and a run is
//! good only if
//!
//! - the journal is complete: it has what the stages saw, densely numbered, and every output,
//!   before the bytes of an order are written;
//! - a replay of it gives the same outputs, byte for byte, on one thread or many;
//! - the book's positions are the sum of the venue's fills once everything is told;
//! - no order is at the venue that was not approved, or otherwise than it was approved;
//! - each approval keeps the limits, reckoned anew from the venue's truth, reports and quotes;
//! - nothing opens while the broker may hold something else than we think;
//! - nothing leaves after the kill switch, nothing opens after a halt, a stop, or on a stale quote.
//!
//! [`WEAKNESSES`] are things that an engine could do wrong, done on purpose: each must be found.

mod checks;
mod engine;
mod fuse;
mod intake;
mod ledger;
mod moves;
mod pipe;
mod quotes;
mod round;
mod setting;
mod stages;
mod torn;
mod totals;
mod verdicts;
mod weakness;
mod witness;
mod world;

pub use totals::Totals;
pub use weakness::{WEAKNESSES, Weakness, WeaknessDoc};
pub use world::Case;

use super::{Failure, settings::Threads};
use crate::sim::FAULTS;
use std::{
    env, format, fs,
    path::{Path, PathBuf},
    println, process,
    string::{String, ToString},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    vec::Vec,
};
use world::World;

/// A run in which something did not hold.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The run.
    pub case: Case,
    /// What did not hold.
    pub what: String,
}

impl Broken {
    /// The command that repeats the run.
    pub fn command(&self) -> String {
        let mut text = format!("zomma sim --seed {}", self.case.seed);
        if self.case.steps > 0 {
            text += &format!(" --steps {}", self.case.steps);
        }
        match self.case.only.as_deref() {
            Some([]) => text += " --only none",
            Some(only) => only.iter().for_each(|name| text += &format!(" --only {name:?}")),
            None => {}
        }
        if let Some(weakness) = self.case.weakness {
            let row = WEAKNESSES.iter().find(|row| row.weakness == weakness);
            text += &format!(" --weaken {}", row.map_or("", |row| row.name));
        }
        text
    }

    /// The same failure, or another one, with fewer faults and steps.
    pub fn shrunk(mut self) -> Broken {
        for row in FAULTS {
            let all = || FAULTS.iter().map(|row| row.name.to_string()).collect();
            let mut only: Vec<String> = self.case.only.clone().unwrap_or_else(all);
            only.retain(|name| name != row.name);
            if let Err(smaller) = once(&Case { only: Some(only), ..self.case.clone() }) {
                self = smaller;
            }
        }
        for shift in (0..9).rev() {
            let steps = if self.case.steps == 0 { 400 } else { self.case.steps };
            let steps = steps.saturating_sub(1 << shift).max(1);
            if let Err(smaller) = once(&Case { steps, ..self.case.clone() }) {
                self = smaller;
            }
        }
        self
    }
}

/// One run.
pub fn once(case: &Case) -> Result<Totals, Broken> {
    let base = case.keep.clone().unwrap_or_else(place);
    let outcome = live(case, &base);
    if case.keep.is_none() {
        drop(fs::remove_dir_all(&base));
    }
    outcome.map_err(|what| Broken { case: case.clone(), what })
}

fn live(case: &Case, base: &Path) -> Result<Totals, String> {
    let mut world = World::new(case, &base.join("0"))?;
    world.run(case)?;
    world.conclude()?;
    let directory = world.finish()?;
    if case.weakness.is_none_or(Weakness::is_for_the_journal) {
        let threads = match case.seed % 16 {
            0 => Threads::Dedicated,
            8 => Threads::Shared,
            _ => Threads::Inline,
        };
        checks::journal(&directory, &world.witness.borrow(), threads)?;
    }
    Ok(world.totals)
}

/// A directory that no other run has; in memory where the machine offers it.
fn place() -> PathBuf {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let memory = Path::new("/dev/shm");
    let root = if memory.is_dir() { memory.to_path_buf() } else { env::temp_dir() };
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    root.join(format!("zomma-sim-{}-{run}", process::id()))
}

/// Runs `runs` seeds from `case.seed` on, on so many threads; the first failure by seed.
pub fn many(case: &Case, runs: u64, threads: u64) -> Result<Totals, Broken> {
    let threads = threads.clamp(1, runs.max(1));
    let share = |thread: u64| {
        let mut totals = Totals::default();
        for run in (thread..runs).step_by(threads as usize) {
            let seed = case.seed.wrapping_add(run);
            totals = totals.plus(&once(&Case { seed, ..case.clone() })?);
        }
        Ok(totals)
    };
    let outcomes: Vec<Result<Totals, Broken>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|t| scope.spawn(move || share(t))).collect();
        let died = |_| Broken { case: case.clone(), what: "a simulation's thread died".into() };
        workers.into_iter().map(|worker| worker.join().map_err(died).flatten()).collect()
    });
    let mut totals = Totals::default();
    for outcome in outcomes {
        totals = totals.plus(&outcome?);
    }
    Ok(totals)
}

/// The command: runs, totals, and for a failure the smallest run that shows it.
pub fn command(case: &Case, runs: u64) -> Result<(), Failure> {
    let known = |name: &String| name == "none" || FAULTS.iter().any(|row| row.name == *name);
    if let Some(name) = case.only.iter().flatten().find(|name| !known(name)) {
        let names: Vec<&str> = FAULTS.iter().map(|row| row.name).collect();
        let what = format!("--only {name:?}: no such fault; there are: {}", names.join(", "));
        return Err(Failure::input(what));
    }
    match many(case, runs, 2) {
        Ok(totals) => {
            println!("{totals}all of it held");
            Ok(())
        }
        Err(broken) => {
            println!("seed {}: {}\nrepeat: {}", broken.case.seed, broken.what, broken.command());
            if case.keep.is_some() {
                return Err(Failure::mismatch("see above; the journals are kept"));
            }
            let small = broken.shrunk();
            println!("smaller: {}\nrepeat: {}", small.what, small.command());
            Err(Failure::mismatch(format!("seed {}: {}", small.case.seed, small.what)))
        }
    }
}
