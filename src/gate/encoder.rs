//! Approved orders and session messages in, FIX 4.4 bytes out.

use super::{
    facts::Facts,
    settings::Broker,
    text::{Text, date_text},
};
use crate::{
    feed::fix::field::Fields,
    wire::{
        Price, Timestamp, UNDEF_TIME,
        order::{LEGS_MAX, Leg, Order, client_order_id},
    },
};
use std::{boxed::Box, format, vec::Vec};

/// A leg with what the broker must know of its instrument.
pub type LegFacts<'a> = (&'a Leg, &'a Facts);

/// Number and times of a message.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// MsgSeqNum (34).
    pub seq: u64,
    /// SendingTime (52), ns UTC.
    pub now: Timestamp,
    /// Exchange time of the event that caused it, or undefined: SecondaryClOrdID (526), by which
    /// the time from tick to order is measured from outside.
    pub cause: Timestamp,
}

/// What a cancel or an inquiry must repeat of its order.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The cancel's own number; an inquiry has none.
    pub id: u64,
    /// The order's.
    pub order: u64,
    /// Side (54): `1`, `2`, or `B` for a combination.
    pub side: u8,
    /// The order's quantity as it was sent.
    pub quantity: u64,
    /// Its first instrument; `None` where it is no longer known.
    pub facts: Option<&'a Facts>,
    /// It has several legs.
    pub combo: bool,
}

/// Writes messages into one buffer that is taken once. What does not change from order to order
/// is ready-made: identities, account, the instrument's fields.
#[derive(Debug)]
pub struct Encoder {
    text: Text,
    /// `49=…|56=…|34=`
    identity: Box<[u8]>,
    /// `1=…|21=1|100=…|`
    account: Box<[u8]>,
}

impl Encoder {
    /// For this session.
    pub fn new(broker: &Broker) -> Encoder {
        let identity =
            format!("\x0149={}\x0156={}\x0134=", broker.sender_comp_id, broker.target_comp_id);
        let mut account = Vec::new();
        for (tag, value) in [("1=", &*broker.account), ("21=", "1"), ("100=", &*broker.destination)]
        {
            if !value.is_empty() {
                account.extend_from_slice(format!("{tag}{value}\x01").as_bytes());
            }
        }
        Encoder {
            text: Text::new(),
            identity: identity.into_bytes().into(),
            account: account.into(),
        }
    }

    #[inline]
    fn begin(&mut self, kind: &[u8], seq: u64, now: Timestamp) -> &mut Text {
        self.text.clear();
        self.text.put(b"35=").put(kind).put(&self.identity);
        self.text.number(b"", seq).time(b"52=", now)
    }

