//! Models of the ring for loom: every interleaving of a few messages, at capacities 1, 2 and 4.
//!
//! `scripts/loom.sh` runs them as they are, and then with each mutation of `weaken`, where at
//! least one must fail.

use super::{Consumer, Plain, Producer, ring};
use alloc::vec::Vec;
use loom::thread;

/// A message whose rest is checked by loom's cell: a race on it is a failure, not a wrong number.
type Checked = Plain<u32>;

fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(check);
}

fn take(consumer: &mut Consumer<Checked>, max: usize, seen: &mut Vec<u32>) {
    if consumer.drain(max, |message| seen.push(message.0)) == 0 {
        thread::yield_now();
    }
}

/// All of `0..count` cross, once each and in order.
fn crosses(
    capacity: usize,
    count: u32,
    write: fn(&mut Producer<Checked>, u32, u32) -> u32,
    max: usize,
) {
    model(move || {
        let (mut producer, mut consumer) = ring::<Checked>(capacity);
        let writer = thread::spawn(move || {
            let mut next = 0;
            while next < count {
                let sent = write(&mut producer, next, count);
                next += sent;
                if sent == 0 {
                    thread::yield_now();
                }
            }
        });
        let mut seen = Vec::new();
        while seen.len() < count as usize {
            take(&mut consumer, max, &mut seen);
        }
        writer.join().unwrap();
        assert!(seen.into_iter().eq(0..count));
        assert_eq!(consumer.pop(), None);
    });
}

fn push(producer: &mut Producer<Checked>, next: u32, _: u32) -> u32 {
    u32::from(producer.try_push(&Plain(next)))
}

fn publish(producer: &mut Producer<Checked>, next: u32, count: u32) -> u32 {
    let batch: Vec<Checked> = (next..count).map(Plain).collect();
    producer.publish(&batch) as u32
}

#[test]
fn one_slot_one_by_one() {
    crosses(1, 3, push, 1);
}

#[test]
fn two_slots_one_by_one() {
    crosses(2, 3, push, 1);
}

#[test]
fn two_slots_in_batches() {
    crosses(2, 4, publish, 2);
}

#[test]
fn four_slots_in_batches_over_the_lap() {
    crosses(4, 6, publish, 4);
}

/// A ring that is full says so: of three messages into two slots that nobody reads, two enter.
#[test]
fn a_full_ring_takes_nothing() {
    model(|| {
        let (mut producer, mut consumer) = ring::<Checked>(2);
        let writer = thread::spawn(move || {
            let sent: u32 = (0..3).map(|i| push(&mut producer, i, 3)).sum();
            assert_eq!(u64::from(3 - sent), producer.full());
            sent
        });
        let first = consumer.pop();
        let sent = writer.join().unwrap();
        assert!(sent == 2 || (sent == 3 && first.is_some()));
        let rest = consumer.drain(4, |_| ());
        assert_eq!(sent as usize, rest + usize::from(first.is_some()));
    });
}
