//! Every strategy on a market and with a broker made by hand: the legs that it opens against those
//! that a plain search over the list of contracts finds; then it is held and closed.
#![allow(missing_docs)]
mod floor;

use floor::{Floor, SECOND, STRIKES, TOMORROW, call, put, tomorrow};
use zomma::{
    book::{from_currency, to_currency},
    config::Reader,
    feature::Schema,
    strategy::{Code, KINDS, Set},
    wire::{Kind, market::Class, order::Purpose},
};

/// Nothing that RISK limits is in the way.
const LIMITS: &str = "collar_max = 50.0\norder_loss_max = 1e9\norder_premium_max = 1e9\n\
    expiry_loss_max = 1e9\ntrade_risk_share_max = 1.0\nstrategy_risk_share_max = 1.0\n\
    order_contracts_max = 100\ndaily_loss_max = 1e8\nleg_spread_share_max = 2.0";

/// Keys that every case shares.
const SHARED: &str = "root = \"SPXW\"\nentry_windows = [\"09:30-10:30\"]\nsample_every = \"1s\"\n\
    leg_spread_max = 1.0\nquote_age_max = \"60s\"\nrisk_share = 0.0\ntime_exit = \"15:00\"\n\
    hold_days = 0\nprofit_target = 0.0\nstop = 0.0\ntrail_from = 0.0\nexit_when = []\n\
    adjust_when = []\ncredit_min = 0.0\nentry_when = []\n";

const SPOT: f64 = 5_402.0;

/// A contract: days to its expiry, whether it is a call, strike; and contracts, negative sold.
type Leg = (u32, bool, i64, i64);

/// A list of all contracts, searched one by one.
struct Obvious {
    pain: i64,
    wall: i64,
}

impl Obvious {
    fn strikes(days: u32) -> impl Iterator<Item = i64> {
        let (first, step, count) = if days == 0 { STRIKES } else { TOMORROW };
        (0..count).map(move |i| first + i * step)
    }

    fn best(days: u32, cost: impl Fn(i64) -> f64) -> i64 {
        Self::strikes(days).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap()
    }

    /// The floor's own formula of delta.
    fn delta(is_call: bool, strike: i64) -> f64 {
        let distance = strike as f64 - SPOT;
        let call = 0.5 - 0.5 * distance / (400.0 + distance * distance).sqrt();
        if is_call { call } else { 1.0 - call }
    }

    fn by_delta(days: u32, is_call: bool, wanted: f64) -> i64 {
        Self::best(days, |strike| (Self::delta(is_call, strike) - wanted).abs())
    }

    fn near(days: u32, price: f64) -> i64 {
        Self::best(days, |strike| (strike as f64 - price).abs())
    }
}

/// Open contracts: a wall of calls at 5,440, puts low and calls high, so that pain lies between.
fn open_interest(floor: &mut Floor) -> Obvious {
    let mut open = Vec::new();
    for strike in Obvious::strikes(0) {
        let calls = if strike == 5_440 { 9_000 } else { 100 + 10 * (strike - 5_300).max(0) };
        let puts = 100 + 20 * (5_480 - strike).max(0);
        floor.interest(call(strike), calls);
        floor.interest(put(strike), puts);
        open.push((strike, calls, puts));
    }
    let pays = |at: i64| -> f64 {
        let each = |(strike, calls, puts): &(i64, i64, i64)| {
            calls * (at - strike).max(0) + puts * (strike - at).max(0)
        };
        open.iter().map(each).sum::<i64>() as f64
    };
    let wall = open.iter().max_by_key(|(_, calls, _)| *calls).unwrap().0;
    Obvious { pain: Obvious::best(0, pays), wall }
}

/// A floor on which the market has gone from `from` to [`SPOT`] and volatility from 0.2 to `vol`.
fn floor(text: &str, from: f64, vol: f64) -> (Floor, Obvious) {
    let mut set = Set::default();
    let mut reader = Reader::new("strategy.toml", text).unwrap();
    set.read(&mut reader, &Schema::none());
    if let Err(errors) = reader.finish() {
        panic!("{text}: {errors:?}");
    }
    let mut floor = Floor::new(set, LIMITS);
    floor.desk.book.capital = from_currency(9e8);
    floor.define_tomorrow();
    let obvious = open_interest(&mut floor);
    // Before the window: quotes are there, nothing may be entered on them.
    floor.session(zomma::wire::control::SessionState::DOWN);
    for i in 0..=12 {
        let share = f64::from(i) / 12.0;
        let spot = from + (SPOT - from) * share;
        floor.vol = 0.2 + (vol - 0.2) * share;
        floor.forward_of(0, spot);
        floor.forward_of(1, spot);
        floor.market(spot, 1.0);
        floor.market_tomorrow(spot, 1.6);
        floor.wait(1.0);
    }
    floor.session(zomma::wire::control::SessionState::UP);
    floor.wait(1.0);
    (floor, obvious)
}

