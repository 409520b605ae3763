//! The ring as one sees it from outside, on one thread and on two.

use super::{Message, Plain, ring};
use crate::wire::{Event, Flags, Kind};
use alloc::{collections::VecDeque, vec::Vec};
use proptest::prelude::*;

fn event(i: u64) -> Event {
    let flags = if i.is_multiple_of(3) { Flags(0x7f) } else { Flags::NONE };
    Event { seq: i, flags, ..Event::new(Kind::QUOTE, i as u32, [i, !i, i << 32, u64::MAX]) }
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Publish(usize),
    Pop,
    Drain(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        Just(Step::Push),
        (0..9usize).prop_map(Step::Publish),
        Just(Step::Pop),
        (0..9usize).prop_map(Step::Drain),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// Against the obvious model, at every capacity: a queue that takes what it has room for.
    #[test]
    fn it_is_a_bounded_queue(power in 0..4u32, steps in steps()) {
        let capacity = 1usize << power;
        let (mut producer, mut consumer) = ring::<Event>(capacity);
        let (mut model, mut next, mut full) = (VecDeque::new(), 0, 0);
        for step in steps {
            match step {
                Step::Push => {
                    let took = producer.try_push(&event(next));
                    prop_assert_eq!(took, model.len() < capacity);
                    full += u64::from(!took);
                    model.extend(took.then_some(event(next)));
                    next += 1;
                }
                Step::Publish(count) => {
                    let batch: Vec<Event> = (next..next + count as u64).map(event).collect();
                    let took = producer.publish(&batch);
                    prop_assert_eq!(took, count.min(capacity - model.len()));
                    full += u64::from(took < count);
                    model.extend(&batch[..took]);
                    next += count as u64;
                }
                Step::Pop => prop_assert_eq!(consumer.pop(), model.pop_front()),
                Step::Drain(max) => {
                    let mut seen = Vec::new();
                    let count = consumer.drain(max, |message| seen.push(*message));
                    let wanted: Vec<Event> = model.drain(..max.min(model.len())).collect();
                    prop_assert_eq!((count, seen), (wanted.len(), wanted));
                }
            }
            prop_assert_eq!(producer.full(), full);
        }
    }
}

#[test]
fn messages_are_the_same_after_a_split() {
    for i in 0..99 {
        let (rest, word) = event(i).split();
        assert_eq!(Event::join(rest, word), event(i));
    }
    let plain = Plain([u64::MAX; 3]);
    let (rest, word) = plain.split();
    assert_eq!(Plain::join(rest, word), plain);
}

/// Two threads, a ring much smaller than the stream, both kinds of writing and reading.
#[test]
fn a_stream_crosses_threads_whole_and_in_order() {
    const COUNT: u64 = 200_000;
    let (mut producer, mut consumer) = ring::<Event>(64);
    let writer = std::thread::spawn(move || {
        let mut sent = 0;
        while sent < COUNT {
            let batch: Vec<Event> = (sent..(sent + 1 + sent % 7).min(COUNT)).map(event).collect();
            let took = match &batch[..] {
                [one] => usize::from(producer.try_push(one)),
                more => producer.publish(more),
            };
            sent += took as u64;
            if took == 0 {
                std::thread::yield_now();
            }
        }
    });
    let mut seen = 0;
    while seen < COUNT {
        let mut check = |message: &Event| {
            assert_eq!(*message, event(seen));
            seen += 1;
        };
        if let Some(message) = consumer.pop() {
            check(&message);
        }
        if consumer.drain(5, check) == 0 {
            std::thread::yield_now();
        }
    }
    writer.join().unwrap();
    assert_eq!(consumer.pop(), None);
}
