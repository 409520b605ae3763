//! What lies beside the market: the shipped configurations with it, the columns that are asked for
//! by name, and real closes of the VIX with what a plain program makes of them.
mod floor;
mod walk;

use floor::OPEN;
use std::{fs, path::Path};
use walk::{rows, walk};
use zomma::{
    chain::Universe,
    feature::{MEMBERS, Row, Schema, Settings},
    feed::series,
    run::{Files, Plan},
    wire::{Event, Flags},
};

fn shipped(name: &str) -> Plan {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Plan::new(&Files::gather(&config, &[]).unwrap()).unwrap()
}

/// Every column that a member names is there, for each root.
#[test]
fn what_is_asked_for_by_name_is_in_the_shipped_schema() {
    let schema = shipped("markets.toml").features;
    for member in MEMBERS {
        let missing = member.missing(&schema);
        assert!(!member.columns.is_empty() && missing.is_empty(), "{}: {missing:?}", member.name);
    }
    // A member that names what is nowhere is found out.
    let none = Schema::new(&Settings::with_roots(&["SPXW"]));
    assert!(MEMBERS.iter().any(|member| !member.missing(&none).is_empty()));
}

fn names(universe: &Universe) -> Vec<String> {
    universe.series.iter().map(|row| row.name.clone()).collect()
}

fn read(text: &str) -> Vec<Event> {
    series::read("a.csv", text, &names(&floor::universe())).unwrap()
}

/// The files that shipped configurations name can be read with their universe, in time's order.
#[test]
fn shipped_files_of_series_are_read_with_the_shipped_universe() {
    for name in ["sim.toml", "recorded.toml", "host.toml", "markets.toml"] {
        let plan = shipped(name);
        for file in &plan.feed.series_files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            let text = fs::read_to_string(&path).unwrap();
            let found = series::read(file, &text, &names(&plan.universe)).unwrap();
            assert!(found.len() > 100, "{name}: {file}");
        }
    }
}

/// The last row of a short morning with these observations, read from files at the start.
fn row(settings: &Settings, observations: Vec<Event>) -> (Schema, Row) {
    let schema = Schema::new(settings);
    let market = walk::events(&walk(40));
    let early = |event: Event| Event { ts_recv: 0, ..event };
    let all = observations.into_iter().map(early).chain(market);
    let number = |(seq, event): (usize, Event)| Event {
        seq: seq as u64 + 1,
        flags: Flags::BATCH_END,
        ..event
    };
    let inputs: Vec<Event> = all.enumerate().map(number).collect();
    let row = rows(&schema, &inputs).pop().unwrap().1;
    (schema, row)
}

/// The day is 12 June 2024: a statement at 14:00 and a quarterly expiry on the 21st, 16:00.
#[test]
fn calendars_tell_how_far_their_dates_are() {
    let dates = ["FOMC", "EXPIRY", "GOOG-EARNINGS"].map(String::from).to_vec();
    let settings = Settings { dates, ..Settings::with_roots(&["SPY"]) };
    let (schema, row) = row(&settings, read(include_str!("../config/calendar.csv")));
    let get = |name: &str| row.get(schema.resolve(name).unwrap());
    let since_open = (row.ts - OPEN) as f64 / 1e9;
    assert_eq!(get("FOMC.ahead"), 4.5 * 3_600.0 - since_open);
    assert_eq!(get("EXPIRY.ahead"), (9.0 * 24.0 + 6.5) * 3_600.0 - since_open);
    assert_eq!(get("EXPIRY.ahead_value"), 2.0);
    // 1 May, 14:00: 41 days and 19.5 hours before.
    assert_eq!(get("FOMC.behind"), (41.0 * 24.0 + 19.5) * 3_600.0 + since_open);
    assert!(get("GOOG-EARNINGS.ahead").is_nan(), "none is listed for 2024");
}

