//! What belongs to no root: external series, pairs, all roots together. The chain in, their columns
//! out, behind those of the roots.

use super::{
    breadth::Breadth,
    pairs::{Pair, Side},
    series::Series,
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

/// Everything that belongs to no root.
#[derive(Debug)]
pub(super) struct Common {
    series: Vec<Series>,
    pairs: Vec<Pair>,
    breadth: Option<Breadth>,
    widths: Widths,
}

#[derive(Clone, Copy, Debug)]
struct Widths {
    series: usize,
    pair: usize,
    breadth: usize,
}

/// The tables of settings with the names that their columns begin with, in order.
pub(super) fn tables(settings: &Settings) -> impl Iterator<Item = (String, &'static Table)> + '_ {
    let series = settings.series.iter().map(|name| (name.clone(), Series::TABLE));
    let pair = |name: &String| [(name.clone(), Pair::TABLE), (name.clone(), Pair::LEVEL)];
    let many = settings.roots.len() > 1;
    let breadth = many.then(|| (ALL.to_string(), Breadth::TABLE));
    series.chain(settings.pairs.iter().flat_map(pair)).chain(breadth)
}

/// Declares their columns.
pub(super) fn declare(settings: &Settings, into: &mut Vec<ColumnDoc>) {
    tables(settings).for_each(|(name, table)| table.declare(settings, &name, into));
}

/// What a name stands for: a root by its underlying's price, or a series.
fn side(universe: &Universe, name: &str) -> Option<Side> {
    let root = universe.roots.iter().position(|root| root.text() == name);
    let series = || universe.series.iter().position(|series| series.name == name);
    let root = root.map(|at| Side::Root(at as u16));
    root.or_else(|| series().map(|at| Side::Series(at as u16)))
}

/// Both sides of `A/B`; `None` where the universe has not both.
pub(super) fn sides(universe: &Universe, pair: &str) -> Option<[Side; 2]> {
    let (a, b) = pair.split_once('/')?;
    Some([side(universe, a)?, side(universe, b)?])
}

impl Common {
    pub(super) fn new(settings: &Settings, universe: &Universe) -> Common {
        let place = |name: &String| universe.series.iter().position(|row| row.name == *name);
        let series =
            settings.series.iter().map(|name| Series::new(place(name).map(|at| at as u16)));
        let pairs = settings.pairs.iter().map(|pair| Pair::new(sides(universe, pair)));
        let root = |name: &String| universe.roots.iter().position(|root| root.text() == *name);
        let roots = settings.roots.iter().filter_map(root).map(|at| at as u16);
        let width = |table: &Table| table.columns(settings);
        Common {
            series: series.collect(),
            pairs: pairs.collect(),
            breadth: (settings.roots.len() > 1).then(|| Breadth::new(roots)),
            widths: Widths {
                series: width(Series::TABLE),
                pair: width(Pair::TABLE) + width(Pair::LEVEL),
                breadth: width(Breadth::TABLE),
            },
        }
    }

    /// Writes all columns.
    pub(super) fn fill(&mut self, chain: &Chain, out: &mut [f64]) {
        let Widths { series, pair, breadth } = self.widths;
        let (first, rest) = out.split_at_mut(series * self.series.len());
        let (second, third) = rest.split_at_mut(pair * self.pairs.len());
        for (block, out) in self.series.iter_mut().zip(first.chunks_mut(series)) {
            block.fill(chain, out);
        }
        for (block, out) in self.pairs.iter_mut().zip(second.chunks_mut(pair)) {
            block.fill(chain, out);
        }
        if let Some(block) = &mut self.breadth {
            block.fill(chain, &mut third[..breadth]);
        }
    }
}
