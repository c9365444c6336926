//! A piece of address space.
#![expect(unsafe_code, reason = "maps memory for guests; each call says why it is sound")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};

use rustix::mm::{self, MapFlags, MprotectFlags, ProtFlags};

use super::Image;

/// A mapping, of which a part is accessible; the rest is only reserved.
pub struct Region {
    base: NonNull<u8>,
    length: usize,
    /// Where the accessible part begins.
    from: usize,
    /// Where it ends.
    open: usize,
}

// SAFETY: a region is owned memory like a `Vec<u8>`; nothing of it belongs to a thread.
unsafe impl Send for Region {}
// SAFETY: what is shared can only be looked at.
unsafe impl Sync for Region {}

impl Region {
    /// Reserves address space, none of it accessible.
    pub fn reserve(length: usize) -> io::Result<Self> {
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe { mm::mmap_anonymous(ptr::null_mut(), length, ProtFlags::empty(), flags)? };
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("a mapping at address zero"))?;
        Ok(Self { base, length, from: 0, open: 0 })
    }

    /// A part of a file, to be read.
    pub fn read_only(file: &File, offset: u64, length: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses.
        let base = unsafe { mm::mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::PRIVATE, file, offset)? };
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("a mapping at address zero"))?;
        Ok(Self { base, length, from: 0, open: length })
    }

    /// Reserves address space, all of it accessible but the first `guard` bytes.
    pub fn above_guard(size: usize, guard: usize) -> io::Result<Self> {
        let mut region = Self::reserve(size + guard)?;
        (region.from, region.open) = (guard, guard);
        region.open_to(size + guard)?;
        Ok(region)
    }

    /// Where it begins.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Bytes of address space.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Where the accessible part ends: how many bytes that are, where there is no guard.
    pub fn open(&self) -> usize {
        self.open
    }

    /// What a region that is only read holds. The file behind it is replaced, never changed.
    pub fn contents(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped, and nobody writes to them.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.open) }
    }

    /// The accessible part, to be written to by whoever owns the region.
    pub fn accessible(&mut self) -> &mut [u8] {
        let (start, length) = (self.at(self.from).cast(), self.open - self.from);
        // SAFETY: so many bytes are mapped and writable, and the region is borrowed for as long.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    /// Makes the beginning of a region that is not in use a copy of a picture. Pages are copied when they are written to.
    pub fn show(&mut self, image: &Image) -> io::Result<()> {
        let length = image.length();
        if self.open > 0 || length > self.length {
            return Err(io::Error::other("no room for a picture"));
        }
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::FIXED);
        // SAFETY: replaces pages of this region, which nobody refers to: none of them was accessible.
        unsafe { mm::mmap(self.at(0), length, protection, flags, &image.file, image.offset)? };
        self.open = length;
        Ok(())
    }

    /// Makes more of it accessible. What is new is blank.
    pub fn open_to(&mut self, size: usize) -> io::Result<()> {
        if size > self.length {
            return Err(io::Error::other("more than there is"));
        }
        if size > self.open {
            // SAFETY: pages of this region, which nobody refers to yet.
            unsafe { mm::mprotect(self.at(self.open), size - self.open, MprotectFlags::READ | MprotectFlags::WRITE)? };
            self.open = size;
        }
        Ok(())
    }

    /// Makes all from `size` inaccessible again, and forgets what was there.
    pub fn close_to(&mut self, size: usize) -> io::Result<()> {
        if size < self.open {
            let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED;
            // SAFETY: replaces pages of this region; `&mut self` says that nobody refers to them.
            unsafe { mm::mmap_anonymous(self.at(size), self.open - size, ProtFlags::empty(), flags)? };
            self.open = size;
        }
        Ok(())
    }

    fn at(&self, offset: usize) -> *mut c_void {
        self.base.as_ptr().wrapping_add(offset).cast()
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, which nobody refers to any more.
        if let Err(error) = unsafe { mm::munmap(self.at(0), self.length) } {
            tracing::warn!(%error, "address space cannot be given back");
        }
    }
}
