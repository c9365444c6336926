//! What an instance may allocate.

use wasmtime::ResourceLimiter;

/// Core instances, tables and memories of one component instance: what the pool is laid out for.
pub const CORE_INSTANCES: u32 = 16;
pub const TABLES: u32 = 8;
pub const MEMORIES: u32 = 2;
/// Elements of one table. A Python interpreter needs some twenty thousand.
pub const TABLE_ELEMENTS: usize = 64 << 10;

/// Counts the memory of all linear memories together, and refuses growth beyond the limit.
pub struct Limiter {
    limit: usize,
    used: usize,
    refused: bool,
}

impl Limiter {
    /// Allows `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, used: 0, refused: false }
    }

    /// Whether the guest ever asked for more memory than it may have.
    pub fn refused_memory(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.used.saturating_add(desired.saturating_sub(current));
        let fits = after <= self.limit && maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.used = after;
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, _: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let mut limiter = Limiter::new(100);
        let mut grow = |current, desired| limiter.memory_growing(current, desired, None);
        assert!(grow(0, 60).expect("an answer"));
        assert!(grow(0, 30).expect("an answer"), "a second memory");
        assert!(!grow(60, 80).expect("an answer"), "110 in all");
        assert!(grow(30, 40).expect("an answer"));
        assert!(limiter.refused_memory());
    }

    #[test]
    fn tables_have_a_size_limit() {
        let mut limiter = Limiter::new(0);
        assert!(limiter.table_growing(0, TABLE_ELEMENTS, None).expect("an answer"));
        assert!(!limiter.table_growing(0, TABLE_ELEMENTS + 1, None).expect("an answer"));
        assert!(!limiter.refused_memory());
    }
}
