//! Two real threads on the ring, for ThreadSanitizer: a plain `main`, since libtest's own channel
//! is not instrumented and would be reported. `scripts/race.sh` builds it with the sanitizer, as it
//! is and with weakened orderings; as an ordinary test it is a short run of the same.
#![allow(missing_docs, dead_code, unused_imports, unreachable_pub, clippy::duplicate_mod)]
extern crate alloc;

/// The ring's own source, so that a mutation rebuilds this file and not all dependencies.
#[path = "../src/rt"]
mod rt {
    #[path = "ring/mod.rs"]
    pub mod ring;
    #[path = "sync.rs"]
    mod sync;
}
mod wire {
    pub use zomma::wire::*;
}

use rt::ring::{Consumer, Message, Plain, Producer, ring};
use std::{sync::atomic::Ordering, thread};
use wire::{Event, Kind};

const COUNT: u64 = 300_000;

fn event(i: u64) -> Event {
    Event { seq: i, ..Event::new(Kind::QUOTE, i as u32, [i, !i, i, !i]) }
}

fn crosses<T: Message + PartialEq + core::fmt::Debug + 'static>(make: fn(u64) -> T) {
    let (mut producer, mut consumer) = ring::<T>(64);
    let writer = thread::spawn(move || {
        let mut sent = 0;
        while sent < COUNT {
            let batch = [make(sent), make(sent + 1), make(sent + 2), make(sent + 3)];
            let left = (COUNT - sent).min(1 + sent % 4) as usize;
            sent += producer.publish(&batch[..left]) as u64;
            sent += u64::from(sent < COUNT && producer.try_push(&make(sent)));
            if sent % 64 == 0 {
                thread::yield_now();
            }
        }
    });
    let mut seen = 0;
    while seen < COUNT {
        let took = consumer.drain(7, |message| {
            assert_eq!(*message, make(seen));
            seen += 1;
        });
        if took == 0 {
            thread::yield_now();
        }
    }
    writer.join().expect("the writer panicked");
}

fn main() {
    crosses(event);
    crosses(|i| Plain([i; 4]));
    println!("race: {COUNT} events and {COUNT} plain messages crossed in order");
}
