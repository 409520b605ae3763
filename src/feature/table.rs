//! What a feature is: a statistic and its place along two axes in; name, unit, range, warm-up,
//! formula and source of every column out.

use super::settings::{Resolution, Settings};
use alloc::{
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

/// A statistic: a row of a block's own table.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    /// Its name, the first part of a column's.
    pub name: &'static str,
    /// Unit; `1` for a plain ratio, `0/1` for a flag.
    pub unit: &'static str,
    /// Least and greatest value.
    pub range: [f64; 2],
    /// Bars (or, where there is no window, rows or events, as the formula says) before it is known,
    /// by the window.
    pub bars: fn(usize) -> usize,
    /// How it is reckoned; `w` is the window, `C O H L V` the bar, `n` ago a subscript.
    pub formula: &'static str,
    /// Who defined it so.
    pub source: &'static str,
}

/// Any number.
pub(super) const REAL: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];
/// Any number from 0.
pub(super) const POSITIVE: [f64; 2] = [0.0, f64::INFINITY];
/// Hundredths.
pub(super) const PERCENT: [f64; 2] = [0.0, 100.0];

/// A statistic that is known at once; who defined it is still to be said.
pub(super) const fn stat(
    name: &'static str,
    unit: &'static str,
    range: [f64; 2],
    formula: &'static str,
) -> Stat {
    Stat { name, unit, range, bars: |_| 0, formula, source: "" }
}

impl Stat {
    /// The same, known after so many bars.
    pub(super) const fn after(self, bars: fn(usize) -> usize) -> Stat {
        Stat { bars, ..self }
    }

    /// The same, defined by this source.
    pub(super) const fn by(self, source: &'static str) -> Stat {
        Stat { source, ..self }
    }
}

/// The same, all of them defined by one source.
pub(super) const fn all_by<const N: usize>(
    source: &'static str,
    mut stats: [Stat; N],
) -> [Stat; N] {
    let mut at = 0;
    while at < N {
        stats[at].source = source;
        at += 1;
    }
    stats
}

/// What a block's columns lie along.
#[derive(Clone, Copy, Debug)]
pub enum Axis {
    /// Nothing: there is one.
    One,
    /// The configured resolutions, then bars of volume and of turnover where there are any.
    Bars,
    /// The configured resolutions.
    Times,
    /// The configured windows.
    Windows,
    /// The configured options.
    Options,
    /// These names.
    Named(&'static [&'static str]),
}

/// A block: every statistic at every place of two axes. Columns lie in the order outer, statistic,
/// inner; a column's name is `ROOT.stat_inner_outer`.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its family, for listings.
    pub family: &'static str,
    /// The slow axis.
    pub outer: Axis,
    /// The fast axis: neighbours in memory.
    pub inner: Axis,
    /// What there is at each place.
    pub stats: &'static [Stat],
}

/// A column: what `zomma features` lists.
#[derive(Clone, Debug)]
pub struct ColumnDoc {
    /// `SPXW.rsi_14_1m`.
    pub name: String,
    /// The block's family.
    pub family: &'static str,
    /// The statistic: unit, range, formula, source.
    pub stat: &'static Stat,
    /// What must have been seen before it is known: `15 bars of 1m`.
    pub warmup: String,
}

/// A place along an axis: its name, and the window if it is one.
struct Place {
    name: String,
    window: usize,
}

impl Axis {
    fn places(self, settings: &Settings) -> Vec<Place> {
        let named = |name: String| Place { name, window: 0 };
        match self {
            Axis::One => vec![named(String::new())],
            Axis::Bars => bar_names(settings).into_iter().map(named).collect(),
            Axis::Times => {
                settings.resolutions.iter().map(|resolution| named(resolution.text())).collect()
            }
            Axis::Options => settings.options.iter().map(|option| named(option.text())).collect(),
            Axis::Windows => {
                let place = |window: &usize| Place { name: window.to_string(), window: *window };
                settings.windows.iter().map(place).collect()
            }
            Axis::Named(names) => names.iter().map(|name| named(name.to_string())).collect(),
        }
    }
}

/// Names of all kinds of bars: `1s` … `1d`, `vol`, `usd`.
fn bar_names(settings: &Settings) -> Vec<String> {
    let time = settings.resolutions.iter().map(|resolution: &Resolution| resolution.text());
    let filled = [("vol", settings.volume_bar), ("usd", settings.dollar_bar)];
    let filled = filled.into_iter().filter(|(_, full)| *full > 0.0);
    time.chain(filled.map(|(name, _)| name.to_string())).collect()
}

impl Table {
    /// How many columns it has.
    pub fn columns(&self, settings: &Settings) -> usize {
        let len = |axis: Axis| axis.places(settings).len();
        len(self.outer) * self.stats.len() * len(self.inner)
    }

    /// Its columns for a root, in order.
    pub(super) fn declare(&self, settings: &Settings, root: &str, into: &mut Vec<ColumnDoc>) {
        for outer in self.outer.places(settings) {
            for stat in self.stats {
                for inner in self.inner.places(settings) {
                    let parts = [stat.name, &inner.name, &outer.name];
                    let parts: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                    let name = format!("{root}.{}", parts.join("_"));
                    let bars = (stat.bars)(inner.window);
                    let warmup = self.warmup(bars, &outer.name);
                    into.push(ColumnDoc { name, family: self.family, stat, warmup });
                }
            }
        }
    }

    fn warmup(&self, bars: usize, outer: &str) -> String {
        match (bars, self.outer) {
            (0, _) => "none".to_string(),
            (bars, Axis::Bars) => format!("{bars} bars of {outer}"),
            (bars, Axis::Options) => format!("{bars} bar of the option"),
            (bars, _) => format!("{bars}"),
        }
    }
}
