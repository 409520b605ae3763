//! A chain and rules for expiries and strikes in; the legs of a package out, or why there are none.

use super::{
    Direction, Premium, Right,
    codes::{Code, Reason},
    measure::{self, Sight},
    rule::{ExpiryRule, StrikeRule},
    structure::{Structure, StructureLeg},
};
use crate::{
    chain::{Chain, Expiry},
    greeks::exposure::max_pain,
    wire::market::Class,
};

/// What a recipe chooses its legs with.
#[derive(Debug)]
pub struct Pick<'a> {
    sight: Sight<'a>,
    structure: Structure,
}

impl<'a> Pick<'a> {
    pub(super) fn new(sight: Sight<'a>) -> Pick<'a> {
        Pick { sight, structure: Structure::default() }
    }

    pub(super) fn done(self) -> Structure {
        self.structure
    }

    /// The market and its measures.
    pub fn sight(&self) -> &Sight<'a> {
        &self.sight
    }

    fn chain(&self) -> &'a Chain {
        self.sight.chain
    }

    /// The expiry that a rule means.
    pub fn expiry(&self, rule: ExpiryRule) -> Result<u16, Reason> {
        self.expiry_after(rule, self.chain().now)
    }

    /// The expiry that a rule means among those that settle later than another one.
    pub fn expiry_beyond(&self, near: u16, rule: ExpiryRule) -> Result<u16, Reason> {
        self.expiry_after(rule, self.chain().expiry(near).settles)
    }

    fn expiry_after(&self, rule: ExpiryRule, after: u64) -> Result<u16, Reason> {
        let (chain, root) = (self.chain(), self.sight.root);
        let today = day_number(chain.local(root, chain.now).0);
        let days = |expiry: &Expiry| {
            let day = day_number(chain.local(root, expiry.settles).0) - today;
            u32::try_from(day).unwrap_or(u32::MAX)
        };
        let (from, to, skip) = match rule {
            ExpiryRule::Today => (0, 0, 0),
            ExpiryRule::Days(from, to) => (from, to, 0),
            ExpiryRule::Nth(n) => (0, u32::MAX, n - 1),
        };
        let mut past = after;
        let mut left = skip;
        // One after the other in the order of settlement: there is no sorted list of them.
        while let Some((at, expiry)) = measure::next_expiry(chain, root, past) {
            if (from..=to).contains(&days(expiry)) {
                if left == 0 {
                    return Ok(at);
                }
                left -= 1;
            }
            past = expiry.settles;
        }
        Err((Code::NO_EXPIRY, f64::from(from), f64::from(to)))
    }

    /// Forward of an expiry, or the spot where it has none.
    pub fn level(&self, expiry: u16) -> Result<f64, Reason> {
        let level = measure::level(self.chain(), expiry);
        if level.is_finite() { Ok(level) } else { Err((Code::NO_LEVEL, f64::from(expiry), 0.0)) }
    }

    /// The strike that a rule means, reckoned from the forward.
    pub fn strike(&self, expiry: u16, right: Right, rule: StrikeRule) -> Result<f64, Reason> {
        match rule {
            StrikeRule::Delta(delta, within) => self.by_delta(expiry, right, delta, within),
            _ => self.strike_from(expiry, right, rule, self.level(expiry)?),
        }
    }

    /// The strike that a rule means, reckoned from an anchor.
    pub fn strike_from(
        &self,
        expiry: u16,
        right: Right,
        rule: StrikeRule,
        anchor: f64,
    ) -> Result<f64, Reason> {
        let rows = self.chain().expiry(expiry);
        let wanted = match rule {
            StrikeRule::Delta(delta, within) => {
                return self.by_delta(expiry, right, delta, within);
            }
            StrikeRule::Points(points, within) => {
                return beyond(rows, anchor + right.sign() * points, within, right);
            }
            StrikeRule::Money(share) => anchor * (1.0 + right.sign() * share),
            StrikeRule::Move(moves) => {
                let expected = measure::expected_move(self.chain(), expiry);
                anchor + right.sign() * moves * expected
            }
            StrikeRule::Wall => measure::wall(self.chain(), rows, right),
            StrikeRule::Pain => max_pain(self.chain(), rows).unwrap_or(f64::NAN),
        };
        nearest(rows, wanted).ok_or((Code::NO_WING, wanted, f64::NAN))
    }

    fn by_delta(&self, expiry: u16, right: Right, wanted: f64, within: f64) -> Result<f64, Reason> {
        let rows = self.chain().expiry(expiry);
        let (strike, delta) = measure::by_delta(self.chain(), rows, right, wanted);
        let near = (delta - wanted).abs() <= within;
        if near { Ok(strike) } else { Err((Code::NO_SHORT, wanted, delta)) }
    }

    /// Adds the contract at a strike: `contracts` of it a package, negative sells.
    pub fn leg(
        &mut self,
        expiry: u16,
        right: Right,
        strike: f64,
        contracts: i32,
    ) -> Result<(), Reason> {
        let rows = self.chain().expiry(expiry);
        let instrument = rows.row_of(strike).and_then(|row| contract(rows, row, right));
        let instrument = instrument.ok_or((Code::NO_WING, strike, f64::NAN))?;
        let (side, ratio) = (contracts.signum() as i8, contracts.unsigned_abs());
        self.structure.push(StructureLeg { instrument, side, ratio })
    }

    /// Adds a vertical: `contracts` at the strike, and as many the other way so many points
    /// further out of the money. Gives the far strike.
    pub fn vertical(
        &mut self,
        expiry: u16,
        right: Right,
        strike: f64,
        width: StrikeRule,
        contracts: i32,
    ) -> Result<f64, Reason> {
        let far = self.strike_from(expiry, right, width, strike)?;
        self.leg(expiry, right, strike, contracts)?;
        self.leg(expiry, right, far, -contracts)?;
        Ok(far)
    }
}

