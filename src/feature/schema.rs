//! Settings in; the columns of a row, their hash, and the place of a column by its name out.

use super::{block::TABLES, settings::Settings, table::ColumnDoc};
use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt::Write as _;
use sha2::{Digest, Sha256};

/// The place of a column in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column(pub(super) u32);

impl Column {
    /// Index from 0.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// The columns of a row, in order: block after block for the first root, then for the next.
#[derive(Clone, Debug)]
pub struct Schema {
    settings: Settings,
    columns: Vec<ColumnDoc>,
    places: BTreeMap<String, u32>,
    hash: u64,
}

/// Names that a message offers for one that does not exist.
const NEAR: usize = 5;

impl Schema {
    /// The schema that settings lead to.
    pub fn new(settings: &Settings) -> Schema {
        let mut columns = Vec::new();
        for root in &settings.roots {
            TABLES.iter().for_each(|table| table.declare(settings, root, &mut columns));
        }
        let hash = hash(settings, &columns);
        let place = |(at, column): (usize, &ColumnDoc)| (column.name.clone(), at as u32);
        let places = columns.iter().enumerate().map(place).collect();
        Schema { settings: settings.clone(), columns, places, hash }
    }

    /// No roots, no columns.
    pub fn none() -> Schema {
        Schema::new(&Settings::default())
    }

    /// What it was made from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// All columns, in order.
    pub fn columns(&self) -> &[ColumnDoc] {
        &self.columns
    }

    /// What rows of this schema carry: the first eight bytes of the SHA-256 over cadence and
    /// columns (name, unit, formula), a line each.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The place of a column, `None` where there is no such name.
    pub fn column(&self, name: &str) -> Option<Column> {
        self.places.get(name).copied().map(Column)
    }

    /// The same, or a sentence that offers the nearest names.
    pub fn resolve(&self, name: &str) -> Result<Column, String> {
        self.column(name).ok_or_else(|| match self.near(name) {
            near if near.is_empty() => format!(
                "is {name:?}, but there are no features; name roots under [features] of the \
                 main file"
            ),
            near => format!(
                "is {name:?}, which is no feature; near are: {}; `zomma features` lists all",
                near.join(", ")
            ),
        })
    }

    fn near(&self, name: &str) -> Vec<&str> {
        let mut all: Vec<(usize, &str)> = self
            .columns
            .iter()
            .map(|column| (distance(name, &column.name), column.name.as_str()))
            .collect();
        all.sort();
        all.into_iter().take(NEAR).map(|(_, name)| name).collect()
    }
}

/// Insertions, deletions and replacements that make one text the other (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = core::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn hash(settings: &Settings, columns: &[ColumnDoc]) -> u64 {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(text, "{} ns", settings.every.nanos());
    for column in columns {
        let stat = column.stat;
        let _ = writeln!(text, "{}\t{}\t{}", column.name, stat.unit, stat.formula);
    }
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(first)
}
