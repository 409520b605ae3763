//! An intent and the market in; the order as the limits see it out: legs, quotes, nets, payoff.

use super::{
    dollars::{Dollars, known_greeks, multiplier, reference},
    horizon::{Dated, Kept, Reckoner, at_cost},
    ledger::{Ledger, Root, covering, dated, root_of, settles_of},
    margin::Naked,
    payoff::{Claim, Claimed, Extremes, together},
};
use crate::{
    book::{Desk, Money, OrderLeg, Sheet, UNBOUNDED, fit, unit, value},
    chain::{Chain, Instrument, NO_EXPIRY, NO_ROOT, Quote, Root as Rules, Tape},
    wire::{
        Event, Price,
        market::Greeks,
        order::{LEGS_MAX, Leg, Order, Purpose},
    },
};

/// Legs of an intent as they come in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub(super) head: Order,
    pub(super) cause: Event,
    pub(super) legs: [(u32, Leg); LEGS_MAX],
    pub(super) count: usize,
    pub(super) broken: bool,
}

impl Draft {
    pub(super) fn new(event: &Event) -> Draft {
        Draft {
            head: *event.body(),
            cause: *event,
            legs: [(0, bytemuck::Zeroable::zeroed()); LEGS_MAX],
            count: 0,
            broken: false,
        }
    }

    /// Adds a leg; whether the intent is complete.
    pub(super) fn add(&mut self, event: &Event) -> bool {
        let leg: &Leg = event.body();
        let fits = leg.order == self.head.id && usize::from(leg.index) == self.count;
        self.broken |= !fits || self.count >= LEGS_MAX;
        if self.count < LEGS_MAX {
            self.legs[self.count] = (event.instrument, *leg);
        }
        self.count += 1;
        self.count >= usize::from(self.head.legs)
    }

    /// Whether legs are as a broker could take them.
    pub(super) fn is_sound(&self) -> bool {
        let count = usize::from(self.head.legs);
        if self.broken || count == 0 || count > LEGS_MAX || count != self.count {
            return false;
        }
        let legs = &self.legs[..count];
        let plain = |(_, leg): &(u32, Leg)| (leg.side == 1 || leg.side == -1) && leg.ratio > 0;
        let twice = (1..count).any(|i| legs[..i].iter().any(|other| other.0 == legs[i].0));
        let known = self.head.purpose.name() != "unknown";
        legs.iter().all(plain) && !twice && known && self.head.quantity > 0
    }
}

/// A leg with all that the chain knows of it: looked up once, read by many limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) index: u32,
    pub(super) leg: Leg,
    pub(super) terms: Option<&'a Instrument>,
    /// The root that it moves with, [`NO_ROOT`] for none, and its rules.
    pub(super) root: u16,
    pub(super) rules: Option<&'a Rules>,
    /// When its claim settles; 0 for what is the price itself.
    pub(super) settles: u64,
    pub(super) quote: Quote,
    pub(super) tape: Tape,
    pub(super) greeks: Option<Greeks>,
    /// What its underlying is worth; NaN where that is not known.
    pub(super) spot: f64,
    /// Units of a contract; 0 where they are not known.
    pub(super) multiplier: i64,
    /// Contracts in all, and as limits count them.
    pub(super) contracts: i64,
    pub(super) counted: u64,
}

