//! Putting memory back to what it was: the kernel knows which pages were written to.

use std::io;

use super::Image;

/// Makes memory what it was before anybody wrote to it: the picture, and blank behind it. Keeps at most `warm_bytes` of pages that
/// were written to; when there are more, all are given back. Says whether that was possible: only where the kernel shows pages.
#[cfg(target_os = "linux")]
pub fn restore(memory: &mut [u8], image: Option<&Image>, warm_bytes: usize) -> io::Result<bool> {
    let picture = image.map_or(&[][..], Image::bytes);
    let places = match linux::written(memory, warm_bytes)? {
        linux::Written::At(places) => places,
        linux::Written::TooMuch => return linux::forget(memory).map(|()| true),
        linux::Written::Unknown => return Ok(false),
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
    use std::os::unix::fs::FileExt;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rustix::io::Errno;
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
    /// Whether the kernel does not answer a [`Question`].
    static OLD: AtomicBool = AtomicBool::new(false);

    /// What is known of memory that was written to.
    pub enum Written {
        /// In these ranges of bytes.
        At(Vec<Range<usize>>),
        /// In too many.
        TooMuch,
        /// The kernel does not tell.
        Unknown,
    }

    /// Where memory was written to, if that is not more than `most` bytes.
    pub fn written(memory: &[u8], most: usize) -> io::Result<Written> {
        let Some(pages) = PAGES.as_ref() else { return Ok(Written::Unknown) };
        if !OLD.load(Ordering::Relaxed) {
            match asked(pages, memory, most) {
                Ok(answer) => return Ok(answer),
                // It does not know the question, or something around it does not let it through.
                Err(_) => OLD.store(true, Ordering::Relaxed),
            }
        }
        looked_up(pages, memory, most)
    }

    /// Asks for the places.
    fn asked(pages: &File, memory: &[u8], most: usize) -> rustix::io::Result<Written> {
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
            let found = unsafe { rustix::ioctl::ioctl(pages, &mut question)? };
            for place in places.get(..found).ok_or(Errno::OVERFLOW)? {
                let offset = |address: u64| usize::try_from(address - base).map_err(|_| Errno::OVERFLOW);
                let range = offset(place.start)?..offset(place.end)?;
                bytes += range.len();
                all.push(range);
            }
            if bytes > most {
                return Ok(Written::TooMuch);
            }
            if question.walk_end <= at {
                return Err(Errno::INVAL);
            }
            at = question.walk_end;
        }
        Ok(Written::At(all))
    }

    /// What `/proc/self/pagemap` has of each page, in all kernels (`Documentation/admin-guide/mm/pagemap.rst`).
    const ENTRY_PRESENT: u64 = 1 << 63;
    const ENTRY_SWAPPED: u64 = 1 << 62;
    const ENTRY_FILE: u64 = 1 << 61;

    /// Looks the places up page by page, which takes a few times as long.
    pub(super) fn looked_up(pages: &File, memory: &[u8], most: usize) -> io::Result<Written> {
        const ENTRY: usize = size_of::<u64>();
        let page = rustix::param::page_size();
        let first = memory.as_ptr().addr() / page;
        let mut entries = vec![0; memory.len() / page * ENTRY];
        pages.read_exact_at(&mut entries, (first * ENTRY) as u64)?;
        let is_written = |entry: &[u8; ENTRY]| {
            let entry = u64::from_ne_bytes(*entry);
            entry & (ENTRY_PRESENT | ENTRY_SWAPPED) != 0 && entry & ENTRY_FILE == 0
        };
        let written = entries.as_chunks::<ENTRY>().0.iter().enumerate().filter(|(_, entry)| is_written(entry));
        let places: Vec<_> = written.map(|(index, _)| index * page..(index + 1) * page).collect();
        Ok(if places.len() * page > most { Written::TooMuch } else { Written::At(places) })
    }

    /// Gives all pages back that were written to.
    pub fn forget(memory: &mut [u8]) -> io::Result<()> {
        // SAFETY: what is mapped there without having been written to is what the memory shall be: the picture's file, or nothing.
        let given_back = unsafe { madvise(memory.as_mut_ptr().cast(), memory.len(), Advice::LinuxDontNeed) };
        given_back.map_err(io::Error::from)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::memory::region::Region;

        fn places(written: Written) -> Vec<usize> {
            let Written::At(places) = written else { panic!("not known where") };
            let page = rustix::param::page_size();
            places.into_iter().flat_map(|place| place.step_by(page)).map(|at| at / page).collect()
        }

        #[test]
        fn old_kernels_and_new_ones_tell_of_the_same_pages() {
            let page = rustix::param::page_size();
            let mut region = Region::above_guard(100 * page, 16 * page).expect("memory");
            let memory = region.accessible();
            for at in [0, 7, 8, 50, 99] {
                memory[at * page + 5] = 1;
            }
            let pages = PAGES.as_ref().expect("a kernel that shows pages");
            let old = places(looked_up(pages, memory, 5 * page).expect("an answer"));
            assert_eq!(old, [0, 7, 8, 50, 99]);
            assert!(matches!(looked_up(pages, memory, 4 * page), Ok(Written::TooMuch)));
            if let Ok(new) = asked(pages, memory, 5 * page) {
                assert_eq!(places(new), old);
                assert!(matches!(asked(pages, memory, 4 * page), Ok(Written::TooMuch)));
            }
        }
    }
}
