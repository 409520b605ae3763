//! The chain against real recordings and against its own rules.
mod support;

use support::{Recording, data, universe, universe_with};
use zomma::{
    chain::{Chain, Clock, Track, Universe, name_of},
    greeks::{
        Revalue,
        options::Options,
        sets::{Model, Tick},
    },
    stage::{Emit, Tap, Then},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        control::{Gap, Timer},
        market::{Class, Definition, Quote, VolStatus},
    },
};

/// The figures that the recording's description gives.
#[test]
fn the_goog_day_counts_as_its_description_says() {
    let Some(live) = data("lean-goog-20151224/dbn/goog-20151224.live.dbn.zst") else { return };
    let Some(stock) = data("lean-goog-20151224/dbn/goog-20151224.underlying.mbp-1.dbn.zst") else {
        return;
    };
    let mut chain = Chain::new(&universe(Clock::Exchange));
    for event in &Recording::read(&live, 1, 0).events {
        chain.apply(event);
    }
    for event in &Recording::read(&stock, 2, 4_000).events {
        chain.apply(event);
    }
    let totals = chain.totals;
    println!("{totals:?}");
    assert_eq!((totals.options, totals.quotes, totals.quote_size), (2_192, 275_552, 11_657_931));
    assert_eq!((totals.trades, totals.volume), (958, 7_471));
    assert_eq!((totals.interests, totals.interest), (2_058, 179_502));
    assert_eq!((totals.unknown_instruments, totals.unknown_roots, totals.refused), (0, 0, 0));
    assert_eq!((totals.crossed, totals.locked), (0, 2));
    assert_eq!(chain.expiries_len(), 12);
}

fn chain_second(universe: &Universe, ts: u64) -> u32 {
    universe.calendars[0].local(ts).1
}

/// A day's events through the chain and the revaluation, up to a wall-clock time in New York.
struct Day {
    chain: Chain,
    forwards: usize,
    greeks: usize,
}

fn day(files: &[(&str, u16, u32)], until: u32, pairs_min: usize) -> Option<Day> {
    day_on(files, until, universe_with(Clock::Exchange, pairs_min), 0)
}

/// The same in another universe, and some beats without news at the end.
fn day_on(files: &[(&str, u16, u32)], until: u32, universe: Universe, beats: usize) -> Option<Day> {
    let mut chain = Chain::new(&universe);
    let mut events = Vec::new();
    for (name, source, first) in files {
        events.extend(Recording::read(&data(name)?, *source, *first).events);
    }
    events.sort_by_key(|event| event.ts_event.wrapping_add(1));
    let (mut forwards, mut greeks) = (0, 0);
    let count = Tap(|_: &mut Chain, event: &Event| match event.kind {
        Kind::FORWARD => forwards += 1,
        Kind::GREEKS => greeks += 1,
        _ => {}
    });
    let mut stages = Then(Track, Then(Revalue::new(&universe), count));
    let market = |event: &&Event| event.kind == Kind::QUOTE;
    let late = |event: &Event| market(&event) && chain_second(&universe, event.ts_event) > until;
    for event in events.iter().take_while(|event| !late(event)) {
        stages.emit(&mut chain, event);
    }
    let id = Timer::BEAT;
    let beat = Timer { id, reserved: 0, due: 0, count: 0, reserved2: 0 };
    let beat = Event { flags: Flags::BATCH_END, ..Event::new(Kind::TIMER, NO_INSTRUMENT, beat) };
    (0..beats).for_each(|_| stages.emit(&mut chain, &beat));
    drop(stages);
    Some(Day { chain, forwards, greeks })
}

const GOOG: &[(&str, u16, u32)] = &[
    ("lean-goog-20151224/dbn/goog-20151224.live.dbn.zst", 1, 0),
    ("lean-goog-20151224/dbn/goog-20151224.underlying.mbp-1.dbn.zst", 2, 4_000),
];

