//! Claims of one root that settle at several instants in; a worst loss that is never too small out.
//!
//! What is left when the nearest of them settles is worth what the market then says, which is no
//! arithmetic. But it has a floor that needs no model. Let f be what the claims of a later
//! settlement pay at a price, and conv f the greatest convex function that is nowhere above f. For
//! any distribution of the later price with the forward F (Jensen): E f ≥ E conv f ≥ conv f(F). So
//! at a price S on the nearer settlement they are worth at least D·conv f(S·Q/D), D the discount
//! and Q the growth lost to dividends between the two. With 0 ≤ rate ≤ r and 0 ≤ yield ≤ q, and
//! a + b·S the piece of conv f that is active at S, that is at least
//!
//! ```text
//! conv f(S) − max(a, 0)·r·τ − max(b, 0)·S·q·τ         since 1 − e^−x ≤ x
//! ```
//! The greatest a is conv f(0), the greatest b its last slope; S counts up to a stated multiple of
//! the highest strike. American longs are worth no less than European ones; a short may be worth
//! more by K·r·τ (a put) or S·q·τ (a call), which is added. What is nearest is exact, the sum is
//! piecewise linear in S, so its least value lies at 0, at a strike, or it has no bound.
//!
//! Never below it either is what each settlement loses at its own worst, a later gain less r·τ of
//! it, with as much more for American shorts of the later ones; the better of both counts.

use super::{
    curve::{self, Curves},
    limits::Limits,
    payoff::{Claim, Claimed, Extremes, Walk, together},
};
use crate::{
    book::{Money, UNBOUNDED, fit},
    wire::order::LEGS_MAX,
};
use alloc::vec::Vec;

/// A claim with its settlement.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Dated {
    /// ns UTC; 0 for what does not settle.
    pub(super) settles: u64,
    /// Strike, 1e-9.
    pub(super) strike: i64,
    /// Which root of the chain.
    pub(super) root: u16,
    /// What it pays: 0 a call, 1 a put, 2 the price.
    pub(super) claim: u8,
    /// Whether it may be exercised early.
    pub(super) american: bool,
    /// Contracts × multiplier.
    pub(super) units: i64,
    /// What they cost, 1e-9 of currency.
    pub(super) cost: i64,
}

impl Dated {
    pub(super) fn claimed(&self) -> Claimed {
        let claim = [Claim::Call, Claim::Put, Claim::Price][usize::from(self.claim) % 3];
        Claimed { claim, strike: self.strike, units: self.units }
    }
}

/// What the bound allows for between two settlements.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carry {
    rate: f64,
    dividends: f64,
    tail: f64,
    /// Whether a tail without a floor counts up to the tail's price, instead of having no bound.
    naked: bool,
}

impl Carry {
    pub(super) fn new(limits: &Limits) -> Carry {
        Carry {
            rate: limits.carry_rate_max,
            dividends: limits.carry_yield_max,
            tail: limits.tail_price_max,
            naked: limits.unbounded_allowed,
        }
    }
}

/// Slopes of an envelope are whole in units of 2⁻²⁰ of a unit, rounded down: by less than a
/// thousandth of a currency unit over the whole range of strikes.
const FINE: i128 = 1 << 20;

const YEAR_NS: f64 = 365.0 * 86_400e9;

/// What is known of a root's claims, so that an order on their nearest settlement needs no walk.
/// Ranges are places among the curves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// When the nearest of them settle, and what those have cost.
    pub(super) first: u64,
    pub(super) near_cost: i128,
    /// Values of the nearest, and of the module's bound over all.
    near: (u32, u32),
    all: Option<(u32, u32)>,
    /// What later settlements lose at their own worst, early exercise included.
    later: Money,
    top: i64,
    units: f64,
}

