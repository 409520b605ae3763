//! Forward and discount of an expiry from put-call parity: quotes in; the median of what the pairs
//! nearest the money say, how far they spread and how many took part out.
//!
//! The discount is the configured rate's, unless the options are European and settle late enough
//! for the market's own to be seen: then it is the slope of call less put over the strikes. Near
//! expiry a cent in a price is a hundred percent in a rate, so there the forward alone is taken
//! from the market and no rate is ever implied.

use super::math::{all, exp, one};
use crate::{
    chain::{Chain, Expiry, Revaluation, Style, calendar_years},
    wire::market::Forward,
};

/// Most pairs that can take part.
pub const PAIRS_MAX: usize = 64;

// Pairs quoted wider than this multiple of the tightest do not count.
const WIDTH_MAX: f64 = 2.0;

/// A forward and the rows that it was taken from.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// As the event carries it. From the spot, where pairs were too few: one strike, spread NaN.
    pub forward: Forward,
    /// First and last row that took part: another quote elsewhere does not change the forward.
    pub window: (usize, usize),
    /// The spot that it was taken from; NaN where pairs gave it.
    pub spot: f64,
}

/// The discount factor of a rate over so many years.
#[inline]
pub fn discount(rate: f64, years: f64) -> f64 {
    one(|x| exp(-x), rate * years)
}

/// What the dividends that fall before an expiry settles are worth now.
pub fn present_value(chain: &Chain, expiry: &Expiry, rate: f64) -> f64 {
    let Some(root) = chain.root(expiry.root) else { return 0.0 };
    let due = root.dividends.iter().filter(|paid| paid.ex > chain.now && paid.ex <= expiry.settles);
    due.map(|paid| paid.amount * discount(rate, calendar_years(chain.now, paid.ex))).sum()
}

/// The forward of an expiry now, `None` where neither enough pairs nor a spot give one.
///
/// `early` is what early exercise adds to a row's call less what it adds to the put: parity holds
/// between European prices.
pub fn fit(
    chain: &Chain,
    index: u16,
    settings: &Revaluation,
    early: &dyn Fn(usize) -> f64,
) -> Option<Fit> {
    let expiry = chain.expiry(index);
    let years = chain.years(index);
    let discount = self::discount(chain.rate(), years);
    let discount = slope(chain, expiry, settings, discount).unwrap_or(discount);
    let pairs = Pairs { chain, expiry, inv_discount: 1.0 / discount, early };
    let found = pairs.fit(expiry.forward, settings);
    if let Some((forward, spread, strikes, window)) = found {
        let forward = Forward { forward, discount, years, spread, strikes };
        return Some(Fit { forward, window, spot: f64::NAN });
    }
    let spot = chain.spot(expiry.root);
    (spot > 0.0).then(|| {
        let forward = (spot - present_value(chain, expiry, chain.rate())) / discount;
        let forward = Forward { forward, discount, years, spread: f32::NAN, strikes: 1 };
        Fit { forward, window: (0, usize::MAX), spot }
    })
}

/// Passes of the slope's fit; after each, pairs far off count less.
const PASSES: usize = 4;
/// Residuals beyond this many median residuals count less (Huber, "Robust estimation of a location
/// parameter", 1964).
const HUBER: f64 = 2.0;

/// The discount factor that the pairs imply, where it can be trusted: European options that settle
/// no sooner than configured, enough pairs over a wide enough range of strikes, and a result near
/// the configured one.
fn slope(chain: &Chain, expiry: &Expiry, settings: &Revaluation, known: f64) -> Option<f64> {
    let european = chain.root(expiry.root).is_some_and(|root| root.style == Style::European);
    let days = expiry.settles.saturating_sub(chain.now) / 86_400_000_000_000;
    if !european || days < settings.discount_days as u64 || expiry.rows() < 2 {
        return None;
    }
    let pairs = Pairs { chain, expiry, inv_discount: 1.0, early: &|_| 0.0 };
    // Rows at even distances over the whole width, so that the range is as wide as it gets.
    let step = expiry.rows().div_ceil(PAIRS_MAX);
    let (mut points, mut count) = ([(0.0, 0.0, 0.0); PAIRS_MAX], 0);
    for row in (0..expiry.rows()).step_by(step) {
        let (forward, width) = pairs.forward(row);
        let strike = expiry.strike(row);
        let near = (forward - strike).abs() < SPAN * strike;
        if forward.is_finite() && near && width > 0.0 {
            points[count] = (strike, forward - strike, 1.0 / (width * width));
            count += 1;
        }
    }
    let points = &mut points[..count];
    let discount = robust_slope(points, settings.discount_pairs)?;
    let rate_off = (discount / known - 1.0).abs();
    (rate_off < settings.discount_off * expiry_years(days)).then_some(discount)
}

fn expiry_years(days: u64) -> f64 {
    days as f64 / 365.0
}

/// Pairs further from the money than this share of the strike take no part in the slope.
const SPAN: f64 = 0.25;

