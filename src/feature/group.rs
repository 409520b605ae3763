//! What an input is about in; which group of the root's instruments it belongs to out.

use super::block::Subject;
use crate::wire::market::Class;

/// Groups of instruments: the underlying, the root's calls, its puts.
pub(super) const GROUPS: &[&str] = &["under", "calls", "puts"];

/// The group of what an input is about.
#[inline(always)]
pub(super) fn group_of(of: &Subject) -> usize {
    match of {
        Subject::Underlying => 0,
        Subject::Option(terms) if terms.class == Class::CALL => 1,
        Subject::Option(_) => 2,
    }
}