impl Pick<'_> {
    /// Adds a vertical that wins in a direction. A credit one sells the near strike, puts where
    /// the direction is up; a debit one buys it, calls where it is up.
    pub fn spread(
        &mut self,
        expiry: u16,
        direction: Direction,
        premium: Premium,
        near: StrikeRule,
        width: StrikeRule,
    ) -> Result<(), Reason> {
        let (right, contracts) = match (direction, premium) {
            (Direction::Bull, Premium::Credit) => (Right::Put, -1),
            (Direction::Bear, Premium::Credit) => (Right::Call, -1),
            (Direction::Bull, Premium::Debit) => (Right::Call, 1),
            (Direction::Bear, Premium::Debit) => (Right::Put, 1),
        };
        let strike = self.strike(expiry, right, near)?;
        self.vertical(expiry, right, strike, width, contracts).map(drop)
    }

    /// Adds a put and a call at the strikes that one rule means on both sides.
    pub fn strangle(
        &mut self,
        expiry: u16,
        rule: StrikeRule,
        contracts: i32,
    ) -> Result<(), Reason> {
        let put = self.strike(expiry, Right::Put, rule)?;
        let call = self.strike(expiry, Right::Call, rule)?;
        ordered(put, call)?;
        self.leg(expiry, Right::Put, put, contracts)?;
        self.leg(expiry, Right::Call, call, contracts)
    }

    /// Adds a short strangle whose loss is bounded by options further out: an iron condor, or an
    /// iron butterfly where both strikes are one.
    pub fn winged(
        &mut self,
        expiry: u16,
        (put, call): (f64, f64),
        wing: StrikeRule,
    ) -> Result<(), Reason> {
        ordered(put, call)?;
        let low = self.strike_from(expiry, Right::Put, wing, put)?;
        self.leg(expiry, Right::Put, low, 1)?;
        self.leg(expiry, Right::Put, put, -1)?;
        self.vertical(expiry, Right::Call, call, wing, -1).map(drop)
    }

    /// Adds the underlying: as many shares (or futures) as an option of the expiry is on, where
    /// they can be traded, and a synthetic where not.
    pub fn underlying(&mut self, expiry: u16) -> Result<(), Reason> {
        match shares(self.chain(), expiry) {
            Some((instrument, ratio)) => {
                self.structure.push(StructureLeg { instrument, side: 1, ratio })
            }
            None => self.synthetic(expiry).map(drop),
        }
    }

    /// Adds the underlying made of options: a call less a put at the strike nearest to the money.
    pub fn synthetic(&mut self, expiry: u16) -> Result<f64, Reason> {
        let money = self.strike(expiry, Right::Call, StrikeRule::Money(0.0))?;
        self.leg(expiry, Right::Call, money, 1)?;
        self.leg(expiry, Right::Put, money, -1)?;
        Ok(money)
    }
}

