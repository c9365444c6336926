//! Putting memory back to what it was: the kernel knows which pages were written to.

use std::io;

use super::Image;

/// Makes memory what it was before anybody wrote to it: the picture, and blank behind it. Keeps at most `warm_bytes` of pages that
/// were written to; when there are more, all are given back. Says whether that was possible: it is not on every kernel.
#[cfg(target_os = "linux")]
pub fn restore(memory: &mut [u8], image: Option<&Image>, warm_bytes: usize) -> io::Result<bool> {
    let picture = image.map_or(&[][..], Image::bytes);
    let Some(places) = linux::written(memory, warm_bytes) else {
        return linux::forget(memory).map(|()| true);
    };
    for place in places {
        let written = memory.get_mut(place.clone()).ok_or_else(|| io::Error::other("pages beyond the memory"))?;
        let known = picture.get(place.start.min(picture.len())..place.end.min(picture.len())).unwrap_or_default();
        let (shown, blank) = written.split_at_mut(known.len());
        shown.copy_from_slice(known);
        blank.fill(0);
    }
    Ok(true)
}

/// Elsewhere memory is not used again.
#[cfg(not(target_os = "linux"))]
pub fn restore(_: &mut [u8], _: Option<&Image>, _: usize) -> io::Result<bool> {
    Ok(false)
}

#[cfg(target_os = "linux")]
mod linux {
    #![expect(unsafe_code, reason = "asks the kernel about pages; each call says why it is sound")]

    use std::ffi::c_void;
    use std::fs::File;
    use std::io;
    use std::ops::Range;
    use std::sync::LazyLock;

    use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, opcode};
    use rustix::mm::{Advice, madvise};

    /// Kinds of pages (`PAGE_IS_*` of `linux/fs.h`).
    const FILE: u64 = 1 << 2;
    const PRESENT: u64 = 1 << 3;
    const SWAPPED: u64 = 1 << 4;
    const ZERO: u64 = 1 << 5;
    /// How many places one question is answered with.
    const PLACES: usize = 512;

    /// `struct pm_scan_arg` of `linux/fs.h`.
    #[repr(C)]
    #[derive(Default)]
    struct Question {
        size: u64,
        flags: u64,
        start: u64,
        end: u64,
        walk_end: u64,
        vec: u64,
        vec_len: u64,
        max_pages: u64,
        category_inverted: u64,
        category_mask: u64,
        category_anyof_mask: u64,
        return_mask: u64,
    }

    /// `struct page_region` of `linux/fs.h`.
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    struct Place {
        start: u64,
        end: u64,
        categories: u64,
    }

    /// `PAGEMAP_SCAN`, since Linux 6.7.
    // SAFETY: the code is that of the request, and the question's layout is the kernel's; it writes to the question and to the places.
    unsafe impl Ioctl for &mut Question {
        type Output = usize;
        const IS_MUTATING: bool = true;

        fn opcode(&self) -> Opcode {
            opcode::read_write::<Question>(b'f', 16)
        }

        fn as_ptr(&mut self) -> *mut c_void {
            std::ptr::from_mut::<Question>(self).cast()
        }

        unsafe fn output_from_ptr(found: IoctlOutput, _: *mut c_void) -> rustix::io::Result<usize> {
            usize::try_from(found).map_err(|_| rustix::io::Errno::OVERFLOW)
        }
    }

    /// This process's pages. None where the kernel does not show them.
    static PAGES: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/pagemap").ok());

    /// Where memory was written to, as ranges of bytes. None when that is more than `most` bytes or cannot be known.
    pub fn written(memory: &[u8], most: usize) -> Option<Vec<Range<usize>>> {
        let pages = PAGES.as_ref()?;
        let base = memory.as_ptr().addr() as u64;
        let end = base + memory.len() as u64;
        let (mut at, mut bytes, mut all) = (base, 0, Vec::new());
        let mut places = [Place::default(); PLACES];
        while at < end {
            let mut question = Question {
                size: size_of::<Question>() as u64,
                start: at,
                end,
                vec: places.as_mut_ptr().addr() as u64,
                vec_len: PLACES as u64,
                // Neither a page of zeros nor one of the file: those were only read.
                category_inverted: FILE | ZERO,
                category_mask: FILE | ZERO,
                category_anyof_mask: PRESENT | SWAPPED,
                ..Question::default()
            };
            // SAFETY: the kernel writes to the question and to as many places as there are.
            let found = unsafe { rustix::ioctl::ioctl(pages, &mut question) }.ok()?;
            for place in places.get(..found)? {
                let range = usize::try_from(place.start - base).ok()?..usize::try_from(place.end - base).ok()?;
                bytes += range.len();
                all.push(range);
            }
            if bytes > most || question.walk_end <= at {
                return None;
            }
            at = question.walk_end;
        }
        Some(all)
    }

    /// Gives all pages back that were written to.
    pub fn forget(memory: &mut [u8]) -> io::Result<()> {
        // SAFETY: what is mapped there without having been written to is what the memory shall be: the picture's file, or nothing.
        let given_back = unsafe { madvise(memory.as_mut_ptr().cast(), memory.len(), Advice::LinuxDontNeed) };
        given_back.map_err(io::Error::from)
    }
}
