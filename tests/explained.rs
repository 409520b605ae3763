//! A day of a model's market through the stages, from quotes to fills: a condor from its entry to
//! its exit or its settlement, and its profit by cause, which must sum to the cash.
mod floor;

use floor::{BROKER, OPEN, SECOND, STRIKES, call, put, settings, universe};
use std::collections::BTreeMap;
use zomma::{
    book::{Book, CAUSES, Cause, Desk},
    chain::{Chain, Track, name_of},
    config::Reader,
    feature::{Row, Schema},
    greeks::{
        Revalue,
        lanes::Scalar,
        options::Options,
        sets::{Model, Price as PriceSet},
    },
    risk::{Cleared, Risk},
    stage::{Emit, Then},
    strategy::{Decide, Set},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price,
        control::{Run, Session, SessionState, Timer},
        market::{Class, Definition, Quote},
        order::{Leg, Order, OrderStatus, Profit, Purpose, Report, ReportKind},
    },
};

const CONDOR: &str = r#"
[[iron_condor]]
root = "SPXW"
entry_windows = ["09:31-10:30"]
short_delta = 0.16
wing_width_max = 10.0
leg_spread_max = 0.60
credit_min = 0.20
stop = 1000.0
quantity = 2
risk_share = 0.0
"#;

const LIMITS: &str = "order_loss_max = 1e8\ntrade_risk_share_max = 1.0\nexpiry_loss_max = 1e9\n\
    strategy_risk_share_max = 1.0\ncollar_max = 100.0\ndaily_loss_max = 1e8\n";

/// A broker who fills every leg at the price that was reckoned with, and what came out.
struct Broker {
    fills: bool,
    answers: Vec<Event>,
    outputs: Vec<Event>,
    order: Option<Order>,
    /// Contracts × price × 100 and fees that went out, 1e-9, and what is held.
    paid: i128,
    held: BTreeMap<u32, i128>,
    told: u64,
}

impl Broker {
    fn answer(&mut self, order: u64, leg: u8, fill: (ReportKind, Price, u32)) {
        self.told += 1;
        let (event, price, quantity) = fill;
        let (exec_id, status) = (self.told, OrderStatus::PARTIAL);
        let report = Report { order, exec_id, price, quantity, event, status, leg, resent: 0 };
        let event = Event::new(Kind::REPORT, NO_INSTRUMENT, report);
        self.answers.push(Event { source: BROKER, ..event });
    }
}

impl Emit<Desk, Cleared> for Broker {
    fn emit(&mut self, _: &mut Desk, cleared: &Cleared) {
        let event = cleared.event();
        if event.kind.is_output() {
            self.outputs.push(*event);
        }
        match event.kind {
            Kind::ORDER => {
                let order = *event.body::<Order>();
                self.answer(order.id, Report::WHOLE, (ReportKind::NEW, Price::UNDEF, 0));
                let taken = self.fills || order.purpose == Purpose::ENTRY;
                self.order = Some(order).filter(|_| taken);
            }
            Kind::ORDER_LEG => {
                let (Some(order), leg) = (self.order, *event.body::<Leg>()) else { return };
                let quantity = order.quantity * leg.ratio;
                let contracts = i128::from(quantity) * i128::from(leg.side);
                self.paid += contracts * i128::from(leg.price.0) * 100;
                self.paid += i128::from(quantity) * 650_000_000;
                *self.held.entry(event.instrument).or_default() += contracts;
                self.answer(order.id, leg.index, (ReportKind::FILL, leg.price, quantity));
            }
            _ => {}
        }
    }
}

/// From the chain to the broker.
type Stages = Then<Track, Then<Revalue, Then<Decide, Then<Risk, Broker>>>>;

/// The day: stages, broker, time.
struct Day {
    stages: Stages,
    desk: Desk,
    now: u64,
    seq: u64,
    seed: u64,
    spot: f64,
    level: f64,
}

impl Day {
    fn new(more: &str, fills: bool) -> Day {
        let mut set = Set::default();
        let mut reader = Reader::new("strategy.toml", &format!("{CONDOR}{more}")).unwrap();
        set.read(&mut reader, &Schema::none());
        reader.finish().unwrap();
        let (account, limits) = settings(LIMITS);
        let (chain, book) = (Chain::new(&universe()), Book::new(&account, BROKER));
        let desk = Desk { chain, book, features: Row::default() };
        let broker = Broker {
            fills,
            answers: Vec::new(),
            outputs: Vec::new(),
            order: None,
            paid: 0,
            held: BTreeMap::new(),
            told: 0,
        };
        let risk = Risk::new(limits, set.roster());
        let rear = Then(Decide::new(set), Then(risk, broker));
        let stages = Then(Track, Then(Revalue::new(&universe()), rear));
        let (seed, spot, level) = (11, 5_400.0, 0.16);
        let mut day = Day { stages, desk, now: OPEN, seq: 0, seed, spot, level };
        day.begin();
        day
    }