fn legs(floor: &Floor, order: u64) -> Vec<Leg> {
    let (_, legs) = floor.order(order);
    let of = |(instrument, leg): &(u32, zomma::wire::order::Leg)| {
        let terms = floor.desk.chain.instrument(*instrument).unwrap();
        let contracts = i64::from(leg.side) * i64::from(leg.ratio);
        let is_tomorrow = *instrument >= tomorrow(TOMORROW.0, true);
        (u32::from(is_tomorrow), terms.class == Class::CALL, terms.strike as i64, contracts)
    };
    let mut legs: Vec<Leg> = legs.iter().map(of).collect();
    legs.sort_unstable();
    legs
}

/// Opens what is wanted, fills it, leaves it by the clock, and everything adds up.
fn opens_and_closes(section: &str, own: &str, path: (f64, f64), wanted: fn(&Obvious) -> Vec<Leg>) {
    let (mut floor, obvious) = floor(&format!("[[{section}]]\n{SHARED}{own}"), path.0, path.1);
    let told = floor.decisions();
    let entry = floor.orders().first().copied().unwrap_or_else(|| panic!("{section}: {told:?}"));
    let mut wanted = wanted(&obvious);
    wanted.sort_unstable();
    assert_eq!(legs(&floor, entry.id), wanted, "{section} {own}");
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    assert!(floor.codes().contains(&Code::ENTERED.0), "{section}: {:?}", floor.decisions());
    let hours = 5.5 * 3_600.0 - ((floor.now - floor::OPEN) / SECOND) as f64;
    floor.wait(hours + 1.0);
    let mut closed = 0;
    while let Some(exit) = floor.orders().into_iter().rev().find(|order| !order.purpose.opens()) {
        if exit.id == closed {
            break;
        }
        closed = exit.id;
        floor.ack(exit.id);
        floor.fill_all(exit.id);
    }
    let last = floor.last_order();
    assert_eq!(last.purpose, Purpose::TIME, "{section}: {:?}", floor.decisions());
    assert!(floor.desk.book.is_flat(), "{section}");
    let told = floor.decisions();
    let profit = told.iter().rfind(|told| told.code == Code::CLOSED.0).unwrap().a;
    let booked = floor.desk.book.realised - floor.desk.book.fees;
    assert!((profit - to_currency(booked)).abs() < 1e-6, "{section}: {profit}");
    assert_eq!(floor.count(Kind::REFUSAL), 0, "{section}");
}

const STILL: (f64, f64) = (SPOT, 0.1);
const RISEN: (f64, f64) = (5_390.0, 0.1);
const FALLEN: (f64, f64) = (5_414.0, 0.1);

#[test]
fn an_iron_condor_and_a_winged_strangle_are_two_spreads_around_the_market() {
    let condor = "short_delta = 0.12\nwing_width = 10.0\nwing_width_max = 15.0";
    opens_and_closes("iron_condor", condor, STILL, |_| {
        let (put, call) = (Obvious::by_delta(0, false, 0.12), Obvious::by_delta(0, true, 0.12));
        vec![
            (0, false, put - 10, 1),
            (0, false, put, -1),
            (0, true, call, -1),
            (0, true, call + 10, 1),
        ]
    });
    let strangle = "offset = \"delta 0.2\"\nwing = \"points 25\"";
    opens_and_closes("short_strangle", strangle, STILL, |_| {
        let (put, call) = (Obvious::by_delta(0, false, 0.2), Obvious::by_delta(0, true, 0.2));
        vec![
            (0, false, put - 25, 1),
            (0, false, put, -1),
            (0, true, call, -1),
            (0, true, call + 25, 1),
        ]
    });
}

