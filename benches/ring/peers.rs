//! The rings side by side behind one interface: our own, its rivals, and what cannot be beaten.

use disruptor::{BusySpin, Producer as _, Sequence};
use ringbuf::traits::{Consumer as _, Observer as _, Producer as _};
use std::sync::Arc;
use zomma::{
    rt::ring::{self, Plain},
    wire::{Event, Kind},
};

/// The writing end.
pub(crate) trait Tx: Send {
    fn push(&mut self, message: &Event) -> bool;
    /// How many of the batch were taken.
    fn publish(&mut self, batch: &[Event]) -> usize;
}

/// The reading end.
pub(crate) trait Rx: Send {
    fn drain(&mut self, max: usize, each: impl FnMut(&Event)) -> usize;
}

pub(crate) fn blank() -> Event {
    Event::new(Kind::QUOTE, 7, [1u64, 2, 3, 4])
}

impl Tx for ring::Producer<Event> {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        self.try_push(message)
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        ring::Producer::publish(self, batch)
    }
}

impl Rx for ring::Consumer<Event> {
    #[inline(always)]
    fn drain(&mut self, max: usize, each: impl FnMut(&Event)) -> usize {
        ring::Consumer::drain(self, max, each)
    }
}

/// Our ring for types without a spare bit: the mark in a line of its own.
impl Tx for ring::Producer<Plain<Event>> {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        self.try_push(&Plain(*message))
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        batch.iter().take_while(|message| self.push(message)).count()
    }
}

impl Rx for ring::Consumer<Plain<Event>> {
    #[inline(always)]
    fn drain(&mut self, max: usize, mut each: impl FnMut(&Event)) -> usize {
        ring::Consumer::drain(self, max, |message| each(&message.0))
    }
}

impl Tx for rtrb::Producer<Event> {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        rtrb::Producer::push(self, *message).is_ok()
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        if self.push_entire_slice(batch).is_ok() { batch.len() } else { 0 }
    }
}

impl Rx for rtrb::Consumer<Event> {
    #[inline(always)]
    fn drain(&mut self, max: usize, mut each: impl FnMut(&Event)) -> usize {
        if max == 1 {
            let Ok(message) = self.pop() else { return 0 };
            each(&message);
            return 1;
        }
        let count = self.slots().min(max);
        let Ok(chunk) = self.read_chunk(count) else { return 0 };
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(each);
        chunk.commit_all();
        count
    }
}

pub(crate) struct ArrayTx(pub(crate) Arc<crossbeam_queue::ArrayQueue<Event>>);

impl Tx for ArrayTx {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        self.0.push(*message).is_ok()
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        batch.iter().take_while(|message| self.push(message)).count()
    }
}

impl Rx for ArrayTx {
    #[inline(always)]
    fn drain(&mut self, max: usize, mut each: impl FnMut(&Event)) -> usize {
        (0..max).map_while(|_| self.0.pop()).map(|message| each(&message)).count()
    }
}

impl Tx for ringbuf::HeapProd<Event> {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        self.try_push(*message).is_ok()
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        self.push_slice(batch)
    }
}

impl Rx for ringbuf::HeapCons<Event> {
    #[inline(always)]
    fn drain(&mut self, max: usize, mut each: impl FnMut(&Event)) -> usize {
        if max == 1 {
            let Some(message) = self.try_pop() else { return 0 };
            each(&message);
            return 1;
        }
        let count = self.occupied_len().min(max);
        self.pop_iter().take(count).for_each(|message| each(&message));
        count
    }
}

pub(crate) struct DisruptorTx(
    pub(crate) disruptor::SingleProducer<Event, disruptor::SingleConsumerBarrier>,
);
pub(crate) struct DisruptorRx(
    pub(crate) disruptor::EventPoller<Event, disruptor::SingleProducerBarrier>,
);

pub(crate) fn disruptor(capacity: usize) -> (DisruptorTx, DisruptorRx) {
    let builder = disruptor::build_single_producer(capacity, blank, BusySpin);
    let (poller, builder) = builder.new_event_poller();
    (DisruptorTx(builder.build()), DisruptorRx(poller))
}

impl Tx for DisruptorTx {
    #[inline(always)]
    fn push(&mut self, message: &Event) -> bool {
        self.0.try_publish(|slot| *slot = *message).is_ok()
    }
    #[inline(always)]
    fn publish(&mut self, batch: &[Event]) -> usize {
        let sent: Result<Sequence, _> = self.0.try_batch_publish(batch.len(), |slots| {
            slots.zip(batch).for_each(|(slot, message)| *slot = *message);
        });
        if sent.is_ok() { batch.len() } else { 0 }
    }
}

/// It has no cheap way to take just one, so it always takes all that is there: its best.
impl Rx for DisruptorRx {
    #[inline(always)]
    fn drain(&mut self, _: usize, each: impl FnMut(&Event)) -> usize {
        let Ok(mut events) = self.0.poll() else { return 0 };
        let mut taken = 0;
        (&mut events).inspect(|_| taken += 1).for_each(each);
        taken
    }
}
