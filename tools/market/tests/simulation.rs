//! The simulated market: a configuration in, records that hold together out.
#![allow(missing_docs)]

use std::collections::HashMap;
use zomma_market::{
    record::{Fields, UNDEF_PRICE, bbo, rtype},
    sim::{Config, Simulation},
    source::Source,
};

fn market(more: &str) -> Simulation {
    let text = format!("[session]\nrate = 2000.0\n{more}");
    Simulation::new(Config::read("test.toml", &text).unwrap(), 0).unwrap()
}

fn records(market: &mut Simulation) -> Vec<(u64, u8, u32, Vec<u8>)> {
    std::iter::from_fn(|| {
        market.peek()?;
        let item = market.take();
        Some((item.at, item.channel, item.index, item.bytes.to_vec()))
    })
    .collect()
}

#[test]
fn the_committed_configuration_is_the_default_one() {
    let text = include_str!("../../../config/market.toml");
    let written = Config::read("market.toml", text).unwrap();
    let default = Config::read("empty", "").unwrap();
    assert_eq!(format!("{written:?}"), format!("{default:?}"));
}

#[test]
fn mistakes_are_all_named_at_once() {
    let text = "[session]\nsped = 1\n[spot]\nprice = -1";
    let said: Vec<_> =
        Config::read("m.toml", text).unwrap_err().iter().map(ToString::to_string).collect();
    let said = said.join("\n");
    for part in ["sped", "price: is -1"] {
        assert!(said.contains(part), "{said}");
    }
    let text = "[session]\ndate = \"2025-09-13\"\nopen = \"17:00\"\nclock = \"sun\"";
    let said = Config::read("m.toml", text).unwrap_err();
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_one_another() {
    let (first, second) = (records(&mut market("")), records(&mut market("")));
    assert!(first == second);
    assert!(first != records(&mut market("seed = 2")));
}

#[test]
fn a_day_has_as_many_messages_as_asked_for_in_order_within_its_hours() {
    let mut market = market("");
    let opens = market.opens();
    let all = records(&mut market);
    let live: Vec<_> = all.iter().filter(|(at, ..)| *at > 0).collect();
    assert!((119_000..121_000).contains(&live.len()), "{}", live.len());
    assert!(live.is_sorted_by_key(|(at, ..)| *at));
    assert!(live.iter().all(|(at, ..)| (opens..=opens + 23_400_000_000_000).contains(at)));
    assert!(live.iter().all(|(at, _, _, bytes)| bytes.ts_event() == *at));
    let of = |kind: u8| all.iter().filter(|(.., bytes)| bytes[1] == kind).count();
    assert_eq!(of(rtype::DEFINITION), 3 * 101 * 2);
    assert_eq!(of(rtype::MAPPING), 3 * 101 * 2 + 1);
    assert_eq!(of(rtype::STATISTICS), 3 * 101 * 2 * 2);
    assert!(of(rtype::MBP1) > 4_000 && of(rtype::TRADE) > 100);
}

#[test]
fn definitions_are_as_bare_as_those_of_the_real_feed() {
    let all = records(&mut market(""));
    let bytes = &all.iter().find(|(.., b)| b[1] == rtype::DEFINITION).unwrap().3;
    assert_eq!(bytes.text(238, 71), "SPXW  250910C06250000");
    assert_eq!(bytes.u32_at(176), i32::MAX as u32, "no multiplier");
    assert_eq!(bytes.i64_at(24), UNDEF_PRICE, "no tick");
    assert_eq!(bytes.u64_at(40), 1_757_462_400_000_000_000, "expiration at midnight UTC");
    assert_eq!((bytes.i64_at(104), bytes[487]), (6_250_000_000_000, b'C'));
}

#[test]
fn quotes_are_on_their_ticks_uncrossed_and_near_parity() {
    let mut market = market("");
    let all = records(&mut market);
    let mut last: HashMap<u32, f64> = HashMap::new();
    let (mut one_sided, mut worst, mut spot) = (0, 0.0f64, 0.0);
    for (at, channel, index, bytes) in all.iter().filter(|(at, ..)| *at > 0) {
        let Some((bid, ask, bid_size, ask_size)) = bbo(bytes) else { continue };
        if *channel == 1 {
            spot = (bid + ask) as f64 / 2e9;
            continue;
        }
        assert!(ask_size > 0 && ask > 0);
        let tick = |price: i64| if price < 3_000_000_000 { 50_000_000 } else { 100_000_000 };
        assert_eq!(ask % tick(ask), 0, "{ask}");
        if bid == UNDEF_PRICE {
            assert_eq!(bid_size, 0);
            one_sided += 1;
            continue;
        }
        assert!(bid < ask && bid % tick(bid) == 0 && bid > 0);
        last.insert(*index, (bid + ask) as f64 / 2e9);
        // The put of the first expiry comes right after its call: parity gives the spot back.
        let first = *index < 202 && index % 2 == 1;
        if let (true, Some(call), Some(put)) = (first, last.get(&(index ^ 1)), last.get(index)) {
            let strike = 6_250.0 + f64::from(index / 2) * 5.0;
            let near = (strike - spot).abs() < 50.0 && *at < market.opens() + 20_000_000_000_000;
            if near && spot > 0.0 {
                worst = worst.max((call - put + strike - spot).abs());
            }
        }
    }
    assert!(one_sided > 0, "far options have no bid");
    assert!(worst > 0.0 && worst < 15.0, "{worst}");
}

#[test]
fn on_the_wall_clock_times_are_the_present_and_the_first_expiry_is_ahead() {
    // A Saturday.
    let wall = 1_757_779_200_000_000_000;
    let text = "[session]\nrate = 2000.0\nclock = \"wall\"";
    let mut market = Simulation::new(Config::read("t", text).unwrap(), wall).unwrap();
    market.on_start(wall + 5_000_000_000);
    let all = records(&mut market);
    let live: Vec<_> = all.iter().filter(|(at, ..)| *at > 0).collect();
    let (first, last) = (live[0].0, live[live.len() - 1].0);
    assert!(first >= wall + 5_000_000_000 && last <= wall + 65_000_000_000);
    assert!(live.len() > 110_000, "{}", live.len());
    let symbol = &market.catalog().listed[0].symbol;
    assert!(symbol.starts_with("SPXW  250915"), "{symbol}");
}
