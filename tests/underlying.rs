//! Orders on what options are on: shares alone and beside options, through the gate, into packages,
//! out of them again, and through a delivery; each figure against arithmetic written out here.
#![allow(missing_docs)]
mod floor;

use floor::{
    Floor, SECOND, call, tomorrow, universe,
    wish::{Wish, hold},
};
use zomma::{
    book::{from_currency, to_currency},
    chain::{Delivery, Universe, name_of},
    config::Reader,
    feature::Schema,
    risk::Limit,
    strategy::{Code, Set},
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        audit::Assignment,
        market::{Class, Definition, Quote},
        order::{Order, Purpose},
    },
};

/// The share's dense index.
const SHARE: u32 = 127;
const SPOT: i64 = 540_200;
const FEE: f64 = 0.65;

const ROOMY: &str = "collar_max = 50.0\norder_loss_max = 1e9\norder_premium_max = 1e9\n\
    expiry_loss_max = 1e9\ntrade_risk_share_max = 1.0\nstrategy_risk_share_max = 1.0\n\
    order_contracts_max = 100\ndaily_loss_max = 1e8\nleg_spread_share_max = 2.0\n\
    order_notional_max = 1e9";

/// The shipped universe, in which the options deliver a share.
fn physical() -> Universe {
    let mut world = universe();
    for root in world.roots.iter_mut().filter(|root| root.text() == "SPXW") {
        (root.underlying, root.delivery) = (name_of("SHARE"), Delivery::Physical);
    }
    world
}

fn floor_of(world: &Universe, text: &str) -> Floor {
    let mut set = Set::default();
    let mut reader = Reader::new("strategy.toml", text).unwrap();
    set.read(&mut reader, &Schema::none());
    reader.finish().unwrap();
    let mut floor = Floor::of(world, set, ROOMY);
    floor.desk.book.capital = from_currency(9e8);
    let definition = Definition {
        strike: Price::UNDEF,
        expiration: u64::MAX,
        root: name_of("SHARE"),
        venue_id: SHARE,
        class: Class::STOCK,
        mapped: 0,
        reserved: 0,
    };
    floor.send(Event::new(Kind::DEFINITION, SHARE, definition));
    floor
}

/// The share at a price in cents, two cents wide.
fn share(floor: &mut Floor, cents: i64) {
    let price = |cents: i64| Price(cents * 10_000_000);
    let (bid, ask) = (price(cents - 1), price(cents + 1));
    let quote = Quote { bid, ask, bid_size: 1_000, ask_size: 1_000, venue_seq: 0, reserved: 0 };
    floor.send(Event::new(Kind::QUOTE, SHARE, quote));
}

/// Everything at a spot in cents.
fn market(floor: &mut Floor, cents: i64) {
    share(floor, cents);
    floor.whole_market(cents as f64 / 100.0);
}

/// A wish of these legs, its limit in cents on the largest contract's unit.
fn wish(floor: &mut Floor, quantity: u32, limit: i64, legs: &[(u32, i8, u32, i64)]) -> Wish {
    let id = floor.desk.book.number();
    let limit = Price(limit * 10_000_000);
    let (purpose, package) = (Purpose::ENTRY, id);
    let head = Order { id, limit, quantity, strategy: 0, legs: 0, purpose, package };
    Wish { head, legs: legs.to_vec() }
}

fn violated(floor: &mut Floor, wish: &Wish) -> u128 {
    let (head, legs) = wish.events(floor);
    floor.risk.evaluate(&mut floor.desk, &head, &legs).violated
}

fn measured(floor: &Floor, limit: Limit) -> f64 {
    floor.risk.verdict().row(limit.0).0
}

/// A buy-write: 100 shares and a call sold, one price for both.
fn buy_write(floor: &mut Floor) -> Wish {
    let legs = [(SHARE, 1, 100, SPOT), (call(5_420), -1, 1, 500)];
    wish(floor, 2, SPOT - 500, &legs)
}

