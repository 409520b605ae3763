//! Asks and readings in; sizes against hand formulas, regimes that do not flutter, and what is told
//! of an entry, out.
mod floor;

use floor::{
    Floor, call,
    wish::{fill, hold},
};
use zomma::{
    book::{Horizon, OrderLeg, Roster, Sheet, from_currency},
    config::Reader,
    feature::{Row, Schema},
    router::{
        Ask, BOUNDS, Edge, MODELS, Readings, Regime, Router, Rules, Vote,
        regime::{Trend, Volatility},
        size::{packages, shrink},
        vote::tally,
    },
    strategy::{Code, Set},
    wire::{
        Price,
        order::{LEGS_MAX, Order, Purpose},
    },
};

fn rules(text: &str) -> Rules {
    let mut rules = Rules::default();
    let mut reader = Reader::new("router.toml", text).unwrap();
    rules.read(&mut reader, &Schema::none());
    reader.finish().unwrap();
    rules
}

fn readings(index: f64, rank: f64, ratio: f64, trend: f64) -> Readings {
    Readings { index, rank, ratio, trend }
}

/// A calm market: neutral, in a range.
const CALM: (f64, f64, f64, f64) = (20.0, 0.55, 0.75, 0.0);

fn ask(most: u32) -> Ask {
    let (index, rank, ratio, trend) = CALM;
    Ask {
        root: 0,
        // Not the day of the floor.
        settles: floor::OPEN + 30 * 86_400 * floor::SECOND,
        direction: 0,
        vega: -1,
        loss: 250.0,
        swing: f64::NAN,
        spread: f64::NAN,
        edge: None,
        most,
        readings: readings(index, rank, ratio, trend),
    }
}

/// 50,000 of capital, two strategies.
fn router(text: &str) -> Router {
    let members = [("a", Horizon::Swing), ("b", Horizon::Swing), ("c", Horizon::Swing)];
    Router::new(rules(text), Roster::new(members))
}

const PLAIN: &str = "[router]\nvote_timing = 0.0\nvote_risk = 0.0\n";

#[test]
fn sizes_are_those_of_the_hand_formulas() {
    let sized = |text: &str, ask: &Ask| {
        let floor = Floor::new(Set::default(), "");
        let answer = router(&format!("{PLAIN}{text}")).size(&floor.desk, 0, ask).unwrap();
        (answer.packages, BOUNDS[answer.bound])
    };
    // 2 % of 50,000 is 1,000: four of 250.
    assert_eq!(sized("", &ask(100)), (4, "method"));
    assert_eq!(sized("", &ask(3)), (3, "asked for"));
    // 10 % a year of 50,000 is 314.97 a day: three that swing by 100.
    let swings = Ask { swing: 100.0, ..ask(100) };
    assert_eq!(sized("volatility_target = 0.1\n", &swings), (3, "method"));
    // p 0.6 at even odds: f = 0.2; a tenth of it is 2 %, capped at 1 %: 500.
    let edge = |win, odds| Ask { edge: Some(Edge { win, odds }), ..ask(100) };
    let kelly = "fraction = 1.0\nkelly_share = 0.1\nkelly_max = 0.01\n";
    assert_eq!(sized(kelly, &edge(0.6, 1.0)), (2, "method"));
    let kelly = "fraction = 1.0\nkelly_share = 0.1\nkelly_max = 1.0\n";
    // p 0.62: f = 0.24, a tenth of it 1,200.
    assert_eq!(sized(kelly, &edge(0.62, 1.0)), (4, "method"));
    // No edge is no bet; a loss that is not known is none either.
    assert_eq!(sized(kelly, &edge(0.5, 1.0)), (0, "method"));
    assert_eq!(sized("", &Ask { loss: f64::NAN, ..ask(9) }), (0, "method"));
    assert_eq!(sized("", &Ask { loss: f64::INFINITY, ..ask(9) }), (0, "method"));
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    near(Edge { win: 0.6, odds: 1.0 }.kelly(), 0.2);
    near(Edge { win: 0.25, odds: 4.0 }.kelly(), 0.0625);
    assert_eq!(Edge { win: f64::NAN, odds: 1.0 }.kelly(), 0.0);
    let set = rules("[router]\nvolatility_target = 0.2\nfraction = 1.0\n").router.unwrap();
    near(packages(1e6, 1.0, 500.0, None, &set), 1e6 * 0.2 / 252f64.sqrt() / 500.0);
}