/// What an option of an expiry is on, and how many of it, where that can be traded for as long as
/// the option lives.
pub(super) fn shares(chain: &Chain, expiry: u16) -> Option<(u32, u32)> {
    let rows = chain.expiry(expiry);
    let instrument = chain.traded_underlying(rows.root)?;
    let terms = chain.instrument(instrument)?;
    let lives = terms.class == Class::STOCK || terms.settles >= rows.settles;
    let ratio = chain.root(rows.root)?.multiplier / terms.multiplier;
    let whole = ratio >= 1.0 && ratio == f64::from(ratio as u32);
    (lives && whole).then_some((instrument, ratio as u32))
}

/// A put above a call is no strangle.
fn ordered(put: f64, call: f64) -> Result<(), Reason> {
    if put <= call { Ok(()) } else { Err((Code::NO_SHORT, put, call)) }
}

/// The contract of a row.
pub(super) fn contract(rows: &Expiry, row: usize, right: Right) -> Option<u32> {
    if right == Right::Call { rows.call(row) } else { rows.put(row) }
}

/// The strike nearest to a price; the lower of two.
pub(super) fn nearest(rows: &Expiry, price: f64) -> Option<f64> {
    if !price.is_finite() || rows.rows() == 0 {
        return None;
    }
    let above = rows.row_at(price).min(rows.rows() - 1);
    let below = above.saturating_sub(1);
    let [low, high] = [below, above].map(|row| rows.strike(row));
    Some(if price - low <= high - price { low } else { high })
}

/// The first strike at or beyond a price, seen from the money, not further off than `within`.
fn beyond(rows: &Expiry, wanted: f64, within: f64, right: Right) -> Result<f64, Reason> {
    let at = rows.row_at(wanted);
    let up = right == Right::Call;
    let row = if up || rows.row_of(wanted).is_some() { Some(at) } else { at.checked_sub(1) };
    let found = row.filter(|row| *row < rows.rows()).map(|row| rows.strike(row));
    let near = found.filter(|strike| (strike - wanted).abs() <= within);
    near.ok_or((Code::NO_WING, wanted, found.unwrap_or(f64::NAN)))
}

/// Days since a fixed one, of a date such as 20151224 (proleptic Gregorian).
fn day_number(date: u32) -> i64 {
    let (year, month, day) = (i64::from(date / 10_000), i64::from(date / 100 % 100), date % 100);
    // A year that begins in March has its odd day at its end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let years = 365 * year + year / 4 - year / 100 + year / 400;
    years + (153 * month + 2) / 5 + i64::from(day)
}

/// Whether the legs' quotes are good enough to enter on.
pub(super) fn quotes(
    chain: &Chain,
    structure: &Structure,
    entry: &super::Entry,
) -> Result<(), Reason> {
    for leg in structure.legs() {
        let quote = chain.quote(leg.instrument);
        let name = f64::from(leg.instrument);
        if !quote.is_firm() {
            return Err((Code::QUOTE_BAD, name, 0.0));
        }
        let age = chain.now.saturating_sub(quote.ts);
        if age > entry.quote_age_max.nanos() {
            return Err((Code::QUOTE_OLD, age as f64 / 1e9, name));
        }
        let allowed = entry.leg_spread_max.max(entry.leg_spread_share_max * quote.mid());
        let spread = quote.ask - quote.bid;
        // Half a nano of slack: spreads are differences of decimals.
        if spread > allowed + 5e-10 {
            return Err((Code::SPREAD_WIDE, spread, allowed));
        }
        let size = quote.bid_size.min(quote.ask_size);
        if size < entry.size_min {
            return Err((Code::SIZE_SMALL, f64::from(size), f64::from(entry.size_min)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_months_years_and_leap_days() {
        for (a, b, days) in [
            (20_240_228, 20_240_301, 2),
            (20_230_228, 20_230_301, 1),
            (20_231_231, 20_240_101, 1),
            (20_240_101, 20_250_101, 366),
            (20_240_612, 20_240_612, 0),
        ] {
            assert_eq!(day_number(b) - day_number(a), days, "{a} {b}");
        }
    }
}
