//! A manifest in; in which ways the program that reads a journal is another than the one that
//! wrote it out.

use super::{Manifest, Outcome, Session, Status, Stream};
use alloc::{format, string::String, vec::Vec};

impl Manifest {
    /// Why events that this run wrote may not be what the program `here` takes them for.
    pub fn unreadable_by(&self, here: &Manifest) -> Option<String> {
        (self.schema != here.schema).then(|| {
            let (there, here) = (short(&self.schema), short(&here.schema));
            format!("its events have schema {there}, this program's {here}")
        })
    }

    /// Why the program `here` may decide otherwise on the same inputs than the one that ran.
    pub fn unlike(&self, here: &Manifest) -> Vec<String> {
        let mut why: Vec<String> = self.unreadable_by(here).into_iter().collect();
        if self.cpu != here.cpu {
            let (there, here) = (&self.cpu, &here.cpu);
            why.push(format!(
                "it was made for {there}, this program is for {here}: floating point rounds apart"
            ));
        }
        let other = self.sessions.iter().find(|session| session.program != here.program);
        if let Some(Session { version, program, .. }) = other {
            let (there, me) = (short(program), short(&here.program));
            let (mine, by) = (&here.version, format!("zomma {version} ({there})"));
            why.push(format!("it was made by {by}, this is zomma {mine} ({me})"));
        }
        why.extend(self.headless());
        if self.sessions.iter().any(|session| session.config_hash != self.config_hash) {
            why.push("its sessions ran with more than one configuration".into());
        }
        why
    }

    /// Whether the run has ended: nothing more comes, unless it is gone on with.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Ended | Status::Failed)
    }

    /// Why the state at the first input is not there: the journal was cut out of a longer one.
    pub fn headless(&self) -> Option<String> {
        let tail = &self.sessions.first()?.start.tails[0];
        let inputs = tail.lost;
        (tail.outcome == Outcome::Cut && inputs > 0)
            .then(|| format!("it is {}, so {inputs} inputs before it are missing", tail.found))
    }

    /// How many records a stream has, where the run has ended and counted them; else 0.
    pub fn counted(&self, stream: Stream) -> u64 {
        match (self.status, stream) {
            (Status::Running | Status::Recovering, _) => 0,
            (_, Stream::Inputs) => self.inputs,
            (_, Stream::Outputs) => self.outputs,
        }
    }
}

/// The first 16 digits of a hash.
pub(super) fn short(hash: &[u8; 32]) -> String {
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
