//! Rows of features: known when they may be, the same whichever way they are made, and never
//! changed by what comes later.
mod floor;

use floor::{Floor, OPEN, SECOND, call};
use zomma::{
    book::{Account, Book, Desk},
    chain::{Chain, Track, Universe},
    feature::{Features, Row, Schema, Settings},
    greeks::Revalue,
    stage::{Emit, Tap, Then},
    strategy::Set,
    wire::{Event, Kind, market},
};

/// A morning of quotes, as inputs.
fn morning(rounds: usize) -> Vec<Event> {
    let mut floor = Floor::new(Set::default(), "");
    for round in 0..rounds {
        let wave = (round % 40) as f64 - 20.0;
        if round % 4 == 0 {
            floor.market(5_400.0 + wave.abs() * 0.2, 1.0 - 0.004 * wave.abs());
        }
        floor.quote(call(5_420), 300 + round as i64 % 7 * 10, 370 + round as i64 % 5 * 10);
        floor.wait(0.3);
    }
    floor.sent.into_iter().filter(|event| event.kind.is_input()).collect()
}

fn desk(universe: &Universe, schema: &Schema) -> Desk {
    let book = Book::new(&account(), floor::BROKER);
    Desk { chain: Chain::new(universe), book, features: Row::new(schema) }
}

fn account() -> Account {
    floor::settings("").0
}

/// The rows that inputs lead to, with the FEATURES events that tell of them.
fn rows(schema: &Schema, inputs: &[Event]) -> Vec<(market::Features, Row)> {
    let universe = floor::universe();
    let mut found = Vec::new();
    let tap = Tap(|desk: &mut Desk, event: &Event| {
        if event.kind == Kind::FEATURES {
            found.push((*event.body::<market::Features>(), desk.features.clone()));
        }
    });
    let rear = Then(Features::new(schema, &universe), tap);
    let mut stages = Then(Track, Then(Revalue::new(&universe), rear));
    let mut desk = desk(&universe, schema);
    inputs.iter().for_each(|event| stages.emit(&mut desk, event));
    drop(stages);
    found
}

fn schema() -> Schema {
    Schema::new(&Settings::with_roots(&["SPXW"]))
}

fn bits(row: &Row) -> Vec<u64> {
    row.values().iter().map(|value| value.to_bits()).collect()
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
    assert_eq!(get("session_elapsed"), elapsed);
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

/// What comes later changes nothing: whatever the inputs are cut down to, the rows before the cut
/// have the same bits.
#[test]
fn truncating_the_inputs_leaves_every_earlier_row_as_it_was() {
    let (schema, inputs) = (schema(), morning(100));
    let whole = rows(&schema, &inputs);
    for cut in (0..inputs.len()).step_by(inputs.len() / 37) {
        let part = rows(&schema, &inputs[..cut]);
        assert!(part.len() <= whole.len());
        for (part, whole) in part.iter().zip(&whole) {
            assert_eq!(part.0, whole.0, "cut at {cut}");
            assert_eq!(bits(&part.1), bits(&whole.1), "cut at {cut}");
        }
    }
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
    let mistakes = wrong.mistakes(&["SPXW", "SPY"]);
    let keys: Vec<&str> = mistakes.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, ["roots", "roots", "windows"]);
    assert!(mistakes[1].1.contains("SPXW, SPY"), "{}", mistakes[1].1);
    assert!(Settings::with_roots(&["SPY"]).mistakes(&["SPXW", "SPY"]).is_empty());
}
