//! Random packages, fills, markets and settlements in; positions, fees, settlement and profit by
//! cause out, held against slow programs that reckon with plain sums.
use bytemuck::Zeroable;
use proptest::prelude::*;
use std::collections::BTreeMap;
use zomma::{
    book::{
        Account, Book, CAUSES, Cause, Desk, Dollars, Mark, OrderLeg, Package, Sheet, Tariffs, mark,
        unrealised,
    },
    chain::{Chain, Universe, name_of},
    config::Reader,
    feature::Row,
    stage::Tap,
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price, Timestamp,
        market::{Class, Definition, Forward, Greeks, Quote, VolStatus},
        order::{LEGS_MAX, Order, OrderStatus, Profit, Purpose, Report, ReportKind, Settlement},
    },
};

const UNIVERSE: &str = r#"
[chain]
instruments_max = 128
[[calendar]]
name = "us"
zone = "America/New_York"
[[root]]
name = "CASH"
underlying = "CASH"
[[root]]
name = "SHARE"
underlying = "SHARE"
delivery = "physical"
[[root]]
name = "MORN"
underlying = "MORN"
settles = "09:30"
morning = true
settled_on = "open"
[[root]]
name = "MEAN"
underlying = "MEAN"
settled_on = "average"
average_over = "30m"
exercise_min = 1.0
"#;

const FEES: &str = r#"
[[fee]]
name = "old"
from = "2020-01-01"
commission = 99.0
[[fee]]
name = "all options"
from = "2024-01-01"
commission = 0.65
exchange = 0.66
regulatory = 0.02815
clearing = 0.02
sale = 0.00279
sale_share = 0.000_027_8
exercise = 5.0
assignment = 3.0
[[fee]]
name = "all options, later"
from = "2030-01-01"
commission = 99.0
[[fee]]
name = "india"
roots = ["MEAN"]
from = "2024-01-01"
order = 20.0
sale_share = 0.001
exercise_share = 0.001_25
turnover_share = 0.000_350_3
regulator_share = 0.000_001
buy_share = 0.000_03
tax_share = 0.18
"#;

const ROOTS: [&str; 4] = ["CASH", "SHARE", "MORN", "MEAN"];
const STRIKES: [i64; 5] = [90, 95, 100, 105, 110];
/// Wednesday, 12 June 2024, 09:00 in New York.
const NINE: Timestamp = 1_718_197_200_000_000_000;
const MINUTE: u64 = 60_000_000_000;
const UNIT: i64 = 1_000_000_000;

/// The root's underlying; its options follow: call and put of each strike.
fn underlying(root: usize) -> u32 {
    (root * 11) as u32
}

fn option(root: usize, strike: usize, call: bool) -> u32 {
    underlying(root) + 1 + 2 * strike as u32 + u32::from(!call)
}

/// A desk, and what it told.
struct World {
    desk: Desk,
    told: Vec<Event>,
    now: Timestamp,
    reports: u64,
}

impl World {
    fn new() -> World {
        let universe = Universe::parse("universe.toml", UNIVERSE).unwrap();
        let text = format!("[account]\ninstruments_max = 128\npackages_max = 16\n{FEES}");
        let mut reader = Reader::new("limits.toml", &text).unwrap();
        let account: Account = reader.section("account").unwrap();
        let mut fees = Tariffs::default();
        fees.read(&mut reader);
        reader.finish().unwrap();
        let book = Book::new(&account, 0).with_fees(&fees);
        let desk = Desk { chain: Chain::new(&universe), book, features: Row::default() };
        let mut world = World { desk, told: Vec::new(), now: NINE, reports: 0 };
        for (root, name) in ROOTS.iter().enumerate() {
            world.define(underlying(root), Class::STOCK, name, Price::UNDEF);
            for (at, strike) in STRIKES.iter().enumerate() {
                for (call, class) in [(true, Class::CALL), (false, Class::PUT)] {
                    world.define(option(root, at, call), class, name, Price(strike * UNIT));
                }
            }
        }
        world
    }

