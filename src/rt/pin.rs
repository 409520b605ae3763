//! Cores, real-time scheduling and locked memory: asked for, and what was got out.
//!
//! Nothing here is silent: each request answers with what holds now, in words for the report. Pin
//! a thread before the next is started: affinity is inherited, and two real-time threads that
//! spin on one core hang it.

use alloc::{format, string::String, vec::Vec};
use std::io;

/// What was asked of the machine and what came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Got {
    /// Whether it holds.
    pub granted: bool,
    /// What holds now and, where that is not what was asked, what to do about it.
    pub what: String,
}

impl Got {
    fn yes(what: String) -> Got {
        Got { granted: true, what }
    }

    fn no(what: String) -> Got {
        Got { granted: false, what }
    }
}

/// The cores that this process may use.
pub fn cores() -> Vec<usize> {
    let ids = core_affinity::get_core_ids().unwrap_or_default();
    ids.into_iter().map(|core| core.id).collect()
}

/// Binds the calling thread to one core, and looks whether it is there. A thread that inherited
/// another core leaves it.
pub fn pin(core: usize) -> Got {
    // A set of cores has so many places; the library would panic beyond.
    let known = core < libc::CPU_SETSIZE as usize;
    let asked = known && core_affinity::set_for_current(core_affinity::CoreId { id: core });
    let there = cores();
    if asked && there == [core] {
        return Got::yes(format!("on core {core}"));
    }
    Got::no(format!("core {core} is not ours; the thread is on {there:?}: change the config"))
}

/// Gives the calling thread real-time scheduling (`SCHED_FIFO`, `priority` 1 to 99).
#[expect(unsafe_code, reason = "std has no scheduling")]
pub fn real_time(priority: i32) -> Got {
    let param = libc::sched_param { sched_priority: priority };
    // SAFETY: a plain system call about the calling thread, with a structure that outlives it.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const param) } == 0 {
        return Got::yes(format!("SCHED_FIFO {priority}"));
    }
    let error = io::Error::last_os_error();
    Got::no(format!("default scheduling ({error}): raise the limit rtprio or add CAP_SYS_NICE"))
}

/// Keeps all memory of the process, present and future, out of swap and faulted in.
#[expect(unsafe_code, reason = "std has no mlockall")]
pub fn lock_memory() -> Got {
    // SAFETY: a plain system call without pointers.
    if unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) } == 0 {
        return Got::yes("memory locked".into());
    }
    let error = io::Error::last_os_error();
    Got::no(format!("memory not locked ({error}): raise the limit memlock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_where_it_was_put_and_a_core_that_is_not_there_is_refused() {
        let core = *cores().last().unwrap();
        let got = std::thread::spawn(move || (pin(core), cores())).join().unwrap();
        assert_eq!((got.0.granted, got.1), (true, alloc::vec![core]));
        let got = pin(100_000);
        assert!(!got.granted && got.what.contains("not ours"), "{got:?}");
    }
}
