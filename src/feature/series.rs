//! An external series in; its level, where that stands among its past and its age, or, of known
//! dates, how far the next and the last one are, out.
//!
//! What changes only with a new observation is reckoned when there is one.

use super::table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat};
use crate::{
    chain::{Chain, Observation, Series as Known},
    wire::NANOS_PER_SECOND,
};

const FEW: usize = 5;
const MONTH: usize = 20;
const YEAR: usize = 252;

const STATS: &[Stat] = &all_by(
    "observations known at the row",
    [
        stat("value", "of the series", REAL, "the latest observation x").after(|_| 1),
        stat("change", "of the series", REAL, "x − the observation before it").after(|_| 2),
        stat("change_5", "of the series", REAL, "x − the observation five before it")
            .after(|_| FEW + 1),
        stat("return_20", "1", REAL, "x / the observation twenty before it − 1")
            .after(|_| MONTH + 1),
        stat("z_20", "1", REAL, "(x − mean) / population deviation, last 20 with x")
            .after(|_| MONTH),
        stat("rank_252", "1", [0.0, 1.0], "(x − least) / (greatest − least), last 252")
            .after(|_| YEAR),
        stat("percentile_252", "1", [0.0, 1.0], "share of the 251 before x that lie below")
            .after(|_| YEAR),
        stat("age", "s", POSITIVE, "now − when x became known").after(|_| 1),
        stat("stale", "0/1", [0.0, 1.0], "nothing is known, or age is above stale_after"),
    ],
);

const DATES: &[Stat] = &all_by(
    "dates known at the row",
    [
        stat("ahead", "s", POSITIVE, "the date that comes next − now"),
        stat("behind", "s", POSITIVE, "now − the date that was last"),
        stat("ahead_value", "of the series", REAL, "what the series says of the next date"),
    ],
);

const CHANGING: usize = 7;

/// The columns of one series.
#[derive(Debug)]
pub(super) struct Series {
    index: Option<u16>,
    latest: Option<Observation>,
    values: [f64; CHANGING],
}

impl Series {
    /// What there is of every series.
    pub(super) const TABLE: &'static Table =
        &Table { family: "series", outer: Axis::One, inner: Axis::One, stats: STATS };

    /// Of the series at this place of the universe.
    pub(super) fn new(index: Option<u16>) -> Series {
        Series { index, latest: None, values: [f64::NAN; CHANGING] }
    }

    /// Writes its columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        out.fill(f64::NAN);
        let Some(series) = self.index.and_then(|index| chain.series(index)) else { return };
        if self.latest.as_ref() != series.latest() {
            self.latest = series.latest().copied();
            self.values = among_its_past(series);
        }
        out[..CHANGING].copy_from_slice(&self.values);
        out[CHANGING] = seconds(series.age(chain.now));
        out[CHANGING + 1] = f64::from(u8::from(series.is_stale(chain.now)));
    }
}

fn seconds(nanos: Option<u64>) -> f64 {
    nanos.map_or(f64::NAN, |nanos| nanos as f64 / NANOS_PER_SECOND as f64)
}

/// The columns of one calendar: they are looked up again when one of its dates has come or become
/// known.
#[derive(Debug)]
pub(super) struct Dates {
    index: Option<u16>,
    latest: Option<Observation>,
    next: Option<Observation>,
    last: Option<Observation>,
}

impl Dates {
    /// What there is of every calendar.
    pub(super) const TABLE: &'static Table =
        &Table { family: "dates", outer: Axis::One, inner: Axis::One, stats: DATES };

    /// Of the series at this place of the universe.
    pub(super) fn new(index: Option<u16>) -> Dates {
        Dates { index, latest: None, next: None, last: None }
    }

    /// Writes its columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        out.fill(f64::NAN);
        let Some(series) = self.index.and_then(|index| chain.series(index)) else { return };
        let (now, latest) = (chain.now, series.latest());
        let passed = self.next.is_some_and(|next| next.about <= now);
        if self.latest.as_ref() != latest || passed {
            self.latest = latest.copied();
            self.next = series.ahead(now).copied();
            self.last = series.behind(now).copied();
        }
        out[0] = seconds(self.next.map(|next| next.about - now));
        out[1] = seconds(self.last.map(|last| now - last.about));
        out[2] = self.next.map_or(f64::NAN, |next| next.value);
    }
}

/// The first columns, from the latest observations.
fn among_its_past(series: &Known) -> [f64; CHANGING] {
    let mut last = [f64::NAN; YEAR];
    for (place, one) in last.iter_mut().zip(series.known().rev()) {
        *place = one.value;
    }
    let count = series.known().len();
    let x = last[0];
    let z = if count >= MONTH { score(&last[..MONTH]) } else { f64::NAN };
    let [rank, percentile] = if count >= YEAR { standing(&last) } else { [f64::NAN; 2] };
    [x, x - last[1], x - last[FEW], x / last[MONTH] - 1.0, z, rank, percentile]
}

/// How many deviations the first lies above the mean of all.
pub(super) fn score(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    (values[0] - mean) / variance.sqrt()
}

/// Where the first lies between the least and the greatest, and how many of the others lie below.
fn standing(values: &[f64]) -> [f64; 2] {
    let x = values[0];
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = values.iter().filter(|value| **value < x).count() as f64;
    [(x - least) / (greatest - least), below / (values.len() - 1) as f64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn standing_among_the_past_counts_what_lies_below() {
        let at = |x: f64| {
            let past = (0..YEAR - 1).map(|at| at as f64);
            standing(&[x].into_iter().chain(past).collect::<Vec<f64>>())
        };
        assert_eq!(at(125.5), [125.5 / 250.0, 126.0 / 251.0]);
        assert_eq!(at(-1.0), [0.0, 0.0]);
        assert_eq!(at(500.0), [1.0, 1.0]);
        let z = score(&[3.0, 1.0, 2.0]);
        assert!((z - 1.5f64.sqrt()).abs() < 1e-15, "{z}");
    }
}
