//! The iron condor's life against a market and a broker made by hand.
mod floor;

use floor::{Floor, SECOND, call, put};
use zomma::{
    config::Reader,
    feature::Schema,
    strategy::{Code, Set},
    wire::{
        Event, Kind,
        control::Verb,
        order::{Cancel, LEGS_MAX, OrderStatus, Purpose, ReportKind},
    },
};

const CONDOR: &str = r#"
[[iron_condor]]
root = "SPXW"
entry_windows = ["09:30-10:30", "11:00-11:15"]
short_delta = 0.12
leg_spread_max = 0.60
credit_min = 0.20
entry_steps = 2
quantity = 2
"#;

fn set(text: &str) -> Set {
    let mut set = Set::default();
    let mut reader = Reader::new("strategy.toml", text).unwrap();
    set.read(&mut reader, &Schema::none());
    reader.finish().unwrap();
    set
}

/// A floor on which the condor has sent its first entry.
fn entering(more: &str) -> (Floor, u64) {
    let mut floor = Floor::new(set(&format!("{CONDOR}{more}")), "collar_max = 5.0");
    floor.market(5_400.0, 1.0);
    floor.wait(1.0);
    let order = floor.last_order();
    assert_eq!((order.purpose, order.quantity), (Purpose::ENTRY, 2));
    (floor, order.id)
}

/// A floor on which it is held.
fn open(more: &str) -> (Floor, u64) {
    let (mut floor, order) = entering(more);
    floor.ack(order);
    floor.fill_all(order);
    assert!(floor.codes().contains(&Code::ENTERED.0), "{:?}", floor.decisions());
    (floor, order)
}

fn cancels(floor: &Floor) -> Vec<Cancel> {
    let cancels = floor.out.iter().filter(|event| event.kind == Kind::CANCEL);
    cancels.map(|event| *event.body::<Cancel>()).collect()
}

/// Grants the last cancel.
fn grant(floor: &mut Floor) {
    let order = cancels(floor).last().expect("a cancel").order;
    floor.canceled(order);
}

/// The closing order fills; nothing is held or works any more.
fn closes(floor: &mut Floor, purpose: Purpose) {
    let exit = floor.last_order();
    assert_eq!(exit.purpose, purpose, "{:?}", floor.decisions());
    floor.ack(exit.id);
    floor.fill_all(exit.id);
    assert!(floor.desk.book.is_flat());
    assert_eq!(*floor.codes().iter().rfind(|code| **code < 20).unwrap(), Code::CLOSED.0);
}

#[test]
fn the_entry_sells_two_spreads_by_delta_and_width_for_a_credit() {
    let (floor, order) = entering("");
    let (head, legs) = floor.order(order);
    let sides: Vec<i8> = legs.iter().map(|(_, leg)| leg.side).collect();
    assert_eq!(sides, [1, -1, -1, 1]);
    let strike = |i: usize| floor.desk.chain.instrument(legs[i].0).unwrap().strike;
    assert_eq!(strike(1) - strike(0), 5.0);
    assert_eq!(strike(3) - strike(2), 5.0);
    for i in [1, 2] {
        let delta = floor.desk.chain.greeks(legs[i].0).unwrap().delta.abs();
        assert!((delta - 0.12).abs() < 0.05, "{delta}");
    }
    let net: i64 = legs.iter().map(|(_, leg)| i64::from(leg.side) * leg.price.0).sum();
    assert_eq!(head.limit.0, net);
    assert!(net < 0, "a credit");
}

#[test]
fn it_takes_its_profit() {
    let (mut floor, _) = open("");
    floor.market(5_400.0, 0.3);
    closes(&mut floor, Purpose::TARGET);
    assert!(floor.decisions().last().unwrap().a > 0.0 || floor.desk.book.realised > 0);
}

#[test]
fn it_stops_its_loss() {
    let (mut floor, _) = open("");
    floor.market(5_432.0, 1.0);
    assert_eq!(floor.orders().len(), 1, "one glance is not enough");
    floor.wait(1.0);
    closes(&mut floor, Purpose::STOP);
    assert!(floor.desk.book.realised < 0);
}

#[test]
fn it_leaves_by_the_clock() {
    let (mut floor, _) = open("");
    floor.wait(6.25 * 3_600.0 - 2.0);
    assert_eq!(floor.last_order().purpose, Purpose::ENTRY);
    floor.wait(2.0);
    closes(&mut floor, Purpose::TIME);
}

