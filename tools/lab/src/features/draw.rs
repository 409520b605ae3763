//! Rows in; the page that draws every column that moved, by family, over the session's clock, out.
//!
//! Columns that differ in the window alone share a panel. A line is drawn through the least and the
//! greatest value of each of [`PLACES`] stretches of time, so a spike of one row is seen.

use super::{Report, Verdict, rows::Span};
use crate::surface::page::page as shell;
use serde_json::{Value, json};
use zomma::feature::ColumnDoc;

/// Stretches that the time is cut into.
const PLACES: usize = 120;
/// Lines that a panel can hold and still be read.
const LINES: usize = 8;

pub(super) fn page(report: &Report) -> String {
    shell("features through the session", include_str!("features.js"), &data(report))
}

fn data(report: &Report) -> Value {
    let rows = &report.rows;
    let places = rows.places();
    let panels: Vec<Value> =
        panels(rows.schema.columns()).into_iter().map(|of| panel(report, &places, of)).collect();
    json!({
        "rows": rows.at.len(),
        "columns": rows.values.len(),
        "schema": format!("{:016x}", rows.schema.hash()),
        "inputs": rows.census.line(),
        "days": rows.days().into_iter().map(day).collect::<Value>(),
        "panels": panels,
    })
}

fn day(day: Span) -> Value {
    json!({
        "date": day.date,
        "first": day.first,
        "last": day.last,
        "before": day.before,
    })
}

/// Neighbours of one statistic at one place of the slow axis; where there are many, each alone.
fn panels(columns: &[ColumnDoc]) -> Vec<std::ops::Range<usize>> {
    let mut panels = Vec::new();
    let mut from = 0;
    for to in 1..=columns.len() {
        let same = |a: &ColumnDoc, b: &ColumnDoc| {
            std::ptr::eq(a.stat, b.stat) && outer(a) == outer(b) && a.family == b.family
        };
        if to == columns.len() || !same(&columns[from], &columns[to]) {
            match to - from {
                1..=LINES => panels.push(from..to),
                _ => panels.extend((from..to).map(|at| at..at + 1)),
            }
            from = to;
        }
    }
    panels
}

/// Root and last part of a name.
fn outer(column: &ColumnDoc) -> (&str, &str) {
    let (root, name) = column.name.split_once('.').unwrap_or(("", &column.name));
    (root, name.rsplit_once('_').map_or("", |(_, last)| last))
}

fn panel(report: &Report, places: &[Option<u32>], of: std::ops::Range<usize>) -> Value {
    let columns = &report.rows.schema.columns()[of.clone()];
    let first = &columns[0];
    let line = |at: usize| match report.carried[at].verdict {
        Verdict::Constant | Verdict::Never => Value::Null,
        _ => line(&report.rows.values[at], places),
    };
    let told = |at: usize| match report.carried[at].verdict {
        Verdict::Constant => format!("{}", report.carried[at].least),
        Verdict::Never => "never known".into(),
        _ => String::new(),
    };
    json!({
        "family": first.family,
        "names": columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
        "stat": first.stat.name,
        "unit": first.stat.unit,
        "formula": first.stat.formula,
        "lines": of.clone().map(line).collect::<Value>(),
        "told": of.map(told).collect::<Value>(),
    })
}

/// Pairs of place and value; null where nothing is known for a whole stretch.
fn line(values: &[f64], places: &[Option<u32>]) -> Value {
    let end = places.iter().flatten().last().copied().unwrap_or(0).max(1);
    let mut stretches = vec![None::<[(u32, f64); 2]>; PLACES];
    let known = places.iter().zip(values).filter(|(_, value)| !value.is_nan());
    for (place, value) in known.filter_map(|(place, value)| Some((place.as_ref()?, value))) {
        let at = (*place as usize * PLACES / (end as usize + 1)).min(PLACES - 1);
        let here = (*place, *value);
        let held = stretches[at].get_or_insert([here, here]);
        if *value < held[0].1 {
            held[0] = here;
        }
        if *value > held[1].1 {
            held[1] = here;
        }
    }
    let short = |(place, value): (u32, f64)| json!([place, round(value)]);
    let drawn = stretches.into_iter().flat_map(|held| match held {
        None => vec![Value::Null],
        Some([low, high]) if low.1 == high.1 => vec![short(low)],
        Some([low, high]) if low.0 <= high.0 => vec![short(low), short(high)],
        Some([low, high]) => vec![short(high), short(low)],
    });
    drawn.collect()
}

/// Five digits are more than a panel can show.
fn round(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}
