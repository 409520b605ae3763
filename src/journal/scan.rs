//! A record that does not fit in, what that means out: the end, a torn record, a hole, damage.

use super::{
    Error,
    end::{Cause, End, Place},
    format::{
        self, EVENT, OPENING, OPENING_AT, OPENING_END, PAGE, RECORD, RECORD_WORDS, RECORDS_AT,
        SEAL, SEAL_AT, SEAL_END,
    },
    map::View,
    reader::{Found, Look},
};

/// What the reader has proved so far.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) records: u64,
    pub(super) chain: u32,
    pub(super) seed: u32,
    /// Whether the session brought its records to the disk before it sealed them: then a hole in
    /// front of a seal is no power cut.
    pub(super) synced: bool,
}

/// How many missing segments in a row are looked across.
const MISSING_MAX: u32 = 2;

/// Where record `index` begins, in words.
fn word_of(index: u64) -> usize {
    RECORDS_AT / 8 + index as usize * RECORD_WORDS
}

/// The first word of the header page that is set and belongs to nothing.
pub(super) fn stray(view: &View) -> Option<usize> {
    let gaps = [(OPENING_END, SEAL_AT), (SEAL_END, PAGE / 8)];
    gaps.into_iter().find_map(|(from, to)| view.nonzero(from, to))
}

fn corrupt(known: Known, at: Place, cause: Cause) -> End {
    End::Corrupt { records: known.records, at, cause, resumes: None }
}

/// The seal's words as they must be.
fn seal_of(found: &Found, known: Known) -> [u64; 3] {
    let here = (known.records + 1).saturating_sub(found.header.first);
    format::seal(known.chain, here, known.records)
}

/// Whether a segment has no seal: the commit word is missing, whatever of the rest came before it.
fn is_unsealed(found: &Found, known: Known) -> bool {
    let wanted = seal_of(found, known);
    let seal = found.view.load::<3>(SEAL_AT).unwrap_or_default();
    seal[0] == 0 && (1..3).all(|i| [0, wanted[i]].contains(&seal[i]))
}

/// Whether a power cut may have taken record `index`: it is not there or not whole, and no seal
/// says that it had been on the disk.
pub(super) fn is_missing(found: &Found, index: u64, known: Known) -> bool {
    let slot = found.view.load::<RECORD_WORDS>(word_of(index)).unwrap_or_default();
    (slot[0] == 0 || lacks_page(found, index, &slot)) && is_unsealed(found, known)
}

/// Whether a segment ends here by its seal.
pub(super) fn is_sealed(found: &Found, known: Known) -> bool {
    found.view.load::<3>(SEAL_AT) == Some(seal_of(found, known))
}

/// Whether nothing is in a segment from record `index` on.
pub(super) fn is_empty_from(found: &Found, index: u64) -> bool {
    found.view.nonzero(word_of(index), found.view.len()).is_none()
}

/// What a seal says against the records before it, if anything.
fn against_seal(found: &Found, known: Known) -> Option<End> {
    let (seal, wanted) = (found.view.load::<3>(SEAL_AT)?, seal_of(found, known));
    if seal == wanted {
        return None;
    }
    let at = found.at(SEAL_AT * 8, 0);
    let promises = seal[0] as u32 == SEAL && seal[1] > wanted[1];
    let cause = if promises { Cause::Short { promised: seal[2] } } else { Cause::Seal };
    Some(corrupt(known, at, cause))
}

/// What is wrong about a segment that is full and was read to its end, if anything.
pub(super) fn full(found: &Found, known: Known) -> Option<End> {
    if let Some(word) = found.view.nonzero(word_of(found.room()), found.view.len()) {
        return Some(corrupt(known, found.at(word * 8, 0), Cause::Foreign));
    }
    if is_unsealed(found, known) { None } else { against_seal(found, known) }
}

