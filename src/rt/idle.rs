//! What a thread does when there is nothing to do: a count of work in, some waiting out.

use crate::config::Value;
use alloc::string::String;
use core::time::Duration;

/// How a thread waits for work. Lowest latency and a whole core first, kindest last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Idle {
    /// Asks again at once: for a core of its own.
    Spin,
    /// Asks again after a pause of the processor, which leaves the sibling thread and the
    /// hypervisor more room and costs some tens of ns.
    #[default]
    Pause,
    /// Lets other threads of the core go first.
    Yield,
    /// Sleeps, 50 µs to 1 ms the longer nothing comes: for machines that do other work. Nobody has
    /// to wake it, since a wake-up would cost the waker 10 µs.
    Park,
}

const PARK_SHORTEST: Duration = Duration::from_micros(50);
const PARK_LONGEST: Duration = Duration::from_millis(1);
/// Rounds without work before a parking thread first sleeps.
const PARK_AFTER: u32 = 100;

/// A strategy at work, with how long there has been nothing to do.
#[derive(Clone, Debug)]
pub struct Idler {
    idle: Idle,
    rounds: u32,
    park: Duration,
}

impl Idler {
    /// Busy until told otherwise.
    pub fn new(idle: Idle) -> Idler {
        Idler { idle, rounds: 0, park: PARK_SHORTEST }
    }

    /// Takes what one round did; waits where that is nothing. Returns whether the thread may have
    /// given its core away.
    #[inline(always)]
    pub fn after(&mut self, work: usize) -> bool {
        if work > 0 {
            self.rounds = 0;
            self.park = PARK_SHORTEST;
            return false;
        }
        self.wait()
    }

    #[inline(always)]
    fn wait(&mut self) -> bool {
        match self.idle {
            Idle::Spin => return false,
            Idle::Pause => {
                core::hint::spin_loop();
                return false;
            }
            Idle::Yield => std::thread::yield_now(),
            Idle::Park if self.rounds < PARK_AFTER => {
                self.rounds += 1;
                std::thread::yield_now();
            }
            Idle::Park => {
                std::thread::park_timeout(self.park);
                self.park = (self.park * 2).min(PARK_LONGEST);
            }
        }
        true
    }
}

const NAMES: [(&str, Idle); 4] =
    [("spin", Idle::Spin), ("pause", Idle::Pause), ("yield", Idle::Yield), ("park", Idle::Park)];

impl Value for Idle {
    const WANTED: &'static str = "\"spin\", \"pause\", \"yield\" or \"park\"";

    fn read(value: &toml::Value) -> Option<Idle> {
        let text = value.as_str()?;
        NAMES.iter().find(|(name, _)| *name == text).map(|(_, idle)| *idle)
    }

    fn show(&self) -> String {
        let name = NAMES.iter().find(|(_, idle)| idle == self).map_or("", |(name, _)| name);
        alloc::format!("{name:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_has_a_name_and_work_ends_the_wait() {
        for (name, idle) in NAMES {
            assert_eq!(Idle::read(&toml::Value::String(name.into())), Some(idle));
            assert_eq!(idle.show(), alloc::format!("{name:?}"));
            let mut idler = Idler::new(idle);
            for _ in 0..PARK_AFTER + 2 {
                assert_eq!(idler.after(0), matches!(idle, Idle::Yield | Idle::Park));
            }
            assert!(!idler.after(1));
            assert_eq!((idler.rounds, idler.park), (0, PARK_SHORTEST));
        }
    }
}
