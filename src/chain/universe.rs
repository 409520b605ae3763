//! What the configuration says of the market: TOML text in; roots, calendars and limits out.

use super::{Calendar, Date, Delivery, Dividend, Fixing, Root, Style};
use crate::config::{Error, Reader, Span, TimeOfDay, Value};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use jiff::tz::TimeZoneDatabase;

/// Which stamp of an event the chain's time comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clock {
    /// The exchange's event time: recorded or compressed data.
    Exchange,
    /// The receive time: live.
    Receive,
}

impl Value for Clock {
    const WANTED: &'static str = "\"exchange\" or \"receive\"";
    fn read(value: &toml::Value) -> Option<Clock> {
        match value.as_str()? {
            "exchange" => Some(Clock::Exchange),
            "receive" => Some(Clock::Receive),
            _ => None,
        }
    }
    fn show(&self) -> String {
        match self {
            Clock::Exchange => "\"exchange\"".to_string(),
            Clock::Receive => "\"receive\"".to_string(),
        }
    }
}

crate::section! {
    /// One root: `[[root]]`. The one named `default` is the rule for roots that are not listed.
    pub struct RootRow {
        /// Option root as the feed writes it; its first eight letters count.
        pub name: String, "-";
        /// Ticker of the underlying on its own session, empty for none.
        pub underlying: String = String::new(), "-";
        /// Currency per point of one contract.
        pub multiplier: f64 = 100.0, in 0.000_001..=1_000_000.0, "currency";
        /// Exercise style.
        pub style: Style = Style::American, "-";
        /// Calendar that it trades by.
        pub calendar: String = "us".to_string(), "-";
        /// When a contract settles on its expiration date, in the calendar's zone.
        pub settles: TimeOfDay = TimeOfDay(16 * 3600), "-";
        /// Settled on the opening prices: an early close does not move it.
        pub morning: bool = false, "-";
        /// Prices from which the tick of the same place holds, ascending from 0.
        pub tick_from: Vec<f64> = Vec::from([0.0, 3.0]), "currency";
        /// Tick sizes.
        pub tick_size: Vec<f64> = Vec::from([0.05, 0.10]), "currency";
        /// Orders must be for whole multiples of so many contracts.
        pub lot: u32 = 1, in 1..=1_000_000, "contracts";
        /// The exchange's freeze quantity: most contracts of one order.
        pub freeze: u32 = 1_000_000, in 1..=1_000_000_000, "contracts";
        /// On the restricted list: nothing is opened in it.
        pub restricted: bool = false, "-";
        /// Roots of one group move together; empty for a group of its own.
        pub group: String = String::new(), "-";
        /// Tick of the underlying itself.
        pub underlying_tick: f64 = 0.01, in 0.000_001..=1_000.0, "currency";
        /// How exercised contracts are settled: "cash", or "physical" in units of the underlying.
        pub delivery: Delivery = Delivery::Cash, "-";
        /// A contract in the money by at least this is exercised.
        pub exercise_min: f64 = 0.01, in 0.0..=1_000.0, "currency/unit";
        /// Which mid of the underlying it settles on: the "last" up to that instant, the first
        /// ("open") from then on, or the "average" before it.
        pub settled_on: Fixing = Fixing::Last, "-";
        /// How long the average is taken over.
        pub average_over: Span = Span(1_800_000_000_000), "-";
    }
}

crate::section! {
    /// One exchange calendar: `[[calendar]]`.
    pub struct CalendarRow {
        /// How roots name it.
        pub name: String, "-";
        /// IANA zone, resolved from the database that is built in.
        pub zone: String, "-";
        /// Days that close early.
        pub half_days: Vec<Date> = Vec::new(), "-";
        /// When they close.
        pub half_day_close: TimeOfDay = TimeOfDay(13 * 3600), "-";
        /// Days without trading, weekends apart.
        pub holidays: Vec<Date> = Vec::new(), "-";
        /// When a session opens.
        pub open: TimeOfDay = TimeOfDay(34_200), "-";
        /// When it closes, early closes apart.
        pub close: TimeOfDay = TimeOfDay(57_600), "-";
        /// Variance of a second of a session, against the other two.
        pub session_weight: f64 = 1.0, in 0.0..=1_000.0, "-";
        /// Variance of a second of a trading day outside of its session.
        pub overnight_weight: f64 = 1.0, in 0.0..=1_000.0, "-";
        /// Variance of a second of a day without trading.
        pub closed_weight: f64 = 1.0, in 0.0..=1_000.0, "-";
    }
}

