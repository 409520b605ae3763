//! One message with its fields by name in; the report or session message that it is out.

use super::field::{Fields, decimal, hash, number, quantity};
use crate::wire::{
    Price,
    audit::{Assignment, Position, Positions},
    market::Class,
    order::{Admin, AdminKind, OrderStatus, Report, ReportKind, order_of},
};

macro_rules! tags {
    ($($name:ident = $tag:literal,)*) => {
        /// The tags that the decoder reads, as places in [`Message`].
        #[derive(Clone, Copy, Debug)]
        #[expect(clippy::upper_case_acronyms, reason = "constants of a protocol")]
        #[allow(non_camel_case_types)]
        pub(super) enum Tag { $($name,)* COUNT }

        #[inline]
        fn place(tag: u32) -> Option<Tag> {
            match tag { $($tag => Some(Tag::$name),)* _ => None }
        }
    };
}

tags! {
    KIND = 35, SEQ = 34, SENDER = 49, TARGET = 56, DUP = 43, RESEND = 97,
    CLIENT = 11, ORIGINAL = 41, EXEC = 17, PRICE = 31, QUANTITY = 32, EVENT = 150, STATUS = 39,
    FILLED = 14,
    MULTI = 442, LEG = 654,
    REQUEST = 710, TOTAL = 727, RESULT = 728, LONG = 704, SHORT = 705, ASSIGNED = 833,
    SYMBOL = 55, DATE = 541, STRIKE = 202, CODE = 461, RIGHT = 201,
    REF_SEQ = 45, REF_ID = 379, REASON = 373, BUSINESS_REASON = 380,
    TEST = 112, BEGIN = 7, END = 16, NEW_SEQ = 36, GAP_FILL = 123, RESET = 141, HEARTBEAT = 108,
}

/// A message's fields by name; the last one counts where a tag is repeated.
#[derive(Debug)]
pub(super) struct Message<'a> {
    values: [&'a [u8]; Tag::COUNT as usize],
    /// Whether every byte was part of a field and MsgType came first.
    pub(super) clean: bool,
}

impl<'a> Message<'a> {
    pub(super) fn read(body: &'a [u8]) -> Message<'a> {
        let mut values = [&[][..]; Tag::COUNT as usize];
        let mut fields = Fields::new(body);
        for (tag, value) in fields.by_ref() {
            if let Some(place) = place(tag) {
                values[place as usize] = value;
            }
        }
        Message { values, clean: fields.is_clean() && body.starts_with(b"35=") }
    }

    /// The value; empty where it is absent.
    #[inline]
    pub(super) fn text(&self, tag: Tag) -> &'a [u8] {
        self.values[tag as usize]
    }

    pub(super) fn number(&self, tag: Tag) -> Option<u64> {
        number(self.text(tag))
    }

    pub(super) fn is_set(&self, tag: Tag) -> bool {
        self.text(tag) == b"Y"
    }

    /// May have been sent before: PossDupFlag (43) or PossResend (97).
    fn resent(&self) -> u8 {
        u8::from(self.is_set(Tag::DUP) || self.is_set(Tag::RESEND))
    }

    /// The order that it is about: OrigClOrdID (41) where that is ours, because a report on a
    /// cancel has the cancel's number in ClOrdID (11); 0 where neither is ours.
    fn order(&self) -> u64 {
        let ours = |tag| order_of(self.text(tag)).filter(|&id| id != 0);
        ours(Tag::ORIGINAL).or_else(|| ours(Tag::CLIENT)).unwrap_or(0)
    }
}

/// What an ExecutionReport says, and whether everything in it could be read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) report: Report,
    pub(super) unread: bool,
    pub(super) lost_leg: bool,
    pub(super) bust: bool,
}

/// An ExecutionReport (35=8).
pub(super) fn execution(message: &Message<'_>) -> Read {
    let kind = message.text(Tag::EVENT);
    let price = decimal(message.text(Tag::PRICE));
    let traded = quantity(message.text(Tag::QUANTITY));
    let event = event(kind);
    let fill = event == ReportKind::FILL;
    let leg = leg(message);
    let filled = match event {
        ReportKind::FILL => traded.unwrap_or(0),
        ReportKind::STATUS => quantity(message.text(Tag::FILLED)).unwrap_or(0),
        _ => 0,
    };
    let report = Report {
        order: message.order(),
        exec_id: hash(&[message.text(Tag::EXEC), &[leg.unwrap_or(Report::WHOLE)]]),
        price: if fill { price.map_or(Price::UNDEF, Price) } else { Price::UNDEF },
        quantity: filled,
        event,
        status: status(message.text(Tag::STATUS)),
        leg: leg.unwrap_or(Report::WHOLE),
        resent: message.resent(),
    };
    let unread = fill && (price.is_none() || traded.is_none());
    Read { report, unread, lost_leg: leg.is_none(), bust: matches!(kind, b"G" | b"H") }
}

/// The leg: 0 for a single security, the index for one leg of several, `WHOLE` for all; `None`
/// where it is on one leg and does not say which.
fn leg(message: &Message<'_>) -> Option<u8> {
    match message.text(Tag::MULTI) {
        b"3" => Some(Report::WHOLE),
        b"2" => message.number(Tag::LEG).filter(|&leg| leg < 64).map(|leg| leg as u8),
        _ => Some(0),
    }
}

