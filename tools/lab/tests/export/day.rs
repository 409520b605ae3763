//! The recorded day's journal in; the volatilities of its own expiry, sane to the last minute, out.

use crate::recorded;
use serde_json::Value;
use zomma_lab::surface::DayRequest;

fn day() -> Option<Value> {
    Some(DayRequest::new(recorded::run()?).take().unwrap().json)
}

fn number(sample: &Value, name: &str) -> Option<f64> {
    sample[name].as_f64()
}

/// The half day's own expiry by itself, a sample a minute, none after its settlement at 13:00 New
/// York time.
#[test]
fn the_next_expiry_is_followed_each_minute_until_it_settles() {
    let Some(day) = day() else { return };
    assert_eq!(day["root"], "GOOG");
    assert_eq!(day["settles"], "2015-12-24T18:00:00Z");
    let samples = day["samples"].as_array().unwrap();
    let seconds: Vec<f64> = samples.iter().map(|s| number(s, "seconds").unwrap()).collect();
    assert!(samples.len() > 200 && samples.len() <= 211, "{}", samples.len());
    assert!(seconds.windows(2).all(|pair| pair[1] < pair[0] && pair[0] - pair[1] <= 121.0));
    assert!(seconds.last().is_some_and(|left| *left > 0.0 && *left < 60.5), "{seconds:?}");
}

/// At the money the volatility of the middle lies between those of bid and ask, which draw apart as
/// time runs out, and the engine's differs from it by no more than what has happened since it was
/// implied: the forward that moved, at a delta of about a half, and the time that passed. Where the
/// forward has crossed a strike meanwhile, call and put have changed their roles, and quotes so
/// wide need not agree on parity.
#[test]
fn the_volatility_at_the_money_is_sane_to_the_last_minute() {
    let Some(day) = day() else { return };
    let samples = day["samples"].as_array().unwrap();
    let names =
        ["seconds", "level", "middle", "bid", "ask", "forward", "quotes_age", "forward_moved"];
    let (mut told, mut compared, mut worst) = (0, 0, 0.0f64);
    for sample in samples {
        let row: Vec<f64> = names.iter().filter_map(|name| number(sample, name)).collect();
        // In the other minutes no strike at the money has firm quotes on both sides.
        let Ok([seconds, level, middle, bid, ask, forward, age, moved]) = <[f64; 8]>::try_from(row)
        else {
            continue;
        };
        told += 1;
        assert!((0.03..1.0).contains(&level), "{sample}");
        assert!(bid <= middle && middle <= ask, "{sample}");
        if sample["strike_crossed"] == true {
            continue;
        }
        compared += 1;
        // Vega at the money of 1.00, now and when the older quote came.
        let vega = |seconds: f64| 0.4 * forward * (seconds / 31_536_000.0).sqrt();
        let (now, then) = (vega(seconds), vega(seconds + age));
        let astray = (level - middle).abs() * now;
        let explained = 0.6 * moved + level * (then - now) + 1e-6 * forward;
        assert!(astray <= explained, "{astray} of {explained}: {sample}");
        worst = worst.max(astray / explained);
    }
    println!(
        "{told} of {} minutes, {compared} compared: {worst:.2} of what is explained",
        samples.len()
    );
    assert!(compared * 2 > samples.len(), "{compared} of {told}");
}

/// A put of ten deltas lies below one of twenty-five in strike, so neither is read for the other:
/// where both are told, all four wings are volatilities of the same order as at the money.
#[test]
fn wings_are_told_where_firm_quotes_hold_their_delta() {
    let Some(day) = day() else { return };
    let mut told = 0;
    for sample in day["samples"].as_array().unwrap() {
        let Some(level) = number(sample, "level") else { continue };
        let wings = sample["wings"].as_array().unwrap();
        let wings = wings.iter().flat_map(|wing| wing.as_array().unwrap());
        for wing in wings.filter_map(Value::as_f64) {
            told += 1;
            assert!(wing > 0.3 * level && wing < 4.0 * level, "{sample}");
        }
    }
    assert!(told > 200, "{told}");
}

/// What does not exist is said.
#[test]
fn an_expiry_that_is_not_there_is_refused() {
    let Some(run) = recorded::run() else { return };
    let missing = DayRequest { root: Some("SPX".into()), ..DayRequest::new(run) };
    let failure = missing.take().unwrap_err();
    assert!(failure.message.contains("--expiry"), "{}", failure.message);
    assert_eq!(failure.code, 2);
}