#[test]
fn without_rules_an_entry_has_what_it_asks_for() {
    let floor = Floor::new(Set::default(), "");
    assert_eq!(router("").size(&floor.desk, 0, &ask(7)), None);
}

#[test]
fn regimes_follow_the_plans_and_are_left_late() {
    let set = rules("[router]\n").router.unwrap();
    let fresh = |index, rank, ratio| {
        Regime::default().after(&readings(index, rank, ratio, f64::NAN), &set).volatility
    };
    assert_eq!(fresh(14.9, 0.29, 0.5), Volatility::Low);
    assert_eq!(fresh(14.9, 0.31, 0.7), Volatility::Neutral);
    assert_eq!(fresh(25.1, 0.5, 0.5), Volatility::High);
    assert_eq!(fresh(20.0, 0.81, 0.5), Volatility::High);
    assert_eq!(fresh(20.0, 0.51, 0.91), Volatility::Expansion);
    assert_eq!(fresh(20.0, 0.49, 0.59), Volatility::Contraction);
    assert_eq!(fresh(20.0, 0.49, 0.91), Volatility::Neutral);
    assert_eq!(fresh(20.0, f64::NAN, 0.91), Volatility::Unknown);
    assert_eq!(fresh(f64::NAN, 0.9, f64::NAN), Volatility::High, "one reading is enough");
    // To and fro across 25 by less than 5 %: one change, and one more when it is truly left.
    let mut regime = Regime::default();
    let mut changes = 0;
    for index in [24.9, 25.1, 24.9, 25.1, 24.0, 24.5, 23.8, 23.7, 24.9] {
        let next = regime.after(&readings(index, 0.5, 0.75, 0.0), &set);
        changes += u32::from(next.volatility != regime.volatility);
        regime = next;
    }
    assert_eq!((changes, regime.volatility), (3, Volatility::Neutral), "unknown, high, neutral");
    let trend = |held: Trend, trend: f64| {
        let held = Regime { trend: held, ..Regime::default() };
        held.after(&readings(20.0, 0.5, 0.7, trend), &set).trend
    };
    assert_eq!(trend(Trend::Range, 0.39), Trend::Range);
    assert_eq!(trend(Trend::Up, 0.39), Trend::Up);
    assert_eq!(trend(Trend::Up, 0.37), Trend::Range);
    assert_eq!(trend(Trend::Unknown, -0.41), Trend::Down);
    assert_eq!(trend(Trend::Up, f64::NAN), Trend::Unknown);
}

