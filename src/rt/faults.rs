//! Page faults and switches of the calling thread: nothing in, the kernel's counts out.

/// What the kernel has counted for a thread since it began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    /// Pages that had to be mapped, no disk involved. After start-up a hot thread has none.
    pub minor: u64,
    /// Pages that had to be read from a disk.
    pub major: u64,
    /// Times that the thread gave its core away.
    pub switched: u64,
    /// Times that its core was taken from it.
    pub preempted: u64,
}

impl Faults {
    /// Those of the calling thread. A system call: at start and end of a run, not between.
    pub fn now() -> Faults {
        let usage = usage();
        let count = |n: libc::c_long| u64::try_from(n).unwrap_or(0);
        Faults {
            minor: count(usage.ru_minflt),
            major: count(usage.ru_majflt),
            switched: count(usage.ru_nvcsw),
            preempted: count(usage.ru_nivcsw),
        }
    }

    /// What was added since `earlier`.
    pub fn since(self, earlier: Faults) -> Faults {
        Faults {
            minor: self.minor - earlier.minor,
            major: self.major - earlier.major,
            switched: self.switched - earlier.switched,
            preempted: self.preempted - earlier.preempted,
        }
    }
}

#[expect(unsafe_code, reason = "std has no getrusage")]
fn usage() -> libc::rusage {
    // SAFETY: all zeroes is a value of this structure of numbers, and the call fills it.
    unsafe {
        let mut usage = core::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage);
        usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_new_memory_is_seen() {
        let before = Faults::now();
        let bytes = std::vec![1u8; 64 << 20];
        assert!(core::hint::black_box(bytes)[1 << 20] == 1);
        assert!(Faults::now().since(before).minor > 0);
    }
}
