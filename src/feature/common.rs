//! What belongs to no root: external series, calendars, pairs, all roots together. The chain in,
//! their columns out, behind those of the roots.

use super::{
    breadth::Breadth,
    daily::Daily,
    pairs::{Pair, Side},
    series::{Dates, Series},
    settings::Settings,
    table::{ColumnDoc, Table},
};
use crate::chain::{Chain, Universe};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

/// What columns over all roots begin with.
const ALL: &str = "ALL";

/// Everything that belongs to no root, in the order of the columns.
#[derive(Debug)]
pub(super) struct Common {
    series: Vec<Series>,
    dates: Vec<Dates>,
    pairs: Vec<Pair>,
    daily: Vec<Daily>,
    breadth: Option<Breadth>,
    widths: Widths,
}

#[derive(Clone, Copy, Debug)]
struct Widths {
    series: usize,
    dates: usize,
    pair: usize,
    daily: usize,
}

/// The tables of settings with the names that their columns begin with, in order.
pub(super) fn tables(settings: &Settings) -> impl Iterator<Item = (String, &'static Table)> + '_ {
    let series = settings.series.iter().map(|name| (name.clone(), Series::TABLE));
    let dates = settings.dates.iter().map(|name| (name.clone(), Dates::TABLE));
    let daily = settings.daily_pairs.iter().map(|name| (name.clone(), Daily::TABLE));
    let pair = |name: &String| [(name.clone(), Pair::TABLE), (name.clone(), Pair::LEVEL)];
    let many = settings.roots.len() > 1;
    let breadth = many.then(|| (ALL.to_string(), Breadth::TABLE));
    let pairs = settings.pairs.iter().flat_map(pair);
    series.chain(dates).chain(pairs).chain(daily).chain(breadth)
}

/// Declares their columns.
pub(super) fn declare(settings: &Settings, into: &mut Vec<ColumnDoc>) {
    tables(settings).for_each(|(name, table)| table.declare(settings, &name, into));
}

/// What a name stands for: a root by its underlying's price, or a series.
fn side(universe: &Universe, name: &str) -> Option<Side> {
    let root = universe.find_root(name).map(Side::Root);
    root.or_else(|| universe.find_series(name).map(Side::Series))
}

/// Both sides of `A/B`; `None` where the universe has not both.
pub(super) fn sides(universe: &Universe, pair: &str) -> Option<[Side; 2]> {
    let (a, b) = pair.split_once('/')?;
    Some([side(universe, a)?, side(universe, b)?])
}

/// The series of both sides of `A+B/C`; `None` where the universe has not all of them.
pub(super) fn daily_sides(universe: &Universe, pair: &str) -> Option<[Vec<u16>; 2]> {
    let (a, b) = pair.split_once('/')?;
    let side = |names: &str| -> Option<Vec<u16>> {
        names.split('+').map(|name| universe.find_series(name)).collect()
    };
    Some([side(a)?, side(b)?])
}

impl Common {
    pub(super) fn new(settings: &Settings, universe: &Universe) -> Common {
        let place = |name: &String| universe.find_series(name);
        let series = settings.series.iter().map(|name| Series::new(place(name)));
        let dates = settings.dates.iter().map(|name| Dates::new(place(name)));
        let daily = settings.daily_pairs.iter();
        let daily = daily.map(|pair| Daily::new(daily_sides(universe, pair)));
        let pairs = settings.pairs.iter().map(|pair| Pair::new(sides(universe, pair)));
        let roots = settings.roots.iter().filter_map(|name| universe.find_root(name));
        let width = |table: &Table| table.columns(settings);
        Common {
            series: series.collect(),
            dates: dates.collect(),
            pairs: pairs.collect(),
            daily: daily.collect(),
            breadth: (settings.roots.len() > 1).then(|| Breadth::new(roots)),
            widths: Widths {
                series: width(Series::TABLE),
                dates: width(Dates::TABLE),
                pair: width(Pair::TABLE) + width(Pair::LEVEL),
                daily: width(Daily::TABLE),
            },
        }
    }

    /// Writes all columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        let widths = self.widths;
        let mut rest = out;
        let mut next = |width: usize| {
            let (mine, others) = core::mem::take(&mut rest).split_at_mut(width);
            rest = others;
            mine
        };
        self.series.iter_mut().for_each(|block| block.fill(chain, next(widths.series)));
        self.dates.iter_mut().for_each(|block| block.fill(chain, next(widths.dates)));
        self.pairs.iter_mut().for_each(|block| block.fill(chain, next(widths.pair)));
        self.daily.iter_mut().for_each(|block| block.fill(chain, next(widths.daily)));
        if let Some(block) = &mut self.breadth {
            block.fill(chain, rest);
        }
    }
}