    fn define(&mut self, index: u32, class: Class, name: &str, strike: Price) {
        let definition = Definition {
            strike,
            // 00:00 UTC of the date.
            expiration: 1_718_150_400_000_000_000,
            root: name_of(name),
            venue_id: index,
            class,
            mapped: 0,
            reserved: 0,
        };
        self.send(Event::new(Kind::DEFINITION, index, definition));
    }

    fn send(&mut self, event: Event) {
        let event = Event { ts_recv: self.now, ts_event: self.now, ..event };
        self.desk.chain.apply(&event);
        self.desk.book.apply(&event);
    }

    /// What DECIDE does before it gives turns.
    fn turn(&mut self) {
        let cause = Event { flags: Flags::BATCH_END, ..Event::zeroed() };
        let told = &mut self.told;
        let mut out = Tap(|_: &mut Desk, event: &Event| told.push(*event));
        self.desk.settle(&cause, &mut out);
        self.desk.explain(&cause, &mut out);
        self.desk.mark();
    }

    fn wait(&mut self, nanos: u64) {
        self.now += nanos;
        self.send(Event::new(Kind::TIMER, NO_INSTRUMENT, [0u64; 4]));
        self.turn();
    }

    /// A quote a cent wide on either side of `mid` (cents).
    fn quote(&mut self, instrument: u32, mid: i64) {
        let price = |cents: i64| Price(cents.max(0) * UNIT / 100);
        let (bid, ask) = (price(mid - 1), price(mid + 1));
        let quote = Quote { bid, ask, bid_size: 9, ask_size: 9, venue_seq: 0, reserved: 0 };
        self.send(Event::new(Kind::QUOTE, instrument, quote));
    }

    fn greeks(&mut self, instrument: u32, greeks: Greeks) {
        self.send(Event::new(Kind::GREEKS, instrument, greeks));
    }

    fn forward(&mut self, root: usize, price: f64, years: f64) {
        let forward = Forward { forward: price, discount: 1.0, years, spread: 0.0, strikes: 9 };
        self.send(Event::new(Kind::FORWARD, root as u32, forward));
    }

    fn order(&mut self, legs: &[(u32, i64)], purpose: Purpose, package: u64) -> u64 {
        let id = self.desk.book.number();
        let mut slots = [OrderLeg::default(); LEGS_MAX];
        for (slot, (instrument, side)) in slots.iter_mut().zip(legs) {
            let multiplier = self.desk.chain.instrument(*instrument).unwrap().multiplier as i64;
            let (instrument, side) = (*instrument, *side);
            *slot = OrderLeg { instrument, ratio: 1, side, multiplier, price: 0, filled: 0 };
        }
        let package = if package == 0 { id } else { package };
        let (limit, legs) = (Price(0), legs.len() as u8);
        let head = Order { id, limit, quantity: 100, strategy: 3, legs, purpose, package };
        let sheet = Sheet { head, legs: slots, loss: 0, expiry: 0, sent: self.now };
        assert!(self.desk.book.register(&sheet));
        id
    }

    fn fill(&mut self, order: u64, leg: u8, quantity: u32, price: i64) {
        self.reports += 1;
        let (exec_id, price) = (self.reports, Price(price));
        let (event, status) = (ReportKind::FILL, OrderStatus::PARTIAL);
        let report = Report { order, exec_id, price, quantity, event, status, leg, resent: 0 };
        self.send(Event::new(Kind::REPORT, NO_INSTRUMENT, report));
    }

    fn cancel(&mut self, order: u64) {
        self.reports += 1;
        let (event, status) = (ReportKind::CANCELED, OrderStatus::CANCELED);
        let (price, leg) = (Price::UNDEF, Report::WHOLE);
        let exec_id = self.reports;
        let report = Report { order, exec_id, price, quantity: 0, event, status, leg, resent: 0 };
        self.send(Event::new(Kind::REPORT, NO_INSTRUMENT, report));
    }

    fn package(&self, id: u64) -> &Package {
        self.desk.book.package(id).expect("remembered")
    }

    /// A package's causes as last told.
    fn causes(&self, package: u64) -> [i64; CAUSES.len()] {
        let mut causes = [0; CAUSES.len()];
        for event in self.told.iter().filter(|event| event.kind == Kind::PROFIT) {
            let row: &Profit = event.body();
            if row.package == package {
                assert_eq!(row.change.0, row.amount.0 - causes[usize::from(row.cause)]);
                causes[usize::from(row.cause)] = row.amount.0;
            }
        }
        causes
    }

