//! What the broker says it holds in; whether that is what we hold, and where not, out.
//!
//! A round is one question and its answer. Fills may be on their way meanwhile, so a difference is
//! one only when the next round has it again.
//!
//! | standing | the round agrees | it differs | it differs as the one before it |
//! |---|---|---|---|
//! | unknown, agrees | agrees | suspected | - |
//! | suspected, differs | agrees | suspected | differs |
//!
//! A lost session, and a broker that does not answer, make it unknown again. Contracts whose
//! settlement has come are left out: either side books them when it likes.

use super::{Book, Desk};
use crate::{
    chain::Chain,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price, Timestamp,
        audit::{Difference, Position, Positions},
        order::{OrderStatus, Report, ReportKind},
    },
};
use alloc::vec::Vec;

/// Questions without an answer after which nothing is known any more.
const TRIES_MAX: u32 = 3;

/// How the broker's positions stand to ours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Standing {
    /// Never compared since the broker's session came up, or it does not answer.
    #[default]
    Unknown,
    /// As the broker says.
    Agrees,
    /// Other than it says, once.
    Suspected,
    /// Other than it says, in the same way twice.
    Differs,
}

/// A contract and what either side holds of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    instrument: u32,
    difference: Difference,
}

impl Row {
    fn gap(&self) -> i64 {
        self.difference.theirs - self.difference.ours
    }

    fn is_same_contract(&self, other: &Row) -> bool {
        let terms = |row: &Row| (row.difference.strike, row.difference.date, row.difference.class);
        self.instrument == other.instrument && terms(self) == terms(other)
    }
}

/// The comparison with the broker: the round that is under way and what the last ones came to.
#[derive(Debug)]
pub struct Audit {
    /// How the last rounds left it.
    pub standing: Standing,
    /// The question that waits for its answer; 0 for none.
    request: u64,
    /// When it was asked last (receive time of the cause); 0 for not since the session came up.
    asked: Timestamp,
    tries: u32,
    /// Positions that the answer holds; `None` before its head.
    total: Option<u32>,
    heard: u32,
    /// Open orders at the broker that are not ours, in this round.
    strangers: u32,
    told: Vec<Row>,
    off: Vec<Row>,
    before: Vec<Row>,
    /// How many of them were told.
    announced: usize,
}

impl Audit {
    /// Nothing asked; room for so many contracts a round.
    pub(super) fn new(rows: usize) -> Audit {
        let room = || Vec::with_capacity(rows);
        Audit {
            standing: Standing::Unknown,
            request: 0,
            asked: 0,
            tries: 0,
            total: None,
            heard: 0,
            strangers: 0,
            told: room(),
            off: room(),
            before: room(),
            announced: 0,
        }
    }

    /// The broker's session is down, or another process begins.
    pub(super) fn forget(&mut self) {
        (self.standing, self.request, self.asked, self.tries) = (Standing::Unknown, 0, 0, 0);
        self.off.clear();
        self.announced = 0;
    }

    /// Whether the broker is known to hold what we hold.
    #[inline]
    pub fn agrees(&self) -> bool {
        self.standing == Standing::Agrees
    }

    /// Whether to ask at `now`: `every` ns where all is well or known to differ, `again` ns after a
    /// question that waits or a first difference.
    pub fn is_due(&self, now: Timestamp, every: u64, again: u64) -> bool {
        let settled = matches!(self.standing, Standing::Agrees | Standing::Differs);
        let pause = if self.request == 0 && settled { every } else { again };
        self.asked == 0 || now >= self.asked.saturating_add(pause)
    }

    /// Enters a question, sent at `now`; gives how many before it were not answered.
    pub(super) fn ask(&mut self, request: u64, now: Timestamp) -> u32 {
        self.tries = if self.request == 0 { 0 } else { self.tries + 1 };
        if self.tries >= TRIES_MAX {
            self.standing = Standing::Unknown;
        }
        (self.request, self.asked) = (request, now.max(1));
        (self.total, self.heard, self.strangers) = (None, 0, 0);
        self.told.clear();
        self.tries
    }