#[test]
fn it_has_one_entry_a_window() {
    let (mut floor, _) = open("");
    floor.market(5_400.0, 0.3);
    closes(&mut floor, Purpose::TARGET);
    floor.wait(120.0);
    floor.market(5_400.0, 1.0);
    floor.wait(1.0);
    assert_eq!(floor.orders().len(), 2);
    assert!(floor.codes().contains(&Code::WINDOW_USED.0));
    floor.wait(5_290.0);
    floor.market(5_400.0, 1.0);
    floor.wait(1.0);
    assert_eq!(floor.orders().len(), 3, "{:?}", floor.decisions());
}

#[test]
fn an_entry_goes_from_the_mid_to_the_far_side_and_then_gives_up() {
    let (mut floor, _) = entering("reprice_after = \"2s\"");
    for step in 0..3 {
        let order = floor.last_order();
        floor.ack(order.id);
        floor.wait(2.0);
        assert_eq!(cancels(&floor).len(), step + 1);
        grant(&mut floor);
    }
    let limits: Vec<i64> = floor.orders().iter().map(|order| order.limit.0).collect();
    assert_eq!(limits.len(), 3);
    assert!(limits.is_sorted() && limits[0] < limits[2], "{limits:?}");
    let (_, legs) = floor.order(floor.last_order().id);
    for (instrument, leg) in legs {
        let quote = floor.desk.chain.quote(instrument);
        assert_eq!(leg.price.to_f64(), if leg.side > 0 { quote.ask } else { quote.bid });
    }
    assert!(floor.codes().contains(&Code::GAVE_UP.0));
    assert!(floor.desk.book.is_flat());
}

#[test]
fn the_next_step_waits_for_quotes_that_are_good_enough() {
    let steps = "reprice_after = \"8s\"\nquote_wait = \"10s\"";
    let (mut floor, order) = entering(steps);
    floor.ack(order);
    floor.wait(8.0);
    grant(&mut floor);
    assert_eq!(floor.orders().len(), 1, "quotes are 8 s old");
    floor.market(5_400.0, 1.0);
    assert_eq!(floor.orders().len(), 2, "{:?}", floor.decisions());
    let (mut floor, order) = entering(steps);
    floor.ack(order);
    floor.wait(8.0);
    grant(&mut floor);
    floor.wait(10.0);
    assert!(floor.codes().ends_with(&[Code::QUOTE_OLD.0, Code::GAVE_UP.0, Code::COOLDOWN.0]));
}

#[test]
fn what_is_held_at_settlement_becomes_cash_at_its_intrinsic_value() {
    // No exit is filled: the order is on its way when the contracts settle.
    let (mut floor, order) = open("stop = 1000.0");
    let (_, legs) = floor.order(order);
    let strike = |i: usize| floor.desk.chain.instrument(legs[i].0).unwrap().strike;
    let spot = strike(2) + 3.0;
    let credit = -floor.order(order).0.limit.to_f64();
    floor.forward(spot);
    floor.wait(6.5 * 3_600.0);
    let book = &floor.desk.book;
    assert_eq!(book.holdings().len(), 0);
    assert!(book.package(order).is_none_or(zomma::book::Package::is_flat));
    assert_eq!(book.realised, (2.0 * 100.0 * (credit - 3.0) * 1e9).round() as i64);
    assert!(floor.codes().contains(&Code::EXPIRED.0), "{:?}", floor.decisions());
}

#[test]
fn whole_packages_of_a_partial_fill_are_kept() {
    let (mut floor, order) = entering("");
    floor.ack(order);
    let (_, legs) = floor.order(order);
    for (i, (_, leg)) in legs.iter().enumerate() {
        floor.fill(order, i as u8, 1, leg.price.0);
    }
    floor.wait(4.0);
    grant(&mut floor);
    assert!(floor.codes().contains(&Code::ENTERED.0));
    floor.market(5_400.0, 0.3);
    assert_eq!(floor.last_order().quantity, 1);
    closes(&mut floor, Purpose::TARGET);
}

#[test]
fn uneven_legs_are_flattened_at_once() {
    let (mut floor, order) = entering("");
    floor.ack(order);
    let (_, legs) = floor.order(order);
    floor.fill(order, 1, 2, legs[1].1.price.0);
    floor.fill(order, 2, 1, legs[2].1.price.0);
    floor.wait(4.0);
    grant(&mut floor);
    assert!(floor.codes().contains(&Code::LEGGED.0));
    let exit = floor.last_order();
    let (_, sent) = floor.order(exit.id);
    let contracts: Vec<(u32, i8, u32)> =
        sent.iter().map(|(at, leg)| (*at, leg.side, leg.ratio * exit.quantity)).collect();
    assert_eq!(contracts, [(legs[1].0, 1, 2), (legs[2].0, 1, 1)]);
    closes(&mut floor, Purpose::FLATTEN);
}

