//! The gate against a slow, obvious program that shares no code with it: random books and orders
//! in; whatever passed is reckoned anew, and must keep every limit.
//!
//! `ZOMMA_CASES` says how many; a few without it.
mod floor;

#[path = "oracle/mod.rs"]
mod oracle;

use floor::{
    BROKER, OPEN, settings, universe,
    wish::{hold, hold_units},
};
use oracle::{Claim, Dice, Market, Reckoned, STOCK, STRIKES};
use zomma::{
    book::{Book, Desk, OrderLeg, Sheet},
    chain::{Chain, Track, name_of},
    feature::Row,
    risk::{FLOORS, Limit, Limits, Risk, Verdict},
    stage::{Sink, Stage},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price, UNDEF_TIME,
        control::Timer,
        market::{Class, Definition, Forward, Greeks, Quote, VolStatus},
        order::{LEGS_MAX, Leg, Order, Purpose},
    },
};

#[expect(clippy::disallowed_methods, reason = "how many cases a long run makes")]
fn cases() -> u64 {
    std::env::var("ZOMMA_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// Limits that refuse about half of what is asked: every one of them near what is measured.
const TIGHT: &str = "order_contracts_max = 8\norder_notional_max = 4e6\n\
    order_underlying_max = 4e6\norder_premium_max = 4000.0\norder_loss_max = 6000.0\n\
    trade_risk_share_max = 0.12\nexpiry_loss_max = 12000.0\nroot_loss_share_max = 0.4\n\
    book_loss_share_max = 0.5\nmargin_share_max = 0.4\ncash_left_min = 40000.0\n\
    delta_share_max = 60.0\ndelta_gross_share_max = 300.0\ngamma_share_max = 80.0\n\
    gamma_gross_share_max = 400.0\nvega_share_max = 0.2\nvega_gross_share_max = 0.5\n\
    theta_share_max = 0.2\nroot_delta_share_max = 60.0\ngrid_loss_share_max = 2.0\n\
    position_contracts_max = 9\nexpiry_contracts_max = 40\nroot_contracts_max = 60\n\
    leg_spread_max = 1.5\nleg_spread_share_max = 1.0\nsize_share_max = 0.9\ncollar_max = 2.0\n\
    leg_collar_max = 2.0\nleg_collar_share_max = 0.9\nworking_premium_max = 8000.0\n\
    strategy_risk_share_max = 0.2\nsize_swing_share_max = 0.25\n\
    unknown_greeks_allowed = false\nmessage_rate_max = 10000000\nmessage_burst = 10000000\n\
    daily_loss_max = 1e8\nvar_share_max = 0.4\nes_share_max = 0.6\n\
    theory_collar_max = 1e6\ntail_price_max = 2.0\nquote_age_max = \"1h\"";

fn desk_of(chain: Chain, book: Book) -> Desk {
    Desk { chain, book, features: Row::default() }
}

const DAY: u64 = 86_400_000_000_000;
/// 12 June, 12 July and 16 August 2024, as OPRA has them.
const EXPIRATIONS: [u64; oracle::EXPIRIES] =
    [1_718_150_400_000_000_000, 1_720_742_400_000_000_000, 1_723_766_400_000_000_000];

/// The share behind the second root: what it is, and its quote.
fn share(market: &Market) -> [Event; 2] {
    let definition = Definition {
        strike: Price::UNDEF,
        expiration: UNDEF_TIME,
        root: name_of("GOOG"),
        venue_id: STOCK,
        class: Class::STOCK,
        mapped: 0,
        reserved: 0,
    };
    let [bid, ask] = market.stock.map(|cents| Price(cents * 10_000_000));
    let (bid_size, ask_size, venue_seq, reserved) = (100, 100, 0, 0);
    let quote = Quote { bid, ask, bid_size, ask_size, venue_seq, reserved };
    [Event::new(Kind::DEFINITION, STOCK, definition), Event::new(Kind::QUOTE, STOCK, quote)]
}

fn world(dice: &mut Dice) -> (Chain, Market) {
    let mut desk = desk_of(Chain::new(&universe()), Book::new(&settings("").0, BROKER));
    let mut send = |event: Event| {
        let event = Event { ts_recv: OPEN, ts_event: OPEN, flags: Flags::BATCH_END, ..event };
        Track.on(&mut desk, &event, &mut Sink);
    };
    let mut market = Market::new(dice);
    for index in 0..market.rows.len() as u32 {
        let row = &market.rows[index as usize];
        let definition = Definition {
            strike: Price(row.strike * 1_000_000_000),
            expiration: EXPIRATIONS[row.expiry],
            root: name_of(["SPXW", "GOOG"][row.root]),
            venue_id: index,
            class: if row.call { Class::CALL } else { Class::PUT },
            mapped: 0,
            reserved: 0,
        };
        send(Event::new(Kind::DEFINITION, index, definition));
        let quote = Quote {
            bid: Price(row.bid * 10_000_000),
            ask: Price(row.ask * 10_000_000),
            bid_size: row.size,
            ask_size: row.size,
            venue_seq: 0,
            reserved: 0,
        };
        send(Event::new(Kind::QUOTE, index, quote));
        let [iv, delta, gamma, vega, theta] = row.greeks;
        let greeks = Greeks {
            iv,
            price: (row.bid + row.ask) as f32 / 200.0,
            delta: delta as f32,
            gamma: gamma as f32,
            theta: theta as f32,
            vega: vega as f32,
            status: VolStatus::OK,
            reserved: [0; 3],
        };
        send(Event::new(Kind::GREEKS, index, greeks));
    }
    share(&market).into_iter().for_each(&mut send);
    let expiries: Vec<(u16, u16, u64)> =
        desk.chain.expiries().map(|(at, expiry)| (at, expiry.root, expiry.settles)).collect();
    for (at, root, settles) in expiries {
        let root = usize::from(desk.chain.root(root).unwrap().text() != "SPXW");
        let expiry = EXPIRATIONS.iter().filter(|date| **date + DAY < settles).count();
        let (forward, discount) = (market.forwards[root][expiry], market.discounts[expiry]);
        market.years[root][expiry] = desk.chain.vol_years(at);
        market.settles[root][expiry] = settles;
        let years = desk.chain.years(at);
        let body = Forward { forward, discount, years, spread: 0.0, strikes: 0 };
        let event =
            Event { ts_recv: OPEN, ts_event: OPEN, ..Event::new(Kind::FORWARD, at.into(), body) };
        Track.on(&mut desk, &event, &mut Sink);
    }
    (desk.chain, market)
}

/// What is held and what works, in the book and for the oracle.
struct Scene {
    desk: Desk,
    held: Vec<Claim>,
    working: Vec<(Vec<Claim>, i128)>,
    /// Worst losses of packages by root.
    packages: i128,
}

fn scene(chain: &Chain, market: &Market, dice: &mut Dice, near_only: bool) -> Scene {
    let mut book = Book::new(&settings("").0, BROKER);
    book.venue.broker_up = true;
    let mut scene = Scene {
        desk: desk_of(chain.clone(), book),
        held: Vec::new(),
        working: Vec::new(),
        packages: 0,
    };
    for _ in 0..dice.below(6) {
        let instrument = market.pick(dice, near_only);
        if scene.held.iter().any(|claim| claim.instrument == instrument) {
            continue;
        }
        let contracts = dice.between(1, 4) * dice.sign();
        let price = dice.between(1, 60) * 50_000_000;
        hold(&mut scene.desk, instrument, contracts, price);
        scene.held.push(market.claim(instrument, contracts, price));
    }
    // Shares behind the second root, long and short, in a third of the books.
    if dice.below(3) == 0 {
        let (shares, price) = (dice.between(1, 60) * dice.sign(), dice.between(600, 760));
        let price = price * 1_000_000_000;
        hold_units(&mut scene.desk, STOCK, shares, price, 1);
        scene.held.push(market.claim(STOCK, shares, price));
    }
    for _ in 0..dice.below(3) {
        let instrument = market.pick(dice, near_only);
        let (quantity, side) = (dice.between(1, 3), dice.sign());
        let price = dice.between(1, 60) * 50_000_000;
        let loss = dice.between(0, 2_000) * 1_000_000_000;
        let id = scene.desk.book.number();
        let mut legs = [OrderLeg::default(); LEGS_MAX];
        legs[0] = OrderLeg { instrument, ratio: 1, side, multiplier: 100, price, filled: 0 };
        let head = Order {
            id,
            limit: Price(side * price),
            quantity: quantity as u32,
            strategy: 1,
            legs: 1,
            purpose: Purpose::ENTRY,
            package: id,
        };
        let sheet = Sheet { head, legs, loss, expiry: 0, sent: 0 };
        assert!(scene.desk.book.register(&sheet));
        let claim = market.claim(instrument, quantity * side, price);
        scene.working.push((vec![claim], i128::from(loss)));
        scene.packages += i128::from(loss);
    }
    scene
}

/// A structure of one to six legs, at prices near the market.
fn order(market: &Market, dice: &mut Dice, near_only: bool) -> (u32, Vec<(u32, i8, u32, i64)>) {
    let shape = market.structure(dice, near_only);
    let legs = shape.into_iter().map(|(instrument, side, ratio)| {
        let (bid, ask, _) = market.quote(instrument);
        let cents = dice.between(bid, ask);
        let cents = if instrument == STOCK { cents } else { cents / 10 * 10 };
        (instrument, side as i8, ratio as u32, cents)
    });
    let legs = legs.collect();
    (dice.between(1, 3) as u32, legs)
}

fn events(desk: &mut Desk, quantity: u32, legs: &[(u32, i8, u32, i64)]) -> (Event, Vec<Event>) {
    let id = desk.book.number();
    // A hundred shares are as much as an option; without one, a share is a unit.
    let units = |instrument| if instrument == STOCK { 1 } else { 100 };
    let unit = legs.iter().map(|leg| units(leg.0)).max().unwrap_or(1);
    let net = legs.iter().map(|&(instrument, side, ratio, cents)| {
        i64::from(side) * i64::from(ratio) * units(instrument) * cents * 10_000_000
    });
    let head = Order {
        id,
        limit: Price(net.sum::<i64>() / unit),
        quantity,
        strategy: 1,
        legs: legs.len() as u8,
        purpose: Purpose::ENTRY,
        package: id,
    };
    let leg = |(i, &(instrument, side, ratio, cents)): (usize, &(u32, i8, u32, i64))| {
        let price = Price(cents * 10_000_000);
        let index = i as u8;
        let body = Leg { order: id, price, ratio, side, index, reserved: 0, reserved2: 0 };
        Event { ts_recv: OPEN, ..Event::new(Kind::INTENT_LEG, instrument, body) }
    };
    let legs = legs.iter().enumerate().map(leg).collect();
    (Event { ts_recv: OPEN, ..Event::new(Kind::INTENT, NO_INSTRUMENT, head) }, legs)
}

/// What the gate measured, by limit, where it measured something finite.
fn measured(verdict: &Verdict, limit: Limit) -> Option<f64> {
    Some(verdict.row(limit.0).0).filter(|value| value.is_finite())
}

fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= 1e-9 * scale.abs().max(1.0) + 2e-9
}

/// Everything that the oracle knows against what the gate said; true where it passed.
fn compare(verdict: &Verdict, reckoned: &Reckoned, limits: &Limits, what: &str) -> bool {
    let passed = verdict.violated == 0;
    for (limit, value, exact) in reckoned.rows() {
        let (_, bound) = verdict.row(limit.0);
        let seen = measured(verdict, limit);
        match (value, exact) {
            (Some(value), true) => {
                let seen = seen.unwrap_or_else(|| panic!("{what}: limit {} unmeasured", limit.0));
                let scale = reckoned.scale(limit);
                assert!(near(seen, value, scale), "{what}: limit {}: {seen}, {value}", limit.0);
            }
            // A bound may be larger than what can be shown, never smaller.
            (Some(value), false) => {
                let small = seen.is_some_and(|seen| seen < value - 1e-6 * value.abs().max(1.0));
                assert!(!small, "{what}: limit {}: {seen:?} under {value}", limit.0);
            }
            (None, _) => assert!(seen.is_none(), "{what}: limit {}: {seen:?}, no floor", limit.0),
        }
        let floor = FLOORS.contains(&limit);
        let breaks = value.is_none_or(|value| {
            let over = if floor { bound - value } else { value - bound };
            over > 1e-9 * bound.abs() + 1e-6
        });
        assert!(!(passed && breaks), "{what}: limit {} passed {value:?} over {bound}", limit.0);
    }
    assert!(!passed || reckoned.contracts <= i64::from(limits.order_contracts_max));
    passed
}

/// The beat, on which the gate looks at its breakers and at the tail.
fn beat(risk: &mut Risk, desk: &mut Desk) {
    let timer = Timer { id: Timer::BEAT, reserved: 0, due: OPEN, count: 1, reserved2: 0 };
    let event = Event::new(Kind::TIMER, NO_INSTRUMENT, timer);
    risk.on(desk, &Event { ts_recv: OPEN, ts_event: OPEN, ..event }, &mut Sink);
}

fn run(seed: u64, near_only: bool, count: u64) -> (u64, u64) {
    let mut dice = Dice::new(seed);
    let limits = settings(TIGHT).1;
    let (mut passed, mut asked) = (0, 0);
    while asked < count {
        let (chain, market) = world(&mut dice);
        for _ in 0..64 {
            let mut scene = scene(&chain, &market, &mut dice, near_only);
            // What a gate keeps of a book is of that book alone.
            let mut risk = Risk::new(limits.clone(), floor::roster());
            beat(&mut risk, &mut scene.desk);
            for _ in 0..4 {
                let (quantity, legs) = order(&market, &mut dice, near_only);
                let (head, events) = events(&mut scene.desk, quantity, &legs);
                let verdict = risk.evaluate(&mut scene.desk, &head, &events);
                let claims: Vec<Claim> = legs
                    .iter()
                    .map(|&(instrument, side, ratio, cents)| {
                        let contracts = i64::from(side) * i64::from(ratio * quantity);
                        market.claim(instrument, contracts, cents * 10_000_000)
                    })
                    .collect();
                let reckoned = Reckoned::new(
                    &market,
                    (&scene.held, &scene.working, scene.packages),
                    &claims,
                    &limits,
                    &mut dice,
                );
                let what = format!("seed {seed}, order {asked}");
                passed += u64::from(compare(verdict, &reckoned, &limits, &what));
                asked += 1;
            }
        }
    }
    (passed, asked)
}

/// One settlement a root: everything is exact.
#[test]
fn an_approved_order_keeps_every_limit_as_a_slow_program_reckons_it() {
    let (passed, asked) = run(1, true, cases());
    println!("{asked} orders, {passed} passed");
    assert!(passed > asked / 500, "{passed} of {asked} passed");
}

/// Calendars and diagonals too: the bound is never below what any market of the stated kind does,
/// nor above each settlement at its own worst.
#[test]
fn the_bound_over_several_settlements_is_never_too_small() {
    let (passed, asked) = run(2, false, cases() / 4);
    println!("{asked} orders, {passed} passed");
    assert!(passed > asked / 1000, "{passed} of {asked} passed");
}

/// A call calendar costs at most what was paid, and what carry may take; naked it would have no
/// floor.
#[test]
fn a_calendar_is_measurable() {
    let mut dice = Dice::new(3);
    let (chain, market) = world(&mut dice);
    let mut book = Book::new(&settings("").0, BROKER);
    book.venue.broker_up = true;
    let mut desk = desk_of(chain, book);
    let mut risk = Risk::new(settings("").1, floor::roster());
    let strike = STRIKES / 2;
    for call in [true, false] {
        let legs = [(0, -1), (1, 1)].map(|(expiry, side)| {
            let instrument = market.instrument(0, expiry, strike, call);
            (instrument, side, 1, if side > 0 { 1_500 } else { 500 })
        });
        let (head, events) = events(&mut desk, 1, &legs);
        let verdict = risk.evaluate(&mut desk, &head, &events);
        let loss = verdict.row(Limit::ORDER_LOSS.0).0;
        let (debit, fees) = (1_000.0, 1.3);
        // 30 days at 3 % on twice the strike, or at 8 % on the strike, for 100 units.
        let years = (market.settles[0][1] - market.settles[0][0]) as f64 / 1e9 / 86_400.0 / 365.0;
        let (rate, price) = if call { (0.03, 2.0 * market.top(0)) } else { (0.08, 0.0) };
        let strike = market.rows[legs[0].0 as usize].strike as f64;
        let carry = 100.0 * rate * years * if call { price } else { strike };
        assert!(loss >= debit + fees, "{loss}");
        assert!(loss <= debit + fees + carry + 0.01, "{loss} over {}", debit + fees + carry);
    }
}