    fn settlements(&self) -> Vec<Settlement> {
        let told = self.told.iter().filter(|event| event.kind == Kind::SETTLEMENT);
        told.map(|event| *event.body()).collect()
    }
}

/// Fees by long division: amounts in 1e-9, shares in 1e-12, each charge half up, the sum up to a
/// cent.
fn slow_fee(root: usize, contracts: i128, money: i128, deed: char, first: bool) -> i128 {
    let share = |amount: i128, parts: i128| {
        let (mut quotient, mut rest) = (0, amount * parts);
        while rest >= 1_000_000_000_000 {
            let step = rest / 1_000_000_000_000;
            (quotient, rest) = (quotient + step, rest - step * 1_000_000_000_000);
        }
        quotient + i128::from(rest * 2 >= 1_000_000_000_000)
    };
    let sum = match (ROOTS[root], deed) {
        ("MEAN", 'x') => share(money, 1_250_000_000),
        ("MEAN", 'a') => 0,
        ("MEAN", _) => {
            let taxed = if first { 20_000_000_000 } else { 0 }
                + share(money, 350_300_000)
                + share(money, 1_000_000);
            let side = share(money, if deed == 's' { 1_000_000_000 } else { 30_000_000 });
            taxed + share(taxed, 180_000_000_000) + side
        }
        (_, 'x') => contracts * 5_000_000_000,
        (_, 'a') => contracts * 3_000_000_000,
        (_, 's') => contracts * (1_310_000_000 + 48_150_000 + 2_790_000) + share(money, 27_800_000),
        _ => contracts * (1_310_000_000 + 48_150_000),
    };
    let mut cents = 0;
    while cents * 10_000_000 < sum {
        cents += (sum / 10_000_000 - cents).max(1);
    }
    cents * 10_000_000
}

/// What one package comes to by plain sums.
#[derive(Default)]
struct Slow {
    cash: i128,
    fees: i128,
    held: BTreeMap<u32, i128>,
}

impl Slow {
    fn fill(&mut self, instrument: u32, contracts: i128, price: i128, multiplier: i128) {
        self.cash -= contracts * price * multiplier;
        *self.held.entry(instrument).or_default() += contracts;
    }

    /// The last day, with underlyings at `spots` (1e-9).
    fn settle(&mut self, spots: [i128; 4]) {
        for (root, spot) in spots.iter().enumerate() {
            for (at, strike) in STRIKES.iter().enumerate() {
                for call in [true, false] {
                    let strike = i128::from(strike * UNIT);
                    let held = self.held.remove(&option(root, at, call)).unwrap_or(0);
                    let inside = if call { spot - strike } else { strike - spot }.max(0);
                    let least = if ROOTS[root] == "MEAN" { 1_000_000_000 } else { 10_000_000 };
                    if inside < least || held == 0 {
                        continue;
                    }
                    let money = inside * held.abs() * 100;
                    let deed = if held > 0 { 'x' } else { 'a' };
                    self.fees += slow_fee(root, held.abs(), money, deed, false);
                    if ROOTS[root] == "SHARE" {
                        let shares = if call { held * 100 } else { -held * 100 };
                        self.cash -= shares * strike;
                        *self.held.entry(underlying(root)).or_default() += shares;
                    } else {
                        self.cash += inside * held * 100;
                    }
                }
            }
        }
    }
}

/// A package of a property: legs as (root, strike, call, side) and fills as (leg, contracts, price
/// in cents).
type Leg = (usize, usize, bool, bool);
type Fill = (usize, u32, i64);

fn packages() -> impl Strategy<Value = Vec<(Vec<Leg>, Vec<Fill>)>> {
    let leg = (0usize..4, 0usize..5, any::<bool>(), any::<bool>());
    let fill = (0usize..6, 1u32..7, 1i64..2_000);
    let package = (prop::collection::vec(leg, 1..6), prop::collection::vec(fill, 1..10));
    prop::collection::vec(package, 1..5)
}