/// What it means that record `index` of a segment does not fit.
pub(super) fn classify(
    found: &Found,
    index: u64,
    known: Known,
    look: impl Fn(u32) -> Result<Look, Error>,
) -> End {
    let records = known.records;
    let at = found.at(RECORDS_AT + index as usize * RECORD, records + 1);
    let slot = found.view.load::<RECORD_WORDS>(word_of(index)).unwrap_or_default();
    let is_empty = slot == [0; RECORD_WORDS];
    let is_unfinished = slot[0] == 0 || lacks_page(found, index, &slot);
    let is_sealed = !is_unsealed(found, known);
    let behind = found.view.nonzero(word_of(index), found.view.len());
    if let Some(word) = behind.filter(|_| is_empty && self::is_sealed(found, known)) {
        return corrupt(known, found.at(word * 8, 0), Cause::Foreign);
    }
    if let Some(resumes) = resume(found, index, known).or_else(|| later(found, look)) {
        let cause = match is_sealed.then(|| against_seal(found, known)) {
            _ if !is_unfinished => Cause::Record,
            Some(None) if !is_empty => Cause::Foreign,
            // A segment is entered only when it and all before it have their names on the disk.
            Some(None) if known.synced => {
                Cause::Short { promised: resumes.record.saturating_sub(1) }
            }
            Some(Some(End::Corrupt { cause: Cause::Short { promised }, .. })) if known.synced => {
                Cause::Short { promised }
            }
            _ => return End::Gap { records, at, resumes },
        };
        return End::Corrupt { records, at, cause, resumes: Some(resumes) };
    }
    let after = word_of((index + 1).min(found.room()));
    let after = found.view.nonzero(after, found.view.len());
    match after {
        _ if !is_empty && (is_sealed || !is_unfinished) => corrupt(known, at, Cause::Record),
        Some(word) => corrupt(known, found.at(word * 8, 0), Cause::Foreign),
        None if is_sealed => against_seal(found, known).unwrap_or(End::Clean { records }),
        None if !is_empty => End::Torn { records, at },
        None if found.bytes != found.header.bytes => {
            corrupt(known, found.at(found.bytes as usize, 0), Cause::Cut)
        }
        None => End::Clean { records },
    }
}

/// Whether a record lies across two pages and the second reached the disk before it was stored
/// there whole: its last word is not there, nor is anything behind it in that page.
fn lacks_page(found: &Found, index: u64, slot: &[u64; RECORD_WORDS]) -> bool {
    let (from, page) = (word_of(index), PAGE / 8);
    let end = from + RECORD_WORDS;
    let spans = from / page != (end - 1) / page;
    spans && slot[RECORD_WORDS - 1] == 0 && {
        let rest = end..end.next_multiple_of(page).min(found.view.len());
        found.view.nonzero(rest.start, rest.end).is_none()
    }
}

/// Where, behind record `index`, a record of this session continues the one before it.
fn resume(found: &Found, index: u64, known: Known) -> Option<Place> {
    let mut before = found.view.load::<1>(word_of(index)).unwrap_or_default()[0];
    for next in index + 1..found.room() {
        let words = found.view.load::<RECORD_WORDS>(word_of(next))?;
        let [head, number, event @ ..] = words;
        let chain = || format::chain(known.seed, (before >> 32) as u32, number, &event);
        let is_here = number == found.header.first + next;
        if head as u32 == EVENT && is_here && head == format::head(EVENT, chain()) {
            return Some(found.at(word_of(next) * 8, number));
        }
        before = head;
    }
    None
}

/// Whether a later segment was entered.
fn later(found: &Found, look: impl Fn(u32) -> Result<Look, Error>) -> Option<Place> {
    let here = found.header.segment;
    (here + 1..=here + MISSING_MAX).find_map(|segment| match look(segment) {
        Ok(Look::Found(next)) => {
            let opening = next.view.load::<1>(OPENING_AT)?[0];
            let is_entered = opening as u32 == OPENING
                || next.view.nonzero(word_of(0), next.view.len()).is_some();
            is_entered.then(|| next.at(RECORDS_AT, next.header.first))
        }
        _ => None,
    })
}
