//! Files in, memory shared with the kernel out. All unsafe code of the journal is here.
//!
//! Another process may read what this one writes, so mapped memory is never a slice of bytes: it is
//! a slice of atomic words, which costs the same plain moves and makes no promise that the other
//! side could break. Should somebody cut a mapped file short, touching it ends the process with
//! SIGBUS: loud, and the next start says which segment is short.

use alloc::sync::Arc;
use core::{
    ptr,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};
use memmap2::{Advice, MmapOptions, MmapRaw};
use std::{fs::File, io, os::fd::AsRawFd};

/// A file mapped for writing.
#[derive(Debug)]
pub(super) struct Map(MmapRaw);

impl Map {
    /// Maps the whole file.
    pub(super) fn new(file: &File) -> io::Result<Map> {
        MmapOptions::new().map_raw(file).map(Map)
    }

    /// The memory.
    #[inline(always)]
    #[expect(unsafe_code, reason = "memory shared with the kernel and other processes")]
    pub(super) fn words(&self) -> &[AtomicU64] {
        let (start, len) = (self.0.as_mut_ptr().cast::<AtomicU64>(), self.0.len() / 8);
        // SAFETY: a mapping starts on a page and stays until `self` is dropped, so `len` words are
        // there, aligned. All accesses of this process go through this slice of atomics; what
        // other processes do can change values only, and any bits are a valid u64.
        unsafe { core::slice::from_raw_parts(start, len) }
    }

    /// Makes the pages of a range present and writable, so that a store does not fault.
    pub(super) fn populate(&self, from: usize, to: usize) -> io::Result<()> {
        let to = to.min(self.0.len());
        if from >= to {
            return Ok(());
        }
        self.0.advise_range(Advice::PopulateWrite, from, to - from)
    }

    /// Waits until a range is on the disk.
    pub(super) fn sync(&self, from: usize, to: usize) -> io::Result<()> {
        self.0.flush_range(from, to - from)
    }
}

/// A file mapped for reading; perhaps shorter than it should be, never longer than it is.
#[derive(Debug)]
pub(super) struct View(MmapRaw);

impl View {
    /// Maps the whole file.
    pub(super) fn new(file: &File) -> io::Result<View> {
        MmapOptions::new().map_raw_read_only(file).map(View)
    }

    /// Words of the memory; bytes after the last whole one are not among them.
    #[inline(always)]
    #[expect(unsafe_code, reason = "memory shared with the kernel and other processes")]
    fn words(&self) -> &[AtomicU64] {
        let (start, len) = (self.0.as_ptr().cast::<AtomicU64>(), self.0.len() / 8);
        // SAFETY: as for `Map::words`; the methods of this type only load, so that the memory may
        // be mapped read-only.
        unsafe { core::slice::from_raw_parts(start, len) }
    }

    /// How many whole words there are.
    pub(super) fn len(&self) -> usize {
        self.0.len() / 8
    }

    /// `N` words from word `at`, if the file is that long. The first is loaded first, with
    /// Acquire: where it says that the rest is there, the rest is there.
    #[inline(always)]
    pub(super) fn load<const N: usize>(&self, at: usize) -> Option<[u64; N]> {
        let words: &[AtomicU64; N] = self.words().get(at..at.checked_add(N)?)?.try_into().ok()?;
        let first = words[0].load(Ordering::Acquire);
        let mut loaded = [first; N];
        for (to, from) in loaded.iter_mut().zip(words).skip(1) {
            *to = from.load(Ordering::Relaxed);
        }
        Some(loaded)
    }

    /// The first word in a range that is not zero.
    pub(super) fn nonzero(&self, from: usize, to: usize) -> Option<usize> {
        let words = self.words().get(from..to.min(self.len()))?;
        let found = words.iter().position(|word| word.load(Ordering::Relaxed) != 0)?;
        Some(from + found)
    }

    /// The last word from `from` on that is not zero.
    pub(super) fn last_nonzero(&self, from: usize) -> Option<usize> {
        let words = self.words().get(from..)?;
        Some(from + words.iter().rposition(|word| word.load(Ordering::Relaxed) != 0)?)
    }
}

/// Whether a file lies on btrfs, which writes every page to a new block: a reserved file still
/// meets a full disk, by SIGBUS.
fn is_on_btrfs(file: &File) -> io::Result<bool> {
    Ok(file_system(file)?.f_type == libc::BTRFS_SUPER_MAGIC)
}

/// Bytes that an unprivileged process may still take on the file's disk.
pub(super) fn free(file: &File) -> io::Result<u64> {
    let facts = file_system(file)?;
    Ok(facts.f_bavail.saturating_mul(u64::try_from(facts.f_bsize).unwrap_or(0)))
}

#[expect(unsafe_code, reason = "std has no fstatfs")]
fn file_system(file: &File) -> io::Result<libc::statfs> {
    let mut facts = core::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the descriptor is open, and the kernel writes no more than one `statfs`.
    if unsafe { libc::fstatfs(file.as_raw_fd(), facts.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all of it was zeroed, and zeros are valid in each of its fields.
    Ok(unsafe { facts.assume_init() })
}

/// Reserves the blocks of a file, so that a full disk is an error here and not a signal later.
#[expect(unsafe_code, reason = "std has no fallocate")]
pub(super) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    if is_on_btrfs(file)? {
        let what = "btrfs cannot keep reserved blocks; use ext4, xfs or tmpfs";
        return Err(io::Error::new(io::ErrorKind::Unsupported, what));
    }
    let bytes = libc::off_t::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the descriptor is open as long as `file` is borrowed, and no memory is passed.
    match unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, bytes) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Feeds one little-endian word to a CRC-32C by the processor's own instruction; see `crc`.
#[cfg(target_feature = "sse4.2")]
#[inline(always)]
#[expect(unsafe_code, reason = "a target feature that the build configuration fixes")]
pub(super) fn crc_step(crc: u32, word: u64) -> u32 {
    // SAFETY: the instruction belongs to SSE4.2, which the `cfg` above requires of this build.
    unsafe { core::arch::x86_64::_mm_crc32_u64(u64::from(crc), word) as u32 }
}

/// One place through which a thread hands things to another without a lock.
#[derive(Debug)]
pub(super) struct Handoff<T: Send + Sync>(AtomicPtr<T>);

impl<T: Send + Sync> Handoff<T> {
    /// Nothing is in it.
    pub(super) fn new() -> Handoff<T> {
        Handoff(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether nothing is in it. Only the side that puts may rely on a yes.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Puts a thing in; what nobody had taken is dropped.
    pub(super) fn put(&self, thing: Arc<T>) {
        let old = self.0.swap(Arc::into_raw(thing).cast_mut(), Ordering::AcqRel);
        drop(Self::own(old));
    }

    /// Takes it out.
    pub(super) fn take(&self) -> Option<Arc<T>> {
        Self::own(self.0.swap(ptr::null_mut(), Ordering::AcqRel))
    }

    #[expect(unsafe_code, reason = "the count that the pointer stands for")]
    fn own(pointer: *mut T) -> Option<Arc<T>> {
        // SAFETY: every pointer that is not null came from `Arc::into_raw` in `put`, and a swap
        // gave it to this caller alone, so the count that it stands for is taken over once.
        (!pointer.is_null()).then(|| unsafe { Arc::from_raw(pointer) })
    }
}

impl<T: Send + Sync> Drop for Handoff<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
