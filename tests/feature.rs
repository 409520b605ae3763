//! Rows of features: known when they may be, the same whichever way they are made, and never
//! changed by what comes later.
mod floor;
mod walk;

use floor::{Floor, OPEN, SECOND};
use walk::rows;
use zomma::{
    feature::{Schema, Settings},
    strategy::Set,
    wire::Event,
};

/// A morning of quotes, as inputs.
fn morning(rounds: usize) -> Vec<Event> {
    let mut floor = Floor::new(Set::default(), "");
    for round in 0..rounds {
        floor.wave(round);
        floor.wait(0.3);
    }
    floor.sent.into_iter().filter(|event| event.kind.is_input()).collect()
}

fn schema() -> Schema {
    Schema::new(&Settings::with_roots(&["SPXW"]))
}

#[test]
fn a_row_comes_with_the_first_batch_past_each_multiple_of_the_cadence() {
    let (schema, inputs) = (schema(), morning(100));
    let rows = rows(&schema, &inputs);
    assert_eq!(rows.len(), 30, "30 s of market, a row a second");
    for (at, (told, row)) in rows.iter().enumerate() {
        assert_eq!((told.number, told.schema), (at as u64 + 1, schema.hash()));
        assert_eq!((told.digest, told.known), (row.digest, row.count));
        assert_eq!(told.columns as usize, schema.columns().len());
        assert!(row.ts % SECOND < SECOND / 2, "{}", row.ts);
        let known = row.values().iter().filter(|value| !value.is_nan()).count();
        let mask: u32 = row.known().iter().map(|word| word.count_ones()).sum();
        assert_eq!((known, mask as usize), (row.count as usize, row.count as usize));
    }
}

#[test]
fn the_time_family_tells_the_exchanges_clock() {
    let schema = schema();
    let rows = rows(&schema, &morning(20));
    let row = &rows.last().unwrap().1;
    let get = |name: &str| row.get(schema.column(&format!("SPXW.{name}")).unwrap());
    let elapsed = (row.ts - OPEN) as f64 / 1e9;
    assert_eq!(get("session_share"), elapsed / 23_400.0);
    assert_eq!(get("session_left"), 23_400.0 - elapsed);
    assert_eq!(get("dte_1"), (23_400.0 - elapsed) / 86_400.0);
    assert!(get("dte_2").is_nan(), "there is one expiry");
    // Wednesday, 12 June 2024; the third Friday is the 21st; the 19th is a holiday.
    let wanted = [
        ("weekday", 3.0),
        ("month_day", 12.0),
        ("month", 6.0),
        ("monthly_days", 9.0),
        ("quarterly", 1.0),
        ("month_left", 11.0),
        ("next_session", 1.0),
        ("expiry_today", 1.0),
        ("half_day", 0.0),
        ("session_open", 1.0),
    ];
    for (name, value) in wanted {
        assert_eq!(get(name), value, "{name}");
    }
}

/// A session of an underlying alone: at least five hundred columns are known at its end, move, and
/// are no other column under a second name.
#[test]
fn at_least_five_hundred_columns_carry_something_of_their_own() {
    let schema = Schema::new(&Settings::with_roots(&["SPY"]));
    let rows = rows(&schema, &walk::events(&walk::walk(60_000)));
    let rows: Vec<_> = rows.iter().skip(6_000).step_by(rows.len() / 150).collect();
    let series = |at: usize| rows.iter().map(move |(_, row)| row.values()[at]);
    let mut kept: Vec<Vec<f64>> = Vec::new();
    let (mut unknown, mut constant, mut twins) = (0, 0, Vec::new());
    for (at, column) in schema.columns().iter().enumerate() {
        let values: Vec<f64> = series(at).collect();
        if values.iter().any(|value| value.is_nan()) {
            unknown += 1;
        } else if values.iter().all(|value| *value == values[0]) {
            constant += 1;
        } else {
            let unit = standard(&values);
            let like = |other: &Vec<f64>| {
                other.iter().zip(&unit).map(|(a, b)| a * b).sum::<f64>().abs() > 0.9999
            };
            if kept.iter().any(like) { twins.push(&column.name) } else { kept.push(unit) }
        }
    }
    let all = schema.columns().len();
    println!("of {all} columns {unknown} are not known in such a session, {constant} constant,");
    println!("{} like another ({twins:?}), {} distinct", twins.len(), kept.len());
    assert!(kept.len() >= 500, "{}", kept.len());
}

/// Mean 0 and length 1.
fn standard(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let length = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
    values.iter().map(|v| (v - mean) / length).collect()
}

#[test]
fn columns_have_names_of_their_own_and_a_wrong_one_is_answered_with_the_nearest() {
    let schema = schema();
    let mut names: Vec<&str> = schema.columns().iter().map(|c| c.name.as_str()).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    for (at, column) in schema.columns().iter().enumerate() {
        assert_eq!(schema.column(&column.name).unwrap().at(), at);
        assert!(!column.stat.formula.is_empty() && !column.stat.source.is_empty());
    }
    let error = schema.resolve("SPXW.sesion_left").unwrap_err();
    assert!(error.contains("SPXW.session_left"), "{error}");
    let error = Schema::none().resolve("SPXW.dte_1").unwrap_err();
    assert!(error.contains("[features]"), "{error}");
    assert_ne!(schema.hash(), Schema::new(&Settings::with_roots(&["SPY"])).hash());
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_would() {
    let wrong = Settings {
        roots: vec!["SPXW".into(), "SPXW".into(), "NOPE".into()],
        windows: vec![20, 5],
        ..Settings::default()
    };
    let universe = floor::universe();
    let mistakes = wrong.mistakes(&universe);
    let keys: Vec<&str> = mistakes.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["roots", "roots", "windows"]);
    assert!(mistakes[1].1.contains("SPXW"), "{}", mistakes[1].1);
    assert!(Settings::with_roots(&["SPXW"]).mistakes(&universe).is_empty());
}
