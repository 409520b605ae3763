//! Changes of the underlying over several times in; how many of them say up or down, out.

use crate::{config::Span, strategy::Sight, wire::NANOS_PER_SECOND};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

crate::section! {
    /// Timeframes that vote.
    pub struct Frames {
        /// The frames, shortest first.
        pub frames: Vec<Span> = minutes(), "-";
        /// Least move over each of them that counts, as a share of the price.
        pub moves: Vec<f64> = Vec::from([0.000_5, 0.001, 0.002]), "1";
        /// Votes that must be left when those against are taken off.
        pub agree: u32 = 2, in 1..=64, "frames";
    }
}

fn minutes() -> Vec<Span> {
    [5, 15, 60].map(|minutes| Span(minutes * 60 * NANOS_PER_SECOND)).into()
}

impl Frames {
    /// Votes for up less those for down; a frame that is not known does not vote.
    pub(super) fn votes(&self, sight: &Sight<'_>) -> i32 {
        let vote = |(frame, least): (&Span, &f64)| {
            let change = sight.change(frame.nanos() / NANOS_PER_SECOND);
            i32::from(change >= *least) - i32::from(change <= -*least)
        };
        self.frames.iter().zip(&self.moves).map(vote).sum()
    }

    /// Whether so many votes are enough.
    pub(super) fn are_enough(&self, votes: i32) -> bool {
        votes.unsigned_abs() >= self.agree
    }

    pub(super) fn mistakes(&self) -> Vec<(&'static str, String)> {
        let sound = self.frames.len() == self.moves.len() && self.frames.is_sorted();
        let positive = self.moves.iter().all(|least| *least > 0.0);
        let what = "must be as many positive numbers as there are frames, which ascend";
        if sound && positive { Vec::new() } else { Vec::from([("moves", what.to_string())]) }
    }
}
