//! Payloads around orders: intents and approved orders, cancels, refusals, broker reports.

use super::Price;
use bytemuck::{Pod, Zeroable};

/// Most legs of one order.
pub const LEGS_MAX: usize = 6;

/// An order's head: an INTENT from a strategy or an ORDER from RISK; `legs` leg events follow.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Order {
    /// Unique in the run and above its `order_base`; the client order id is made from it.
    pub id: u64,
    /// Net limit per package on one unit of its largest contract: positive is paid, negative is
    /// received. Beside an option on 100 shares, 100 shares count as one.
    pub limit: Price,
    /// Packages.
    pub quantity: u32,
    /// Which strategy instance.
    pub strategy: u16,
    /// Legs that follow, 1 to [`LEGS_MAX`].
    pub legs: u8,
    /// Why it is sent.
    pub purpose: Purpose,
    /// The package (position) that it opens or closes; the id of the order that opened it.
    pub package: u64,
}

/// Why an order is sent.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct Purpose(pub u8);

impl Purpose {
    /// Opens a package: new risk.
    pub const ENTRY: Purpose = Purpose(1);
    /// Closes it at its profit target.
    pub const TARGET: Purpose = Purpose(2);
    /// Closes it at its stop.
    pub const STOP: Purpose = Purpose(3);
    /// Closes it at its time exit.
    pub const TIME: Purpose = Purpose(4);
    /// Closes it on the operator's or the risk gate's word.
    pub const FLATTEN: Purpose = Purpose(5);
    /// Closes it where its profit fell back from its best.
    pub const TRAIL: Purpose = Purpose(6);
    /// Closes it by a rule of its exits.
    pub const RULE: Purpose = Purpose(7);
    /// Closes it to be opened anew where the market is.
    pub const ADJUST: Purpose = Purpose(8);
    /// Closes a hedge that is not needed any more.
    pub const HEDGE: Purpose = Purpose(9);
    /// Changes a package that is held: the underlying is bought or sold beside its legs.
    pub const CHANGE: Purpose = Purpose(10);

    /// Whether it brings new risk.
    #[inline(always)]
    pub fn opens(self) -> bool {
        self == Purpose::ENTRY || self == Purpose::CHANGE
    }

    /// Whether it belongs to a package that an earlier order opened.
    #[inline(always)]
    pub fn follows(self) -> bool {
        self != Purpose::ENTRY
    }

    /// Its name in dumps.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::ENTRY => "entry",
            Purpose::TARGET => "target",
            Purpose::STOP => "stop",
            Purpose::TIME => "time",
            Purpose::FLATTEN => "flatten",
            Purpose::TRAIL => "trail",
            Purpose::RULE => "rule",
            Purpose::ADJUST => "adjust",
            Purpose::CHANGE => "change",
            Purpose::HEDGE => "hedge",
            _ => "unknown",
        }
    }
}

/// One leg; the header's instrument is the contract.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Leg {
    /// The order that it belongs to.
    pub order: u64,
    /// The price that the strategy reckoned with, per unit.
    pub price: Price,
    /// Contracts, or shares, per package, at least 1.
    pub ratio: u32,
    /// +1 buys, −1 sells.
    pub side: i8,
    /// Its place in the order, from 0.
    pub index: u8,
    /// Must be zero.
    pub reserved: u16,
    /// Must be zero.
    pub reserved2: u64,
}

/// A cancel, asked for or approved.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Cancel {
    /// The cancel's own number, from the same series as orders.
    pub id: u64,
    /// The order to cancel.
    pub order: u64,
    /// Which strategy instance.
    pub strategy: u16,
    /// Must be zero.
    pub reserved: [u16; 7],
}

/// A question to the broker about an order in doubt.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Inquiry {
    /// The order.
    pub order: u64,
    /// How often it was asked before, since the broker's session came up.
    pub tries: u32,
    /// Which strategy instance.
    pub strategy: u16,
    /// Must be zero.
    pub reserved: u16,
    /// Must be zero.
    pub reserved2: [u64; 2],
}

/// What a strategy concluded. `code` and the values are the strategy's own, documented there.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Decision {
    /// Which strategy instance.
    pub strategy: u16,
    /// What was concluded.
    pub code: u16,
    /// Must be zero.
    pub reserved: u32,
    /// The package that it is about, 0 for none.
    pub package: u64,
    /// First value.
    pub a: f64,
    /// Second value.
    pub b: f64,
}