#[test]
fn weights_votes_signals_and_budgets_bound_a_size_in_this_order() {
    let mut floor = Floor::new(Set::default(), "");
    let bound = |router: &mut Router, floor: &Floor, strategy, ask: &Ask| {
        let answer = router.size(&floor.desk, strategy, ask).unwrap();
        (answer.packages, BOUNDS[answer.bound], answer.multiplier)
    };
    let text =
        format!("{PLAIN}[[weight]]\nstrategy = \"a\"\nneutral = 0.5\n[[weight]]\nneutral = 0.0\n");
    let mut half = router(&text);
    assert_eq!(bound(&mut half, &floor, 0, &ask(9)), (2, "regime", 0.5));
    assert_eq!(bound(&mut half, &floor, 1, &ask(9)), (0, "regime", 0.0));

    // A seller at realised over implied of 0.9 has the volatility scorer at −0.6 against it.
    let mut voted = router(&format!("{PLAIN}score_min = -0.9\n"));
    let rich = Ask { readings: readings(20.0, 0.3, 0.9, 0.0), ..ask(9) };
    let (packages, what, left) = bound(&mut voted, &floor, 0, &rich);
    assert_eq!((packages, what), (1, "vote"));
    assert!((left - 0.4).abs() < 1e-9, "{left}");
    let mut strict = router(&format!("{PLAIN}score_min = -0.5\n"));
    assert_eq!(bound(&mut strict, &floor, 0, &rich), (0, "vote", 0.0));
    strict.models = [Vote::of(1.0, 1.0); MODELS];
    assert!(strict.size(&floor.desk, 0, &rich).unwrap().packages > 0, "models outvote it");

    // The second that signals the same has 1 / 1.7 of its size; one's own signals do not count.
    let mut together = router(PLAIN);
    assert_eq!(bound(&mut together, &floor, 0, &ask(9)).0, 4);
    assert_eq!(bound(&mut together, &floor, 0, &ask(9)).0, 4);
    let (packages, what, left) = bound(&mut together, &floor, 1, &ask(9));
    assert_eq!((packages, what), (2, "other signals"));
    assert!((left - 1.0 / 1.7).abs() < 1e-9);
    assert_eq!(bound(&mut together, &floor, 2, &Ask { vega: 1, ..ask(9) }).0, 4, "another one");
    assert_eq!(bound(&mut together, &floor, 2, &ask(9)).0, 1, "the third has 1 / 2.4");
    floor.wait(1_801.0);
    assert_eq!(bound(&mut together, &floor, 2, &ask(9)).0, 4, "signals age");
    assert!((3.0 * shrink(2, 0.7) - 3.0 / 2.4).abs() < 1e-12);

    let text = format!("{PLAIN}[[budget]]\nstrategy = \"a\"\nshare = 0.01\n");
    assert_eq!(bound(&mut router(&text), &floor, 0, &ask(9)).1, "strategy's budget");
    assert_eq!(bound(&mut router(&text), &floor, 0, &ask(9)).0, 2);
    let text = format!("{PLAIN}[[budget]]\nhorizon = \"swing\"\nshare = 0.015\n");
    assert_eq!(bound(&mut router(&text), &floor, 0, &ask(9)).0, 3);
    // What settles today is of the expiry's budget, whatever the strategy means.
    let text = format!("{PLAIN}[[budget]]\nhorizon = \"expiry\"\nshare = 0.0\n");
    let today = Ask { settles: floor::OPEN + 3_600 * floor::SECOND, ..ask(9) };
    assert_eq!(bound(&mut router(&text), &floor, 0, &today), (0, "horizon's budget", 1.0));
    assert_eq!(from_currency(50_000.0), floor.desk.book.capital);
}

#[test]
fn votes_count_by_weight_and_confidence() {
    let votes = [(1.0, Vote::of(1.0, 1.0)), (3.0, Vote::of(-1.0, 0.5)), (9.0, Vote::of(1.0, 0.0))];
    // (1 − 1.5) / 2.5
    assert_eq!(tally(votes.into_iter()), (-0.2, 2.5));
    assert_eq!(tally([(1.0, Vote::of(f64::NAN, 1.0))].into_iter()), (0.0, 0.0));
    assert_eq!(Vote::of(7.0, 3.0), Vote { score: 1.0, confidence: 1.0 });
}

const CONDOR: &str = r#"
[[iron_condor]]
root = "SPXW"
entry_windows = ["09:30-10:30"]
short_delta = 0.12
leg_spread_max = 0.60
credit_min = 0.20
quantity = 2
"#;

fn floor_with(text: &str) -> Floor {
    let mut set = Set::default();
    let mut reader = Reader::new("strategy.toml", &format!("{CONDOR}{text}")).unwrap();
    set.read(&mut reader, &Schema::none());
    reader.finish().unwrap();
    let mut floor = Floor::new(set, "collar_max = 5.0");
    floor.market(5_400.0, 1.0);
    floor.wait(1.0);
    floor
}

#[test]
fn an_entry_asks_the_router_and_its_reasons_are_told() {
    let told = |floor: &Floor, code: Code| {
        let decisions = floor.decisions();
        decisions.into_iter().find(|decision| decision.code == code.0)
    };
    let floor = floor_with("[router]\nunknown_weight = 1.0\nfraction = 0.01\n");
    let order = floor.last_order();
    assert_eq!((order.purpose, order.quantity), (Purpose::ENTRY, 1), "{:?}", floor.decisions());
    assert!(told(&floor, Code::VOTED).is_some());
    assert_eq!(told(&floor, Code::SIZED).map(|decision| decision.a), Some(1.0));
    let floor = floor_with("[router]\nunknown_weight = 0.0\n");
    assert_eq!(floor.orders().len(), 0);
    let why = told(&floor, Code::LET_GO).expect("told");
    assert_eq!(BOUNDS[why.a as usize], "regime");
    assert_eq!(floor_with("").last_order().quantity, 2, "no router, no change");
}

