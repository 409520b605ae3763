//! Every breaker tripped once, one by one, through the stages from CHAIN to RISK: what it does,
//! that it stays, and that only the operator's reset ends it.
mod floor;

use floor::{
    Floor, call,
    wish::{Wish, ask, condor, net},
};
use zomma::{
    risk::{Action, BREAKERS, Limit, limit_doc},
    strategy::Set,
    wire::{
        Event, Kind, NO_INSTRUMENT,
        control::{Command, SessionState, Verb},
        order::{Halt, Order, OrderStatus, Purpose, ReportKind},
    },
};

/// One contract bought at what is asked, and filled.
fn buy(floor: &mut Floor, instrument: u32, contracts: u32, cents: i64) -> u64 {
    floor.quote(instrument, cents - 10, cents);
    let id = floor.desk.book.number();
    let legs = vec![(instrument, 1, 1, cents)];
    let purpose = Purpose::ENTRY;
    let head = Order {
        id,
        limit: net(&legs),
        quantity: contracts,
        strategy: 0,
        legs: 1,
        purpose,
        package: id,
    };
    ask(floor, &Wish { head, legs });
    assert!(floor.desk.book.order(id).is_some(), "refused: {:?}", floor.desk.book.refused);
    floor.fill_all(id);
    id
}

fn sell(floor: &mut Floor, package: u64, instrument: u32, contracts: u32, cents: i64) {
    floor.quote(instrument, cents, cents + 10);
    let id = floor.desk.book.number();
    let legs = vec![(instrument, -1, 1, cents)];
    let purpose = Purpose::STOP;
    let head = Order {
        id,
        limit: net(&legs),
        quantity: contracts,
        strategy: 0,
        legs: 1,
        purpose,
        package,
    };
    ask(floor, &Wish { head, legs });
    assert!(floor.desk.book.order(id).is_some(), "refused: {:?}", floor.desk.book.refused);
    floor.fill_all(id);
}

/// A loss of so many cents a unit on one contract that is held.
fn lose(floor: &mut Floor, contracts: u32, cents: i64) {
    buy(floor, call(5_400), contracts, 1_000);
    floor.wait(1.0);
    floor.quote(call(5_400), 1_000 - cents, 1_010 - cents);
    floor.wait(0.01);
}

/// A call that is held, of which a fall of the market leaves nothing.
fn hold_calls(floor: &mut Floor) {
    floor.whole_market(5_400.0);
    buy(floor, call(5_400), 8, 1_000);
    floor.wait(0.01);
}

