//! The one table of event kinds: number, name, direction, payload and meaning.

/// A row of the table of kinds.
#[derive(Clone, Copy, Debug)]
pub struct KindDoc {
    /// The kind.
    pub kind: Kind,
    /// Its name in dumps and documents.
    pub name: &'static str,
    /// The payload's type name, `-` for none.
    pub payload: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// What an event is. Any byte is representable; one that the table does not name is ignored.
#[repr(transparent)]
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Kind(pub u8);

macro_rules! kinds {
    ($($name:ident = $number:literal, $payload:literal, $about:literal;)*) => {
        impl Kind { $(#[doc = $about] pub const $name: Kind = Kind($number);)* }

        /// All kinds, by number.
        pub const KINDS: &[KindDoc] = &[$(KindDoc {
            kind: Kind::$name, name: stringify!($name), payload: $payload, about: $about,
        }),*];
    };
}

kinds! {
    // The market, from the feed.
    DEFINITION = 1, "Definition", "an instrument and its dense index, before anything names it";
    QUOTE = 2, "Quote", "best bid and ask with sizes; either side may be absent";
    TRADE = 3, "Trade", "a print";
    INTEREST = 4, "Interest", "open interest; the last one of the day wins";
    STATUS = 5, "Status", "trading status of an instrument or a venue";
    NAME = 6, "Name", "the symbol behind a new dense index, before its first definition";
    OBSERVATION = 7, "Observation", "a number from beside the market, and when it became known";

    // The pipeline's own inputs, made by the feed and journaled like the rest.
    RUN = 32, "Run", "first event of a session: a run begins, or is taken up again";
    TIMER = 33, "Timer", "a deadline has passed";
    SESSION = 34, "Session", "a connection changed its state";
    GAP = 35, "Gap", "records were lost on a session; its quotes are stale";
    COMMAND = 36, "Command", "the operator's word: stop, kill, reset a breaker, leave";
    FAULT = 37, "Fault", "the feed refused bytes or records, and why";
    CLOCK = 38, "Clock", "how far the system's clocks have left the one clock";
    DISK = 39, "Disk", "whether the journal keeps up with the run, and if not, why";

    // From the broker.
    REPORT = 64, "Report", "an execution report on one leg or a whole order";
    ADMIN = 65, "Admin", "a session-level message of the broker that asks for an answer";
    POSITIONS = 66, "Positions", "the broker's answer on what it holds: how many positions follow";
    POSITION = 67, "Position", "what the broker says it holds of one contract";
    ASSIGNMENT = 68, "Assignment", "short contracts were exercised against us early";

    // Between stages; never journaled as input.
    FORWARD = 96, "Forward", "forward and discount of an expiry, from put-call parity";
    GREEKS = 97, "Greeks", "implied volatility, price and Greeks of one option";
    SMILE = 98, "Smile", "the smile of an expiry: raw SVI and how well it fits";

    // What strategies ask for. RISK turns these into the outputs below.
    INTENT = 112, "Order", "a strategy asks for an order; its legs follow";
    INTENT_LEG = 113, "Leg", "one leg of the intent before it";
    INTENT_CANCEL = 114, "Cancel", "a strategy asks to cancel an order";

    // Outputs, journaled before they are acted on. `seq` is that of the input that caused them.
    DECISION = 128, "Decision", "what a strategy concluded, acted on or not";
    ORDER = 129, "Order", "an approved order; its legs follow";
    ORDER_LEG = 130, "Leg", "one leg of the order before it";
    CANCEL = 131, "Cancel", "an approved cancel";
    REFUSAL = 132, "Refusal", "an intent that RISK refused; one BREACH per limit follows";
    BREACH = 133, "Breach", "one violated limit of the refusal before it";
    HALT = 134, "Halt", "a breaker has tripped or was set back, and why";
    INQUIRY = 135, "Inquiry", "asks the broker how an order in doubt stands";
    FEATURES = 136, "Features", "a row of features is complete: its digest, for comparison";
    AUDIT = 137, "Audit", "asks the broker for all positions and open orders";
    DIFFERENCE = 138, "Difference", "the broker holds another number of a contract than we do";
    PROFIT = 139, "Profit", "one cause of a package's profit since its entry";
    SETTLEMENT = 140, "Settlement", "an expiry has settled: price, cash and what was delivered";
}

impl Kind {
    /// The row of the table, if there is one.
    pub fn doc(self) -> Option<&'static KindDoc> {
        KINDS.iter().find(|row| row.kind == self)
    }

    /// Whether RISK alone may make it: the gate acts on these, the output journal holds these.
    #[inline(always)]
    pub fn is_output(self) -> bool {
        self.0 >= 128
    }

    /// Whether it only says something, so that RISK passes it on as it is.
    #[inline(always)]
    pub fn is_statement(self) -> bool {
        [Kind::DECISION, Kind::FEATURES, Kind::PROFIT, Kind::SETTLEMENT].contains(&self)
    }

    /// Whether it comes from outside and is therefore in the input journal.
    #[inline(always)]
    pub fn is_input(self) -> bool {
        self.0 < 96
    }
}

impl core::fmt::Debug for Kind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.doc() {
            Some(row) => f.write_str(row.name),
            None => write!(f, "Kind({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_distinct_and_sorted_by_number() {
        assert!(KINDS.windows(2).all(|pair| pair[0].kind < pair[1].kind));
    }
}
