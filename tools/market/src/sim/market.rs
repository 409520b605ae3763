//! The simulated market as a source: settings and a seed in, one record after the other out.

use super::{
    calendar::Day,
    chain::Listing,
    config::Config,
    records::{self, Best, nanos, quote},
    spot::Underlying,
};
use crate::{
    catalog::Catalog,
    record::{UNDEF_PRICE, mapping},
    rng::Rng,
    source::{Item, Source},
};
use dbn::SType;

/// The longest record that is made on the fly.
const LIVE_LEN_MAX: usize = 80;
/// Definitions and open interest bear a time this long before the opening.
const BEFORE_NS: u64 = 60_000_000_000;

/// What the next record is.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// A quote of the underlying or of a strike's call.
    Fresh,
    /// A quote of the put of the strike whose call was quoted last.
    Put { expiry: usize, place: u32 },
    /// A trade at the quote that was sent last.
    Trade { index: u32, best: Best },
}

/// A record ready to go.
#[derive(Clone, Copy, Debug)]
struct Ready {
    at: u64,
    channel: u8,
    index: u32,
    len: usize,
}

/// The market.
#[derive(Debug)]
pub struct Simulation {
    config: Config,
    catalog: Catalog,
    listing: Listing,
    spot: Underlying,
    spot_index: u32,
    rng: Rng,
    /// Records before trading: channel, index, bytes.
    before: Vec<(u8, u32, Vec<u8>)>,
    before_next: usize,
    opens: u64,
    closes: u64,
    /// In the market's own time, with a fraction so that short waits do not vanish.
    now: f64,
    gap: f64,
    stepped: u64,
    next: Next,
    ready: Option<Ready>,
    bytes: [u8; LIVE_LEN_MAX],
    spot_quotes: u32,
    wall: bool,
    ended: bool,
}

impl Simulation {
    /// The market of a configuration; `wall` is the present time.
    pub fn new(config: Config, wall: u64) -> Option<Simulation> {
        let session = &config.session;
        let is_wall = session.clock == "wall";
        let day = if is_wall { next_day(&config, wall)? } else { config.day };
        let length = u64::from(session.close.0 - session.open.0) * 1_000_000_000;
        let opens = if is_wall { wall } else { day.at(session.open.0)? };
        let speed = if is_wall { 1.0 } else { session.speed };
        let closes = opens + if is_wall { (length as f64 / session.speed) as u64 } else { length };
        let mut catalog = Catalog::default();
        catalog.datasets = vec![config.chain.dataset.clone(), config.spot.dataset.clone()];
        let listing = Listing::new(&config, day, &mut catalog)?;
        let spot_index = catalog.index_of(1, 1);
        catalog.name(spot_index, &config.spot.symbol);
        let spot = Underlying::new(&config.spot, config.chain.rate - config.chain.dividend);
        let mut simulation = Simulation {
            gap: speed * 1e9 / session.rate,
            rng: Rng::new(session.seed),
            catalog,
            listing,
            spot,
            spot_index,
            before: Vec::new(),
            before_next: 0,
            opens,
            closes,
            now: 0.0,
            stepped: 0,
            next: Next::Fresh,
            ready: None,
            bytes: [0; LIVE_LEN_MAX],
            spot_quotes: 0,
            wall: is_wall,
            ended: false,
            config,
        };
        simulation.list();
        Some(simulation)
    }

    /// The speed at which the server's clock runs: wall times run as they are.
    pub fn speed(&self) -> f64 {
        if self.wall { 1.0 } else { self.config.session.speed }
    }

    /// Mappings, definitions and open interest.
    fn list(&mut self) {
        let ts = self.opens - BEFORE_NS;
        let parent = format!("{}.OPT", self.config.chain.root);
        let (mut mappings, mut definitions, mut interests) = (Vec::new(), Vec::new(), Vec::new());
        for (index, listed) in self.catalog.listed.iter().enumerate() {
            let (index, id, channel) = (index as u32, listed.id, listed.channel);
            let Some(contract) = &listed.contract else {
                let symbol = &listed.symbol;
                let bytes = mapping(id, ts, symbol, SType::RawSymbol, symbol);
                mappings.push((channel, index, bytes));
                continue;
            };
            let bytes = mapping(id, ts, &parent, SType::Parent, &listed.symbol);
            mappings.push((channel, index, bytes));
            let place = (index / (2 * self.listing.strikes)) as usize;
            let day = self.listing.expiries[place].day;
            let bytes = records::definition(id, &listed.symbol, contract, day, ts);
            definitions.push((channel, index, bytes));
            // Round strikes draw more interest.
            let round = contract.strike % 25_000_000_000 == 0;
            let most = if round { 20_000 } else { 3_000 };
            let contracts = self.rng.below(most) as i64;
            for participant in 0..self.config.chain.interest_reports {
                let bytes = records::interest(id, contracts, 20 + participant as u16, ts);
                interests.push((channel, index, bytes));
            }
        }
        self.before = [mappings, definitions, interests].concat();
    }

    /// The market's public time.
    fn time(&self) -> u64 {
        self.opens + self.now as u64
    }

    fn advance(&mut self) {
        self.now += self.gap * self.rng.exponential();
        let compression = if self.wall { self.config.session.speed } else { 1.0 };
        let step = self.config.spot.step.nanos().max(1_000);
        let passed = (self.now * compression) as u64;
        while self.stepped + step <= passed {
            self.spot.step(step, &mut self.rng);
            self.stepped += step;
        }
    }