/// A breaker, the settings under which it trips, and what trips it.
type Trip = (Limit, &'static str, fn(&mut Floor));

const TRIPS: [Trip; 13] = [
    (Limit::DAILY_LOSS, "daily_loss_max = 100.0", |floor| lose(floor, 1, 150)),
    (Limit::UNRECONCILED, "", |floor| {
        floor.fill(77, 0, 1, 1_000_000_000);
        floor.wait(0.01);
    }),
    (Limit::REJECTS, "rejects_in_a_row_max = 2\nduplicate_window = \"0s\"", |floor| {
        for _ in 0..3 {
            let wish = condor(floor);
            ask(floor, &wish);
            floor.tell(wish.head.id, ReportKind::REJECTED, OrderStatus::REJECTED);
        }
    }),
    (Limit::DRAWDOWN_REDUCE, "drawdown_reduce = 0.05\ndaily_loss_max = 1e9", |floor| {
        lose(floor, 10, 300);
    }),
    (Limit::DRAWDOWN_HALT, "drawdown_halt = 0.10\ndaily_loss_max = 1e9", |floor| {
        lose(floor, 10, 600);
    }),
    (Limit::HORIZON_LOSS, "loss_intraday_share_max = 0.02\ndaily_loss_max = 1e9", |floor| {
        lose(floor, 10, 110);
    }),
    (
        Limit::VALUE_AT_RISK,
        "var_share_max = 0.01\ntail_spots = [-0.05]\ntail_vols = []\n\
        tail_weights = []",
        hold_calls,
    ),
    (
        Limit::SHORTFALL,
        "es_share_max = 0.01\ntail_spots = [-0.05, 0.0]\ntail_vols = []\n\
        tail_weights = [0.02, 0.98]",
        hold_calls,
    ),
    (Limit::LOSSES_IN_A_ROW, "losses_in_a_row_max = 1\ndaily_loss_max = 1e9", |floor| {
        for _ in 0..2 {
            let package = buy(floor, call(5_400), 1, 200);
            floor.wait(0.01);
            sell(floor, package, call(5_400), 1, 150);
            floor.wait(0.01);
        }
    }),
    (Limit::REPEATED, "repeated_fills_max = 1\nduplicate_window = \"0s\"", |floor| {
        buy(floor, call(5_400), 1, 200);
        buy(floor, call(5_410), 1, 200);
        floor.wait(0.01);
    }),
    (Limit::TRADED_RATE, "traded_rate_max = 5", |floor| {
        floor.wait(0.01);
        buy(floor, call(5_400), 6, 200);
        floor.wait(0.01);
    }),
    (Limit::PROFIT_RATE, "profit_rate_max = 100.0\ndaily_loss_max = 1e9", |floor| {
        floor.wait(0.01);
        lose(floor, 1, 150);
    }),
    (Limit::THETA_ALERT, "theta_alert = 0.001", |floor| {
        floor.whole_market(5_400.0);
        buy(floor, call(5_400), 8, 500);
        floor.wait(0.01);
    }),
];

fn halts(floor: &Floor) -> Vec<Halt> {
    let halts = floor.out.iter().filter(|event| event.kind == Kind::HALT);
    halts.map(|event| *event.body::<Halt>()).collect()
}

/// What an order that would open violates now.
fn violated(floor: &mut Floor) -> u128 {
    let mut wish = condor(floor);
    wish.head.strategy = 0;
    let (head, legs) = wish.events(floor);
    floor.risk.evaluate(&mut floor.desk, &head, &legs).violated
}

fn reset(floor: &mut Floor, limit: Limit) {
    let command = Command::new(Verb::RESET, limit.0, b"looked into it");
    floor.send(Event::new(Kind::COMMAND, NO_INSTRUMENT, command));
}

/// The bit that keeps orders out once a breaker has done what it does.
fn keeps_out(action: Action) -> Option<Limit> {
    match action {
        Action::Halt => Some(Limit::HALTED),
        Action::Reduce => Some(Limit::REDUCING),
        Action::HaltStrategy => Some(Limit::STRATEGY_HALTED),
        Action::Kill => Some(Limit::KILLED),
        Action::Alert | Action::Reset => None,
    }
}

#[test]
fn every_breaker_trips_stays_and_is_reset() {
    println!("{:<22} {:<22} {:>12} {:>12}  afterwards", "breaker", "does", "measured", "bound");
    for &(limit, action) in BREAKERS {
        let (_, more, trip) = TRIPS.iter().find(|row| row.0 == limit).expect("a way to trip it");
        let wide = "order_contracts_max = 100\norder_loss_max = 1e6\ntrade_risk_share_max = 1.0\n\
            expiry_loss_max = 1e6\nstrategy_risk_share_max = 1.0\nsize_share_max = 1e6\n\
            position_contracts_max = 1000";
        let mut floor = Floor::new(Set::default(), &format!("{wide}\n{more}"));
        assert_eq!(violated(&mut floor), 0, "{limit:?} before");
        // An order that works, and would open.
        let resting = condor(&mut floor);
        ask(&mut floor, &resting);
        floor.ack(resting.head.id);
        trip(&mut floor);
        let name = limit_doc(limit.0).unwrap().name;
        let told: Vec<Halt> = halts(&floor).into_iter().filter(|h| h.limit == limit.0).collect();
        assert_eq!(told.len(), 1, "{name} is announced once: {told:?}");
        let Halt { measured, bound, action: told, .. } = told[0];
        assert_eq!(told, action as u32, "{name}");
        assert!(measured > bound, "{name}: {measured} of {bound}");
        let bits = violated(&mut floor);
        let keeps = keeps_out(action);
        if let Some(keeps) = keeps {
            assert!(bits & keeps.bit() != 0, "{name} keeps nothing out: {bits:b}");
            assert!(floor.count(Kind::CANCEL) > 0, "{name} leaves an order that would open");
        } else {
            assert_eq!(bits, 0, "{name} is an alert");
        }
        // Time ends nothing.
        (0..3).for_each(|_| floor.wait(1.0));
        let again = halts(&floor).iter().filter(|halt| halt.limit == limit.0).count();
        assert_eq!(again, 1, "{name} is announced once");
        reset(&mut floor, limit);
        let after = violated(&mut floor);
        let ends = action != Action::Kill;
        if let Some(keeps) = keeps {
            assert_eq!(after & keeps.bit() == 0, ends, "{name} after a reset: {after:b}");
        }
        let resets = halts(&floor).iter().filter(|h| h.action == Action::Reset as u32).count();
        assert_eq!(resets, usize::from(ends), "{name}");
        let end = if ends { "reset" } else { "stays" };
        let does = Action::name(action as u32);
        println!("{name:<22} {does:<22} {measured:>12.4} {bound:>12.4}  {end}");
    }
}

#[test]
fn a_strategy_that_lost_too_often_cools_down() {
    let more = "losses_in_a_row_max = 1\nlosses_cool_down = \"10s\"\ndaily_loss_max = 1e9\n\
        order_loss_max = 1e6\ntrade_risk_share_max = 1.0";
    let mut floor = Floor::new(Set::default(), more);
    for _ in 0..2 {
        let package = buy(&mut floor, call(5_400), 1, 200);
        floor.wait(0.01);
        sell(&mut floor, package, call(5_400), 1, 150);
        floor.wait(0.01);
    }
    let halted = |floor: &mut Floor| violated(floor) & Limit::STRATEGY_HALTED.bit() != 0;
    assert!(halted(&mut floor));
    // The other strategy has lost nothing.
    let mut wish = condor(&mut floor);
    wish.head.strategy = 1;
    let (head, legs) = wish.events(&floor);
    let other = floor.risk.evaluate(&mut floor.desk, &head, &legs).violated;
    assert_eq!(other & Limit::STRATEGY_HALTED.bit(), 0);
    floor.wait(9.0);
    assert!(halted(&mut floor));
    floor.wait(1.1);
    assert_eq!(violated(&mut floor), 0);
}

#[test]
fn after_a_disconnect_orders_that_would_open_are_canceled() {
    for (more, wanted) in [("cancel_on_disconnect = true", 1), ("", 0)] {
        let mut floor = Floor::new(Set::default(), more);
        let wish = condor(&mut floor);
        ask(&mut floor, &wish);
        floor.ack(wish.head.id);
        floor.session(SessionState::DOWN);
        assert_eq!(floor.count(Kind::CANCEL), 0, "nobody can be told");
        floor.session(SessionState::UP);
        floor.wait(0.01);
        assert_eq!(floor.count(Kind::CANCEL), wanted);
        floor.canceled(wish.head.id);
        let wish = condor(&mut floor);
        ask(&mut floor, &wish);
        floor.wait(5.0);
        assert_eq!(floor.count(Kind::CANCEL), wanted, "new orders are not meant");
    }
}
