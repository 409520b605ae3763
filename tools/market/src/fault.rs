//! `--fault` in; what goes wrong, when and how often out. Seeded: the same faults every time.

use crate::{pace::Burst, rng::Rng};
use zomma::config::{Span, Value};

/// Disconnects: the first after `at_ns`, further ones every `every_ns` if not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disconnect {
    /// After the start.
    pub at_ns: u64,
    /// Between one and the next; 0 for one only.
    pub every_ns: u64,
}

/// What is to go wrong. Shares are probabilities per record (or per datagram).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Records that are not sent.
    pub drop: f64,
    /// Records that are sent twice.
    pub dup: f64,
    /// Records that are sent after their successor.
    pub reorder: f64,
    /// How often random bytes come before a record.
    pub garbage: f64,
    /// When sessions are cut off.
    pub disconnect: Option<Disconnect>,
    /// Silence: after so much, for so long, ns.
    pub stall: Option<(u64, u64)>,
    /// A stretch of the market in a fraction of its time.
    pub burst: Option<Burst>,
    /// Orders that the exchange rejects.
    pub reject: f64,
    /// Executions that are told twice.
    pub repeat: f64,
    /// Contracts of the first option that the broker books though nobody has traded them.
    pub astray: i64,
}

/// How to write a plan, for messages.
pub const USAGE: &str = "drop=P, dup=P, reorder=P, garbage=P, reject=P, repeat=P (P from 0 to 1), \
    astray=N contracts, disconnect=every:5s or disconnect=at:5s, stall=1s@10s, \
    burst=100x@10s/200ms";

impl Plan {
    /// Reads `drop=0.001,disconnect=every:5s,…`.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let mut plan = Plan::default();
        for item in text.split(',').map(str::trim).filter(|i| !i.is_empty()) {
            let wrong = || format!("--fault {item}: not understood; write {USAGE}");
            let (name, value) = item.split_once('=').ok_or_else(wrong)?;
            plan.set(name, value).ok_or_else(wrong)?;
        }
        Ok(plan)
    }

    fn set(&mut self, name: &str, value: &str) -> Option<()> {
        let share = || value.parse().ok().filter(|p| (0.0..=1.0).contains(p));
        match name {
            "drop" => self.drop = share()?,
            "dup" => self.dup = share()?,
            "reorder" => self.reorder = share()?,
            "garbage" => self.garbage = share()?,
            "reject" => self.reject = share()?,
            "repeat" => self.repeat = share()?,
            "astray" => self.astray = value.parse().ok()?,
            "disconnect" => {
                let (word, time) = value.split_once(':')?;
                let at_ns = span(time)?;
                let every_ns = match word {
                    "every" => at_ns,
                    "at" => 0,
                    _ => return None,
                };
                self.disconnect = Some(Disconnect { at_ns, every_ns });
            }
            "stall" => {
                let (long, at) = value.split_once('@')?;
                self.stall = Some((span(at)?, span(long)?));
            }
            "burst" => {
                let (factor, rest) = value.split_once("x@")?;
                let (at, long) = rest.split_once('/').unwrap_or((rest, "200ms"));
                let factor = factor.parse().ok().filter(|f| (1.0..=1e6).contains(f))?;
                self.burst = Some(Burst { at_ns: span(at)?, for_ns: span(long)?, factor });
            }
            _ => return None,
        }
        Some(())
    }
}

fn span(text: &str) -> Option<u64> {
    Span::read(&toml::Value::String(text.into())).map(Span::nanos)
}

/// What happens to one record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is sent.
    Sent,
    /// It is not.
    Dropped,
    /// It is sent twice.
    Doubled,
    /// It waits for its successor.
    Delayed,
    /// Random bytes come before it.
    Spoilt,
}

/// Draws fates, and counts them.
#[derive(Debug)]
pub struct Fates {
    shares: [f64; 4],
    quiet: bool,
    rng: Rng,
    /// How many were dropped, doubled, delayed, spoilt.
    pub counts: [u64; 4],
}

impl Fates {
    /// Of a plan.
    pub fn new(plan: &Plan, seed: u64) -> Fates {
        let shares = [plan.drop, plan.dup, plan.reorder, plan.garbage];
        let quiet = shares.iter().all(|&s| s == 0.0);
        Fates { shares, quiet, rng: Rng::new(seed), counts: [0; 4] }
    }

    /// The next record's.
    #[inline]
    pub fn draw(&mut self) -> Fate {
        if self.quiet {
            return Fate::Sent;
        }
        const FATES: [Fate; 4] = [Fate::Dropped, Fate::Doubled, Fate::Delayed, Fate::Spoilt];
        for (i, fate) in FATES.into_iter().enumerate() {
            if self.rng.chance(self.shares[i]) {
                self.counts[i] += 1;
                return fate;
            }
        }
        Fate::Sent
    }

    /// Random bytes, 1 to 64.
    pub fn garbage(&mut self) -> Vec<u8> {
        (0..=self.rng.below(64)).map(|_| self.rng.bits() as u8).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_and_a_mistake_says_what_to_write() {
        let plan =
            Plan::parse("drop=0.001,disconnect=every:5s,stall=1s@10s,burst=100x@2s").unwrap();
        assert_eq!(plan.drop, 0.001);
        assert_eq!(plan.disconnect.unwrap().every_ns, 5_000_000_000);
        assert_eq!(plan.stall, Some((10_000_000_000, 1_000_000_000)));
        let burst = Burst { at_ns: 2_000_000_000, for_ns: 200_000_000, factor: 100.0 };
        assert_eq!(plan.burst, Some(burst));
        for bad in ["drop", "drop=2", "drop=x", "explode=1", "stall=1s", "burst=0x@1s"] {
            assert!(Plan::parse(bad).unwrap_err().contains("write drop=P"), "{bad}");
        }
        assert_eq!(Plan::parse(""), Ok(Plan::default()));
    }

    #[test]
    fn fates_come_in_the_planned_shares_and_are_the_same_for_a_seed() {
        let plan = Plan::parse("drop=0.1,dup=0.05").unwrap();
        let draw = |seed| {
            let mut fates = Fates::new(&plan, seed);
            (0..100_000).map(|_| fates.draw()).collect::<Vec<_>>()
        };
        let drawn = draw(3);
        let dropped = drawn.iter().filter(|f| **f == Fate::Dropped).count();
        assert!((9_500..10_500).contains(&dropped), "{dropped}");
        assert_eq!(drawn, draw(3));
        assert_ne!(drawn, draw(4));
    }
}