impl Kept {
    /// The least that the nearest settlement is worth with an order on it alone, and the most that
    /// the root may then owe; `None` where that takes a reckoning from the beginning.
    pub(super) fn with(&self, curves: &Curves, order: &[Dated]) -> Option<(i128, Money)> {
        // The bound over several settlements hangs on their highest strike.
        let most = if self.all.is_some() { self.top } else { i64::MAX };
        if order.iter().any(|dated| dated.settles != self.first || dated.strike > most) {
            return None;
        }
        let mut claims = [Claimed { claim: Claim::Call, strike: 0, units: 0 }; LEGS_MAX];
        let claims = &mut claims[..order.len()];
        claims.iter_mut().zip(order).for_each(|(to, leg)| *to = leg.claimed());
        let near = curve::least(curves.curve(self.near), claims, 1)?;
        let own = fit(-near).saturating_add(self.later);
        let Some(all) = self.all else { return Some((near, own)) };
        let more: f64 = order.iter().map(|dated| (dated.units as f64).abs()).sum();
        if !fits(self.units + more, self.top) {
            return None;
        }
        let all = curve::least(curves.curve(all), claims, FINE)?;
        Some((near, own.min(fit(-all.div_euclid(FINE)))))
    }
}

/// Reckons with lists that are made once.
#[derive(Debug)]
pub(super) struct Reckoner {
    carry: Carry,
    dated: Vec<Dated>,
    claims: Vec<Claimed>,
    pieces: Vec<Claimed>,
    hull: Vec<(i64, i128)>,
    room: usize,
}

impl Reckoner {
    pub(super) fn new(limits: &Limits, room: usize) -> Reckoner {
        let list = |count: usize| Vec::with_capacity(count);
        let (dated, hull) = (Vec::with_capacity(room), Vec::with_capacity(room + 2));
        Reckoner {
            carry: Carry::new(limits),
            dated,
            claims: list(room),
            pieces: list(2 * room + GROUPS_MAX),
            hull,
            room,
        }
    }

    /// Worst loss of one root's claims at their cost; [`UNBOUNDED`] for none, `None` for no room.
    /// Both lists are sorted; `keep` says what of them counts.
    pub(super) fn loss(
        &mut self,
        book: &[Dated],
        order: &[Dated],
        keep: impl Fn(&Dated) -> bool,
    ) -> Option<Money> {
        self.gather(book, order)?;
        self.dated.retain(keep);
        let cost = self.dated.iter().fold(0i128, |sum, dated| sum + i128::from(dated.cost));
        Some(self.reckon(-cost))
    }

    /// Least and most of claims (sorted) that settle together and have a floor; `None` for others.
    pub(super) fn at_once(&self, legs: &[Dated]) -> Option<Extremes> {
        let settles = legs.last()?.settles;
        if legs.len() > LEGS_MAX || legs.iter().any(|leg| ![0, settles].contains(&leg.settles)) {
            return None;
        }
        let mut claims = [Claimed { claim: Claim::Call, strike: 0, units: 0 }; LEGS_MAX];
        claims.iter_mut().zip(legs).for_each(|(to, leg)| *to = leg.claimed());
        Some(together(&claims[..legs.len()], &[], 0)).filter(|found| found.worst != -UNBOUNDED)
    }

    /// Most that claims may come to owe, whatever they cost, with one more among them.
    pub(super) fn owed(
        &mut self,
        book: &[Dated],
        order: &[Dated],
        more: Option<Dated>,
    ) -> Option<Money> {
        self.gather(book, order)?;
        if let Some(more) = more {
            self.dated.push(more);
            self.dated.sort_unstable();
        }
        Some(self.reckon(0))
    }

    /// What is to be kept of one root's claims (sorted); their curves go to `into`.
    pub(super) fn keep(&mut self, dated: &[Dated], into: &mut Curves) -> Option<Kept> {
        self.gather(dated, &[])?;
        let first = self.dated.iter().map(|dated| dated.settles).find(|settles| *settles > 0)?;
        let last = self.dated.last()?.settles;
        let until = self.dated.partition_point(|dated| dated.settles <= first);
        self.take(0, until);
        let near = into.add(&self.claims, 0);
        let near_cost = dated[..until].iter().map(|dated| i128::from(dated.cost)).sum();
        let top = self.dated.iter().map(|dated| dated.strike).max().unwrap_or(0);
        let units = self.dated.iter().map(|dated| (dated.units as f64).abs()).sum();
        let mut kept = Kept { first, near_cost, near, all: None, later: 0, top, units };
        if first != last {
            // A tail without a floor that counts to a price is reckoned from the beginning.
            let floors = !self.carry.naked && fits_with(units, top, self.carry.tail);
            kept.later = floors.then(|| self.later(until, first))??;
            let fixed = self.pieces(first)?;
            kept.all = Some(into.add(&self.pieces, fixed));
        }
        Some(kept)
    }