    fn begin(&mut self) {
        let run = Run { epoch: 1, order_base: 1_000, reserved: [0; 2] };
        self.send(Event::new(Kind::RUN, NO_INSTRUMENT, run));
        for i in 0..STRIKES.2 {
            let strike = STRIKES.0 + i * STRIKES.1;
            for (venue_id, class) in [(call(strike), Class::CALL), (put(strike), Class::PUT)] {
                let definition = Definition {
                    strike: Price(strike * 1_000_000_000),
                    expiration: 1_718_150_400_000_000_000,
                    root: name_of("SPXW"),
                    venue_id,
                    class,
                    mapped: 0,
                    reserved: 0,
                };
                self.send(Event::new(Kind::DEFINITION, venue_id, definition));
            }
        }
        let session = Session { state: SessionState::UP, ..bytemuck::Zeroable::zeroed() };
        let session = Event::new(Kind::SESSION, NO_INSTRUMENT, session);
        self.send(Event { source: BROKER, ..session });
    }

    fn send(&mut self, event: Event) {
        let mut queue = vec![Event { flags: Flags::BATCH_END, ..event }];
        while let Some(event) = queue.pop() {
            self.one(event);
            let answers = &mut self.stages.1.1.1.1.answers;
            queue.extend(
                answers.drain(..).rev().map(|answer| Event { flags: Flags::BATCH_END, ..answer }),
            );
        }
    }

    fn one(&mut self, event: Event) {
        self.seq += 1;
        let event = Event { seq: self.seq, ts_recv: self.now, ts_event: self.now, ..event };
        self.stages.emit(&mut self.desk, &event);
    }

