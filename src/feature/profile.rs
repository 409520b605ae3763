//! Prints of the underlying in; where the session's volume lies by price, out.
//!
//! Volume is counted in bins of 5 basis points of the session's first print; prints beyond the
//! outermost ones count there.

use super::{
    bar::Tick,
    block::{Block, See, Setup},
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};

const STATS: &[Stat] = &all_by(
    "volume by price, Steidlmayer 1984",
    [
        stat("poc_gap", "1", REAL, "price / middle of the session's bin with the most volume − 1"),
        stat("poc_share", "1", [0.0, 1.0], "volume of that bin / volume of the session"),
        stat("volume_below", "1", [0.0, 1.0], "volume in bins below the price's / all"),
        stat("profile_width", "1", POSITIVE, "standard deviation of price by volume / price"),
    ],
);

const BINS: usize = 256;
const MIDDLE: usize = BINS / 2;
const WIDTH: f64 = 0.000_5;

/// The session's volume by price.
#[derive(Debug)]
pub(super) struct Profile {
    date: u32,
    first: f64,
    bins: [f64; BINS],
    all: f64,
}

/// The bin of a price, as a share of the session's first.
fn bin(share: f64) -> usize {
    let place = (share - 1.0) / WIDTH + MIDDLE as f64;
    place.clamp(0.0, (BINS - 1) as f64) as usize
}

fn middle(bin: usize) -> f64 {
    1.0 + (bin as f64 + 0.5 - MIDDLE as f64) * WIDTH
}

impl Profile {
    fn take(&mut self, price: f64, units: f64) {
        if self.first.is_nan() {
            self.first = price;
        }
        self.bins[bin(price / self.first)] += units;
        self.all += units;
    }

    fn columns(&self, price: f64) -> [f64; STATS.len()] {
        if self.all == 0.0 || price.is_nan() {
            return [f64::NAN; STATS.len()];
        }
        let (mut most, mut at) = (0.0, 0);
        let (mut first, mut second) = (0.0, 0.0);
        for (bin, &units) in self.bins.iter().enumerate() {
            (most, at) = if units > most { (units, bin) } else { (most, at) };
            let off = (bin as f64 - MIDDLE as f64) * WIDTH;
            (first, second) = (first + units * off, second + units * off * off);
        }
        let share = price / self.first;
        let below: f64 = self.bins[..bin(share)].iter().sum();
        let mean = first / self.all;
        let deviation = (second / self.all - mean * mean).max(0.0).sqrt();
        [share / middle(at) - 1.0, most / self.all, below / self.all, deviation / share]
    }
}

impl Block for Profile {
    const TABLE: &'static Table =
        &Table { family: "session", outer: Axis::One, inner: Axis::One, stats: STATS };

    fn new(_: &Setup<'_>) -> Profile {
        Profile { date: 0, first: f64::NAN, bins: [0.0; BINS], all: 0.0 }
    }

    fn on_tick(&mut self, see: &See<'_>, tick: Tick) {
        if see.day.date != self.date {
            *self = Profile { date: see.day.date, first: f64::NAN, bins: [0.0; BINS], all: 0.0 };
        }
        if let Tick::Print(price, units) = tick {
            self.take(price, units);
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        let today = see.day.date == self.date;
        let price = if today { see.price } else { f64::NAN };
        out.copy_from_slice(&self.columns(price));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_that_of_what_was_printed() {
        let mut profile = Profile { date: 1, first: f64::NAN, bins: [0.0; BINS], all: 0.0 };
        assert!(profile.columns(100.0)[0].is_nan());
        for (price, units) in [(100.01, 10.0), (100.01, 30.0), (101.0, 40.0), (500.0, 20.0)] {
            profile.take(price, units);
        }
        // The first print's bin begins with it; 101 lies 19 bins higher; 500 is beyond the last.
        let [gap, share, below, width] = profile.columns(100.01);
        assert!((gap - (1.0 / middle(MIDDLE) - 1.0)).abs() < 1e-12, "{gap}");
        assert_eq!((share, below), (0.4, 0.0));
        assert_eq!(profile.columns(101.0)[2], 0.4);
        assert_eq!(profile.columns(501.0)[2], 0.8);
        let offs = [0.0, 19.0, 127.0].map(|bin| bin * WIDTH);
        let mean = 0.4 * offs[1] + 0.2 * offs[2];
        let wanted = 0.4 * offs[1] * offs[1] + 0.2 * offs[2] * offs[2] - mean * mean;
        assert!((width * width - wanted).abs() < 1e-12, "{width}");
    }
}