    /// What settlements behind the first lose at their own worst; `None` for no floor.
    fn later(&mut self, mut from: usize, first: u64) -> Option<Money> {
        let mut loss = self.early_after(first);
        while from < self.dated.len() {
            let settles = self.dated[from].settles;
            let until = self.dated.partition_point(|dated| dated.settles <= settles);
            self.take(from, until);
            let years = (settles - first) as f64 / YEAR_NS;
            let worst = self.discounted(self.worst(), years);
            if worst == -UNBOUNDED {
                return None;
            }
            loss = loss.saturating_sub(worst);
            from = until;
        }
        Some(loss)
    }

    fn gather(&mut self, book: &[Dated], order: &[Dated]) -> Option<()> {
        self.dated.clear();
        // One more may be added.
        (book.len() + order.len() < self.room).then(|| self.merge(book, order))
    }

    /// Of what lies in `dated`.
    fn reckon(&mut self, cash: i128) -> Money {
        let first = self.dated.iter().map(|dated| dated.settles).find(|settles| *settles > 0);
        let last = self.dated.last().map_or(0, |dated| dated.settles);
        let own = self.separate(cash);
        if first.is_none_or(|first| first == last) {
            return own;
        }
        let first = first.unwrap_or(0);
        let bound = self.across(first, cash);
        own.saturating_add(self.early_after(first)).min(bound)
    }

    /// What early exercise may add to what later settlements lose at their own worst.
    fn early_after(&self, first: u64) -> Money {
        let near = self.dated.partition_point(|dated| dated.settles <= first);
        let top = self.dated.iter().map(|dated| dated.strike).max().unwrap_or(0);
        let cap = tail_price(top, self.carry.tail);
        let later = self.dated[near..].chunk_by(|a, b| a.settles == b.settles);
        let cost = later.map(|group| {
            let years = (group[0].settles - first) as f64 / YEAR_NS;
            self.early(group, years, cap)
        });
        // A cost beyond the integers is one without a bound; the cast saturates there.
        (cost.sum::<f64>() * (1.0 + 1e-12)) as Money + 1
    }

    /// What American shorts may be worth more than European ones.
    fn early(&self, dated: &[Dated], years: f64, cap: i64) -> f64 {
        let (rate, dividends) = (self.carry.rate * years, self.carry.dividends * years);
        let shorts = dated.iter().filter(|dated| dated.american && dated.units < 0);
        let each = shorts.map(|short| {
            let units = -(short.units as f64);
            match short.claim {
                0 => units * cap as f64 * dividends,
                1 => units * short.strike as f64 * rate,
                _ => 0.0,
            }
        });
        each.sum()
    }