/// The forwards that the recording's description gives for 11:00, and the spot between them.
#[test]
fn parity_gives_the_forwards_of_the_goog_day() {
    // The minute that begins at 11:00 is stamped with its end.
    let Some(day) = day(GOOG, 11 * 3600 + 60, 2) else { return };
    let chain = day.chain;
    let root = chain.find_root("GOOG").unwrap();
    println!("{} forwards, {} greeks, spot {}", day.forwards, day.greeks, chain.spot(root));
    let near: Vec<_> = chain.expiries().map(|(_, e)| e).collect();
    for expiry in &near {
        let (date, second) = chain.local(root, expiry.settles);
        println!("{date} {second}: {} {:?} {}", expiry.forward, expiry.fit, expiry.years);
    }
    let on = |wanted: u32| *near.iter().find(|e| chain.local(root, e.settles).0 == wanted).unwrap();
    // The half day closes, and settles, at 13:00.
    assert_eq!(chain.local(root, on(20_151_224).settles), (20_151_224, 13 * 3600));
    assert!((on(20_151_224).forward - 749.08).abs() < 0.15, "{}", on(20_151_224).forward);
    // The description's 749.15 is the median of thirty strikes, wide ones too; the nearest and
    // tightest pairs of that minute say 749.4 to 749.5.
    assert!((on(20_160_115).forward - 749.15).abs() < 0.35, "{}", on(20_160_115).forward);
    assert!((chain.spot(root) - 749.22).abs() < 0.15);
}

/// Once every expiry has had its turn, every Greek that the chain holds is the kernel's value at
/// the forward and the years that its expiry's last FORWARD carried: nothing is left over from an
/// earlier one. What early exercise adds has a test of its own.
#[test]
fn what_the_stage_kept_up_is_what_a_full_revaluation_gives() {
    let mut universe = universe_with(Clock::Exchange, 2);
    universe.revaluation.boundaries = 0;
    let rounds = universe.revaluation.rounds(12);
    let Some(day) = day_on(GOOG, 10 * 3600, universe, rounds) else { return };
    let chain = day.chain;
    let (mut compared, mut without) = (0, 0);
    for (_, expiry) in chain.expiries().filter(|(_, expiry)| expiry.forward > 0.0) {
        for row in 0..expiry.rows() {
            for (option, call) in [(expiry.call(row), true), (expiry.put(row), false)] {
                let Some(held) = option.and_then(|option| chain.greeks(option)) else { continue };
                if held.status != VolStatus::OK {
                    without += 1;
                    continue;
                }
                let all = wide::f64x8::splat;
                let terms = Options {
                    spot: all(expiry.forward * expiry.discount),
                    strike: all(expiry.strike(row)),
                    years: all(expiry.years),
                    r: all(chain.rate()),
                    q: all(0.0),
                    vol: all(held.iv),
                };
                let valued = terms.value(Model::Spot);
                let wanted: Tick = if call { valued.call() } else { valued.put() };
                let first = |x: wide::f64x8| x.to_array()[0];
                let near = |found: f32, wanted: f64, scale: f64| {
                    assert!((f64::from(found) - wanted).abs() <= 1e-6 * (wanted.abs() + scale));
                };
                near(held.price, first(wanted.price), 1e-3);
                near(held.delta, first(wanted.delta), 1e-6);
                near(held.gamma, first(wanted.gamma), 1e-9);
                near(held.vega, first(wanted.vega), 1e-3);
                compared += 1;
            }
        }
    }
    println!("{compared} compared, {without} without a volatility");
    assert!(compared > 300);
}

/// The recording has two strikes, and one of them is often one-sided: a single pair must do. Three
/// zero-day forwards of the recorded SPXW days against the index of that minute.
#[test]
fn parity_gives_the_index_on_the_spxw_day() {
    let files = &[("lean-spxw-2021/dbn/spxw-20210104.live.dbn.zst", 1, 0)];
    for (hour, index) in [(10, 3749.96), (12, 3682.13), (15, 3693.23)] {
        let Some(day) = day(files, hour * 3600 + 60, 1) else { return };
        let chain = day.chain;
        let (_, today) = chain.expiries().min_by_key(|(_, expiry)| expiry.settles).unwrap();
        println!("hour {hour} {} for {index}, {:?}", today.forward, today.fit);
        assert!((today.forward - index).abs() < 1.0);
    }
}

const HOUR: u64 = 3_600_000_000_000;

fn midnight(date: &str) -> u64 {
    let date: jiff::civil::Date = date.parse().unwrap();
    date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_nanosecond() as u64
}

