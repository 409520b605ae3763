//! The measurements: a way to make a ring in, throughput and latency between two cores out.

use crate::peers::{Rx, Tx, blank};
use core::arch::x86_64::__rdtscp;
use std::{
    fmt,
    hint::spin_loop,
    sync::{
        Barrier, OnceLock,
        atomic::{AtomicU64, Ordering::*},
    },
    thread,
    time::{Duration, Instant},
};
use zomma::wire::Event;

const SINGLE: u64 = 2_000_000;
const BATCH: usize = 32;
const PACED: usize = 20_000;
const PACE: Duration = Duration::from_micros(10);
const PINGS: usize = 50_000;

/// One round of one ring: M messages/s, and ns.
#[derive(Clone, Copy)]
pub(crate) struct Figures([f64; 6]);

impl Figures {
    pub(crate) const HEAD: &str = concat!(
        "                            single    batch   one-way at 100 k/s      ping-pong\n",
        "                               M/s      M/s   p50 ns   p99 ns    p50 ns   p99 ns",
    );

    pub(crate) fn median(rounds: &[Figures]) -> Figures {
        let column = |i| median(&mut rounds.iter().map(|f| f.0[i]).collect::<Vec<_>>());
        Figures([0, 1, 2, 3, 4, 5].map(column))
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let [single, batch, p50, p99, pong50, pong99] = self.0;
        write!(f, "{single:>9.1}{batch:>9.1}{p50:>9.0}{p99:>9.0}{pong50:>10.0}{pong99:>9.0}")
    }
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// After everything before it, unlike a plain read: else a far load hides behind it.
#[inline(always)]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor of the last 15 years has it.
    unsafe { __rdtscp(&mut 0) }
}

fn nanos_per_tick() -> f64 {
    static RATE: OnceLock<f64> = OnceLock::new();
    *RATE.get_or_init(|| {
        let (from, start) = (ticks(), Instant::now());
        while start.elapsed() < Duration::from_millis(50) {}
        start.elapsed().as_nanos() as f64 / (ticks() - from) as f64
    })
}

/// Pins the thread and asks for real-time scheduling; what it got is in the report.
fn place(core: usize) {
    let cores = core_affinity::get_core_ids().unwrap();
    assert!(core_affinity::set_for_current(cores[core % cores.len()]), "core {core}");
    let param = libc::sched_param { sched_priority: 10 };
    // SAFETY: plain system calls on this thread.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const param) };
}

pub(crate) fn priority() -> &'static str {
    let report = || {
        place(0);
        // SAFETY: plain system call.
        unsafe { libc::sched_getscheduler(0) }
    };
    let got = thread::spawn(report).join().unwrap();
    if got == libc::SCHED_FIFO { "SCHED_FIFO" } else { "default (SCHED_FIFO was refused)" }
}

/// Runs both ends, each pinned, from one start, and returns what the second gives.
fn both<R: Send>(first: impl FnOnce() + Send, second: impl FnOnce() -> R + Send) -> R {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            place(0);
            start.wait();
            first();
        });
        let second = scope.spawn(|| {
            place(1);
            start.wait();
            second()
        });
        second.join().unwrap()
    })
}

pub(crate) fn measure<T: Tx, R: Rx>(make: impl Fn() -> (T, R)) -> Figures {
    let single = throughput(make(), 1);
    let batch = throughput(make(), BATCH);
    let [p50, p99] = one_way(make());
    let [pong50, pong99] = ping_pong(make(), make());
    thread::sleep(Duration::from_millis(20)); // the share of the core that FIFO leaves to others
    Figures([single, batch, p50, p99, pong50, pong99])
}

/// The whole message is read, so that nobody gains by looking at one word.
#[inline(always)]
fn fold(message: &Event) -> u64 {
    let words: &[u64; 8] = bytemuck::must_cast_ref(message);
    words.iter().fold(0, |all, word| all ^ word)
}

fn throughput<T: Tx, R: Rx>((mut tx, mut rx): (T, R), batch: usize) -> f64 {
    let count = SINGLE;
    let send = move || {
        let mut messages = [blank(); BATCH];
        let mut next = 0;
        while next < count {
            if batch == 1 {
                messages[0].seq = next;
                while !tx.push(&messages[0]) {
                    spin_loop();
                }
                next += 1;
                continue;
            }
            for message in &mut messages {
                message.seq = next;
                next += 1;
            }
            let mut sent = 0;
            while sent < batch {
                sent += tx.publish(&messages[sent..]);
            }
        }
    };
    let receive = move || {
        let start = Instant::now();
        let (mut seen, mut all) = (0, 0);
        while seen < count {
            let got = rx.drain(batch, |message| {
                assert_eq!(message.seq, seen);
                seen += 1;
                all ^= fold(message);
            });
            if got == 0 {
                spin_loop();
            }
        }
        std::hint::black_box(all);
        count as f64 / start.elapsed().as_secs_f64() / 1e6
    };
    both(send, receive)
}

fn one_way<T: Tx, R: Rx>((mut tx, mut rx): (T, R)) -> [f64; 2] {
    let pace = (PACE.as_nanos() as f64 / nanos_per_tick()) as u64;
    let send = move || {
        let mut due = ticks() + 10 * pace;
        let mut message = blank();
        for _ in 0..PACED {
            while ticks() < due {
                spin_loop();
            }
            message.ts_recv = ticks();
            while !tx.push(&message) {}
            due += pace;
        }
    };
    let receive = move || {
        let mut times = Vec::with_capacity(PACED);
        while times.len() < PACED {
            rx.drain(1, |message| times.push(ticks().saturating_sub(message.ts_recv)));
        }
        percentiles(times)
    };
    both(send, receive)
}

fn ping_pong<T: Tx, R: Rx>(
    (mut ping_tx, mut ping_rx): (T, R),
    (mut pong_tx, mut pong_rx): (T, R),
) -> [f64; 2] {
    let answer = move || {
        let mut left = PINGS;
        while left > 0 {
            left -= ping_rx.drain(1, |message| while !pong_tx.push(message) {});
        }
    };
    let ask = move || {
        let mut times = Vec::with_capacity(PINGS);
        let message = blank();
        for _ in 0..PINGS {
            let from = ticks();
            while !ping_tx.push(&message) {}
            while pong_rx.drain(1, |_| ()) == 0 {}
            times.push(ticks() - from);
        }
        percentiles(times)
    };
    both(answer, ask)
}

/// The floor: one line, written by each in turn, ns there and back.
pub(crate) fn floor() -> f64 {
    let line = crossbeam_utils::CachePadded::new(AtomicU64::new(0));
    let answer = || {
        for i in 0..PINGS as u64 {
            while line.load(Acquire) != 2 * i + 1 {}
            line.store(2 * i + 2, Release);
        }
    };
    let ask = || {
        let mut times = Vec::with_capacity(PINGS);
        for i in 0..PINGS as u64 {
            let from = ticks();
            line.store(2 * i + 1, Release);
            while line.load(Acquire) != 2 * i + 2 {}
            times.push(ticks() - from);
        }
        percentiles(times)
    };
    both(answer, ask)[0]
}

fn percentiles(mut ticks: Vec<u64>) -> [f64; 2] {
    ticks.sort_unstable();
    let at = |share: f64| ticks[(ticks.len() as f64 * share) as usize] as f64 * nanos_per_tick();
    [at(0.5), at(0.99)]
}
