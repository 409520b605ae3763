//! A settlement and the day in; how near it is, as columns group expiries, out.

use super::block::See;
use crate::wire::{NANOS_PER_SECOND, Timestamp};

/// Groups of expiries: settles today, within seven days, later.
pub(super) const BUCKETS: &[&str] = &["0dte", "week", "later"];

/// How many groups there are.
pub(super) const COUNT: usize = BUCKETS.len();

const WEEK_NS: u64 = 7 * 86_400 * NANOS_PER_SECOND;

/// The group of what settles at this instant.
#[inline(always)]
pub(super) fn bucket_of(see: &See<'_>, settles: Timestamp) -> usize {
    match settles {
        settles if settles < see.day.ends => 0,
        settles if settles < see.day.ends.saturating_add(WEEK_NS) => 1,
        _ => 2,
    }
}