fn option(root: &str, strike: f64, class: Class, expiration: u64, index: u32) -> Event {
    let definition = Definition {
        strike: Price::from_f64(strike),
        expiration,
        root: name_of(root),
        venue_id: index,
        class,
        mapped: 0,
        reserved: 0,
    };
    Event::new(Kind::DEFINITION, index, definition)
}

fn quote(index: u32, bid: f64, ask: f64, source: u16) -> Event {
    let (bid, ask) = (Price::from_f64(bid), Price::from_f64(ask));
    let body = Quote { bid, ask, bid_size: 1, ask_size: 2, ..bytemuck::Zeroable::zeroed() };
    Event { source, ts_recv: 1, ..Event::new(Kind::QUOTE, index, body) }
}

/// An OPRA date is midnight UTC: the root's clock, its zone and the early close make the instant.
#[test]
fn a_contract_settles_when_its_root_and_calendar_say() {
    let mut chain = Chain::new(&universe(Clock::Receive));
    let cases = [
        ("SPXW", "2021-01-04", 21 * HOUR), // 16:00 New York, winter
        ("SPXW", "2021-07-01", 20 * HOUR), // 16:00 New York, summer
        ("SPX", "2021-01-15", 14 * HOUR + HOUR / 2), // 09:30 New York
        ("GOOG", "2015-12-24", 18 * HOUR), // early close, 13:00 New York
        ("SPX", "2015-12-24", 14 * HOUR + HOUR / 2), // settled on the opening all the same
        ("NIFTY", "2024-05-30", 10 * HOUR), // 15:30 Kolkata
    ];
    for (at, (root, date, after)) in cases.into_iter().enumerate() {
        let index = at as u32;
        chain.apply(&option(root, 100.0, Class::CALL, midnight(date), index));
        let settles = chain.instrument(index).unwrap().settles;
        assert_eq!(settles, midnight(date) + after, "{root} {date}");
    }
    // Good Friday 2021 has no trading: Thursday; a real time of day is kept.
    chain.apply(&option("SPXW", 100.0, Class::CALL, midnight("2021-04-02"), 20));
    assert_eq!(chain.instrument(20).unwrap().settles, midnight("2021-04-01") + 20 * HOUR);
    chain.apply(&option("ES", 100.0, Class::CALL, midnight("2024-05-09") + 20 * HOUR, 21));
    assert_eq!(chain.instrument(21).unwrap().settles, midnight("2024-05-09") + 20 * HOUR);
    assert_eq!(chain.local(21, midnight("2024-05-09")), (0, 0), "no such root");
}

/// Rows stay in order however strikes arrive, and a quote finds its instrument in its row.
#[test]
fn strikes_are_sorted_and_lanes_follow_their_rows() {
    let mut chain = Chain::new(&universe(Clock::Receive));
    let strikes: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100) * 5.0 + 5.0).collect();
    for (at, strike) in strikes.iter().enumerate() {
        for (side, class) in [Class::CALL, Class::PUT].into_iter().enumerate() {
            let index = (2 * at + side) as u32;
            chain.apply(&option("SPXW", *strike, class, midnight("2021-01-04"), index));
            chain.apply(&quote(index, *strike, strike + 1.0, 1));
        }
    }
    let expiry = chain.expiry(0);
    assert_eq!((chain.expiries_len(), expiry.rows()), (1, 100));
    assert!(expiry.strikes().windows(2).all(|pair| pair[0] < pair[1]));
    for row in 0..expiry.rows() {
        let (call, put) = (expiry.call(row).unwrap(), expiry.put(row).unwrap());
        for index in [call, put] {
            assert_eq!(chain.instrument(index).unwrap().row as usize, row);
            assert_eq!(chain.quote(index).bid, expiry.strike(row));
        }
    }
}

