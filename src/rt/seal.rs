//! The allocator that counts what must not be: requests for memory in, the same memory out.
//!
//! A hot thread seals itself when it is ready; what it allocates from then on is counted and, if
//! the seal is strict, ends the process with a line on stderr: in a test, the proof that nothing
//! does. Freeing is counted alike: it takes the same locks.
//!
//! ```no_run
//! #[global_allocator]
//! static ALLOCATOR: zomma::rt::seal::Sealed = zomma::rt::seal::Sealed;
//! ```

use core::{
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering},
};
use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, counting.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sealed;

/// What a thread asked the allocator for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Requests {
    /// Allocations and reallocations since the thread began.
    pub allocations: u64,
    /// Allocations, reallocations and frees since it was sealed.
    pub after_seal: u64,
}

/// How firm a seal is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seal {
    /// Not sealed: start-up, and threads that may allocate.
    Open,
    /// What breaks it is counted.
    Counting,
    /// What breaks it ends the process.
    Strict,
}

// Without destructors and lazy initialisation, so that using them never allocates itself.
std::thread_local! {
    static SEAL: Cell<Seal> = const { Cell::new(Seal::Open) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static AFTER_SEAL: Cell<u64> = const { Cell::new(0) };
}

/// What broke seals, over all threads, for a report that outlives them.
static BROKEN: AtomicU64 = AtomicU64::new(0);

/// Sets the seal of the calling thread.
pub fn seal(seal: Seal) {
    SEAL.set(seal);
}

/// Runs `work` with the calling thread's seal lifted: what a thread does before it is hot.
pub fn lifted<T>(work: impl FnOnce() -> T) -> T {
    let before = SEAL.replace(Seal::Open);
    let done = work();
    SEAL.set(before);
    done
}

/// What the calling thread asked for; all zero where [`Sealed`] is not the global allocator.
pub fn requests() -> Requests {
    Requests { allocations: ALLOCATIONS.get(), after_seal: AFTER_SEAL.get() }
}

/// Allocations, reallocations and frees of all threads after they were sealed.
pub fn broken() -> u64 {
    BROKEN.load(Ordering::Relaxed)
}

#[inline(always)]
fn count(allocation: u64) {
    ALLOCATIONS.set(ALLOCATIONS.get() + allocation);
    if SEAL.get() != Seal::Open {
        on_broken();
    }
}

#[cold]
fn on_broken() {
    AFTER_SEAL.set(AFTER_SEAL.get() + 1);
    BROKEN.fetch_add(1, Ordering::Relaxed);
    if SEAL.get() == Seal::Strict {
        die();
    }
}

/// Nothing here may allocate, and a panic would.
#[expect(unsafe_code, reason = "printing without allocating")]
fn die() -> ! {
    const LINE: &[u8] = b"zomma: a sealed thread asked the allocator for memory; \
        run under a debugger and break on abort to see who\n";
    // SAFETY: a plain system call on a constant; then the end.
    unsafe {
        libc::write(2, LINE.as_ptr().cast(), LINE.len());
        libc::abort()
    }
}

// SAFETY: every call goes to the system's allocator unchanged; the counting around it touches
// thread-locals that need no allocation and one atomic.
#[expect(unsafe_code, reason = "an allocator is unsafe by trade")]
unsafe impl GlobalAlloc for Sealed {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1);
        // SAFETY: the caller's promise is the one that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}