    /// The next difference that is to be told; those of a round once, unless the next one has
    /// others.
    pub fn next_news(&mut self) -> Option<(u32, Difference)> {
        let row = self.off[..self.differences()].get(self.announced)?;
        self.announced += 1;
        Some((row.instrument, row.difference))
    }

    /// Contracts, and kinds of order, in which the broker is known to differ.
    pub fn differences(&self) -> usize {
        if self.standing == Standing::Differs { self.off.len() } else { 0 }
    }

    /// A report on an order that is not ours: one that works shows that somebody else trades here.
    pub(super) fn stranger(&mut self, report: &Report) {
        let open = [OrderStatus::NEW, OrderStatus::PARTIAL].contains(&report.status);
        let counts = self.request != 0 && report.event == ReportKind::STATUS && open;
        self.strangers += u32::from(counts);
    }

    fn begin(&mut self, positions: &Positions) {
        if positions.request == self.request && positions.valid != 0 {
            self.total = Some(positions.total);
        }
    }

    fn take(&mut self, instrument: u32, position: &Position) {
        if self.request == 0 || position.request != self.request as u32 {
            return;
        }
        self.heard += 1;
        let row = row(instrument, 0, i64::from(position.contracts), position);
        match self.told.iter_mut().find(|other| other.is_same_contract(&row)) {
            Some(known) => known.difference.theirs += row.difference.theirs,
            None => push(&mut self.told, row),
        }
    }

    fn is_whole(&self) -> bool {
        self.request != 0 && self.total.is_some_and(|total| self.heard >= total)
    }

    /// The answer is whole: differences are written into `off`, those of the round before are kept.
    fn begin_compare(&mut self) {
        core::mem::swap(&mut self.off, &mut self.before);
        self.off.clear();
    }

    /// The round is over, with its differences in `off`.
    fn conclude(&mut self) {
        let again = self.off.iter().any(|row| {
            let same = |other: &Row| row.is_same_contract(other) && row.gap() == other.gap();
            self.before.iter().any(same)
        });
        let standing = match (self.off.is_empty(), again) {
            (true, _) => Standing::Agrees,
            (false, false) => Standing::Suspected,
            (false, true) => Standing::Differs,
        };
        let old = core::mem::replace(&mut self.standing, standing);
        if old != standing || self.off != self.before {
            self.announced = 0;
        }
        (self.request, self.tries) = (0, 0);
    }
}

/// Adds a row; the last place stands for all that find none.
fn push(rows: &mut Vec<Row>, row: Row) {
    if rows.len() < rows.capacity() {
        rows.push(row);
    } else if let Some(last) = rows.last_mut() {
        *last = row;
    }
}

fn row(instrument: u32, ours: i64, theirs: i64, named: &Position) -> Row {
    let Position { strike, date, class, .. } = *named;
    let difference = Difference { ours, theirs, strike, date, class, reserved: [0; 3] };
    Row { instrument, difference }
}

/// What stands for all open orders that are not ours.
fn strangers(count: u32) -> Row {
    let named = Position { strike: Price::UNDEF, ..bytemuck::Zeroable::zeroed() };
    row(NO_INSTRUMENT, 0, i64::from(count), &named)
}

impl Desk {
    /// Takes the broker's answer on positions; compares once it is whole.
    pub fn hear(&mut self, event: &Event) {
        let Desk { chain, book, .. } = self;
        match event.kind {
            Kind::POSITIONS => book.audit.begin(event.body()),
            Kind::POSITION => {
                let position: &Position = event.body();
                let Position { root, date, strike, class, .. } = *position;
                let found = chain.option(root, date, strike, class);
                book.audit.take(found.unwrap_or(NO_INSTRUMENT), position);
            }
            Kind::ASSIGNMENT => return book.assign(chain, event.body()),
            _ => return,
        }
        if book.audit.is_whole() {
            book.compare(chain);
        }
    }
}

impl Book {
    /// Enters a question for all positions and orders, sent at `now`. How live orders stand is in
    /// doubt until the broker has answered an inquiry for each.
    pub fn register_audit(&mut self, request: u64, now: Timestamp) -> u32 {
        for i in 0..self.live.len() {
            let at = self.place(self.live[i]);
            (self.orders[at].asked, self.orders[at].tries) = (0, 0);
            self.doubt(at, true);
        }
        self.audit.ask(request, now)
    }