crate::section! {
    /// An announcement that carries variance of its own: `[[event]]`.
    pub struct EventRow {
        /// What is announced.
        pub name: String, "-";
        /// Calendar whose volatility it moves.
        pub calendar: String = "us".to_string(), "-";
        /// The day.
        pub date: Date, "-";
        /// The time, in the calendar's zone.
        pub time: TimeOfDay, "-";
        /// Its variance, in average calendar days.
        pub days: f64, in 0.0..=100.0, "days";
    }
}

crate::section! {
    /// A cash dividend: `[[dividend]]`.
    pub struct DividendRow {
        /// Ticker of the underlying, as its roots name it.
        pub underlying: String, "-";
        /// The day from which it is quoted without the dividend.
        pub date: Date, "-";
        /// Currency per unit of the underlying.
        pub amount: f64, in 0.0..=1_000_000.0, "currency";
    }
}

crate::section! {
    /// Interest rates.
    pub struct Rates {
        /// Continuous risk-free rate a year (0.045 is 4.5 %), for discounting.
        pub rate: f64 = 0.045, in -0.05..=1.0, "1/year";
    }
}

crate::section! {
    /// Sizes of the tables of the chain.
    pub struct Limits {
        /// Most instruments: one more than the highest dense index.
        pub instruments_max: usize = 16_384, in 64..=1_048_576, "instruments";
        /// Most pairs of root and settlement instant.
        pub expiries_max: usize = 128, in 1..=4_096, "expiries";
        /// Most strikes of one expiry.
        pub strikes_max: usize = 512, in 8..=8_192, "strikes";
        /// Most roots, listed or met.
        pub roots_max: usize = 64, in 1..=1_024, "roots";
        /// Most sessions of the feed.
        pub sessions_max: usize = 64, in 1..=1_024, "sessions";
        /// An event time further ahead of the last one than this is a fault, not a time.
        pub jump_max: Span = Span(7 * 24 * 3_600_000_000_000), "-";
    }
}

crate::section! {
    /// When forwards and Greeks are computed anew.
    pub struct Revaluation {
        /// Pairs of call and put nearest the money that make a forward.
        pub pairs_max: usize = 12, in 1..=64, "pairs";
        /// Fewer pairs than this give no forward; the spot serves instead where there is one.
        pub pairs_min: usize = 2, in 1..=64, "pairs";
        /// European options that settle no sooner than this have their discount taken from parity;
        /// the configured rate discounts the others.
        pub discount_days: usize = 14, in 1..=100_000, "days";
        /// Fewer pairs than this give no discount.
        pub discount_pairs: usize = 10, in 3..=64, "pairs";
        /// A discount is believed when its rate is this near the configured one.
        pub discount_off: f64 = 0.10, in 0.0..=10.0, "1/year";
        /// A forward counts as moved when it has moved by this share of the root's smallest tick.
        pub move_min: f64 = 2.0, in 0.0..=1_000.0, "ticks";
        /// An expiry is computed anew when so much time has passed, even if nothing moved.
        pub step: Span = Span(1_000_000_000), "-";
        /// Nearest expiries, of the roots that strategies trade, that are computed at every batch:
        /// as many as reach the furthest one that a strategy trades.
        pub active: usize = 4, in 1..=4_096, "expiries";
        /// Expiries that have their turn at each beat, the others and what `near` left to do: with
        /// `expiries_max` and the length of a beat the longest that anything waits.
        pub turns: usize = 1, in 1..=4_096, "expiries";
        /// Strikes up to so many of their own standard deviations from the forward follow it at
        /// once; those beyond, whose options hardly change, with the next turn of their expiry.
        pub near: f64 = 2.5, in 0.0..=1_000.0, "deviations";
        /// Strikes that were near stay so until they are further out by this.
        pub near_slack: f64 = 0.5, in 0.0..=1_000.0, "deviations";
        /// Early-exercise boundaries solved at each beat, eight rows and one side each: about
        /// 50 µs of the hot thread apiece.
        pub boundaries: usize = 1, in 0..=64, "boundaries";
        /// Boundaries kept, 8 KiB each; American options beyond are valued as European.
        pub boundaries_max: usize = 1_024, in 0..=65_536, "boundaries";
    }
}

