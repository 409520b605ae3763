//! The one table of measures that conditions are made of: the market and what is held in, a number
//! out. What is not known is NaN.

use super::{Right, course::Course, pick, structure::Structure};
use crate::{
    chain::{Chain, Expiry},
    feature::Row,
    greeks::exposure::max_pain,
    wire::{
        Timestamp,
        market::{Class, VolStatus},
    },
};

/// What is held, for measures of a package.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// One package.
    pub structure: &'a Structure,
    /// Profit at the mid as a share of the premium.
    pub profit: f64,
    /// Price of the underlying at the entry.
    pub level: f64,
    /// When it was opened.
    pub since: Timestamp,
}

/// What measures look at.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The market.
    pub chain: &'a Chain,
    /// The root.
    pub root: u16,
    /// The latest row of features.
    pub features: &'a Row,
    pub(super) course: &'a Course,
    /// The package, where one is held.
    pub held: Option<Held<'a>>,
}

/// A row of the table of measures.
#[derive(Clone, Copy, Debug)]
pub struct MeasureDoc {
    /// As conditions name it.
    pub name: &'static str,
    /// Unit, `1` for a share.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether it is of a package that is held.
    pub of_package: bool,
    pub(super) value: fn(&Sight<'_>) -> f64,
}

macro_rules! measures {
    (market { $($name:ident $unit:literal $about:literal $value:expr;)* }
     package { $($pname:ident $punit:literal $pabout:literal $pvalue:expr;)* }) => {
        /// All measures.
        pub const MEASURES: &[MeasureDoc] = &[
            $(MeasureDoc { name: stringify!($name), unit: $unit, about: $about,
                of_package: false, value: $value },)*
            $(MeasureDoc { name: stringify!($pname), unit: $punit, about: $pabout,
                of_package: true, value: |sight| {
                    let of: fn(&Sight<'_>, &Held<'_>) -> f64 = $pvalue;
                    sight.held.as_ref().map_or(f64::NAN, |held| of(sight, held))
                } },)*
        ];
    };
}

measures! {
    market {
        level "currency" "Forward of the front expiry, or the spot." |s| s.level();
        minute "min" "Minute of the day in the exchange's zone." |s| s.minute();
        days_left "days" "Calendar days to the settlement of the front expiry." |s| s.days_left();
        atm_iv "1/√year" "Implied volatility at the money, front expiry." |s| s.atm_iv(0);
        next_iv "1/√year" "The same of the next expiry." |s| s.atm_iv(1);
        term_slope "1/√year" "next_iv less atm_iv." |s| s.atm_iv(1) - s.atm_iv(0);
        skew "1/√year" "Volatility of the 25-delta put less the 25-delta call's, front expiry."
            |s| s.skew();
        expected_move "1" "Expected move to the front expiry as a share of the level."
            |s| s.front().map_or(f64::NAN, |(at, _)| expected_move(s.chain, at)) / s.level();
        pcr_interest "1" "Open puts to open calls, front expiry." |s| s.ratio(interest);
        pcr_volume "1" "Puts to calls traded today, front expiry." |s| s.ratio(volume);
        pain_distance "1" "Level less the strike of max pain, as a share of it, front expiry."
            |s| 1.0 - s.front().and_then(|(_, rows)| max_pain(s.chain, rows)).unwrap_or(f64::NAN)
                / s.level();
        return_1m "1" "Change of the level over one minute." |s| s.change(60);
        return_5m "1" "Over five minutes." |s| s.change(300);
        return_15m "1" "Over fifteen minutes." |s| s.change(900);
        return_1h "1" "Over an hour." |s| s.change(3_600);
        return_4h "1" "Over four hours." |s| s.change(4 * 3_600);
        iv_rank "1" "Where atm_iv lies between the least (0) and the most (1) of the samples kept."
            |s| s.course.vol_rank(s.atm_iv(0));
        iv_change_1h "1/√year" "Change of atm_iv over an hour."
            |s| s.course.vol_change(s.chain.now, s.atm_iv(0), 3_600);
        realised_vol "1/√year" "Volatility of the samples kept, a year of calendar time."
            |s| s.course.realised_vol();
        iv_over_realised "1" "atm_iv over realised_vol." |s| s.atm_iv(0) / s.course.realised_vol();
        interest_build "1" "Growth of the front expiry's open contracts since the first sample."
            |s| s.course.build_up(s.interest());
    }
    package {
        profit "of premium" "Profit at the mid." |_, held| held.profit;
        package_delta "1" "Delta of one package on one unit."
            |s, held| held.structure.greek(s.chain, |greeks| greeks.delta);
        package_gamma "1/currency" "Gamma of one package on one unit."
            |s, held| held.structure.greek(s.chain, |greeks| greeks.gamma);
        package_theta "currency/day" "Theta of one package on one unit, a day."
            |s, held| held.structure.greek(s.chain, |greeks| greeks.theta) / 365.0;
        package_vega "currency/point" "Vega of one package on one unit, a point of volatility."
            |s, held| held.structure.greek(s.chain, |greeks| greeks.vega) / 100.0;
        short_delta "1" "Greatest |delta| of a short leg." |s, held| short_delta(s.chain, held);
        short_distance "1" "Level less the nearest strike of a short leg, as a share of the level."
            |s, held| short_distance(s, held);
        level_move "1" "Change of the level since the entry."
            |s, held| s.level() / held.level - 1.0;
        minutes_held "min" "Time since the entry."
            |s, held| s.chain.now.saturating_sub(held.since) as f64 / 60e9;
    }
}

impl<'a> Sight<'a> {
    /// The first expiry that has not settled.
    pub fn front(&self) -> Option<(u16, &'a Expiry)> {
        next_expiry(self.chain, self.root, self.chain.now)
    }

