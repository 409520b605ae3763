//! Values one after the other in; where another stands among the last of them, out.

use alloc::{boxed::Box, vec};

/// The last values of a series, as many as there is room for; NaN takes no part.
#[derive(Clone, Debug)]
pub(super) struct Past {
    values: Box<[f64]>,
    count: usize,
}

impl Past {
    /// Room for so many.
    pub(super) fn new(room: usize) -> Past {
        Past { values: vec![f64::NAN; room].into(), count: 0 }
    }

    /// Nothing was pushed.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// One more; the oldest goes where there is no room.
    pub(super) fn push(&mut self, value: f64) {
        if !value.is_nan() {
            self.values[self.count % self.values.len()] = value;
            self.count += 1;
        }
    }

    /// The value so many pushes before the last; NaN where there is none any more.
    pub(super) fn ago(&self, pushes: usize) -> f64 {
        let room = self.values.len();
        let kept = pushes < room.min(self.count);
        if kept { self.values[(self.count - 1 - pushes) % room] } else { f64::NAN }
    }

    /// All there is room for, the latest first; NaN where there is none yet.
    pub(super) fn backwards(&self) -> impl Iterator<Item = f64> + '_ {
        let (newer, older) = self.values.split_at(self.count % self.values.len());
        newer.iter().rev().chain(older.iter().rev()).copied()
    }

    fn kept(&self) -> &[f64] {
        &self.values[..self.count.min(self.values.len())]
    }

    /// (x − min)/(max − min); NaN where they are one.
    pub(super) fn rank(&self, x: f64) -> f64 {
        let lowest = self.kept().iter().copied().fold(x, f64::min);
        let highest = self.kept().iter().copied().fold(x, f64::max);
        (x - lowest) / (highest - lowest)
    }

    /// Share of the values below `x`; NaN without any.
    pub(super) fn percentile(&self, x: f64) -> f64 {
        let below = self.kept().iter().filter(|value| **value < x).count();
        if x.is_nan() { f64::NAN } else { below as f64 / self.kept().len() as f64 }
    }

    /// Standard deviation of the sample; NaN for fewer than two.
    pub(super) fn deviation(&self) -> f64 {
        let kept = self.kept();
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let squares = kept.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
        if kept.len() < 2 { f64::NAN } else { (squares / (count - 1.0)).sqrt() }
    }
}
