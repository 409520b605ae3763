//! A package, its marks and Greeks at one instant and the next in; its profit by cause out.
//!
//! Between two instants a line that held `units` from the first on made `units · (mark₁ − mark₀)`.
//! With the Greeks of the first instant and dS, dσ, dt (calendar years) of its expiry that is
//!
//! | cause | formula, times units |
//! |---|---|
//! | delta, gamma, theta, vega | Δ dS, ½ Γ dS², θ dt, ν dσ |
//! | vanna, vomma, charm, veta | vanna dS dσ, ½ vomma dσ², charm dS dt, −veta dσ dt |
//! | speed | ⅙ speed dS³ |
//! | rest | what was made, less all of these |
//!
//! Fills between the two count against the second mark (`TRADED`: half the spread, and what moved
//! since the fill), fees as they are. Marks and money are integers and each cause is rounded to
//! one, so the causes sum to the profit to the last unit, and once nothing is held the profit is
//! what came in less what went out. While an option has no volatility (its quote is one-sided, or
//! below its floor) its mark alone moves, and the next instant with one explains the whole way from
//! the last. The four first Greeks are the chain's; the others are those of
//! the European option at the same volatility.

use super::{
    Line, Mark, Package,
    exposure::present_value,
    mark,
    money::{Money, from_currency, value},
    package::LINES_MAX,
};
use crate::{
    chain::{Chain, Instrument},
    greeks::{
        black::{Row, Slice},
        lanes::Scalar,
        math::ln,
        sets::Side,
    },
    wire::{
        Price,
        market::{Class, Greeks, VolStatus},
    },
};

/// A row of the table of causes.
#[derive(Clone, Copy, Debug)]
pub struct CauseDoc {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
}

macro_rules! causes {
    ($($number:literal $name:ident $text:literal $about:literal;)*) => {
        /// Number of a cause in PROFIT events.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct Cause(pub u16);

        impl Cause {
            $(#[doc = $about] pub const $name: Cause = Cause($number);)*
        }

        /// All causes, by number.
        pub const CAUSES: &[CauseDoc] = &[$(CauseDoc { name: $text, about: $about }),*];
    };
}

causes! {
    0 PROFIT "profit" "Profit after fees: the sum of all other causes.";
    1 DELTA "delta" "The underlying's move at the delta held.";
    2 GAMMA "gamma" "The square of its move.";
    3 THETA "theta" "Time that passed.";
    4 VEGA "vega" "The move of each strike's own volatility.";
    5 VANNA "vanna" "Moves of the underlying and of volatility together.";
    6 VOMMA "vomma" "The square of volatility's move.";
    7 CHARM "charm" "The underlying's move and time together.";
    8 VETA "veta" "Volatility's move and time together.";
    9 SPEED "speed" "The cube of the underlying's move.";
    10 TRADED "traded" "Fills against the mark of their moment.";
    11 FEES "fees" "Fees, negative.";
    12 REST "rest" "What none of the others explains, exactly.";
}

const COUNT: usize = CAUSES.len();

impl Cause {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        CAUSES.get(usize::from(self.0)).map_or("unknown", |row| row.name)
    }
}

/// What a unit of an instrument is worth at an instant, and how that moves.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    mark: i64,
    spot: f64,
    vol: f64,
    years: f64,
    slopes: Slopes,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slopes {
    delta: f64,
    gamma: f64,
    theta: f64,
    vega: f64,
    vanna: f64,
    vomma: f64,
    charm: f64,
    veta: f64,
    speed: f64,
}

impl Point {
    /// What a line's instrument is now; `held` is the last one, which stays where only the mark is
    /// known.
    fn of(chain: &Chain, line: &Line, held: &Point) -> Option<Point> {
        let terms = chain.instrument(line.instrument)?;
        let mark = mark(chain, line.instrument, line.held, Mark::Mid)?;
        if !terms.class.is_option() {
            let slopes = Slopes { delta: 1.0, ..Slopes::default() };
            return Some(Point { mark, spot: Price(mark).to_f64(), slopes, ..Point::default() });
        }
        let priced = chain.greeks(line.instrument);
        let (Some(greeks), Some(spot)) = (
            priced.filter(|greeks| greeks.status == VolStatus::OK),
            present_value(chain, terms.expiry).filter(|spot| spot.is_finite()),
        ) else {
            return Some(Point { mark, ..*held });
        };
        let years = chain.expiry(terms.expiry).years;
        let slopes = slopes(chain, terms, &greeks);
        Some(Point { mark, spot, vol: greeks.iv, years, slopes })
    }

    /// What the slopes make of the way from here to `to`, by cause, per unit.
    fn moves(&self, to: &Point) -> [(Cause, f64); 9] {
        let (s, v, t) = (to.spot - self.spot, to.vol - self.vol, self.years - to.years);
        let v = if self.vol > 0.0 && to.vol > 0.0 { v } else { 0.0 };
        let g = &self.slopes;
        [
            (Cause::DELTA, g.delta * s),
            (Cause::GAMMA, 0.5 * g.gamma * s * s),
            (Cause::THETA, g.theta * t),
            (Cause::VEGA, g.vega * v),
            (Cause::VANNA, g.vanna * s * v),
            (Cause::VOMMA, 0.5 * g.vomma * v * v),
            (Cause::CHARM, g.charm * s * t),
            (Cause::VETA, -g.veta * v * t),
            (Cause::SPEED, g.speed * s * s * s / 6.0),
        ]
    }
}

