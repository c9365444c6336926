//! The memory of language runtimes: it begins as a picture of an interpreter that has started, and is used again.
//!
//! A program writes to a hundred pages of its interpreter's memory, in as many places. The engine's own pool can put back 32 such
//! places after a call and gives the rest of the memory back to the machine, page by page to be faulted in again by the next call,
//! which costs as much time as the call itself, and more where several cores have to be told. Here a memory keeps its pages: those that
//! were written to are written over with what the picture has there.
//!
//! The picture is in the component's file, in a section that `xtask/src/runtimes/join/component.rs` writes; the component itself has no
//! data. Without such a section a memory begins blank, and the engine fills it as the component says.

mod free;
mod image;
mod region;
mod stacks;
mod written;

use std::ptr::NonNull;
use std::sync::Arc;

use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

use free::Free;
pub use image::Image;
use region::Region;
pub use stacks::Stacks;

/// Memories for the instances of one runtime, and those that are free.
pub struct Memories {
    home: Arc<Home>,
}

struct Home {
    image: Option<Image>,
    free: Free,
    /// What a free memory may keep, in bytes.
    warm_bytes: usize,
}

impl Memories {
    /// Memories that begin as a picture, of which so many are kept.
    pub fn new(image: Option<Image>, most_free: usize, warm_bytes: usize) -> Self {
        Self { home: Arc::new(Home { image, free: Free::new(most_free), warm_bytes }) }
    }
}

// SAFETY: a memory is a mapping of its own that nobody else knows until it is dropped; `guard` bytes beyond what it can grow to are
// never accessible; and it does not move.
#[expect(unsafe_code, reason = "the promise of the trait")]
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        _: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let room = reserved.ok_or("memories of runtimes do not move")?;
        let length = room.checked_add(guard).ok_or("a memory larger than the machine's")?;
        if minimum > room {
            return Err("a memory larger than its reservation".to_owned());
        }
        let region = match self.home.free.take(|free| free.length() == length && free.open() == minimum) {
            Some(region) => region,
            None => self.home.map(length, minimum).map_err(|error| format!("no memory for a program: {error}"))?,
        };
        Ok(Box::new(Memory { region: Some(region), minimum, room, home: Arc::clone(&self.home) }))
    }
}

impl Home {
    fn map(&self, length: usize, minimum: usize) -> std::io::Result<Region> {
        let mut region = Region::reserve(length)?;
        match &self.image {
            Some(image) if image.length() <= minimum => region.show(image)?,
            Some(_) => return Err(std::io::Error::other("the picture is larger than the memory")),
            None => {}
        }
        region.open_to(minimum)?;
        Ok(region)
    }

    /// Takes a memory back, as it was in the beginning. One for which that fails is given up.
    fn take_back(&self, mut region: Region, minimum: usize) {
        let restored = region
            .close_to(minimum)
            .and_then(|()| written::restore(region.accessible(), self.image.as_ref(), self.warm_bytes));
        self.free.give_back(region, restored);
    }
}

/// The memory of one instance.
struct Memory {
    /// There until the memory is dropped.
    region: Option<Region>,
    minimum: usize,
    room: usize,
    home: Arc<Home>,
}

// SAFETY: the pointer is that of a mapping which stays where it is, and of which `byte_size` bytes are accessible.
#[expect(unsafe_code, reason = "the promise of the trait")]
unsafe impl LinearMemory for Memory {
    fn byte_size(&self) -> usize {
        self.region.as_ref().map_or(0, Region::open)
    }

    fn byte_capacity(&self) -> usize {
        self.room
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        match &mut self.region {
            Some(region) if size <= self.room => Ok(region.open_to(size)?),
            _ => Err(wasmtime::Error::msg("a memory beyond its reservation")),
        }
    }

    fn as_ptr(&self) -> *mut u8 {
        self.region.as_ref().map_or(NonNull::dangling(), Region::base).as_ptr()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Some(region) = self.region.take() {
            self.home.take_back(region, self.minimum);
        }
    }
}

#[cfg(test)]
mod tests;
