//! The recorded day's journal in; what each column of its features carried out: enough of them, in
//! their ranges, and nothing silent without a reason in the day's inputs.

use crate::recorded;
use std::{collections::BTreeSet, fs, path::Path};
use zomma_lab::features::{Report, Verdict};

fn report() -> Option<Report> {
    let report = Report::of(recorded::run()?).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(folder.join("features.txt"), report.text()).unwrap();
    fs::write(folder.join("features.html"), report.page()).unwrap();
    Some(report)
}

/// At least five hundred columns of the root moved, each unlike all others; each value that was
/// known lay in its declared range; and what never moved or was never known lacked something that
/// this day did not have.
#[test]
fn the_recorded_day_fills_five_hundred_columns_within_their_ranges() {
    let Some(report) = report() else { return };
    let of_root = report.columns().filter(|(column, _)| column.name.starts_with("GOOG."));
    let distinct = of_root.filter(|(_, carried)| carried.verdict == Verdict::Distinct).count();
    assert!(distinct >= 500, "{distinct}");
    let outside: Vec<&str> = report
        .columns()
        .filter(|(_, carried)| carried.outside > 0)
        .map(|(column, _)| &*column.name)
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
    let silent = |verdict| matches!(verdict, Verdict::Constant | Verdict::Never);
    let unexplained: Vec<&str> = report
        .columns()
        .filter(|(column, carried)| silent(carried.verdict) && report.why(column).is_none())
        .map(|(column, _)| &*column.name)
        .collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
}

/// Text, JSON and page tell of every column.
#[test]
fn every_column_is_in_the_text_the_json_and_the_page() {
    let Some(report) = report() else { return };
    let (text, json, page) = (report.text(), report.json(), report.page());
    let told: BTreeSet<&str> =
        json["columns"].as_array().unwrap().iter().filter_map(|c| c["name"].as_str()).collect();
    for (column, _) in report.columns() {
        assert!(told.contains(&*column.name), "{}", column.name);
        assert!(text.contains(&column.name) && page.contains(&format!("\"{}\"", column.name)));
    }
    assert_eq!(json["days"].as_array().unwrap().len(), 1);
    assert!(!page.contains("/*DATA*/") && page.contains("\"formula\""));
}
