//! Streams of inputs in; proof that a row holds what was known when it was made and nothing later,
//! out: whatever is cut off behind it, and whatever numbers wait for their time, its bits stay.
mod floor;
mod walk;

use bytemuck::Zeroable;
use floor::{Floor, OPEN, SECOND, call, put};
use walk::{bits, events, rows_in, walk};
use zomma::{
    chain::Universe,
    feature::{Row, Schema, Settings},
    strategy::Set,
    wire::{
        Event, Kind, Price,
        market::{self, Observation, Trade},
    },
};

/// Two series beside the market: closes in a file, and a calendar whose dates are announced.
const SERIES: &str = "
[[series]]
name = \"VIX\"
[[series]]
name = \"FED\"
";

fn universe() -> Universe {
    let text = include_str!("../config/universe.toml");
    let text = text.replace("instruments_max = 16_384", "instruments_max = 128");
    // In the place of the shipped ones.
    let text = text.split("\n# Numbers from beside the market").next().unwrap();
    Universe::parse("universe.toml", &format!("{text}{SERIES}")).unwrap()
}

fn schema(root: &str) -> Schema {
    let names = |names: [&str; 2]| names.map(String::from).to_vec();
    Schema::new(&Settings {
        series: names(["VIX", "FED"]),
        pairs: names([&format!("{root}/VIX"), "VIX/FED"]),
        ..Settings::with_roots(&[root])
    })
}

fn observation(series: u32, known: u64, about: u64, value: f64) -> Event {
    let body = Observation { value, about, reserved: [0; 2] };
    let event = Event::new(Kind::OBSERVATION, series, body);
    Event { ts_event: known, ts_recv: OPEN, ..event }
}

/// A file's numbers, all of them read before the first tick: 300 that are known at the open, then
/// one every 0.7 s of the session; and dates that are announced every 9 s, an hour ahead.
fn file() -> Vec<Event> {
    let value = |at: u64| 15.0 + (at * 7_919 % 101) as f64 / 10.0;
    let past = (0..300).map(|at| {
        let known = OPEN - (300 - at) * 86_400 * SECOND;
        observation(0, known, known, value(at))
    });
    let coming = (0..130).map(|at| {
        let known = OPEN + 300_000_000 + at * 700_000_000;
        observation(0, known, known, value(at + 300))
    });
    let dates = (0..10).map(|at| {
        let known = OPEN + 2_500_000_000 + at * 9 * SECOND;
        observation(1, known, known + 3_600 * SECOND, value(at))
    });
    past.chain(coming).chain(dates).collect()
}

fn print(floor: &mut Floor, instrument: u32, cents: i64, size: u32, side: u8) {
    let price = Price(cents * 10_000_000);
    floor.send(Event::new(
        Kind::TRADE,
        instrument,
        Trade { price, size, side, ..Zeroable::zeroed() },
    ));
}

/// A morning of a chain with prints on all sides, blocks and sweeps, and open interest that moves.
fn morning(rounds: usize) -> Vec<Event> {
    let mut floor = Floor::new(Set::default(), "");
    for round in 0..rounds {
        floor.wave(round);
        let (at, size) = (round as i64 % 9 * 5, 1 + round as u32 * 37 % 90);
        print(&mut floor, call(5_380 + at), 2_400 - at * 40, size, b"BAN"[round % 3]);
        print(&mut floor, put(5_420 - at), 2_300 - at * 40, size * 20, b"ANB"[round % 3]);
        floor.interest(call(5_400 + at), 900 + round as i64 * 3);
        floor.interest(put(5_400 - at), 1_200 - round as i64);
        floor.wait(0.3);
    }
    floor.sent.into_iter().filter(|event| event.kind.is_input()).collect()
}

/// The file behind the market's first event, as after the start of a run; numbered anew.
fn with_file(mut market: Vec<Event>) -> Vec<Event> {
    market.splice(1..1, file());
    let all = market.into_iter().enumerate();
    all.map(|(at, event)| Event { seq: at as u64 + 1, ..event }).collect()
}

/// A chain of options with its tape; an underlying with its prints; a file of numbers beside each.
fn streams() -> [(Schema, Vec<Event>); 2] {
    [(schema("SPXW"), with_file(morning(300))), (schema("SPY"), with_file(events(&walk(500))))]
}

