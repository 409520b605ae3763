//! Agents in, pinned threads and their outcomes out.
//!
//! An agent does not know which thread it is on: the same ones run on one thread or on many, and
//! how a thread waits, where it runs and with which priority is said here ([`Placement`]). The
//! threads are started one after the other, each only when the former has been pinned.
//!
//! [`Halt`] stops them all. A panic in an agent halts the others too and is an outcome, not a
//! silence: a pipeline with a dead stage must not go on trading.

use super::{
    clock::Clock,
    counters::Counters,
    faults::Faults,
    idle::{Idle, Idler},
    pin::{self, Got},
    seal::{self, Seal},
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};
use std::{
    io,
    panic::{catch_unwind, resume_unwind},
    sync::Arc,
    sync::mpsc,
    thread::JoinHandle,
};

/// Something that is called again and again on one thread.
pub trait Agent {
    /// Does what there is to do and returns how much that was; 0 lets the thread idle.
    fn duty(&mut self) -> usize;
    /// Called once on the thread when it stops, halted or not; not after a panic.
    fn on_stop(&mut self) {}
    /// Called once on the thread after a panic in [`Agent::duty`]: what must be done even so.
    fn on_panic(&mut self) {}
}

/// Where and how a thread runs.
#[derive(Clone, Debug)]
pub struct Placement {
    /// Its name in reports.
    pub name: String,
    /// Its core; `None` for any.
    pub core: Option<usize>,
    /// Its real-time priority, 1 to 99; `None` for the default scheduling.
    pub priority: Option<i32>,
    /// What it does when there is nothing to do.
    pub idle: Idle,
    /// A round that takes longer than this counts as a stall, ns.
    pub stall_ns: u64,
    /// The seal of its allocations once it runs.
    pub seal: Seal,
}

crate::counters! {
    /// What every thread counts about itself.
    pub struct Rounds {
        /// Rounds of duty.
        pub rounds: "1";
        /// Work that the rounds did, in the agents' own measure.
        pub work: "1";
        /// The longest round.
        pub round_ns_max: "ns";
        /// Rounds longer than the thread's limit.
        pub stalls: "1";
        /// Allocations and frees after the thread was sealed.
        pub allocations_after_start: "1";
        /// Page faults after start-up, known when the thread ends.
        pub faults_after_start: "1";
    }
}

const RUNNING: u8 = 0;
const STOPPING: u8 = 1;
const PANICKED: u8 = 2;

/// The flag that stops every thread; clones are the same flag.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    state: Arc<AtomicU8>,
    alarm: Option<Arc<AtomicBool>>,
}

impl Halt {
    /// A panic raises `alarm` in the same instant.
    pub fn with_alarm(alarm: Arc<AtomicBool>) -> Halt {
        Halt { alarm: Some(alarm), ..Halt::default() }
    }

    /// Asks all threads to stop.
    pub fn stop(&self) {
        // A panic is not forgotten by a later stop.
        let (wanted, order) = (STOPPING, Ordering::AcqRel);
        let _ = self.state.compare_exchange(RUNNING, wanted, order, Ordering::Acquire);
    }

    /// Whether threads should stop. Cheap: a load of a line that nobody writes.
    #[inline(always)]
    pub fn is_set(&self) -> bool {
        self.state.load(Ordering::Acquire) != RUNNING
    }

    /// Whether an agent panicked.
    pub fn panicked(&self) -> bool {
        self.state.load(Ordering::Acquire) == PANICKED
    }

    fn panic(&self) {
        self.alarm.iter().for_each(|alarm| alarm.store(true, Ordering::SeqCst));
        self.state.store(PANICKED, Ordering::Release);
    }
}

/// How a thread ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The thread.
    pub name: String,
    /// What its agent's panic said, if it panicked.
    pub panic: Option<String>,
    /// Page faults and switches while it ran.
    pub faults: Faults,
}

/// A thread that runs.
#[derive(Debug)]
pub struct Running {
    name: String,
    /// What it asked of the machine and what it got.
    pub got: Vec<Got>,
    thread: JoinHandle<Outcome>,
}

impl Running {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has ended, so that [`Running::join`] does not wait.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end, which [`Halt::stop`] brings.
    pub fn join(self) -> Outcome {
        let name = self.name;
        let died = |e: Box<dyn Any + Send>| Outcome {
            name,
            panic: Some(message(&*e)),
            faults: Faults::default(),
        };
        self.thread.join().unwrap_or_else(died)
    }
}

/// Starts a thread and returns when it is placed and its agents are made. They are made on it,
/// by `make`, so that their memory is first touched on its core and they need not be `Send`
/// before they exist.
pub fn start<A: Agent + 'static>(
    placement: Placement,
    counters: &mut Counters,
    clock: &Clock,
    halt: &Halt,
    make: impl FnOnce() -> A + Send + 'static,
) -> io::Result<Running> {
    let rounds = Rounds::declare(counters, &placement.name)?;
    let (clock, halt, name) = (clock.clone(), halt.clone(), placement.name.clone());
    let (tell, told) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
        let got = place(&placement);
        let body = AssertUnwindSafe(|| {
            let mut thread = Thread { agent: make(), placement: &placement, rounds, clock };
            // The starter waits for this; where it is gone, so is the reason to report.
            drop(tell.send(got));
            thread.run(&halt)
        });
        let (panic, faults) = match catch_unwind(body) {
            Ok(faults) => (None, faults),
            Err(e) => {
                seal::seal(Seal::Open);
                halt.panic();
                (Some(message(&*e)), Faults::default())
            }
        };
        Outcome { name: placement.name, panic, faults }
    })?;
    // An agent that cannot be made drops the sender: the outcome says what happened.
    let got = told.recv().unwrap_or_default();
    Ok(Running { name, got, thread })
}

