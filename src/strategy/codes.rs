//! The one table of what strategies conclude: the code of a DECISION and what its values mean.

/// A row of the table of decisions.
#[derive(Clone, Copy, Debug)]
pub struct CodeDoc {
    /// Number in DECISION events.
    pub code: Code,
    /// Its name in dumps.
    pub name: &'static str,
    /// What it means; `a` and `b` are the event's values.
    pub about: &'static str,
}

/// Why there is nothing to do: the code and its two values.
pub type Reason = (Code, f64, f64);

/// What was concluded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Code(pub u16);

macro_rules! codes {
    ($($number:literal $name:ident $about:literal;)*) => {
        impl Code { $(#[doc = $about] pub const $name: Code = Code($number);)* }

        /// All codes, by number.
        pub const CODES: &[CodeDoc] = &[$(CodeDoc {
            code: Code($number), name: stringify!($name), about: $about,
        }),*];
    };
}

codes! {
    // What was done.
    1 ENTER "an entry order was sent; a: net limit per unit (negative is credit), b: packages";
    2 ENTERED "the package is held; a: credit per unit, b: packages";
    3 EXIT "the package is to be closed; a: cost to close per unit, b: purpose of the orders";
    4 CLOSED "the package is flat; a: profit after fees, b: purpose of the last order";
    5 GAVE_UP "no fill at any step, or the next one is not possible: the reason is told before; \
        a: last net limit per unit, b: steps beyond the first";
    6 REFUSED "RISK refused the order; a: lowest violated bit, b: how many bits";
    7 REJECTED "the broker rejected the entry; a: attempts in this window";
    8 LEGGED "the entry ended with uneven legs, which are flattened; a: fewest, b: most contracts";
    9 ADOPTED "a package was filled that nobody followed any more; it is flattened";
    10 EXPIRED "the package was held to its settlement; a: profit after fees";
    11 EXIT_UNPRICED "a leg to buy back has no offer; tried again at the next batch";
    12 EXIT_REFUSED "RISK refused a closing order; a: lowest violated bit, b: how many bits";
    13 ADJUST "the package is closed to be opened anew where the market is; a: cost to close per \
        unit, b: adjustments before";
    14 HEDGE "the package's delta has left its band; a: its delta with its hedges, b: contracts of \
        the hedge, negative sells";
    15 UNWIELDY "a package that nobody follows has more lines than an order has legs: it is left \
        for the operator to close";
    // Why nothing was entered; told when the reason changes.
    20 OUT_OF_WINDOW "no entry window is open; a: second of the day";
    21 WINDOW_USED "this window has had its entry; a: the window's number";
    22 COOLDOWN "too soon after the last attempt or exit; a: seconds left";
    23 ATTEMPTS_USED "this window has had all its attempts; a: attempts";
    24 NO_ROOT "no such root in the chain";
    25 NO_EXPIRY "no expiry of the root is as wanted";
    26 NO_SHORT "no strike near the wanted delta with Greeks; a: wanted, b: nearest";
    27 NO_WING "no strike so far away, or no contract at it; a: wanted, b: nearest";
    28 QUOTE_BAD "a leg is one-sided, crossed, locked or stale; a: its instrument";
    29 QUOTE_OLD "a leg's quote is too old; a: seconds, b: instrument";
    30 SPREAD_WIDE "a leg's spread is too wide; a: spread, b: allowed";
    31 SIZE_SMALL "too little is displayed on a leg; a: displayed, b: wanted";
    32 CREDIT_SMALL "the credit is too small; a: credit, b: wanted";
    33 RISK_SMALL "the share of capital allows no package; a: loss of one, b: allowed";
    34 STOPPING "the run is stopping";
    35 HALTED "trading is halted or killed";
    36 SESSION_DOWN "the broker's session is not logged on";
    37 ALL_OPEN "as many packages as allowed are open; a: packages";
    38 IN_DOUBT "since a restart the broker has not said how all orders stand; a: orders in doubt";
    39 STRIKES_MEET "two legs would be the same contract; a: its instrument";
    40 DEBIT_LARGE "too much would be paid; a: debit, b: allowed";
    41 NO_LEVEL "neither forward nor spot is known";
    42 NOT_NOW "a condition of entry does not hold; a: measured, b: bound";
    43 NO_SIGNAL "there is no direction; a: the signal";
    44 JOURNAL_BEHIND "the journal does not keep up; a: 1 late, 2 its disk nearly full, 3 failed";
    // What the router made of an entry.
    60 REGIME "another regime of the root than at the last ask; a: volatility (0 unknown, 1 low, 2 \
        high, 3 expansion, 4 contraction, 5 neutral), b: trend (0 unknown, 1 up, 2 down, 3 range)";
    61 VOTED "how the scorers voted on an entry; a: score, b: weighted confidence behind it";
    62 SIZED "an entry has its size; a: packages, b: what is left of its method's size";
    63 LET_GO "the router lets an entry go; a: what bound it, by its table, b: as for SIZED";
}

impl Code {
    /// Whether it says that quotes are not good enough, which the next ones can change.
    pub(super) fn is_of_quotes(self) -> bool {
        [Code::QUOTE_BAD, Code::QUOTE_OLD, Code::SPREAD_WIDE, Code::SIZE_SMALL].contains(&self)
    }

    /// Its name in dumps.
    pub fn name(self) -> &'static str {
        CODES.iter().find(|row| row.code == self).map_or("unknown", |row| row.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_ascend() {
        assert!(CODES.windows(2).all(|pair| pair[0].code.0 < pair[1].code.0));
    }
}