fn rows(schema: &Schema, inputs: &[Event]) -> Vec<(market::Features, Row)> {
    rows_in(&universe(), schema, inputs)
}

/// How many columns of these families have been known in any of the rows.
fn known(schema: &Schema, rows: &[(market::Features, Row)], family: &str) -> usize {
    let mine = schema.columns().iter().enumerate().filter(|(_, column)| column.family == family);
    let is_known = |at: usize| rows.iter().any(|(_, row)| !row.values()[at].is_nan());
    mine.filter(|(at, _)| is_known(*at)).count()
}

/// The streams are no empty ones: of every family that they feed at least as many columns are known
/// as a pair has at the two windows that ninety rows fill, and its ratio.
#[test]
fn the_streams_make_all_that_they_are_to_prove() {
    let [options, spy] = streams().map(|(schema, inputs)| (rows(&schema, &inputs), schema));
    let families = ["series", "cross", "microstructure", "flow", "interest", "time"];
    for family in families {
        let found = known(&options.1, &options.0, family);
        println!("{family}: {found} columns of the chain's");
        assert!(found >= 9, "{family}: {found}");
    }
    for family in ["series", "cross", "microstructure", "bars", "technical", "volatility"] {
        let found = known(&spy.1, &spy.0, family);
        println!("{family}: {found} columns of the underlying's");
        assert!(found >= 9, "{family}: {found}");
    }
}

/// What comes later changes nothing: whatever the inputs are cut down to, the rows before the cut
/// have the same bits.
#[test]
fn truncating_the_inputs_leaves_every_earlier_row_as_it_was() {
    for (schema, inputs) in streams() {
        let whole = rows(&schema, &inputs);
        assert!(whole.len() > 80);
        for cut in (0..inputs.len()).step_by(inputs.len() / 37) {
            let part = rows(&schema, &inputs[..cut]);
            assert!(part.len() <= whole.len());
            for (part, whole) in part.iter().zip(&whole) {
                assert_eq!(part.0, whole.0, "cut at {cut}");
                assert_eq!(bits(&part.1), bits(&whole.1), "cut at {cut}");
            }
        }
    }
}

/// Nor does what lies in memory already: whatever a number will turn out to be, the rows before it
/// becomes known have the same bits, and the first row behind that has it.
#[test]
fn a_number_is_never_read_before_it_was_known() {
    for (schema, inputs) in streams() {
        let column = schema.resolve("VIX.value").unwrap();
        let whole = rows(&schema, &inputs);
        for turn in (0..130).step_by(9) {
            let from = OPEN + 300_000_000 + turn * 700_000_000;
            let other: Vec<Event> = inputs.iter().map(|event| otherwise(event, from)).collect();
            let changed = rows(&schema, &other);
            assert_eq!(changed.len(), whole.len());
            for ((_, was), (_, is)) in whole.iter().zip(&changed) {
                if was.ts < from {
                    assert_eq!(bits(was), bits(is), "known at {from}, read at {}", was.ts);
                } else {
                    let [was, is] = [was, is].map(|row| row.get(column));
                    assert_eq!(is, was + 1_000.0, "known at {from}");
                }
            }
        }
    }
}

/// The event, with another value where it is a number that becomes known at `from` or later.
fn otherwise(event: &Event, from: u64) -> Event {
    if event.kind != Kind::OBSERVATION || event.ts_event < from {
        return *event;
    }
    let Observation { value, about, .. } = *event.body();
    let changed = observation(event.instrument, event.ts_event, about, value + 1_000.0);
    Event { seq: event.seq, ..changed }
}

#[test]
fn each_row_has_the_latest_number_of_its_time() {
    let [(schema, inputs), _] = streams();
    let column = schema.resolve("VIX.value").unwrap();
    let numbers: Vec<(u64, f64)> = file()
        .iter()
        .filter(|event| event.instrument == 0)
        .map(|event| (event.ts_event, event.body::<Observation>().value))
        .collect();
    for (_, row) in rows(&schema, &inputs) {
        let latest = numbers.iter().rev().find(|(known, _)| *known <= row.ts).unwrap();
        assert_eq!(row.get(column), latest.1, "at {}", row.ts);
    }
}
