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

/// At the money the volatility lies between those of bids and asks, which draw apart as time runs
/// out, and moves by no more than they leave open: in nine minutes of ten.
#[test]
fn the_volatility_at_the_money_is_sane_to_the_last_minute() {
    let Some(day) = day() else { return };
    let samples = day["samples"].as_array().unwrap();
    let told: Vec<[f64; 4]> = samples
        .iter()
        .filter_map(|s| {
            let [seconds, level, bid, ask] =
                ["seconds", "level", "bid", "ask"].map(|n| number(s, n));
            Some([seconds?, level?, bid?, ask?])
        })
        .collect();
    // In the other minutes no strike at the money has firm quotes on both sides.
    assert!(told.len() * 10 >= samples.len() * 6, "{} of {}", told.len(), samples.len());
    assert!(told.iter().all(|[_, level, ..]| (0.03..1.0).contains(level)));
    let outside = told.iter().filter(|[_, level, bid, ask]| level < bid || level > ask).count();
    let jumps = told.windows(2).filter(|pair| {
        let [[_, level, bid, ask], [_, next, next_bid, next_ask]] = [pair[0], pair[1]];
        let open = (ask - bid).max(next_ask - next_bid);
        (next - level).abs() > 0.02 + open
    });
    let jumps = jumps.count();
    println!("{} minutes: {outside} outside of bid and ask, {jumps} jumps", told.len());
    // The level is interpolated between two strikes, the band is that of the nearer one.
    assert!(outside * 10 <= told.len() && jumps * 10 <= told.len(), "{outside}, {jumps}");
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