impl<'a> View<'a> {
    /// A place that no leg takes.
    pub(super) const NONE: View<'static> = View {
        index: 0,
        leg: Leg {
            order: 0,
            price: Price::UNDEF,
            ratio: 0,
            side: 0,
            index: 0,
            reserved: 0,
            reserved2: 0,
        },
        terms: None,
        root: NO_ROOT,
        rules: None,
        settles: 0,
        quote: Quote::NONE,
        tape: Tape::NONE,
        greeks: None,
        spot: f64::NAN,
        multiplier: 0,
        contracts: 0,
        counted: 0,
    };

    pub(super) fn new(chain: &'a Chain, head: &Order, (index, leg): (u32, Leg)) -> View<'a> {
        let contracts = i64::from(head.quantity).saturating_mul(i64::from(leg.ratio));
        let none = View { index, leg, contracts, counted: contracts.unsigned_abs(), ..View::NONE };
        let Some(terms) = chain.instrument(index) else { return none };
        let root = root_of(chain, terms);
        let spot = reference(chain, terms, index).unwrap_or(f64::NAN);
        View {
            terms: Some(terms),
            root,
            rules: chain.root(root),
            settles: settles_of(terms),
            quote: chain.quote(index),
            tape: chain.tape(index),
            greeks: known_greeks(chain, index),
            spot,
            multiplier: multiplier(terms),
            counted: covering(chain, terms, contracts),
            ..none
        }
    }

    /// Contracts with their sign.
    pub(super) fn signed(&self) -> i64 {
        self.contracts.saturating_mul(self.leg.side.into())
    }

    /// Contracts × multiplier, with their sign.
    pub(super) fn units(&self) -> i64 {
        self.signed().saturating_mul(self.multiplier)
    }

    /// Exposures of the leg; `None` where something of it is not known.
    pub(super) fn dollars(&self) -> Option<Dollars> {
        let terms = self.terms.filter(|_| !self.spot.is_nan())?;
        Dollars::at(terms, self.spot, self.greeks.as_ref(), self.units())
    }

    pub(super) fn is_option(&self) -> bool {
        self.terms.is_some_and(|terms| terms.class.is_option())
    }

    /// What its underlying is worth, 1e-9; `None` where that is not known.
    pub(super) fn spot_price(&self) -> Option<i64> {
        Some(Price::from_f64(self.spot)).filter(|price| price.is_defined()).map(|price| price.0)
    }

    /// Its theoretical value; NaN where that is not known.
    pub(super) fn theory(&self) -> f64 {
        self.greeks.map_or(f64::NAN, |greeks| f64::from(greeks.price))
    }

    /// The side that it would hit: what it pays or gets at once, 1e-9; `None` where it is absent.
    pub(super) fn far(&self) -> Option<i64> {
        let price = if self.leg.side > 0 { self.quote.ask } else { self.quote.bid };
        Some(Price::from_f64(price)).filter(|price| price.is_defined()).map(|price| price.0)
    }

    /// Contracts displayed there.
    pub(super) fn displayed(&self) -> u32 {
        if self.leg.side > 0 { self.quote.ask_size } else { self.quote.bid_size }
    }

    /// Strike in 1e-9, its own price where it is no option.
    pub(super) fn strike(&self) -> i64 {
        let strike = self.terms.map_or(f64::NAN, |terms| terms.strike);
        let strike = Price::from_f64(strike);
        if strike.is_defined() { strike.0 } else { self.leg.price.0 }
    }

    /// Whether its price is defined, not negative and on its tick.
    pub(super) fn is_on_tick(&self) -> bool {
        let price = self.leg.price;
        if !price.is_defined() || price.0 < 0 {
            return false;
        }
        let tick = self.rules.map_or(f64::NAN, |rules| match self.is_option() {
            true => rules.tick(price.to_f64()),
            false => rules.underlying_tick,
        });
        let tick = Price::from_f64(tick);
        tick.is_defined() && tick.0 > 0 && price.0 % tick.0 == 0
    }
}

/// What an order comes to at settlement, alone and with what is held beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outlook {
    /// Worst loss of the order with its fees: alone, or what it adds to the worst loss of its roots
    /// where it has no bound alone or changes a package. `None` where it cannot be known.
    pub(super) order_loss: Option<Money>,
    /// Worst loss of the expiries that it touches, with all that is held and worked in them.
    pub(super) expiry_loss: Option<Money>,
    /// Worst loss of all that is held or worked in its roots, over their expiries.
    pub(super) root_loss: Option<Money>,
    /// The same of the whole book.
    pub(super) book_loss: Option<Money>,
    /// Whether what would be held in its roots has no bound, and what is held has one.
    pub(super) uncovers: bool,
    /// Most that its legs can be worth, before what is paid for them.
    pub(super) best: Option<Money>,
    /// What is paid at the limit, with fees.
    pub(super) paid: Money,
    /// Margin of the book with the order.
    pub(super) margin: Option<Money>,
    /// Its first root.
    pub(super) root: u16,
}

impl Outlook {
    const UNKNOWN: Outlook = Outlook {
        order_loss: None,
        expiry_loss: None,
        root_loss: None,
        book_loss: None,
        uncovers: true,
        best: None,
        paid: Money::MAX,
        margin: None,
        root: NO_ROOT,
    };

