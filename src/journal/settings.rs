//! The section `[journal]` of the configuration.

use super::format::PAGE;
use crate::config::{Span, Value};
use alloc::{format, string::String};

/// What is brought to the disk while the run lasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Sync {
    /// Nothing: the end of the process loses nothing, a power cut may lose everything.
    None,
    /// Finished strides, and what has rested, at the interval; what is below the durable mark
    /// survives a power cut.
    Interval,
    /// As at the interval, and at once whatever an output needs: an order leaves only when its
    /// record and the input that caused it are on the disk.
    Strict,
}

impl Sync {
    fn name(self) -> &'static str {
        match self {
            Sync::None => "none",
            Sync::Interval => "interval",
            Sync::Strict => "strict",
        }
    }
}

impl Value for Sync {
    const WANTED: &'static str = "\"none\", \"interval\" or \"strict\"";
    fn read(value: &toml::Value) -> Option<Sync> {
        let text = value.as_str()?;
        [Sync::None, Sync::Interval, Sync::Strict].into_iter().find(|sync| sync.name() == text)
    }
    fn show(&self) -> String {
        format!("{:?}", self.name())
    }
}

crate::section! {
    /// How a journal is kept.
    pub struct Settings {
        /// Size of an input segment; rounded up to a page. Two are reserved at any time.
        pub segment_bytes: usize = 67_108_864, in 65_536..=1_073_741_824, "bytes";
        /// Size of an output segment; rounded up to a page. Two are reserved at any time.
        pub output_segment_bytes: usize = 4_194_304, in 65_536..=1_073_741_824, "bytes";
        /// What is brought to the disk while the run lasts: "none", "interval" (what is written, at
        /// the interval) or "strict" (and an order waits until it is there, with its cause).
        pub sync: Sync = Sync::Interval, "-";
        /// How often what is written is brought to the disk.
        pub sync_interval: Span = Span(50_000_000),
            in Span(1_000_000)..=Span(60_000_000_000), "-";
    }
}

/// The most bytes that are brought to the disk as one.
const STRIDE_MAX: usize = 64 << 10;

impl Settings {
    /// Bytes of a segment that are brought to the disk together, when all of them are written. The
    /// kernel protects whole folios on their way there, of several pages each, and whoever stores
    /// into one waits: so a stride is as long as most of them, if the segment is large enough for
    /// what is meanwhile kept elsewhere.
    pub(super) fn stride(&self) -> usize {
        let share = (self.segment_bytes / 1_024).clamp(PAGE, STRIDE_MAX);
        1 << share.ilog2()
    }
}
