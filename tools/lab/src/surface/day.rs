//! A run's journal in; the volatilities of one expiry through the day, as JSON and as one page of
//! pictures, out.
//!
//! A sample is taken at the first batch at or behind each multiple of a span. At the money means at
//! the forward: between the two strikes around it the volatilities of their out-of-the-money
//! options are interpolated in log-moneyness, those of the quotes' middles, bids and asks alike;
//! the band between bid and ask is what the market leaves open. The engine implies a volatility
//! when its option is quoted and holds it while the forward moves and time passes, so its level may
//! lie beside the middle's of this instant: how old the quotes are and how far the forward has been
//! from here since is told with it. Lines of a delta are interpolated between strikes in delta.
//! Nothing is drawn where a quote has one side only.

use super::{
    page::page,
    shot::{busiest, number, points, utc},
    walk,
};
use crate::Day as Date;
use serde_json::{Value, json};
use std::path::PathBuf;
use zomma::{
    chain::{Chain, Expiry},
    greeks::{
        implied::Priced,
        lanes::{Lanes, Scalar},
        math,
    },
    run::Failure,
    wire::{Flags, Timestamp, market::VolStatus},
};

/// The deltas of forward that are followed, as shares.
const DELTAS: [f64; 2] = [0.25, 0.10];
/// Whole smiles are drawn at so many instants.
const SMILES: usize = 8;
const MINUTE: u64 = 60_000_000_000;

/// What to follow.
#[derive(Clone, Debug)]
pub struct DayRequest {
    /// A run's directory.
    pub directory: PathBuf,
    /// The root; the one with most expiries where nothing is said.
    pub root: Option<String>,
    /// The date of expiry; the next to settle where nothing is said.
    pub expiry: Option<Date>,
    /// Time between samples, ns.
    pub every: u64,
}

/// One expiry through a day.
#[derive(Clone, Debug)]
pub struct Day {
    /// All figures.
    pub json: Value,
}

impl DayRequest {
    /// The nearest expiry of the root with most of them, each minute.
    pub fn new(directory: impl Into<PathBuf>) -> DayRequest {
        DayRequest { directory: directory.into(), root: None, expiry: None, every: MINUTE }
    }

    /// The samples of a run.
    pub fn take(&self) -> Result<Day, Failure> {
        let (mut chosen, mut next) = (None, 0);
        let (mut samples, mut forwards) = (Vec::new(), Vec::new());
        walk(&self.directory, |chain, event| {
            if !event.flags.has(Flags::BATCH_END) {
                return true;
            }
            chosen = chosen.or_else(|| self.choose(chain));
            let Some(at) = chosen else { return true };
            let expiry = chain.expiry(at);
            forwards.push((chain.now, expiry.forward));
            if chain.now < next {
                return true;
            }
            if chain.now >= expiry.settles {
                return false;
            }
            samples.extend(Sample::of(chain, expiry, &forwards));
            next = (chain.now / self.every + 1) * self.every;
            true
        })
        .and_then(|(chain, _)| self.drawn(&chain, chosen, &samples))
    }

    /// The expiry as soon as it has a forward.
    fn choose(&self, chain: &Chain) -> Option<u16> {
        let root = match &self.root {
            Some(name) => chain.find_root(name)?,
            None => busiest(chain)?,
        };
        let wanted = |expiry: &Expiry| {
            let date = Date::of(expiry.settles);
            let is_it = self.expiry.is_none_or(|day| Some(day) == date);
            expiry.root == root && is_it && expiry.settles > chain.now
        };
        let known = chain.expiries().filter(|(_, expiry)| wanted(expiry));
        let (at, expiry) = known.min_by_key(|(_, expiry)| expiry.settles)?;
        (expiry.forward > 0.0).then_some(at)
    }