#[test]
fn a_fill_after_the_entry_was_given_up_is_taken_back_and_closed() {
    let (mut floor, order) =
        entering("entry_steps = 1\nattempts_max = 1".replace("entry_steps = 1\n", "").as_str());
    floor.ack(order);
    floor.wait(4.0);
    grant(&mut floor);
    let (_, legs) = floor.order(order);
    for (i, (_, leg)) in legs.iter().enumerate() {
        floor.fill(order, i as u8, 2, leg.price.0);
    }
    floor.wait(0.1);
    assert!(floor.codes().contains(&Code::ADOPTED.0));
    // It may not cross the next entry, which works until it is given up too.
    floor.wait(4.0);
    grant(&mut floor);
    floor.wait(4.0);
    let exit = floor.last_order();
    assert_eq!((exit.purpose, exit.package), (Purpose::FLATTEN, order));
}

#[test]
fn a_closing_order_that_does_not_fill_is_replaced_by_a_more_eager_one_until_it_does() {
    let (mut floor, _) = open("");
    floor.market(5_400.0, 0.3);
    let mut limits = Vec::new();
    for _ in 0..6 {
        let exit = floor.last_order();
        limits.push(exit.limit.0);
        floor.ack(exit.id);
        floor.wait(2.1);
        grant(&mut floor);
    }
    assert!(limits.is_sorted() && limits[0] < limits[5], "{limits:?}");
    closes(&mut floor, Purpose::TARGET);
}

#[test]
fn half_a_closing_fill_leaves_the_other_half_to_the_next_order() {
    let (mut floor, _) = open("");
    floor.market(5_400.0, 0.3);
    let exit = floor.last_order();
    let (_, legs) = floor.order(exit.id);
    for (i, (_, leg)) in legs.iter().enumerate() {
        floor.fill(exit.id, i as u8, 1, leg.price.0);
    }
    floor.wait(2.1);
    grant(&mut floor);
    assert_eq!(floor.last_order().quantity, 1);
    closes(&mut floor, Purpose::TARGET);
}

#[test]
fn a_stop_command_cancels_what_works_and_closes_what_is_held() {
    let (mut floor, order) = entering("");
    floor.ack(order);
    floor.command(Verb::STOP);
    assert_eq!(cancels(&floor)[0].order, order);
    grant(&mut floor);
    assert!(floor.desk.book.is_flat());
    let (mut floor, _) = open("");
    floor.command(Verb::STOP);
    closes(&mut floor, Purpose::FLATTEN);
    floor.wait(300.0);
    assert_eq!(floor.orders().len(), 2, "nothing new");
    let (mut floor, _) = open("flatten_on_stop = false");
    floor.command(Verb::STOP);
    assert_eq!(floor.orders().len(), 1, "kept");
}

#[test]
fn a_refused_entry_is_told_and_not_repeated_before_the_cooldown() {
    let mut floor = Floor::new(set(CONDOR), "order_contracts_max = 1");
    floor.market(5_400.0, 1.0);
    for _ in 0..20 {
        floor.wait(1.0);
    }
    assert_eq!(floor.count(Kind::REFUSAL), 1);
    assert_eq!(floor.count(Kind::ORDER), 0);
    let told = floor.decisions();
    assert!(told.iter().any(|d| d.code == Code::REFUSED.0 && d.a == 0.0));
    assert!(told.iter().any(|d| d.code == Code::COOLDOWN.0));
    assert!(told.len() < 8, "told on change only: {told:?}");
}

#[test]
fn nothing_is_entered_on_stale_or_old_quotes_or_outside_the_windows() {
    for (what, code) in [(0, Code::QUOTE_BAD), (1, Code::QUOTE_OLD), (2, Code::OUT_OF_WINDOW)] {
        let mut floor = Floor::new(set(CONDOR), "");
        floor.now -= if what == 2 { 3_600 * SECOND } else { 0 };
        if what == 2 {
            floor = Floor::new(set(&CONDOR.replace("09:30-10:30", "10:45-10:50")), "");
        } else {
            // A market that was there before the broker's session was.
            floor.session(zomma::wire::control::SessionState::DOWN);
        }
        floor.market(5_400.0, 1.0);
        if what == 0 {
            floor.gap();
        }
        floor.now += if what == 1 { 6 * SECOND } else { SECOND };
        floor.session(zomma::wire::control::SessionState::UP);
        floor.wait(0.3);
        assert_eq!(floor.count(Kind::ORDER), 0);
        assert!(floor.codes().contains(&code.0), "{what} {:?}", floor.decisions());
    }
}