    /// NewOrderSingle for one leg, NewOrderMultileg for more. `None` for what cannot be said: no
    /// legs or too many, a single leg whose price has the wrong sign or is not whole per contract.
    #[inline]
    pub fn order(&mut self, order: &Order, legs: &[LegFacts<'_>], stamp: Stamp) -> Option<&[u8]> {
        match legs {
            [leg] => self.single(order, leg, stamp)?,
            [first, ..] if legs.len() <= LEGS_MAX => self.combo(order, first.1, legs, stamp),
            _ => return None,
        }
        if stamp.cause != UNDEF_TIME {
            self.text.number(b"526=", stamp.cause);
        }
        self.text.finish()
    }

    fn single(&mut self, order: &Order, (leg, facts): &LegFacts<'_>, at: Stamp) -> Option<()> {
        let (price, quantity) = per_contract(order, leg)?;
        self.begin(b"D", at.seq, at.now).text(b"11=", &client_order_id(order.id));
        self.text
            .put(&self.account)
            .put(facts.single())
            .put(if order.purpose.opens() { b"77=O\x01" } else { b"77=C\x01" })
            .put(if leg.side > 0 { b"54=1\x01" } else { b"54=2\x01" })
            .time(b"60=", at.now)
            .number(b"38=", quantity)
            .put(b"40=2\x01")
            .price(b"44=", price)
            .put(b"59=0\x01");
        Some(())
    }

    fn combo(&mut self, order: &Order, first: &Facts, legs: &[LegFacts<'_>], at: Stamp) {
        self.begin(b"AB", at.seq, at.now).text(b"11=", &client_order_id(order.id));
        self.text
            .put(&self.account)
            .put(b"54=B\x01")
            .text(b"55=", first.root())
            .put(b"167=MLEG\x01")
            .number(b"555=", legs.len() as u64);
        for (leg, facts) in legs {
            self.text
                .put(facts.leg())
                .number(b"623=", u64::from(leg.ratio))
                .put(if leg.side > 0 { b"624=1\x01" } else { b"624=2\x01" })
                .number(b"687=", u64::from(leg.ratio) * u64::from(order.quantity))
                .put(if order.purpose.opens() { b"564=O\x01" } else { b"564=C\x01" })
                .number(b"654=", u64::from(leg.index));
        }
        self.text
            .time(b"60=", at.now)
            .number(b"38=", u64::from(order.quantity))
            .put(b"40=2\x01")
            .price(b"44=", order.limit)
            .put(b"59=0\x01");
    }

    /// OrderCancelRequest.
    pub fn cancel(&mut self, target: &Target<'_>, stamp: Stamp) -> Option<&[u8]> {
        self.begin(b"F", stamp.seq, stamp.now)
            .text(b"41=", &client_order_id(target.order))
            .text(b"11=", &client_order_id(target.id));
        self.target(target).time(b"60=", stamp.now);
        if target.quantity > 0 {
            self.text.number(b"38=", target.quantity);
        }
        self.text.finish()
    }

    /// OrderStatusRequest.
    pub fn inquiry(&mut self, target: &Target<'_>, stamp: Stamp) -> Option<&[u8]> {
        self.begin(b"H", stamp.seq, stamp.now).text(b"11=", &client_order_id(target.order));
        self.target(target).finish()
    }

    /// OrderMassStatusRequest for all orders.
    pub(super) fn all_orders(&mut self, request: u64, seq: u64, now: Timestamp) -> Option<&[u8]> {
        let text = self.begin(b"AF", seq, now).text(b"584=", &client_order_id(request));
        text.put(b"585=7\x01").finish()
    }

    /// RequestForPositions. Without an account of its own the client is the account.
    pub(super) fn all_positions(
        &mut self,
        broker: &Broker,
        request: u64,
        seq: u64,
        now: Timestamp,
    ) -> Option<&[u8]> {
        let named = !broker.account.is_empty();
        let account = if named { &broker.account } else { &broker.sender_comp_id };
        self.begin(b"AN", seq, now)
            .text(b"710=", &client_order_id(request))
            .put(b"724=0\x01")
            .text(b"1=", account.as_bytes())
            .put(b"581=1\x01")
            .text(b"715=", &date_text(now))
            .time(b"60=", now)
            .finish()
    }

    /// The order's instrument and side.
    fn target(&mut self, target: &Target<'_>) -> &mut Text {
        match target.facts {
            Some(facts) if !target.combo => self.text.put(facts.single()),
            Some(facts) => self.text.text(b"55=", facts.root()).put(b"167=MLEG\x01"),
            // FIX's word for a symbol that is not given.
            None => self.text.put(b"55=[N/A]\x01"),
        };
        self.text.text(b"54=", &[target.side])
    }

    /// Logon. The caller wipes the buffer after use: it may hold the password.
    pub(super) fn logon(
        &mut self,
        broker: &Broker,
        password: &str,
        seq: u64,
        now: Timestamp,
    ) -> Option<&[u8]> {
        let seconds = broker.heartbeat.nanos() / 1_000_000_000;
        let text = self.begin(b"A", seq, now).put(b"98=0\x01").number(b"108=", seconds);
        if broker.reset_on_logon {
            text.put(b"141=Y\x01");
        }
        text.optional(b"553=", &broker.username).optional(b"554=", password).finish()
    }

    /// Overwrites the buffer.
    pub(super) fn wipe(&mut self) {
        self.text.wipe();
    }

    /// A session message of type `kind` with at most one field of text (`tag` with its `=`).
    pub(super) fn admin(
        &mut self,
        kind: &[u8],
        (tag, value): (&[u8], &[u8]),
        seq: u64,
        now: Timestamp,
    ) -> Option<&[u8]> {
        let text = self.begin(kind, seq, now);
        if !value.is_empty() {
            text.text(tag, value);
        }
        text.finish()
    }

    /// ResendRequest from `begin` to infinity.
    pub(super) fn resend_request(&mut self, begin: u64, seq: u64, now: Timestamp) -> Option<&[u8]> {
        self.begin(b"2", seq, now).number(b"7=", begin).number(b"16=", 0).finish()
    }

    /// SequenceReset-GapFill: the numbers from `seq` to before `next` hold nothing to be repeated.
    pub(super) fn gap_fill(&mut self, seq: u64, next: u64, now: Timestamp) -> Option<&[u8]> {
        let text = self.begin(b"4", seq, now).put(b"43=Y\x01").time(b"122=", now);
        text.put(b"123=Y\x01").number(b"36=", next).finish()
    }

    /// A message again: the same number and content, marked as a possible duplicate, with the time
    /// of its first sending.
    pub(super) fn again(&mut self, body: &[u8], seq: u64, now: Timestamp) -> Option<&[u8]> {
        let value = |wanted: u32| Fields::new(body).find(|f| f.0 == wanted).map(|f| f.1);
        let (kind, sent) = (value(35)?, value(52)?);
        self.begin(kind, seq, now).put(b"43=Y\x01").text(b"122=", sent);
        // The header of our own messages ends with the sending time.
        let header = Fields::new(body).position(|f| f.0 == 52)?;
        for (tag, value) in Fields::new(body).skip(header + 1) {
            let (digits, from) = super::text::digits(u64::from(tag));
            self.text.put(&digits[from..]).put(b"=").put(value).put(&[1]);
        }
        self.text.finish()
    }
}

/// Price and quantity of a single leg as NewOrderSingle has them: per contract and positive.
pub(super) fn per_contract(order: &Order, leg: &Leg) -> Option<(Price, u64)> {
    let ratio = i64::from(leg.ratio);
    let net = order.limit.0.checked_mul(i64::from(leg.side.signum()))?;
    let fits = order.limit.is_defined() && ratio > 0 && net >= 0 && net % ratio == 0;
    let quantity = u64::from(order.quantity) * u64::from(leg.ratio);
    fits.then(|| (Price(net / ratio), quantity))
}