/// A market without sense: any Greeks, any marks. Sums must be exact all the same.
fn shake(world: &mut World, seed: &mut u64, spots: [i64; 4]) {
    let mut roll = |bound: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % bound
    };
    for (root, spot) in spots.iter().enumerate() {
        world.quote(underlying(root), *spot);
        world.forward(root, *spot as f64 / 100.0 + 0.3, 1e-3 + roll(100) as f64 * 1e-6);
        for at in 0..STRIKES.len() {
            for call in [true, false] {
                let instrument = option(root, at, call);
                world.quote(instrument, 2 + roll(2_000) as i64);
                let part = |roll: u64| (roll as f32 - 500.0) / 700.0;
                let greeks = Greeks {
                    iv: 0.05 + roll(100) as f64 / 200.0,
                    price: 1.0,
                    delta: part(roll(1_000)),
                    gamma: part(roll(1_000)),
                    theta: part(roll(1_000)) * 900.0,
                    vega: part(roll(1_000)) * 30.0,
                    status: if roll(7) == 0 { VolStatus::NO_QUOTE } else { VolStatus::OK },
                    reserved: [0; 3],
                };
                world.greeks(instrument, greeks);
            }
        }
    }
}

/// Orders and fills a package of a property; what plain sums make of it.
fn open(world: &mut World, legs: &[Leg], fills: &[Fill]) -> (u64, Slow) {
    let mut unique: Vec<(u32, i64, usize)> = Vec::new();
    for (root, strike, call, buys) in legs {
        let instrument = option(*root, *strike, *call);
        if unique.iter().all(|(other, ..)| *other != instrument) {
            unique.push((instrument, if *buys { 1 } else { -1 }, *root));
        }
    }
    let pairs: Vec<(u32, i64)> = unique.iter().map(|leg| (leg.0, leg.1)).collect();
    let id = world.order(&pairs, Purpose::ENTRY, 0);
    let mut sums = Slow::default();
    let mut seen = [false; 6];
    for (leg, contracts, cents) in fills {
        let leg = leg % unique.len();
        let (instrument, side, root) = unique[leg];
        let price = cents * UNIT / 100;
        world.fill(id, leg as u8, *contracts, price);
        let signed = i128::from(*contracts) * i128::from(side);
        sums.fill(instrument, signed, price.into(), 100);
        let money = i128::from(*contracts) * i128::from(price) * 100;
        let deed = if side > 0 { 'b' } else { 's' };
        sums.fees += slow_fee(root, (*contracts).into(), money, deed, !seen[leg]);
        seen[leg] = true;
        if contracts % 2 == 0 {
            world.turn();
        }
    }
    (id, sums)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// From fills over marks and two settlements to the last share: cash, fees and what is held are
    /// those of plain sums; positions are the sum of packages; the causes sum to the profit.
    #[test]
    fn packages_settle_and_explain_as_plain_sums_do(
        packages in packages(), seed in any::<u64>(),
        spots in prop::array::uniform4(8_000i64..12_000),
    ) {
        let (mut world, mut seed) = (World::new(), seed);
        shake(&mut world, &mut seed, [10_000; 4]);
        world.turn();
        let mut slow = Vec::new();
        for (legs, fills) in &packages {
            let (id, sums) = open(&mut world, legs, fills);
            world.cancel(id);
            slow.push((id, sums));
            shake(&mut world, &mut seed, [9_900, 10_100, 10_000, 10_000]);
            world.wait(MINUTE);
        }
        // The opening of the morning-settled root, then half an hour of one price to the close.
        world.quote(underlying(2), spots[2]);
        world.wait(31 * MINUTE);
        world.quote(underlying(2), spots[2]);
        world.wait(MINUTE);
        let close = NINE + 7 * 60 * MINUTE;
        world.now = close - 30 * MINUTE;
        shake(&mut world, &mut seed, spots);
        world.turn();
        world.wait(29 * MINUTE);
        world.wait(MINUTE);
        let spot = spots.map(|cents| i128::from(cents * UNIT / 100));
        let mut positions: BTreeMap<u32, i128> = BTreeMap::new();
        let (mut fees, mut profit) = (0, 0);
        for (id, sums) in &mut slow {
            sums.settle(spot);
            let shares = sums.held.get(&underlying(1)).copied().unwrap_or(0);
            let lines = world.package(*id).lines();
            let wide = |money: i64| i128::from(money);
            prop_assert_eq!(lines.iter().map(|line| wide(line.fees)).sum::<i128>(), sums.fees);
            let cash: i128 = lines.iter().map(|line| wide(line.cash())).sum();
            prop_assert_eq!(cash, sums.cash);
            for line in lines {
                let held = sums.held.get(&line.instrument).copied().unwrap_or(0);
                prop_assert_eq!(wide(line.held), held);
            }
            *positions.entry(underlying(1)).or_default() += shares;
            let causes = world.causes(*id);
            prop_assert_eq!(causes[1..].iter().sum::<i64>(), causes[0]);
            let worth = sums.cash + shares * spot[1] - sums.fees;
            prop_assert_eq!(wide(causes[0]), worth, "package {}", id);
            prop_assert_eq!(Some(causes), world.desk.book.explained(*id));
            (fees, profit) = (fees + sums.fees, profit + sums.cash - sums.fees);
        }
        let book = &world.desk.book;
        for line in book.holdings() {
            prop_assert_eq!(Some(&i128::from(line.held)), positions.get(&line.instrument));
        }
        let shares = book.position(underlying(1)).line;
        prop_assert_eq!(i128::from(book.fees), fees);
        prop_assert_eq!(i128::from(book.realised - shares.cost) - fees, profit);
    }
}