    /// Forward of the front expiry, or the spot; NaN for neither.
    pub fn level(&self) -> f64 {
        self.front().map_or(f64::NAN, |(at, _)| level(self.chain, at))
    }

    /// Change of the level over so many seconds, as a share.
    pub fn change(&self, seconds: u64) -> f64 {
        self.course.change(self.chain.now, self.level(), seconds)
    }

    /// Where the volatility at the money lies among the samples kept, 0 to 1.
    pub fn iv_rank(&self) -> f64 {
        self.course.vol_rank(self.atm_iv(0))
    }

    /// Volatility of the samples kept, a year of calendar time.
    pub fn realised_vol(&self) -> f64 {
        self.course.realised_vol()
    }

    /// Growth of the front expiry's open interest since the first sample kept, as a share.
    pub fn build_up(&self) -> f64 {
        self.course.build_up(self.interest())
    }

    /// Open puts to open calls of the front expiry.
    pub fn pcr(&self) -> f64 {
        self.ratio(interest)
    }

    fn minute(&self) -> f64 {
        f64::from(self.chain.local(self.root, self.chain.now).1) / 60.0
    }

    fn days_left(&self) -> f64 {
        self.front().map_or(f64::NAN, |(at, _)| self.chain.years(at) * 365.0)
    }

    /// Implied volatility at the money of the front expiry (0) or the one after it (1).
    pub(super) fn atm_iv(&self, place: u32) -> f64 {
        let front = self.front();
        let found = match (place, front) {
            (0, front) => front,
            (_, Some((_, rows))) => next_expiry(self.chain, self.root, rows.settles),
            _ => None,
        };
        found.map_or(f64::NAN, |(at, _)| atm_iv(self.chain, at))
    }

    fn skew(&self) -> f64 {
        let Some((_, rows)) = self.front() else { return f64::NAN };
        let vol = |right| {
            let (strike, _) = by_delta(self.chain, rows, right, 0.25);
            let row = rows.row_of(strike);
            row.map_or(f64::NAN, |row| vol_of(self.chain, pick::contract(rows, row, right)))
        };
        vol(Right::Put) - vol(Right::Call)
    }

    fn ratio(&self, of: fn(&Chain, u32) -> f64) -> f64 {
        let Some((_, rows)) = self.front() else { return f64::NAN };
        let sum = |right| each(rows, right).map(|(_, index)| of(self.chain, index)).sum::<f64>();
        let (puts, calls) = (sum(Right::Put), sum(Right::Call));
        if calls > 0.0 { puts / calls } else { f64::NAN }
    }

