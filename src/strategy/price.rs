//! A leg's quote and how eager we are in; the price to reckon with out, on its tick.

use super::turn::{Ticket, TicketLeg};
use crate::{
    book::Desk,
    chain::Chain,
    wire::{
        Price,
        order::{LEGS_MAX, Purpose},
    },
};

/// How far a price goes from the mid (0 of `steps`) to the far side (`steps`), then beyond it by
/// `beyond` ticks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Eagerness {
    pub(super) step: u32,
    pub(super) steps: u32,
    pub(super) beyond: u32,
}

impl Eagerness {
    /// At the far side.
    pub(super) const FAR: Eagerness = Eagerness { step: 1, steps: 1, beyond: 0 };

    /// The `step`th try: the mid first, `steps` later the far side, then a tick more each time up
    /// to `beyond_max`.
    pub(super) fn of(step: u32, steps: u32, beyond_max: u32) -> Eagerness {
        let beyond = step.saturating_sub(steps).min(beyond_max);
        Eagerness { step: step.min(steps), steps, beyond }
    }
}

/// The price for a leg; `None` where a buyer finds no offer, or the tick is unknown.
///
/// An absent bid counts as nothing: a worthless long can be given away. Rounding is to our side
/// until the far side is reached, so that a step never overshoots.
pub(super) fn leg(chain: &Chain, instrument: u32, side: i8, eager: Eagerness) -> Option<i64> {
    let quote = chain.quote(instrument);
    let bid = Some(Price::from_f64(quote.bid)).filter(|p| p.is_defined()).map_or(0, |p| p.0);
    let ask = Some(Price::from_f64(quote.ask)).filter(|p| p.is_defined()).map(|p| p.0);
    let (near, far) = if side > 0 { (bid, ask?) } else { (ask.unwrap_or(bid), bid) };
    let mid = (near + far) / 2;
    let (step, steps) = (i64::from(eager.step), i64::from(eager.steps.max(1)));
    let wanted = mid + (far - mid) * step / steps;
    let tick = Price::from_f64(chain.tick_of(instrument, Price(wanted).to_f64()));
    let tick = Some(tick.0).filter(|size| tick.is_defined() && *size > 0)?;
    let up = (side > 0) == (eager.step >= eager.steps);
    let on_tick = (if up { wanted + tick - 1 } else { wanted }) / tick * tick;
    let price = on_tick + i64::from(side) * i64::from(eager.beyond) * tick;
    Some(price.max(0))
}

/// A leg of an instrument, without side, ratio and price.
pub(super) fn of(chain: &Chain, instrument: u32) -> TicketLeg {
    let terms = chain.instrument(instrument);
    let multiplier = terms.map_or(0, |terms| terms.multiplier as i64);
    TicketLeg { instrument, multiplier, ..TicketLeg::default() }
}

/// A ticket that closes exactly what a package holds, whatever is left of it: uneven legs get
/// ratios. Of more lines than an order has legs, and where it is asked for, only what is owed.
/// `None` where there is nothing, a leg has no price, or there are more than an order has.
pub(super) fn closing(
    desk: &Desk,
    package: u64,
    purpose: Purpose,
    eager: Eagerness,
    owed: bool,
) -> Option<Ticket> {
    let lines = desk.book.package(package)?.lines();
    let owed = owed || lines.iter().filter(|line| line.held != 0).count() > LEGS_MAX;
    let lines =
        || lines.iter().filter(move |line| if owed { line.held < 0 } else { line.held != 0 });
    let contracts = |held: i64| u32::try_from(held.unsigned_abs()).ok();
    let quantity = lines().try_fold(0, |all, line| Some(gcd(all, contracts(line.held)?)))?;
    let mut ticket =
        Ticket { purpose, package, quantity, count: 0, legs: [TicketLeg::default(); LEGS_MAX] };
    for line in lines().take(LEGS_MAX) {
        let side = -line.held.signum() as i8;
        let price = leg(&desk.chain, line.instrument, side, eager)?;
        let ratio = contracts(line.held)? / quantity;
        let multiplier = line.multiplier;
        let place = ticket.legs.get_mut(ticket.count)?;
        *place = TicketLeg { instrument: line.instrument, side, ratio, multiplier, price };
        ticket.count += 1;
    }
    (ticket.count > 0).then_some(ticket)
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}
