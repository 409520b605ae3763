//! A trading floor made by hand: a chain of today's SPXW options, the stages from CHAIN to RISK,
//! and a broker whose reports the test writes.
#![allow(dead_code, reason = "every test binary uses its own part")]
pub(crate) mod wish;

use bytemuck::Zeroable;
use zomma::{
    book::{Account, Book, Desk, Horizon, Roster},
    chain::{Chain, Track, Universe, name_of},
    feature::Row,
    risk::{Cleared, Limits, Risk, from_config},
    stage::{Emit, Stage},
    strategy::{Decide, Set},
    wire::{
        Event, Flags, Kind, NO_INSTRUMENT, Price, Timestamp,
        control::{Command, Gap, Run, Session, SessionState, Timer, Verb},
        market::{Class, Definition, Forward, Greeks, Interest, Quote, Status, VolStatus},
        order::{Decision, Leg, Order, OrderStatus, Report, ReportKind},
    },
};

/// The broker's session.
pub(crate) const BROKER: u16 = 9;
/// Wednesday, 12 June 2024, 09:30 in New York.
pub(crate) const OPEN: Timestamp = 1_718_199_000_000_000_000;
/// A second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// First strike, step, number of strikes: instrument 2·i is the call, 2·i + 1 the put.
pub(crate) const STRIKES: (i64, i64, i64) = (5_300, 5, 41);

/// The same of the next day's expiry; its instruments follow.
pub(crate) const TOMORROW: (i64, i64, i64) = (5_350, 5, 21);

/// Settings as the repository ships them, opened wide where a rehearsal does, and changed by `more`
/// lines under `[limits]`.
pub(crate) fn settings(more: &str) -> (Account, Limits) {
    let text = "[account]\norders_max = 64\npackages_max = 16\ninstruments_max = 128\n[limits]\n";
    let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_string();
    let set: Vec<String> = more.lines().map(key).collect();
    let wide = include_str!("../../src/run/simulate/wide.toml").lines();
    let wide: Vec<&str> = wide.filter(|line| !set.contains(&key(line))).collect();
    let more = format!("{more}\n{}", wide.join("\n"));
    let mut reader = zomma::config::Reader::new("limits.toml", &format!("{text}{more}")).unwrap();
    let found = from_config(&mut reader);
    if let Err(errors) = reader.finish() {
        panic!("{errors:?}");
    }
    found.unwrap()
}

/// Strategies of a test that sends intents itself.
pub(crate) fn roster() -> Roster {
    Roster::new([("intraday", Horizon::Intraday), ("swing", Horizon::Swing)])
}

/// The universe that the repository ships.
pub(crate) fn universe() -> Universe {
    let text = include_str!("../../config/universe.toml");
    let text = text.replace("instruments_max = 16_384", "instruments_max = 128");
    Universe::parse("universe.toml", &text).unwrap()
}

/// A call's instrument.
pub(crate) fn call(strike: i64) -> u32 {
    (2 * (strike - STRIKES.0) / STRIKES.1) as u32
}

/// A put's instrument.
pub(crate) fn put(strike: i64) -> u32 {
    call(strike) + 1
}

/// The next day's contract of a right at a strike.
pub(crate) fn tomorrow(strike: i64, is_call: bool) -> u32 {
    let first = 2 * STRIKES.2 as u32;
    first + 2 * ((strike - TOMORROW.0) / TOMORROW.1) as u32 + u32::from(!is_call)
}

/// The stages and what came out of them.
pub(crate) struct Floor {
    pub(crate) desk: Desk,
    pub(crate) decide: Decide,
    pub(crate) risk: Risk,
    pub(crate) out: Vec<Event>,
    pub(crate) now: Timestamp,
    pub(crate) sent: Vec<Event>,
    /// Implied volatility of what is quoted next.
    pub(crate) vol: f64,
    /// Whether all Greeks are told.
    lit: bool,
    batching: bool,
    seq: u64,
    reports: u64,
}

/// RISK, then a list of what it let out.
struct Down<'a>(&'a mut Risk, &'a mut Vec<Event>);

