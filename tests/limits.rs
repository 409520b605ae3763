//! Every limit of the table at its bound: just inside passes, just outside is refused, and what is
//! no number is refused, for measures and bounds alike.
mod floor;

use floor::{
    Floor, OPEN, call, put, settings, universe,
    wish::{Wish, ask, condor, hold, net, work},
};
use std::collections::BTreeSet;
use zomma::{
    chain::Universe,
    risk::{BREAKERS, FLOORS, LIMITS, Limit, LimitDoc, Limits, Risk},
    strategy::Set,
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        control::{Disk, DiskState},
        market::{Class, Definition, Interest, Trade},
        order::{Order, Purpose},
    },
};

/// A day on which everything that is measured is above 0: bought options, a held line, a working
/// order, a package closed at a loss, prints, an index with a quote, time that has passed.
fn busy(floor: &mut Floor) -> Wish {
    index(floor);
    floor.wait(0.0);
    floor.whole_market(5_402.0);
    for instrument in [call(5_420), put(5_380)] {
        let mut trade: Trade = bytemuck::Zeroable::zeroed();
        (trade.price, trade.size) = (Price(1_300_000_000), 7);
        floor.send(Event::new(Kind::TRADE, instrument, trade));
        let interest = Interest { contracts: 90, ts_ref: 0, reserved: [0; 2] };
        floor.send(Event::new(Kind::INTEREST, instrument, interest));
    }
    // An order that works, a package that has lost, and one that is held.
    let mut small = strangle(floor, 1);
    small.legs.truncate(1);
    small.head.limit = net(&small.legs);
    work(&mut floor.desk, &small);
    floor.ack(small.head.id);
    let lost = hold(&mut floor.desk, call(5_450), 2, 3_000_000_000);
    floor.wait(0.01);
    close(floor, lost, call(5_450), 2, 1_000_000_000);
    hold(&mut floor.desk, call(5_400), 1, 14_000_000_000);
    floor.wait(1.0);
    floor.now += 2_000_000_000;
    floor.quote(call(5_300), 10_000, 10_050);
    // The widest leg is the order's own, not one of those before it.
    let wide = floor.desk.chain.quote(put(5_380));
    let cents = |price: f64| (price * 100.0).round() as i64;
    floor.quote(put(5_380), cents(wide.bid) - 10, cents(wide.ask));
    floor.desk.book.venue.volatility = 0.2;
    strangle(floor, 3)
}

/// Bought out of the money, two contracts of each for one of the package.
fn strangle(floor: &mut Floor, quantity: u32) -> Wish {
    let price = |floor: &Floor, at: u32| (floor.desk.chain.quote(at).ask * 100.0).round() as i64;
    let legs = vec![
        (call(5_420), 1, 2, price(floor, call(5_420))),
        (put(5_380), 1, 1, price(floor, put(5_380))),
    ];
    let id = floor.desk.book.number();
    let head = Order {
        id,
        limit: net(&legs),
        quantity,
        strategy: 0,
        legs: 2,
        purpose: Purpose::ENTRY,
        package: id,
    };
    Wish { head, legs }
}

/// The index that the options' root names, quoted.
fn index(floor: &mut Floor) {
    let definition = Definition {
        strike: Price::UNDEF,
        expiration: u64::MAX,
        root: zomma::chain::name_of("SPX"),
        venue_id: 126,
        class: Class::INDEX,
        mapped: 0,
        reserved: 0,
    };
    floor.send(Event::new(Kind::DEFINITION, 126, definition));
    floor.quote(126, 540_100, 540_300);
}

/// The shipped universe, in which the options' root has an index.
fn world() -> Universe {
    let mut world = universe();
    let index = zomma::chain::name_of("SPX");
    world.roots.iter_mut().for_each(|root| root.underlying = index);
    world
}

/// Closes a package by an order and its fill.
fn close(floor: &mut Floor, package: u64, instrument: u32, contracts: u32, price: i64) {
    let id = floor.desk.book.number();
    let legs = vec![(instrument, -1, 1, price / 10_000_000)];
    let head = Order {
        id,
        limit: net(&legs),
        quantity: contracts,
        strategy: 0,
        legs: 1,
        purpose: Purpose::STOP,
        package,
    };
    let wish = Wish { head, legs };
    floor.quote(instrument, price / 10_000_000, price / 10_000_000 + 10);
    ask(floor, &wish);
    assert!(floor.desk.book.live().contains(&id), "{:?}", floor.desk.book.refused);
    floor.fill_all(id);
}

