//! Packages whose profit has moved in; one PROFIT event a cause out.
//!
//! All open packages are told at a cadence by the chain's time, a package that has settled or holds
//! nothing any more at once. A cause is told when it has changed; at the end all of them are.

use super::{Book, Desk, explain::CAUSES};
use crate::{
    stage::Emit,
    wire::{Event, Kind, NO_INSTRUMENT, Price, order::Profit},
};

/// Why a package is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Occasion {
    Cadence = 0,
    Settled = 1,
    Closed = 2,
}

impl Desk {
    /// Brings the profit of packages up to now by cause: of those that were filled, and, when the
    /// cadence is due, of all that are open.
    pub fn explain(&mut self, cause: &Event, out: &mut impl Emit<Desk, Event>) {
        let due = self.chain.now >= self.book.explain_at;
        if self.book.stirred.is_empty() && !due {
            return;
        }
        for i in 0..self.book.stirred.len() {
            let (place, settled) = self.book.stirred[i];
            let closed = self.step(place);
            let occasion = if closed { Occasion::Closed } else { Occasion::Settled };
            if closed || settled {
                self.tell(place, occasion, cause, out);
            }
        }
        self.book.stirred.clear();
        if !due {
            return;
        }
        self.book.explain_at = self.chain.now.saturating_add(self.book.explain_every);
        for i in 0..self.book.open.len() {
            let place = self.book.open[i];
            self.step(place);
            self.tell(place, Occasion::Cadence, cause, out);
        }
    }

    /// Whether nothing is held or works any more.
    fn step(&mut self, place: u32) -> bool {
        let Book { packages, tracks, .. } = &mut self.book;
        let package = &packages[place as usize];
        tracks[place as usize].step(&self.chain, package);
        !package.is_open()
    }

    fn tell(
        &mut self,
        place: u32,
        occasion: Occasion,
        cause: &Event,
        out: &mut impl Emit<Desk, Event>,
    ) {
        let package = &self.book.packages[place as usize];
        let (id, strategy) = (package.id, package.strategy);
        for number in 0..CAUSES.len() {
            let track = &mut self.book.tracks[place as usize];
            let amount = track.causes[number];
            let change = amount.saturating_sub(track.told[number]);
            track.told[number] = amount;
            if change == 0 && (occasion == Occasion::Cadence || amount == 0) {
                continue;
            }
            let body = Profit {
                package: id,
                amount: Price(amount),
                change: Price(change),
                strategy,
                cause: number as u16,
                occasion: occasion as u16,
                reserved: 0,
            };
            let event = Event::caused_by(cause, Kind::PROFIT, NO_INSTRUMENT, body);
            out.emit(self, &event);
        }
    }
}

impl Book {
    /// A package's profit by cause as last reckoned, 1e-9, by the table of causes.
    pub fn explained(&self, package: u64) -> Option<[i64; CAUSES.len()]> {
        let place = self.package(package).and(self.order(package))?.place;
        self.tracks.get(place as usize).map(|track| track.causes)
    }

    /// A package was filled or settled: it is looked at before the next turns.
    pub(super) fn stir(&mut self, place: u32, settled: bool) {
        if let Some((_, before)) = self.stirred.iter_mut().find(|(other, _)| *other == place) {
            *before |= settled;
        } else if self.stirred.len() < self.packages.len() {
            self.stirred.push((place, settled));
        }
    }
}