    fn merge<'a>(&mut self, mut a: &'a [Dated], mut b: &'a [Dated]) {
        while let (Some(one), Some(other)) = (a.first(), b.first()) {
            let list = if one <= other { &mut a } else { &mut b };
            self.dated.push(list[0]);
            *list = &list[1..];
        }
        self.dated.extend_from_slice(a);
        self.dated.extend_from_slice(b);
    }

    /// Each settlement at its own worst. What does not settle goes with the nearest one.
    fn separate(&mut self, cash: i128) -> Money {
        let (mut from, mut loss) = (0, fit(-cash));
        let first = self.group(0);
        while from < self.dated.len() {
            let settles = self.group(from);
            let until = self.dated.partition_point(|dated| dated.settles <= settles);
            self.take(from, until);
            let years = settles.saturating_sub(first) as f64 / YEAR_NS;
            let worst = self.discounted(self.worst(), years);
            loss = if worst == -UNBOUNDED || loss == UNBOUNDED {
                UNBOUNDED
            } else {
                loss.saturating_sub(worst)
            };
            from = until;
        }
        loss
    }

    /// What is certain to come later is worth less now; what is owed later is taken as it is.
    fn discounted(&self, worst: Money, years: f64) -> Money {
        let less = (worst.max(0) as f64 * self.carry.rate * years * (1.0 + 1e-12)) as Money;
        worst - less - Money::from(less > 0)
    }

    fn group(&self, from: usize) -> u64 {
        if self.dated.is_empty() {
            return 0;
        }
        let settles = |dated: &Dated| dated.settles;
        self.dated[from..].iter().map(settles).find(|&s| s > 0).unwrap_or(0)
    }

    /// Puts a stretch of the dated claims into the list of claims, by strike.
    fn take(&mut self, from: usize, until: usize) {
        self.claims.clear();
        self.claims.extend(self.dated[from..until].iter().map(Dated::claimed));
        if self.dated[from].settles != self.dated[until - 1].settles {
            self.claims.sort_unstable_by_key(|claimed| claimed.strike);
        }
    }

    fn worst(&self) -> Money {
        let found = together(&self.claims, &[], 0).worst;
        if found != -UNBOUNDED || !self.carry.naked {
            return found;
        }
        let mut walk = Walk::new([&self.claims, &[]], 0);
        let mut worst = walk.value;
        while walk.step() {
            worst = worst.min(walk.value);
        }
        let cap = tail_price(walk.at, self.carry.tail);
        fit(worst.min(walk.value + walk.slope * i128::from(cap - walk.at)))
    }

    /// The bound of the module's documentation.
    fn across(&mut self, first: u64, cash: i128) -> Money {
        let top = self.dated.iter().map(|dated| dated.strike).max().unwrap_or(0);
        if !self.fits(top) {
            return UNBOUNDED;
        }
        let Some(fixed) = self.pieces(first) else { return UNBOUNDED };
        let cap = tail_price(top, self.carry.tail);
        let naked = self.carry.naked.then_some(cap);
        // Rounded to the side of the larger loss.
        least(&self.pieces, fixed + cash * FINE, naked)
            .map_or(UNBOUNDED, |least| fit(-least.div_euclid(FINE)))
    }

    /// The bound's pieces by strike, in 2⁻²⁰ of a unit, and what belongs to no price; `None` where
    /// a later settlement has no floor, or there are too many.
    fn pieces(&mut self, first: u64) -> Option<i128> {
        let near = self.dated.partition_point(|dated| dated.settles <= first);
        let top = self.dated.iter().map(|dated| dated.strike).max().unwrap_or(0);
        let cap = tail_price(top, self.carry.tail);
        let (mut fixed, mut from, mut groups) = (0, near, 0);
        let mut pieces = core::mem::take(&mut self.pieces);
        pieces.clear();
        for dated in &self.dated[..near] {
            let claimed = dated.claimed();
            pieces.push(Claimed { units: claimed.units.saturating_mul(FINE as i64), ..claimed });
        }
        while from < self.dated.len() && groups < GROUPS_MAX {
            let settles = self.dated[from].settles;
            let until = self.dated.partition_point(|dated| dated.settles <= settles);
            let years = (settles - first) as f64 / YEAR_NS;
            let Some(floor) = self.envelope(from, until, &mut pieces) else {
                self.pieces = pieces;
                return None;
            };
            fixed += floor.at_zero * FINE;
            fixed -= self.cost(&self.dated[from..until], floor, years, cap) * FINE;
            groups += 1;
            from = until;
        }
        pieces.sort_unstable_by_key(|claimed| claimed.strike);
        self.pieces = pieces;
        (from == self.dated.len()).then_some(fixed)
    }

    /// Whether no product of the reckoning can leave its integers.
    fn fits(&self, top: i64) -> bool {
        let units: f64 = self.dated.iter().map(|dated| (dated.units as f64).abs()).sum();
        fits_with(units, top, self.carry.tail)
    }

    /// Adds conv f of a stretch to `pieces`, less its value at 0. `None` where it has no floor.
    fn envelope(&mut self, from: usize, until: usize, pieces: &mut Vec<Claimed>) -> Option<Floor> {
        self.claims.clear();
        self.claims.extend(self.dated[from..until].iter().map(Dated::claimed));
        let mut walk = Walk::new([&self.claims, &[]], 0);
        self.hull.clear();
        self.hull.push((0, walk.value));
        while walk.step() {
            while self.hull.len() > 1 && is_above(&self.hull, (walk.at, walk.value)) {
                self.hull.pop();
            }
            if self.hull.last().is_some_and(|last| last.0 < walk.at) {
                self.hull.push((walk.at, walk.value));
            }
        }
        if walk.slope < 0 {
            return None;
        }
        // No piece may rise faster than the last one.
        while self.hull.len() > 1 && last_slope(&self.hull) > walk.slope * FINE {
            self.hull.pop();
        }
        let mut before = 0;
        let slopes = self.hull.windows(2).map(|pair| (pair[0].0, slope(pair[0], pair[1])));
        let last = self.hull.last().map(|&(at, _)| (at, walk.slope * FINE));
        for (at, slope) in slopes.chain(last) {
            let units = i64::try_from(slope - before).ok()?;
            before = slope;
            let claim = if at == 0 { Claim::Price } else { Claim::Call };
            pieces.push(Claimed { claim, strike: at, units });
        }
        Some(Floor { at_zero: self.hull[0].1, last_slope: walk.slope })
    }

    /// What rates, dividends and early exercise may take from the floor, rounded up.
    fn cost(&self, dated: &[Dated], floor: Floor, years: f64, cap: i64) -> i128 {
        let rate = self.carry.rate * years;
        let dividends = self.carry.dividends * years;
        let cost = floor.at_zero.max(0) as f64 * rate
            + floor.last_slope.max(0) as f64 * cap as f64 * dividends
            + self.early(dated, years, cap);
        // More than the rounding of all products and sums.
        (cost * (1.0 + 1e-12)) as i128 + 1
    }
}

