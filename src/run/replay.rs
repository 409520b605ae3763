//! A journal in; the same stages over its inputs, and whether they decide the same, out.

use super::{
    Failure, Files, Plan, lanes,
    say::println,
    scene::Scene,
    settings::Threads,
    source::Source,
    tools::{names, unusable},
    whatif,
};
use crate::{
    journal::{
        Between, Compare, ConfigFile, Difference, Manifest, Mark, Names, Reader, Stream, Verdict,
        dump::{self, Form, Scribe, Side},
        stage_of,
    },
    risk::Cleared,
    stage::Emit,
    wire::Event,
};
use std::{
    format,
    io::{self, Write},
    path::Path,
    string::String,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    vec::Vec,
};

/// What is asked of a replay.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A difference is a failure.
    pub verify: bool,
    /// The span in which outputs are shown and compared, as typed.
    pub from: Option<String>,
    /// Its end.
    pub to: Option<String>,
    /// How many times faster than it was.
    pub speed: Option<f64>,
    /// The order after which it stops: its place among all orders, or its number.
    pub until_order: Option<u64>,
    /// On how many threads; one where nothing is said.
    pub threads: Option<Threads>,
    /// Goes on although the journal is another program's.
    pub force: bool,
    /// Another configuration, to see what would have been decided with it.
    pub files: Option<Files>,
    /// How many differences between two configurations are shown.
    pub differences: Option<usize>,
}

/// What a replay found.
#[derive(Debug)]
pub struct Replayed {
    /// Inputs that went through the stages.
    pub inputs: u64,
    /// Events that came to the end of the stages: inputs, what was derived from them, outputs.
    pub events: u64,
    /// How the outputs compare.
    pub verdict: Verdict,
}

/// Replays a directory and tells what came out. With `verify`, a difference is a failure.
pub fn replay(directory: &Path, request: &Request) -> Result<(), Failure> {
    let manifest = Manifest::read(directory).map_err(unusable)?;
    refuse_strangers(directory, &manifest, request.force)?;
    if let Some(files) = &request.files {
        return whatif::compare(directory, &manifest, files, request.differences.unwrap_or(10));
    }
    let (from, to) = (request.from.as_deref(), request.to.as_deref());
    let between = Between::read(from, to, manifest.wall).map_err(Failure::input)?;
    let plan = Plan::new(&files_of(&manifest))?;
    let source = Source::new(open(directory, Stream::Inputs)?, between, request.speed);
    if let Some(order) = request.until_order {
        return until(directory, &plan, source, order, request);
    }
    let shows = request.speed.is_some() || !between.is_all();
    let show = shows.then(|| names(directory)).transpose()?;
    let threads = request.threads.unwrap_or(Threads::Inline);
    let Replayed { inputs, verdict, .. } = run(directory, &plan, source, between, threads, show)?;
    println!("replayed {inputs} inputs: {verdict}");
    if let Some(difference) = &verdict.difference {
        tell(directory, difference)?;
    }
    if request.verify && !verdict.holds() {
        return Err(Failure::mismatch(format!("{}: the replay differs", directory.display())));
    }
    Ok(())
}

/// Runs a journal's inputs through the stages, on this thread, with the configuration that the
/// manifest holds, and holds the outputs against the recorded ones.
pub fn through(directory: &Path) -> Result<Replayed, Failure> {
    on(directory, Threads::Inline)
}

/// The same, with the stages grouped on threads as in a live run.
pub fn on(directory: &Path, threads: Threads) -> Result<Replayed, Failure> {
    let manifest = Manifest::read(directory).map_err(unusable)?;
    let plan = Plan::new(&files_of(&manifest))?;
    let source = Source::new(open(directory, Stream::Inputs)?, Between::default(), None);
    run(directory, &plan, source, Between::default(), threads, None)
}

fn run(
    directory: &Path,
    plan: &Plan,
    mut source: Source,
    between: Between,
    threads: Threads,
    show: Option<Names>,
) -> Result<Replayed, Failure> {
    let compare = Compare::within(open(directory, Stream::Outputs)?, between);
    let scribe = show.map(|names| Scribe::new(io::stdout(), Form::Text, names));
    let scribe = scribe.transpose().map_err(|e| Failure::environment(format!("stdout: {e}")))?;
    let mut judge = Judge { compare, between, scribe, shown: 0, events: 0, stop: source.stop() };
    lanes::lanes(plan, threads, &mut source, &mut judge);
    let (inputs, events) = (source.count, judge.events);
    let verdict = judge.compare.finish();
    match source.end() {
        Some(end) if !end.is_whole() => {
            Err(Failure::mismatch(format!("the input journal is not whole: {end}")))
        }
        _ => Ok(Replayed { inputs, events, verdict }),
    }
}

