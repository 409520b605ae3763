//! The one table of limits: bit number, key, default, bounds, unit, meaning and whether it holds
//! for closing orders too; settings, listing and masks come from it.

use crate::{
    book::{Horizon, UNCOVERS},
    config::Span,
};
use alloc::{string::String, vec::Vec};

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
        settings { $($skey:ident: $stype:ty = $sdefault:expr $(, in $srange:expr)?,
            $sunit:literal, $sabout:literal;)* }
        derived { $($dbit:literal $did:ident $dname:ident, $dunit:literal, $dside:ident,
            $dabout:literal;)* }
        conditions { $($cbit:literal $cid:ident $cside:ident, $cabout:literal;)* }
    ) => {
        crate::section! {
            /// Limits of the risk gate and what they are reckoned with.
            pub struct Limits {
                $(#[doc = $about] pub $key: $type = $default, in $range, $unit;)*
                $(#[doc = $sabout] pub $skey: $stype = $sdefault $(, in $srange)?, $sunit;)*
            }
        }

        impl Limit {
            $(#[doc = $about] pub const $id: Limit = Limit($bit);)*
            $(#[doc = $dabout] pub const $did: Limit = Limit($dbit);)*
            $(#[doc = $cabout] pub const $cid: Limit = Limit($cbit);)*
        }

        /// All limits: those with a key of their own, those whose bound comes from elsewhere, and
        /// conditions.
        pub const LIMITS: &[LimitDoc] = &[
            $(LimitDoc { bit: $bit, name: stringify!($key), unit: $unit,
                closing: limits!(@ $side), about: $about },)*
            $(LimitDoc { bit: $dbit, name: stringify!($dname), unit: $dunit,
                closing: limits!(@ $dside), about: $dabout },)*
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
            "Contracts of the largest leg; shares count as what they cover, 100 as one.";
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
        // Size and price of the order.
        22 ORDER_UNDERLYING order_underlying_max: f64 = 10_000_000.0, in 0.0..=1e9, "currency",
            opening, "Largest leg at the price of its underlying, times multiplier.";
        23 LEG_COLLAR leg_collar_max: f64 = 1.0, in 0.0..=1e6, "currency/unit", opening,
            "Distance of a leg's price from its mid; from its theoretical value without one.";
        24 THEORY_COLLAR theory_collar_max: f64 = 5.0, in 0.0..=1e6, "currency/unit", opening,
            "Distance of a leg's price from its theoretical value; from its mid without one.";
        25 LAST_COLLAR last_collar_max: f64 = 20.0, in 0.0..=1e6, "currency/unit", opening,
            "Distance of a leg's price from its last print.";
        26 FAT_FINGER fat_finger_max: f64 = 100.0, in 1.0..=1e9, "of its mean", opening,
            "Contracts of the largest leg against the mean of the strategy's orders so far.";
        27 ORDER_TO_TRADE order_to_trade_max: f64 = 10_000.0, in 0.0..=1e12, "messages/fill",
            opening, "Orders and cancels per fill within the window, beyond the free ones.";
        28 REPEATED repeated_fills_max: u32 = 1_000, in 0..=1_000_000_000, "fills", opening,
            "Fills of the strategy since it last decided anything. Halts the strategy.";
        29 WORKING_PREMIUM working_premium_max: f64 = 100_000.0, in 0.0..=1e9, "currency", opening,
            "Net premium of all that works, each order's as a positive number, with this one.";
        30 EXPIRY_CONTRACTS expiry_contracts_max: u32 = 1_000, in 0..=1_000_000_000, "contracts",
            opening, "Contracts held and worked in an expiry that the order touches, with it.";
        31 ROOT_CONTRACTS root_contracts_max: u32 = 5_000, in 0..=1_000_000_000, "contracts",
            opening, "Contracts held and worked in a root that the order touches, with it.";
        // Loss and money.
        65 ROOT_LOSS root_loss_share_max: f64 = 0.20, in 0.0..=1e6, "of capital", opening,
            "Worst loss of all that is held or worked in the order's roots, over their expiries.";
        66 BOOK_LOSS book_loss_share_max: f64 = 0.40, in 0.0..=1e6, "of capital", opening,
            "Worst loss of the whole book, held and worked, with the order.";
        67 MARGIN margin_share_max: f64 = 1.0, in 0.0..=1e6, "of cash", opening,
            "Margin of the book with the order: spreads at their worst, naked shorts Reg-T-like.";
        68 BUYING_POWER cash_left_min: f64 = 0.0, in -1e9..=1e9, "currency", opening,
            "Cash that is left after premium and fees of the order and of all that works.";
        69 CONCENTRATION root_share_max: f64 = 0.40, in 0.0..=1e6, "of capital", opening,
            "Worst losses of the open packages of the order's first root, with the order.";
        // Greeks of the book, with the order, and with all that works filled too: the larger.
        70 DELTA delta_share_max: f64 = 0.5, in 0.0..=1e9, "of capital", opening,
            "Net dollar delta: q m delta S, over all roots.";
        71 DELTA_GROSS delta_gross_share_max: f64 = 2.0, in 0.0..=1e9, "of capital", opening,
            "The same as a sum of absolute values by instrument.";
        72 GAMMA gamma_share_max: f64 = 0.1, in 0.0..=1e9, "of capital per 1 %", opening,
            "Net dollar gamma per 1 % move: q m gamma S^2 0.01.";
        73 GAMMA_GROSS gamma_gross_share_max: f64 = 0.4, in 0.0..=1e9, "of capital per 1 %",
            opening, "The same as a sum of absolute values by instrument.";
        74 VEGA vega_share_max: f64 = 0.003, in 0.0..=1e9, "of capital per point", opening,
            "Net vega per point (0.01) of volatility.";
        75 VEGA_GROSS vega_gross_share_max: f64 = 0.012, in 0.0..=1e9, "of capital per point",
            opening, "The same as a sum of absolute values by instrument.";
        76 THETA theta_share_max: f64 = 0.01, in 0.0..=1e9, "of capital a day", opening,
            "What a day of time costs, theta/365.";
        77 ROOT_DELTA root_delta_share_max: f64 = 0.5, in 0.0..=1e9, "of capital", opening,
            "Net dollar delta of the order's first root.";
        78 CORRELATED correlated_share_max: f64 = 0.5, in 0.0..=1e9, "of capital", opening,
            "Root of w' C w: dollar deltas by root and their correlations.";
        79 CLUSTER cluster_share_max: f64 = 1.0, in 0.0..=1e9, "of capital", opening,
            "Absolute dollar deltas of the roots that correlate with the order's first root.";
        80 FUT_EQ_NET fut_eq_net_max: f64 = 1.5e10, in 0.0..=1e15, "currency", opening,
            "FutEq of a root, net: its dollar delta. SEBI: 1,500 crore at the end of the day.";
        81 FUT_EQ_GROSS fut_eq_gross_max: f64 = 1e11, in 0.0..=1e15, "currency", opening,
            "FutEq of a root on its larger side: 10,000 crore.";
        // Liquidity and the market.
        82 VOLUME_SHARE volume_share_max: f64 = 1.0, in 0.0..=1e9, "of the day's volume", opening,
            "Contracts beyond the free ones as a share of what was printed of the leg.";
        83 INTEREST_SHARE interest_share_max: f64 = 1.0, in 0.0..=1e9, "of open interest", opening,
            "Contracts beyond the free ones as a share of the leg's open interest.";
        84 UNDERLYING_AGE underlying_age_max: Span = Span(60_000_000_000),
            in Span(0)..=Span(u64::MAX), "s", opening,
            "Age of the underlying's quote, where the root has one.";
        85 ZERO_DAY_VOL zero_day_vol_max: f64 = 0.0, in 0.0..=1_000.0, "a year", opening,
            "Volatility of the market when a leg settles today; 0 switches it off.";
        86 PIN_DISTANCE pin_distance_min: f64 = 0.0, in 0.0..=1.0, "of spot", opening,
            "Distance of the short strikes from spot within `pin_time` of settlement.";
        87 CLOSE_MARGIN close_margin_min: Span = Span(0), in Span(0)..=Span(u64::MAX), "s", opening,
            "Time that must be left to the close of the session of the day.";
        // The scenario grid.
        88 GRID_LOSS grid_loss_share_max: f64 = 0.20, in 0.0..=1e9, "of capital", opening,
            "Loss of the book with the order in the worst scenario of spot, volatility and time.";
        89 GRID_AGE grid_age_max: Span = Span(60_000_000_000), in Span(0)..=Span(u64::MAX), "s",
            opening, "Age of the oldest line of the book's side of the grid.";
        // Breakers.
        90 DRAWDOWN_REDUCE drawdown_reduce: f64 = 0.05, in 0.0..=1e6, "of the peak", opening,
            "Equity below its peak. Only reducing orders from here on.";
        91 DRAWDOWN_HALT drawdown_halt: f64 = 0.10, in 0.0..=1e6, "of the peak", opening,
            "The same. Halts trading.";
        92 LOSSES_IN_A_ROW losses_in_a_row_max: u32 = 5, in 0..=1_000_000, "packages", opening,
            "Packages of the strategy closed at a loss, one after the other. Halts the strategy.";
        93 TRADED_RATE traded_rate_max: u32 = 10_000, in 0..=4_000_000_000, "contracts/min",
            opening, "Contracts traded within a minute, shares as a part of the options that they \
            cover. Throws the kill switch.";
        94 PROFIT_RATE profit_rate_max: f64 = 5_000.0, in 0.0..=1e9, "currency/min", opening,
            "Change of profit, up or down, within a minute. Throws the kill switch.";
        95 THETA_ALERT theta_alert: f64 = 0.01, in 0.0..=1e9, "of capital a day", opening,
            "What a day of time costs the book as it is held: an alert.";
        98 VALUE_AT_RISK var_share_max: f64 = 0.10, in 0.0..=1e9, "of capital", opening,
            "Value at risk of what is held, over the tail's scenarios. Only reducing from here on.";
        99 SHORTFALL es_share_max: f64 = 0.15, in 0.0..=1e9, "of capital", opening,
            "Expected shortfall, the same. Only reducing orders from here on.";
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
        leg_collar_share_max: f64 = 0.50, in 0.0..=1e6, "of the reference",
            "A leg's collars are the larger of this share of the reference and their own distance.";
        last_collar_share_max: f64 = 0.40, in 0.0..=1e6, "of the last print",
            "The same against the last print.";
        last_required: bool = false, in false..=true, "-",
            "Whether a leg without a print is refused.";
        order_to_trade_free: u32 = 10_000, in 0..=1_000_000_000, "messages",
            "Messages of a window that need no fill.";
        order_to_trade_window: Span = Span(60_000_000_000),
            in Span(1_000_000_000)..=Span(86_400_000_000_000), "-",
            "The window in which messages and fills are counted.";
        volume_free: u32 = 1_000_000, in 0..=1_000_000_000, "contracts",
            "Contracts of a leg that need neither volume nor open interest.";
        size_intraday_share_max: f64 = 0.10, in 0.0..=1e6, "of capital",
            "Worst losses of the packages that intraday strategies have open.";
        size_swing_share_max: f64 = 0.20, in 0.0..=1e6, "of capital",
            "The same of swing strategies.";
        size_expiry_share_max: f64 = 0.05, in 0.0..=1e6, "of capital",
            "The same of strategies that trade what settles today.";
        loss_intraday_share_max: f64 = 0.02, in 0.0..=1e6, "of capital",
            "Session loss of intraday strategies, beyond which they may only reduce.";
        loss_swing_share_max: f64 = 0.05, in 0.0..=1e6, "of capital",
            "The same of swing strategies.";
        loss_expiry_share_max: f64 = 0.01, in 0.0..=1e6, "of capital",
            "The same of strategies that trade what settles today.";
        losses_cool_down: Span = Span(0), in Span(0)..=Span(86_400_000_000_000), "-",
            "A strategy halted for its losses in a row may go on after this time; 0 for never.";
        pin_time: Span = Span(3_600_000_000_000), in Span(0)..=Span(u64::MAX), "-",
            "Time before settlement in which short strikes must keep their distance from spot.";
        ex_dividend_margin: Span = Span(86_400_000_000_000), in Span(0)..=Span(u64::MAX), "-",
            "Time before an ex-dividend date in which no American call in the money is sold.";
        unknown_greeks_allowed: bool = false, in false..=true, "-",
            "Whether an option without Greeks is left out of exposures, instead of refused.";
        unbounded_allowed: bool = false, in false..=true, "-",
            "Whether a worst loss without a bound counts as that at `tail_price_max` instead.";
        carry_rate_max: f64 = 0.08, in 0.0..=1.0, "1/year",
            "Highest rate that the bound over several expiries allows for; the lowest is 0.";
        carry_yield_max: f64 = 0.03, in 0.0..=1.0, "1/year",
            "Highest dividend yield that it allows for; the lowest is 0.";
        tail_price_max: f64 = 2.0, in 1.0..=1_000.0, "of the highest strike",
            "Price up to which it counts dividends that a longer European call misses.";
        naked_share: f64 = 0.20, in 0.0..=10.0, "of the underlying",
            "Margin of a naked short option, less what it is out of the money.";
        naked_share_min: f64 = 0.10, in 0.0..=10.0, "of the underlying",
            "Least margin of a naked short call; of the strike for a put.";
        cluster_correlation: f64 = 0.7, in -1.0..=1.0, "-",
            "Roots whose correlation is above this make a cluster.";
        correlation: f64 = 1.0, in 0.0..=1.0, "-",
            "Size of the correlation of two roots of different groups; its sign is the worse one.";
        group_correlation: f64 = 1.0, in 0.0..=1.0, "-",
            "Correlation of two roots of one group.";
        grid_spots: Vec<f64> = Vec::from([-0.10, -0.06, -0.03, 0.0, 0.03, 0.06, 0.10]), "share",
            "Moves of the spot in the scenario grid.";
        grid_vols: Vec<f64> = Vec::from([-0.30, 0.0, 0.25, 0.50]), "share",
            "Changes of volatility in the scenario grid, as a share of it.";
        grid_days: Vec<f64> = Vec::from([0.0, 1.0]), "days",
            "Time that passes in the scenario grid.";
        grid_turns: usize = 4, in 1..=4_096, "lines",
            "Lines of the book whose side of the grid is computed anew on a beat.";
        tail_spots: Vec<f64> = Vec::from([-0.10, -0.07, -0.05, -0.04, -0.03, -0.02, -0.01, 0.0,
            0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10]), "share",
            "Moves of the spot in a day, for value at risk: historical ones, or with weights.";
        tail_vols: Vec<f64> = Vec::from([0.60, 0.45, 0.35, 0.28, 0.20, 0.12, 0.05, 0.0,
            -0.04, -0.06, -0.08, -0.08, -0.06, 0.0, 0.10]), "share",
            "Changes of volatility that go with them, as a share of it; none for no changes.";
        tail_weights: Vec<f64> = Vec::from([0.0007, 0.0013, 0.0026, 0.0047, 0.0130, 0.0474, 0.2067,
            0.4473, 0.2067, 0.0474, 0.0130, 0.0047, 0.0026, 0.0013, 0.0007]), "-",
            "Their weights (Student's t of 3, scale 0.75 %); none for days that count the same.";
        tail_days: f64 = 1.0, in 0.0..=30.0, "days",
            "Time that passes meanwhile.";
        tail_confidence: f64 = 0.99, in 0.5..=0.999_9, "-",
            "Confidence of value at risk and expected shortfall.";
        regime_input: String = String::new(), "-",
            "What the market's volatility is read from: a series (`VIX`) or a column of features.";
        regime_scale: f64 = 1.0, in 1e-6..=1e6, "1/unit",
            "What its numbers are times to be volatility a year: 0.01 for an index in points.";
        regime_calm: f64 = 0.0, in 0.0..=1_000.0, "a year",
            "Up to this volatility orders may have their whole size; 0 leaves the regime out.";
        regime_wild: f64 = 0.40, in 0.0..=1_000.0, "a year",
            "From this one on nothing is opened, as where it is unknown; in between less and less.";
        cancel_on_disconnect: bool = false, in false..=true, "-",
            "Whether orders that would open are canceled when the broker's session comes back.";
    }
    derived {
        53 FREEZE freeze_quantity, "contracts", opening,
            "Contracts of the largest leg, against the freeze quantity of its root.";
        54 HORIZON_SIZE horizon_size, "of capital", opening,
            "Worst losses of the open packages of the strategy's horizon, with the order.";
        55 HORIZON_LOSS horizon_loss, "of capital", opening,
            "Session loss of the strategy's horizon. Only reducing orders of it from here on.";
        100 REGIME_SIZE regime_size, "contracts", opening,
            "Contracts of the largest leg: `order_contracts_max` times what the regime leaves.";
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
        56 LOT all, "Contracts are not whole lots of the root.";
        57 RESTRICTED opening, "A leg's root is on the restricted list.";
        58 SELF_CROSS all, "A leg would cross a working order of our own.";
        59 UNCOVERS all, "What would be left has no floor, and what is held has one.";
        60 REDUCING opening, "A breaker allows only what reduces risk.";
        61 STRATEGY_HALTED opening, "A breaker has halted the strategy.";
        62 EX_DIVIDEND opening, "It sells an American call in the money just before a dividend.";
        63 REGIME_UNKNOWN opening, "A leg settles today, and the market's volatility is unknown.";
        97 JOURNAL_BEHIND opening, "The journal is late, its disk nearly full, or it has failed.";
        96 POSITIONS_UNSURE opening, "The broker's positions or orders differ, or are not known.";
    }
}

impl Limits {
    /// What the strategies of a horizon may lose in a session, as a share of capital.
    pub(super) fn loss_share(&self, horizon: Horizon) -> f64 {
        match horizon {
            Horizon::Intraday => self.loss_intraday_share_max,
            Horizon::Swing => self.loss_swing_share_max,
            Horizon::Expiry => self.loss_expiry_share_max,
        }
    }

    /// The share of its size that an order may have at a volatility of the market: whole while it
    /// is calm, nothing where it is wild or not known.
    pub(super) fn regime_share(&self, volatility: f64) -> f64 {
        let (calm, wild) = (self.regime_calm, self.regime_wild);
        if calm == 0.0 || volatility <= calm {
            return 1.0;
        }
        let left = (wild - volatility) / (wild - calm);
        if left > 0.0 { left.min(1.0) } else { 0.0 }
    }

    /// What they may have at risk at once, as a share of capital.
    pub(super) fn size_share(&self, horizon: Horizon) -> f64 {
        match horizon {
            Horizon::Intraday => self.size_intraday_share_max,
            Horizon::Swing => self.size_swing_share_max,
            Horizon::Expiry => self.size_expiry_share_max,
        }
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

/// Strategies act on this one: they name it without knowing the gate.
const _: () = assert!(Limit::UNCOVERS.0 == UNCOVERS);

/// Limits whose bound is a least value, not a greatest.
pub const FLOORS: &[Limit] = &[
    Limit::DUPLICATE,
    Limit::TIME_LEFT,
    Limit::BUYING_POWER,
    Limit::PIN_DISTANCE,
    Limit::CLOSE_MARGIN,
];

/// The row of a bit number.
pub fn limit_doc(bit: u32) -> Option<&'static LimitDoc> {
    LIMITS.iter().find(|row| row.bit == bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_distinct_and_none_is_the_kill_switch() {
        let mut bits: Vec<u32> = LIMITS.iter().map(|row| row.bit).collect();
        bits.sort_unstable();
        assert!(bits.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(bits.iter().all(|bit| *bit < 128 && *bit != Limit::KILL_SWITCH));
    }
}
