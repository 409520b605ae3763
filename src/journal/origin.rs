//! Two manifests in; in which ways one program is another than the one that wrote a journal out.

use super::Manifest;
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
        if self.program != here.program {
            let of = |of: &Manifest| format!("zomma {} ({})", of.version, short(&of.program));
            why.push(format!("it was made by {}, this is {}", of(self), of(here)));
        }
        why
    }
}

/// The first 16 digits of a hash.
pub(super) fn short(hash: &[u8; 32]) -> String {
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