/// By hand: one call sold at 5.00 in June 2024.
#[test]
fn fees_are_those_of_the_day_to_the_cent() {
    let mut world = World::new();
    let id = world.order(&[(option(0, 0, true), -1), (option(3, 0, true), -1)], Purpose::ENTRY, 0);
    world.fill(id, 0, 1, 5 * UNIT);
    // 0.65 + 0.66 + 0.02815 + 0.02 + 0.00279 + 500 · 0.0000278 = 1.37484, up to a cent.
    assert_eq!(world.package(id).lines()[0].fees, 1_380_000_000);
    world.fill(id, 1, 1, 100 * UNIT);
    // 10,000 of premium: 20 + 3.503 + 0.01 taxed at 18 %, and 10 of transaction tax.
    assert_eq!(world.package(id).lines()[1].fees, 37_750_000_000);
    world.fill(id, 1, 1, 100 * UNIT);
    // No brokerage on the second fill of the leg: 3.513 · 1.18 + 10 = 14.14534.
    assert_eq!(world.package(id).lines()[1].fees, (37_75 + 14_15) * 10_000_000);
    let most = world.desk.book.charge(option(0, 0, true), -10, 5 * UNIT, 100);
    assert!(most >= 13_750_000_000, "{most}");
}

/// A covered call that is called away: shares come and go by the strike.
#[test]
fn shares_are_held_beside_options_and_delivered_at_the_strike() {
    let mut world = World::new();
    let (share, call) = (underlying(1), option(1, 2, true));
    shake(&mut world, &mut 7, [10_000; 4]);
    let id = world.order(&[(call, -1)], Purpose::ENTRY, 0);
    world.fill(id, 0, 1, 2 * UNIT);
    let hedge = world.order(&[(share, 1)], Purpose::CHANGE, id);
    world.fill(hedge, 0, 100, 99 * UNIT);
    world.turn();
    assert_eq!(world.desk.book.position(share).line.held, 100);
    let exposure = world.desk.exposure(world.package(id).lines().iter().skip(1));
    assert_eq!(exposure.net, Dollars { delta: 10_000.0, ..Dollars::default() });
    world.cancel(id);
    world.cancel(hedge);
    world.now = NINE + 7 * 60 * MINUTE - MINUTE;
    shake(&mut world, &mut 8, [10_000, 10_700, 10_000, 10_000]);
    world.turn();
    world.wait(2 * MINUTE);
    let settled = world.settlements();
    assert_eq!((settled.len(), settled[0].assigned, settled[0].delivered), (1, 1, -100));
    assert_eq!((settled[0].price, settled[0].cash), (Price(107 * UNIT), Price(-700 * UNIT)));
    let package = world.package(id);
    assert!(package.is_flat() && world.desk.book.holdings().len() == 0);
    // Premium, a dollar a share up to the strike, fees of the sale and of the assignment.
    let fees = 1_370_000_000 + 3_000_000_000;
    assert_eq!(package.realised(), 300 * UNIT - fees);
    assert_eq!(world.causes(id)[0], package.realised());
}