/// The end of the stages: shows and compares what they let out.
struct Judge {
    compare: Compare,
    between: Between,
    scribe: Option<Scribe<io::Stdout>>,
    shown: u64,
    events: u64,
    stop: Arc<AtomicBool>,
}

impl<K> Emit<K, Cleared> for Judge {
    #[inline(always)]
    fn emit(&mut self, _: &mut K, cleared: &Cleared) {
        self.events += 1;
        if cleared.event().kind.is_output() {
            self.judge(cleared.event());
        }
    }
}

impl Judge {
    fn judge(&mut self, output: &Event) {
        self.shown += 1;
        if let Some(scribe) = self.scribe.as_mut().filter(|_| self.between.holds(output))
            && scribe.write(Side::Out, self.shown, output).is_err()
        {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.compare.on_event(output);
        if self.compare.difference().is_some() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Both outputs, their cause and the stage that made them.
fn tell(directory: &Path, difference: &Difference) -> Result<(), Failure> {
    let names = names(directory)?;
    let show = |event: &Event| dump::line(event, names.of(event.instrument));
    let mut out = String::new();
    for (what, event) in [("recorded", &difference.recorded), ("replayed", &difference.replayed)] {
        let line = event.as_ref().map_or("nothing".into(), show);
        out += &format!("  {what}  {line}\n");
    }
    let outputs = [&difference.recorded, &difference.replayed];
    let first = outputs.into_iter().flatten().min_by_key(|event| event.seq);
    if let Some(event) = first {
        out += &format!("  made by   {}\n", stage_of(event.kind));
        let cause = find_input(directory, event.seq)?;
        out += &format!("  caused by {}\n", cause.as_ref().map_or("no input".into(), show));
    }
    io::stdout().write_all(out.as_bytes()).map_err(|e| Failure::environment(format!("stdout: {e}")))
}

/// The input of this number.
pub(super) fn find_input(directory: &Path, seq: u64) -> Result<Option<Event>, Failure> {
    let inputs = Reader::open_at(directory, Stream::Inputs, Mark::Seq(seq)).map_err(unusable);
    Ok(inputs?.next_event().copied().filter(|event| event.seq == seq))
}

fn until(
    directory: &Path,
    plan: &Plan,
    mut source: Source,
    order: u64,
    request: &Request,
) -> Result<(), Failure> {
    if request.threads.is_some_and(|threads| threads != Threads::Inline) {
        return Err(Failure::input(
            "--until-order looks at one thread's state; leave --threads out",
        ));
    }
    let mut scene = Scene::new(order, names(directory)?, plan, source.stop());
    lanes::inline(plan, &mut source, &mut scene);
    let Some(text) = scene.told else {
        let what = format!("{}: it has {} orders", directory.display(), scene.orders);
        return Err(Failure::mismatch(format!("{what}, and order {order} is not among them")));
    };
    println!("{text}");
    if let Some(cause) = find_input(directory, scene.cause)? {
        println!("cause\n  {}", dump::line(&cause, scene.names.of(cause.instrument)));
    }
    Ok(())
}

/// A journal of another program may replay to other decisions without anything being wrong.
fn refuse_strangers(directory: &Path, manifest: &Manifest, force: bool) -> Result<(), Failure> {
    let here = Manifest::new(0, Vec::new()).map_err(unusable)?;
    let why = manifest.unlike(&here);
    if why.is_empty() {
        return Ok(());
    }
    let (place, why) = (directory.display(), why.join("; "));
    if force {
        std::eprintln!("zomma: {place}: {why}; replayed all the same");
        return Ok(());
    }
    let what = "its decisions may differ for that alone; replay with that program, or --force";
    Err(Failure::input(format!("{place}: {why}; {what}")))
}

pub(super) fn open(directory: &Path, stream: Stream) -> Result<Reader, Failure> {
    Reader::open(directory, stream).map_err(unusable)
}

/// The configuration that a run was made from.
pub(super) fn files_of(manifest: &Manifest) -> Files {
    let pair = |file: &ConfigFile| (file.name.clone(), file.text.clone());
    Files::from_list(manifest.config.iter().map(pair).collect::<Vec<_>>())
}