    /// A uniform number from −1 to 1.
    fn roll(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// The whole chain quoted at the model's prices, then a beat.
    fn quotes(&mut self) {
        let left = (OPEN + 23_400 * SECOND).saturating_sub(self.now);
        let years = left as f64 / 1e9 / 86_400.0 / 365.0;
        for i in 0..STRIKES.2 {
            let strike = STRIKES.0 + i * STRIKES.1;
            let k = (strike as f64 - self.spot) / self.spot;
            let vol = self.level - 0.9 * k + 9.0 * k * k;
            let of = |number: f64| Scalar(number);
            let (r, q) = (of(0.0), of(0.0));
            let (spot, strike_of) = (of(self.spot), of(strike as f64));
            let terms = Options { spot, strike: strike_of, years: of(years), r, q, vol: of(vol) };
            let value = terms.value(Model::Forward);
            for (instrument, price) in [
                (call(strike), value.call::<PriceSet<Scalar>>().price.0),
                (put(strike), value.put::<PriceSet<Scalar>>().price.0),
            ] {
                self.quote(instrument, price, (i, instrument % 2) == (STRIKES.2 - 1, 1));
            }
        }
        self.beat();
    }

    fn beat(&mut self) {
        let timer = Timer { id: Timer::BEAT, reserved: 0, due: self.now, count: 0, reserved2: 0 };
        self.send(Event::new(Kind::TIMER, NO_INSTRUMENT, timer));
    }

    /// Two cents wide about the price, which no tick rounds.
    fn quote(&mut self, instrument: u32, price: f64, last: bool) {
        let (mid, cent) = ((price * 1e9) as i64, 10_000_000);
        let (bid, ask) = (Price((mid - cent).max(0)), Price(mid + cent));
        let quote = Quote { bid, ask, bid_size: 50, ask_size: 50, venue_seq: 0, reserved: 0 };
        let event = Event::new(Kind::QUOTE, instrument, quote);
        if last { self.send(event) } else { self.one(event) }
    }

    /// Ten seconds of a random walk.
    fn step(&mut self, wild: f64) {
        self.now += 10 * SECOND;
        let (a, b) = (self.roll(), self.roll());
        self.spot *= 1.0 + wild * 1.2e-4 * a;
        self.level = (self.level * (1.0 + wild * (2e-3 * b - 1e-3 * a))).clamp(0.05, 0.6);
        self.quotes();
    }

    fn run(&mut self, wild: f64) {
        self.quotes();
        for _ in 0..2_345 {
            self.step(wild);
        }
    }

    fn broker(&self) -> &Broker {
        &self.stages.1.1.1.1
    }

    /// Every package's causes as last told, and the sum of |changes| of each.
    fn causes(&self) -> BTreeMap<u64, [i64; CAUSES.len()]> {
        let mut causes: BTreeMap<u64, [i64; CAUSES.len()]> = BTreeMap::new();
        let outputs = self.broker().outputs.iter();
        for event in outputs.filter(|event| event.kind == Kind::PROFIT) {
            let row: &Profit = event.body();
            causes.entry(row.package).or_default()[usize::from(row.cause)] = row.amount.0;
        }
        causes
    }
}

fn show(causes: &[i64; CAUSES.len()]) {
    for (row, amount) in CAUSES.iter().zip(causes) {
        println!("{:>8} {:>12.2}", row.name, *amount as f64 / 1e9);
    }
}

#[test]
fn a_condors_day_is_explained_to_the_cent() {
    let mut day = Day::new("profit_target = 0.5\n", true);
    day.run(1.0);
    assert!(day.desk.book.is_flat());
    let all = day.causes();
    assert_eq!(all.len(), 1, "one entry");
    let causes = all.values().next().unwrap();
    show(causes);
    assert_eq!(causes[1..].iter().sum::<i64>(), causes[0], "the causes sum to the profit");
    assert_eq!(i128::from(causes[0]), -day.broker().paid, "which is the cash");
    let of = |cause: Cause| causes[usize::from(cause.0)];
    assert!(of(Cause::THETA) > 0 && of(Cause::GAMMA) < 0 && of(Cause::FEES) < 0);
}

#[test]
fn what_is_held_to_settlement_is_explained_to_the_cent() {
    let mut day = Day::new("profit_target = 1.0\n", false);
    day.run(1.0);
    assert!(day.desk.book.holdings().len() == 0, "settled");
    let settled = |event: &&Event| event.kind == Kind::SETTLEMENT;
    let told: Vec<&Event> = day.broker().outputs.iter().filter(settled).collect();
    assert_eq!(told.len(), 1, "one event for all of the expiry");
    let body: &zomma::wire::order::Settlement = told[0].body();
    let mut cash = -day.broker().paid;
    for (instrument, held) in &day.broker().held {
        let strike = i128::from(STRIKES.0 + i64::from(instrument / 2) * STRIKES.1) * 1_000_000_000;
        let price = i128::from(body.price.0);
        let inside = if instrument % 2 == 0 { price - strike } else { strike - price };
        cash += held * inside.max(0) * 100;
    }
    let all = day.causes();
    let causes = all.values().next().unwrap();
    show(causes);
    assert_eq!(causes[1..].iter().sum::<i64>(), causes[0]);
    assert_eq!(i128::from(causes[0]), cash);
}

/// What a step of spot, volatility and time, so many times a large one, moves by the first four
/// causes together, and what is left to the rest.
fn step_of(times: f64) -> [f64; 2] {
    let mut day = Day::new("profit_target = 1.0\n", false);
    for _ in 0..30 {
        day.step(0.2);
    }
    let package = *day.causes().keys().next().expect("held");
    let before = day.desk.book.explained(package).unwrap();
    day.now += (600.0 * times) as u64 * SECOND;
    day.spot *= 1.0 + 0.0025 * times;
    day.level += 0.02 * times;
    day.quotes();
    day.now += 60 * SECOND;
    day.quotes();
    let after = day.desk.book.explained(package).unwrap();
    let of = |cause: Cause| {
        let at = usize::from(cause.0);
        (after[at] - before[at]) as f64 / 1e9
    };
    let first = [Cause::DELTA, Cause::GAMMA, Cause::THETA, Cause::VEGA].map(of);
    println!("{times} of a large step: first causes {first:?}, rest {}", of(Cause::REST));
    [first.iter().map(|part| part.abs()).sum(), of(Cause::REST).abs()]
}

/// The causes go up to the second order and the cube of the underlying's move: of a step half as
/// large the rest must be less than a quarter.
#[test]
fn the_rest_vanishes_faster_than_the_square_of_a_step() {
    let [whole, half, quarter] = [1.0, 0.5, 0.25].map(step_of);
    assert!(whole[0] > 100.0, "a large step");
    assert!(half[1] < whole[1] / 4.0 && quarter[1] < half[1] / 4.0, "{half:?}, {quarter:?}");
}

/// While what is held has one-sided quotes nothing but its mark is known: no cause may take the
/// volatility or the underlying that is not there for one that has moved.
#[test]
fn what_has_no_volatility_for_a_while_explains_no_more_than_has_happened() {
    let mut day = Day::new("profit_target = 1.0\n", false);
    let (mut way, mut before) = (0.0, day.spot);
    for turn in 0..60 {
        day.step(1.0);
        way += (day.spot - before).abs();
        before = day.spot;
        let held: Vec<u32> = day.broker().held.keys().copied().collect();
        let both = held.iter().flat_map(|held| [(*held, true), (held ^ 1, false)]);
        for (instrument, is_held) in both.filter(|_| turn % 3 == 2) {
            // Of what is held nobody bids; the other side of its strike is below its floor.
            let cent = Price(10_000_000);
            let (bid, ask) = (if is_held { Price::UNDEF } else { cent }, Price(2 * cent.0));
            let quote = Quote { bid, ask, bid_size: 0, ask_size: 50, venue_seq: 0, reserved: 0 };
            day.send(Event::new(Kind::QUOTE, instrument, quote));
        }
        // Long enough that profit is looked at before there are quotes again.
        day.now += 61 * SECOND;
        day.beat();
    }
    let package = *day.causes().keys().next().expect("held");
    let causes = day.desk.book.explained(package).unwrap();
    show(&causes);
    // Two condors of four legs of a hundred, each of at most one delta.
    let most = way * 800.0;
    let delta = causes[usize::from(Cause::DELTA.0)] as f64 / 1e9;
    let gamma = causes[usize::from(Cause::GAMMA.0)] as f64 / 1e9;
    assert!(delta.abs() < most && gamma.abs() < most, "{delta}, {gamma} on a way of {way}");
}
