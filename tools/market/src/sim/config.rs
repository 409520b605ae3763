//! `market.toml` in; checked settings of the simulated market, or every mistake at once, out.

use super::calendar::Day;
use zomma::config::{Error, Key, Reader, Section, TimeOfDay};

zomma::section! {
    /// When the market is open and how fast it runs.
    pub struct Session {
        /// Day of the first expiry; a trading day.
        pub date: String = "2025-09-10".into(), "-";
        /// Opening, New York.
        pub open: TimeOfDay = TimeOfDay(34_200), "-";
        /// Close, New York; settlement of the expiries.
        pub close: TimeOfDay = TimeOfDay(57_600), "-";
        /// Market seconds per second; 390 makes a trading day a minute.
        pub speed: f64 = 390.0, in 0.001..=100_000.0, "1";
        /// Messages per (wall) second.
        pub rate: f64 = 10_000.0, in 1.0..=20_000_000.0, "1/s";
        /// "market": times are those of the trading day; "wall": they are the present time, and
        /// the first expiry is the next one that is still ahead.
        pub clock: String = "market".into(), "-";
        /// The same seed gives the same market.
        pub seed: u64 = 5, "-";
        /// Weekdays without trading, as "2025-11-27".
        pub holidays: Vec<String> = Vec::new(), "-";
    }
}

zomma::section! {
    /// The underlying: square-root (Heston) variance, correlated, with jumps.
    pub struct Spot {
        /// Its symbol.
        pub symbol: String = "SPX".into(), "-";
        /// Its dataset.
        pub dataset: String = "DBEQ.BASIC".into(), "-";
        /// At the opening.
        pub price: f64 = 6_500.0, in 0.01..=1_000_000.0, "currency";
        /// Volatility at the opening, annual.
        pub vol: f64 = 0.16, in 0.001..=5.0, "1";
        /// Volatility to which it returns, annual.
        pub vol_mean: f64 = 0.16, in 0.001..=5.0, "1";
        /// Speed of the return.
        pub reversion: f64 = 40.0, in 0.0..=100_000.0, "1/year";
        /// Volatility of variance.
        pub vol_of_vol: f64 = 1.5, in 0.0..=100.0, "1";
        /// Correlation of price and variance.
        pub correlation: f64 = -0.7, in -1.0..=1.0, "1";
        /// Jumps a trading day, 0 for none.
        pub jumps: f64 = 0.0, in 0.0..=10_000.0, "1/day";
        /// Size of a jump, standard deviation of the logarithm.
        pub jump_size: f64 = 0.01, in 0.0..=1.0, "1";
        /// Time between two prices of the underlying, in market time.
        pub step: zomma::config::Span = zomma::config::Span(100_000_000), "-";
        /// Best ask less best bid of the underlying.
        pub spread: f64 = 0.20, in 0.0..=1_000.0, "currency";
        /// Share of messages that quote the underlying.
        pub share: f64 = 0.05, in 0.0..=1.0, "1";
    }
}

zomma::section! {
    /// Which options are listed.
    pub struct Chain {
        /// Their root.
        pub root: String = "SPXW".into(), "-";
        /// Their dataset.
        pub dataset: String = "OPRA.PILLAR".into(), "-";
        /// Expiries, trading days after the date; 0 is the day itself.
        pub days: Vec<u32> = Vec::from([0, 1, 5]), "days";
        /// Strikes on each side of the money.
        pub strikes: u32 = 50, in 1..=5_000, "1";
        /// Between strikes.
        pub strike_step: f64 = 5.0, in 0.01..=1_000.0, "currency";
        /// Interest, continuous.
        pub rate: f64 = 0.043, in -0.5..=0.5, "1/year";
        /// Dividends, continuous.
        pub dividend: f64 = 0.012, in -0.5..=0.5, "1/year";
        /// Slope of the smile in standard deviations of moneyness, as a share of the money's.
        pub skew: f64 = -0.07, in -1.0..=1.0, "1";
        /// Its curvature.
        pub curvature: f64 = 0.012, in 0.0..=1.0, "1";
        /// Participants that each tell the same open interest, as OPRA does.
        pub interest_reports: u32 = 2, in 1..=20, "1";
    }
}

