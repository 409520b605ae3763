//! Prices of the underlying in; where the day stands against its own open, extremes and
//! volume-weighted average, and against the session before, out.

use super::{
    bar::Tick,
    block::{Block, See, Setup},
    table::{Axis, POSITIVE, REAL, Stat, Table, all_by, stat},
};
use crate::wire::NANOS_PER_SECOND;

const STATS: &[Stat] = &all_by(
    "the session so far",
    [
        stat("session_return", "1", REAL, "price / first price of the session − 1"),
        stat(
            "session_gap",
            "1",
            REAL,
            "first price of the session / last one of the session before − 1",
        ),
        stat("session_range", "1", POSITIVE, "(high − low)/first price"),
        stat("session_place", "1", [0.0, 1.0], "(price − low)/(high − low), ½ for high = low"),
        stat("high_age", "h", POSITIVE, "hours since the session's high"),
        stat("low_age", "h", POSITIVE, "hours since the session's low"),
        stat(
            "session_vwap_gap",
            "1",
            REAL,
            "price / (Σ price·volume / Σ volume of the session) − 1",
        ),
        stat(
            "opening_place",
            "1",
            REAL,
            "(price − low₃₀)/(high₃₀ − low₃₀), of the first 30 minutes, when they are over",
        ),
        stat("opening_width", "1", POSITIVE, "(high₃₀ − low₃₀)/first price, when they are over"),
        stat("before_place", "1", REAL, "(price − low)/(high − low) of the session before"),
        stat("before_return", "1", REAL, "last / first price − 1 of the session before"),
    ],
);

const OPENING: u64 = 1_800 * NANOS_PER_SECOND;

/// Prices of one session.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: f64,
    high: f64,
    low: f64,
    last: f64,
    volume: f64,
    turnover: f64,
}

impl Span {
    const NONE: Span = Span {
        first: f64::NAN,
        high: f64::NAN,
        low: f64::NAN,
        last: f64::NAN,
        volume: 0.0,
        turnover: 0.0,
    };

    fn take(&mut self, price: f64) -> (bool, bool) {
        let began = self.first.is_nan();
        if began {
            (self.first, self.high, self.low) = (price, price, price);
        }
        let (up, down) = (began || price > self.high, began || price < self.low);
        self.high = if up { price } else { self.high };
        self.low = if down { price } else { self.low };
        self.last = price;
        (up, down)
    }

    fn place(&self, price: f64) -> f64 {
        let range = self.high - self.low;
        if range == 0.0 { 0.5 } else { (price - self.low) / range }
    }
}

/// The session so far, and the one before.
#[derive(Debug)]
pub(super) struct Session {
    date: u32,
    today: Span,
    opening: Span,
    before: Span,
    high_at: u64,
    low_at: u64,
}

impl Block for Session {
    const TABLE: &'static Table =
        &Table { family: "session", outer: Axis::One, inner: Axis::One, stats: STATS };

    fn new(_: &Setup<'_>) -> Session {
        let (today, opening, before) = (Span::NONE, Span::NONE, Span::NONE);
        Session { date: 0, today, opening, before, high_at: 0, low_at: 0 }
    }

    fn on_tick(&mut self, see: &See<'_>, tick: Tick) {
        if see.day.date != self.date {
            if !self.today.first.is_nan() {
                self.before = self.today;
            }
            (self.date, self.today, self.opening) = (see.day.date, Span::NONE, Span::NONE);
        }
        match tick {
            Tick::Price(price) => {
                let (up, down) = self.today.take(price);
                self.high_at = if up { see.now } else { self.high_at };
                self.low_at = if down { see.now } else { self.low_at };
                if see.now < see.day.opens + OPENING {
                    self.opening.take(price);
                }
            }
            Tick::Print(price, units) => {
                self.today.volume += units;
                self.today.turnover += price * units;
            }
            Tick::Interest(_) => {}
        }
    }

    fn fill(&mut self, see: &See<'_>, _: &[f64], out: &mut [f64]) {
        if see.day.date != self.date {
            return out.fill(f64::NAN);
        }
        let (today, before) = (&self.today, &self.before);
        let price = today.last;
        let over = see.now >= see.day.opens + OPENING;
        let opened = |value: f64| if over { value } else { f64::NAN };
        let hours =
            |at: u64| see.now.saturating_sub(at) as f64 / (3_600.0 * NANOS_PER_SECOND as f64);
        let age = |at: u64| if today.first.is_nan() { f64::NAN } else { hours(at) };
        let range = self.opening.high - self.opening.low;
        out.copy_from_slice(&[
            price / today.first - 1.0,
            today.first / before.last - 1.0,
            (today.high - today.low) / today.first,
            today.place(price),
            age(self.high_at),
            age(self.low_at),
            price / (today.turnover / today.volume) - 1.0,
            opened(self.opening.place(price)),
            opened(range / today.first),
            before.place(price),
            before.last / before.first - 1.0,
        ]);
    }
}
