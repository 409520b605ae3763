//! A live run: sockets at both ends, the stages on as many threads as the configuration says, and a
//! supervisor that watches them, tells the operator and puts everything away at the end.

use super::{
    Failure, Files, Plan,
    agents::Signs,
    assembly::{Assembly, Made},
    guard,
    recovery::Past,
    report::{COUNTERS, HISTOGRAMS, INTERVAL_LOG},
    say::println,
    series::observations,
    settings::Trading,
    supervisor::Supervisor,
};
use crate::{
    config::Span,
    feed::{Health, control::Control},
    journal::{Allow, ConfigFile, Journal, Manifest, Opened, Relived, Resumed},
    rt::{
        clock::{Check, Clock},
        counters::Counters,
        histogram::Histograms,
        noise, pin, signals,
    },
};
use std::{
    format, fs, io,
    path::{Path, PathBuf},
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};

/// What a run is asked for besides its configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Where it writes; a directory of its own below `runs` where none is named.
    pub directory: Option<&'a Path>,
    /// How long it runs; until the market ends or the operator says so where none is given.
    pub span: Option<Span>,
    /// Whether it takes up the run whose journal is in the directory.
    pub resume: bool,
    /// Whether it does so with another program or configuration too.
    pub force: bool,
    /// The configuration's hash as the operator typed it, where the run is to trade for real.
    pub live: Option<&'a str>,
}

/// Runs a configuration until the market ends, the time is up or the operator says so.
pub fn run(files: &Files, request: Request<'_>) -> Result<(), Failure> {
    let plan = Plan::new(files)?;
    let hash = hash_of(files)?;
    guard::admit(&plan, files, &hash, request.live)?;
    say_trading(&plan, &hash);
    let observations = observations(&plan)?;
    let clock = Clock::start();
    let named = request.directory.map(Path::to_path_buf);
    let directory = named.unwrap_or_else(|| default_directory(clock.now()));
    let cores = pin::cores().len();
    say_machine(&plan);
    let (opened, past) = open_journal(&plan, files, &directory, &clock, request)?;
    let Opened { journal, inputs, outputs } = opened;
    if request.resume {
        set_aside(&directory)?;
    }
    let file = |e| Failure::file(&directory, "make the counters", &e);
    let mut counters = Counters::create(&directory.join(COUNTERS)).map_err(file)?;
    let mut histograms = Histograms::create(&directory.join(HISTOGRAMS)).map_err(file)?;
    let calibrated = Check::start(&clock);
    watch_noise(&plan, &clock, &mut histograms)?;
    check_rate(&calibrated)?;
    signals::install()
        .map_err(|e| Failure::environment(format!("signals cannot be taken: {e}")))?;
    let control = Control::new(&plan.feed.kill_file)
        .with_commands(&plan.feed.command_file)
        .with_heartbeat(&plan.feed.heartbeat_file, plan.feed.heartbeat_max.nanos())
        .with_signals()
        .map_err(|e| Failure::environment(format!("signals cannot be taken: {e}")))?;
    let (told, health) = (past.told(), Health::default());
    let made = Assembly {
        plan: &plan,
        clock: &clock,
        counters: &mut counters,
        histograms: &mut histograms,
        control: control.clone(),
        observations,
        signs: Signs::default(),
        health: health.clone(),
        kill: Default::default(),
        epoch: clock.now(),
        past,
        cores,
        strict: None,
        threads: Vec::new(),
    }
    .start(inputs, outputs)?;
    let files = (counters, histograms);
    let supervisor =
        Supervisor::new(&plan, &clock, &directory, files, (&control, health), &journal)?;
    supervise(&plan, made, supervisor, told, journal, request.span)
}

/// Counters and histograms are those of one session: what the one before has left is kept beside
/// them, as `counters.s1` and so on.
fn set_aside(directory: &Path) -> Result<(), Failure> {
    let aside = |name: &str, number: u32| directory.join(format!("{name}.s{number}"));
    let free = (1..u32::MAX).find(|number| !aside(COUNTERS, *number).exists()).unwrap_or(u32::MAX);
    for name in [COUNTERS, HISTOGRAMS, INTERVAL_LOG] {
        match fs::rename(directory.join(name), aside(name, free)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::file(directory, "keep what the session before counted", &e));
            }
            _ => {}
        }
    }
    Ok(())
}

fn supervise(
    plan: &Plan,
    made: Made,
    mut supervisor: Supervisor,
    told: Option<Arc<Relived>>,
    journal: Journal,
    span: Option<Span>,
) -> Result<(), Failure> {
    if !supervisor.await_beginning(&made, told.as_deref()) {
        // What was found stays as it is: the directory can be taken up by whoever knows better.
        return made.join();
    }
    supervisor.watch(&made, plan.run.end_with_market, span);
    supervisor.stop(&made, plan.run.drain.nanos());
    let ended = made.join();
    let room = supervisor.room();
    supervisor.last_word();
    let directory = journal.directory().to_path_buf();
    let finished = if ended.is_ok() { journal.finish() } else { journal.finish_broken() };
    let finished = finished.map_err(|e| Failure::environment(e.to_string()));
    if let Ok(manifest) = &finished {
        println!(
            "journal: {} inputs, {} outputs in {}",
            manifest.inputs,
            manifest.outputs,
            directory.display()
        );
    }
    // What broke is told first: a journal that a dead thread still holds follows from it.
    ended.and(room).and(finished.map(drop))
}

