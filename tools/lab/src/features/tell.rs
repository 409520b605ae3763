//! What columns carried in; the report as text and as JSON out.

use super::{Carried, Report, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use zomma::feature::ColumnDoc;

/// Names in a line of the summary.
const NAMED: usize = 6;

/// How many columns came to what.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    distinct: usize,
    twins: usize,
    constant: usize,
    never: usize,
}

impl Count {
    fn add(&mut self, verdict: Verdict) {
        self.all += 1;
        *match verdict {
            Verdict::Distinct => &mut self.distinct,
            Verdict::Twin(_) => &mut self.twins,
            Verdict::Constant => &mut self.constant,
            Verdict::Never => &mut self.never,
        } += 1;
    }
}

/// What a column belongs to: its root, series or pair.
fn owner(column: &ColumnDoc) -> &str {
    column.name.split_once('.').map_or("", |(owner, _)| owner)
}

fn counts(report: &Report) -> BTreeMap<(String, &'static str), Count> {
    let mut counts = BTreeMap::<_, Count>::new();
    for (column, carried) in report.columns() {
        let all = (owner(column).to_string(), "");
        let family = (owner(column).to_string(), column.family);
        for key in [all, family] {
            counts.entry(key).or_default().add(carried.verdict);
        }
    }
    counts
}

/// Columns that carried nothing of one verdict, by the reason.
fn reasons(report: &Report, verdict: Verdict) -> BTreeMap<String, Vec<&ColumnDoc>> {
    let mut found = BTreeMap::<String, Vec<&ColumnDoc>>::new();
    for (column, _) in report.columns().filter(|(_, carried)| carried.verdict == verdict) {
        let why = report.why(column).unwrap_or_else(|| "nothing in the inputs says why".into());
        found.entry(why).or_default().push(column);
    }
    found
}

pub(super) fn text(report: &Report) -> String {
    let rows = &report.rows;
    let clock = |at: Option<&super::rows::Clock>| at.map_or("never".into(), |at| at.text());
    let mut out = format!(
        "{} rows of {} columns, {} to {} by the exchange's clock, schema {:016x}\n{}\n\n",
        rows.at.len(),
        rows.values.len(),
        clock(rows.at.first()),
        clock(rows.at.last()),
        rows.schema.hash(),
        rows.census.line(),
    );
    out += "of              family           columns distinct  twins constant  never known\n";
    for ((owner, family), count) in counts(report) {
        let Count { all, distinct, twins, constant, never } = count;
        let family = if family.is_empty() { "all" } else { family };
        out += &format!("{owner:<15} {family:<16} {all:>7} {distinct:>8} {twins:>6} ");
        out += &format!("{constant:>8} {never:>12}\n");
    }
    for (verdict, title) in [(Verdict::Never, "never known"), (Verdict::Constant, "constant")] {
        out += &format!("\n{title}, by what the run lacked:\n");
        for (why, columns) in reasons(report, verdict) {
            out += &format!("  {:>4}  {why}: {}\n", columns.len(), some(&columns));
        }
    }
    out + &twins(report) + &outside(report) + &table(report)
}

fn some(columns: &[&ColumnDoc]) -> String {
    let names: Vec<&str> = columns.iter().take(NAMED).map(|column| &*column.name).collect();
    let more = if columns.len() > NAMED { ", …" } else { "" };
    names.join(", ") + more
}

/// Groups of columns that say the same, by the first of each.
fn groups(report: &Report) -> BTreeMap<usize, Vec<usize>> {
    let mut groups = BTreeMap::<usize, Vec<usize>>::new();
    for (at, carried) in report.carried.iter().enumerate() {
        if let Verdict::Twin(of) = carried.verdict {
            groups.entry(of).or_default().push(at);
        }
    }
    groups
}

fn twins(report: &Report) -> String {
    let columns = report.rows.schema.columns();
    let mut out = format!("\ntwins (equal, or |correlation| above {}):\n", super::twins::TWIN);
    for (of, twins) in groups(report) {
        let name = |at: &usize| {
            let how = if report.carried[*at].equal { "= " } else { "~ " };
            format!("{how}{}", columns[*at].name)
        };
        let names: Vec<String> = twins.iter().map(name).collect();
        out += &format!("  {} {}\n", columns[of].name, names.join(" "));
    }
    out
}

fn outside(report: &Report) -> String {
    let mut out = "\noutside of their declared range:\n".to_string();
    for (column, carried) in report.columns().filter(|(_, carried)| carried.outside > 0) {
        let Carried { outside, known, least, greatest, .. } = carried;
        let [low, high] = column.stat.range;
        out += &format!("  {} {outside} of {known}: {least} to {greatest} ", column.name);
        out += &format!("for {low} to {high}\n");
    }
    out
}

fn verdict(report: &Report, carried: &Carried) -> String {
    match carried.verdict {
        Verdict::Distinct => "distinct".into(),
        Verdict::Constant => "constant".into(),
        Verdict::Never => "never known".into(),
        Verdict::Twin(of) => format!("twin of {}", report.rows.schema.columns()[of].name),
    }
}

fn table(report: &Report) -> String {
    let rows = report.rows.at.len().max(1) as f64;
    let mut out = format!(
        "\n{:<34} {:>7} {:>8} {:>13} {:>13}  declared\n",
        "column", "known", "distinct", "least", "greatest"
    );
    for (column, carried) in report.columns() {
        let Carried { known, distinct, least, greatest, .. } = *carried;
        let (share, [low, high]) = (100.0 * known as f64 / rows, column.stat.range);
        out += &format!("{:<34} {share:>6.1}% {distinct:>8} ", column.name);
        out += &format!("{least:>13.6e} {greatest:>13.6e}  {low} to {high} {}", column.stat.unit);
        out += &format!(", {}\n", verdict(report, carried));
    }
    out
}

pub(super) fn json(report: &Report) -> Value {
    let rows = &report.rows;
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let column = |(column, carried): (&ColumnDoc, &Carried)| {
        let twin = match carried.verdict {
            Verdict::Twin(of) => Some(&rows.schema.columns()[of].name),
            _ => None,
        };
        let nothing = matches!(carried.verdict, Verdict::Constant | Verdict::Never);
        json!({
            "name": column.name,
            "family": column.family,
            "unit": column.stat.unit,
            "low": finite(column.stat.range[0]),
            "high": finite(column.stat.range[1]),
            "known": carried.known as f64 / rows.at.len().max(1) as f64,
            "distinct": carried.distinct,
            "least": finite(carried.least),
            "greatest": finite(carried.greatest),
            "outside": carried.outside,
            "verdict": verdict(report, carried),
            "twin_of": twin,
            "equal": carried.equal,
            "lacked": report.why(column).filter(|_| nothing),
        })
    };
    let count = |((owner, family), count): (&(String, &'static str), &Count)| {
        let Count { all, distinct, twins, constant, never } = *count;
        json!({ "of": owner, "family": family, "columns": all, "distinct": distinct,
            "twins": twins, "constant": constant, "never_known": never })
    };
    json!({
        "schema": format!("{:016x}", rows.schema.hash()),
        "rows": rows.at.len(),
        "days": rows.census.days,
        "inputs": rows.census.line(),
        "counts": counts(report).iter().map(count).collect::<Value>(),
        "columns": report.columns().map(column).collect::<Value>(),
    })
}
