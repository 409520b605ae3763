//! A report in, a JSON value out: all durations in ns, percentiles and the curve of each.

use super::{Profit, QUANTILES, Report, title};
use crate::{book::CAUSES, rt::histogram::Snapshot};
use alloc::{string::String, vec::Vec};
use serde_json::{Map, Value, json};

/// Points of a curve for every halving of the distance to 100 %.
const POINTS_PER_HALVING: u32 = 4;

/// The report as JSON; [`super::html`] embeds the same.
pub fn json(report: &Report) -> Value {
    let family = |list: &[Snapshot]| list.iter().map(snapshot).collect::<Vec<Value>>();
    let facts: Map<String, Value> =
        report.facts.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let counters: Vec<Value> = report
        .counters
        .iter()
        .map(|reading| {
            let label = &reading.label;
            json!({
                "group": label.group, "name": label.name, "unit": label.unit,
                "about": label.about, "value": reading.value as i64,
            })
        })
        .collect();
    let owner = report.tail_owner().map(
        |owner| json!({ "stage": owner.stage, "own_p99.9_ns": owner.own_ns, "share": owner.share }),
    );
    json!({
        "facts": facts,
        "since_receive": family(&report.since_receive),
        "own": family(&report.own),
        "other": family(&report.other),
        "noise": family(&report.noise),
        "tail_owner": owner,
        "counters": counters,
        "profits": report.profits.iter().map(profit).collect::<Vec<Value>>(),
    })
}

/// Amounts are exact decimals as text: a number of JSON has no nine places.
fn profit(profit: &Profit) -> Value {
    let amount = |amount: &i128| {
        let (sign, wide) = (if *amount < 0 { "-" } else { "" }, amount.unsigned_abs());
        alloc::format!("{sign}{}.{:09}", wide / 1_000_000_000, wide % 1_000_000_000)
    };
    let causes = CAUSES.iter().zip(&profit.causes);
    let causes: Map<String, Value> =
        causes.map(|(cause, sum)| (cause.name.into(), json!(amount(sum)))).collect();
    json!({ "strategy": profit.strategy, "packages": profit.packages, "causes": causes })
}

fn snapshot(snapshot: &Snapshot) -> Value {
    let counts = &snapshot.counts;
    let mut value = json!({
        "name": title(snapshot),
        "about": snapshot.label.about,
        "unit": snapshot.label.unit,
        "count": counts.len(),
        "max": snapshot.max,
        "beyond_range": snapshot.above,
        "curve": curve(snapshot),
    });
    for (name, quantile) in QUANTILES {
        value[name] = json!(counts.value_at_quantile(quantile).min(snapshot.max));
    }
    value
}

/// Quantiles and durations; the last point is the maximum, as far out as one of `count` can be.
fn curve(snapshot: &Snapshot) -> Vec<[f64; 2]> {
    let count = snapshot.counts.len() as f64;
    let last = 1.0 - 1.0 / (count + 1.0);
    snapshot
        .counts
        .iter_quantiles(POINTS_PER_HALVING)
        .map(|step| (step.quantile_iterated_to(), step.value_iterated_to().min(snapshot.max)))
        .filter(|(quantile, _)| *quantile < last)
        .chain([(last, snapshot.max)])
        .map(|(quantile, nanos)| [quantile, nanos as f64])
        .collect()
}