#[test]
fn a_vertical_wins_in_its_direction() {
    let own = "near = \"delta 0.3\"\nwidth = \"points 10\"\n";
    opens_and_closes("vertical", own, STILL, |_| {
        let near = Obvious::by_delta(0, false, 0.3);
        vec![(0, false, near, -1), (0, false, near - 10, 1)]
    });
    let own =
        "direction = \"bear\"\npremium = \"debit\"\nnear = \"money\"\nwidth = \"points 12\"\n";
    opens_and_closes("vertical", own, STILL, |_| {
        // 12 points below 5,400 is 5,388: the next strike beyond is 5,385.
        let near = Obvious::near(0, SPOT);
        vec![(0, false, near, 1), (0, false, near - 15, -1)]
    });
    let own = "direction = \"bear\"\nnear = \"wall\"\nwidth = \"points 10\"\n";
    opens_and_closes("vertical", own, STILL, |obvious| {
        vec![(0, true, obvious.wall, -1), (0, true, obvious.wall + 10, 1)]
    });
}

#[test]
fn premium_is_sold_at_a_high_rank_of_volatility_and_bought_at_a_low_one() {
    let own = "short = \"delta 0.2\"\nwing = \"points 10\"\nlong = \"delta 0.3\"";
    opens_and_closes("iv_rank", own, (SPOT, 0.3), |_| {
        let (put, call) = (Obvious::by_delta(0, false, 0.2), Obvious::by_delta(0, true, 0.2));
        vec![
            (0, false, put - 10, 1),
            (0, false, put, -1),
            (0, true, call, -1),
            (0, true, call + 10, 1),
        ]
    });
    opens_and_closes("iv_rank", own, (SPOT, 0.1), |_| {
        let (put, call) = (Obvious::by_delta(0, false, 0.3), Obvious::by_delta(0, true, 0.3));
        vec![(0, false, put, 1), (0, true, call, 1)]
    });
}

#[test]
fn straddles_and_strangles_are_bought_for_moves() {
    let own = "expiry = \"dte 1-5\"\nhedge_band = 1000.0";
    opens_and_closes("gamma_scalping", own, STILL, |_| {
        let money = Obvious::near(1, SPOT);
        vec![(1, false, money, 1), (1, true, money, 1)]
    });
    opens_and_closes("volatility_expansion", "offset = \"money 0.3%\"", STILL, |_| {
        let (put, call) = (Obvious::near(1, SPOT * 0.997), Obvious::near(1, SPOT * 1.003));
        vec![(1, false, put, 1), (1, true, call, 1)]
    });
}

#[test]
fn a_butterfly_has_its_body_twice_and_wings_of_its_own_widths() {
    let own = "lower = \"points 20\"\nupper = \"points 30\"";
    opens_and_closes("butterfly", own, STILL, |_| {
        let body = Obvious::near(0, SPOT);
        vec![(0, true, body - 20, 1), (0, true, body, -2), (0, true, body + 30, 1)]
    });
}

#[test]
fn calendars_diagonals_and_the_flyagonal_have_two_expiries() {
    opens_and_closes("calendar", "", STILL, |_| {
        let money = Obvious::near(0, SPOT);
        vec![(0, false, money, -1), (1, false, money, 1)]
    });
    opens_and_closes("calendar", "long = \"points 10\"", STILL, |_| {
        let money = Obvious::near(0, SPOT);
        vec![(0, false, money, -1), (1, false, money - 10, 1)]
    });
    let own = "body = \"points 20\"\nput = \"points 15\"\nlower = \"points 15\"\n\
        upper = \"points 25\"\nput_long = \"points 10\"";
    opens_and_closes("flyagonal", own, STILL, |_| {
        // The next strikes beyond 5,422 and 5,387.
        let (body, put) = (5_425, 5_385);
        vec![
            (0, true, body - 15, 1),
            (0, true, body, -2),
            (0, true, body + 25, 1),
            (0, false, put, -1),
            (1, false, put - 10, 1),
        ]
    });
}

#[test]
fn the_pin_is_the_strike_that_pays_least() {
    opens_and_closes("expiry_pin", "wing = \"points 20\"", STILL, |obvious| {
        let pain = obvious.pain;
        vec![
            (0, false, pain - 20, 1),
            (0, false, pain, -1),
            (0, true, pain, -1),
            (0, true, pain + 20, 1),
        ]
    });
}

