//! A stage's messages in, the same messages out, each in the journal before it goes on.

use super::Writer;
use crate::{
    stage::{Emit, Stage},
    wire::Event,
};
use core::marker::PhantomData;

/// Writes every input before it is passed on. What the journal does not take is not passed on
/// either: nothing may act on what a replay would not see. [`super::Watch::error`] says why.
#[derive(Debug)]
pub struct Inputs(pub Writer);

impl<K> Stage<K> for Inputs {
    type In = Event;
    type Out = Event;

    #[inline(always)]
    fn on(&mut self, known: &mut K, message: &Event, out: &mut impl Emit<K, Event>) {
        if self.0.append(message).is_ok() {
            out.emit(known, message);
        }
    }
}

/// Writes every output (of kinds with [`crate::wire::Kind::is_output`]) before it is passed on;
/// other messages pass untouched. `view` shows the event inside a message.
#[derive(Debug)]
pub struct Outputs<T, F> {
    writer: Writer,
    view: F,
    message: PhantomData<fn(&T)>,
}

impl<T, F: Fn(&T) -> &Event> Outputs<T, F> {
    /// Messages of type `T` go through `view` into `writer`.
    pub fn new(writer: Writer, view: F) -> Outputs<T, F> {
        Outputs { writer, view, message: PhantomData }
    }
}

impl<K, T, F: Fn(&T) -> &Event> Stage<K> for Outputs<T, F> {
    type In = T;
    type Out = T;

    #[inline(always)]
    fn on(&mut self, known: &mut K, message: &T, out: &mut impl Emit<K, T>) {
        let event = (self.view)(message);
        if !event.kind.is_output() || self.writer.append(event).is_ok() {
            out.emit(known, message);
        }
    }
}
