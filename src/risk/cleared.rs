//! The type that may reach the gate: an approved output, or an event that is no output.

use crate::wire::Event;
use core::borrow::Borrow;

/// An event that may reach the gate. An output inside was approved by RISK: this module's parent
/// alone can make one, and the gate takes nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Cleared(Event);

impl Cleared {
    /// Lets an event pass that is no output (timers, sessions, reports); `None` for outputs.
    #[inline(always)]
    pub fn pass(event: &Event) -> Option<Cleared> {
        (!event.kind.is_output()).then_some(Cleared(*event))
    }

    /// An output that RISK stands behind.
    #[inline(always)]
    #[allow(dead_code)]
    pub(super) fn approve(event: Event) -> Cleared {
        Cleared(event)
    }

    /// Any event, as if approved: for rehearsals of the gate in this crate's own tests.
    #[cfg(test)]
    pub(crate) fn rehearse(event: Event) -> Cleared {
        Cleared(event)
    }

    /// What it is.
    #[inline(always)]
    pub fn event(&self) -> &Event {
        &self.0
    }
}

impl Borrow<Event> for Cleared {
    #[inline(always)]
    fn borrow(&self) -> &Event {
        &self.0
    }
}
