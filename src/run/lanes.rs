//! Recorded inputs in; what the stages let out at their end, on one thread or on several joined by
//! rings, out. The groupings are those of a live run, without its sockets.

use super::{Plan, settings::Threads, source::Source};
use crate::{
    book::Desk,
    chain::Track,
    feature::Features,
    greeks::Revalue,
    risk::{Cleared, Risk},
    rt::ring::{Consumer, Message, Producer, ring},
    stage::{Emit, Then},
    strategy::Decide,
    wire::Event,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

type Front<E> = Then<Track, Then<Revalue, E>>;
type Rear<E> = Then<Features, Then<Decide, Then<Risk, E>>>;

/// Chain and Greeks in front of `end`.
pub(super) fn front<E>(plan: &Plan, end: E) -> Front<E> {
    Then(Track, Then(Revalue::new(&plan.universe), end))
}

/// Features, strategy and risk in front of `end`.
pub(super) fn rear<E>(plan: &Plan, end: E) -> Rear<E> {
    let features = Features::new(&plan.features, &plan.universe);
    let decide = Decide::new(plan.strategies.clone());
    Then(
        features,
        Then(decide, Then(Risk::new(plan.limits.clone(), plan.strategies.roster()), end)),
    )
}

/// All stages on this thread.
pub(super) fn inline(plan: &Plan, source: &mut Source, end: impl Emit<Desk, Cleared>) {
    feed(source, &mut plan.desk(), front(plan, rear(plan, end)));
}

/// The stages on as many threads as `threads` says; the last one gives the outputs to `end`.
pub(super) fn lanes<E>(plan: &Plan, threads: Threads, source: &mut Source, end: E)
where
    E: Emit<Desk, Cleared> + Send,
{
    match threads {
        Threads::Inline => inline(plan, source, end),
        Threads::Shared => shared(plan, source, end),
        Threads::Dedicated => dedicated(plan, source, end),
    }
}

fn shared<E: Emit<Desk, Cleared> + Send>(plan: &Plan, source: &mut Source, end: E) {
    let (to_rear, priced) = lane::<Event>(plan);
    thread::scope(|scope| {
        scope.spawn(|| priced.through(plan, Then(Track, rear(plan, end))));
        feed(source, &mut plan.desk(), front(plan, to_rear));
    });
}

fn dedicated<E: Emit<Desk, Cleared> + Send>(plan: &Plan, source: &mut Source, end: E) {
    let (to_front, numbered) = lane::<Event>(plan);
    let (to_rear, priced) = lane::<Event>(plan);
    let (to_end, cleared) = lane::<Cleared>(plan);
    thread::scope(|scope| {
        scope.spawn(|| cleared.through(plan, end));
        scope.spawn(|| priced.through(plan, Then(Track, rear(plan, to_end))));
        scope.spawn(|| numbered.through(plan, front(plan, to_rear)));
        feed(source, &mut (), to_front);
    });
}

fn feed<K>(source: &mut Source, known: &mut K, mut stages: impl Emit<K, Event>) {
    while let Some(event) = source.next() {
        stages.emit(known, event);
    }
}

/// A way from one thread to the next, and how each end learns that the other is gone.
fn lane<T: Message>(plan: &Plan) -> (Entry<T>, Way<T>) {
    let (producer, consumer) = ring(plan.run.ring);
    let gone = Arc::new(AtomicBool::new(false));
    let entry = Entry { ring: producer, gone: Gone(Arc::clone(&gone)) };
    (entry, Way { ring: consumer, gone: Gone(gone) })
}

/// Says, when it is dropped, that nothing more is sent or taken.
struct Gone(Arc<AtomicBool>);

impl Gone {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

struct Entry<T: Message> {
    ring: Producer<T>,
    gone: Gone,
}

impl<K, T: Message> Emit<K, T> for Entry<T> {
    #[inline(always)]
    fn emit(&mut self, _: &mut K, message: &T) {
        while !self.ring.try_push(message) && !self.gone.is_set() {
            thread::yield_now();
        }
    }
}

struct Way<T: Message> {
    ring: Consumer<T>,
    gone: Gone,
}

impl<T: Message> Way<T> {
    /// Everything that is sent, through the stages of this thread.
    fn through(mut self, plan: &Plan, mut stages: impl Emit<Desk, T>) {
        let mut desk = plan.desk();
        loop {
            let ended = self.gone.is_set();
            let taken = self.ring.drain(256, |message| stages.emit(&mut desk, message));
            match taken {
                0 if ended => return,
                0 => thread::yield_now(),
                _ => {}
            }
        }
    }
}
