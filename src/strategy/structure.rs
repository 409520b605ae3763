//! Legs of a package as they were chosen; what they are worth, can lose and measure, out.

use super::codes::{Code, Reason};
use crate::{
    book::Desk,
    chain::{Chain, Instrument},
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

    /// Units of it per package, signed; NaN where it is not known.
    fn units(&self, chain: &Chain) -> f64 {
        let terms = chain.instrument(self.instrument);
        self.contracts() * terms.map_or(f64::NAN, |terms| terms.multiplier)
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

    /// When the first and the last leg settle; (`u64::MAX`, 0) where nothing does.
    pub(super) fn settles(&self, chain: &Chain) -> (u64, u64) {
        let settles = |leg: &StructureLeg| chain.instrument(leg.instrument).map(|t| t.settles);
        let all = self.legs().iter().filter_map(settles).filter(|at| *at > 0);
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

    /// Terms of its first option.
    pub(super) fn option<'a>(&self, chain: &'a Chain) -> Option<&'a Instrument> {
        let mut terms = self.legs().iter().filter_map(|leg| chain.instrument(leg.instrument));
        terms.find(|terms| terms.class.is_option())
    }

    /// Units that values of one package are for: those of its largest contract.
    pub(super) fn unit(&self, chain: &Chain) -> f64 {
        let terms = self.legs().iter().filter_map(|leg| chain.instrument(leg.instrument));
        terms.map(|terms| terms.multiplier).fold(f64::NAN, f64::max)
    }

    /// Contracts of a leg per package on one unit: 100 shares beside an option on 100 are one.
    fn weight(&self, chain: &Chain, leg: &StructureLeg) -> f64 {
        leg.units(chain) / self.unit(chain)
    }

    /// Value at the mid of one package on one unit; `None` where a leg is stale, crossed, or has no
    /// offer. A leg without a bid counts from nothing.
    pub(super) fn value(&self, chain: &Chain) -> Option<f64> {
        self.legs().iter().try_fold(0.0, |value, leg| {
            let quote = chain.quote(leg.instrument);
            let bid = if quote.bid.is_nan() { 0.0 } else { quote.bid };
            let sound = !quote.stale && !quote.is_crossed() && !quote.ask.is_nan();
            sound.then(|| value + self.weight(chain, leg) * 0.5 * (bid + quote.ask))
        })
    }

    /// A Greek of one package on one unit; NaN where a leg has none. The underlying has a delta of
    /// 1, and nothing else.
    pub(super) fn greek(&self, chain: &Chain, of: impl Fn(&Greeks) -> f32) -> f64 {
        let linear = Greeks { delta: 1.0, ..bytemuck::Zeroable::zeroed() };
        let each = |leg: &StructureLeg| {
            let is_option = chain.instrument(leg.instrument).is_some_and(|t| t.class.is_option());
            let own = if is_option { chain.greeks(leg.instrument) } else { Some(linear) };
            match own.filter(|greeks| !is_option || greeks.status == VolStatus::OK) {
                Some(greeks) => self.weight(chain, leg) * f64::from(of(&greeks)),
                None => f64::NAN,
            }
        };
        self.legs().iter().map(each).sum()
    }

    /// The most that one package on one unit can cost at settlement, premium apart: over all
    /// prices, expiry by expiry, each at its own worst; the underlying goes with the first one.
    /// Infinite where nothing bounds it.
    pub(super) fn width(&self, chain: &Chain) -> f64 {
        let legs = self.legs();
        let group = |leg: &StructureLeg| self.group(chain, leg);
        let first_of_its = |i: &usize| !legs[..*i].iter().any(|l| group(l) == group(&legs[*i]));
        let groups = (0..legs.len()).filter(first_of_its);
        groups.map(|i| self.group_width(chain, group(&legs[i]))).sum()
    }

    /// The expiry that a leg counts with.
    fn group(&self, chain: &Chain, leg: &StructureLeg) -> Option<u16> {
        let terms = |leg: &StructureLeg| chain.instrument(leg.instrument);
        let own = terms(leg).filter(|terms| terms.class.is_option());
        let options = self.legs().iter().filter_map(terms).filter(|terms| terms.class.is_option());
        own.or_else(|| options.min_by_key(|terms| terms.settles)).map(|terms| terms.expiry)
    }

    fn group_width(&self, chain: &Chain, group: Option<u16>) -> f64 {
        let claims = || {
            let mine = self.legs().iter().filter(move |leg| self.group(chain, leg) == group);
            mine.filter_map(|leg| {
                Some((self.weight(chain, leg), chain.instrument(leg.instrument)?))
            })
        };
        let rising = claims().filter(|(_, terms)| terms.class != Class::PUT);
        if rising.map(|(weight, _)| weight).sum::<f64>() < 0.0 {
            return f64::INFINITY;
        }
        let worth = |price: f64| {
            let inside = |(weight, terms): (f64, &Instrument)| match terms.class {
                Class::CALL => weight * (price - terms.strike).max(0.0),
                Class::PUT => weight * (terms.strike - price).max(0.0),
                _ => weight * price,
            };
            claims().map(inside).sum::<f64>()
        };
        let kinks = claims().filter(|(_, terms)| terms.class.is_option());
        let kinks = kinks.map(|(_, terms)| terms.strike);
        kinks.chain([0.0]).map(|price| -worth(price)).fold(f64::NEG_INFINITY, f64::max)
    }
}
