//! A bounded ring between two threads: messages in at one end, the same in order out at the other.
//!
//! ```
//! use zomma::rt::ring::ring;
//! let (mut producer, mut consumer) = ring::<u32>(4);
//! assert!(producer.try_push(&7));
//! assert_eq!(producer.publish(&[8, 9, 10, 11]), 3); // full: one had no place
//! assert_eq!(producer.full(), 1);
//! let mut seen = Vec::new();
//! assert_eq!(consumer.drain(16, |message| seen.push(*message)), 4);
//! assert_eq!(seen, [7, 8, 9, 10]);
//! assert_eq!(consumer.pop(), None);
//! ```
//!
//! # How
//! One array of slots, allocated when the ring is made. A slot is ready when the spare bit of its
//! word ([`Message`]) shows the parity of the lap, so the bit that says "ready" is in
//! the cache line that carries the message: an [`Event`](crate::wire::Event) crosses between cores
//! with one line transfer, where a ring with a published index needs two, one after the other.
//! The consumer publishes how far it has read; the producer looks at that only when its last look
//! leaves no room, so with room to spare it touches no line but the slots'.
//!
//! # Contract
//! - One producer, one consumer; the types are not `Clone`. Either may move to another thread.
//! - In order, each message exactly once, no message torn: what [`Consumer::pop`] gives is what
//!   [`Producer::try_push`] took.
//! - A full ring takes nothing: the producer is told and counts it ([`Producer::full`]). Nothing is
//!   overwritten or dropped. Waiting is the caller's choice ([`super::idle`]).
//! - Neither end blocks, allocates, or makes a system call; each call is bounded by its batch.
//!
//! # Not guaranteed
//! - That a batch arrives at once: the consumer may see its beginning before its end is written.
//! - That room appears as soon as a message was taken: [`Consumer::drain`] publishes when it
//!   returns, so a producer may find the ring full during a drain.
//! - That anybody hears of the other end's going: a consumer dropped looks like a full ring, a
//!   producer dropped like an empty one. Stopping is the business of [`super::runner`].

mod consumer;
#[cfg(all(test, loom))]
mod loom;
mod message;
mod producer;
mod shared;
#[cfg(all(test, not(loom)))]
mod tests;

pub use consumer::Consumer;
pub use message::{Message, Plain, READY};
pub use producer::Producer;

/// A ring of `capacity` slots, which is a power of two.
///
/// # Panics
/// Where `capacity` is no power of two: it is a constant of the program, not outside data.
pub fn ring<T: Message>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    assert!(capacity.is_power_of_two(), "a ring's capacity is a power of two, not {capacity}");
    let shared = shared::Shared::<T>::new(capacity);
    (Producer::new(shared.clone()), Consumer::new(shared))
}
