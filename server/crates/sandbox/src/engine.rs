//! The engine: one per sandbox, set up so that every guest can be interrupted and bounded.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::Tool;
use crate::limiter::{CORE_INSTANCES, MEMORIES, TABLE_ELEMENTS, TABLES};
use crate::state::State;
use crate::{SandboxConfig, SandboxError};

const WASM_PAGE: usize = 64 << 10;

/// Builds the engine. Where the address space cannot be reserved for a pool (a container with a
/// limit on virtual memory), instances are allocated one by one, which costs some microseconds.
pub fn build(config: &SandboxConfig) -> Result<Engine, SandboxError> {
    let mut pooled = base();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    Engine::new(&pooled).or_else(|error| {
        tracing::warn!(%error, "no pool for tool instances, allocating on demand");
        Engine::new(&base()).map_err(|error| SandboxError::Setup(format!("{error:#}")))
    })
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Tools are synchronous components; without this, asynchronous ones are refused.
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(None)
        .async_stack_zeroing(true);
    config
}

fn pool(config: &SandboxConfig) -> PoolingAllocationConfig {
    let calls = config.max_instances.max(1);
    let memory = config.max_memory_bytes.next_multiple_of(WASM_PAGE);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(CORE_INSTANCES))
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_tables(calls.saturating_mul(TABLES))
        .max_tables_per_component(TABLES)
        .max_tables_per_module(TABLES)
        .table_elements(TABLE_ELEMENTS)
        .total_memories(calls.saturating_mul(MEMORIES))
        .max_memories_per_component(MEMORIES)
        .max_memory_size(memory)
        .linear_memory_keep_resident(0);
    pool
}

/// Everything that a guest can import: WASI 0.2, whose context grants neither files nor
/// addresses, and the interfaces of `wit/`.
pub fn linker(engine: &Engine) -> Result<Linker<State>, SandboxError> {
    let setup = |error: wasmtime::Error| SandboxError::Setup(format!("{error:#}"));
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(setup)?;
    Tool::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).map_err(setup)?;
    Ok(linker)
}