/// A gap makes one session's quotes stale at once, until each is quoted again; nothing else.
#[test]
fn a_gap_makes_the_quotes_of_its_session_stale_until_they_come_again() {
    let mut chain = Chain::new(&universe(Clock::Receive));
    for index in 0..4 {
        let strike = 100.0 + f64::from(index);
        chain.apply(&option("SPXW", strike, Class::CALL, midnight("2021-01-04"), index));
        chain.apply(&quote(index, 1.0, 1.1, (index % 2) as u16));
    }
    let gap = Gap { cause: 1, lost: 9, ..bytemuck::Zeroable::zeroed() };
    chain.apply(&Event { source: 1, ..Event::new(Kind::GAP, NO_INSTRUMENT, gap) });
    let stale: Vec<bool> = (0..4).map(|index| chain.quote(index).stale).collect();
    assert_eq!(stale, [false, true, false, true]);
    chain.apply(&quote(1, 1.0, 1.1, 1));
    assert!(!chain.quote(1).stale && chain.quote(3).stale);
    assert_eq!(chain.totals.gaps, 1);
}

/// What no table has room for, and what nobody defined, is counted and changes nothing.
#[test]
fn what_does_not_fit_is_counted() {
    let text = include_str!("../config/universe.toml").replace("16_384", "64");
    let text = text.replace("strikes_max = 512", "strikes_max = 8");
    let mut chain = Chain::new(&Universe::parse("universe.toml", &text).unwrap());
    for index in 0..10 {
        let strike = 100.0 + f64::from(index);
        chain.apply(&option("SPXW", strike, Class::CALL, midnight("2021-01-04"), index));
    }
    chain.apply(&option("SPXW", 1.0, Class::CALL, midnight("2021-01-04"), 64));
    chain.apply(&quote(64, 1.0, 2.0, 1));
    chain.apply(&quote(63, 1.0, 2.0, 1));
    chain.apply(&option("WHAT", 1.0, Class::CALL, midnight("2021-01-04"), 20));
    assert_eq!(chain.totals.refused, 3);
    assert_eq!(chain.totals.unknown_instruments, 2);
    assert_eq!(chain.totals.unknown_roots, 1);
    assert_eq!(chain.expiry(0).rows(), 8);
    assert_eq!(chain.instrument(20).unwrap().multiplier, 100.0, "by the default rule");
}

/// One-sided, locked, crossed and empty quotes are kept as they are, and counted.
#[test]
fn odd_quotes_are_representable() {
    let mut chain = Chain::new(&universe(Clock::Receive));
    chain.apply(&option("SPXW", 100.0, Class::PUT, midnight("2021-01-04"), 0));
    let nan = f64::NAN;
    for (bid, ask, firm) in [
        (nan, 0.05, false),
        (1.0, 1.0, false),
        (1.1, 1.0, false),
        (nan, nan, false),
        (1.0, 1.1, true),
    ] {
        chain.apply(&quote(0, bid, ask, 0));
        let seen = chain.quote(0);
        assert_eq!((seen.bid.to_bits(), seen.ask.to_bits()), (bid.to_bits(), ask.to_bits()));
        assert_eq!(seen.is_firm(), firm);
    }
    let totals = chain.totals;
    assert_eq!((totals.one_sided, totals.locked, totals.crossed, totals.empty), (1, 1, 1, 1));
    assert_eq!((totals.quotes, totals.quote_size), (5, 15));
}

/// 70 % of a trading day's variance in its session, none on days without trading.
const WEIGHTS: &str = "session_weight = 2.585\novernight_weight = 0.4114\nclosed_weight = 0.0\n";