#[test]
fn sides_of_daily_pairs_are_sums_of_what_is_about_the_same_instant() {
    let settings =
        Settings { daily_pairs: vec!["FII+DII/RETAIL".into()], ..Settings::with_roots(&["SPY"]) };
    // The last report of RETAIL is about a day that the others have not reported yet.
    let text = "1,FII,300\n1,DII,100\n1,RETAIL,200\n2,FII,500\n2,DII,-100\n2,RETAIL,160\n\
                3,FII,1\n3,DII,1\n4,RETAIL,7\n";
    let (schema, row) = row(&settings, read(text));
    let get = |name: &str| row.get(schema.resolve(&format!("FII+DII/RETAIL.{name}")).unwrap());
    assert_eq!((get("ratio"), get("difference")), (2.5, 240.0));
    assert!(get("correlation_20").is_nan());
    let wrong = Settings { daily_pairs: vec!["FII+SPY/RETAIL".into()], ..settings };
    assert_eq!(wrong.mistakes(&floor::universe())[0].0, "daily_pairs");
    // A name that stands for two things is nobody's.
    let mut universe = floor::universe();
    let both = Settings { pairs: vec!["SPY/FII".into()], ..Settings::with_roots(&["SPY"]) };
    assert_eq!(both.mistakes(&universe), []);
    universe.series[0].name = "SPY".into();
    let (key, what) = &both.mistakes(&universe)[0];
    assert!(*key == "pairs" && what.contains("a root and a series"), "{what}");
}

/// Opens and closes of the VIX, the oldest first; `None` with a visible word where they are absent.
fn vix() -> Option<Vec<(String, f64, f64)>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("ZOMMA_DATA").map_or(beside, Into::into);
    let Ok(text) = fs::read_to_string(root.join("vix-daily/vix-daily.csv")) else {
        println!("skipped: no data/vix-daily; set ZOMMA_DATA");
        return None;
    };
    let day = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields[at].parse::<f64>().unwrap();
        (fields[0].to_string(), number(1), number(4))
    };
    Some(text.lines().skip(1).map(day).collect())
}

/// All closes since 1990 in one file. Rank and percentile over 252 days and the pair's columns are
/// those of a plain program over the days before 12 June 2024. The data has no VIX9D: the day's
/// open stands in for it.
#[test]
fn real_closes_of_the_vix_rank_and_pair_as_a_plain_program_says() {
    let Some(days) = vix() else { return };
    let mut text = String::new();
    for (day, open, close) in &days {
        let (known, about) = (format!("{day}T21:30:00Z"), format!("{day}T20:15:00Z"));
        text += &format!("{known},VIX,{close},{about}\n");
        if day.as_str() >= "2022" {
            text += &format!("{known},VIX9D,{open},{about}\n");
        }
        if day.as_str() >= "2024-06-28" {
            break;
        }
    }
    let settings = Settings {
        series: vec!["VIX".into(), "VIX9D".into()],
        daily_pairs: vec!["VIX/VIX9D".into()],
        ..Settings::with_roots(&["SPY"])
    };
    let (schema, row) = row(&settings, read(&text));
    let get = |name: &str| row.get(schema.resolve(name).unwrap());
    let before: Vec<_> = days.iter().filter(|day| *day.0 < *"2024-06-12").collect();
    let last = &before[before.len() - 252..];
    let closes: Vec<f64> = last.iter().map(|day| day.2).collect();
    let x = closes[251];
    let (least, most) = closes.iter().fold((x, x), |(a, b), v| (a.min(*v), b.max(*v)));
    assert_eq!(get("VIX.value"), x);
    assert_eq!(get("VIX.rank_252"), (x - least) / (most - least));
    let below = closes.iter().filter(|close| **close < x).count();
    assert_eq!(get("VIX.percentile_252"), below as f64 / 251.0);
    assert_eq!(get("VIX/VIX9D.ratio"), x / last[251].1);
    let returns = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (232..252).map(|at| of(at) / of(at - 1) - 1.0).collect()
    };
    let (a, b) = (returns(&|at| last[at].2), returns(&|at| last[at].1));
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(p, q)| (p - mean(x)) * (q - mean(y))).sum()
    };
    let wanted = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    let found = get("VIX/VIX9D.correlation_20");
    assert!((found - wanted).abs() < 1e-9, "{found} for {wanted}");
    println!("VIX {x}, rank {:.3}, correlation {found:.3}", get("VIX.rank_252"));
}
