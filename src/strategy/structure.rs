//! Legs of a package as they were chosen; what they are worth, can lose and measure, out.

use super::codes::{Code, Reason};
use crate::{
    book::Desk,
    chain::Chain,
    wire::{
        market::{Class, Greeks, VolStatus},
        order::LEGS_MAX,
    },
};

/// One leg.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StructureLeg {
    /// Dense index of the contract.
    pub instrument: u32,
    /// +1 long, −1 short.
    pub side: i8,
    /// Contracts per package.
    pub ratio: u32,
}

impl StructureLeg {
    fn contracts(&self) -> f64 {
        f64::from(self.side) * f64::from(self.ratio)
    }
}

/// A package that is wanted or held: up to [`LEGS_MAX`] legs of any expiries of one root.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Structure {
    legs: [StructureLeg; LEGS_MAX],
    count: usize,
}

impl Structure {
    /// The legs.
    pub fn legs(&self) -> &[StructureLeg] {
        &self.legs[..self.count]
    }

    /// Adds a leg; a contract that is a leg already, or one leg too many, is refused.
    pub fn push(&mut self, leg: StructureLeg) -> Result<(), Reason> {
        let twice = self.legs().iter().any(|other| other.instrument == leg.instrument);
        if twice || self.count == LEGS_MAX {
            return Err((Code::STRIKES_MEET, f64::from(leg.instrument), self.count as f64));
        }
        self.legs[self.count] = leg;
        self.count += 1;
        Ok(())
    }

    /// What a package that is held consists of, one of it; `None` where that is more than the legs
    /// of an order, of which no part may pass for the whole.
    pub(super) fn of(package: &crate::book::Package) -> Option<Structure> {
        let mut structure = Structure::default();
        for line in package.lines().iter().filter(|line| line.held != 0) {
            let side = line.held.signum() as i8;
            let ratio = u32::try_from(line.held.unsigned_abs()).unwrap_or(u32::MAX);
            let leg = StructureLeg { instrument: line.instrument, side, ratio };
            structure.push(leg).ok()?;
        }
        Some(structure)
    }

    /// When the first and the last leg settle.
    pub(super) fn settles(&self, chain: &Chain) -> (u64, u64) {
        let settles = |leg: &StructureLeg| chain.instrument(leg.instrument).map(|t| t.settles);
        let all = self.legs().iter().filter_map(settles);
        all.fold((u64::MAX, 0), |(first, last), at| (first.min(at), last.max(at)))
    }

    /// Fewest and most whole packages that are held of a package's lines, leg by leg; what is left
    /// over of a ratio, or on the wrong side, makes them differ.
    pub(super) fn held(&self, desk: &Desk, package: u64) -> (u64, u64) {
        let Some(package) = desk.book.package(package) else { return (0, 0) };
        let (mut least, mut most) = (i64::MAX, 0);
        for (line, leg) in package.lines().iter().zip(self.legs()) {
            let (held, ratio) = (line.held * i64::from(leg.side), i64::from(leg.ratio.max(1)));
            least = least.min(held.div_euclid(ratio).max(0));
            most = most.max((held.abs() + ratio - 1) / ratio);
            // The wrong side is as uneven as can be.
            least = if held < 0 { 0 } else { least };
        }
        (least.min(most) as u64, most as u64)
    }

    /// Value at the mid of one package on one unit; `None` where a leg is stale, crossed, or has no
    /// offer. A leg without a bid counts from nothing.
    pub(super) fn value(&self, chain: &Chain) -> Option<f64> {
        self.legs().iter().try_fold(0.0, |value, leg| {
            let quote = chain.quote(leg.instrument);
            let bid = if quote.bid.is_nan() { 0.0 } else { quote.bid };
            let sound = !quote.stale && !quote.is_crossed() && !quote.ask.is_nan();
            sound.then(|| value + leg.contracts() * 0.5 * (bid + quote.ask))
        })
    }

    /// A Greek of one package on one unit; NaN where a leg has none.
    pub(super) fn greek(&self, chain: &Chain, of: impl Fn(&Greeks) -> f32) -> f64 {
        let each = |leg: &StructureLeg| match chain.greeks(leg.instrument) {
            Some(greeks) if greeks.status == VolStatus::OK => {
                leg.contracts() * f64::from(of(&greeks))
            }
            _ => f64::NAN,
        };
        self.legs().iter().map(each).sum()
    }

    /// The most that one package on one unit can cost at settlement, premium apart: over all
    /// prices, expiry by expiry, each at its own worst. Infinite where nothing bounds it.
    pub(super) fn width(&self, chain: &Chain) -> f64 {
        let expiry = |leg: &StructureLeg| chain.instrument(leg.instrument).map(|t| t.expiry);
        let legs = self.legs();
        let first_of_its = |i: &usize| !legs[..*i].iter().any(|l| expiry(l) == expiry(&legs[*i]));
        let groups = (0..legs.len()).filter(first_of_its);
        groups.map(|i| self.group_width(chain, expiry(&legs[i]))).sum()
    }

    fn group_width(&self, chain: &Chain, expiry: Option<u16>) -> f64 {
        let options = || {
            let terms = self.legs().iter().map(|leg| (leg, chain.instrument(leg.instrument)));
            terms
                .filter_map(|(leg, terms)| Some((leg.contracts(), terms?)))
                .filter(move |(_, terms)| Some(terms.expiry) == expiry)
        };
        let calls = options().filter(|(_, terms)| terms.class == Class::CALL);
        if calls.map(|(contracts, _)| contracts).sum::<f64>() < 0.0 {
            return f64::INFINITY;
        }
        let worth = |price: f64| {
            let inside = |(contracts, terms): (f64, &crate::chain::Instrument)| {
                let sign = if terms.class == Class::CALL { 1.0 } else { -1.0 };
                contracts * (sign * (price - terms.strike)).max(0.0)
            };
            options().map(inside).sum::<f64>()
        };
        let kinks = options().map(|(_, terms)| terms.strike);
        kinks.chain([0.0]).map(|price| -worth(price)).fold(0.0, f64::max)
    }
}