    /// Of an order beside the book as the ledger has it.
    pub(super) fn of(
        desk: &Desk,
        head: &Order,
        views: &[View<'_>],
        ledger: &Ledger,
        reckoner: &mut Reckoner,
        naked: &Naked,
    ) -> Outlook {
        let mut legs = [NOTHING; LEGS_MAX];
        let mut spots = [(NO_ROOT, None); LEGS_MAX];
        for ((to, spot), view) in legs.iter_mut().zip(&mut spots).zip(views) {
            let claim =
                view.terms.and_then(|t| dated(&desk.chain, t, view.signed(), view.multiplier));
            let Some(claim) = claim else { return Outlook::UNKNOWN };
            *to = claim;
            *spot = (claim.root, view.spot_price());
        }
        let legs = &mut legs[..views.len()];
        let Some(root) = legs.first().map(|leg| leg.root) else { return Outlook::UNKNOWN };
        legs.sort_unstable_by_key(|leg| (leg.root, *leg));
        let paid = paid(desk, head, views);
        let spots = &spots[..views.len()];
        let follows = head.purpose == Purpose::CHANGE;
        Sums { ledger, reckoner, naked, legs, paid, spots, follows }.outlook(root)
    }
}

const NOTHING: Dated =
    Dated { settles: 0, strike: 0, root: NO_ROOT, claim: 2, american: true, units: 0, cost: 0 };

/// An order's claims by root, beside the book's.
struct Sums<'a> {
    ledger: &'a Ledger,
    reckoner: &'a mut Reckoner,
    naked: &'a Naked,
    legs: &'a [Dated],
    paid: Money,
    /// Price of the underlying of each leg's root, 1e-9.
    spots: &'a [(u16, Option<i64>)],
    /// It changes a package that is held, and is nothing alone.
    follows: bool,
}

impl Sums<'_> {
    fn spot(&self, root: u16) -> Option<i64> {
        self.spots.iter().find(|spot| spot.0 == root)?.1
    }

    fn outlook(mut self, root: u16) -> Outlook {
        let paid = Some(self.paid);
        let (mut alone, mut near, mut whole) = (paid, paid, paid);
        let (mut held, mut best) = (Some(0), Some(0));
        let mut margin = Some(0);
        let mut uncovers = false;
        let ledger = self.ledger;
        for legs in self.legs.chunk_by(|a, b| a.root == b.root) {
            let row = ledger.root(legs[0].root);
            let (own, most) = self.alone(legs);
            let with = self.joint(row, legs, own);
            alone = add(alone, own);
            uncovers |= with.loss.is_none_or(|loss| loss == UNBOUNDED) && row.loss != UNBOUNDED;
            margin = add(margin, with.needs);
            near = add(add(near, with.beside), Some(row.working));
            whole = add(add(whole, with.loss), Some(row.working));
            held = add(held, Some(row.loss));
            best = add(best, Some(most));
        }
        let added = whole_less(whole, held, &self);
        let within = self.follows || alone == Some(UNBOUNDED);
        let order_loss = if within { added } else { alone };
        let rest = self.ledger.roots().iter().filter(|row| self.is_elsewhere(row.root));
        let book_loss =
            rest.fold(whole, |sum, row| add(add(sum, Some(row.loss)), Some(row.working)));
        let rest = self.ledger.roots().iter().filter(|row| self.is_elsewhere(row.root));
        let margin = rest.fold(margin, |sum, row| add(sum, row.margin));
        Outlook {
            order_loss,
            expiry_loss: near,
            root_loss: whole,
            book_loss,
            uncovers,
            best,
            paid: self.paid,
            margin,
            root,
        }
    }

    /// What an order's legs on one root lose, and the most that they gain, by themselves.
    fn alone(&mut self, legs: &[Dated]) -> (Option<Money>, Money) {
        match self.reckoner.at_once(legs) {
            Some(Extremes { worst, best }) => (Some(-worst), best),
            None => (self.reckoner.owed(&[], legs, None), most(legs)),
        }
    }

    /// What is held in a root comes to with an order's legs; `alone` is what those lose.
    fn joint(&mut self, row: &Root, legs: &[Dated], alone: Option<Money>) -> Joint {
        if let Some((near, owed, kept)) = self.at_once(row, legs) {
            return Joint {
                loss: Some(at_cost(owed, row.cost)),
                needs: Some(owed.max(0)),
                beside: Some(fit(kept.near_cost - near)),
            };
        }
        let claims = self.ledger.claims(row);
        let nothing = claims.is_empty();
        let owed = if nothing { alone } else { self.reckoner.owed(claims, legs, None) };
        let loss = owed.map(|owed| at_cost(owed, row.cost));
        let spot = row.spot.or_else(|| self.spot(legs[0].root));
        let needs = self.naked.margin(self.reckoner, [claims, legs], owed, spot);
        Joint { loss, needs, beside: self.beside(claims, legs, loss) }
    }

    /// What the nearest settlement is worth at the least and what the root may owe with the order,
    /// where that is known from what was kept and has a floor.
    fn at_once<'r>(&self, row: &'r Root, legs: &[Dated]) -> Option<(i128, Money, &'r Kept)> {
        let kept = row.kept.as_ref()?;
        let (near, owed) = kept.with(self.ledger.curves(), legs)?;
        (owed < UNBOUNDED).then_some((near, owed, kept))
    }

    fn is_elsewhere(&self, root: u16) -> bool {
        self.legs.iter().all(|leg| leg.root != root)
    }

    /// With what settles together with the order alone; an order on the underlying goes with all
    /// of it. Where that is all that there is in the root, it is what was reckoned for the root.
    fn beside(&mut self, claims: &[Dated], legs: &[Dated], with: Option<Money>) -> Option<Money> {
        let touches = |dated: &Dated| legs.iter().any(|leg| leg.settles == dated.settles);
        let counts = |dated: &Dated| dated.settles == 0 || touches(dated);
        let whole = legs.iter().any(|leg| leg.settles == 0) || claims.iter().all(counts);
        if whole { with } else { self.reckoner.loss(claims, legs, counts) }
    }
}

