//! Memory that other processes may watch: a file or nothing in, 64-bit words out.
//!
//! Only atomics touch the mapping, never a reference to plain bytes, so what another process
//! writes meanwhile is a wrong number at worst. The file is allocated in full when it is made:
//! a sparse file on a full disk would be a SIGBUS in the middle of a run.

use core::{ptr::NonNull, sync::atomic::AtomicU64};
use memmap2::{MmapMut, MmapOptions, MmapRaw};
use std::{fs::OpenOptions, io, os::fd::AsRawFd, path::Path, sync::Arc};

/// A mapping, seen as words.
#[derive(Debug)]
pub(super) struct Mapped {
    map: MmapRaw,
}

impl Mapped {
    /// A new file of so many words, all zero, in place of what was there; every page present.
    pub(super) fn create(path: &Path, words: usize) -> io::Result<Mapped> {
        // A process that still reads the former file keeps it: truncating it would kill that one.
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        allocate(&file, words * 8)?;
        let map = MmapOptions::new().len(words * 8).map_raw(&file)?;
        // Best effort: where the kernel is too old for it, the pages come at first touch.
        drop(map.advise(memmap2::Advice::PopulateWrite));
        Ok(Mapped { map })
    }

    /// The same without a file, for runs that nobody watches.
    pub(super) fn anonymous(words: usize) -> io::Result<Mapped> {
        let map = MmapOptions::new().len(words * 8).populate().map_anon()?;
        Ok(Mapped { map: MmapMut::into(map) })
    }

    /// An existing file, to be read only.
    pub(super) fn open(path: &Path) -> io::Result<Mapped> {
        let file = OpenOptions::new().read(true).open(path)?;
        Ok(Mapped { map: MmapOptions::new().map_raw_read_only(&file)? })
    }

    /// How many whole words there are.
    pub(super) fn len(&self) -> usize {
        self.map.len() / 8
    }

    /// One word. A mapping made by [`Mapped::open`] may be loaded from, not stored to.
    ///
    /// # Panics
    /// Where there is no such word.
    #[inline(always)]
    #[expect(unsafe_code, reason = "a mapping is raw memory")]
    pub(super) fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.len(), "word {index} of {}", self.len());
        // SAFETY: the index is inside the mapping, which is page-aligned, lives as long as `self`
        // and is touched through atomics alone, here and by whoever else maps it.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().cast::<u64>().add(index)) }
    }
}

/// Words that follow each other in a mapping, which they keep alive.
#[derive(Clone, Debug)]
pub(super) struct Words {
    first: NonNull<AtomicU64>,
    count: usize,
    /// What `first` points into.
    _map: Arc<Mapped>,
}

// SAFETY: atomics in a mapping that the `Arc` keeps where it is; any thread may use them.
#[expect(unsafe_code, reason = "a mapping is raw memory")]
unsafe impl Send for Words {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "a mapping is raw memory")]
unsafe impl Sync for Words {}

impl Words {
    /// `count` words from `first` on.
    ///
    /// # Panics
    /// Where the mapping is shorter, or `count` is 0.
    pub(super) fn new(map: &Arc<Mapped>, first: usize, count: usize) -> Words {
        assert!(count > 0 && first + count <= map.len());
        Words { first: NonNull::from(map.word(first)), count, _map: map.clone() }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// One of them: one comparison and one addition, for the hot path.
    #[inline(always)]
    #[expect(unsafe_code, reason = "a mapping is raw memory")]
    pub(super) fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < self.count);
        // SAFETY: `new` checked that so many words follow, and `_map` keeps them mapped.
        unsafe { self.first.add(index).as_ref() }
    }
}

#[expect(unsafe_code, reason = "std has no fallocate")]
fn allocate(file: &std::fs::File, bytes: usize) -> io::Result<()> {
    let length = libc::off_t::try_from(bytes).map_err(io::Error::other)?;
    // SAFETY: a plain system call on a descriptor that we own.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), 0, length) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}
