//! The stacks that guests run on.

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime::{StackCreator, StackMemory};

use super::region::Region;
use super::written;

/// Kept of a free stack, in bytes.
const WARM: usize = 256 << 10;
/// Not accessible, below each stack, in bytes: a multiple of every machine's pages. The engine checks depth itself; this is for its
/// mistakes.
const GUARD: usize = 64 << 10;

/// Stacks, and those that are free.
pub struct Stacks {
    home: Arc<Home>,
}

struct Home {
    free: Mutex<Vec<Region>>,
    most_free: usize,
}

impl Stacks {
    /// Stacks, of which so many are kept.
    pub fn new(most_free: usize) -> Self {
        Self { home: Arc::new(Home { free: Mutex::default(), most_free }) }
    }
}

// SAFETY: a stack is a mapping of its own that nobody else knows until it is dropped, with inaccessible pages below it; it is blank.
#[expect(unsafe_code, reason = "the promise of the trait")]
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, _: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let size = size.next_multiple_of(GUARD);
        let known = self.home.free.lock().pop().filter(|free| free.length() == size + GUARD);
        let region = match known {
            Some(region) => region,
            None => Region::above_guard(size, GUARD)?,
        };
        Ok(Box::new(Stack { region: Some(region), home: Arc::clone(&self.home) }))
    }
}

/// A stack.
struct Stack {
    /// There until the stack is dropped.
    region: Option<Region>,
    home: Arc<Home>,
}

impl Stack {
    fn bounds(&self) -> (usize, usize, *mut u8) {
        self.region
            .as_ref()
            .map_or((0, 0, std::ptr::null_mut()), |region| (GUARD, region.length(), region.base().as_ptr()))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let Some(mut region) = self.region.take() else { return };
        match written::restore(region.accessible(), None, WARM) {
            Ok(true) => {
                let mut free = self.home.free.lock();
                if free.len() < self.home.most_free {
                    free.push(region);
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a stack cannot be used again"),
        }
    }
}

// SAFETY: see above.
#[expect(unsafe_code, reason = "the promise of the trait")]
unsafe impl StackMemory for Stack {
    fn top(&self) -> *mut u8 {
        let (_, end, base) = self.bounds();
        base.wrapping_add(end)
    }

    fn range(&self) -> Range<usize> {
        let (start, end, base) = self.bounds();
        base.wrapping_add(start).addr()..base.wrapping_add(end).addr()
    }

    fn guard_range(&self) -> Range<*mut u8> {
        let (start, _, base) = self.bounds();
        base..base.wrapping_add(start)
    }
}