    fn compare(&mut self, chain: &Chain) {
        let Book { audit, positions, held, .. } = self;
        let holds = |at: u32| positions.get(at as usize).map_or(0, |position| position.line.held);
        audit.begin_compare();
        for told in &audit.told {
            let ours = holds(told.instrument);
            let differs = told.difference.theirs != ours;
            if differs && !is_over(chain, told.instrument) {
                let difference = Difference { ours, ..told.difference };
                push(&mut audit.off, Row { difference, ..*told });
            }
        }
        for &instrument in held.iter() {
            let told = audit.told.iter().any(|row| row.instrument == instrument);
            if !told && !is_over(chain, instrument) {
                let named = named(chain, instrument);
                push(&mut audit.off, row(instrument, holds(instrument), 0, &named));
            }
        }
        if audit.strangers > 0 {
            let row = strangers(audit.strangers);
            push(&mut audit.off, row);
        }
        audit.conclude();
    }
}

/// Whether an instrument's settlement has come.
fn is_over(chain: &Chain, instrument: u32) -> bool {
    let settles = chain.instrument(instrument).map_or(0, |terms| terms.settles);
    settles != 0 && settles <= chain.now
}

/// A contract of ours as the broker would name it.
fn named(chain: &Chain, instrument: u32) -> Position {
    let mut named = Position { strike: Price::UNDEF, ..bytemuck::Zeroable::zeroed() };
    if let Some(terms) = chain.instrument(instrument) {
        (named.class, named.strike) = (terms.class, Price::from_f64(terms.strike));
        named.date = chain.local(terms.root, terms.settles).0;
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(audit: &mut Audit, gaps: &[(u32, i64)]) -> Standing {
        audit.ask(7, 1_000);
        audit.begin_compare();
        let named = Position { strike: Price(5), ..bytemuck::Zeroable::zeroed() };
        gaps.iter().for_each(|(at, theirs)| push(&mut audit.off, row(*at, 0, *theirs, &named)));
        audit.conclude();
        audit.standing
    }

    #[test]
    fn a_difference_is_one_when_two_rounds_have_it_and_is_told_once() {
        let mut audit = Audit::new(8);
        assert_eq!(round(&mut audit, &[]), Standing::Agrees);
        assert_eq!(round(&mut audit, &[(1, 2), (2, 5)]), Standing::Suspected);
        assert_eq!(round(&mut audit, &[(1, 3)]), Standing::Suspected, "fills were on their way");
        assert_eq!(audit.next_news(), None);
        assert_eq!(round(&mut audit, &[(1, 3)]), Standing::Differs);
        assert_eq!(audit.next_news().map(|(at, told)| (at, told.theirs)), Some((1, 3)));
        assert_eq!(audit.next_news(), None);
        assert_eq!(round(&mut audit, &[(1, 3)]), Standing::Differs);
        assert_eq!((audit.next_news(), audit.differences()), (None, 1));
        assert_eq!(round(&mut audit, &[(1, 3), (4, -1)]), Standing::Differs);
        assert_eq!(core::iter::from_fn(|| audit.next_news()).count(), 2);
        assert_eq!(round(&mut audit, &[]), Standing::Agrees);
    }

    #[test]
    fn it_is_asked_again_sooner_while_something_is_open_and_silence_is_no_agreement() {
        let mut audit = Audit::new(8);
        assert!(audit.is_due(0, 100, 10), "never asked");
        round(&mut audit, &[]);
        assert!(!audit.is_due(1_099, 100, 10) && audit.is_due(1_100, 100, 10));
        round(&mut audit, &[(1, 1)]);
        assert!(audit.is_due(1_010, 100, 10), "a new difference");
        round(&mut audit, &[]);
        for (tries, agrees) in [(0, true), (1, true), (2, true), (3, false)] {
            assert_eq!((audit.ask(8, 1_000), audit.agrees()), (tries, agrees));
            assert!(audit.is_due(1_010, 100, 10));
        }
    }
}
