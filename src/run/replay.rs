//! A journal in; the same stages over its inputs, and whether they decide the same, out.

use super::{Failure, Files, Plan, say::println, stages::desk};
use crate::{
    chain::Track,
    greeks::Revalue,
    journal::{Compare, Comparing, ConfigFile, Manifest, Reader, Stream, Verdict},
    risk::{Cleared, Risk},
    stage::{Emit, Then},
    strategy::Decide,
    wire::Event,
};
use std::{format, path::Path, string::ToString, vec::Vec};

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// Inputs that went through the stages.
    pub inputs: u64,
    /// How the outputs compare.
    pub verdict: Verdict,
}

/// Replays a directory and tells what came out. With `verify`, a difference is a failure.
pub fn replay(directory: &Path, verify: bool) -> Result<(), Failure> {
    let Replayed { inputs, verdict } = through(directory)?;
    println!("replayed {inputs} inputs: {verdict}");
    if verify && !verdict.holds() {
        return Err(Failure::mismatch(format!("{}: the replay differs", directory.display())));
    }
    Ok(())
}

/// Runs a journal's inputs through the stages, on this thread, with the configuration that the
/// manifest holds, and holds the outputs against the recorded ones.
pub fn through(directory: &Path) -> Result<Replayed, Failure> {
    let unusable = |e: crate::journal::Error| Failure::input(e.to_string());
    let manifest = Manifest::read(directory).map_err(unusable)?;
    let plan = Plan::new(&files_of(&manifest))?;
    let mut inputs = Reader::open(directory, Stream::Inputs).map_err(unusable)?;
    let recorded = Reader::open(directory, Stream::Outputs).map_err(unusable)?;
    let view = Cleared::event as fn(&Cleared) -> &Event;
    let mut end = Comparing::new(Compare::new(recorded), view);
    let (mut desk, set) = (desk(&plan), plan.strategies.clone());
    let rear = Then(Decide::new(set), Then(Risk::new(plan.limits.clone()), &mut end));
    let mut stages = Then(Track, Then(Revalue::new(&plan.universe), rear));
    while let Some(event) = inputs.next_event() {
        stages.emit(&mut desk, event);
    }
    drop(stages);
    let inputs = inputs.verify();
    if !inputs.is_whole() {
        return Err(Failure::mismatch(format!("the input journal is not whole: {inputs}")));
    }
    Ok(Replayed { inputs: inputs.records(), verdict: end.compare.finish() })
}

/// The configuration that a run was made from.
fn files_of(manifest: &Manifest) -> Files {
    let pair = |file: &ConfigFile| (file.name.clone(), file.text.clone());
    Files::from_list(manifest.config.iter().map(pair).collect::<Vec<_>>())
}