/// ExecType (150) of FIX 4.4; 1 and 2 are 4.2's fills, which some venues still send.
fn event(text: &[u8]) -> ReportKind {
    match text {
        b"0" => ReportKind::NEW,
        b"F" | b"1" | b"2" => ReportKind::FILL,
        b"4" => ReportKind::CANCELED,
        b"5" => ReportKind::REPLACED,
        b"8" => ReportKind::REJECTED,
        // Done for the day: nothing of it will trade any more.
        b"C" | b"3" => ReportKind::EXPIRED,
        b"A" | b"6" | b"E" => ReportKind::PENDING,
        _ => ReportKind::STATUS,
    }
}

/// OrdStatus (39).
fn status(text: &[u8]) -> OrderStatus {
    match text {
        b"0" | b"5" => OrderStatus::NEW,
        b"1" => OrderStatus::PARTIAL,
        b"2" => OrderStatus::FILLED,
        b"4" => OrderStatus::CANCELED,
        b"8" => OrderStatus::REJECTED,
        b"3" | b"C" => OrderStatus::EXPIRED,
        b"A" => OrderStatus::PENDING_NEW,
        b"6" => OrderStatus::PENDING_CANCEL,
        _ => OrderStatus::UNKNOWN,
    }
}

/// An OrderCancelReject (35=9): it has no ExecID, so the cancel's own number identifies it.
pub(super) fn cancel_reject(message: &Message<'_>) -> Report {
    Report {
        order: message.order(),
        exec_id: hash(&[b"9", message.text(Tag::CLIENT), message.text(Tag::ORIGINAL)]),
        price: Price::UNDEF,
        quantity: 0,
        event: ReportKind::CANCEL_REFUSED,
        status: status(message.text(Tag::STATUS)),
        leg: Report::WHOLE,
        resent: message.resent(),
    }
}

/// A BusinessMessageReject (35=j) that names the order but not the message.
pub(super) fn business_reject(message: &Message<'_>) -> Report {
    Report {
        order: order_of(message.text(Tag::REF_ID)).unwrap_or(0),
        exec_id: hash(&[b"j", message.text(Tag::REF_ID)]),
        price: Price::UNDEF,
        quantity: 0,
        event: ReportKind::REJECTED,
        status: OrderStatus::REJECTED,
        leg: Report::WHOLE,
        resent: message.resent(),
    }
}

/// A RequestForPositionsAck (35=AO): it is valid, or there are none, and how many are told.
pub(super) fn positions(message: &Message<'_>) -> Positions {
    let result = message.number(Tag::RESULT);
    let total = if result == Some(2) { Some(0) } else { message.number(Tag::TOTAL) };
    let valid = matches!(result, Some(0 | 2)) && total.is_some();
    Positions {
        request: order_of(message.text(Tag::REQUEST)).unwrap_or(0),
        total: total.map_or(0, |total| u32::try_from(total).unwrap_or(u32::MAX)),
        valid: valid.into(),
        reserved: [0; 2],
    }
}

/// A PositionReport (35=AP), by its last pair of quantities; `None` where it has none that can be
/// read.
pub(super) fn position(message: &Message<'_>) -> Option<Position> {
    let side = |tag| match message.text(tag) {
        b"" => Some(0),
        text => quantity(text).and_then(|contracts| i32::try_from(contracts).ok()),
    };
    let (long, short) = (side(Tag::LONG)?, side(Tag::SHORT)?);
    let told = !message.text(Tag::LONG).is_empty() || !message.text(Tag::SHORT).is_empty();
    let symbol = message.text(Tag::SYMBOL);
    let mut root = [0; 8];
    root.get_mut(..symbol.len())?.copy_from_slice(symbol);
    let date = message.number(Tag::DATE).and_then(|date| u32::try_from(date).ok());
    told.then_some(Position {
        strike: decimal(message.text(Tag::STRIKE)).map_or(Price::UNDEF, Price),
        root,
        request: order_of(message.text(Tag::REQUEST)).unwrap_or(0) as u32,
        date: date.unwrap_or(0),
        contracts: long - short,
        class: class(message),
        reserved: [0; 3],
    })
}

/// An AssignmentReport (35=AW): the short contracts of its last pair of quantities; `None` where
/// it has none that can be read, or no name by which it is known again.
pub(super) fn assignment(message: &Message<'_>) -> Option<Assignment> {
    let Position { strike, root, date, class, contracts, .. } = position(message)?;
    let name = message.text(Tag::ASSIGNED);
    let contracts = u32::try_from(contracts.checked_neg()?).ok()?;
    let sound = !name.is_empty() && contracts > 0 && class.is_option();
    let id = hash(&[b"AW", name]);
    let id = ((id ^ id >> 32) as u32).max(1);
    sound.then_some(Assignment { strike, root, id, date, contracts, class, reserved: [0; 3] })
}

/// By CFICode (461), or PutOrCall (201).
fn class(message: &Message<'_>) -> Class {
    match (message.text(Tag::CODE), message.text(Tag::RIGHT)) {
        ([b'O', b'C', ..], _) | (b"", b"1") => Class::CALL,
        ([b'O', b'P', ..], _) | (b"", b"0") => Class::PUT,
        _ => Class::STOCK,
    }
}

/// A session message: two numbers.
pub(super) fn admin(kind: AdminKind, seq: u64, begin: u64, end: u64) -> Admin {
    Admin { kind, len: 16, reserved: 0, seq: seq as u32, text: Admin::range(begin, end) }
}

/// A session message with as much of a text as fits.
pub(super) fn admin_text(kind: AdminKind, seq: u64, text: &[u8]) -> Admin {
    let mut kept = [0; 24];
    let len = text.len().min(kept.len());
    kept[..len].copy_from_slice(&text[..len]);
    Admin { kind, len: len as u8, reserved: 0, seq: seq as u32, text: kept }
}