fn slopes(chain: &Chain, terms: &Instrument, greeks: &Greeks) -> Slopes {
    let first = Slopes {
        delta: greeks.delta.into(),
        gamma: greeks.gamma.into(),
        theta: greeks.theta.into(),
        vega: greeks.vega.into(),
        ..Slopes::default()
    };
    let expiry = chain.expiry(terms.expiry);
    let live = expiry.vol_years > 0.0 && expiry.years > 0.0 && expiry.forward > 0.0;
    if !live || greeks.iv.is_nan() || greeks.iv <= 0.0 {
        return first;
    }
    let side = european(expiry, terms, greeks.iv);
    // The formula's time is volatility's own.
    let pace = expiry.vol_pace;
    Slopes {
        vanna: side.vanna().0,
        vomma: side.vomma().0,
        charm: side.charm().0 * pace,
        veta: side.veta().0 * pace,
        speed: side.speed().0,
        ..first
    }
}

fn european(expiry: &crate::chain::Expiry, terms: &Instrument, vol: f64) -> Side<Scalar> {
    let (a, root_t) = (expiry.discount * expiry.forward, expiry.vol_years.sqrt());
    let rate = Scalar(-ln(Scalar(expiry.discount)).0 / expiry.years);
    let slice = Slice {
        a: Scalar(a),
        discount: Scalar(expiry.discount),
        inv_spot: Scalar(1.0 / a),
        root_t: Scalar(root_t),
        inv_root_t: Scalar(1.0 / root_t),
        r: rate,
        q: rate,
    };
    let x = ln(Scalar(expiry.forward / terms.strike));
    let (strike, vol, inv_vol) = (Scalar(terms.strike), Scalar(vol), Scalar(1.0 / vol));
    let value = slice.value(&Row { strike, x, vol, inv_vol });
    if terms.class == Class::CALL { value.call() } else { value.put() }
}

/// A line at the last instant.
#[derive(Clone, Copy, Debug, Default)]
struct Anchor {
    held: i64,
    cash: Money,
    point: Point,
}

/// A package's profit by cause, kept from its entry on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Track {
    pub(super) causes: [Money; COUNT],
    pub(super) told: [Money; COUNT],
    anchors: [Anchor; LINES_MAX],
}

impl Track {
    /// Brings all lines up to what the chain says now.
    pub(super) fn step(&mut self, chain: &Chain, package: &Package) {
        for (i, line) in package.lines().iter().enumerate() {
            let anchor = &self.anchors[i];
            let still = (anchor.held, anchor.cash) == (line.held, line.cash());
            if still && line.held == 0 {
                continue;
            }
            match Point::of(chain, line, &anchor.point) {
                Some(point) => self.move_to(i, line, point),
                None if !still => self.move_to(i, line, anchor.unpriced(line)),
                None => {}
            }
        }
        self.close(package);
    }

    /// Line `i` has been settled at `mark`, with the underlying at `spot`.
    pub(super) fn settle(&mut self, i: usize, line: &Line, mark: i64, spot: f64) {
        let vol = self.anchors[i].point.vol;
        self.move_to(i, line, Point { mark, spot, vol, ..Point::default() });
    }

    fn move_to(&mut self, i: usize, line: &Line, to: Point) {
        let Anchor { held, cash, point: from } = self.anchors[i];
        let mut rest = value(to.mark - from.mark, held, line.multiplier);
        let units = held as f64 * line.multiplier as f64;
        for (cause, unit) in from.moves(&to) {
            let made = unit * units;
            let made = if made.is_finite() { from_currency(made) } else { 0 };
            self.add(cause, made);
            rest = rest.saturating_sub(made);
        }
        self.add(Cause::REST, rest);
        let since = value(to.mark, line.held - held, line.multiplier);
        self.add(Cause::TRADED, line.cash().saturating_sub(cash).saturating_add(since));
        self.anchors[i] = Anchor { held: line.held, cash: line.cash(), point: to };
    }

    fn add(&mut self, cause: Cause, made: Money) {
        let sum = &mut self.causes[usize::from(cause.0)];
        *sum = sum.saturating_add(made);
    }

    /// The profit by its own way: cash, what is held at the marks of the anchors, and fees.
    fn close(&mut self, package: &Package) {
        let lines = || package.lines().iter();
        let fees = lines().fold(0, |sum: Money, line| sum.saturating_add(line.fees));
        let worth = lines().zip(&self.anchors).fold(0, |sum: Money, (line, anchor)| {
            let held = value(anchor.point.mark, line.held, line.multiplier);
            sum.saturating_add(line.cash()).saturating_add(held)
        });
        self.causes[usize::from(Cause::FEES.0)] = -fees;
        self.causes[usize::from(Cause::PROFIT.0)] = worth.saturating_sub(fees);
    }
}

impl Anchor {
    /// The last point again, or what was paid where there is none.
    fn unpriced(&self, line: &Line) -> Point {
        let mark = if self.held == 0 { line.average() } else { self.point.mark };
        Point { mark, ..self.point }
    }
}
