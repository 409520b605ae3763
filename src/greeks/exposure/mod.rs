//! The valued chain and what is held of each contract in; what a move of spot, volatility or time
//! does to the hedges of those who hold it, per strike, per expiry and in all, out.
//!
//! Who holds what is not known. The usual convention is in the name of each figure: `dealer` takes
//! calls as held and puts as owed by those who hedge, `gross` counts both as held. Units are
//! currency for the whole open contracts:
//!
//! | figure | formula, times contracts and multiplier | unit |
//! |---|---|---|
//! | `gamma_per_percent` | Γ·S²·0.01 | dollar delta gained when spot rises by 1 % |
//! | `vanna_per_point` | vanna·S·0.01 | dollar delta gained when volatility rises a point |
//! | `charm_per_day` | charm·S/365 | change of dollar delta in a calendar day |
//! | `vomma_per_point` | vomma·0.01² | vega (per point) gained when volatility rises a point |
//! | `speed_per_percent` | speed·S³·0.01² | what 1 % of spot adds to Γ·S²·0.01 through Γ alone |
//! | `zomma_per_point` | zomma·S²·0.01² | Γ·S²·0.01 gained when volatility rises a point |
//!
//! A strike whose options have no volatility of their own takes the smile's.

mod columns;
mod levels;

pub use levels::{Level, Levels, max_pain};

use crate::chain::{Chain, Universe};
use alloc::vec::Vec;
use columns::Columns;

/// What a contract counts as.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// Its open interest, the last one told.
    Interest,
    /// Contracts traded today.
    Volume,
}

/// Sums over contracts; units as in the table above.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Γ·S²·0.01.
    pub gamma_per_percent: f64,
    /// vanna·S·0.01.
    pub vanna_per_point: f64,
    /// charm·S/365.
    pub charm_per_day: f64,
    /// vomma·0.01².
    pub vomma_per_point: f64,
    /// speed·S³·0.01².
    pub speed_per_percent: f64,
    /// zomma·S²·0.01².
    pub zomma_per_point: f64,
}

impl Sums {
    /// These and others so many times.
    fn plus(&self, other: &Sums, times: f64) -> Sums {
        let sum = |of: fn(&Sums) -> f64| of(self) + times * of(other);
        Sums {
            gamma_per_percent: sum(|s| s.gamma_per_percent),
            vanna_per_point: sum(|s| s.vanna_per_point),
            charm_per_day: sum(|s| s.charm_per_day),
            vomma_per_point: sum(|s| s.vomma_per_point),
            speed_per_percent: sum(|s| s.speed_per_percent),
            zomma_per_point: sum(|s| s.zomma_per_point),
        }
    }
}

/// Exposures of some contracts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Calls less puts: dealers long calls and short puts.
    pub dealer: Sums,
    /// Calls plus puts.
    pub gross: Sums,
    /// Contracts that count.
    pub contracts: f64,
    /// Contracts of strikes without any volatility, which count as nothing above.
    pub unpriced: f64,
}

/// Exposures of all expiries of a chain, brought up to date one expiry at a time.
#[derive(Clone, Debug)]
pub struct Exposures {
    weight: Weight,
    expiries: Vec<Columns>,
    strikes: Vec<Level>,
}

impl Exposures {
    /// Room for every expiry that the universe allows.
    pub fn new(universe: &Universe, weight: Weight) -> Exposures {
        let limits = &universe.limits;
        let expiries = (0..limits.expiries_max).map(|_| Columns::new(limits.strikes_max)).collect();
        let strikes = Vec::with_capacity(limits.expiries_max * limits.strikes_max);
        Exposures { weight, expiries, strikes }
    }

    /// Takes an expiry as it stands now: contracts, volatilities, forward. One pass.
    pub fn update(&mut self, chain: &Chain, expiry: u16) {
        if let Some(columns) = self.expiries.get_mut(usize::from(expiry)) {
            columns.take(chain, expiry, self.weight);
        }
    }

    /// Takes every expiry.
    pub fn update_all(&mut self, chain: &Chain) {
        (0..chain.expiries_len()).for_each(|expiry| self.update(chain, expiry as u16));
    }

    /// One expiry's.
    pub fn expiry(&self, expiry: u16) -> Exposure {
        self.expiries.get(usize::from(expiry)).map_or(Exposure::default(), |found| found.sums)
    }

    /// All expiries of a root.
    pub fn total(&self, root: u16) -> Exposure {
        let mut total = Exposure::default();
        for columns in self.of(root) {
            total.dealer = total.dealer.plus(&columns.sums.dealer, 1.0);
            total.gross = total.gross.plus(&columns.sums.gross, 1.0);
            total.contracts += columns.sums.contracts;
            total.unpriced += columns.sums.unpriced;
        }
        total
    }

    /// Strikes of a root over all its expiries, ascending, and the levels that stand out. The
    /// strikes stay in this value's own memory until the next call.
    pub fn levels(&mut self, root: u16) -> Levels<'_> {
        let Exposures { expiries, strikes, .. } = self;
        strikes.clear();
        for columns in expiries.iter().filter(|columns| columns.root == Some(root)) {
            columns.tell(|level| {
                // Room for every row was made at the start.
                if strikes.len() < strikes.capacity() {
                    strikes.push(level);
                }
            });
        }
        levels::merge(strikes);
        Levels::new(strikes)
    }

    /// The same of one expiry alone.
    pub fn levels_of(&mut self, expiry: u16) -> Levels<'_> {
        let Exposures { expiries, strikes, .. } = self;
        strikes.clear();
        if let Some(columns) = expiries.get(usize::from(expiry)) {
            columns.tell(|level| {
                if strikes.len() < strikes.capacity() {
                    strikes.push(level);
                }
            });
        }
        Levels::new(strikes)
    }

    /// `dealer.gamma_per_percent` of one expiry if spot stood at `1 + move_share` times where it
    /// is.
    pub fn gamma_of(&self, expiry: u16, move_share: f64) -> f64 {
        let columns = self.expiries.get(usize::from(expiry));
        columns.map_or(0.0, |columns| columns.gamma_at(move_share))
    }

    /// `dealer.gamma_per_percent` of a root if spot stood at `1 + move_share` times where it is,
    /// with the strikes' volatilities held.
    pub fn gamma_at(&self, root: u16, move_share: f64) -> f64 {
        self.of(root).map(|columns| columns.gamma_at(move_share)).sum()
    }

    /// The move of spot nearest to none at which the dealers' gamma changes its sign, as a share:
    /// looked for in `steps` steps up to `reach` on either side. `None` where it never does.
    pub fn flip(&self, root: u16, reach: f64, steps: usize) -> Option<f64> {
        let at = |share: f64| self.gamma_at(root, share);
        let here = at(0.0);
        let (mut below, mut above) = ((0.0, here), (0.0, here));
        for step in 1..=steps {
            let share = reach * step as f64 / steps as f64;
            let next = [(share, at(share)), (-share, at(-share))];
            for (last, next) in [&mut above, &mut below].into_iter().zip(next) {
                if (last.1 > 0.0) != (next.1 > 0.0) {
                    return Some(levels::root_between(*last, next, at));
                }
                *last = next;
            }
        }
        None
    }

    fn of(&self, root: u16) -> impl Iterator<Item = &Columns> {
        self.expiries.iter().filter(move |columns| columns.root == Some(root))
    }
}
