//! A broker that is asked what it holds in; what the engine does where that is something else, out.

use crate::engine::{
    Engine, Extra, HOUR, RECONNECT, Site, alone, assert_sound, events, rebuilt, simulated,
};
use zomma::{
    journal::Stream,
    risk::Limit,
    wire::{
        Event, Kind,
        audit::{Difference, Position},
        order::Refusal,
    },
};

const TAKER: &str = "[[probe]]\nname = \"taker\"\nevery = 7\nplace = \"ask\"\nworking_max = 8\n";

/// Orders that trade at once, and what is asked of the broker meanwhile.
fn site(market: &crate::common::Market) -> Site {
    let extra = Extra {
        run: "drain = \"1s\"".into(),
        session: RECONNECT,
        limits: "reconcile_every = \"300ms\"\nreconcile_again_after = \"200ms\"\n",
        strategy: TAKER.into(),
        resets: false,
        ..Extra::default()
    };
    Site::new(market.data, market.orders, &extra)
}

fn slow_hour() -> String {
    HOUR.replace("1800.0", "60.0").replace("6000.0", "1500.0")
}

fn of(kind: Kind, list: &[Event]) -> Vec<Event> {
    list.iter().filter(|event| event.kind == kind).copied().collect()
}

fn end(engine: Engine) -> String {
    engine.signal("TERM");
    let output = engine.wait();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn positions_are_compared_at_the_start_and_again_and_trading_goes_on() {
    let _alone = alone();
    let served = simulated(&slow_hour(), "");
    let site = site(&served.market);
    let mut engine = site.start();
    engine.until("questions and trades", |engine| {
        engine.counter("outcome", "audits") > 5 && engine.counter("book", "traded") > 50
    });
    end(engine);
    served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let summary = served.join().1;
    let directory = site.run_directory();
    assert_sound(&directory);
    let (inputs, outputs) =
        (events(&directory, Stream::Inputs), events(&directory, Stream::Outputs));
    let asked = of(Kind::AUDIT, &outputs);
    assert!(summary.audits > 5 && asked.len() as u64 >= summary.audits);
    assert!(!of(Kind::POSITION, &inputs).is_empty(), "it held something when it was asked");
    assert_eq!(of(Kind::DIFFERENCE, &outputs), []);
    let first = of(Kind::ORDER, &outputs)[0].seq;
    let answered = of(Kind::POSITIONS, &inputs)[0].seq;
    assert!(asked[0].seq < answered && answered <= first, "nothing is opened before the answer");
    assert!(rebuilt(&directory).book.traded > 0);
}

/// Contracts that the broker books and nobody has traded, from the start.
#[test]
fn a_broker_that_holds_something_else_stops_new_risk_and_is_told_in_what() {
    let _alone = alone();
    let served = simulated(&slow_hour(), "astray=-2");
    let site = site(&served.market);
    let mut engine = site.start();
    engine.until("the difference", |engine| engine.counter("book", "differences") == 1);
    let refused = engine.counter("outcome", "refusals");
    engine.until("refusals", |engine| engine.counter("outcome", "refusals") > refused + 20);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let printed = end(engine);
    assert!(printed.contains("THE BROKER DIFFERS in 1: nothing is opened"), "{printed}");
    served.market.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(served.join().1.orders.0, 0, "no order came");
    let directory = site.run_directory();
    assert_sound(&directory);
    let (inputs, outputs) =
        (events(&directory, Stream::Inputs), events(&directory, Stream::Outputs));
    let told: Vec<Difference> =
        of(Kind::DIFFERENCE, &outputs).iter().map(|event| *event.body()).collect();
    let [told] = told[..] else { panic!("told once: {told:?}") };
    let named: Position = *of(Kind::POSITION, &inputs)[0].body();
    assert_eq!((told.ours, told.theirs), (0, -2));
    assert_eq!((told.strike, told.date, told.class), (named.strike, named.date, named.class));
    let unsure = |event: &Event| event.body::<Refusal>().all() & Limit::POSITIONS_UNSURE.bit() != 0;
    assert!(of(Kind::REFUSAL, &outputs).iter().all(unsure));
}