/// Refuses a processor whose counter runs at another rate than the kernel's raw clock.
fn check_rate(calibrated: &Check) -> Result<(), Failure> {
    const ERROR_MAX: f64 = 1e-3;
    match calibrated.rate_error() {
        Some(error) if error.abs() > ERROR_MAX => Err(Failure::environment(format!(
            "the processor's counter is {:.2} % off the kernel's clock; no time can be told by it",
            error * 100.0
        ))),
        _ => Ok(()),
    }
}

fn default_directory(now: u64) -> PathBuf {
    PathBuf::from(format!("runs/{now}"))
}

/// The hash of a configuration, as its manifest will have it.
pub(super) fn hash_of(files: &Files) -> Result<String, Failure> {
    let manifest = Manifest::new(0, texts(files));
    let manifest = manifest.map_err(|e| Failure::environment(e.to_string()))?;
    Ok(manifest.config_hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn texts(files: &Files) -> Vec<ConfigFile> {
    let file =
        |(name, text): &(String, String)| ConfigFile { name: name.clone(), text: text.clone() };
    files.list().iter().map(file).collect()
}

fn say_trading(plan: &Plan, hash: &str) {
    let target = if plan.broker_source() == 0 { "nobody" } else { &plan.broker.target_comp_id };
    let (how, who) = match plan.run.trading {
        Trading::Paper => ("for paper", String::new()),
        Trading::Live => ("FOR REAL", format!(", operator {}", plan.run.operator)),
    };
    println!("trading: {how} with {target}, configuration {}{who}", &hash[..12]);
}

/// What was asked of the machine and what came of it; nothing of it is silent.
fn say_machine(plan: &Plan) {
    if plan.run.lock_memory {
        println!("machine: {}", pin::lock_memory().what);
    }
    if let Ok(core) = usize::try_from(plan.run.cold_core) {
        println!("machine: everything that is not hot {}", pin::pin(core).what);
    }
}

fn open_journal(
    plan: &Plan,
    files: &Files,
    directory: &Path,
    clock: &Clock,
    request: Request<'_>,
) -> Result<(Opened, Past), Failure> {
    let failed = |e: crate::journal::Error| Failure::environment(e.to_string());
    let manifest = Manifest::new(clock.now(), texts(files)).map_err(failed)?;
    if !request.resume {
        let opened = Journal::create(directory, &plan.journal, manifest).map_err(failed)?;
        return Ok((opened, Past::default()));
    }
    let allow = Allow { another: request.force, damage: request.force };
    let resumed = Journal::resume_allowing(directory, &plan.journal, manifest, allow);
    let resumed = resumed.map_err(|e| Failure::input(e.to_string()))?;
    let Resumed { opened, inputs, outputs, ends, same_boot } = resumed;
    println!("resumed: inputs {}; outputs {}", ends[0], ends[1]);
    let past = Past::open(directory, [inputs, outputs], !same_boot).map_err(failed)?;
    Ok((opened, past))
}

/// The floor under every latency of the report, seen from the core that will be hot.
fn watch_noise(plan: &Plan, clock: &Clock, file: &mut Histograms) -> Result<(), Failure> {
    let into = file
        .histogram("host", "noise", "ns", "gaps between two readings of the clock in a bare loop")
        .map_err(|e| Failure::environment(format!("histograms: {e}")))?;
    let (clock, span) = (clock.clone(), plan.run.noise.nanos());
    let core = plan.run.cores.first().map(|core| *core as usize);
    let watch = move || {
        core.map(pin::pin);
        noise::watch(&clock, span, &into)
    };
    let watched = std::thread::spawn(watch).join();
    let seen = watched.map_err(|_| Failure::environment("the noise watch has died"))?;
    if span > 0 {
        println!(
            "host: {} gaps over 1 µs in {:.1} s on the hot core, {} over 20 µs, longest {:.1} µs",
            seen.gaps,
            seen.watched_ns as f64 / 1e9,
            seen.long_gaps,
            seen.gap_ns_max as f64 / 1e3
        );
    }
    Ok(())
}

/// Makes a directory that outlives runs.
pub(super) fn state_directory(path: &str) -> Result<PathBuf, Failure> {
    let path = PathBuf::from(path);
    fs::create_dir_all(&path).map_err(|e| Failure::file(&path, "make the directory", &e))?;
    Ok(path)
}

/// The secret in an environment variable; never shown.
pub(super) fn secret(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "secrets come from the environment")]
    std::env::var(name).ok()
}
