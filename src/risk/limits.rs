//! The one table of limits: bit number, key, default, bounds, unit, meaning and whether it holds
//! for closing orders too; settings, listing and masks come from it.

use crate::config::Span;

/// A row of the table of limits.
#[derive(Clone, Copy, Debug)]
pub struct LimitDoc {
    /// Bit number in refusals.
    pub bit: u32,
    /// Key in `config/limits.toml`, or the condition's name.
    pub name: &'static str,
    /// Unit of what was measured and of the bound; `-` for a condition (1 violated, 0 allowed).
    pub unit: &'static str,
    /// Whether closing orders must keep it too.
    pub closing: bool,
    /// What it refuses.
    pub about: &'static str,
}

/// A limit, by its bit number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limit(pub u32);

impl Limit {
    /// Its bit.
    #[inline(always)]
    pub const fn bit(self) -> u128 {
        1 << self.0
    }

    /// The number that a halt by the kill switch carries; no limit has it.
    pub const KILL_SWITCH: u32 = 64;
}

macro_rules! limits {
    (
        limits { $($bit:literal $id:ident $key:ident: $type:ty = $default:expr, in $range:expr,
            $unit:literal, $side:ident, $about:literal;)* }
        settings { $($skey:ident: $stype:ty = $sdefault:expr, in $srange:expr,
            $sunit:literal, $sabout:literal;)* }
        conditions { $($cbit:literal $cid:ident $cside:ident, $cabout:literal;)* }
    ) => {
        crate::section! {
            /// Limits of the risk gate and what they are reckoned with.
            pub struct Limits {
                $(#[doc = $about] pub $key: $type = $default, in $range, $unit;)*
                $(#[doc = $sabout] pub $skey: $stype = $sdefault, in $srange, $sunit;)*
            }
        }

        impl Limit {
            $(#[doc = $about] pub const $id: Limit = Limit($bit);)*
            $(#[doc = $cabout] pub const $cid: Limit = Limit($cbit);)*
        }

        /// All limits, by bit number.
        pub const LIMITS: &[LimitDoc] = &[
            $(LimitDoc { bit: $bit, name: stringify!($key), unit: $unit,
                closing: limits!(@ $side), about: $about },)*
            $(LimitDoc { bit: $cbit, name: stringify!($cid), unit: "-",
                closing: limits!(@ $cside), about: $cabout },)*
        ];
    };
    (@ opening) => { false };
    (@ all) => { true };
}

limits! {
    limits {
        0 ORDER_CONTRACTS order_contracts_max: u32 = 10, in 0..=1_000_000, "contracts", opening,
            "Contracts of the largest leg.";
        1 ORDER_NOTIONAL order_notional_max: f64 = 10_000_000.0, in 0.0..=1e9, "currency", opening,
            "Largest leg at its strike (its price where it has none), times multiplier.";
        2 ORDER_PREMIUM order_premium_max: f64 = 10_000.0, in 0.0..=1e9, "currency", opening,
            "Net premium paid or received at the limit.";
        3 ORDER_LOSS order_loss_max: f64 = 1_000.0, in 0.0..=1e9, "currency", opening,
            "Worst loss of the legs together at settlement, over all prices, with fees.";
        4 TRADE_RISK trade_risk_share_max: f64 = 0.02, in 0.0..=1.0, "of capital", opening,
            "The same as a share of capital.";
        5 EXPIRY_LOSS expiry_loss_max: f64 = 2_500.0, in 0.0..=1e9, "currency", opening,
            "Worst loss of all that is held or worked in the expiry, with the order.";
        6 STRATEGY_RISK strategy_risk_share_max: f64 = 0.10, in 0.0..=1.0, "of capital", opening,
            "Worst losses of the strategy's open packages, with the order.";
        7 OPEN_PACKAGES open_packages_max: u32 = 8, in 0..=65_536, "packages", opening,
            "Packages that are held or worked, with the order.";
        8 WORKING_ORDERS working_orders_max: u32 = 16, in 0..=65_536, "orders", opening,
            "Orders that can trade, with this one.";
        9 POSITION position_contracts_max: u32 = 50, in 0..=10_000_000, "contracts", opening,
            "Contracts of one instrument if all that works on a side filled, with the order.";
        10 DAILY_LOSS daily_loss_max: f64 = 500.0, in 0.0..=1e9, "currency", opening,
            "Session loss, realised and unrealised at the worse side, with fees. Halts trading.";
        11 QUOTE_AGE quote_age_max: Span = Span(5_000_000_000), in Span(0)..=Span(u64::MAX),
            "s", opening, "Age of the oldest quote of a leg.";
        12 LEG_SPREAD leg_spread_max: f64 = 5.0, in 0.0..=1e6, "currency/unit", opening,
            "Widest spread of a leg.";
        13 LEG_SPREAD_SHARE leg_spread_share_max: f64 = 2.0, in 0.0..=1e6, "of mid", opening,
            "Widest spread of a leg as a share of its mid; 2 is a bid of nothing.";
        14 DISPLAYED_SIZE size_share_max: f64 = 1.0, in 0.0..=1e6, "of displayed", opening,
            "Contracts wanted as a share of what is displayed on the side that they would hit.";
        15 PRICE_COLLAR collar_max: f64 = 0.50, in 0.0..=1e6, "currency/unit", all,
            "Limit worse than the legs' far sides. Closing: only where all are quoted.";
        16 MESSAGE_RATE message_rate_max: u32 = 100, in 1..=10_000_000, "messages/s", all,
            "Orders a second. Closing orders and cancels have a reserve besides.";
        17 DUPLICATE duplicate_window: Span = Span(10_000_000),
            in Span(0)..=Span(3_600_000_000_000), "s", all, "The same order again so soon.";
        18 UNRECONCILED unreconciled_fills_max: u32 = 0, in 0..=1_000_000, "fills", opening,
            "Fills of unknown orders or legs, overfills, fills without price. Halts trading.";
        19 REJECTS rejects_in_a_row_max: u32 = 10, in 0..=1_000_000, "orders", opening,
            "Orders that the broker rejected without taking one in between. Halts trading.";
        20 TIME_LEFT expiry_margin_min: Span = Span(300_000_000_000), in Span(0)..=Span(u64::MAX),
            "s", opening, "Time that must be left to settlement.";
        21 CLOCK_DRIFT clock_drift_max: Span = Span(2_000_000_000), in Span(0)..=Span(u64::MAX),
            "s", opening, "Distance of the system's clocks from ours: one of them is wrong.";
    }
    settings {
        collar_share_max: f64 = 0.10, in 0.0..=1e6, "of the far side",
            "The collar is the larger of this share of the far side's net and `collar_max`.";
        message_burst: u32 = 20, in 1..=10_000_000, "messages",
            "Orders that may leave at once.";
        reserve_rate: u32 = 100, in 1..=10_000_000, "messages/s",
            "Cancels and closing orders a second that no opening order can use up.";
        reserve_burst: u32 = 50, in 1..=10_000_000, "messages",
            "Cancels and closing orders that may leave at once from the reserve.";
        locked_allowed: bool = false, in false..=true, "-",
            "Whether a leg's bid may equal its ask in an opening order.";
        cancel_again_after: Span = Span(2_000_000_000), in Span(0)..=Span(3_600_000_000_000), "-",
            "An unanswered cancel may be sent again after this time.";
        inquire_again_after: Span = Span(2_000_000_000),
            in Span(1_000_000)..=Span(3_600_000_000_000), "-",
            "The broker is asked again after an order in doubt after this time.";
        reconcile_every: Span = Span(0), in Span(0)..=Span(86_400_000_000_000), "-",
            "Positions and orders are compared with the broker's so often, and at logon; 0: never.";
        reconcile_again_after: Span = Span(2_000_000_000),
            in Span(1_000_000)..=Span(3_600_000_000_000), "-",
            "It is asked again after this time where it did not answer, or a difference is new.";
    }
    conditions {
        32 INSTRUMENT_UNKNOWN all, "A leg's instrument was never defined, or has no room.";
        33 INSTRUMENT_EXPIRED all, "A leg has settled.";
        34 QUOTE_MISSING opening, "A leg was never quoted, or has neither bid nor ask.";
        35 QUOTE_ONE_SIDED opening, "A leg has a bid without an ask, or the reverse.";
        36 QUOTE_CROSSED opening, "A leg's bid is above its ask.";
        37 QUOTE_LOCKED opening, "A leg's bid equals its ask.";
        38 QUOTE_STALE opening, "A leg's session was lost, stalled or had a gap since its quote.";
        39 LOSS_UNBOUNDED opening, "The worst loss of the legs, or of the expiry, has no bound.";
        40 PRICE_INVALID all, "A price is undefined, negative, off tick, or not the sum.";
        41 SESSION_DOWN all, "The broker's session is not logged on.";
        42 NOT_TRADING all, "The market, a leg or its underlying is halted or closed.";
        43 KILLED all, "The kill switch is on, or the stop's time is over.";
        44 HALTED opening, "A breaker has halted trading, or the run is stopping.";
        45 CLOSES_MORE all, "A closing leg exceeds what its package holds and is not closing.";
        46 MALFORMED all, "Legs are missing, doubled, without side or ratio, or mixed.";
        47 NUMBER all, "The order's number was not given out, or was used.";
        48 NO_ROOM all, "The book has no place for the order or its package.";
        49 PAYS_TOO_MUCH all, "The limit pays more than the legs can ever be worth.";
        50 CANCEL_UNKNOWN all, "The order to cancel is unknown, has ended, or is being canceled.";
        51 IN_DOUBT all, "How a live order stands the broker has yet to say: a restart, a resend.";
        52 STRATEGY_UNKNOWN all, "The strategy's number is nobody's: it has no horizon.";
        63 POSITIONS_UNSURE opening, "The broker's positions or orders differ, or are not known.";
    }
}

/// Limits that closing orders must keep: their own, looser rule. They may be large, sent on stale,
/// one-sided or crossed quotes, and while trading is halted (but not killed): what reduces risk
/// must get through. They may not pay more than the legs can be worth, nor close more than is held.
pub const CLOSING: u128 = {
    let (mut mask, mut i) = (0, 0);
    while i < LIMITS.len() {
        if LIMITS[i].closing {
            mask |= 1 << LIMITS[i].bit;
        }
        i += 1;
    }
    mask
};

/// The row of a bit number.
pub fn limit_doc(bit: u32) -> Option<&'static LimitDoc> {
    LIMITS.iter().find(|row| row.bit == bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_distinct_and_ascend() {
        assert!(LIMITS.windows(2).all(|pair| pair[0].bit < pair[1].bit));
        assert!(LIMITS.iter().all(|row| row.bit < 128 && row.bit != Limit::KILL_SWITCH));
    }
}
