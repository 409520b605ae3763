//! How fast a 64-byte message crosses between two pinned cores: our ring and its rivals in, one
//! table out, medians of rounds that take turns, so that a move of the cores by the hypervisor
//! meets all alike. `cargo bench --bench ring [-- NAME…]` measures all, or those with a NAME in
//! theirs.
#![allow(missing_docs, unsafe_code, clippy::disallowed_methods)]

mod measure;
mod peers;

use measure::{Figures, floor, measure, priority};
use peers::{ArrayTx, disruptor};
use ringbuf::traits::Split;
use std::{env, sync::Arc};
use zomma::{
    rt::ring::{Plain, ring},
    wire::Event,
};

const ROUNDS: usize = 7;
pub(crate) const CAPACITY: usize = 1_024;

type Contender = (&'static str, fn() -> Figures);

fn array() -> (ArrayTx, ArrayTx) {
    let queue = Arc::new(crossbeam_queue::ArrayQueue::new(CAPACITY));
    (ArrayTx(queue.clone()), ArrayTx(queue))
}

/// Named after what they are; the losers stay as opponents.
const CONTENDERS: &[Contender] = &[
    ("zomma ring", || measure(|| ring::<Event>(CAPACITY))),
    ("zomma ring, mark apart", || measure(|| ring::<Plain<Event>>(CAPACITY))),
    ("rtrb 0.4", || measure(|| rtrb::RingBuffer::new(CAPACITY))),
    ("disruptor 4.4", || measure(|| disruptor(CAPACITY))),
    ("ringbuf 0.6", || measure(|| ringbuf::HeapRb::new(CAPACITY).split())),
    ("crossbeam ArrayQueue", || measure(array)),
];

fn main() {
    let names: Vec<String> = env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| name.contains(n.as_str()));
    let chosen: Vec<_> = CONTENDERS.iter().filter(|(name, _)| wanted(name)).collect();
    let mut rounds = vec![Vec::new(); chosen.len()];
    let mut lines = Vec::new();
    for _ in 0..ROUNDS {
        lines.push(floor());
        for (i, (_, run)) in chosen.iter().enumerate() {
            rounds[i].push(run());
        }
    }
    println!("scheduling: {}; {ROUNDS} rounds, medians of them", priority());
    println!("one cache line there and back: {:.0} ns p50", measure::median(&mut lines));
    println!("{}", Figures::HEAD);
    for ((name, _), rounds) in chosen.iter().zip(rounds) {
        println!("{name:<24}{}", Figures::median(&rounds));
    }
}
