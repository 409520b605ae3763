//! Part of a locked file that survives the process: a file and a range in, its bytes and one
//! indivisible word out.

use core::sync::atomic::AtomicU64;
use memmap2::{MmapMut, MmapOptions};
use std::{fs::File, io};

/// A mapped range of a file, with one owner.
#[derive(Debug)]
pub struct Region {
    map: MmapMut,
    /// The exclusive lock under which the range is ours.
    _file: File,
}

impl Region {
    /// Maps `len` bytes from `offset` (a multiple of the page), every page present. The range must
    /// lie inside the file, which this process has locked and which nobody truncates; two regions
    /// of one file must not overlap.
    #[expect(unsafe_code, reason = "a file mapping")]
    pub fn new(file: &File, offset: usize, len: usize) -> io::Result<Region> {
        let end = (offset + len) as u64;
        if len < 8 || file.metadata()?.len() < end {
            return Err(io::Error::other("the file is shorter than the region"));
        }
        let mut options = MmapOptions::new();
        options.offset(offset as u64).len(len).populate();
        // SAFETY: the file is exclusively locked by this process, long enough, and not truncated
        // while it is mapped; regions of one file do not overlap and each has one owner.
        let map = unsafe { options.map_mut(file)? };
        // `populate` maps a shared page for reading only: the first store to it would fault. Best
        // effort, as an old kernel does not know this one.
        drop(map.advise(memmap2::Advice::PopulateWrite));
        Ok(Region { map, _file: file.try_clone()? })
    }

    /// The first eight bytes, to be loaded or stored in one piece.
    #[inline(always)]
    #[expect(unsafe_code, reason = "one indivisible store into a file mapping")]
    pub fn word(&self) -> &AtomicU64 {
        // SAFETY: a mapping starts on a page, so the word is aligned, and it is at least eight
        // bytes long; the reference cannot outlive the map, and `bytes_mut` needs `&mut self`.
        unsafe { AtomicU64::from_ptr(self.map.as_ptr().cast_mut().cast()) }
    }

    /// The whole range.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// The whole range, to be written.
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }

    /// Writes everything to disk.
    pub fn sync(&self) -> io::Result<()> {
        self.map.flush()
    }
}
