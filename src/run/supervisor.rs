//! Beside the hot threads: looks at counters, tells the operator, writes the interval log, and
//! notices when the run must end.

use super::{
    Failure, Plan,
    assembly::Made,
    lag::{Alarm, Lag},
    progress::{Progress, View},
    report::{INTERVAL_LOG, IntervalLog},
    say::println,
    watchdog::Watchdog,
};
use crate::{
    config::Span,
    feed::{Health, control::Control},
    journal::{Journal, Relived, State, Stream, Sync, Watch},
    rt::{
        clock::Clock,
        counters::{Counter, Counters},
        histogram::Histograms,
    },
    wire::{Timestamp, control::DiskState},
};
use std::{
    format,
    fs::File,
    io::{self, BufWriter},
    path::Path,
    string::{String, ToString},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Looks between two at the threads' rounds.
const DOG_LOOKS: u64 = 5;
/// Between two lines of progress and two intervals of the log, ns.
const TELL: u64 = 1_000_000_000;
/// Longest wait for cancels where the journal has failed: what it does not take nobody sees. And
/// the shortest one that a broker is given to answer them.
const BROKEN_DRAIN: u64 = 1_000_000_000;
/// Until a command has come through: before that "nothing is open" means nothing.
const COMMAND_TAKES: u64 = 200_000_000;

crate::counters! {
    /// How far the disk is behind.
    struct Journaled {
        /// Inputs written: what the end of the process does not lose.
        inputs: "records";
        /// Of them durable: what a power cut does not lose.
        inputs_durable: "records";
        /// Outputs written.
        outputs: "records";
        /// Of them durable.
        outputs_durable: "records";
        /// Age of the oldest record that is not durable, on either stream.
        lag_ns: "ns";
        /// The highest that it was.
        lag_ns_max: "ns";
    }
}

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
    leave: Arc<AtomicBool>,
    /// Throws the kill switch within the pipeline, where RISK then cancels what is open.
    kill: Arc<AtomicBool>,
    inputs: Watch,
    outputs: Watch,
    journaled: Journaled,
    lags: [Lag; 2],
    alarm: Alarm,
    /// The same for what may be opened.
    brake: Alarm,
    /// Where the feed hears of it, so that RISK does.
    health: Health,
    /// Whether anything is ever brought to the disk.
    syncs: bool,
    /// Pauses and drifts that the operator was told of.
    time: (u64, [i64; 2]),
    dog: Watchdog,
    looks: u64,
    /// The first thread that hung.
    hung: Option<String>,
}

