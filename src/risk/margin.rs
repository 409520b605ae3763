//! Claims of one root and the price of its underlying in; the margin that they need out.
//!
//! A model in the manner of Reg T, stated here because every broker has its own. Claims whose worst
//! value at settlement has a floor need what they may come to owe there, each settlement by itself
//! or across them by the bound of [`super::horizon`], whichever is less. Where calls are short that
//! nothing covers, they are taken at the lowest short strike: each unit needs the larger of
//! `naked_share`·S less what it is out of the money and `naked_share_min`·S, besides what it is in
//! the money, and the rest needs its own margin. Premium is no part of it: it is in the cash that
//! margin is held against.
//!
//! Shares and futures are a claim on the price itself. Owned, they were paid in full: they need
//! nothing, nothing is borrowed on them (Reg T would lend half), and they cover short calls. Owed,
//! they need the strike of the calls that cover them; without cover, and only where losses without
//! a bound are allowed, what buying them back costs now and `SHORT_SHARE` of it (Reg T: 150 %).

use super::{horizon::Dated, horizon::Reckoner, limits::Limits};
use crate::book::{Money, UNBOUNDED};

/// What shares that are owed without cover need besides their price, as a share of it.
const SHORT_SHARE: f64 = 0.5;

/// What short calls without cover need, as shares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Naked {
    share: f64,
    least: f64,
}

impl Naked {
    pub(super) fn new(limits: &Limits) -> Naked {
        Naked { share: limits.naked_share, least: limits.naked_share_min }
    }

    /// Margin of one root's claims, of which `owed` is the most that they may come to owe; `None`
    /// where it cannot be known. `spot` is 1e-9.
    pub(super) fn margin(
        &self,
        reckoner: &mut Reckoner,
        [book, order]: [&[Dated]; 2],
        owed: Option<Money>,
        spot: Option<i64>,
    ) -> Option<Money> {
        let all = || book.iter().chain(order);
        let calls = all().filter(|dated| dated.claim != 1);
        let open: i64 = calls.fold(0, |sum: i64, dated| sum.saturating_add(dated.units));
        if open >= 0 {
            let owed = owed?;
            if owed != UNBOUNDED {
                return Some(owed.max(0));
            }
        }
        let shares = all().find(|dated| dated.claim == 2 && dated.units < 0);
        let short = all().filter(|dated| dated.claim == 0 && dated.units < 0);
        let lowest = short.min_by_key(|dated| dated.strike).copied();
        let at_spot = || Some(Dated { claim: 0, strike: spot?, ..*shares? });
        let cover = lowest.or_else(at_spot)?;
        let units = -open.min(-1);
        let covered = Dated { units, cost: 0, ..cover };
        let owed = reckoner.owed(book, order, Some(covered))?;
        if owed == UNBOUNDED {
            return Some(UNBOUNDED);
        }
        let each = self.each(spot? as f64, cover.strike as f64, shares.is_some());
        let naked = each * units as f64;
        (naked < 9e18).then(|| owed.max(0).saturating_add(naked as Money).saturating_add(1))
    }

    fn each(&self, spot: f64, strike: f64, has_shares: bool) -> f64 {
        let out = (strike - spot).max(0.0);
        let inside = (spot - strike).max(0.0);
        let shares = if has_shares { SHORT_SHARE * spot } else { 0.0 };
        (self.share * spot - out).max(self.least * spot).max(shares) + inside
    }
}
