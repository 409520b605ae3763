//! The primitives of the ring: those of the machine in, or loom's when the model checker runs.
//!
//! Everything that two threads share is written over these names, once. `weaken` names one
//! ordering or bound to break: `scripts/loom.sh` builds the models with each and wants loom to
//! fail, which is the proof that the proof sees something.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
#[cfg(not(loom))]
pub(crate) use {
    core::sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    std::sync::Arc,
};

/// loom's interface over the cell of the machine: access only inside a closure.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(core::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}
