//! A market, an engine that trades in front of it and a fault in; how the run ended out.

use crate::engine::{Engine, Extra, HOUR, Served, Site, simulated};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use zomma::{
    journal::{Manifest, Reader, Status, Stream, tool},
    rt::trip,
    run::replay,
    wire::{Event, Kind},
};
use zomma_market::server::Summary;

/// A slow hour, so that there is a middle.
pub fn slow() -> Served {
    simulated(&HOUR.replace("1800.0", "60.0").replace("6000.0", "3000.0"), "")
}

/// One probe trades; of the other five orders always rest, so that there is something to cancel.
pub fn trading() -> Extra {
    let strategy = "[[probe]]\nname = \"taker\"\nevery = 20\nplace = \"ask\"\nworking_max = 8\n\
        [[probe]]\nname = \"rests\"\nevery = 30\nplace = \"far\"\nworking_max = 5\n\
        cancel_after = \"60s\"\n";
    Extra { strategy: strategy.into(), run: "drain = \"2s\"".into(), ..Extra::default() }
}

/// The variable that names the stage that is to fail: `panic:greeks:2000`.
const TRIP: &str = "ZOMMA_FAULTS_TRIP";

/// In the engine's process: arms what the test asked for.
pub fn arm_if_asked() {
    let Ok(text) = std::env::var(TRIP) else { return };
    let words: Vec<&str> = text.split(':').collect();
    let fault = if words[0] == "hang" { trip::Fault::Hang } else { trip::Fault::Panic };
    trip::arm(words[1], fault, words[2].parse().unwrap());
}

/// Starts the engine behind `before`, with what is armed.
pub fn start(site: &Site, directory: &Path, before: &[String], armed: &str) -> Engine {
    let mut command = site.command(directory, before);
    if !armed.is_empty() {
        command.env(TRIP, armed);
    }
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    Engine { child, directory: directory.into() }
}

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Lines for the operator on the standard error.
    pub told: Vec<String>,
    pub printed: String,
    pub error: String,
}

/// Waits for the end, whatever it is.
pub fn end(engine: Engine) -> Ended {
    let output = engine.child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = error.lines().filter(|line| line.starts_with("zomma: "));
    Ended {
        code: output.status.code(),
        signal: std::os::unix::process::ExitStatusExt::signal(&output.status),
        told: told.map(String::from).collect(),
        printed: String::from_utf8_lossy(&output.stdout).into_owned(),
        error,
    }
}

impl Ended {
    /// One line, with these words, and the environment's code.
    #[track_caller]
    pub fn assert_told(&self, words: &[&str]) {
        assert_eq!(self.code, Some(3), "{}", self.error);
        assert_eq!(self.told.len(), 1, "{}", self.error);
        for word in words {
            assert!(self.told[0].contains(word), "{word:?}: {}", self.error);
        }
    }
}

/// Ends the market; orders and cancels that reached the broker.
pub fn stop(served: Served) -> (u64, u64) {
    let (orders, cancels, _) = summary(served).orders;
    (orders, cancels)
}

/// Ends the market; all that its broker has seen.
pub fn summary(served: Served) -> Summary {
    served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    served.join().1
}

/// Orders of the output journal, each with the input that caused it.
pub fn orders(directory: &Path) -> Vec<Event> {
    let mut reader = Reader::open(directory, Stream::Outputs).unwrap();
    let mut found = Vec::new();
    while let Some(event) = reader.next_event() {
        if event.kind == Kind::ORDER {
            found.push(*event);
        }
    }
    found
}

/// What the journal holds is whole, replays, and holds every order that the broker has seen.
pub fn assert_journal(directory: &Path, at_broker: u64) {
    let mut text = Vec::new();
    assert!(tool::verify(directory, &mut text).unwrap(), "{}", String::from_utf8_lossy(&text));
    let replayed = replay::through(directory).unwrap();
    assert!(replayed.verdict.holds(), "{}", replayed.verdict);
    let written = orders(directory).len() as u64;
    assert!(at_broker <= written, "{at_broker} orders at the broker, {written} in the journal");
}

pub fn status(directory: &Path) -> Status {
    Manifest::read(directory).unwrap().status
}

/// The tracer, told to inject; `None` with a visible word where it cannot trace.
pub fn strace(inject: &str) -> Option<Vec<String>> {
    let trial = ["-f", "-o", "/dev/null", "-e", "trace=none", "true"];
    if !Command::new("strace").args(trial).output().is_ok_and(|o| o.status.success()) {
        println!("skipped: strace is not here, or may not trace");
        return None;
    }
    let call = inject.split(':').next().unwrap();
    let words = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null"].map(String::from);
    let inject = [format!("-etrace={call}"), format!("-einject={inject}")];
    Some(words.into_iter().chain(inject).collect())
}

/// The engine's own process where a tracer runs it.
pub fn behind(tracer: &Engine) -> u32 {
    let id = tracer.child.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}
