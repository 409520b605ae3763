//! The machine's own hot path under a strict seal: whatever allocates here ends the test.
use zomma::{
    counters,
    rt::{
        clock::Clock,
        counters::Counters,
        histogram::Histograms,
        idle::Idle,
        noise,
        probe::{self, Probe},
        ring::{Consumer, Producer, ring},
        runner::{Agent, Halt, Placement, start},
        seal::{self, Seal},
    },
    stage::{Emit, Stage, Tap, Then},
    wire::{Event, Flags, Kind},
};

#[global_allocator]
static ALLOCATOR: seal::Sealed = seal::Sealed;

const COUNT: u64 = 100_000;

counters! {
    /// What the reader counts.
    struct Reads {
        /// Events.
        events: "1";
    }
}

struct Forward;
impl Stage<u64> for Forward {
    type In = Event;
    type Out = Event;
    fn on(&mut self, known: &mut u64, event: &Event, out: &mut impl Emit<u64, Event>) {
        out.emit(known, event);
    }
}

struct Write(Producer<Event>, u64, Clock);
impl Agent for Write {
    fn duty(&mut self) -> usize {
        let event = Event::new(Kind::QUOTE, 0, [self.1; 4]);
        let event = Event { seq: self.1, flags: Flags::BATCH_END, ts_recv: self.2.now(), ..event };
        let sent = self.1 < COUNT && self.0.try_push(&event);
        self.1 += u64::from(sent);
        usize::from(sent)
    }
}

struct Read<E>(Consumer<Event>, Then<Probe<Forward>, E>, u64, Reads, Halt);
impl<E: Emit<u64, Event>> Agent for Read<E> {
    fn duty(&mut self) -> usize {
        let count = self.0.drain(64, |event| self.1.emit(&mut self.2, event));
        self.3.events.add(count as u64);
        if self.2 == COUNT {
            self.4.stop();
        }
        count
    }
}

fn placement(name: &str) -> Placement {
    let (core, priority) = (None, None);
    let (idle, stall_ns, seal) = (Idle::Yield, 1_000_000, Seal::Strict);
    Placement { name: name.into(), core, priority, idle, stall_ns, seal }
}

#[test]
fn ring_runner_probe_counters_and_histograms_do_not_allocate() {
    let (clock, halt) = (Clock::start(), Halt::default());
    let mut counters = Counters::in_memory().unwrap();
    let mut histograms = Histograms::in_memory().unwrap();
    let thread = probe::Thread::new(&clock);
    let probe = Probe::new(Forward, "forward", &thread, &mut histograms).unwrap();
    let reads = Reads::declare(&mut counters, "read").unwrap();
    let (producer, consumer) = ring(256);
    let write = Write(producer, 0, clock.clone());
    let tap = Tap(|seen: &mut u64, _: &Event| *seen += 1);
    let read = Read(consumer, Then(probe, tap), 0, reads, halt.clone());
    let threads = [
        start(placement("write"), &mut counters, &clock, &halt, || write).unwrap(),
        start(placement("read"), &mut counters, &clock, &halt, || read).unwrap(),
    ];
    assert!(threads.into_iter().all(|thread| thread.join().panic.is_none()));
    assert_eq!(histograms.read()[0].counts.len(), COUNT);
    let rows = counters.read();
    let of =
        |name: &str| -> u64 { rows.iter().filter(|r| r.label.name == name).map(|r| r.value).sum() };
    assert_eq!([of("events"), of("work"), of("allocations_after_start")], [COUNT, 2 * COUNT, 0]);
}

/// A seal that sees nothing would prove nothing.
#[test]
fn a_seal_sees_an_allocation() {
    let mut histograms = Histograms::in_memory().unwrap();
    let gaps = histograms.histogram("host", "gap", "ns", "").unwrap();
    let clock = Clock::start();
    let before = seal::requests();
    seal::seal(Seal::Counting);
    noise::watch(&clock, 100_000, &gaps);
    let quiet = seal::requests();
    drop(std::hint::black_box(Box::new(7)));
    seal::seal(Seal::Open);
    assert_eq!(quiet, before);
    assert_eq!(seal::requests().after_seal, before.after_seal + 2);
    assert!(seal::broken() >= 2);
}