impl Emit<Desk, Event> for Down<'_> {
    fn emit(&mut self, desk: &mut Desk, event: &Event) {
        let out = &mut *self.1;
        let mut tap = zomma::stage::Tap(|_: &mut Desk, cleared: &Cleared| {
            if cleared.event().kind.is_output() {
                out.push(*cleared.event());
            }
        });
        self.0.on(desk, event, &mut tap);
    }
}

/// CHAIN's tracking, then DECIDE, then the rest.
struct Middle<'a>(&'a mut Decide, Down<'a>);

impl Emit<Desk, Event> for Middle<'_> {
    fn emit(&mut self, desk: &mut Desk, event: &Event) {
        self.0.on(desk, event, &mut self.1);
    }
}

impl Floor {
    /// At the open, with definitions, a session that is up, and no quotes.
    pub(crate) fn new(set: Set, more: &str) -> Floor {
        Floor::of(&universe(), set, more)
    }

    /// The same in another universe.
    pub(crate) fn of(universe: &Universe, set: Set, more: &str) -> Floor {
        let (account, limits) = settings(more);
        let roster = if set.names().len() == 0 { roster() } else { set.roster() };
        let book = Book::new(&account, BROKER);
        let desk = Desk { chain: Chain::new(universe), book, features: Row::default() };
        let mut floor = Floor {
            desk,
            decide: Decide::new(set),
            risk: Risk::new(limits, roster),
            out: Vec::new(),
            now: OPEN,
            sent: Vec::new(),
            vol: 0.1,
            lit: false,
            batching: false,
            seq: 0,
            reports: 0,
        };
        let run = Run { epoch: 1, order_base: 1_000, reserved: [0; 2] };
        floor.send(Event::new(Kind::RUN, NO_INSTRUMENT, run));
        for i in 0..STRIKES.2 {
            let strike = STRIKES.0 + i * STRIKES.1;
            floor.define(call(strike), Class::CALL, strike, 0);
            floor.define(put(strike), Class::PUT, strike, 0);
        }
        floor.session(SessionState::UP);
        floor
    }

    /// Defines the next day's contracts too.
    pub(crate) fn define_tomorrow(&mut self) {
        for i in 0..TOMORROW.2 {
            let strike = TOMORROW.0 + i * TOMORROW.1;
            self.define(tomorrow(strike, true), Class::CALL, strike, 1);
            self.define(tomorrow(strike, false), Class::PUT, strike, 1);
        }
    }

    fn define(&mut self, index: u32, class: Class, strike: i64, days: u64) {
        let definition = Definition {
            strike: Price(strike * 1_000_000_000),
            // 00:00 UTC of the date, as OPRA has it.
            expiration: 1_718_150_400_000_000_000 + days * 86_400 * SECOND,
            root: name_of("SPXW"),
            venue_id: index,
            class,
            mapped: 0,
            reserved: 0,
        };
        self.send(Event::new(Kind::DEFINITION, index, definition));
    }

    /// One event, numbered and stamped, as its own batch unless a batch is being made.
    pub(crate) fn send(&mut self, event: Event) {
        self.seq += 1;
        let flags = if self.batching { Flags::NONE } else { Flags::BATCH_END };
        let now = self.now;
        self.replay(Event { seq: self.seq, ts_recv: now, ts_event: now, flags, ..event });
    }

    /// An event as it was.
    pub(crate) fn replay(&mut self, event: Event) {
        self.sent.push(event);
        let down = Down(&mut self.risk, &mut self.out);
        let mut middle = Middle(&mut self.decide, down);
        Track.on(&mut self.desk, &event, &mut middle);
    }

    /// An intent straight to RISK.
    pub(crate) fn direct(&mut self, event: Event) {
        Down(&mut self.risk, &mut self.out).emit(&mut self.desk, &event);
    }

    /// The beat, `seconds` later.
    pub(crate) fn wait(&mut self, seconds: f64) {
        self.now += (seconds * 1e9) as u64;
        let timer = Timer { id: Timer::BEAT, reserved: 0, due: self.now, count: 0, reserved2: 0 };
        self.send(Event::new(Kind::TIMER, NO_INSTRUMENT, timer));
    }