    fn produce(&mut self) {
        self.advance();
        if self.time() >= self.closes {
            // The closing price, at the very instant of settlement.
            self.now = (self.closes - self.opens) as f64;
            self.ended = true;
            return self.underlying();
        }
        match std::mem::replace(&mut self.next, Next::Fresh) {
            Next::Trade { index, best } => self.trade(index, &best),
            Next::Put { expiry, place } => self.option(expiry, place, false),
            Next::Fresh if self.rng.chance(self.spot_share()) => self.underlying(),
            Next::Fresh => {
                let (expiry, place) = self.choose();
                self.next = Next::Put { expiry, place };
                self.option(expiry, place, true);
            }
        }
    }

    /// How often a turn is the underlying's: an option's turn takes two messages, call and put.
    fn spot_share(&self) -> f64 {
        let share = self.config.spot.share;
        2.0 * share / (1.0 + share)
    }

    /// Which strike is quoted next: near the money more often, and the first expiry.
    fn choose(&mut self) -> (usize, u32) {
        let others = self.listing.expiries.len() as u64 - 1;
        let first = others == 0 || self.rng.chance(self.config.quotes.first_share);
        let expiry = if first { 0 } else { 1 + self.rng.below(others) as usize };
        let at = self.listing.nearest(&self.listing.expiries[expiry], self.spot.price);
        let away = (self.rng.normal() * self.config.quotes.width).round() as i64;
        let place = (at + away).clamp(0, i64::from(self.listing.strikes) - 1);
        (expiry, place as u32)
    }

    fn option(&mut self, expiry: usize, place: u32, call: bool) {
        let at = self.time();
        let of = &self.listing.expiries[expiry];
        let values = self.listing.value(of, place, &self.spot, at);
        let index = of.first + 2 * place + u32::from(!call);
        let value = if call { values.0 } else { values.1 };
        let best = quote(value, &self.config.quotes, &mut self.rng);
        let id = self.catalog.listed[index as usize].id;
        let record = records::option_quote(id, &best, at);
        self.put(at, 0, index, record.as_ref());
        let traded = best.bid != UNDEF_PRICE && self.rng.chance(self.config.quotes.trades);
        // The put of the strike is quoted before a trade of its call is.
        if traded && !call {
            self.next = Next::Trade { index, best };
        }
    }

    fn trade(&mut self, index: u32, best: &Best) {
        let at = self.time();
        let bought = self.rng.chance(0.5);
        let (price, size) =
            if bought { (best.ask, best.ask_size) } else { (best.bid, best.bid_size) };
        let size = 1 + self.rng.below(u64::from(size)) as u32;
        let id = self.catalog.listed[index as usize].id;
        let record = records::trade(id, price, size, bought, at);
        self.put(at, 0, index, record.as_ref());
    }

    fn underlying(&mut self) {
        let at = self.time();
        let (price, half) = (self.spot.price, self.config.spot.spread / 2.0);
        let cents = |p: f64| nanos((p * 100.0).round() / 100.0);
        let (bid, ask) = (cents(price - half), cents(price + half));
        let (bid_size, ask_size) = (1 + self.rng.below(500) as u32, 1 + self.rng.below(500) as u32);
        self.spot_quotes += 1;
        let best = Best { bid, ask, bid_size, ask_size };
        let id = self.catalog.listed[self.spot_index as usize].id;
        let record = records::spot_quote(id, &best, at, self.spot_quotes);
        self.put(at, 1, self.spot_index, record.as_ref());
    }

    fn put(&mut self, at: u64, channel: u8, index: u32, record: &[u8]) {
        self.bytes[..record.len()].copy_from_slice(record);
        self.ready = Some(Ready { at, channel, index, len: record.len() });
    }
}

/// The next trading day whose settlement is at least half an hour ahead.
fn next_day(config: &Config, wall: u64) -> Option<Day> {
    let mut day = Day::of(wall)?;
    let ahead =
        |day: Day| day.at(config.session.close.0).is_some_and(|s| s > wall + 1_800_000_000_000);
    while !day.trades(&config.holidays) || !ahead(day) {
        day = day.later(1, &config.holidays)?;
    }
    Some(day)
}

impl Source for Simulation {
    fn opens(&self) -> u64 {
        self.opens
    }

    fn on_start(&mut self, wall: u64) {
        if self.wall {
            self.closes += wall - self.opens;
            self.opens = wall;
        }
    }

    #[inline]
    fn peek(&mut self) -> Option<u64> {
        if self.before_next < self.before.len() {
            return Some(0);
        }
        if self.ready.is_none() && !self.ended {
            self.produce();
        }
        self.ready.as_ref().map(|ready| ready.at)
    }

    #[inline]
    fn take(&mut self) -> Item<'_> {
        if let Some((channel, index, bytes)) = self.before.get(self.before_next) {
            self.before_next += 1;
            return Item { at: 0, channel: *channel, index: *index, bytes };
        }
        match self.ready.take() {
            Some(Ready { at, channel, index, len }) => {
                Item { at, channel, index, bytes: &self.bytes[..len] }
            }
            // Only after a promise of `peek`.
            None => Item { at: 0, channel: u8::MAX, index: u32::MAX, bytes: &self.bytes },
        }
    }

    fn preamble(&self, each: &mut dyn FnMut(Item<'_>)) {
        for (channel, index, bytes) in &self.before[..self.before_next] {
            each(Item { at: 0, channel: *channel, index: *index, bytes });
        }
    }

    fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}