/// Settlements of one root that the bound looks at; of more it says nothing.
pub(super) const GROUPS_MAX: usize = 32;

/// An envelope at price 0, and its last slope.
#[derive(Clone, Copy, Debug)]
struct Floor {
    at_zero: i128,
    last_slope: i128,
}

/// What is lost of claims that may come to owe so much and have cost so much.
pub(super) fn at_cost(owed: Money, cost: i128) -> Money {
    if owed == UNBOUNDED { owed } else { fit(i128::from(owed) + cost) }
}

fn fits(units: f64, top: i64) -> bool {
    let top = top as f64;
    units < (1u64 << 42) as f64 && units * top * top < 1e37
}

fn fits_with(units: f64, top: i64, tail: f64) -> bool {
    fits(units, top) && (top as f64) * tail < 9e18
}

fn tail_price(top: i64, multiple: f64) -> i64 {
    let price = top as f64 * multiple;
    if price < 9.2e18 { price as i64 } else { i64::MAX }
}

/// Least value of pieces over all prices; with a cap, up to it where the tail has no floor.
fn least(pieces: &[Claimed], fixed: i128, cap: Option<i64>) -> Option<i128> {
    let mut walk = Walk::new([pieces, &[]], fixed);
    let mut least = walk.value;
    while walk.step() {
        least = least.min(walk.value);
    }
    if walk.slope >= 0 {
        return Some(least);
    }
    cap.map(|cap| least.min(walk.value + walk.slope * i128::from(cap - walk.at)))
}

/// Slope between two points, in 2⁻²⁰ of a unit, rounded down.
fn slope(a: (i64, i128), b: (i64, i128)) -> i128 {
    ((b.1 - a.1) * FINE).div_euclid(i128::from(b.0 - a.0))
}

fn last_slope(hull: &[(i64, i128)]) -> i128 {
    let [.., a, b] = hull else { return i128::MIN };
    slope(*a, *b)
}

/// Whether the last point lies on or above the line from the one before it to `next`.
fn is_above(hull: &[(i64, i128)], next: (i64, i128)) -> bool {
    let [.., a, b] = hull else { return false };
    (b.1 - a.1) * i128::from(next.0 - a.0) >= (next.1 - a.1) * i128::from(b.0 - a.0)
}
