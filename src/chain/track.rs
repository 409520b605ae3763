//! The stage that keeps a thread's replica of the chain: events in, the same events out.

use super::Chain;
use crate::{
    stage::{Emit, Stage},
    wire::Event,
};

/// Applies every event to the chain and passes it on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Track;

impl<K: AsMut<Chain>> Stage<K> for Track {
    type In = Event;
    type Out = Event;

    #[inline]
    fn on(&mut self, known: &mut K, event: &Event, out: &mut impl Emit<K, Event>) {
        known.as_mut().apply(event);
        out.emit(known, event);
    }
}

impl AsMut<Chain> for Chain {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut Chain {
        self
    }
}