/// One cause of a package's profit: what it has made since the package's entry. The rows of a
/// package sum to the first one, to the last unit.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Profit {
    /// The package.
    pub package: u64,
    /// Since its entry, 1e-9 of currency.
    pub amount: Price,
    /// Of that, since the row was told before.
    pub change: Price,
    /// Which strategy instance.
    pub strategy: u16,
    /// Number of the cause, by the book's table of causes.
    pub cause: u16,
    /// Why it is told now: 0 the cadence, 1 a settlement, 2 nothing is held any more.
    pub occasion: u16,
    /// Must be zero.
    pub reserved: u16,
}

/// An expiry has settled: everything held of it is gone at once, at one price. The header's
/// instrument is the expiry's index.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Settlement {
    /// Settlement price of the underlying.
    pub price: Price,
    /// What the contracts came to, before fees, 1e-9 of currency; delivered units count at `price`.
    pub cash: Price,
    /// Long contracts that were exercised.
    pub exercised: u32,
    /// Short contracts that were assigned.
    pub assigned: u32,
    /// Contracts that expired worthless.
    pub expired: u32,
    /// Units of the underlying that were delivered: positive to us; 0 where cash settles.
    pub delivered: i32,
}

/// An intent that RISK refused.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Refusal {
    /// The intent's number.
    pub order: u64,
    /// One bit per violated limit, numbered by the table of limits: bits 0 to 63.
    pub violated: u64,
    /// Which strategy instance.
    pub strategy: u16,
    /// How many BREACH events follow.
    pub breaches: u16,
    /// Must be zero.
    pub reserved: u32,
    /// Bits 64 to 127 of the violated limits.
    pub violated_high: u64,
}

impl Refusal {
    /// All violated limits.
    #[inline]
    pub fn all(&self) -> u128 {
        u128::from(self.violated_high) << 64 | u128::from(self.violated)
    }
}

/// One violated limit with what was measured and what is allowed, both in the limit's own unit.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Breach {
    /// The intent's number.
    pub order: u64,
    /// Bit number of the limit.
    pub limit: u32,
    /// Must be zero.
    pub reserved: u32,
    /// Measured; NaN where it could not be.
    pub measured: f64,
    /// Allowed.
    pub bound: f64,
}

/// A breaker has tripped, or was set back: latched until the operator resets it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Halt {
    /// Bit number of the limit, or 64 for the kill switch.
    pub limit: u32,
    /// What it does: 0 halts trading, 1 allows only what reduces risk, 2 halts a strategy, 3 kills,
    /// 4 alerts, 5 is a reset.
    pub action: u32,
    /// Measured.
    pub measured: f64,
    /// Allowed.
    pub bound: f64,
    /// The strategy, or the horizon (0 intraday, 1 swing, 2 expiry), where it is about one.
    pub scope: u64,
}

/// An execution report.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Report {
    /// Our order (or cancel) number, from the client order id; 0 where it is not ours.
    pub order: u64,
    /// Hash of the broker's execution id: equal means the same report again.
    pub exec_id: u64,
    /// Price of this fill per unit; undefined where it is none.
    pub price: Price,
    /// Contracts of this fill. Of a status: contracts (packages of a combination) filled in all.
    pub quantity: u32,
    /// What happened.
    pub event: ReportKind,
    /// The order's state as the broker has it.
    pub status: OrderStatus,
    /// The leg, or [`Report::WHOLE`].
    pub leg: u8,
    /// 1 where the broker marked it as a possible resend.
    pub resent: u8,
}

impl Report {
    /// The report is on the order as a whole.
    pub const WHOLE: u8 = u8::MAX;
}

macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($name:ident = $number:literal $text:literal;)* }) => {
        $(#[$meta])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
        pub struct $type(pub u8);

        impl $type {
            $(#[doc = $text] pub const $name: $type = $type($number);)*

            /// Its name in dumps.
            pub fn name(self) -> &'static str {
                match self.0 { $($number => $text,)* _ => "unknown" }
            }
        }
    };
}

