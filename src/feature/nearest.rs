//! A root in; its nearest expiries that have not settled out.

use super::block::See;
use crate::wire::Timestamp;

/// How many are looked at.
pub(super) const NEAREST: usize = 3;

/// What columns call them.
pub(super) const NEAREST_NAMES: &[&str] = &["e1", "e2", "e3"];

/// Indices of the nearest expiries, the first to settle first; of two that settle together the one
/// that was met first.
pub(super) fn nearest(see: &See<'_>) -> [Option<u16>; NEAREST] {
    let mut found: [Option<(Timestamp, u16)>; NEAREST] = [None; NEAREST];
    for (index, expiry) in see.chain.expiries() {
        if expiry.root != see.root || expiry.settles <= see.now {
            continue;
        }
        let mut moving = Some((expiry.settles, index));
        for place in &mut found {
            let sooner = match (&moving, &place) {
                (Some(new), Some(old)) => new < old,
                (new, _) => new.is_some(),
            };
            if sooner {
                core::mem::swap(place, &mut moving);
            }
        }
    }
    found.map(|place| place.map(|(_, index)| index))
}