#[test]
fn the_underlying_is_a_call_less_a_put() {
    let expiry = "expiry = \"dte 1-9\"\n";
    opens_and_closes("covered_call", &format!("{expiry}short = \"delta 0.3\""), STILL, |_| {
        let (money, short) = (Obvious::near(1, SPOT), Obvious::by_delta(1, true, 0.3));
        vec![(1, true, money, 1), (1, false, money, -1), (1, true, short, -1)]
    });
    opens_and_closes("protective_put", &format!("{expiry}floor = \"delta 0.3\""), STILL, |_| {
        let (money, floor) = (Obvious::near(1, SPOT), Obvious::by_delta(1, false, 0.3));
        vec![(1, true, money, 1), (1, false, money, -1), (1, false, floor, 1)]
    });
}

#[test]
fn moves_are_followed_or_faded_where_timeframes_agree() {
    let frames = "frames = [\"3s\", \"6s\"]\nmoves = [0.0001, 0.0002]\nagree = 2\n";
    let own = format!("{frames}near = \"money\"\nwidth = \"points 10\"");
    opens_and_closes("momentum", &own, RISEN, |_| {
        let money = Obvious::near(0, SPOT);
        vec![(0, true, money, 1), (0, true, money + 10, -1)]
    });
    opens_and_closes("momentum", &own, FALLEN, |_| {
        let money = Obvious::near(0, SPOT);
        vec![(0, false, money, 1), (0, false, money - 10, -1)]
    });
    let own = format!("{frames}near = \"delta 0.3\"\nwidth = \"points 10\"");
    opens_and_closes("mean_reversion", &own, RISEN, |_| {
        let near = Obvious::by_delta(0, true, 0.3);
        vec![(0, true, near, -1), (0, true, near + 10, 1)]
    });
    opens_and_closes("mean_reversion", &own, FALLEN, |_| {
        let near = Obvious::by_delta(0, false, 0.3);
        vec![(0, false, near, -1), (0, false, near - 10, 1)]
    });
}

#[test]
fn a_fall_that_open_interest_contradicts_is_bought() {
    // More puts than calls are open on this floor.
    let own = "expiry = \"today\"\nframe = \"6s\"\nmove_min = 0.0002\npcr_high = 1.01\n\
        pcr_low = 0.5\nbuild_min = -1.0\nwidth = \"points 10\"";
    opens_and_closes("oi_build_up", own, FALLEN, |_| {
        let money = Obvious::near(0, SPOT);
        vec![(0, true, money, 1), (0, true, money + 10, -1)]
    });
}

/// Here, or in a test of its own such as `zomma strategy new` makes.
#[test]
fn every_kind_is_opened_by_a_test() {
    let text = include_str!("structures.rs");
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for kind in KINDS {
        let here = text.contains(&format!("opens_and_closes(\"{}\"", kind.section));
        let alone = tests.join(format!("strategy_{}.rs", kind.section)).exists();
        assert!(here || alone, "no test opens {}", kind.section);
    }
}

#[test]
fn a_straddle_is_hedged_beyond_its_band_and_the_hedge_is_given_back() {
    let own = "[[gamma_scalping]]\nquantity = 4\nexpiry = \"dte 1-5\"\nhedge_band = 0.75\n\
        hedge_every = \"1s\"\nhedge_wing = \"points 25\"\n";
    let (mut floor, _) = floor(&format!("{own}{SHARED}"), SPOT, 0.1);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    assert_eq!(floor.orders().len(), 1, "{:?}", floor.decisions());
    let go = |floor: &mut Floor, spot: f64| {
        floor.forward_of(1, spot);
        floor.market_tomorrow(spot, 1.6);
        floor.wait(1.5);
    };
    go(&mut floor, SPOT + 12.0);
    let hedge = floor.last_order();
    assert_eq!(hedge.purpose, Purpose::ENTRY);
    let delta = 4.0 * (2.0 * Obvious::delta(true, 5_400 - 12) - 1.0);
    assert_eq!(f64::from(hedge.quantity), delta.round(), "delta {delta}");
    let money = Obvious::near(1, SPOT + 12.0);
    let mut bounded = vec![(1, false, money, 1), (1, true, money, -1), (1, true, money + 25, 1)];
    bounded.sort_unstable();
    assert_eq!(legs(&floor, hedge.id), bounded);
    floor.ack(hedge.id);
    floor.fill_all(hedge.id);
    go(&mut floor, SPOT);
    let back = floor.last_order();
    assert_eq!((back.purpose, back.package), (Purpose::HEDGE, hedge.id), "{:?}", floor.decisions());
    floor.ack(back.id);
    floor.fill_all(back.id);
    floor.wait(5.0 * 3_600.0);
    floor.wait(3_600.0);
    let exit = floor.last_order();
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
}