    pub(crate) fn session(&mut self, state: SessionState) {
        let session = Session { state, ..Session::zeroed() };
        self.send(Event { source: BROKER, ..Event::new(Kind::SESSION, NO_INSTRUMENT, session) });
    }

    pub(crate) fn command(&mut self, verb: Verb) {
        let command = Command::new(verb, Command::EVERY, b"a test");
        self.send(Event::new(Kind::COMMAND, NO_INSTRUMENT, command));
    }

    pub(crate) fn gap(&mut self) {
        self.send(Event::new(Kind::GAP, NO_INSTRUMENT, Gap { cause: 1, ..Gap::zeroed() }));
    }

    pub(crate) fn status(&mut self, instrument: u32, action: u16) {
        let status = Status { action, reason: 0, reserved: [0; 7] };
        self.send(Event::new(Kind::STATUS, instrument, status));
    }

    /// A quote in cents; a negative number is an absent side.
    pub(crate) fn quote(&mut self, instrument: u32, bid: i64, ask: i64) {
        let price = |cents: i64| if cents < 0 { Price::UNDEF } else { Price(cents * 10_000_000) };
        let quote = Quote {
            bid: price(bid),
            ask: price(ask),
            bid_size: 10,
            ask_size: 10,
            venue_seq: 0,
            reserved: 0,
        };
        self.send(Event::new(Kind::QUOTE, instrument, quote));
    }

    /// Quotes and Greeks of today's whole chain at a spot; `rich` scales the time value.
    pub(crate) fn market(&mut self, spot: f64, rich: f64) {
        self.quotes(
            STRIKES,
            spot,
            rich,
            |strike, is_call| {
                if is_call { call(strike) } else { put(strike) }
            },
        );
    }

    /// Round by round a market that comes and goes: the chain every fourth time, one option always.
    pub(crate) fn wave(&mut self, round: usize) {
        let wave = (round % 40) as f64 - 20.0;
        if round.is_multiple_of(4) {
            self.market(5_400.0 + wave.abs() * 0.2, 1.0 - 0.004 * wave.abs());
        }
        self.quote(call(5_420), 300 + round as i64 % 7 * 10, 370 + round as i64 % 5 * 10);
    }

    /// Quotes of the chain with a forward and every Greek.
    pub(crate) fn whole_market(&mut self, spot: f64) {
        self.forward(spot);
        self.lit = true;
        self.market(spot, 1.0);
    }

    /// The same of the next day's.
    pub(crate) fn market_tomorrow(&mut self, spot: f64, rich: f64) {
        self.quotes(TOMORROW, spot, rich, tomorrow);
    }

    fn quotes(
        &mut self,
        (first, step, count): (i64, i64, i64),
        spot: f64,
        rich: f64,
        contract: fn(i64, bool) -> u32,
    ) {
        self.batching = true;
        for i in 0..count {
            let strike = first + i * step;
            let distance = strike as f64 - spot;
            let time_value = rich * 1_200.0 / (1.0 + (distance / 14.0).powi(2));
            for (is_call, sign) in [(true, 1.0), (false, -1.0)] {
                let inside = (-sign * distance).max(0.0) * 100.0;
                let mid = ((inside + time_value) / 10.0) as i64 * 10;
                self.greeks(contract(strike, is_call), sign, distance);
                self.batching = (i, is_call) != (count - 1, false);
                self.quote(
                    contract(strike, is_call),
                    (mid - 5).max(0) / 10 * 10,
                    mid / 10 * 10 + 10,
                );
            }
        }
    }

    pub(crate) fn greeks(&mut self, instrument: u32, sign: f64, distance: f64) {
        let delta = 0.5 - 0.5 * distance / (400.0 + distance * distance).sqrt();
        let delta = (if sign > 0.0 { delta } else { delta - 1.0 }) as f32;
        let status = VolStatus::OK;
        let mut greeks = Greeks { iv: self.vol, delta, status, ..Greeks::zeroed() };
        if self.lit {
            let near = (1.0 / (1.0 + distance.abs() / 50.0)) as f32;
            (greeks.price, greeks.gamma) = (2.0, 0.002 * near);
            (greeks.theta, greeks.vega) = (-900.0 * near, 50.0 * near);
        }
        self.send(Event::new(Kind::GREEKS, instrument, greeks));
    }