/// Room for what the busy day holds, but for what a test sets itself.
fn with_room(more: &str) -> String {
    let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_string();
    let set: Vec<String> = more.lines().map(key).collect();
    let room = "order_loss_max = 1e6\ntrade_risk_share_max = 1.0\nexpiry_loss_max = 1e6\n\
        strategy_risk_share_max = 1.0";
    let room: Vec<&str> = room.lines().filter(|line| !set.contains(&key(line))).collect();
    format!("{}\n{more}", room.join("\n"))
}

/// What is measured of a limit, and what is violated, at the end of such a day.
fn judge(day: fn(&mut Floor) -> Wish, universe: &Universe, more: &str, bit: u32) -> (f64, u128) {
    let mut floor = Floor::of(universe, Set::default(), &with_room(more));
    let wish = day(&mut floor);
    let (head, legs) = wish.events(&floor);
    let verdict = floor.risk.evaluate(&mut floor.desk, &head, &legs);
    (verdict.row(bit).0, verdict.violated)
}

/// What a breaker that trips violates besides its own limit.
const LATCHED: [Limit; 5] =
    [Limit::HALTED, Limit::REDUCING, Limit::STRATEGY_HALTED, Limit::KILLED, Limit::HORIZON_LOSS];

/// The bound as it is written for a limit: a whole number, a duration or a number.
fn written(row: &LimitDoc, value: f64) -> String {
    let keys = <Limits as zomma::config::Section>::keys();
    let key = keys.iter().find(|key| key.name == row.name).expect("a key");
    if key.wanted.starts_with("a whole number") {
        format!("{} = {}", row.name, value as u64)
    } else if key.default.as_ref().is_some_and(|text| text.starts_with('"')) {
        format!("{} = \"{}ns\"", row.name, (value * 1e9).round() as u64)
    } else {
        format!("{} = {value:?}", row.name)
    }
}

/// The key that holds the bound of a limit whose name is none.
fn key_of(row: &LimitDoc) -> Option<&'static str> {
    match Limit(row.bit) {
        Limit::HORIZON_SIZE => Some("size_intraday_share_max"),
        Limit::HORIZON_LOSS => Some("loss_intraday_share_max"),
        _ => None,
    }
}

/// Extra settings that a limit needs to be measured at all.
fn switched_on(limit: Limit) -> &'static str {
    match limit {
        Limit::ORDER_TO_TRADE => "order_to_trade_free = 0\n",
        Limit::VOLUME_SHARE | Limit::INTEREST_SHARE => "volume_free = 0\n",
        Limit::LAST_COLLAR => "last_collar_share_max = 0.0\n",
        Limit::LEG_COLLAR | Limit::THEORY_COLLAR => "leg_collar_share_max = 0.0\n",
        Limit::PIN_DISTANCE => "pin_distance_min = 0.000_001\npin_time = \"24h\"\n",
        Limit::CLOSE_MARGIN => "close_margin_min = \"1s\"\n",
        Limit::ZERO_DAY_VOL => "zero_day_vol_max = 9.0\n",
        _ => "",
    }
}

/// Limits that are measured on another day, or have tests of their own.
const ELSEWHERE: [(Limit, &str); 7] = [
    (Limit::REGIME_SIZE, "below"),
    (Limit::PRICE_COLLAR, "risk.rs: each limit"),
    (Limit::MESSAGE_RATE, "risk.rs: cancels are never starved"),
    (Limit::DUPLICATE, "risk.rs: the same order twice"),
    (Limit::REJECTS, "risk.rs: each limit"),
    (Limit::UNRECONCILED, "risk.rs: each limit"),
    (Limit::CLOCK_DRIFT, "below"),
];

/// A day on which credit was taken: margin is needed, short strikes may be pinned.
fn short(floor: &mut Floor) -> Wish {
    floor.whole_market(5_400.0);
    let wish = condor(floor);
    floor.wait(0.0);
    wish
}