    pub(super) fn interest(&self) -> f64 {
        let Some((_, rows)) = self.front() else { return f64::NAN };
        let sum = |right| each(rows, right).map(|(_, index)| interest(self.chain, index));
        sum(Right::Put).chain(sum(Right::Call)).sum()
    }
}

/// The expiry of a root that settles first after an instant.
pub(super) fn next_expiry(chain: &Chain, root: u16, after: Timestamp) -> Option<(u16, &Expiry)> {
    let mine = chain.expiries().filter(|(_, e)| e.root == root && e.settles > after);
    mine.min_by_key(|(_, e)| e.settles)
}

/// Forward of an expiry, or the spot; NaN for neither.
pub(super) fn level(chain: &Chain, expiry: u16) -> f64 {
    let rows = chain.expiry(expiry);
    if rows.forward.is_finite() { rows.forward } else { chain.spot(rows.root) }
}

fn each(rows: &Expiry, right: Right) -> impl Iterator<Item = (usize, u32)> {
    (0..rows.rows()).filter_map(move |row| Some((row, pick::contract(rows, row, right)?)))
}

fn interest(chain: &Chain, index: u32) -> f64 {
    chain.tape(index).interest.max(0) as f64
}

fn volume(chain: &Chain, index: u32) -> f64 {
    chain.tape(index).volume as f64
}

fn vol_of(chain: &Chain, index: Option<u32>) -> f64 {
    let greeks = index.and_then(|index| chain.greeks(index));
    greeks.filter(|greeks| greeks.status == VolStatus::OK).map_or(f64::NAN, |greeks| greeks.iv)
}

/// Mean volatility of the call and the put at the strike nearest to the level, or of the one that
/// has any.
fn atm_iv(chain: &Chain, expiry: u16) -> f64 {
    let rows = chain.expiry(expiry);
    let strike = pick::nearest(rows, level(chain, expiry));
    let Some(row) = strike.and_then(|strike| rows.row_of(strike)) else { return f64::NAN };
    let [call, put] = [rows.call(row), rows.put(row)].map(|index| vol_of(chain, index));
    match (call.is_nan(), put.is_nan()) {
        (false, false) => 0.5 * (call + put),
        (true, _) => put,
        _ => call,
    }
}

/// Level × volatility at the money × √years: one standard deviation to the settlement.
pub(super) fn expected_move(chain: &Chain, expiry: u16) -> f64 {
    level(chain, expiry) * atm_iv(chain, expiry) * chain.vol_years(expiry).sqrt()
}

/// The strike with the most open contracts of a right, the lowest of equal ones; NaN for none.
pub(super) fn wall(chain: &Chain, rows: &Expiry, right: Right) -> f64 {
    let mut most = (0.0, f64::NAN);
    for (row, index) in each(rows, right) {
        let open = interest(chain, index);
        if open > most.0 {
            most = (open, rows.strike(row));
        }
    }
    most.1
}

/// Strike and |delta| of the contract whose |delta| is nearest to the wanted one.
pub(super) fn by_delta(chain: &Chain, rows: &Expiry, right: Right, wanted: f64) -> (f64, f64) {
    let mut best = (f64::INFINITY, f64::NAN, f64::NAN);
    for (row, index) in each(rows, right) {
        let greeks = chain.greeks(index).filter(|greeks| greeks.status == VolStatus::OK);
        let Some(greeks) = greeks else { continue };
        let delta = f64::from(greeks.delta.abs());
        let distance = (delta - wanted).abs();
        if distance < best.0 {
            best = (distance, rows.strike(row), delta);
        }
    }
    (best.1, best.2)
}

fn short_legs<'a>(chain: &'a Chain, held: &'a Held<'_>) -> impl Iterator<Item = (u32, f64)> + 'a {
    let short = held.structure.legs().iter().filter(|leg| leg.side < 0);
    short.filter_map(|leg| {
        let terms = chain.instrument(leg.instrument)?;
        let option = [Class::CALL, Class::PUT].contains(&terms.class);
        option.then_some((leg.instrument, terms.strike))
    })
}

fn short_delta(chain: &Chain, held: &Held<'_>) -> f64 {
    let delta = |(index, _)| {
        let greeks = chain.greeks(index).filter(|greeks| greeks.status == VolStatus::OK);
        greeks.map_or(f64::NAN, |greeks| f64::from(greeks.delta.abs()))
    };
    short_legs(chain, held).map(delta).fold(f64::NAN, f64::max)
}

fn short_distance(sight: &Sight<'_>, held: &Held<'_>) -> f64 {
    let level = sight.level();
    let away = short_legs(sight.chain, held).map(|(_, strike)| 1.0 - strike / level);
    away.fold(f64::NAN, |near, next| if next.abs() >= near.abs() { near } else { next })
}
