//! What is about to be sent and what was approved in; whether they are the same out.
//!
//! The last look before the write, by another way than the one that made the bytes: the message is
//! framed and parsed as the broker will, and what it says is compared with the approved order
//! (the lesson of August 2012: nothing stood between the router and the exchange).

use super::{encoder::LegFacts, facts::Facts};
use crate::{
    feed::fix::{
        field::{Fields, decimal, number},
        frame::{Step, step},
    },
    wire::order::{Leg, Order, order_of},
};

/// Whether `message` says exactly `order` with `legs`.
#[inline]
pub(super) fn says(message: &[u8], order: &Order, legs: &[LegFacts<'_>]) -> bool {
    let Step::Message { body, len } = step(message) else { return false };
    let mut said = Said::default();
    let mut fields = Fields::new(body);
    for (tag, value) in fields.by_ref() {
        said.take(tag, value, order, legs);
    }
    let whole = if legs.len() == 1 { SINGLE } else { COMBO };
    let leg_fields: u32 = legs.iter().map(|(_, facts)| expected(facts)).sum();
    len == message.len()
        && fields.is_clean()
        && !said.wrong
        && said.order == whole
        && said.legs == legs.len() as u32
        && said.leg_fields == leg_fields
}

const ID: u8 = 1;
const QUANTITY: u8 = 2;
const PRICE: u8 = 4;
const LIMIT: u8 = 8;
const COUNT: u8 = 16;
const SINGLE: u8 = ID | QUANTITY | PRICE | LIMIT;
const COMBO: u8 = SINGLE | COUNT;

/// Fields of a leg that are compared: ratio, side and code, a date where there is one, and for an
/// option the strike.
fn expected(facts: &Facts) -> u32 {
    3 + u32::from(facts.date != [0; 8]) + u32::from(facts.class.is_option())
}

/// What has been seen of a message so far.
#[derive(Debug, Default)]
struct Said {
    /// Bits of the order's own fields; a repeated one counts as wrong.
    order: u8,
    /// Legs begun.
    legs: u32,
    /// Fields of legs that agreed.
    leg_fields: u32,
    wrong: bool,
}

impl Said {
    fn once(&mut self, bit: u8, right: bool) {
        self.wrong |= !right || self.order & bit != 0;
        self.order |= bit;
    }

    fn leg(&mut self, right: bool) {
        self.wrong |= !right;
        self.leg_fields += 1;
    }

    fn take(&mut self, tag: u32, value: &[u8], order: &Order, legs: &[LegFacts<'_>]) {
        match tag {
            11 => self.once(ID, order_of(value) == Some(order.id)),
            40 => self.once(LIMIT, value == b"2"),
            555 => self.once(COUNT, number(value) == Some(legs.len() as u64)),
            38 | 44 if legs.len() == 1 => self.take_single(tag, value, order, legs[0].0),
            38 => self.once(QUANTITY, number(value) == Some(u64::from(order.quantity))),
            44 => self.once(PRICE, decimal(value) == Some(order.limit.0)),
            54 if legs.len() > 1 => self.wrong |= value != b"B",
            // A leg begins with its symbol; a single order's instrument stands for its only leg.
            55 if legs.len() == 1 => self.begin(value, legs),
            600 => self.begin(value, legs),
            54 | 202 | 461 | 541 | 608 | 611 | 612 | 623 | 624 => {
                let Some((leg, facts)) = legs.get(self.legs.wrapping_sub(1) as usize) else {
                    self.wrong = true;
                    return;
                };
                self.take_leg(tag, value, leg, facts);
            }
            _ => {}
        }
    }

    fn begin(&mut self, root: &[u8], legs: &[LegFacts<'_>]) {
        self.wrong |= legs.get(self.legs as usize).is_none_or(|(_, facts)| facts.root() != root);
        self.legs += 1;
    }

    fn take_leg(&mut self, tag: u32, value: &[u8], leg: &Leg, facts: &Facts) {
        let right = match tag {
            54 | 624 => value == if leg.side > 0 { b"1" } else { b"2" },
            623 => number(value) == Some(u64::from(leg.ratio)),
            202 | 612 => decimal(value) == Some(facts.strike.0),
            541 | 611 => value == facts.date,
            _ => facts.code() == Some(value),
        };
        self.leg(right);
    }

    /// Quantity and price of a single order are per contract: multiplied up again, not divided.
    fn take_single(&mut self, tag: u32, value: &[u8], order: &Order, leg: &Leg) {
        if tag == 38 {
            let contracts = u64::from(order.quantity) * u64::from(leg.ratio);
            self.once(QUANTITY, number(value) == Some(contracts));
            // The ratio is in the quantity here and has no field of its own.
            self.leg_fields += 1;
        } else {
            let net = decimal(value).map(|p| i128::from(p) * i128::from(leg.ratio));
            let limit = i128::from(order.limit.0) * i128::from(leg.side.signum());
            self.once(PRICE, net == Some(limit));
        }
    }
}