/// Marks and exposures by hand.
#[test]
fn marks_and_exposures_follow_their_conventions() {
    let mut world = World::new();
    let call = option(0, 2, true);
    world.quote(underlying(0), 10_000);
    world.forward(0, 100.0, 0.01);
    let (delta, gamma, theta, vega) = (0.5, 0.02, -36.5, 4.0);
    let greeks = Greeks { iv: 0.2, price: 1.5, delta, gamma, theta, vega, ..Greeks::zeroed() };
    world.greeks(call, Greeks { status: VolStatus::OK, ..greeks });
    world.quote(call, 200);
    let id = world.order(&[(call, -1)], Purpose::ENTRY, 0);
    world.fill(id, 0, 2, 2 * UNIT);
    let chain = &world.desk.chain;
    assert_eq!(mark(chain, call, -2, Mark::Worse), Some(2_010_000_000));
    assert_eq!(mark(chain, call, 2, Mark::Worse), Some(1_990_000_000));
    assert_eq!(mark(chain, call, -2, Mark::Mid), Some(2 * UNIT));
    assert_eq!(mark(chain, call, -2, Mark::Theory), Some(1_500_000_000));
    let lines = world.package(id).lines();
    assert_eq!(unrealised(chain, lines.iter(), Mark::Theory), Some(100 * UNIT));
    let Dollars { delta, gamma, theta, vega } = world.desk.exposure_of_book().net;
    let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
    assert!(near(delta, -10_000.0) && near(gamma, -400.0), "{delta} {gamma}");
    assert!(near(theta, 20.0) && near(vega, -8.0), "{theta} {vega}");
    let sums = [
        world.desk.exposure_of_strategy(3),
        world.desk.exposure_of_underlying(name_of("CASH")),
        world.desk.exposure(lines),
    ];
    assert!(sums.iter().all(|sum| *sum == world.desk.exposure_of_book()));
    assert_eq!(world.desk.exposure_of_book().gross.delta, 10_000.0);
    world.greeks(call, Greeks { status: VolStatus::NO_QUOTE, ..greeks });
    assert_eq!(world.desk.exposure_of_book().missing, 1);
}

/// The four first causes by hand, over one step.
#[test]
fn first_order_causes_are_greeks_times_moves() {
    let mut world = World::new();
    let call = option(0, 2, true);
    world.forward(0, 100.0, 0.010);
    let greeks = Greeks {
        iv: 0.2,
        delta: 0.5,
        gamma: 0.0625,
        theta: -40.0,
        vega: 4.0,
        status: VolStatus::OK,
        ..Greeks::zeroed()
    };
    world.greeks(call, greeks);
    world.quote(call, 200);
    let id = world.order(&[(call, 1)], Purpose::ENTRY, 0);
    world.fill(id, 0, 3, 2_010_000_000);
    world.wait(MINUTE);
    world.forward(0, 102.0, 0.009);
    world.greeks(call, Greeks { iv: 0.25, ..greeks });
    world.quote(call, 310);
    world.wait(MINUTE);
    let causes = world.causes(id);
    let of = |cause: Cause| causes[usize::from(cause.0)] as f64 / 1e9;
    let near = |cause: Cause, wanted: f64| {
        assert!((of(cause) - wanted).abs() < 1e-4, "{} {} {wanted}", cause.name(), of(cause));
    };
    near(Cause::DELTA, 0.5 * 2.0 * 300.0);
    near(Cause::GAMMA, 0.5 * 0.0625 * 4.0 * 300.0);
    near(Cause::THETA, -40.0 * 0.001 * 300.0);
    near(Cause::VEGA, 4.0 * 0.05 * 300.0);
    near(Cause::TRADED, -0.01 * 300.0);
    near(Cause::PROFIT, 1.09 * 300.0 + of(Cause::FEES));
    near(Cause::FEES, -4.08);
}