impl Supervisor {
    /// Takes over the files of a run whose threads have been started.
    pub(super) fn new(
        plan: &Plan,
        clock: &Clock,
        directory: &Path,
        (mut counters, histograms): (Counters, Histograms),
        (control, health): (&Control, Health),
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
        let declared = |e: io::Error| Failure::environment(format!("counters: {e}"));
        let journaled = Journaled::declare(&mut counters, "journal").map_err(declared)?;
        // A feed that may sleep until its next beat ends no round meanwhile.
        let hang = plan.run.hang_max.nanos().max(4 * plan.feed.beat.nanos());
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
            leave: control.leave_flag(),
            kill: control.kill_flag(),
            inputs: journal.watch(Stream::Inputs).clone(),
            outputs: journal.watch(Stream::Outputs).clone(),
            journaled,
            lags: Default::default(),
            alarm: Alarm::of_words(plan.run.lag_max.nanos()),
            brake: Alarm::of_orders(plan.run.lag_reduce.nanos()),
            health,
            syncs: plan.journal.sync != Sync::None,
            time: (0, [0; 2]),
            dog: Watchdog::new(hang / (LOOK.as_nanos() as u64 * DOG_LOOKS)),
            looks: 0,
            hung: None,
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
            self.look();
        };
        let Some(told) = told else { return true };
        while View::of(&self.counters).sessions() < sessions && !self.is_broken(made) {
            self.look();
        }
        self.progress.note(&View::of(&self.counters).resumed(told));
        true
    }

    /// Looks and tells until the run must end: the market has ended, the time is up, a signal came,
    /// a stage panicked or hangs, the journal failed.
    pub(super) fn watch(&mut self, made: &Made, end_with_market: bool, span: Option<Span>) {
        loop {
            self.look();
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
    /// most: packages that a strategy keeps, or cannot close, are named. Then everything that still
    /// works is withdrawn, and the broker's answers are waited for as long again, a second at
    /// least: what fills after the end is heard by nobody. With a dead thread there is nothing to
    /// wait for: the gate cancels what it knows of when its own thread ends.
    pub(super) fn stop(&mut self, made: &Made, drain: u64) {
        let is_flat = |view: &View| view.working_orders + view.open_packages == 0;
        self.stop.store(true, Ordering::Relaxed);
        if self.wait(made, drain, is_flat) {
            return;
        }
        self.leave.store(true, Ordering::Relaxed);
        self.wait(made, drain.max(BROKEN_DRAIN), |view| view.working_orders == 0);
        let View { working_orders, open_packages, .. } = View::of(&self.counters);
        self.progress.note(&format!(
            "stopped with {working_orders} orders working, {open_packages} packages open"
        ));
    }

    /// Waits until a command has come through and left things as they are wanted, `most` ns at
    /// most; true where there is nothing more to wait for.
    fn wait(&mut self, made: &Made, most: u64, is_done: impl Fn(&View) -> bool) -> bool {
        let asked = self.clock.now();
        loop {
            let broken = self.is_broken(made);
            if made.panicked() || self.hung.is_some() {
                return true;
            }
            self.look();
            let waited = self.clock.now() - asked;
            if waited > COMMAND_TAKES && is_done(&View::of(&self.counters)) {
                return true;
            }
            if waited >= if broken { most.min(BROKEN_DRAIN) } else { most } {
                return false;
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

    /// A stage has panicked or hangs, or the journal takes nothing more: no order may leave.
    fn is_broken(&mut self, made: &Made) -> bool {
        let failed = self.inputs.error().or(self.outputs.error());
        let begun = made.signs.failed.get().map(|failure| failure.message.clone());
        let failed = failed.map(ToString::to_string).or(begun);
        let broken = made.panicked() || failed.is_some() || self.hangs();
        if broken && !made.kill.swap(true, Ordering::SeqCst) {
            let why = failed.or(self.hung.as_ref().map(|name| format!("thread {name} hangs")));
            self.progress.note(&format!("KILL: {}", why.unwrap_or_default()));
        }
        if broken {
            self.kill.store(true, Ordering::Relaxed);
        }
        broken
    }

    /// Whether a thread ends no round any more; once is enough.
    fn hangs(&mut self) -> bool {
        if self.hung.is_none() && self.looks.is_multiple_of(DOG_LOOKS) {
            let read = self.counters.read();
            let rounds = read.iter().filter(|row| row.label.name == "rounds");
            let rounds = rounds.map(|row| (row.label.group.as_str(), row.value));
            self.hung = self.dog.look(rounds).map(Into::into);
        }
        self.hung.is_some()
    }

    fn look(&mut self) {
        pause(LOOK);
        self.looks += 1;
        self.look_at_disk();
        if self.clock.now() - self.told >= TELL {
            self.tell();
        }
    }

    /// Publishes how far the disk is behind, and tells when that begins to matter and when it ends.
    fn look_at_disk(&mut self) {
        let now = self.clock.now();
        let marks = [&self.inputs, &self.outputs].map(|watch| (watch.durable(), watch.written()));
        let [(inputs_durable, inputs), (outputs_durable, outputs)] = marks;
        let lag = self.lags[0].look(now, inputs, inputs_durable);
        let lag = lag.max(self.lags[1].look(now, outputs, outputs_durable));
        let published = [inputs, inputs_durable, outputs, outputs_durable, lag];
        let at = &self.journaled;
        let counters: [&Counter; 5] =
            [&at.inputs, &at.inputs_durable, &at.outputs, &at.outputs_durable, &at.lag_ns];
        counters.into_iter().zip(published).for_each(|(counter, value)| counter.set(value));
        at.lag_ns_max.raise(lag);
        match self.alarm.look(now, lag).filter(|_| self.syncs) {
            Some(true) => self.progress.note(&format!(
                "DISK: the journal is {:.1} s behind; a power cut loses that",
                secs(lag)
            )),
            Some(false) => self.progress.note("disk: the journal keeps up again"),
            None => {}
        }
        if self.brake.look(now, lag).is_some_and(|is_late| is_late && self.syncs) {
            self.progress.note("DISK: nothing is opened until the journal keeps up");
        }
        self.health.say(self.state_of_disk(), lag);
    }

    fn state_of_disk(&self) -> DiskState {
        let watches = [&self.inputs, &self.outputs];
        if watches.iter().any(|watch| watch.error().is_some()) {
            return DiskState::FAILED;
        }
        if watches.iter().any(|watch| watch.state() == State::Low) {
            return DiskState::LOW;
        }
        if self.syncs && self.brake.is_on() { DiskState::LATE } else { DiskState::KEEPS_UP }
    }

    /// A feed that stood still, and clocks that part, are the operator's business at once.
    fn tell_of_time(&mut self, view: &View) {
        let [pauses, longest, wall, raw] =
            ["pauses", "pause_ns_max", "wall_ahead_ns", "raw_ahead_ns"]
                .map(|name| view.get("feed", name));
        let now = (pauses, [wall as i64, raw as i64]);
        let before = core::mem::replace(&mut self.time, now);
        if now.0 > before.0 {
            self.progress.note(&format!(
                "PAUSE: the engine stood still, {:.1} s at most; quotes are stale until they come \
                 anew",
                secs(longest)
            ));
        }
        if now.1 != before.1 {
            let [wall, raw] = now.1.map(ahead);
            self.progress.note(&format!(
                "CLOCK: the system's wall clock is {wall}, its raw clock {raw}; beyond \
                 clock_drift_max nothing is opened"
            ));
        }
    }

    fn tell(&mut self) {
        let now = self.clock.now();
        let stages = self.histograms.read();
        let trade = stages.iter().find(|snapshot| snapshot.label.name == "tick_to_trade");
        let view = View::of(&self.counters);
        self.tell_of_time(&view);
        self.progress.line(&view, trade, now - self.began, now - self.told);
        self.told = now;
        // A full disk ends the journal, and with it the run; the log alone does not.
        if let Err(error) = self.log.write(now, &stages) {
            self.progress.note(&format!("interval log: {error}"));
        }
    }
}

/// A drift in words.
fn ahead(nanos: i64) -> String {
    let direction = if nanos < 0 { "behind" } else { "ahead of" };
    format!("{:.3} s {direction} ours", secs(nanos.unsigned_abs()))
}

fn secs(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

#[expect(clippy::disallowed_methods, reason = "the cold thread waits; nothing decides here")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}
