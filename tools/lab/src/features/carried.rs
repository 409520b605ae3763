//! Rows in; what each column carried: how often it was known, what it took on, whether it moved,
//! kept to its range and was another column's twin, out.

use super::{Rows, twins};
use zomma::feature::ColumnDoc;

/// What came of a column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It moved, and like no column before it.
    Distinct,
    /// It moved with the column at this place: equal, or correlated beyond [`twins::TWIN`].
    Twin(usize),
    /// It had one value all the time.
    Constant,
    /// It was never known.
    Never,
}

/// What a column carried.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    /// Rows in which it was known.
    pub known: usize,
    /// Different values.
    pub distinct: usize,
    /// Least value, NaN for none.
    pub least: f64,
    /// Greatest value.
    pub greatest: f64,
    /// Rows in which it lay outside of its declared range.
    pub outside: usize,
    /// What came of it.
    pub verdict: Verdict,
    /// A twin has the very same values.
    pub equal: bool,
}

/// Of every column.
pub(super) fn of(rows: &Rows) -> Vec<Carried> {
    let columns = rows.schema.columns().iter().zip(&rows.values);
    let mut carried: Vec<Carried> = columns.map(|(doc, values)| alone(doc, values)).collect();
    let moves = |at: &usize| carried[*at].verdict == Verdict::Distinct;
    let moving: Vec<usize> = (0..carried.len()).filter(moves).collect();
    for twins::Twin { of, is, equal } in twins::find(&rows.values, &moving) {
        (carried[is].verdict, carried[is].equal) = (Verdict::Twin(of), equal);
    }
    carried
}

/// What is to be said of a column without looking at the others.
fn alone(doc: &ColumnDoc, values: &[f64]) -> Carried {
    let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let [low, high] = doc.stat.range;
    let outside = known.iter().filter(|value| !(low..=high).contains(*value)).count();
    let (least, greatest) = (known.first().copied(), known.last().copied());
    let count = known.len();
    known.dedup();
    let verdict = match known.len() {
        0 => Verdict::Never,
        1 => Verdict::Constant,
        _ => Verdict::Distinct,
    };
    Carried {
        known: count,
        distinct: known.len(),
        least: least.unwrap_or(f64::NAN),
        greatest: greatest.unwrap_or(f64::NAN),
        outside,
        verdict,
        equal: false,
    }
}