    fn drawn(
        &self,
        chain: &Chain,
        chosen: Option<u16>,
        samples: &[Sample],
    ) -> Result<Day, Failure> {
        let nothing = "no such expiry with a forward in this run; --root and --expiry choose one";
        let at = chosen.filter(|_| !samples.is_empty()).ok_or_else(|| Failure::input(nothing))?;
        let expiry = chain.expiry(at);
        let rows: Vec<Value> = samples.iter().map(Sample::json).collect();
        let smiles: Vec<Value> = instants(samples).map(Sample::smile).collect();
        let json = json!({
            "root": chain.root(expiry.root).map_or("?", |root| root.text()),
            "settles": utc(expiry.settles),
            "deltas": DELTAS,
            "samples": rows,
            "smiles": smiles,
        });
        Ok(Day { json })
    }
}

impl Day {
    /// One page with everything in it.
    pub fn page(&self) -> String {
        page("an expiry through the day", include_str!("day.js"), &self.json)
    }
}

/// The first sample, then each at which half of the time before it is left, and the last one.
fn instants(samples: &[Sample]) -> impl Iterator<Item = &Sample> {
    let mut left = f64::INFINITY;
    let halved = samples[..samples.len() - 1].iter().filter(move |sample| {
        let is_next = sample.seconds <= 0.5 * left;
        left = if is_next { sample.seconds } else { left };
        is_next
    });
    halved.take(SMILES - 1).chain(samples.last())
}

/// One expiry at one instant.
struct Sample {
    at: Timestamp,
    seconds: f64,
    forward: f64,
    // At the money: by the engine, by the middles, the bids, the asks.
    level: [f64; 4],
    // Of the quotes that the engine's was made from: the oldest one's age in seconds, and how far
    // the forward has been from here since.
    age: f64,
    moved: f64,
    // It has been beyond one of the two strikes, whose volatility may be that of the other side.
    crossed: bool,
    // By delta: put and call.
    wings: [[f64; 2]; DELTAS.len()],
    points: Vec<[f64; 2]>,
}

impl Sample {
    /// `forwards` are those until now, the last one the sample's own.
    fn of(chain: &Chain, expiry: &Expiry, forwards: &[(Timestamp, f64)]) -> Option<Sample> {
        let at = chain.now;
        let seconds = expiry.settles.checked_sub(at)? as f64 * 1e-9;
        let level = [Of::Engine, Of::Middle, Of::Bid, Of::Ask];
        let level = level.map(|of| at_the_money(chain, expiry, of));
        let quoted = quoted(chain, expiry).unwrap_or(at);
        let since = forwards.iter().rev().take_while(|(then, _)| *then >= quoted);
        let [low, high] = since.fold([expiry.forward; 2], |[low, high], (_, forward)| {
            [low.min(*forward), high.max(*forward)]
        });
        let moved = (high - expiry.forward).max(expiry.forward - low);
        let crossed = expiry.row_at(low) != expiry.row_at(high);
        let age = at.saturating_sub(quoted) as f64 * 1e-9;
        let wings =
            DELTAS.map(|delta| [false, true].map(|call| of_delta(chain, expiry, call, delta)));
        let forward = expiry.forward;
        let points = points(chain, expiry);
        let is_known = forward > 0.0;
        let sample = Sample { at, seconds, forward, level, age, moved, crossed, wings, points };
        is_known.then_some(sample)
    }

    fn json(&self) -> Value {
        let [level, middle, bid, ask] = self.level.map(number);
        json!({
            "at": utc(self.at),
            "seconds": self.seconds,
            "forward": self.forward,
            "level": level,
            "middle": middle,
            "bid": bid,
            "ask": ask,
            "quotes_age": self.age,
            "forward_moved": self.moved,
            "strike_crossed": self.crossed,
            "wings": self.wings.map(|wing| wing.map(number)),
        })
    }

    fn smile(&self) -> Value {
        json!({ "at": utc(self.at), "seconds": self.seconds, "level": number(self.level[0]),
            "points": self.points })
    }
}