fn place(placement: &Placement) -> Vec<Got> {
    let core = placement.core.map(pin::pin);
    let priority = placement.priority.map(pin::real_time);
    core.into_iter().chain(priority).collect()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").into()
}

struct Thread<'a, A> {
    agent: A,
    placement: &'a Placement,
    rounds: Rounds,
    clock: Clock,
}

impl<A: Agent> Thread<'_, A> {
    fn run(&mut self, halt: &Halt) -> Faults {
        let before = Faults::now();
        seal::seal(self.placement.seal);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.rounds(halt))) {
            seal::seal(Seal::Open);
            halt.panic();
            // A second panic changes nothing: the first is what is told.
            drop(catch_unwind(AssertUnwindSafe(|| self.agent.on_panic())));
            resume_unwind(panic);
        }
        seal::seal(Seal::Open);
        self.rounds.allocations_after_start.set(seal::requests().after_seal);
        let faults = Faults::now().since(before);
        self.rounds.faults_after_start.set(faults.minor + faults.major);
        self.agent.on_stop();
        faults
    }

    /// One reading of the clock a round: a round begins where the former ended, but after a wait
    /// that gave the core away, which is no round's fault.
    fn rounds(&mut self, halt: &Halt) {
        let mut idler = Idler::new(self.placement.idle);
        let mut begun = self.clock.now();
        while !halt.is_set() {
            let work = self.agent.duty();
            let now = self.clock.now();
            self.count(work, now.saturating_sub(begun));
            begun = if idler.after(work) { self.clock.now() } else { now };
        }
    }

    #[inline(always)]
    fn count(&self, work: usize, nanos: u64) {
        self.rounds.rounds.add(1);
        self.rounds.work.add(work as u64);
        self.rounds.round_ns_max.raise(nanos);
        if nanos > self.placement.stall_ns {
            self.rounds.stalls.add(1);
            self.rounds.allocations_after_start.set(seal::requests().after_seal);
        }
    }
}

/// Two agents on one thread, in turns.
impl<A: Agent, B: Agent> Agent for (A, B) {
    #[inline(always)]
    fn duty(&mut self) -> usize {
        self.0.duty() + self.1.duty()
    }
    fn on_stop(&mut self) {
        self.0.on_stop();
        self.1.on_stop();
    }
    fn on_panic(&mut self) {
        self.0.on_panic();
        self.1.on_panic();
    }
}

/// Any number of agents on one thread, in turns.
impl Agent for Vec<Box<dyn Agent>> {
    fn duty(&mut self) -> usize {
        self.iter_mut().map(|agent| agent.duty()).sum()
    }
    fn on_stop(&mut self) {
        self.iter_mut().for_each(|agent| agent.on_stop());
    }
    fn on_panic(&mut self) {
        self.iter_mut().for_each(|agent| agent.on_panic());
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::{Consumer, Producer, ring};
    use super::*;

    struct Write(Producer<u32>, u32);
    impl Agent for Write {
        fn duty(&mut self) -> usize {
            let sent = self.1 < 1_000 && self.0.try_push(&self.1);
            self.1 += u32::from(sent);
            usize::from(sent)
        }
    }

    struct Read(Consumer<u32>, u32, Halt);
    impl Agent for Read {
        fn duty(&mut self) -> usize {
            let count = self.0.drain(16, |message| {
                assert_eq!(*message, self.1);
                self.1 += 1;
            });
            if self.1 == 1_000 {
                self.2.stop();
            }
            count
        }
    }

    struct Fail;
    impl Agent for Fail {
        fn duty(&mut self) -> usize {
            panic!("on purpose")
        }
    }

    fn placement(name: &str, idle: Idle) -> Placement {
        let (core, priority) = (pin::cores().first().copied(), None);
        Placement {
            name: name.into(),
            core,
            priority,
            idle,
            stall_ns: u64::MAX,
            seal: Seal::Counting,
        }
    }

    #[test]
    fn agents_work_together_however_they_are_placed_and_stop_when_told() {
        for idle in [Idle::Spin, Idle::Pause, Idle::Yield, Idle::Park] {
            let (clock, halt) = (Clock::start(), Halt::default());
            let mut file = Counters::in_memory().unwrap();
            let (producer, consumer) = ring(8);
            let write = Write(producer, 0);
            let read = Read(consumer, 0, halt.clone());
            let idle = if pin::cores().len() < 2 { Idle::Yield } else { idle };
            let threads = [
                start(placement("write", idle), &mut file, &clock, &halt, || write).unwrap(),
                start(placement("read", idle), &mut file, &clock, &halt, || read).unwrap(),
            ];
            for thread in threads {
                assert!(thread.got.iter().all(|got| got.granted), "{:?}", thread.got);
                assert_eq!(thread.join().panic, None);
            }
            let work: Vec<u64> =
                file.read().iter().filter(|r| r.label.name == "work").map(|r| r.value).collect();
            assert_eq!(work, [1_000, 1_000]);
        }
    }

    #[test]
    fn a_panic_halts_the_others_and_is_told() {
        let (clock, halt) = (Clock::start(), Halt::default());
        let mut file = Counters::in_memory().unwrap();
        let (producer, _consumer) = ring(8);
        let write = Write(producer, 0);
        let well =
            start(placement("well", Idle::Yield), &mut file, &clock, &halt, || write).unwrap();
        let fails = start(placement("ill", Idle::Spin), &mut file, &clock, &halt, || Fail).unwrap();
        assert_eq!(fails.join().panic.as_deref(), Some("on purpose"));
        assert_eq!(well.join().panic, None);
        halt.stop();
        assert!(halt.panicked());
    }
}
