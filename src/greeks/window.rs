//! Which expiries are valued when: settlements, roots of interest and beats in; the active window,
//! which is looked at whenever a batch ends, and whose turn it is on a beat, out.
//!
//! Active are the nearest expiries of the roots that strategies trade, or of all roots where none
//! names its own. What is held does not count: the thread that prices may be another one than that
//! which knows it, and where the pipeline is cut must change no decision. An expiry leaves the
//! window by settling and by nothing else, so the window cannot flap.
//!
//! On each beat the expiries that have waited longest have their turn. None waits for more than
//! [`Revaluation::rounds`] beats.

use crate::chain::{Chain, Revaluation, Universe};
use alloc::{vec, vec::Vec};

/// The order of expiries, the active ones and the turns of all.
#[derive(Clone, Debug)]
pub(super) struct Window {
    active_max: usize,
    interest: Vec<[u8; 8]>,
    // By settlement; those before `front` are settled.
    order: Vec<u16>,
    front: usize,
    active: Vec<u16>,
    // The beat of each expiry's last turn, or on which it was met.
    turned: Vec<u64>,
    beat: u64,
}

impl Window {
    /// Room for every expiry that the universe allows.
    pub(super) fn new(universe: &Universe) -> Window {
        let expiries = universe.limits.expiries_max;
        Window {
            active_max: universe.revaluation.active,
            interest: universe.interest.clone(),
            order: Vec::with_capacity(expiries),
            front: 0,
            active: Vec::with_capacity(expiries),
            turned: vec![0; expiries],
            beat: 0,
        }
    }

    /// Takes in expiries that definitions have made since the last batch. `settled` says which ones
    /// have been dealt with.
    pub(super) fn meet(&mut self, chain: &Chain, settled: impl Fn(u16) -> bool) {
        let (known, count) = (self.order.len(), chain.expiries_len());
        if known == count {
            return;
        }
        self.order.extend(known as u16..count as u16);
        self.turned[known..count].fill(self.beat);
        self.order.sort_unstable_by_key(|index| (chain.expiry(*index).settles, *index));
        self.front = self.order.iter().take_while(|index| settled(**index)).count();
        self.choose(chain);
    }

    /// The next expiry whose settlement is past; it leaves the window.
    pub(super) fn settled(&mut self, chain: &Chain) -> Option<u16> {
        let index = *self.order.get(self.front)?;
        if chain.expiry(index).settles > chain.now {
            return None;
        }
        self.front += 1;
        self.choose(chain);
        Some(index)
    }

    fn choose(&mut self, chain: &Chain) {
        let wanted = |index: &&u16| {
            let root = chain.root(chain.expiry(**index).root);
            let named = |root: &crate::chain::Root| self.interest.contains(&root.name);
            self.interest.is_empty() || root.is_some_and(named)
        };
        self.active.clear();
        let nearest = self.order[self.front..].iter().filter(wanted).take(self.active_max);
        self.active.extend(nearest);
    }

    /// How many expiries are looked at when a batch ends.
    #[inline(always)]
    pub(super) fn active_len(&self) -> usize {
        self.active.len()
    }

    /// One of them, the nearest first.
    #[inline(always)]
    pub(super) fn active(&self, at: usize) -> u16 {
        self.active[at]
    }

    /// Expiries that have not settled, the nearest first.
    pub(super) fn live(&self) -> &[u16] {
        &self.order[self.front..]
    }

    /// A beat has come: turns are counted anew.
    pub(super) fn on_beat(&mut self) {
        self.beat += 1;
    }

    /// The expiry that has waited longest for its turn and how many beats it has waited; `None`
    /// where all have had one on this beat.
    pub(super) fn turn(&mut self) -> Option<(u16, u64)> {
        let waited = |index: &u16| self.beat - self.turned[usize::from(*index)];
        // Of equal ones the first: the nearest.
        let longest = self.live().iter().rev().max_by_key(|index| waited(index));
        let (index, beats) = longest.map(|index| (*index, waited(index)))?;
        self.turned[usize::from(index)] = self.beat;
        (beats > 0).then_some((index, beats))
    }
}

impl Revaluation {
    /// Beats after which every one of so many expiries has had its turn: the most that anything
    /// waits for which the active window does not do at once.
    pub fn rounds(&self, expiries: usize) -> usize {
        expiries.div_ceil(self.turns)
    }
}