#[test]
fn a_covered_call_is_one_order_and_its_worst_loss_is_exact() {
    let mut floor = floor_of(&physical(), "");
    market(&mut floor, SPOT);
    let order = buy_write(&mut floor);
    assert_eq!(violated(&mut floor, &order), 0);
    // A fall to nothing: what was paid, and fees of two calls; shares are free of the flat fee.
    let paid = 2.0 * 100.0 * (5_402.0 - 5.0) + 2.0 * FEE;
    assert!((measured(&floor, Limit::ORDER_LOSS) - paid).abs() < 1e-6);
    // 200 shares are two contracts' worth.
    assert_eq!(measured(&floor, Limit::ORDER_CONTRACTS), 2.0);
    assert_eq!(measured(&floor, Limit::POSITION), 2.0);
    assert!((measured(&floor, Limit::ORDER_PREMIUM) - (paid - 2.0 * FEE)).abs() < 1e-6);
    // Bought in full: no margin; delta of the shares less that of the calls.
    assert_eq!(measured(&floor, Limit::MARGIN), 0.0);
    for (legs, limit) in [
        (vec![(SHARE, 1, 100, SPOT), (call(5_420), -1, 1, 500)], SPOT - 499),
        (vec![(SHARE, 1, 1, SPOT + 1), (call(5_420), -1, 1, 500)], SPOT / 100),
    ] {
        let wrong = wish(&mut floor, 1, limit, &legs);
        let said = violated(&mut floor, &wrong);
        assert_eq!(said & Limit::PRICE_INVALID.bit(), Limit::PRICE_INVALID.bit(), "{limit}");
    }
}

#[test]
fn shares_are_owed_only_where_calls_cover_them() {
    let mut floor = floor_of(&physical(), "");
    market(&mut floor, SPOT);
    let short = [(SHARE, -1, 1, SPOT)];
    let naked = wish(&mut floor, 100, -SPOT, &short);
    let said = violated(&mut floor, &naked);
    assert_eq!(said & Limit::LOSS_UNBOUNDED.bit(), Limit::LOSS_UNBOUNDED.bit());
    hold(&mut floor.desk, call(5_410), 1, 4_000_000_000);
    assert_eq!(violated(&mut floor, &naked), 0, "{:?}", floor.risk.verdict());
    // Between 5,402 and the strike of the call, 100 shares lose 8 each; the call was known.
    assert!((measured(&floor, Limit::ORDER_LOSS) - 800.0).abs() < 1e-6);
    let more = wish(&mut floor, 101, -SPOT, &short);
    let said = violated(&mut floor, &more);
    assert_eq!(said & Limit::LOSS_UNBOUNDED.bit(), Limit::LOSS_UNBOUNDED.bit());
}

#[test]
fn an_index_is_not_ordered_whatever_its_feed_calls_it() {
    let mut world = physical();
    world.roots.iter_mut().for_each(|root| root.delivery = Delivery::Cash);
    let mut floor = floor_of(&world, "");
    market(&mut floor, SPOT);
    let order = wish(&mut floor, 10, SPOT, &[(SHARE, 1, 1, SPOT)]);
    assert_eq!(violated(&mut floor, &order), Limit::INSTRUMENT_UNKNOWN.bit());
}

const SHARED: &str = "root = \"SPXW\"\nentry_windows = [\"09:30-10:30\"]\nsample_every = \"1s\"\n\
    leg_spread_max = 1.0\nquote_age_max = \"60s\"\nrisk_share = 0.0\ntime_exit = \"15:00\"\n\
    profit_target = 0.0\nstop = 0.0\n";

/// A covered call on today's expiry that is to be held to the end.
fn covered_call(hold_days: u32) -> Floor {
    let own = format!("expiry = \"today\"\nshort = \"delta 0.3\"\nhold_days = {hold_days}\n");
    let mut floor = floor_of(&physical(), &format!("[[covered_call]]\n{SHARED}{own}"));
    market(&mut floor, SPOT);
    floor.wait(1.0);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    assert!(floor.codes().contains(&Code::ENTERED.0), "{:?}", floor.decisions());
    floor
}

fn held(floor: &Floor, instrument: u32) -> i64 {
    floor.desk.book.position(instrument).line.held
}

#[test]
fn a_covered_call_holds_shares_and_is_closed_as_it_was_opened() {
    let mut floor = covered_call(0);
    let entry = floor.orders()[0];
    let (_, legs) = floor.order(entry.id);
    let shape: Vec<_> = legs.iter().map(|(of, leg)| (*of, leg.side, leg.ratio)).collect();
    let short = legs[1].0;
    assert_eq!(shape, [(SHARE, 1, 100), (short, -1, 1)]);
    let net = legs[0].1.price.0 - legs[1].1.price.0;
    assert_eq!(entry.limit, Price(net));
    assert_eq!((held(&floor, SHARE), held(&floor, short)), (100, -1));
    floor.wait(5.5 * 3_600.0);
    let exit = floor.last_order();
    assert_eq!(exit.purpose, Purpose::TIME);
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
    assert_eq!(floor.count(Kind::REFUSAL), 0);
    let told = *floor.decisions().iter().rfind(|told| told.code == Code::CLOSED.0).unwrap();
    let booked = floor.desk.book.realised - floor.desk.book.fees;
    assert_eq!(told.a, to_currency(booked));
    let causes = floor.desk.book.explained(entry.id).unwrap();
    assert_eq!(causes[0], booked);
    assert_eq!(causes[1..].iter().sum::<i64>(), booked);
    // A hundred shares are as much as the call: two contracts a minute, not a hundred and one.
    floor.wait(0.01);
    let order = buy_write(&mut floor);
    violated(&mut floor, &order);
    assert_eq!(measured(&floor, Limit::TRADED_RATE), 2.0);
}