/// Minus the slope of the values over the strikes, weighted, with outliers counting less; `None`
/// where fewer than `least` points are left.
fn robust_slope(points: &mut [(f64, f64, f64)], least: usize) -> Option<f64> {
    if points.len() < least.max(3) {
        return None;
    }
    let (mut slope, mut level, mut scale) = (0.0, 0.0, f64::INFINITY);
    let mut sizes = [0.0; PAIRS_MAX];
    for _ in 0..PASSES {
        let (mut n, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let origin = points[points.len() / 2].0;
        for &(strike, value, weight) in points.iter() {
            let at = strike - origin;
            let off = (value - (level + slope * at)).abs();
            let weight = if off > HUBER * scale { weight * HUBER * scale / off } else { weight };
            (n, x, y) = (n + weight, x + weight * at, y + weight * value);
            (xx, xy) = (xx + weight * at * at, xy + weight * at * value);
        }
        slope = (n * xy - x * y) / (n * xx - x * x);
        level = (y - slope * x) / n;
        let sizes = &mut sizes[..points.len()];
        for (size, &(strike, value, _)) in sizes.iter_mut().zip(points.iter()) {
            *size = (value - (level + slope * (strike - origin))).abs();
        }
        sizes.sort_unstable_by(f64::total_cmp);
        scale = sizes[sizes.len() / 2];
    }
    slope.is_finite().then_some(-slope)
}

struct Pairs<'a> {
    chain: &'a Chain,
    expiry: &'a Expiry,
    inv_discount: f64,
    early: &'a dyn Fn(usize) -> f64,
}

type Found = (f64, f32, u32, (usize, usize));

impl Pairs<'_> {
    /// What the call and the put of a row say, and how wide they are quoted together; NaN unless
    /// both are quoted firmly.
    #[inline]
    fn forward(&self, row: usize) -> (f64, f64) {
        let (Some(call), Some(put)) = (self.expiry.call(row), self.expiry.put(row)) else {
            return (f64::NAN, f64::NAN);
        };
        let (call, put) = (self.chain.quote(call), self.chain.quote(put));
        if !(call.is_firm() && put.is_firm()) {
            return (f64::NAN, f64::NAN);
        }
        let width = call.ask - call.bid + put.ask - put.bid;
        let apart = call.mid() - put.mid() - (self.early)(row);
        (self.expiry.strike(row) + apart * self.inv_discount, width)
    }

    /// Around the forward known so far; where there is none, or it has left the rows it came from,
    /// around the row whose call and put are nearest in price.
    fn fit(&self, known: f64, settings: &Revaluation) -> Option<Found> {
        if known.is_finite() {
            let found = self.around(known, settings);
            if let Some((forward, _, _, (low, high))) = found
                && forward >= self.expiry.strike(low)
                && forward <= self.expiry.strike(high)
            {
                return found;
            }
        }
        self.around(self.middle()?, settings)
    }

    fn middle(&self) -> Option<f64> {
        let mut best = (f64::INFINITY, f64::NAN);
        for row in 0..self.expiry.rows() {
            let (forward, _) = self.forward(row);
            let distance = (forward - self.expiry.strike(row)).abs();
            if distance < best.0 {
                best = (distance, forward);
            }
        }
        best.1.is_finite().then_some(best.1)
    }

    /// Median and half the distance between the quartiles of the nearest pairs.
    fn around(&self, center: f64, settings: &Revaluation) -> Option<Found> {
        let mut pairs = [(0.0, 0.0); PAIRS_MAX];
        let wanted = settings.pairs_max.min(PAIRS_MAX);
        let rows = self.expiry.rows();
        let mut above = self.expiry.row_at(center);
        let mut below = above;
        let (mut taken, mut window) = (0, (usize::MAX, 0));
        // Pairs that lack a quote are passed over, but not for ever: the wings say little.
        let mut tries = 4 * wanted;
        while taken < wanted && tries > 0 && (below > 0 || above < rows) {
            tries -= 1;
            let row = self.nearer(center, &mut below, &mut above);
            let pair = self.forward(row);
            if pair.0.is_finite() {
                pairs[taken] = pair;
                taken += 1;
                window = (window.0.min(row), window.1.max(row));
            }
        }
        let (forward, spread, strikes) = settle(&mut pairs[..taken], settings.pairs_min.max(1))?;
        Some((forward, spread, strikes, window))
    }

    /// The next row outward from the center: one step up or down, whichever is nearer.
    #[inline]
    fn nearer(&self, center: f64, below: &mut usize, above: &mut usize) -> usize {
        let rows = self.expiry.rows();
        let up = if *above < rows { self.expiry.strike(*above) - center } else { f64::INFINITY };
        let down = if *below > 0 { center - self.expiry.strike(*below - 1) } else { f64::INFINITY };
        if up <= down {
            *above += 1;
            *above - 1
        } else {
            *below -= 1;
            *below
        }
    }
}

/// The median of the tight pairs: a wide quote is one-sided in all but name. All count where
/// too few are tight.
fn settle(pairs: &mut [(f64, f64)], least: usize) -> Option<(f64, f32, u32)> {
    if pairs.len() < least {
        return None;
    }
    pairs.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    let tight = pairs.partition_point(|pair| pair.1 <= WIDTH_MAX * pairs[0].1);
    let count = tight.max(least);
    let pairs = &mut pairs[..count];
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let median = 0.5 * (pairs[(count - 1) / 2].0 + pairs[count / 2].0);
    let spread = 0.5 * (pairs[(3 * count - 1) / 4].0 - pairs[count / 4].0);
    Some((median, spread as f32, count as u32))
}

/// ln(F/K) base for a slate: the same function on one lane.
pub(super) fn ln_of_ratio(a: f64, b: f64) -> f64 {
    one(|x| super::math::ln_ratio(x, all(b)), a)
}
