//! FIX 4.4 from the broker: bytes in, execution reports and session messages out.
//!
//! [`frame`] cuts the byte stream into messages (BodyLength and CheckSum verified), [`field`] reads
//! tags and values in place, [`FixDecoder`] keeps the inbound sequence and turns messages into
//! events, [`store`] is the small mapped file in which both directions' sequence numbers and the
//! last sent messages survive a restart.
//!
//! Gaps are handled without a queue: on a number above the expected one the decoder reports
//! `ADMIN GAP` (the gate asks for a resend from the expected number to infinity) and ignores what
//! comes above it until the hole is filled, because the resend brings it again in order. A message
//! that is ignored is never lost: its number stays unexpected until it has been taken in order.
//! Three kinds are taken out of order: Logon, ResendRequest (two sides that wait for each other
//! would hang) and TestRequest (an answer is harmless, silence is not).
//!
//! No event carries the broker's own time (`ts_event` is undefined): the engine's clock follows the
//! exchange's data, and a broker's wall clock must not move it.

mod decoder;
mod report;

pub mod field;
pub mod frame;
pub mod store;

pub use decoder::FixDecoder;

/// Codes of [`crate::wire::control::Fault`] that this decoder gives; its range is 200 to 299.
pub mod fault {
    macro_rules! codes {
        ($($name:ident = $number:literal $about:literal;)*) => {
            $(#[doc = $about] pub const $name: u32 = $number;)*

            /// The meaning of a code, for listings.
            pub fn about(code: u32) -> &'static str {
                match code { $($number => $about,)* _ => "unknown" }
            }
        };
    }

    codes! {
        GARBAGE = 200 "bytes between messages that begin no message";
        LENGTH = 201 "BodyLength (9) is missing, absurd or wrong";
        CHECKSUM = 202 "CheckSum (10) is missing or wrong";
        VERSION = 203 "BeginString (8) is not FIX.4.4";
        FIELDS = 204 "a field without tag, number or terminator, or MsgType (35) not first";
        SEQUENCE_MISSING = 205 "no readable MsgSeqNum (34)";
        IDENTITY = 206 "SenderCompID (49) or TargetCompID (56) is not the configured one";
        NOT_LOGGED_ON = 207 "a message before the Logon";
        TYPE = 208 "a message type that this decoder does not act on";
        VALUE = 209 "a field of a report that cannot be read; the event says undefined";
        NEW_SEQUENCE = 210 "a SequenceReset that would lower the sequence";
        BUST = 211 "a trade cancel or correction (ExecType G, H): positions must be reconciled";
        GAP_STUCK = 212 "the same inbound gap survived all resend requests";
        LEG = 213 "a leg report without a readable LegRefID (654)";
    }
}