/// Lets the day pass to its settlement at a price.
fn settle(floor: &mut Floor, cents: i64) {
    floor.now = floor::OPEN + (6 * 3_600 + 1_795) * SECOND;
    market(floor, cents);
    floor.wait(10.0);
    market(floor, cents);
    floor.wait(1.0);
}

#[test]
fn an_assigned_call_delivers_the_shares_that_are_held() {
    let mut floor = covered_call(9);
    let (_, legs) = floor.order(floor.orders()[0].id);
    let strike = floor.desk.chain.instrument(legs[1].0).unwrap().strike;
    settle(&mut floor, 546_000);
    assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
    let (bought, sold) = (legs[0].1.price.to_f64(), legs[1].1.price.to_f64());
    let made = 100.0 * (strike - bought + sold) - FEE;
    let booked = to_currency(floor.desk.book.realised - floor.desk.book.fees);
    assert!((booked - made).abs() < 1e-6, "{booked} {made}");
    assert!(floor.codes().contains(&Code::EXPIRED.0));
}

#[test]
fn shares_of_a_call_that_expires_are_sold() {
    let mut floor = covered_call(9);
    let (_, legs) = floor.order(floor.orders()[0].id);
    settle(&mut floor, 538_000);
    assert_eq!((held(&floor, SHARE), held(&floor, legs[1].0)), (100, 0));
    let exit = floor.last_order();
    assert_eq!((exit.purpose, exit.quantity, exit.legs), (Purpose::TIME, 100, 1));
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
    let (bought, sold) = (legs[0].1.price.to_f64(), legs[1].1.price.to_f64());
    let made = 100.0 * (5_379.99 - bought + sold) - FEE;
    let booked = to_currency(floor.desk.book.realised - floor.desk.book.fees);
    assert!((booked - made).abs() < 1e-6, "{booked} {made}");
}

/// The call is exercised against us in the morning: it goes, and the shares with it, at the strike;
/// what is told twice is booked once, and what nobody is short of is not booked.
#[test]
fn an_early_assignment_is_booked_at_once_and_once() {
    let mut floor = covered_call(9);
    let entry = floor.orders()[0].id;
    let (_, legs) = floor.order(entry);
    let strike = floor.desk.chain.instrument(legs[1].0).unwrap().strike;
    market(&mut floor, 546_000);
    let told = |id| Assignment {
        strike: Price::from_f64(strike),
        root: name_of("SPXW"),
        id,
        date: 20_240_612,
        contracts: 1,
        class: Class::CALL,
        reserved: [0; 3],
    };
    for _ in 0..2 {
        floor.send(Event::new(Kind::ASSIGNMENT, NO_INSTRUMENT, told(1)));
        assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
        assert_eq!(floor.desk.book.tally.unreconciled, 0);
    }
    let (bought, sold) = (legs[0].1.price.to_f64(), legs[1].1.price.to_f64());
    let booked = floor.desk.book.realised - floor.desk.book.fees;
    let made = 100.0 * (strike - bought + sold) - FEE;
    assert!((to_currency(booked) - made).abs() < 1e-6, "{made}");
    let causes = floor.desk.book.explained(entry).unwrap();
    assert_eq!((causes[0], causes[1..].iter().sum::<i64>()), (booked, booked));
    floor.send(Event::new(Kind::ASSIGNMENT, NO_INSTRUMENT, told(2)));
    assert_eq!((floor.desk.book.tally.unreconciled, held(&floor, SHARE)), (1, 0));
}

/// Four straddles of tomorrow, and the market of today for the spot.
fn straddles() -> (Floor, u64) {
    let own = "[[gamma_scalping]]\nquantity = 4\nexpiry = \"dte 1-5\"\nhedge_band = 0.75\n\
        hedge_every = \"1s\"\ndebit_max = 0.0\n";
    let mut floor = floor_of(&physical(), &format!("{own}{SHARED}"));
    floor.define_tomorrow();
    go(&mut floor, SPOT);
    let entry = floor.last_order();
    floor.ack(entry.id);
    floor.fill_all(entry.id);
    (floor, entry.id)
}