/// Buys one contract and sells it again, so many cents a unit dearer.
fn trade(floor: &mut Floor, cents: i64) {
    let (price, instrument) = (1_000_000_000, call(5_400));
    let package = hold(&mut floor.desk, instrument, 1, price);
    let id = floor.desk.book.number();
    let mut legs = [OrderLeg::default(); LEGS_MAX];
    let price = price + cents * 10_000_000;
    legs[0] = OrderLeg { instrument, ratio: 1, side: -1, multiplier: 100, price, filled: 0 };
    let (limit, purpose) = (Price(-price), Purpose::TARGET);
    let head = Order { id, limit, quantity: 1, strategy: 0, legs: 1, purpose, package };
    assert!(floor.desk.book.register(&Sheet { head, legs, loss: 0, expiry: 0, sent: 0 }));
    floor.desk.book.report(&fill(id, 0, 1, price, id));
}

/// Half of Kelly: by what a strategy is thought to win, until it has closed enough packages; then
/// by what it has won and lost, fees taken off.
#[test]
fn a_strategys_own_wins_and_losses_become_its_edge() {
    let text = format!(
        "{PLAIN}fraction = 1.0\nkelly_share = 0.5\nkelly_max = 1.0\nkelly_trades_min = 4\n\
         score_min = -1.0\nvote_volatility = 0.0\n\
         [[edge]]\nstrategy = \"a\"\nwin = 0.6\nodds = 1.0\n"
    );
    let mut floor = Floor::new(Set::default(), "");
    let mut router = router(&text);
    let mut packages = |floor: &Floor| router.size(&floor.desk, 0, &ask(10_000)).unwrap().packages;
    let of_half_kelly = |f: f64| (50_000.0 * 0.5 * f / 250.0) as u32;
    assert_eq!(packages(&floor), of_half_kelly(0.6 - 0.4));
    for cents in [300, 300, -100] {
        trade(&mut floor, cents);
    }
    assert_eq!(packages(&floor), of_half_kelly(0.6 - 0.4), "three are too few");
    trade(&mut floor, 300);
    let record = floor.desk.book.record(0);
    assert_eq!((record.won, record.lost), (3, 1));
    // A contract costs 0.65 each way.
    let odds = (300.0 - 1.3) / (100.0 + 1.3);
    assert_eq!(packages(&floor), of_half_kelly(0.75 - 0.25 / odds));
}

/// A column that nobody knows yet is no reading, whatever the strategy's own samples say; a name
/// that is no column is refused.
#[test]
fn a_named_column_takes_the_place_of_a_strategys_own_samples() {
    let text = "[features]\nroots = [\"SPXW\"]\n";
    let mut reader = Reader::new("engine.toml", text).unwrap();
    let schema = Schema::new(&reader.section("features").unwrap());
    let read = |line: &str| {
        let mut rules = Rules::default();
        let mut reader = Reader::new("router.toml", &format!("[router]\n{line}")).unwrap();
        rules.read(&mut reader, &schema);
        reader.finish().map(|()| rules)
    };
    let column = schema.columns().iter().find(|column| column.name.contains("rv_close")).unwrap();
    let own = readings(20.0, 0.55, 0.75, 0.1);
    let row = Row::new(&schema);
    let plain = read("").unwrap().inputs.over(&row, &own);
    assert_eq!(plain, own);
    let named = read(&format!("realised = \"{}\"\n", column.name)).unwrap();
    let ratio = named.inputs.over(&row, &own).ratio;
    assert!(ratio.is_nan());
    let errors = read("index = \"SPXW.nothing\"\n").unwrap_err();
    assert!(errors[0].to_string().contains("[router] index"), "{}", errors[0]);
}