#[test]
fn every_limit_passes_just_inside_and_refuses_just_outside() {
    let elsewhere: Vec<Limit> = ELSEWHERE.iter().map(|row| row.0).collect();
    let mut bounds = BTreeSet::new();
    for row in LIMITS.iter().filter(|row| row.unit != "-") {
        let limit = Limit(row.bit);
        let alerts = limit == Limit::THETA_ALERT;
        if elsewhere.contains(&limit) || limit == Limit::FREEZE || alerts {
            continue;
        }
        let day = match limit {
            Limit::MARGIN | Limit::PIN_DISTANCE => short,
            _ => busy,
        };
        let on = switched_on(limit);
        let world = world();
        let (measured, violated) = judge(day, &world, on, row.bit);
        assert_eq!(violated, 0, "{} in the open", row.name);
        let name = key_of(row).unwrap_or(row.name);
        let row = LimitDoc { name, ..*row };
        let least = FLOORS.contains(&limit);
        assert!(measured > 0.0, "{name}: {measured}");
        let step = if written(&row, 1.0).ends_with(" 1") { 1.0 } else { measured * 1e-6 };
        let (inside, outside) = if least {
            (measured - measured * 1e-9, measured + step)
        } else {
            (measured + measured * 1e-9, measured - step)
        };
        let with = |value: f64| {
            let line = written(&row, value);
            let kept: Vec<&str> = on.lines().filter(|l| !l.starts_with(name)).collect();
            format!("{}\n{line}\n", kept.join("\n"))
        };
        let (_, violated) = judge(day, &world, &with(inside), row.bit);
        assert_eq!(violated & limit.bit(), 0, "{name} inside, {measured}");
        let (_, violated) = judge(day, &world, &with(outside), row.bit);
        assert!(violated & limit.bit() != 0, "{name} outside, {measured}");
        let known = LATCHED.iter().fold(limit.bit(), |bits, other| bits | other.bit());
        assert_eq!(violated & !known, 0, "{name} outside violates others: {violated:b}");
        bounds.insert(row.bit);
    }
    println!("{} limits at their bounds", bounds.len());
}

#[test]
fn a_freeze_quantity_a_lot_and_a_restricted_root_come_from_the_universe() {
    let with = |change: &dyn Fn(&mut zomma::chain::Root)| {
        let mut world = world();
        world.roots.iter_mut().filter(|root| root.text() == "SPXW").for_each(change);
        judge(busy, &world, "", Limit::FREEZE.0)
    };
    // Six calls and three puts are wanted; the order before them was for two.
    assert_eq!(with(&|root| root.freeze = 6), (6.0, 0));
    assert_eq!(with(&|root| root.freeze = 5).1, Limit::FREEZE.bit());
    let mut world = world();
    world.roots.iter_mut().for_each(|root| root.lot = 4);
    let (_, violated) = judge(short, &world, "", Limit::LOT.0);
    assert_eq!(violated, Limit::LOT.bit());
    world.roots.iter_mut().for_each(|root| (root.lot, root.restricted) = (1, true));
    let (_, violated) = judge(short, &world, "", Limit::RESTRICTED.0);
    assert_eq!(violated, Limit::RESTRICTED.bit());
}

/// What is violated by a condor after `change`.
fn condition(more: &str, change: impl Fn(&mut Floor, &mut Wish)) -> u128 {
    let mut floor = Floor::new(Set::default(), more);
    let mut wish = short(&mut floor);
    change(&mut floor, &mut wish);
    let (head, legs) = wish.events(&floor);
    floor.risk.evaluate(&mut floor.desk, &head, &legs).violated
}

#[test]
fn each_new_condition_is_refused_by_its_own_bit() {
    // Meeting an order of our own: a bid at 1.50 for what the condor sells at 1.50.
    let meet = |cents: i64| {
        move |floor: &mut Floor, wish: &mut Wish| {
            let own = condor(floor);
            let legs = vec![(wish.legs[1].0, 1, 1, cents)];
            let head = Order { limit: net(&legs), ..own.head };
            ask(floor, &Wish { head, legs });
            assert_eq!(floor.count(Kind::ORDER), 1, "{:?}", floor.desk.book.refused);
        }
    };
    assert_eq!(condition("", meet(145)), 0);
    assert_eq!(condition("", meet(150)), Limit::SELF_CROSS.bit());
    let today = "zero_day_vol_max = 0.3";
    let calm = |floor: &mut Floor, _: &mut Wish| floor.desk.book.venue.volatility = 0.3;
    let wild = |floor: &mut Floor, _: &mut Wish| floor.desk.book.venue.volatility = 0.301;
    assert_eq!(condition(today, calm), 0);
    assert_eq!(condition(today, wild), Limit::ZERO_DAY_VOL.bit());
    let unknown = condition(today, |_, _| {});
    assert_eq!(unknown, Limit::ZERO_DAY_VOL.bit() | Limit::REGIME_UNKNOWN.bit());
    let drift = |ns| move |floor: &mut Floor, _: &mut Wish| floor.desk.book.venue.drift = ns;
    assert_eq!(condition("", drift(2_000_000_000)), 0);
    assert_eq!(condition("", drift(2_000_000_001)), Limit::CLOCK_DRIFT.bit());
    let disk = |state| {
        move |floor: &mut Floor, _: &mut Wish| {
            let disk = Disk { state, reserved: [0; 7], lag: 9, reserved2: [0; 2] };
            floor.send(Event::new(Kind::DISK, NO_INSTRUMENT, disk));
        }
    };
    assert_eq!(condition("", disk(DiskState::KEEPS_UP)), 0);
    for state in [DiskState::LATE, DiskState::LOW, DiskState::FAILED] {
        assert_eq!(condition("", disk(state)), Limit::JOURNAL_BEHIND.bit());
    }
    let stranger = condition("", |_, wish| wish.head.strategy = 9);
    assert!(stranger & Limit::STRATEGY_UNKNOWN.bit() != 0);
    // An American call in the money is sold just before a dividend, or not.
    let mut world = world();
    let dividend = |ex| zomma::chain::Dividend { ex, amount: 1.0 };
    for root in &mut world.roots {
        root.style = zomma::chain::Style::American;
        root.dividends = vec![dividend(OPEN + 3_600_000_000_000)];
    }
    let far = |floor: &mut Floor| {
        let wish = short(floor);
        floor.forward(5_420.0);
        wish
    };
    let near = |floor: &mut Floor| {
        let wish = short(floor);
        floor.forward(5_420.01);
        wish
    };
    assert_eq!(judge(far, &world, "", 0).1, 0);
    assert_eq!(judge(near, &world, "", 0).1, Limit::EX_DIVIDEND.bit());
}