#[test]
fn a_butterfly_that_the_market_has_left_is_opened_anew_around_it() {
    let own = "[[butterfly]]\nlower = \"points 20\"\nupper = \"points 20\"\nadjust_max = 1\n";
    let shared = SHARED.replace("adjust_when = []", "adjust_when = [\"|short_distance| > 0.004\"]");
    let (mut floor, _) = floor(&format!("{own}{shared}"), SPOT, 0.1);
    let first = floor.last_order();
    floor.ack(first.id);
    floor.fill_all(first.id);
    let spot = SPOT + 30.0;
    floor.forward(spot);
    floor.market(spot, 1.0);
    let exit = floor.last_order();
    assert_eq!((exit.purpose, exit.package), (Purpose::ADJUST, first.id));
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    floor.wait(0.5);
    let again = floor.last_order();
    assert_eq!(again.purpose, Purpose::ENTRY, "{:?}", floor.decisions());
    let body = Obvious::near(0, spot);
    let wanted = [(0, true, body - 20, 1), (0, true, body, -2), (0, true, body + 20, 1)];
    assert_eq!(legs(&floor, again.id), wanted);
    floor.ack(again.id);
    floor.fill_all(again.id);
    floor.forward(SPOT);
    floor.market(SPOT, 1.0);
    assert_eq!(floor.last_order().id, again.id, "adjusted once, and no more");
}

#[test]
fn a_profit_that_falls_back_is_taken_by_the_trailing_stop() {
    let shared = SHARED.replace("trail_from = 0.0", "trail_from = 0.2\ntrail_back = 0.1");
    let own = "[[vertical]]\nnear = \"delta 0.3\"\nstop_confirm = \"1s\"\n";
    let (mut floor, _) = floor(&format!("{own}{shared}"), SPOT, 0.1);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    floor.market(SPOT + 15.0, 0.8);
    assert_eq!(floor.orders().len(), 1, "{:?}", floor.decisions());
    floor.market(SPOT, 0.95);
    floor.wait(1.1);
    assert_eq!(floor.last_order().purpose, Purpose::TRAIL, "{:?}", floor.decisions());
}

#[test]
fn rules_over_what_is_held_close_it() {
    let shared = SHARED.replace("exit_when = []", "exit_when = [\"short_delta > 0.45\"]");
    let own = "[[vertical]]\nnear = \"delta 0.3\"\n";
    let (mut floor, _) = floor(&format!("{own}{shared}"), SPOT, 0.1);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    floor.market(SPOT - 12.0, 1.0);
    assert_eq!(floor.last_order().purpose, Purpose::RULE, "{:?}", floor.decisions());
}

/// What is left of a calendar when its near leg has become cash is closed.
#[test]
fn the_far_leg_is_closed_when_the_near_one_has_settled() {
    let shared = SHARED.replace("hold_days = 0", "hold_days = 1");
    let (mut floor, _) = floor(&format!("[[calendar]]\n{shared}"), SPOT, 0.1);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    floor.wait(6.5 * 3_600.0);
    let exit = floor.last_order();
    assert_eq!(exit.purpose, Purpose::TIME, "{:?}", floor.decisions());
    assert_eq!(legs(&floor, exit.id), [(1, false, Obvious::near(0, SPOT), -1)]);
}

/// A package that was filled after it was given up is taken back whatever its legs are.
#[test]
fn late_fills_of_any_structure_are_flattened() {
    let (mut floor, _) = floor(&format!("[[butterfly]]\nattempts_max = 1\n{SHARED}"), SPOT, 0.1);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.wait(4.0);
    floor.market(SPOT, 1.0);
    floor.canceled(entry.id);
    let (_, sent) = floor.order(entry.id);
    for (i, (_, leg)) in sent.iter().enumerate().take(2) {
        floor.fill(entry.id, i as u8, leg.ratio, leg.price.0);
    }
    for _ in 0..8 {
        floor.wait(4.0);
        let last = floor.last_order();
        if last.purpose.opens() {
            floor.canceled(last.id);
        }
    }
    assert!(floor.codes().contains(&Code::ADOPTED.0), "{:?}", floor.decisions());
    let orders = floor.orders();
    let exit = orders.iter().find(|order| order.purpose == Purpose::FLATTEN).unwrap();
    assert_eq!(exit.package, entry.id);
    assert_eq!(legs(&floor, exit.id).len(), 2, "exactly what is held");
}