#[test]
fn volatility_has_a_clock_of_its_own_and_a_year_of_it_is_a_year() {
    let text = include_str!("../config/universe.toml");
    let weighted = text
        .replace("half_day_close = \"13:00\"\n", &format!("half_day_close = \"13:00\"\n{WEIGHTS}"));
    let fomc =
        "\n[[event]]\nname = \"FOMC\"\ndate = \"2019-07-31\"\ntime = \"14:00\"\ndays = 1.5\n";
    let universe = Universe::parse("universe.toml", &(weighted + fomc)).unwrap();
    let clock = &universe.calendars[0].variance;
    let at = |month: i8, day: i8, hour: i8| {
        let time = jiff::civil::date(2019, month, day).at(hour, 0, 0, 0);
        time.in_tz("America/New_York").unwrap().timestamp().as_nanosecond() as u64
    };
    let days = |from, to| clock.years_between(from, to) * 365.0;
    let year = days(at(1, 2, 0), at(12, 31, 0)) * 365.0 / 363.0;
    assert!((year - 366.5).abs() < 3.0, "a year and the announcement: {year}");
    let session = days(at(6, 26, 10), at(6, 26, 16)) / 6.0 * 6.5;
    let night = days(at(6, 26, 16), at(6, 27, 9)) / 17.0 * 17.5;
    assert!((session / (session + night) - 0.7).abs() < 0.001, "{session} {night}");
    assert_eq!(days(at(6, 29, 0), at(6, 30, 23)), 0.0, "a weekend");
    assert_eq!(days(at(7, 4, 1), at(7, 4, 20)), 0.0, "a holiday");
    let jump = days(at(7, 31, 13), at(7, 31, 15)) - days(at(7, 30, 13), at(7, 30, 15));
    assert!((jump - 1.5).abs() < 1e-9, "the announcement: {jump}");
    let half_day = days(at(7, 3, 14), at(7, 3, 15)) / days(at(7, 2, 14), at(7, 2, 15));
    assert!((half_day - 0.4114 / 2.585).abs() < 1e-6, "closed at one: {half_day}");
    let parts = days(at(6, 26, 11), at(7, 9, 12)) + days(at(7, 9, 12), at(8, 2, 9));
    assert!((parts - days(at(6, 26, 11), at(8, 2, 9))).abs() < 1e-9, "it adds up");
    let last = clock.years_between(at(6, 26, 16) - 1_000_000, at(6, 26, 16));
    let exact = clock.pace(at(6, 26, 15)) * 0.001 / (365.0 * 86_400.0);
    assert!((last / exact - 1.0).abs() < 1e-12, "the last millisecond: {last}");
}

#[test]
fn with_equal_weights_both_clocks_are_the_same_to_the_bit() {
    let universe = universe(Clock::Receive);
    let clock = &universe.calendars[0].variance;
    for span in [1, 60_000_000_000, 86_400_000_000_000, 7_777_777_777_777_777] {
        let years = span as f64 / (1e9 * 365.0 * 86_400.0);
        assert_eq!(
            clock.years_between(1_561_578_300_000_000_000, 1_561_578_300_000_000_000 + span),
            years
        );
    }
}

/// The same market on two clocks: prices stay, volatilities trade time for level, and theta is
/// what a calendar year takes either way.
#[test]
fn on_another_clock_prices_stay_and_volatility_times_root_time_too() {
    let text = include_str!("../config/universe.toml");
    let rules = format!("half_day_close = \"13:00\"\n{WEIGHTS}");
    let text = text.replace("half_day_close = \"13:00\"\n", &rules);
    let weighted = Universe { clock: Clock::Exchange, ..Universe::parse("u", &text).unwrap() };
    let Some(plain) = day_on(GOOG, 42_000, universe_with(Clock::Exchange, 2), 0) else { return };
    let Some(other) = day_on(GOOG, 42_000, weighted, 0) else { return };
    let mut compared = 0;
    for index in 0..4_000 {
        let (Some(a), Some(b)) = (plain.chain.greeks(index), other.chain.greeks(index)) else {
            continue;
        };
        if a.status != VolStatus::OK || b.status != VolStatus::OK || a.price < 0.05 {
            continue;
        }
        let of = |day: &Day| {
            let expiry = day.chain.instrument(index).unwrap().expiry;
            let expiry = day.chain.expiry(expiry);
            (expiry.vol_years, expiry.vol_pace)
        };
        let ((years_a, _), (years_b, pace)) = (of(&plain), of(&other));
        assert!((pace - 3.744).abs() < 0.01, "in the session: {pace}");
        let deviation = (a.iv * years_a.sqrt(), b.iv * years_b.sqrt());
        // A quote some minutes old was solved when the clocks stood a little differently.
        assert!((deviation.0 / deviation.1 - 1.0).abs() < 1e-3, "{index}: {deviation:?}");
        assert!((a.delta - b.delta).abs() < 1e-3 && (a.price - b.price).abs() < 1e-2 * a.price);
        let decay = |g: &zomma::wire::market::Greeks| f64::from(g.vega) * g.iv;
        let wanted =
            f64::from(a.theta) + decay(&a) / (2.0 * years_a) - pace * decay(&b) / (2.0 * years_b);
        assert!((f64::from(b.theta) / wanted - 1.0).abs() < 1e-3, "{index}: {b:?} {wanted}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}
