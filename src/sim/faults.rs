//! Dice in; whether something goes wrong now, which thing, and how often it has, out.

use super::Dice;

/// A row of the table of faults.
#[derive(Clone, Copy, Debug)]
pub struct FaultDoc {
    /// Which.
    pub fault: Fault,
    /// Its name in totals.
    pub name: &'static str,
    /// What happens.
    pub about: &'static str,
    /// Highest chance that a run may give it each time that it could happen.
    pub chance_max: f64,
}

macro_rules! faults {
    ($($id:ident $name:literal $max:literal $about:literal;)*) => {
        /// Something that can go wrong outside of the engine, or with its process.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Fault { $(#[doc = $about] $id,)* }

        /// All faults.
        pub const FAULTS: &[FaultDoc] = &[$(FaultDoc {
            fault: Fault::$id, name: $name, about: $about, chance_max: $max,
        }),*];
    };
}

faults! {
    // The market's side. The chance is per step, or per record or datagram.
    Skip "records skipped" 0.02 "the gateway drops records and says that we read too slowly";
    Twice "records repeated" 0.05 "a record comes twice";
    Loss "datagrams lost" 0.05 "a datagram never comes";
    Repeat "datagrams repeated" 0.05 "a datagram comes twice";
    Swap "datagrams swapped" 0.05 "a datagram comes after the one that follows it";
    Alien "alien records" 0.01 "a record of a type that nobody knows";
    Hangup "market disconnects" 0.01 "the market's connection breaks in the middle of a record";
    Silence "market silences" 0.01 "nothing comes from the market for a while";
    OneSided "one-sided quotes" 0.05 "a quote without its bid or without its ask";
    Crossed "crossed or locked quotes" 0.03 "a bid at or above the ask";
    Pause "trading pauses" 0.005 "an instrument or the whole market stops trading for a while";
    // The way to the broker. The chance is per step, or per message.
    Cut "broker disconnects" 0.02 "the broker's connection breaks in the middle of a message";
    Goodbye "broker logouts" 0.005 "the broker logs out";
    Hole "messages lost" 0.02 "a numbered message never comes";
    Again "messages resent" 0.02 "a message comes again, marked as a possible duplicate";
    Noise "garbled messages" 0.01 "bytes that are no message, or a message with a wrong checksum";
    Ask "resends asked for" 0.03 "the broker asks for messages again that it has";
    Test "test requests" 0.02 "the broker asks whether we are there";
    Slow "slow sockets" 0.02 "the broker's socket takes a part of a write, or nothing";
    // What the venue does. The chance is per order, cancel or execution.
    Reject "rejects" 0.2 "an order is refused";
    TooLate "cancels refused" 0.2 "a cancel is refused though the order works";
    Ignore "messages ignored" 0.03 "an order or a cancel is never answered";
    Partial "partial fills" 0.5 "a part of an order fills";
    LateFill "late fills" 0.2 "a fill is told after the end of its order";
    EarlyFill "early fills" 0.1 "a fill is told before the order is acknowledged";
    Told "reports repeated" 0.1 "the same execution is told again under a new number";
    Dropped "unsolicited ends" 0.02 "an order is canceled or expires without our word";
    Stranger "strange fills" 0.02 "a fill of an order that nobody has sent";
    Excess "overfills" 0.02 "more is filled than was ordered";
    Astray "positions astray" 0.002 "the broker books a contract that nobody has traded";
    // The operator, and the process.
    Stop "stops" 0.002 "the operator wants the run to end";
    Leave "leaves" 0.002 "the stop's time is over";
    Kill "kills" 0.002 "the operator throws the kill switch";
    Crash "crashes" 0.02 "the process dies at any instruction, and is started again";
}

const COUNT: usize = FAULTS.len();

/// Which faults a run has, how often they may strike, and how often they did.
#[derive(Clone, Debug)]
pub struct Mischief {
    dice: Dice,
    chances: [f64; COUNT],
    counts: [u64; COUNT],
    calm: bool,
}

impl Mischief {
    /// About half of the faults, each with a chance of its own.
    pub fn new(dice: &mut Dice) -> Mischief {
        let mut own = dice.fork();
        let mut chances = [0.0; COUNT];
        for (chance, row) in chances.iter_mut().zip(FAULTS) {
            let share = own.unit();
            *chance = if own.chance(0.5) { row.chance_max * share * share } else { 0.0 };
        }
        Mischief { dice: own, chances, counts: [0; COUNT], calm: false }
    }

    /// Only these go on: how a failing run is made smaller.
    pub fn keep(&mut self, wanted: impl Fn(Fault) -> bool) {
        for (chance, row) in self.chances.iter_mut().zip(FAULTS) {
            *chance *= f64::from(u8::from(wanted(row.fault)));
        }
    }

    /// Whether a run has this one at all.
    pub fn has(&self, fault: Fault) -> bool {
        self.chances[fault as usize] > 0.0
    }

    /// From now on nothing goes wrong any more.
    pub fn calm(&mut self) {
        self.calm = true;
    }

    /// Whether it happens now.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let chance = self.chances[fault as usize];
        // A draw for every question, so that leaving one fault out does not move the others.
        let strikes = self.dice.chance(chance) && !self.calm;
        self.counts[fault as usize] += u64::from(strikes);
        strikes
    }

    /// Where in a range it happens.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.dice.below(bound)
    }

    /// How often each struck, in the order of [`FAULTS`].
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}