    /// The forward of today's expiry.
    pub(crate) fn forward(&mut self, price: f64) {
        self.forward_of(0, price);
    }

    /// The forward of an expiry.
    pub(crate) fn forward_of(&mut self, expiry: u32, price: f64) {
        let years = match usize::try_from(expiry) {
            Ok(at) if at < self.desk.chain.expiries_len() => self.desk.chain.years(expiry as u16),
            _ => 0.0,
        };
        let forward = Forward { forward: price, discount: 1.0, years, spread: 0.0, strikes: 0 };
        self.send(Event::new(Kind::FORWARD, expiry, forward));
    }

    /// Open contracts of an instrument.
    pub(crate) fn interest(&mut self, instrument: u32, contracts: i64) {
        let interest = Interest { contracts, ts_ref: 0, reserved: [0; 2] };
        self.send(Event::new(Kind::INTEREST, instrument, interest));
    }

    /// A report on an order; `leg` is [`Report::WHOLE`] or an index.
    pub(crate) fn report(&mut self, report: Report) {
        self.send(Event::new(Kind::REPORT, NO_INSTRUMENT, report));
    }

    pub(crate) fn tell(&mut self, order: u64, event: ReportKind, status: OrderStatus) {
        self.reports += 1;
        let exec_id = self.reports;
        let leg = Report::WHOLE;
        let price = Price::UNDEF;
        self.report(Report { order, exec_id, price, quantity: 0, event, status, leg, resent: 0 });
    }

    pub(crate) fn ack(&mut self, order: u64) {
        self.tell(order, ReportKind::NEW, OrderStatus::NEW);
    }

    pub(crate) fn canceled(&mut self, order: u64) {
        self.tell(order, ReportKind::CANCELED, OrderStatus::CANCELED);
    }

    pub(crate) fn fill(&mut self, order: u64, leg: u8, quantity: u32, price: i64) {
        self.reports += 1;
        self.report(Report {
            order,
            exec_id: self.reports,
            price: Price(price),
            quantity,
            event: ReportKind::FILL,
            status: OrderStatus::PARTIAL,
            leg,
            resent: 0,
        });
    }

    /// Fills every leg of an order at the price that was reckoned with.
    pub(crate) fn fill_all(&mut self, order: u64) {
        let (head, legs) = self.order(order);
        for (i, (_, leg)) in legs.iter().enumerate() {
            self.fill(order, i as u8, head.quantity * leg.ratio, leg.price.0);
        }
        self.tell(order, ReportKind::FILL, OrderStatus::FILLED);
    }

    /// An order that went out, with its legs.
    pub(crate) fn order(&self, id: u64) -> (Order, Vec<(u32, Leg)>) {
        let is_it = |event: &&Event| event.kind == Kind::ORDER && event.body::<Order>().id == id;
        let head = *self.out.iter().find(is_it).unwrap().body::<Order>();
        let legs = self.out.iter().filter(|event| event.kind == Kind::ORDER_LEG);
        let legs = legs.map(|event| (event.instrument, *event.body::<Leg>()));
        (head, legs.filter(|(_, leg)| leg.order == id).collect())
    }

    /// All orders that went out.
    pub(crate) fn orders(&self) -> Vec<Order> {
        let orders = self.out.iter().filter(|event| event.kind == Kind::ORDER);
        orders.map(|event| *event.body::<Order>()).collect()
    }

    pub(crate) fn last_order(&self) -> Order {
        *self.orders().last().expect("an order")
    }

    /// How many events of a kind went out.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.out.iter().filter(|event| event.kind == kind).count()
    }

    /// Codes of all decisions.
    pub(crate) fn codes(&self) -> Vec<u16> {
        self.decisions().iter().map(|decision| decision.code).collect()
    }

    pub(crate) fn decisions(&self) -> Vec<Decision> {
        let decisions = self.out.iter().filter(|event| event.kind == Kind::DECISION);
        decisions.map(|event| *event.body::<Decision>()).collect()
    }
}
