//! How stages join: one message and the state of the thread in, none or more messages out.
//!
//! `K` is what the stages of one thread know together (the chain, the book). It is a plain function
//! of the messages that the thread has seen, so every thread keeps a replica of its own and
//! nothing is shared: cutting the pipeline at another place changes no decision.

/// A single-threaded step of the pipeline. It sees time only in its input.
pub trait Stage<K> {
    /// What it reads.
    type In;
    /// What it writes.
    type Out;
    /// Takes one message and emits none, one or more, in order.
    fn on(&mut self, known: &mut K, message: &Self::In, out: &mut impl Emit<K, Self::Out>);
}

/// The next thing down: another stage on this core, a ring to the next core, a journal, a check.
pub trait Emit<K, T> {
    /// Hands a message on. The reference is valid for the call only.
    fn emit(&mut self, known: &mut K, message: &T);
}

impl<K, T, E: Emit<K, T>> Emit<K, T> for &mut E {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &T) {
        (**self).emit(known, message);
    }
}

/// A stage and, on the same thread, what follows it: a call that the compiler inlines, no copy.
#[derive(Debug)]
pub struct Then<S, E>(pub S, pub E);

impl<K, S: Stage<K>, E: Emit<K, S::Out>> Emit<K, S::In> for Then<S, E> {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &S::In) {
        self.0.on(known, message, &mut self.1);
    }
}

/// The end of a chain of stages that nobody reads.
#[derive(Debug, Default)]
pub struct Sink;

impl<K, T> Emit<K, T> for Sink {
    #[inline(always)]
    fn emit(&mut self, _: &mut K, _: &T) {}
}

/// A closure as the end of a chain: tests, taps, comparisons.
#[derive(Debug)]
pub struct Tap<F>(pub F);

impl<K, T, F: FnMut(&mut K, &T)> Emit<K, T> for Tap<F> {
    #[inline(always)]
    fn emit(&mut self, known: &mut K, message: &T) {
        (self.0)(known, message);
    }
}