crate::section! {
    /// When smiles are fitted.
    pub struct Surface {
        /// Beats between two fits.
        pub every: usize = 10, in 1..=100_000, "beats";
        /// Expiries fitted then, in turn.
        pub turns: usize = 1, in 0..=4_096, "expiries";
        /// Options quoted wider than this share of their mid take no part.
        pub width_max: f64 = 1.0, in 0.001..=2.0, "-";
    }
}

crate::section! {
    /// A series of numbers from beside the market: `[[series]]`.
    pub struct SeriesRow {
        /// Its name, as files, lines on sockets and features write it.
        pub name: String, "-";
        /// Unit of its numbers.
        pub unit: String = "-".to_string(), "-";
        /// What is known is stale when nothing newer became known for this long.
        pub stale_after: Span = Span(4 * 24 * 3_600_000_000_000),
            in Span(1_000_000_000)..=Span(366 * 24 * 3_600_000_000_000), "time";
        /// Room for what is known and for what waits for its time, 24 bytes each; the oldest is
        /// forgotten first.
        pub kept: usize = 16_384, in 1..=1_048_576, "observations";
    }
}

/// What the configuration says of the market.
#[derive(Clone, Debug)]
pub struct Universe {
    /// Roots that have a name, in the order of the file.
    pub roots: Vec<Root>,
    /// The rule for roots that the file does not name.
    pub default: Option<Root>,
    /// Exchange calendars.
    pub calendars: Vec<Calendar>,
    /// Interest rates.
    pub rates: Rates,
    /// Where the chain's time comes from: a matter of the run, which sets it.
    pub clock: Clock,
    /// Sizes of the tables.
    pub limits: Limits,
    /// When forwards and Greeks are computed anew.
    pub revaluation: Revaluation,
    /// When smiles are fitted.
    pub surface: Surface,
    /// Roots whose expiries come first, all where it is empty: a matter of the run's strategies.
    pub interest: Vec<[u8; 8]>,
    /// External series, in the order of the file.
    pub series: Vec<SeriesRow>,
}

impl Universe {
    /// The place of a root by its name.
    pub fn find_root(&self, name: &str) -> Option<u16> {
        self.roots.iter().position(|root| root.text() == name).map(|at| at as u16)
    }

    /// The place of an external series by its name.
    pub fn find_series(&self, name: &str) -> Option<u16> {
        self.series.iter().position(|series| series.name == name).map(|at| at as u16)
    }

    /// Takes `[[root]]`, `[[calendar]]`, `[[event]]`, `[[dividend]]`, `[[series]]`, `[rates]`,
    /// `[chain]`, `[greeks]` and `[surface]` out of a file. `None` where something is wrong: the
    /// reader holds what.
    pub fn from_config(reader: &mut Reader) -> Option<Universe> {
        let rows = reader.list::<CalendarRow>("calendar");
        let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
        let events = reader.list::<EventRow>("event");
        let calendars = read_calendars(reader, &rows, &events);
        let all = read_roots(reader, &names);
        let all = with_dividends(reader, all, calendars.as_deref().unwrap_or_default());
        let series = read_series(reader);
        let rates = reader.section::<Rates>("rates");
        let revaluation = reader.section::<Revaluation>("greeks")?;
        let surface = reader.section::<Surface>("surface")?;
        let limits = reader.section::<Limits>("chain")?;
        let default = all.iter().find(|root| root.text() == "default").cloned();
        let roots: Vec<Root> = all.into_iter().filter(|root| root.text() != "default").collect();
        if roots.len() > limits.roots_max {
            let what = format!("is {}, but there are {} roots", limits.roots_max, roots.len());
            reader.refuse("[chain] roots_max", what);
            return None;
        }
        let default = default.map(|root| Root { listed: false, ..root });
        let (calendars, rates, clock) = (calendars?, rates?, Clock::Receive);
        Some(Universe {
            roots,
            default,
            calendars,
            rates,
            clock,
            limits,
            revaluation,
            surface,
            interest: Vec::new(),
            series,
        })
    }

    /// Reads a whole file of its own, such as `config/universe.toml`.
    pub fn parse(file: &str, text: &str) -> Result<Universe, Vec<Error>> {
        let mut reader = Reader::new(file, text)?;
        let universe = Universe::from_config(&mut reader);
        reader.finish()?;
        universe.ok_or_else(|| Vec::from([Error::new(file, "universe", "is not usable")]))
    }
}

