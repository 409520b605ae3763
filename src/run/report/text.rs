//! A report in, the table for a terminal out.

use super::{QUANTILES, Report, title};
use crate::{book::CAUSES, rt::histogram::Snapshot};
use alloc::{format, string::String, vec::Vec};
use std::io::{self, Write};

/// Columns of a duration and of a count.
const COLUMN: usize = 9;

/// A duration in ns with its unit, to three digits.
pub fn duration(nanos: u64) -> String {
    let (value, unit) = match nanos {
        0..1_000 => return format!("{nanos} ns"),
        1_000..1_000_000 => (nanos as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => (nanos as f64 / 1e6, "ms"),
        _ => (nanos as f64 / 1e9, "s"),
    };
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$} {unit}")
}

/// Writes the percentiles, the noise floor and who owns the tail.
pub fn table(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let all = report.families().into_iter().flat_map(|(_, family)| family);
    let width = all.map(|snapshot| title(snapshot).chars().count()).max().unwrap_or(0).max(12);
    write!(out, "{:width$}", "")?;
    for name in QUANTILES.map(|(name, _)| name).into_iter().chain(["max"]) {
        write!(out, "  {name:>COLUMN$}")?;
    }
    writeln!(out, "  {:>11}", "count")?;
    for (about, family) in report.families().into_iter().filter(|(_, family)| !family.is_empty()) {
        writeln!(out, "{about}")?;
        for snapshot in family {
            row(snapshot, width, out)?;
        }
    }
    profits(report, out)?;
    match report.tail_owner() {
        Some(owner) => writeln!(
            out,
            "the tail belongs to {}: {} of its own at p99.9, {:.0} % of all stages' together",
            owner.stage,
            duration(owner.own_ns),
            owner.share * 100.0
        ),
        None => writeln!(out, "no durations were recorded"),
    }
}

/// Profit by cause: a column a strategy.
fn profits(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if report.profits.is_empty() {
        return Ok(());
    }
    let heads = report.profits.iter();
    let heads = heads.map(|p| format!("strategy {} ({} packages)", p.strategy, p.packages));
    writeln!(out, "profit by cause, currency: {}", heads.collect::<Vec<_>>().join(", "))?;
    for (at, cause) in CAUSES.iter().enumerate() {
        write!(out, "  {:<10}", cause.name)?;
        for profit in &report.profits {
            write!(out, "  {:>14.2}", profit.causes[at] as f64 / 1e9)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn row(snapshot: &Snapshot, width: usize, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{:width$}", title(snapshot))?;
    for (_, quantile) in QUANTILES {
        let shown = duration(snapshot.counts.value_at_quantile(quantile).min(snapshot.max));
        write!(out, "  {shown:>COLUMN$}")?;
    }
    writeln!(out, "  {:>COLUMN$}  {:>11}", duration(snapshot.max), snapshot.counts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_three_digits_and_a_unit() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_345, "12.3 µs"),
            (99_990, "100 µs"),
            (999_400, "999 µs"),
            (4_560_000, "4.56 ms"),
            (12_000_000_000, "12.0 s"),
        ];
        for (nanos, shown) in cases {
            assert_eq!(duration(nanos), shown);
        }
    }
}
