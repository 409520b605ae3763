//! The numbered table of what the feed refuses, and the counting that keeps a flood of refusals
//! from becoming a flood of events.

use crate::wire::{Event, Kind, NO_INSTRUMENT, control::Fault};

/// A row of the table of faults.
#[derive(Clone, Copy, Debug)]
pub struct FaultDoc {
    /// The number in [`Fault::code`].
    pub code: Code,
    /// Its name in dumps.
    pub name: &'static str,
    /// What happened, what [`Fault::found`] holds and what to do.
    pub about: &'static str,
}

/// Why the feed refused bytes or records.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Code(pub u32);

macro_rules! codes {
    ($($name:ident = $number:literal $text:literal $about:literal;)*) => {
        impl Code { $(#[doc = $about] pub const $name: Code = Code($number);)* }

        /// All faults, by number.
        pub const FAULTS: &[FaultDoc] = &[$(FaultDoc {
            code: Code($number), name: $text, about: $about,
        }),*];
    };
}

codes! {
    NOT_DBN = 1 "not DBN"
        "the stream does not begin with `DBN`; found: its first four bytes; check the address";
    VERSION = 2 "DBN version"
        "a version of DBN other than 1 to 3; found: the version; ask the venue for version 3";
    METADATA = 3 "metadata"
        "the metadata are shorter than their fixed part or absurdly long; found: their length";
    LENGTH = 4 "record length"
        "a record shorter than its header: the stream has lost its framing; found: the length \
         byte";
    SIZE = 5 "record size"
        "a record whose size is none of its type's; found: type and size in bytes, size in the \
         high half";
    TYPE = 6 "record type" "a type of record that DBN 1 to 3 do not have; found: the type";
    DESYNC = 7 "lost framing"
        "too many refused records in a row: the stream is given up; found: how many";
    UNNAMED = 8 "unnamed instrument"
        "a record of an instrument that no mapping or definition named; found: the venue's \
         number";
    SYMBOL = 9 "symbol"
        "a mapping or definition without a usable symbol; found: the venue's number";
    FULL = 10 "registry full"
        "more instruments than feed.instruments_max; found: the venue's number; raise the limit";
    GATEWAY = 11 "gateway error" "an error message of the gateway; found: its code (255 for none)";
    SLOW = 12 "slow reader" "the gateway warns that we read too slowly; found: 0";
    LINE = 13 "protocol line"
        "the gateway sent a line that its protocol does not have there; found: its first eight \
         bytes";
    REFUSED = 14 "refused" "the gateway refused the login; found: 0; check key, dataset and plan";
    TIMEOUT = 15 "timeout" "connecting, login or silence took too long; found: nanoseconds waited";
    CLOSED = 16 "closed"
        "the peer closed in the middle of a record or a login; found: bytes left over";
    IO = 17 "socket error" "the operating system reports an error; found: its number (errno)";
    DATAGRAM = 18 "datagram"
        "a datagram without the right header or with a broken record in it; found: its length";
    HANDOVER = 19 "handover" "nobody took the connected stream to the broker; found: 0";
    OVERRUN = 20 "overrun"
        "a message is longer than the read buffer; found: bytes held; raise feed.read_bytes";
    PAUSE = 21 "pause"
        "the feed itself stood still: stopped, or its core was taken; found: for how many ns; \
         quotes are stale until they come anew";
    OBSERVATION = 22 "series line"
        "a line of an external series that says nothing known; found: its first eight bytes; see \
         `feed::series` for the form";
}

impl Code {
    /// The row of the table, if there is one.
    pub fn doc(self) -> Option<&'static FaultDoc> {
        FAULTS.iter().find(|row| row.code == self)
    }
}

/// How often each fault occurred on one session.
#[derive(Clone, Debug)]
pub struct Faults {
    by_code: [u64; FAULTS.len() + 1],
}

impl Default for Faults {
    fn default() -> Faults {
        Faults { by_code: [0; FAULTS.len() + 1] }
    }
}

impl Faults {
    /// Counts one and gives its event the 1st, 2nd, 4th, 8th, … time: a broken stream of a million
    /// records makes twenty events, each of which says how many there were.
    pub fn note(&mut self, code: Code, offset: u64, found: u64) -> Option<Event> {
        let count = self.by_code.get_mut(code.0 as usize)?;
        *count += 1;
        let fault = Fault { code: code.0, reserved: 0, offset, found, count: *count };
        count.is_power_of_two().then(|| Event::new(Kind::FAULT, NO_INSTRUMENT, fault))
    }

    /// How often `code` occurred.
    pub fn count(&self, code: Code) -> u64 {
        self.by_code.get(code.0 as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dense_from_one() {
        assert!(FAULTS.iter().enumerate().all(|(i, row)| row.code.0 as usize == i + 1));
    }

    #[test]
    fn a_million_faults_are_twenty_events_and_all_counted() {
        let mut faults = Faults::default();
        let events: usize =
            (0..1_000_000).filter(|&i| faults.note(Code::TYPE, i, 0).is_some()).count();
        assert_eq!((events, faults.count(Code::TYPE)), (20, 1_000_000));
    }
}
