//! What the chain has counted: the figures that a recording's description can be compared with.

/// Counts since the start. Sizes and volumes are contracts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// Options defined.
    pub options: u64,
    /// Other instruments defined.
    pub others: u64,
    /// Quote records of options.
    pub quotes: u64,
    /// Bid plus ask size of every one of them, repeated or not.
    pub quote_size: u64,
    /// Of them, those with exactly one side absent.
    pub one_sided: u64,
    /// Of them, those with both sides absent.
    pub empty: u64,
    /// Of them, those with bid equal to ask.
    pub locked: u64,
    /// Of them, those with bid above ask.
    pub crossed: u64,
    /// Quote records of other instruments.
    pub other_quotes: u64,
    /// Prints of options.
    pub trades: u64,
    /// Their contracts.
    pub volume: u64,
    /// Open-interest records.
    pub interests: u64,
    /// Open contracts, the last record of each instrument.
    pub interest: i64,
    /// Greeks of options taken over.
    pub greeks: u64,
    /// Most beats that an expiry has waited for its turn to be valued.
    pub turn_wait_max: u64,
    /// Gaps, losses and stalls of sessions.
    pub gaps: u64,
    /// Events that name an instrument nobody defined.
    pub unknown_instruments: u64,
    /// Definitions of roots that the universe does not list.
    pub unknown_roots: u64,
    /// Definitions that no table had room for, or whose expiration is no date.
    pub refused: u64,
    /// Event times that were too far ahead to be true.
    pub bad_times: u64,
}