/// Which volatility of an option.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Of {
    Engine,
    Middle,
    Bid,
    Ask,
}

/// The rows on both sides of the forward.
fn around(expiry: &Expiry) -> Option<[usize; 2]> {
    let above = expiry.row_at(expiry.forward);
    (above > 0 && above < expiry.rows()).then(|| [above - 1, above])
}

/// The option of a row that is out of the money.
fn outside(expiry: &Expiry, row: usize) -> Option<u32> {
    let call = expiry.strike(row) >= expiry.forward;
    if call { expiry.call(row) } else { expiry.put(row) }
}

/// When the older one of the two quotes around the forward came.
fn quoted(chain: &Chain, expiry: &Expiry) -> Option<Timestamp> {
    let quotes = around(expiry)?.map(|row| Some(chain.quote(outside(expiry, row)?).ts));
    quotes.into_iter().collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// Volatility at the forward, NaN where one of the strikes around it has none.
fn at_the_money(chain: &Chain, expiry: &Expiry, of: Of) -> f64 {
    let Some(rows) = around(expiry) else { return f64::NAN };
    let [low, high] = rows.map(|row| (expiry.strike(row) / expiry.forward).ln());
    let [below, over] = rows.map(|row| volatility(chain, expiry, row, of));
    below + (over - below) * (-low / (high - low))
}

/// Volatility of the out-of-the-money option of a row.
fn volatility(chain: &Chain, expiry: &Expiry, row: usize, of: Of) -> f64 {
    let call = expiry.strike(row) >= expiry.forward;
    let Some(index) = outside(expiry, row) else { return f64::NAN };
    let quote = chain.quote(index);
    let price = match of {
        _ if !quote.is_firm() => return f64::NAN,
        Of::Engine => return valued(chain, index).map_or(f64::NAN, |(vol, _)| vol),
        Of::Middle => 0.5 * (quote.bid + quote.ask),
        Of::Bid => quote.bid,
        Of::Ask => quote.ask,
    };
    let strike = expiry.strike(row);
    let priced = Priced {
        price: Scalar(price),
        call: Scalar::mask(|_| call),
        a: Scalar(expiry.forward * expiry.discount),
        b: Scalar(strike * expiry.discount),
        x: math::ln_ratio(Scalar(expiry.forward), Scalar(strike)),
        inv_root_t: Scalar(1.0 / expiry.vol_years.sqrt()),
    };
    priced.implied().0.0
}

/// Volatility and delta as the engine has them.
fn valued(chain: &Chain, index: u32) -> Option<(f64, f64)> {
    let greeks = chain.greeks(index).filter(|greeks| greeks.status == VolStatus::OK)?;
    Some((greeks.iv, f64::from(greeks.delta)))
}

/// Volatility of the put or call of this delta, between the first two firm neighbours out of the
/// money that have it between them.
fn of_delta(chain: &Chain, expiry: &Expiry, call: bool, delta: f64) -> f64 {
    let at = |row: usize| {
        let index = if call { expiry.call(row) } else { expiry.put(row) }?;
        let (vol, delta) = valued(chain, index).filter(|_| chain.quote(index).is_firm())?;
        Some((vol, delta.abs()))
    };
    let above = expiry.row_at(expiry.forward);
    let mut near = None;
    let rows: &mut dyn Iterator<Item = usize> =
        if call { &mut (above..expiry.rows()) } else { &mut (0..above).rev() };
    // The row on the other side of the forward may be the near neighbour.
    let first = if call { above.checked_sub(1) } else { Some(above) };
    let first = first.filter(|row| *row < expiry.rows()).into_iter();
    for (vol, here) in first.chain(rows).map_while(at) {
        if here <= delta {
            let Some((near, there)) = near else { break };
            return vol + (near - vol) * (delta - here) / (there - here);
        }
        near = Some((vol, here));
    }
    f64::NAN
}
