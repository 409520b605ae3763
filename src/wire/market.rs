//! Payloads of the market: definitions, quotes, trades, open interest, and what CHAIN and GREEKS
//! derive from them.

use super::{Price, Timestamp};
use bytemuck::{Pod, Zeroable};

/// What an instrument is. DBN's letters.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct Class(pub u8);

impl Class {
    /// A call option.
    pub const CALL: Class = Class(b'C');
    /// A put option.
    pub const PUT: Class = Class(b'P');
    /// A future.
    pub const FUTURE: Class = Class(b'F');
    /// A stock or an exchange-traded fund.
    pub const STOCK: Class = Class(b'K');
    /// An index.
    pub const INDEX: Class = Class(b'I');

    /// Whether it is a call or a put.
    #[inline(always)]
    pub fn is_option(self) -> bool {
        self == Class::CALL || self == Class::PUT
    }
}

/// An instrument: the dense index in the event's header stands for this from now on.
///
/// OPRA leaves multiplier, tick and expiry clock undefined, so they are not here: the universe's
/// configuration gives them by root.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Definition {
    /// Strike; undefined where it is no option.
    pub strike: Price,
    /// Expiration as the feed has it (OPRA: 00:00 UTC of the date), or undefined.
    pub expiration: Timestamp,
    /// Option root or ticker (`SPXW`, `GOOG`), ASCII, padded with zeros.
    pub root: [u8; 8],
    /// The venue's own number, unique within a session and a day.
    pub venue_id: u32,
    /// Call, put, future, stock, index.
    pub class: Class,
    /// 1 where a symbol mapping alone named it, 0 for a definition record.
    pub mapped: u8,
    /// Must be zero.
    pub reserved: u16,
}

/// Bytes of a symbol that one NAME holds.
pub const NAME_BYTES: usize = 32;

/// A part of the symbol that a dense index stands for; the header's source says in which session.
/// A part without a zero goes on in the next NAME of the same instrument; a RUN in between means
/// that the rest was cut off, and the symbol begins anew.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Name {
    /// ASCII, padded with zeros.
    pub text: [u8; NAME_BYTES],
}

impl Name {
    /// The parts of a symbol, in order. The last one holds at least one zero.
    pub fn parts(symbol: &[u8]) -> impl Iterator<Item = Name> + '_ {
        (0..=symbol.len() / NAME_BYTES).map(|part| {
            let rest = &symbol[part * NAME_BYTES..];
            let mut text = [0; NAME_BYTES];
            let len = rest.len().min(NAME_BYTES);
            text[..len].copy_from_slice(&rest[..len]);
            Name { text }
        })
    }

    /// The part's text.
    pub fn text(&self) -> &[u8] {
        &self.text[..self.text.iter().position(|&byte| byte == 0).unwrap_or(NAME_BYTES)]
    }

    /// Whether the symbol ends in this part.
    pub fn is_last(&self) -> bool {
        self.text[NAME_BYTES - 1] == 0
    }
}

/// Best bid and ask.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Quote {
    /// Best bid, or undefined.
    pub bid: Price,
    /// Best ask, or undefined.
    pub ask: Price,
    /// Contracts (or shares) at the bid.
    pub bid_size: u32,
    /// Contracts (or shares) at the ask.
    pub ask_size: u32,
    /// The venue's sequence number, 0 where it has none.
    pub venue_seq: u32,
    /// Must be zero.
    pub reserved: u32,
}

/// A print.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Trade {
    /// Its price.
    pub price: Price,
    /// Contracts or shares.
    pub size: u32,
    /// Aggressor as DBN has it: `A` sold, `B` bought, `N` unknown.
    pub side: u8,
    /// Must be zero.
    pub reserved: [u8; 3],
    /// The venue's sequence number.
    pub venue_seq: u32,
    /// Must be zero.
    pub reserved2: [u32; 3],
}

/// Open interest of one contract. OPRA repeats it per participant: the last one counts.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Interest {
    /// Open contracts.
    pub contracts: i64,
    /// The day it is for, as the venue has it.
    pub ts_ref: Timestamp,
    /// Must be zero.
    pub reserved: [u64; 2],
}

/// Trading status.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Status {
    /// DBN's status action (7 trading, 8 halt, …).
    pub action: u16,
    /// DBN's status reason.
    pub reason: u16,
    /// Must be zero.
    pub reserved: [u32; 7],
}