fn go(floor: &mut Floor, cents: i64) {
    let spot = cents as f64 / 100.0;
    share(floor, cents);
    floor.forward_of(0, spot);
    floor.forward_of(1, spot);
    floor.market_tomorrow(spot, 1.6);
    floor.wait(1.5);
}

#[test]
fn gamma_is_scalped_with_shares_to_the_nearest_one_and_one_order_closes_all() {
    let (mut floor, package) = straddles();
    go(&mut floor, SPOT + 1_200);
    let hedge = floor.last_order();
    assert_eq!((hedge.purpose, hedge.package, hedge.legs), (Purpose::CHANGE, package, 1));
    // The floor's own formula of delta, for a call and a put of 5,400 and four of each.
    let distance = 5_400.0 - 5_414.0_f64;
    let each = 0.5 - 0.5 * distance / (400.0 + distance * distance).sqrt();
    let delta = 4.0 * 100.0 * (2.0 * each - 1.0);
    assert_eq!(f64::from(hedge.quantity), delta.round());
    assert!(hedge.limit.0 < 0, "it sells");
    floor.ack(hedge.id);
    floor.fill_all(hedge.id);
    assert_eq!(held(&floor, SHARE), -i64::from(hedge.quantity));
    // Back where it came from, they are bought back.
    go(&mut floor, SPOT);
    let back = floor.last_order();
    assert_eq!((back.purpose, back.package), (Purpose::CHANGE, package));
    floor.ack(back.id);
    // Only half of it comes; the rest is withdrawn, as is what is tried again, and the exit takes
    // what is there.
    floor.fill(back.id, 0, back.quantity / 2, back.limit.0);
    floor.wait(5.0 * 3_600.0);
    floor.canceled(back.id);
    go(&mut floor, SPOT);
    floor.wait(3_600.0);
    let again = floor.last_order();
    assert_eq!((again.purpose, again.package), (Purpose::CHANGE, package));
    assert!(floor.count(Kind::CANCEL) >= 2);
    floor.canceled(again.id);
    go(&mut floor, SPOT);
    let exit = floor.last_order();
    assert_eq!((exit.purpose, exit.legs), (Purpose::TIME, 3), "{:?}", floor.decisions());
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat(), "{:?}", floor.decisions());
    let causes = floor.desk.book.explained(package).unwrap();
    let booked = floor.desk.book.realised - floor.desk.book.fees;
    assert_eq!((causes[0], causes[1..].iter().sum::<i64>()), (booked, booked));
}

/// A call that covers another package's may not go: what its own package owes goes first, and the
/// calls when the other package has gone.
#[test]
fn an_exit_that_would_uncover_closes_what_is_owed_first() {
    let (mut floor, package) = straddles();
    go(&mut floor, SPOT + 1_200);
    let hedge = floor.last_order();
    floor.ack(hedge.id);
    floor.fill_all(hedge.id);
    let naked = hold(&mut floor.desk, tomorrow(5_420, true), -1, 1_000_000_000);
    floor.wait(5.6 * 3_600.0);
    go(&mut floor, SPOT + 1_200);
    let of = |floor: &Floor, package: u64| {
        let orders = floor.orders().into_iter().filter(|order| order.package == package);
        orders.filter(|order| !order.purpose.opens()).collect::<Vec<_>>()
    };
    let first = of(&floor, package);
    assert_eq!(first.len(), 1, "{:?}", floor.decisions());
    let (_, legs) = floor.order(first[0].id);
    let shape: Vec<_> = legs.iter().map(|(of, leg)| (*of, leg.side)).collect();
    assert_eq!((shape, first[0].quantity), (vec![(SHARE, 1)], hedge.quantity));
    floor.fill_all(first[0].id);
    go(&mut floor, SPOT + 1_200);
    assert_eq!(of(&floor, package).len(), 1, "the calls are needed");
    // Nobody followed the short call: the strategy has taken it back, and buys it.
    let bought = *of(&floor, naked).last().expect("it is closed");
    floor.fill_all(bought.id);
    go(&mut floor, SPOT + 1_200);
    go(&mut floor, SPOT + 1_200);
    let exit = *of(&floor, package).last().unwrap();
    assert_eq!((exit.purpose, exit.legs), (Purpose::TIME, 2), "{:?}", floor.decisions());
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat());
}
