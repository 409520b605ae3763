//! The book in; the sums that limits are measured from, made anew when the book has changed, out.
//!
//! An order is measured against the whole book without a walk over it: claims lie sorted, losses
//! and Greeks are added up. What depends on the market is made anew on every beat; an order's own
//! Greeks are those of the moment.

use super::{
    curve::Curves,
    dollars::{Dollars, multiplier, reference},
    horizon::{Dated, GROUPS_MAX, Kept, Reckoner, at_cost},
    margin::Naked,
};
use crate::{
    book::{Book, Desk, Horizon, Line, Money, Order, Roster, UNBOUNDED, value},
    chain::{Chain, Instrument, NO_ROOT},
    wire::{Price, market::Class},
};
use alloc::{vec, vec::Vec};

/// Most roots that are held or worked at once; of more nothing is known, which refuses orders.
const ROOTS_MAX: usize = 64;
/// Most lines that are held at once.
pub(super) const LINES_MAX: usize = 1_024;
/// Points that roots may have beyond those at strikes: at price 0, and where pieces begin.
const POINTS_MORE: usize = ROOTS_MAX * (GROUPS_MAX + 2);

/// Net, gross, and how many lines have no Greeks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exposure {
    pub(super) net: Dollars,
    pub(super) gross: Dollars,
    pub(super) unknown: u32,
}

impl Exposure {
    pub(super) fn add(&mut self, dollars: Option<Dollars>) {
        match dollars {
            Some(dollars) => {
                self.net = self.net + dollars;
                self.gross = self.gross + dollars.gross();
            }
            None => self.unknown += 1,
        }
    }
}

/// What is held and worked in one root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    pub(super) root: u16,
    /// Its place among the dated claims.
    pub(super) from: u32,
    pub(super) until: u32,
    /// What is known of its claims beforehand.
    pub(super) kept: Option<Kept>,
    /// What the held lines cost.
    pub(super) cost: i128,
    /// Worst loss of what is held; [`UNBOUNDED`] for no bound or not known.
    pub(super) loss: Money,
    /// Worst losses of the orders that work in it.
    pub(super) working: Money,
    /// Worst losses of its open packages.
    pub(super) packages: Money,
    /// Contracts held and worked.
    pub(super) contracts: u64,
    pub(super) held: Exposure,
    pub(super) orders: Exposure,
    /// Price of the underlying, 1e-9, and the margin of what is held; `None` for not known.
    pub(super) spot: Option<i64>,
    pub(super) margin: Option<Money>,
}