/// Whole up to a calm market's volatility, nothing from a wild one's on or where nobody knows it,
/// and by a line in between; what closes has its size whatever the regime.
#[test]
fn a_regime_leaves_a_share_of_an_orders_size() {
    let more = "order_contracts_max = 4\nregime_calm = 0.2\nregime_wild = 0.4";
    let refused = |volatility: f64, contracts: u32| {
        condition(more, |floor, wish| {
            floor.desk.book.venue.volatility = volatility;
            wish.head.quantity = contracts;
        }) & Limit::REGIME_SIZE.bit()
            != 0
    };
    for (volatility, most) in [(0.0, 4), (0.2, 4), (0.25, 3), (0.3, 2), (0.301, 1), (0.39, 0)] {
        assert!(most == 0 || !refused(volatility, most), "{most} at {volatility}");
        assert!(most == 4 || refused(volatility, most + 1), "{} at {volatility}", most + 1);
    }
    for wild in [0.4, 9.0, f64::INFINITY, f64::NAN] {
        assert!(refused(wild, 1), "at {wild}");
    }
}

#[test]
fn what_covers_a_short_is_not_sold_from_under_it() {
    let mut floor = Floor::new(Set::default(), "");
    floor.whole_market(5_400.0);
    hold(&mut floor.desk, call(5_400), -1, 5_000_000_000);
    let cover = hold(&mut floor.desk, call(5_410), 1, 4_000_000_000);
    let spare = hold(&mut floor.desk, call(5_415), 1, 4_000_000_000);
    assert_eq!(sold(&mut floor, spare, call(5_415)), 0);
    assert_eq!(sold(&mut floor, cover, call(5_410)), 0, "the other one still covers");
    close(&mut floor, spare, call(5_415), 1, 4_000_000_000);
    assert_eq!(sold(&mut floor, cover, call(5_410)), Limit::UNCOVERS.bit());
}

/// What is violated if one contract of a package is sold at the bid.
fn sold(floor: &mut Floor, package: u64, instrument: u32) -> u128 {
    let id = floor.desk.book.number();
    let bid = (floor.desk.chain.quote(instrument).bid * 100.0).round() as i64;
    let legs = vec![(instrument, -1, 1, bid)];
    let (limit, purpose) = (net(&legs), Purpose::TARGET);
    let head = Order { id, limit, quantity: 1, strategy: 0, legs: 1, purpose, package };
    let (head, legs) = Wish { head, legs }.events(floor);
    floor.risk.evaluate(&mut floor.desk, &head, &legs).violated
}