/// Forward and discount of one expiry. The header's instrument is the expiry's index.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Forward {
    /// Forward price, units of currency.
    pub forward: f64,
    /// Discount factor to the settlement instant.
    pub discount: f64,
    /// Years to the settlement instant at which it was taken.
    pub years: f64,
    /// Spread of the strikes' own forwards about it (half the interquartile range), currency.
    pub spread: f32,
    /// Strikes that took part; 0 means that no forward is known.
    pub strikes: u32,
}

/// What GREEKS says of one option; units as in the numerical conventions (theta a year, vega per
/// 1.00 of volatility). Zeros with a status other than [`VolStatus::OK`] mean unknown.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Greeks {
    /// Implied volatility, annual.
    pub iv: f64,
    /// Theoretical price per unit.
    pub price: f32,
    /// dV/dS.
    pub delta: f32,
    /// d²V/dS².
    pub gamma: f32,
    /// −dV/dT a year.
    pub theta: f32,
    /// dV/dσ per 1.00.
    pub vega: f32,
    /// Why there is, or is not, an implied volatility.
    pub status: VolStatus,
    /// Must be zero.
    pub reserved: [u8; 3],
}

/// The smile of one expiry in raw SVI: total variance a + b (ρ (k − m) + √((k − m)² + σ²)) over
/// log-moneyness k = ln(K/F). The header's instrument is the expiry's index. No points: none yet.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Smile {
    /// Level, total variance.
    pub a: f32,
    /// Steepness of the wings together.
    pub b: f32,
    /// Tilt, −1 to 1.
    pub rho: f32,
    /// Where the bend lies, log-moneyness.
    pub m: f32,
    /// How round the bend is, log-moneyness.
    pub sigma: f32,
    /// Root of the weighted mean squared error, half-spreads of the quotes.
    pub rms: f32,
    /// Smallest value of Durrleman's g: below 0 a butterfly has a negative price.
    pub butterfly: f32,
    /// Options that took part, 0 for no smile.
    pub points: u16,
    /// 1 where the smile crosses the one of the expiry before it: calendar arbitrage.
    pub crossed: u16,
}

/// A row of features is complete. The row itself stays in the thread that made it: that two runs
/// have the same rows is shown by their digests.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Features {
    /// Hash of the schema: cadence, names, units and formulas of the columns.
    pub schema: u64,
    /// Digest of the bits of all values.
    pub digest: u64,
    /// The row's number, from 1.
    pub number: u64,
    /// How many values are known.
    pub known: u32,
    /// How many there are.
    pub columns: u32,
}

/// The status of an implied volatility, as `zomma iv` prints it.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq, Pod, Zeroable)]
pub struct VolStatus(pub u8);

macro_rules! statuses {
    ($($name:ident = $number:literal $text:literal $about:literal;)*) => {
        impl VolStatus {
            $(#[doc = $about] pub const $name: VolStatus = VolStatus($number);)*

            /// The name that files carry.
            pub fn name(self) -> &'static str {
                match self.0 { $($number => $text,)* _ => "unknown" }
            }
        }
    };
}

statuses! {
    UNKNOWN = 0 "unknown" "nothing was computed yet";
    OK = 1 "ok" "a volatility reproduces the price";
    BELOW_INTRINSIC = 2 "below_intrinsic" "the price is below its no-arbitrage floor";
    ABOVE_MAX = 3 "above_max" "the price is above its no-arbitrage ceiling";
    AT_INTRINSIC_ITM = 4 "at_intrinsic_itm" "in the money with no time value: no unique volatility";
    ZERO_PRICE = 5 "zero_price" "out of the money and worth nothing";
    NEGATIVE_PRICE = 6 "negative_price" "the price is negative";
    NAN_PRICE = 7 "nan_price" "the price is NaN";
    INF_PRICE = 8 "inf_price" "the price is infinite";
    NAN_INPUT = 9 "nan_input" "an input other than the price is NaN or infinite";
    EXPIRED = 10 "expired_T0" "no time is left";
    NEGATIVE_T = 11 "negative_T" "the time is negative";
    NONPOSITIVE_SPOT = 12 "nonpositive_spot" "spot or forward is not positive";
    NONPOSITIVE_STRIKE = 13 "nonpositive_strike" "the strike is not positive";
    NO_QUOTE = 14 "no_quote" "no usable quote on either side of the strike";
    NO_FORWARD = 15 "no_forward" "the expiry has no forward yet";
}
