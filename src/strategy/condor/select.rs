//! A chain in; the four legs of a condor out, or why there are none.

use super::settings::Settings;
use crate::{
    chain::{Chain, Expiry},
    strategy::codes::Code,
    wire::market::VolStatus,
};

/// Why there is nothing to enter: the code and its two values.
pub(super) type Reason = (Code, f64, f64);

/// The legs: long put, short put, short call, long call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Strikes {
    pub(super) instruments: [u32; 4],
    pub(super) rows: [usize; 4],
}

/// Sides of the legs, in the order of [`Strikes`].
pub(super) const SIDES: [i8; 4] = [1, -1, -1, 1];

/// The expiry of a root that settles on the day of the chain's time.
pub(super) fn today(chain: &Chain, root: u16) -> Option<u16> {
    let (date, _) = chain.local(root, chain.now);
    let same_day = |expiry: &Expiry| chain.local(root, expiry.settles).0 == date;
    let mut mine = chain.expiries().filter(|(_, expiry)| expiry.root == root);
    mine.find(|(_, expiry)| expiry.settles > chain.now && same_day(expiry)).map(|(at, _)| at)
}

/// The condor that the settings describe.
pub(super) fn strikes(chain: &Chain, expiry: u16, set: &Settings) -> Result<Strikes, Reason> {
    let rows = chain.expiry(expiry);
    let put = short(chain, rows, set, Expiry::put)?;
    let call = short(chain, rows, set, Expiry::call)?;
    if put >= call {
        return Err((Code::NO_SHORT, rows.strike(put), rows.strike(call)));
    }
    let low = wing(rows, rows.strike(put) - set.wing_width, set, false)?;
    let high = wing(rows, rows.strike(call) + set.wing_width, set, true)?;
    let found = [rows.put(low), rows.put(put), rows.call(call), rows.call(high)];
    match found {
        [Some(a), Some(b), Some(c), Some(d)] => {
            Ok(Strikes { instruments: [a, b, c, d], rows: [low, put, call, high] })
        }
        _ => Err((Code::NO_WING, rows.strike(low), rows.strike(high))),
    }
}

/// The row whose option has the |delta| nearest to the wanted one, within the tolerance.
fn short(
    chain: &Chain,
    rows: &Expiry,
    set: &Settings,
    option: impl Fn(&Expiry, usize) -> Option<u32>,
) -> Result<usize, Reason> {
    let mut best = (f64::INFINITY, 0, f64::NAN);
    for row in 0..rows.rows() {
        let greeks = option(rows, row).and_then(|instrument| chain.greeks(instrument));
        let Some(greeks) = greeks.filter(|greeks| greeks.status == VolStatus::OK) else { continue };
        let delta = f64::from(greeks.delta.abs());
        let distance = (delta - set.short_delta).abs();
        if distance < best.0 {
            best = (distance, row, delta);
        }
    }
    let near = best.0 <= set.short_delta_tolerance;
    if near { Ok(best.1) } else { Err((Code::NO_SHORT, set.short_delta, best.2)) }
}

/// The first row at or beyond a price, not further than the greatest width.
fn wing(rows: &Expiry, wanted: f64, set: &Settings, up: bool) -> Result<usize, Reason> {
    let at = rows.row_at(wanted);
    let slack = set.wing_width_max - set.wing_width;
    let row = if up || rows.row_of(wanted).is_some() { Some(at) } else { at.checked_sub(1) };
    row.filter(|row| *row < rows.rows() && (rows.strike(*row) - wanted).abs() <= slack).ok_or((
        Code::NO_WING,
        wanted,
        f64::NAN,
    ))
}

/// Whether the legs' quotes are good enough to enter on.
pub(super) fn quotes(chain: &Chain, legs: &[u32; 4], set: &Settings) -> Result<(), Reason> {
    for &instrument in legs {
        let quote = chain.quote(instrument);
        let name = f64::from(instrument);
        if !quote.is_firm() {
            return Err((Code::QUOTE_BAD, name, 0.0));
        }
        let age = chain.now.saturating_sub(quote.ts);
        if age > set.quote_age_max.nanos() {
            return Err((Code::QUOTE_OLD, age as f64 / 1e9, name));
        }
        let allowed = set.leg_spread_max.max(set.leg_spread_share_max * quote.mid());
        let spread = quote.ask - quote.bid;
        // Half a nano of slack: spreads are differences of decimals.
        if spread > allowed + 5e-10 {
            return Err((Code::SPREAD_WIDE, spread, allowed));
        }
        let size = quote.bid_size.min(quote.ask_size);
        if size < set.size_min {
            return Err((Code::SIZE_SMALL, f64::from(size), f64::from(set.size_min)));
        }
    }
    Ok(())
}