/// Without quotes, Greeks, forward and a mark nothing can be measured, and all that hangs on it is
/// refused.
#[test]
fn what_cannot_be_measured_is_refused() {
    let more = "unknown_greeks_allowed = false\nlast_required = true\nclose_margin_min = \"1s\"\n\
        zero_day_vol_max = 1.0\npin_distance_min = 0.001\npin_time = \"24h\"";
    let mut floor = Floor::of(&world(), Set::default(), more);
    index(&mut floor);
    floor.gap();
    let id = floor.desk.book.number();
    let legs = vec![(call(5_420), -1, 1, 100), (call(5_425), 1, 1, 50)];
    let (limit, purpose) = (net(&legs), Purpose::ENTRY);
    let head = Order { id, limit, quantity: 1, strategy: 0, legs: 2, purpose, package: id };
    // A short without an ask: the session's profit is unknown.
    hold(&mut floor.desk, call(5_430), -1, 1_000_000_000);
    let (head, legs) = Wish { head, legs }.events(&floor);
    let violated = floor.risk.evaluate(&mut floor.desk, &head, &legs).violated;
    let blind = [
        Limit::ORDER_UNDERLYING,
        Limit::LEG_COLLAR,
        Limit::THEORY_COLLAR,
        Limit::LAST_COLLAR,
        Limit::PRICE_COLLAR,
        Limit::DAILY_LOSS,
        Limit::DRAWDOWN_REDUCE,
        Limit::DRAWDOWN_HALT,
        Limit::DELTA,
        Limit::DELTA_GROSS,
        Limit::GAMMA,
        Limit::GAMMA_GROSS,
        Limit::VEGA,
        Limit::VEGA_GROSS,
        Limit::THETA,
        Limit::ROOT_DELTA,
        Limit::CORRELATED,
        Limit::CLUSTER,
        Limit::FUT_EQ_NET,
        Limit::FUT_EQ_GROSS,
        Limit::GRID_LOSS,
        Limit::QUOTE_AGE,
        Limit::LEG_SPREAD,
        Limit::LEG_SPREAD_SHARE,
        Limit::UNDERLYING_AGE,
        Limit::ZERO_DAY_VOL,
        Limit::PIN_DISTANCE,
    ];
    for limit in blind {
        assert!(violated & limit.bit() != 0, "limit {} measured something", limit.0);
    }
}

macro_rules! bounds {
    ($($id:ident $key:ident),* $(,)?) => {
        [$((Limit::$id, (|limits: &mut Limits| limits.$key = f64::NAN) as fn(&mut Limits))),*]
    };
}

/// No file can hold such a bound; a program could.
#[test]
fn a_bound_that_is_no_number_refuses() {
    let all = bounds![
        ORDER_NOTIONAL order_notional_max, ORDER_PREMIUM order_premium_max,
        ORDER_LOSS order_loss_max, TRADE_RISK trade_risk_share_max, EXPIRY_LOSS expiry_loss_max,
        STRATEGY_RISK strategy_risk_share_max, DAILY_LOSS daily_loss_max,
        LEG_SPREAD leg_spread_max, LEG_SPREAD_SHARE leg_spread_share_max,
        DISPLAYED_SIZE size_share_max, ORDER_UNDERLYING order_underlying_max,
        FAT_FINGER fat_finger_max, ORDER_TO_TRADE order_to_trade_max,
        WORKING_PREMIUM working_premium_max, ROOT_LOSS root_loss_share_max,
        BOOK_LOSS book_loss_share_max, MARGIN margin_share_max, BUYING_POWER cash_left_min,
        CONCENTRATION root_share_max, DELTA delta_share_max, DELTA_GROSS delta_gross_share_max,
        GAMMA gamma_share_max, GAMMA_GROSS gamma_gross_share_max, VEGA vega_share_max,
        VEGA_GROSS vega_gross_share_max, THETA theta_share_max, ROOT_DELTA root_delta_share_max,
        CORRELATED correlated_share_max, CLUSTER cluster_share_max, FUT_EQ_NET fut_eq_net_max,
        FUT_EQ_GROSS fut_eq_gross_max, VOLUME_SHARE volume_share_max,
        INTEREST_SHARE interest_share_max, GRID_LOSS grid_loss_share_max,
        DRAWDOWN_REDUCE drawdown_reduce, DRAWDOWN_HALT drawdown_halt,
        PROFIT_RATE profit_rate_max, HORIZON_SIZE size_intraday_share_max,
        HORIZON_LOSS loss_intraday_share_max,
    ];
    for (limit, poison) in all {
        let mut floor = Floor::new(Set::default(), &with_room(""));
        let wish = busy(&mut floor);
        let mut limits = settings(&with_room("")).1;
        poison(&mut limits);
        let mut risk = Risk::new(limits, floor::roster());
        let (head, legs) = wish.events(&floor);
        let violated = risk.evaluate(&mut floor.desk, &head, &legs).violated;
        assert!(violated & limit.bit() != 0, "limit {} with NaN as its bound", limit.0);
    }
}

#[test]
fn every_breaker_is_a_limit() {
    for (limit, _) in BREAKERS {
        assert!(LIMITS.iter().any(|row| row.bit == limit.0), "{limit:?}");
    }
}