/// One root with an order: its worst loss, the margin that it needs, and the worst loss of what
/// settles together with the order.
#[derive(Clone, Copy, Debug)]
struct Joint {
    loss: Option<Money>,
    needs: Option<Money>,
    beside: Option<Money>,
}

/// What the order adds to the worst loss of its roots, working orders apart.
fn whole_less(whole: Option<Money>, held: Option<Money>, sums: &Sums<'_>) -> Option<Money> {
    let roots = sums.legs.chunk_by(|a, b| a.root == b.root);
    let working =
        roots.fold(0i64, |sum, legs| sum.saturating_add(sums.ledger.root(legs[0].root).working));
    match (whole?, held?) {
        (UNBOUNDED, _) | (_, UNBOUNDED) => Some(UNBOUNDED),
        (whole, held) => Some(whole.saturating_sub(working).saturating_sub(held)),
    }
}

/// Most that claims can be worth, each settlement at its own best. What does not settle goes with
/// the nearest one, and comes first.
fn most(legs: &[Dated]) -> Money {
    let each = legs.chunk_by(|a, b| a.settles == b.settles || a.settles == 0).map(|group| {
        let mut claims = [Claimed { claim: Claim::Call, strike: 0, units: 0 }; LEGS_MAX];
        for (to, leg) in claims.iter_mut().zip(group) {
            *to = leg.claimed();
        }
        together(&claims[..group.len()], &[], 0).best
    });
    each.fold(0, |sum, best| if best == UNBOUNDED { best } else { best.saturating_add(sum) })
}

/// Units that the limit is for; 0 where there are none.
pub(super) fn unit_of(views: &[View<'_>]) -> i64 {
    unit(views.iter().map(|view| view.multiplier))
}

/// What is paid at the limit, with fees.
fn paid(desk: &Desk, head: &Order, views: &[View<'_>]) -> Money {
    let net = value(head.limit.0, i64::from(head.quantity), unit_of(views));
    views.iter().fold(net, |sum, view| {
        let (index, price) = (view.index, view.leg.price.0);
        sum.saturating_add(desk.book.charge(index, view.signed(), price, view.multiplier))
    })
}

fn add(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    match (a?, b?) {
        (UNBOUNDED, _) | (_, UNBOUNDED) => Some(UNBOUNDED),
        (a, b) => Some(a.saturating_add(b)),
    }
}

/// The approved order as the book enters it.
pub(super) fn sheet(draft: &Draft, views: &[View<'_>], loss: Money) -> Sheet {
    let mut legs = [OrderLeg::default(); LEGS_MAX];
    for (to, view) in legs.iter_mut().zip(views) {
        *to = OrderLeg {
            instrument: view.index,
            ratio: view.leg.ratio,
            side: i64::from(view.leg.side),
            multiplier: view.multiplier,
            price: view.leg.price.0,
            filled: 0,
        };
    }
    let option = views.iter().find(|view| view.is_option()).and_then(|view| view.terms);
    let expiry = option.map_or(NO_EXPIRY, |terms| terms.expiry);
    let loss = if draft.head.purpose.opens() { loss } else { 0 };
    Sheet { head: draft.head, legs, loss, expiry, sent: draft.cause.ts_recv }
}