/// Gives the roots of an underlying its dividends.
fn with_dividends(reader: &mut Reader, mut roots: Vec<Root>, calendars: &[Calendar]) -> Vec<Root> {
    for row in reader.list::<DividendRow>("dividend") {
        let name = super::name_of(&row.underlying);
        let mut known = false;
        for root in roots.iter_mut().filter(|root| root.underlying == name) {
            known = true;
            let calendar = calendars.get(root.calendar as usize);
            let ex = calendar.and_then(|calendar| calendar.instant(row.date.0, 0));
            root.dividends.extend(ex.map(|ex| Dividend { ex, amount: row.amount }));
            root.dividends.sort_by_key(|dividend| dividend.ex);
        }
        if !known {
            let at = format!("[dividend {}] underlying", row.underlying);
            reader.refuse(&at, "no [[root]] of the file has this underlying");
        }
    }
    roots
}

fn read_series(reader: &mut Reader) -> Vec<SeriesRow> {
    let rows = reader.list::<SeriesRow>("series");
    for (i, row) in rows.iter().enumerate() {
        let at = format!("[series {}] name", i + 1);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-/^".contains(&b);
        if row.name.is_empty() || !row.name.bytes().all(plain) {
            reader.refuse(&at, "must be letters, digits and any of _ - / ^");
        }
        if rows[..i].iter().any(|earlier| earlier.name == row.name) {
            reader.refuse(&at, format!("{:?} is given twice", row.name));
        }
    }
    rows
}

fn read_calendars(
    reader: &mut Reader,
    rows: &[CalendarRow],
    events: &[EventRow],
) -> Option<Vec<Calendar>> {
    let zones = TimeZoneDatabase::bundled();
    for event in events.iter().filter(|event| !rows.iter().any(|row| row.name == event.calendar)) {
        let known: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let what = format!("is {:?}; the file has: {}", event.calendar, known.join(", "));
        reader.refuse(&format!("[event {}] calendar", event.name), what);
    }
    let mut calendars = Vec::new();
    for row in rows {
        if row.open >= row.close {
            reader.refuse(&format!("[calendar {}] close", row.name), "must be after open");
        }
        let its: Vec<EventRow> =
            events.iter().filter(|event| event.calendar == row.name).cloned().collect();
        match zones.get(&row.zone) {
            Ok(zone) => calendars.push(Calendar::new(row, zone, &its)),
            Err(_) => reader.refuse(
                &format!("[calendar {}] zone", row.name),
                format!("is {:?}; write an IANA zone such as \"America/New_York\"", row.zone),
            ),
        }
    }
    (calendars.len() == rows.len()).then_some(calendars)
}

fn read_roots(reader: &mut Reader, calendars: &[String]) -> Vec<Root> {
    let mut roots: Vec<Root> = Vec::new();
    for row in reader.list::<RootRow>("root") {
        let at = format!("[root {}]", row.name);
        if let Err((key, what)) = check_root(&row, &roots) {
            reader.refuse(&format!("{at} {key}"), what);
            continue;
        }
        match calendars.iter().position(|name| *name == row.calendar) {
            Some(calendar) => roots.push(Root::new(&row, calendar as u16)),
            None => {
                let known = calendars.join(", ");
                let what = format!("is {:?}; the file has: {known}", row.calendar);
                reader.refuse(&format!("{at} calendar"), what);
            }
        }
    }
    roots
}

fn check_root(row: &RootRow, earlier: &[Root]) -> Result<(), (&'static str, String)> {
    if row.name.is_empty() || !row.name.is_ascii() {
        return Err(("name", "must be ASCII and not empty".to_string()));
    }
    if earlier.iter().any(|root| root.name == super::name_of(&row.name)) {
        let what = "is given twice (the first eight letters count)";
        return Err(("name", what.to_string()));
    }
    let ascending = row.tick_from.windows(2).all(|pair| pair[0] < pair[1]);
    if row.tick_from.first() != Some(&0.0) || !ascending {
        return Err(("tick_from", "must ascend from 0".to_string()));
    }
    if row.tick_size.len() != row.tick_from.len() || !row.tick_size.iter().all(|t| *t > 0.0) {
        let what = format!("must be {} positive numbers, one per tick_from", row.tick_from.len());
        return Err(("tick_size", what));
    }
    Ok(())
}