named! {
    /// What an execution report says has happened (FIX tag 150, and 35=9 for a refused cancel).
    /// `DOUBT` is the gate's own word: the order was left out of a resend, and only the broker can
    /// say whether it had it before.
    ReportKind {
        NEW = 1 "new";
        FILL = 2 "fill";
        CANCELED = 3 "canceled";
        REJECTED = 4 "rejected";
        EXPIRED = 5 "expired";
        PENDING = 6 "pending";
        CANCEL_REFUSED = 7 "cancel refused";
        STATUS = 8 "status";
        REPLACED = 9 "replaced";
        DOUBT = 10 "in doubt";
    }
}

named! {
    /// The order's state as the broker has it (FIX tag 39).
    OrderStatus {
        UNKNOWN = 0 "unknown";
        NEW = 1 "new";
        PARTIAL = 2 "partially filled";
        FILLED = 3 "filled";
        CANCELED = 4 "canceled";
        REJECTED = 5 "rejected";
        EXPIRED = 6 "expired";
        PENDING_NEW = 7 "pending new";
        PENDING_CANCEL = 8 "pending cancel";
    }
}

impl OrderStatus {
    /// Whether an order in this state trades no more.
    pub fn is_end(self) -> bool {
        [Self::FILLED, Self::CANCELED, Self::REJECTED, Self::EXPIRED].contains(&self)
    }
}

/// A session-level message of the broker; GATE answers it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Admin {
    /// Which message.
    pub kind: AdminKind,
    /// Bytes used of `text`.
    pub len: u8,
    /// Must be zero.
    pub reserved: u16,
    /// Its own inbound sequence number, modulo 2³².
    pub seq: u32,
    /// Numbers or text by kind: `TEST` echoes text; `RESEND` and `GAP` hold begin and end as u64,
    /// `RECEIVED` the next number that is expected: all below it is in the journal.
    pub text: [u8; 24],
}

named! {
    /// Session-level messages.
    AdminKind {
        LOGON = 1 "logon";
        LOGOUT = 2 "logout";
        TEST = 3 "test request";
        RESEND = 4 "resend request";
        GAP = 5 "inbound gap";
        REJECT = 6 "session reject";
        HEARTBEAT = 7 "heartbeat";
        TOO_LOW = 8 "sequence number too low";
        RECEIVED = 9 "received in order";
    }
}

impl Admin {
    /// Two numbers as the text of `RESEND` and `GAP`.
    pub fn range(begin: u64, end: u64) -> [u8; 24] {
        let mut text = [0; 24];
        text[..8].copy_from_slice(&begin.to_le_bytes());
        text[8..16].copy_from_slice(&end.to_le_bytes());
        text
    }

    /// The two numbers of `RESEND` and `GAP`.
    pub fn begin_end(&self) -> (u64, u64) {
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&self.text[at..at + 8]);
            u64::from_le_bytes(bytes)
        };
        (number(0), number(8))
    }
}

/// Client order id of an order number: what [`Report::order`] is read back from.
pub const CLIENT_ORDER_ID_LEN: usize = 16;

/// Writes `id` as 16 lower-case hexadecimal digits.
pub fn client_order_id(id: u64) -> [u8; CLIENT_ORDER_ID_LEN] {
    core::array::from_fn(|i| b"0123456789abcdef"[(id >> (60 - 4 * i)) as usize & 15])
}

/// Reads what [`client_order_id`] wrote; `None` for anything else.
pub fn order_of(text: &[u8]) -> Option<u64> {
    if text.len() != CLIENT_ORDER_ID_LEN {
        return None;
    }
    text.iter().try_fold(0, |id, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(id << 4 | u64::from(value))
    })
}

const _: () = assert!(size_of::<Order>() == 32 && size_of::<Leg>() == 32);
const _: () = assert!(size_of::<Profit>() == 32 && size_of::<Settlement>() == 32);
const _: () = assert!(size_of::<Report>() == 32 && size_of::<Admin>() == 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_survives_its_client_order_id() {
        for id in [0, 1, 0xdead_beef, u64::MAX] {
            assert_eq!(order_of(&client_order_id(id)), Some(id));
        }
        assert_eq!(order_of(b"00000000000000zz"), None);
        assert_eq!(order_of(b"1"), None);
    }
}
