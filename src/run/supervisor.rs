//! Beside the hot threads: looks at counters, tells the operator, writes the interval log, and
//! notices when the run must end.

use super::{
    Failure,
    assembly::Made,
    progress::{Progress, View},
    report::{INTERVAL_LOG, IntervalLog},
};
use crate::{
    config::Span,
    feed::control::Control,
    journal::{Journal, Relived, State, Stream, Watch},
    rt::{clock::Clock, counters::Counters, histogram::Histograms},
    wire::Timestamp,
};
use std::{
    format,
    fs::File,
    io::BufWriter,
    path::Path,
    println,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Between two lines of progress and two intervals of the log, ns.
const TELL: u64 = 1_000_000_000;

/// Watches one run.
pub(super) struct Supervisor {
    clock: Clock,
    began: Timestamp,
    told: Timestamp,
    counters: Counters,
    histograms: Histograms,
    log: IntervalLog<BufWriter<File>>,
    progress: Progress,
    interrupted: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    inputs: Watch,
    outputs: Watch,
}

impl Supervisor {
    /// Takes over the files of a run whose threads have been started.
    pub(super) fn new(
        clock: &Clock,
        directory: &Path,
        counters: Counters,
        histograms: Histograms,
        control: &Control,
        journal: &Journal,
    ) -> Result<Supervisor, Failure> {
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))
                .map_err(|e| Failure::environment(format!("signals cannot be taken: {e}")))?;
        }
        let began = clock.now();
        let log = IntervalLog::create(&directory.join(INTERVAL_LOG), began)
            .map_err(|e| Failure::file(directory, "make the interval log", &e))?;
        Ok(Supervisor {
            clock: clock.clone(),
            began,
            told: began,
            counters,
            histograms,
            log,
            progress: Progress::new(),
            interrupted,
            stop: control.stop_flag(),
            inputs: journal.watch(Stream::Inputs).clone(),
            outputs: journal.watch(Stream::Outputs).clone(),
        })
    }

    /// Waits until the run has begun, behind all that its journal holds of earlier sessions; tells
    /// what came of that. False where it cannot begin.
    pub(super) fn await_beginning(&mut self, made: &Made, told: Option<&Relived>) -> bool {
        let sessions = loop {
            let begun = made.signs.begun.load(Ordering::Acquire);
            if begun > 0 || self.interrupted.load(Ordering::Relaxed) {
                break begun;
            }
            if self.is_broken(made) {
                return false;
            }
            pause_for(Duration::from_millis(1));
        };
        let Some(told) = told else { return true };
        let took = self.clock.now() - self.began;
        while View::of(&self.counters).sessions() < sessions && !self.is_broken(made) {
            pause_for(Duration::from_millis(1));
        }
        self.progress.note(&View::of(&self.counters).resumed(told, took));
        true
    }

    /// Looks and tells until the run must end: the market has ended, the time is up, a signal came,
    /// a stage panicked, the journal failed.
    pub(super) fn watch(&mut self, made: &Made, end_with_market: bool, span: Option<Span>) {
        loop {
            pause();
            self.tell_when_due();
            let over = span.is_some_and(|span| self.clock.now() - self.began >= span.nanos());
            let ended = end_with_market && made.signs.ended.load(Ordering::Acquire);
            if self.is_broken(made) || over || ended || self.interrupted.load(Ordering::Relaxed) {
                return;
            }
            if let Err(low) = self.room() {
                return self.progress.note(&low.message);
            }
        }
    }

    /// Asks for the end and waits until nothing of ours works and nothing is held, `drain` ns at
    /// most: packages that a strategy keeps, or cannot close, are named.
    pub(super) fn stop(&mut self, drain: u64) {
        let asked = self.clock.now();
        self.stop.store(true, Ordering::Relaxed);
        loop {
            pause();
            self.tell_when_due();
            let view = View::of(&self.counters);
            let waited = self.clock.now() - asked;
            // The command must have come through before "nothing is open" means anything.
            let open = view.working_orders + view.open_packages;
            if waited > 200_000_000 && open == 0 {
                return;
            }
            if waited >= drain {
                let (orders, packages) = (view.working_orders, view.open_packages);
                let left =
                    format!("stopped with {orders} orders working, {packages} packages open");
                return self.progress.note(&left);
            }
        }
    }

    /// The last line and the last interval, when all threads have ended.
    pub(super) fn last_word(&mut self) {
        self.tell();
        self.progress.end();
        for line in View::of(&self.counters).summary() {
            println!("{line}");
        }
    }

    /// Whether the journal has room to go on. Where it has not, the run ends in order while what is
    /// open can still be cancelled, and before the journal itself must halt it.
    pub(super) fn room(&self) -> Result<(), Failure> {
        match [&self.inputs, &self.outputs].into_iter().any(|watch| watch.state() == State::Low) {
            true => Err(Failure::environment(
                "the disk of the journal is nearly full: the run was ended in order; free some",
            )),
            false => Ok(()),
        }
    }

    /// A stage has panicked or the journal takes nothing more: no order may leave.
    fn is_broken(&self, made: &Made) -> bool {
        let failed = self.inputs.error().or(self.outputs.error());
        let broken = made.panicked() || failed.is_some() || made.signs.failed.get().is_some();
        if broken {
            made.kill.store(true, Ordering::SeqCst);
        }
        broken
    }

    fn tell_when_due(&mut self) {
        if self.clock.now() - self.told >= TELL {
            self.tell();
        }
    }

    fn tell(&mut self) {
        let now = self.clock.now();
        let stages = self.histograms.read();
        let trade = stages.iter().find(|snapshot| snapshot.label.name == "tick_to_trade");
        let view = View::of(&self.counters);
        self.progress.line(&view, trade, now - self.began, now - self.told);
        self.told = now;
        // A full disk ends the journal, and with it the run; the log alone does not.
        if let Err(error) = self.log.write(now, &stages) {
            self.progress.note(&format!("interval log: {error}"));
        }
    }
}

fn pause() {
    pause_for(LOOK);
}

#[expect(clippy::disallowed_methods, reason = "the cold thread waits; nothing decides here")]
fn pause_for(span: Duration) {
    std::thread::sleep(span);
}
