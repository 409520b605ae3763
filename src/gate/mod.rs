//! Approved orders in, protocol bytes out.
//!
//! [`Gate`] takes [`Cleared`](crate::risk::Cleared) and nothing else. An order is written to the
//! broker only if the session is logged on, nothing waits in front of it, its instruments are
//! known, the bytes say exactly what was approved (`check`), and the kill switch, asked last, is
//! open. Whatever is not sent comes back as a `REPORT` through [`Ends::reply`], which the feed
//! numbers and journals like the broker's own, so that no strategy waits for an answer that
//! cannot come. Cancels pass the kill switch.
//!
//! Sequence numbers and the last sent messages are in [`store`]: kept before the bytes reach the
//! socket, so after a kill the numbers are never lower than what the broker may have seen. A
//! ResendRequest brings cancels and young orders again (PossDupFlag, OrigSendingTime) and fills
//! over the rest: an order from before a disconnect is not what anybody wants now. What an earlier
//! process sent is never sent again: an inquiry (OrderStatusRequest) asks what became of it.
//!
//! SendingTime is the receive time of the event that caused the message: the one clock, and no
//! further reading of it. After start-up nothing here allocates, and nothing blocks.

mod check;
mod dispatch;
mod encoder;
mod facts;
mod link;
mod session;
mod settings;
mod text;

pub use crate::feed::fix::store;
pub use dispatch::{Clock, Ends, Gate};
pub use encoder::{Encoder, LegFacts, Stamp, Target};
pub use facts::Facts;
pub use link::Stream;
pub use session::State;
pub use settings::Broker;

#[cfg(test)]
mod rehearsal;

/// What the gate did, in numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Messages written, of any type.
    pub messages: u64,
    /// Orders written.
    pub orders: u64,
    /// Cancels written.
    pub cancels: u64,
    /// Inquiries written.
    pub inquiries: u64,
    /// Questions for all positions and orders written.
    pub audits: u64,
    /// Messages sent again.
    pub resent: u64,
    /// Orders and cancels not sent: not logged on, or the socket takes nothing.
    pub unsent: u64,
    /// Orders not sent: kill switch.
    pub killed: u64,
    /// Orders not sent: the bytes did not say what was approved. Any is a defect.
    pub mismatches: u64,
    /// Orders not sent: an instrument without definition.
    pub unknown: u64,
    /// Orders not sent: legs missing, out of order or beyond what FIX can say.
    pub malformed: u64,
    /// Orders not sent again, and in doubt since: too old, or killed meanwhile.
    pub stale: u64,
    /// Orders not sent: their cause was older than `decision_age` right before the write.
    pub late: u64,
    /// Orders and cancels whose message the broker threw back.
    pub refused: u64,
    /// Session-level rejects of the broker, of any message.
    pub rejects: u64,
    /// Gaps that the broker saw in our numbers.
    pub gaps_out: u64,
    /// Gaps that we saw in the broker's.
    pub gaps_in: u64,
    /// Times that the broker's numbers were too low.
    pub too_low: u64,
    /// TestRequests sent into silence.
    pub tests: u64,
    /// Connections dropped because an answer did not come.
    pub timeouts: u64,
    /// Connections that broke while writing.
    pub broken: u64,
    /// Definitions beyond `instruments_max`.
    pub undefined: u64,
}
