//! The stacks that guests run on.

use std::ops::Range;
use std::sync::Arc;

use wasmtime::{StackCreator, StackMemory};

use super::free::Free;
use super::region::Region;
use super::written;

/// Kept of a free stack, in bytes.
const WARM: usize = 256 << 10;
/// Not accessible, below each stack, in bytes: a multiple of every machine's pages. The engine checks depth itself; this is for its
/// mistakes.
const GUARD: usize = 64 << 10;

/// Stacks, and those that are free.
pub struct Stacks {
    free: Arc<Free>,
}

impl Stacks {
    /// Stacks, of which so many are kept.
    pub fn new(most_free: usize) -> Self {
        Self { free: Arc::new(Free::new(most_free)) }
    }
}

// SAFETY: a stack is a mapping of its own that nobody else knows until it is dropped, with inaccessible pages below it; it is blank.
#[expect(unsafe_code, reason = "the promise of the trait")]
unsafe impl StackCreator for Stacks {
    fn new_stack(&self, size: usize, _: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let size = size.next_multiple_of(GUARD);
        let region = match self.free.take(|free| free.length() == size + GUARD) {
            Some(region) => region,
            None => Region::above_guard(size, GUARD)?,
        };
        Ok(Box::new(Stack { region: Some(region), free: Arc::clone(&self.free) }))
    }
}

/// A stack.
struct Stack {
    /// There until the stack is dropped.
    region: Option<Region>,
    free: Arc<Free>,
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
        let restored = written::restore(region.accessible(), None, WARM);
        self.free.give_back(region, restored);
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