#[test]
fn a_halt_flattens_and_a_kill_lets_nothing_out_but_cancels() {
    let (mut floor, _) = open("");
    floor.desk.book.realised -= 600 * SECOND as i64;
    floor.wait(0.1);
    assert_eq!(floor.count(Kind::HALT), 1);
    floor.wait(0.1);
    closes(&mut floor, Purpose::FLATTEN);
    assert_eq!(floor.count(Kind::HALT), 1, "announced once");
    let (mut floor, _) = open("");
    floor.market(5_400.0, 0.3);
    let exit = floor.last_order();
    floor.command(Verb::KILL);
    assert_eq!(cancels(&floor).last().unwrap().order, exit.id);
    grant(&mut floor);
    let orders = floor.orders().len();
    for _ in 0..50 {
        floor.wait(1.0);
        floor.market(5_432.0, 1.0);
    }
    assert_eq!(floor.orders().len(), orders, "orders after kill");
}

#[test]
fn a_rejected_entry_is_an_attempt() {
    let (mut floor, order) = entering("cooldown = \"1s\"\nattempts_max = 2");
    floor.tell(order, ReportKind::REJECTED, OrderStatus::REJECTED);
    floor.wait(2.0);
    assert_eq!(floor.orders().len(), 2);
    let order = floor.last_order().id;
    floor.tell(order, ReportKind::REJECTED, OrderStatus::REJECTED);
    floor.wait(2.0);
    assert!(floor.codes().contains(&Code::ATTEMPTS_USED.0));
    assert_eq!(floor.orders().len(), 2);
}

#[test]
fn the_same_events_give_the_same_outputs() {
    let (mut floor, order) = open("");
    floor.market(5_400.0, 0.3);
    closes(&mut floor, Purpose::TARGET);
    assert!(order > 1_000);
    let mut again = Floor::new(set(CONDOR), "collar_max = 5.0");
    let inputs: Vec<Event> = floor.sent.clone();
    for event in &inputs[again.sent.len()..] {
        again.now = event.ts_recv;
        again.replay(*event);
    }
    let bytes = |floor: &Floor| -> Vec<[u8; 64]> { floor.out.iter().map(|e| *e.bytes()).collect() };
    assert_eq!(bytes(&floor), bytes(&again));
    assert!(floor.out.len() > 12);
}

#[test]
fn a_probe_sends_at_its_rate_and_cancels_what_it_sent() {
    let text = "[[probe]]\nevery = 4\nworking_max = 2\ncancel_after = \"1s\"";
    let mut floor = Floor::new(set(text), "leg_spread_share_max = 3.0");
    for i in 0..16 {
        floor.now += SECOND / 10;
        floor.quote(call(5_400 + 5 * (i % 4)), 500, 520);
    }
    let orders = floor.orders();
    assert_eq!(orders.len(), 2, "working_max");
    assert_eq!((orders[0].legs, orders[0].limit.0), (1, 50_000_000));
    assert_eq!(cancels(&floor).len(), 1, "the second is younger than a second");
    grant(&mut floor);
    for _ in 0..8 {
        floor.quote(put(5_400), 500, 520);
    }
    assert!(floor.orders().len() >= 3);
    const { assert!(LEGS_MAX >= 4) };
}

#[test]
fn mistakes_in_a_file_are_named() {
    let text = r#"
[[iron_condor]]
root = "SPXW"
entry_windows = ["11:00-11:15", "09:30-10:30"]
wing_width = 20.0
time_exit = "11:10"
"#;
    let mut set = Set::default();
    let mut reader = Reader::new("condor.toml", text).unwrap();
    set.read(&mut reader, &Schema::none());
    let errors = reader.finish().unwrap_err();
    let all: Vec<String> = errors.iter().map(|error| error.to_string()).collect();
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].contains("condor.toml: [iron_condor iron condor] entry_windows: must be"));
    for file in ["iron_condor", "probe"] {
        let text = std::fs::read_to_string(format!("config/strategy/{file}.toml")).unwrap();
        self::set(&text);
    }
}
