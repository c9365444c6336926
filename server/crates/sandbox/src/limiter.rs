//! What an instance may allocate.

use wasmtime::ResourceLimiter;

/// What one component instance may consist of: what a pool is laid out for.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Core instances.
    pub instances: u32,
    /// Tables.
    pub tables: u32,
    /// Linear memories.
    pub memories: u32,
    /// Elements of one table. A Python interpreter needs some twenty thousand.
    pub table_elements: usize,
}

impl Shape {
    /// A tool.
    pub const TOOL: Self = Self { instances: 16, tables: 8, memories: 2, table_elements: 64 << 10 };
    /// A language runtime, which is made of many modules.
    pub const RUNTIME: Self = Self { instances: 100, tables: 20, memories: 10, table_elements: 256 << 10 };
}

/// Counts the memory of all linear memories together, and refuses growth beyond the limit.
pub struct Limiter {
    shape: Shape,
    limit: usize,
    used: usize,
    refused: bool,
}

impl Limiter {
    /// Allows `limit` bytes of memory.
    pub fn new(shape: Shape, limit: usize) -> Self {
        Self { shape, limit, used: 0, refused: false }
    }

    /// Bytes of memory that the guest has; it never has less than before.
    pub fn used(&self) -> usize {
        self.used
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
        Ok(desired <= self.shape.table_elements && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        self.shape.instances as usize
    }

    fn tables(&self) -> usize {
        self.shape.tables as usize
    }

    fn memories(&self) -> usize {
        self.shape.memories as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_counted_together() {
        let mut limiter = Limiter::new(Shape::TOOL, 100);
        let mut grow = |current, desired| limiter.memory_growing(current, desired, None);
        assert!(grow(0, 60).expect("an answer"));
        assert!(grow(0, 30).expect("an answer"), "a second memory");
        assert!(!grow(60, 80).expect("an answer"), "110 in all");
        assert!(grow(30, 40).expect("an answer"));
        assert!(limiter.refused_memory());
    }

    #[test]
    fn tables_have_a_size_limit() {
        let mut limiter = Limiter::new(Shape::TOOL, 0);
        assert!(limiter.table_growing(0, Shape::TOOL.table_elements, None).expect("an answer"));
        assert!(!limiter.table_growing(0, Shape::TOOL.table_elements + 1, None).expect("an answer"));
        assert!(!limiter.refused_memory());
    }
}
