//! The outputs of a replay and the recorded ones in; that they are equal, or the first difference
//! in words, out.

use super::{Between, End, Reader, fields::fields};
use crate::wire::{Event, Kind};
use alloc::{format, string::String};
use core::fmt;

/// The first output that is not as recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its record number in the output journal.
    pub record: u64,
    /// As recorded; `None` where the recording has ended.
    pub recorded: Option<Event>,
    /// As replayed; `None` where the replay has ended.
    pub replayed: Option<Event>,
}

impl Difference {
    /// The first field that differs: name, recorded, replayed.
    pub fn field(&self) -> Option<(&'static str, String, String)> {
        let (recorded, replayed) = (self.recorded.as_ref()?, self.replayed.as_ref()?);
        fields(recorded.kind)
            .find(|field| field.of_event(recorded) != field.of_event(replayed))
            .map(|field| (field.name, field.show(recorded), field.show(replayed)))
    }
}

/// Which stage makes events of a kind.
pub fn stage_of(kind: Kind) -> &'static str {
    match kind {
        Kind::FORWARD | Kind::GREEKS => "greeks",
        Kind::INTENT | Kind::INTENT_LEG | Kind::INTENT_CANCEL | Kind::DECISION => "strategy",
        Kind::FEATURES => "features",
        _ if kind.is_output() => "risk",
        _ => "feed",
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = |event: &Event| {
            let Event { kind, seq, .. } = event;
            format!("{kind:?} of {}, caused by input {seq}", stage_of(*kind))
        };
        write!(f, "output {}: ", self.record)?;
        match (&self.recorded, &self.replayed) {
            (Some(recorded), Some(replayed)) => match self.field() {
                Some((name @ ("seq" | "kind"), ..)) => {
                    let (was, is) = (what(recorded), what(replayed));
                    write!(f, "recorded as {was}, replayed as {is} (another `{name}`)")
                }
                Some((name, was, is)) => {
                    let what = what(recorded);
                    write!(f, "{what}: `{name}` was recorded as {was} and is replayed as {is}")
                }
                None => write!(f, "{}: bytes that no field shows differ", what(recorded)),
            },
            (None, Some(replayed)) => {
                write!(f, "replayed as {}, but the recording has ended", what(replayed))
            }
            (Some(recorded), None) => {
                write!(f, "recorded as {}, but the replay has ended", what(recorded))
            }
            (None, None) => f.write_str("both have ended"),
        }
    }
}

/// How a comparison came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Outputs that are equal, byte for byte.
    pub equal: u64,
    /// The first that is not.
    pub difference: Option<Difference>,
    /// How the recording ends.
    pub end: End,
}

impl Verdict {
    /// Whether the replay gave what was recorded. A run that was killed may have recorded less than
    /// its inputs lead to: then the replay's surplus is no difference.
    pub fn holds(&self) -> bool {
        self.difference.is_none() && self.end.is_whole()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.difference {
            Some(difference) => write!(f, "after {} equal outputs, {difference}", self.equal),
            None => write!(f, "{} outputs equal byte for byte", self.equal),
        }?;
        if self.end.is_whole() { Ok(()) } else { write!(f, "; the recording: {}", self.end) }
    }
}

/// The end of a replay: holds each output against the recording.
#[derive(Debug)]
pub struct Compare {
    recorded: Reader,
    between: Between,
    /// A recorded output that lies behind the span.
    past: Option<Event>,
    equal: u64,
    surplus: u64,
    difference: Option<Difference>,
}

impl Compare {
    /// Compares with the outputs that `recorded` reads.
    pub fn new(recorded: Reader) -> Compare {
        Compare::within(recorded, Between::default())
    }

    /// The same, for outputs in a span only.
    pub fn within(recorded: Reader, between: Between) -> Compare {
        Compare { recorded, between, past: None, equal: 0, surplus: 0, difference: None }
    }

    /// The next recorded output that does not lie in front of the span.
    fn next_recorded(&mut self) -> Option<Event> {
        while self.past.is_none() {
            let event = *self.recorded.next_event()?;
            if self.between.is_past(&event) {
                self.past = Some(event);
            } else if !self.between.is_ahead(&event) {
                return Some(event);
            }
        }
        self.past
    }

    /// Takes a replayed output; other events are passed over.
    pub fn on_event(&mut self, replayed: &Event) {
        let skip = !replayed.kind.is_output() || !self.between.holds(replayed);
        if skip || self.difference.is_some() {
            return;
        }
        let recorded = self.next_recorded();
        if recorded.as_ref().is_some_and(|recorded| recorded.bytes() == replayed.bytes()) {
            self.equal += 1;
        } else if recorded.is_none() && self.was_killed() {
            self.surplus += 1;
        } else {
            let record = self.recorded.records() + u64::from(recorded.is_none());
            let replayed = Some(*replayed);
            self.difference = Some(Difference { record, recorded, replayed });
        }
    }

    /// Outputs that the inputs of a killed run lead to and that it did not come to record.
    pub fn surplus(&self) -> u64 {
        self.surplus
    }

    /// The first difference, as soon as there is one.
    pub fn difference(&self) -> Option<&Difference> {
        self.difference.as_ref()
    }

    /// How it came out, once the replay has ended.
    pub fn finish(mut self) -> Verdict {
        if self.difference.is_none()
            && let Some(recorded) = self.next_recorded()
            && self.past.is_none()
        {
            let (record, recorded) = (self.recorded.records(), Some(recorded));
            self.difference = Some(Difference { record, recorded, replayed: None });
        }
        Verdict { equal: self.equal, difference: self.difference, end: self.recorded.verify() }
    }

    fn was_killed(&self) -> bool {
        self.recorded.manifest().status != super::Status::Ended
    }
}