zomma::section! {
    /// How options are quoted and traded.
    pub struct Quotes {
        /// Tick below `tick_break`.
        pub tick_low: f64 = 0.05, in 0.0001..=10.0, "currency";
        /// Tick from there on.
        pub tick_high: f64 = 0.10, in 0.0001..=10.0, "currency";
        /// Where the tick changes.
        pub tick_break: f64 = 3.0, in 0.0..=10_000.0, "currency";
        /// Half the spread: this ...
        pub half_spread: f64 = 0.01, in 0.0..=100.0, "currency";
        /// ... and this share of the price ...
        pub half_spread_share: f64 = 0.004, in 0.0..=1.0, "1";
        /// ... but no more than this.
        pub half_spread_max: f64 = 1.5, in 0.01..=1_000.0, "currency";
        /// Middle prices wander by this share of half the spread.
        pub noise: f64 = 0.15, in 0.0..=10.0, "1";
        /// Most contracts at a price.
        pub size_max: u32 = 200, in 1..=1_000_000, "contracts";
        /// Share of quotes that are followed by a trade.
        pub trades: f64 = 0.01, in 0.0..=1.0, "1";
        /// How far from the money quotes fall, standard deviation in strikes.
        pub width: f64 = 18.0, in 0.1..=5_000.0, "strikes";
        /// Share of option messages for the first expiry; the rest is spread over the others.
        pub first_share: f64 = 0.85, in 0.0..=1.0, "1";
    }
}

/// The whole file.
#[derive(Clone, Debug)]
pub struct Config {
    /// When and how fast.
    pub session: Session,
    /// The underlying.
    pub spot: Spot,
    /// The contracts.
    pub chain: Chain,
    /// Their quotes.
    pub quotes: Quotes,
    /// The day, read.
    pub day: Day,
    /// Days without trading, read.
    pub holidays: Vec<Day>,
}

/// The sections and their keys, for the help.
pub fn keys() -> Vec<(&'static str, Vec<Key>)> {
    vec![
        ("session", Session::keys()),
        ("spot", Spot::keys()),
        ("chain", Chain::keys()),
        ("quotes", Quotes::keys()),
    ]
}

impl Config {
    /// Reads the text of `file`.
    pub fn read(file: &str, text: &str) -> Result<Config, Vec<Error>> {
        let mut reader = Reader::new(file, text)?;
        let session = reader.section::<Session>("session");
        let spot = reader.section::<Spot>("spot");
        let chain = reader.section::<Chain>("chain");
        let quotes = reader.section::<Quotes>("quotes");
        let mut days = (None, Vec::new());
        if let Some(session) = &session {
            days = check(session, &mut reader);
        }
        if chain.as_ref().is_some_and(|c| c.days.is_empty()) {
            reader.refuse("[chain] days", "is empty; write at least one expiry, such as [0]");
        }
        reader.finish()?;
        match (session, spot, chain, quotes, days) {
            (Some(session), Some(spot), Some(chain), Some(quotes), (Some(day), holidays)) => {
                Ok(Config { session, spot, chain, quotes, day, holidays })
            }
            // Nothing is missing without an error, and errors have returned.
            _ => Err(vec![Error::new(file, "-", "incomplete")]),
        }
    }
}

fn check(session: &Session, reader: &mut Reader) -> (Option<Day>, Vec<Day>) {
    let mut holidays = Vec::new();
    for text in &session.holidays {
        match Day::parse(text) {
            Some(day) => holidays.push(day),
            None => reader.refuse("[session] holidays", format!("{text} is no date")),
        }
    }
    if session.open >= session.close {
        reader.refuse("[session] close", "must be later than open");
    }
    if !["market", "wall"].contains(&session.clock.as_str()) {
        reader.refuse("[session] clock", "write \"market\" or \"wall\"");
    }
    let day = Day::parse(&session.date);
    match day {
        None => reader.refuse("[session] date", "is no date; write one such as \"2025-09-10\""),
        Some(day) if !day.trades(&holidays) => {
            reader.refuse("[session] date", "is no trading day; take a weekday that is no holiday");
        }
        Some(_) => {}
    }
    (day, holidays)
}
