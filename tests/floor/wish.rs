//! Orders that a test asks the gate for, and what is held before: instruments and prices in, events
//! and a filled book out.
use super::{Floor, call, put};
use zomma::{
    book::{Desk, OrderLeg, Outcome, Sheet},
    wire::{
        Event, Kind, NO_INSTRUMENT, Price,
        order::{LEGS_MAX, Leg, Order, OrderStatus, Purpose, Report, ReportKind},
    },
};

/// An order to be judged: head, and per leg instrument, side, ratio and price in cents.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) head: Order,
    pub(crate) legs: Vec<(u32, i8, u32, i64)>,
}

impl Wish {
    pub(crate) fn events(&self, floor: &Floor) -> (Event, Vec<Event>) {
        let stamp = |event: Event| Event { ts_recv: floor.now, ..event };
        let head = Order { legs: self.legs.len() as u8, ..self.head };
        let leg = |(i, &(instrument, side, ratio, cents)): (usize, &(u32, i8, u32, i64))| {
            let body = Leg {
                order: head.id,
                price: Price(cents * 10_000_000),
                ratio,
                side,
                index: i as u8,
                reserved: 0,
                reserved2: 0,
            };
            stamp(Event::new(Kind::INTENT_LEG, instrument, body))
        };
        let legs = self.legs.iter().enumerate().map(leg).collect();
        (stamp(Event::new(Kind::INTENT, NO_INSTRUMENT, head)), legs)
    }
}

pub(crate) fn net(legs: &[(u32, i8, u32, i64)]) -> Price {
    let each = |&(_, side, ratio, cents): &(u32, i8, u32, i64)| {
        i64::from(side) * i64::from(ratio) * cents * 10_000_000
    };
    Price(legs.iter().map(each).sum())
}

/// A condor that keeps every limit: 5 wide, credit 1.00.
pub(crate) fn condor(floor: &mut Floor) -> Wish {
    let legs = vec![
        (put(5_375), 1, 1, 100),
        (put(5_380), -1, 1, 150),
        (call(5_420), -1, 1, 150),
        (call(5_425), 1, 1, 100),
    ];
    for &(instrument, _, _, cents) in &legs {
        floor.quote(instrument, cents - 5, cents + 5);
    }
    let id = floor.desk.book.number();
    let head = Order {
        id,
        limit: net(&legs),
        quantity: 1,
        strategy: 0,
        legs: 4,
        purpose: Purpose::ENTRY,
        package: id,
    };
    Wish { head, legs }
}

/// Sends a wish through the gate.
pub(crate) fn ask(floor: &mut Floor, wish: &Wish) {
    let (head, legs) = wish.events(floor);
    for event in core::iter::once(head).chain(legs) {
        floor.direct(event);
    }
}

/// Puts an order of one leg into the book as if it had been approved.
pub(crate) fn work(desk: &mut Desk, wish: &Wish) {
    let (instrument, side, ratio, cents) = wish.legs[0];
    let (side, price) = (i64::from(side), cents * 10_000_000);
    let mut legs = [OrderLeg::default(); LEGS_MAX];
    legs[0] = OrderLeg { instrument, ratio, side, multiplier: 100, price, filled: 0 };
    let head = Order { legs: 1, ..wish.head };
    let loss = price * i64::from(ratio) * i64::from(head.quantity) * 100;
    assert!(desk.book.register(&Sheet { head, legs, loss, expiry: 0, sent: 0 }));
}

/// Puts contracts into the book by an order and its fill; the package's number.
pub(crate) fn hold(desk: &mut Desk, instrument: u32, contracts: i64, price: i64) -> u64 {
    hold_units(desk, instrument, contracts, price, 100)
}

/// The same of contracts of so many units each.
pub(crate) fn hold_units(
    desk: &mut Desk,
    instrument: u32,
    contracts: i64,
    price: i64,
    multiplier: i64,
) -> u64 {
    let id = desk.book.number();
    let mut legs = [OrderLeg::default(); LEGS_MAX];
    let side = contracts.signum();
    legs[0] = OrderLeg { instrument, ratio: 1, side, multiplier, price, filled: 0 };
    let quantity = contracts.unsigned_abs() as u32;
    let purpose = Purpose::ENTRY;
    let head = Order {
        id,
        limit: Price(side * price),
        quantity,
        strategy: 0,
        legs: 1,
        purpose,
        package: id,
    };
    assert!(desk.book.register(&Sheet { head, legs, loss: 0, expiry: 0, sent: 0 }));
    let outcome = desk.book.report(&fill(id, 0, quantity, price, id));
    assert_eq!(outcome, Outcome::Applied);
    id
}

pub(crate) fn fill(order: u64, leg: u8, quantity: u32, price: i64, exec_id: u64) -> Report {
    Report {
        order,
        exec_id,
        price: Price(price),
        quantity,
        event: ReportKind::FILL,
        status: OrderStatus::PARTIAL,
        leg,
        resent: 0,
    }
}