impl Root {
    fn new(root: u16) -> Root {
        Root {
            root,
            from: 0,
            until: 0,
            kept: None,
            cost: 0,
            loss: 0,
            working: 0,
            packages: 0,
            contracts: 0,
            held: Exposure::default(),
            orders: Exposure::default(),
            spot: None,
            margin: Some(0),
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Ledger {
    changes: u64,
    fresh: bool,
    /// Claims of all that is held, by root, settlement and strike.
    dated: Vec<Dated>,
    /// Their values at settlement, root by root.
    curves: Curves,
    roots: Vec<Root>,
    /// A root in which there is nothing.
    nothing: Root,
    /// Contracts held and worked by settlement: root, instant, contracts.
    expiries: Vec<(u16, u64, u64)>,
    pub(super) held: Exposure,
    pub(super) orders: Exposure,
    /// Worst losses of open packages by strategy, and by horizon.
    pub(super) strategies: Vec<Money>,
    pub(super) horizons: [Money; 3],
    /// Net premium of all that works, each as a positive number; and what of it is paid, with fees.
    pub(super) working_premium: Money,
    pub(super) working_paid: Money,
    /// Cost of all that is held.
    pub(super) cost: i128,
    /// Something could not be placed: nothing may be opened.
    pub(super) broken: bool,
}

impl Ledger {
    pub(super) fn new(roster: &Roster) -> Ledger {
        Ledger {
            changes: 0,
            fresh: false,
            dated: Vec::with_capacity(LINES_MAX),
            curves: Curves::with_capacity(4 * LINES_MAX + POINTS_MORE),
            roots: Vec::with_capacity(ROOTS_MAX),
            nothing: Root::new(NO_ROOT),
            expiries: Vec::with_capacity(LINES_MAX),
            held: Exposure::default(),
            orders: Exposure::default(),
            strategies: vec![0; roster.len()],
            horizons: [0; 3],
            working_premium: 0,
            working_paid: 0,
            cost: 0,
            broken: false,
        }
    }

    /// Whether it must be made anew before it can be asked.
    #[inline]
    pub(super) fn is_behind(&self, book: &Book) -> bool {
        !self.fresh || self.changes != book.changes
    }

    /// It must be made anew: the market has moved on, or the book is another one.
    pub(super) fn expire(&mut self) {
        self.fresh = false;
    }

    /// Makes everything anew.
    pub(super) fn renew(
        &mut self,
        desk: &Desk,
        roster: &Roster,
        reckoner: &mut Reckoner,
        naked: &Naked,
    ) {
        self.clear(desk.book.changes);
        for line in desk.book.holdings() {
            let placed = desk
                .chain
                .instrument(line.instrument)
                .and_then(|terms| self.hold(&desk.chain, terms, line));
            self.cost += i128::from(line.cost);
            self.broken |= placed.is_none();
        }
        self.packages(desk, roster);
        desk.book.working().for_each(|order| self.work(desk, order));
        self.settle(reckoner, naked);
    }

    fn clear(&mut self, changes: u64) {
        (self.changes, self.fresh, self.broken) = (changes, true, false);
        self.dated.clear();
        self.roots.clear();
        self.expiries.clear();
        (self.held, self.orders) = (Exposure::default(), Exposure::default());
        self.strategies.fill(0);
        self.horizons = [0; 3];
        (self.working_premium, self.working_paid, self.cost) = (0, 0, 0);
    }

    fn hold(&mut self, chain: &Chain, terms: &Instrument, line: &Line) -> Option<()> {
        let dated = dated(chain, terms, line.held, line.multiplier)?;
        let dated = Dated { cost: line.cost, ..dated };
        let at = self.at(dated.root)?;
        if self.dated.len() == LINES_MAX {
            return None;
        }
        self.dated.push(dated);
        let dollars = Dollars::of(chain, terms, line.instrument, dated.units);
        self.held.add(dollars);
        self.roots[at].held.add(dollars);
        self.roots[at].spot = spot_of(chain, terms, line.instrument);
        self.count(dated.root, dated.settles, covering(chain, terms, line.held))
    }

    fn count(&mut self, root: u16, settles: u64, contracts: u64) -> Option<()> {
        let at = self.at(root)?;
        self.roots[at].contracts += contracts;
        let found = self.expiries.iter().position(|(r, s, _)| (*r, *s) == (root, settles));
        match found {
            Some(at) => self.expiries[at].2 += contracts,
            None if self.expiries.len() == LINES_MAX => return None,
            None => self.expiries.push((root, settles, contracts)),
        }
        Some(())
    }

    /// The place of a root; `None` where there is none left.
    fn at(&mut self, root: u16) -> Option<usize> {
        if let Some(at) = self.roots.iter().position(|row| row.root == root) {
            return Some(at);
        }
        (self.roots.len() < ROOTS_MAX).then(|| self.roots.push(Root::new(root)))?;
        Some(self.roots.len() - 1)
    }

    fn packages(&mut self, desk: &Desk, roster: &Roster) {
        for package in desk.book.open_packages() {
            let loss = package.loss.max(0);
            let add = |sum: &mut Money| *sum = sum.saturating_add(loss);
            self.strategies.get_mut(usize::from(package.strategy)).map(add);
            if let Some(horizon) = roster.horizon(package.strategy) {
                add(&mut self.horizons[horizon as usize]);
            }
            let first = package.lines().first().map(|line| line.instrument);
            let terms = first.and_then(|instrument| desk.chain.instrument(instrument));
            let at = terms.and_then(|terms| self.at(root_of(&desk.chain, terms)));
            match at {
                Some(at) => add(&mut self.roots[at].packages),
                None => self.broken = true,
            }
        }
    }

    /// What an order may still become.
    fn work(&mut self, desk: &Desk, order: &Order) {
        let open = i64::from(order.open_quantity());
        let net = value(order.limit, open, order.unit());
        self.working_premium = self.working_premium.saturating_add(net.saturating_abs());
        let mut first = true;
        for (i, leg) in order.legs().iter().enumerate() {
            let left = order.wanted(i).saturating_sub(leg.filled) as i64;
            let signed = left.saturating_mul(leg.side);
            let fees = desk.book.charge(leg.instrument, signed, leg.price, leg.multiplier);
            self.working_paid = self.working_paid.saturating_add(fees);
            let Some(terms) = desk.chain.instrument(leg.instrument) else {
                self.broken = true;
                continue;
            };
            let root = root_of(&desk.chain, terms);
            let units = left.saturating_mul(leg.side).saturating_mul(leg.multiplier);
            let dollars = Dollars::of(&desk.chain, terms, leg.instrument, units);
            let contracts = covering(&desk.chain, terms, left);
            let placed = self.count(root, settles_of(terms), contracts);
            let Some(at) = self.at(root).filter(|_| placed.is_some()) else {
                self.broken = true;
                continue;
            };
            if core::mem::take(&mut first) {
                let row = &mut self.roots[at];
                row.working = row.working.saturating_add(order.open_loss());
            }
            if order.purpose.opens() {
                self.orders.add(dollars);
                self.roots[at].orders.add(dollars);
            }
        }
        if net > 0 {
            self.working_paid = self.working_paid.saturating_add(net);
        }
    }

    fn settle(&mut self, reckoner: &mut Reckoner, naked: &Naked) {
        self.dated.sort_unstable_by_key(|dated| (dated.root, *dated));
        self.curves.clear();
        for i in 0..self.roots.len() {
            let root = self.roots[i].root;
            let from = self.dated.partition_point(|dated| dated.root < root);
            let until = self.dated.partition_point(|dated| dated.root <= root);
            let (row, its) = (&mut self.roots[i], &self.dated[from..until]);
            (row.from, row.until) = (from as u32, until as u32);
            row.cost = its.iter().fold(0, |sum, dated| sum + i128::from(dated.cost));
            row.kept = reckoner.keep(its, &mut self.curves);
            let owed = reckoner.owed(its, &[], None);
            row.loss = owed.map_or(UNBOUNDED, |owed| at_cost(owed, row.cost));
            row.margin = naked.margin(reckoner, [its, &[]], owed, row.spot);
        }
    }

    /// What is held and worked in a root; nothing where there is nothing.
    pub(super) fn root(&self, root: u16) -> &Root {
        self.roots.iter().find(|row| row.root == root).unwrap_or(&self.nothing)
    }

    pub(super) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Claims of what is held in a root, by settlement and strike.
    pub(super) fn claims(&self, root: &Root) -> &[Dated] {
        &self.dated[root.from as usize..root.until as usize]
    }

    /// Values of claims at settlement, where [`Root::kept`] says.
    pub(super) fn curves(&self) -> &Curves {
        &self.curves
    }

    /// Contracts held and worked that settle with an instrument.
    pub(super) fn contracts(&self, root: u16, settles: u64) -> u64 {
        let row = self.expiries.iter().find(|(r, s, _)| (*r, *s) == (root, settles));
        row.map_or(0, |row| row.2)
    }

    /// Worst loss of the package list of a horizon.
    pub(super) fn horizon(&self, horizon: Horizon) -> Money {
        self.horizons[horizon as usize]
    }
}

/// The root that an instrument moves with: its own, or that of the options on it.
pub(super) fn root_of(chain: &Chain, terms: &Instrument) -> u16 {
    chain.root_on(terms)
}

/// When its claim settles; 0 for what is the price itself.
pub(super) fn settles_of(terms: &Instrument) -> u64 {
    if terms.class.is_option() { terms.settles } else { 0 }
}

/// Contracts as limits count them: shares are as many as the options that they cover, rounded up.
pub(super) fn covering(chain: &Chain, terms: &Instrument, contracts: i64) -> u64 {
    let contracts = contracts.unsigned_abs();
    let rules = chain.root(root_of(chain, terms)).filter(|_| !terms.class.is_option());
    let Some(rules) = rules else { return contracts };
    let (own, each) = (multiplier(terms).unsigned_abs(), rules.multiplier as u64);
    if each == 0 { contracts } else { contracts.saturating_mul(own).div_ceil(each) }
}

/// Parts of a contract that fills are counted in: a share is a part of the option that it covers.
pub(super) const PARTS: u64 = 1_000_000;

/// Contracts traded, in [`PARTS`]; each counts whole where it is not known what it covers.
pub(super) fn covering_parts(chain: &Chain, terms: Option<&Instrument>, contracts: u64) -> u64 {
    let whole = contracts.saturating_mul(PARTS);
    let shares = terms.filter(|terms| !terms.class.is_option());
    let rules = shares.and_then(|terms| Some((terms, chain.root(root_of(chain, terms))?)));
    match rules {
        Some((terms, rules)) if rules.multiplier >= 1.0 => {
            let units = whole.saturating_mul(multiplier(terms).unsigned_abs());
            units / rules.multiplier as u64
        }
        _ => whole,
    }
}

/// Most units of one line: no sum over a book can leave 128 bits.
const UNITS_MAX: i64 = 1 << 48;

/// A claim on so many contracts, signed; `None` where its terms are not known or not sound.
pub(super) fn dated(
    chain: &Chain,
    terms: &Instrument,
    contracts: i64,
    multiplier: i64,
) -> Option<Dated> {
    let units = contracts.checked_mul(multiplier).filter(|units| units.abs() <= UNITS_MAX)?;
    let root = root_of(chain, terms);
    let american =
        chain.root(root).is_none_or(|rules| rules.style == crate::chain::Style::American);
    let claim = match terms.class {
        Class::CALL => 0,
        Class::PUT => 1,
        _ => {
            return Some(Dated { settles: 0, strike: 0, root, claim: 2, american, units, cost: 0 });
        }
    };
    let strike = Price::from_f64(terms.strike);
    let sound = strike.is_defined() && strike.0 > 0 && root != NO_ROOT;
    sound.then_some(Dated {
        settles: terms.settles,
        strike: strike.0,
        root,
        claim,
        american,
        units,
        cost: 0,
    })
}

/// What the underlying of an instrument is worth, 1e-9; `None` where it is not known.
pub(super) fn spot_of(chain: &Chain, terms: &Instrument, instrument: u32) -> Option<i64> {
    let spot = Price::from_f64(reference(chain, terms, instrument)?);
    spot.is_defined().then_some(spot.0)
}
