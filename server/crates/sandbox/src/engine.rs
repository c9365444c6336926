//! Engines: one for tools and one for each language runtime, set up so that every guest can be interrupted and bounded.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::SandboxError;
use crate::bindings::Tool;
use crate::files;
use crate::limiter::Shape;
use crate::memory::{Memories, Stacks};
use crate::state::State;

const WASM_PAGE: usize = 64 << 10;

/// How many instances of which size an engine has room for.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Instances at the same time.
    pub calls: u32,
    /// What each consists of.
    pub shape: Shape,
    /// The largest linear memory, in bytes.
    pub memory_bytes: usize,
    /// What a free place may keep of its last instance's memory and of each of its tables, in bytes: those pages are written over with the next
    /// one's instead of being given back and faulted in again.
    pub warm_bytes: usize,
}

/// Builds an engine. Where the address space cannot be reserved for a pool (a container with a
/// limit on virtual memory), instances are allocated one by one, which costs some microseconds.
pub fn build(room: Room) -> Result<Engine, SandboxError> {
    let mut pooled = base();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(room)));
    Engine::new(&pooled).or_else(|error| {
        tracing::warn!(%error, "no pool for tool instances, allocating on demand");
        for_compiling()
    })
}

/// An engine for the same compiled code, without room for instances.
pub fn for_compiling() -> Result<Engine, SandboxError> {
    Engine::new(&base()).map_err(|error| SandboxError::Setup(format!("{error:#}")))
}

/// An engine for one language runtime, whose memories begin as a picture.
///
/// # Errors
/// When there cannot be one on this machine.
pub fn for_runtime(memories: Memories, stacks: Stacks) -> Result<Engine, SandboxError> {
    let mut config = base();
    config.with_host_memory(Arc::new(memories)).with_host_stack(Arc::new(stacks));
    Engine::new(&config).map_err(|error| SandboxError::Setup(format!("{error:#}")))
}

/// An engine for core modules of our own choosing, which throw exceptions of WebAssembly. Instances are few and large, so
/// they are allocated one by one.
pub fn for_modules() -> Result<Engine, SandboxError> {
    let mut config = base();
    config.gc_support(true).wasm_exceptions(true);
    Engine::new(&config).map_err(|error| SandboxError::Setup(format!("{error:#}")))
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Exceptions are for one runtime of our own only, and so is the heap that they are kept in; see `for_modules`.
        .gc_support(false)
        .wasm_exceptions(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        // Tools are synchronous components; without this, asynchronous ones are refused.
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(None)
        .async_stack_zeroing(true);
    config
}

fn pool(room: Room) -> PoolingAllocationConfig {
    let (calls, shape) = (room.calls.max(1), room.shape);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        .total_core_instances(calls.saturating_mul(shape.instances))
        .max_core_instances_per_component(shape.instances)
        .total_tables(calls.saturating_mul(shape.tables))
        .max_tables_per_component(shape.tables)
        .max_tables_per_module(shape.tables)
        .table_elements(shape.table_elements)
        .total_memories(calls.saturating_mul(shape.memories))
        .max_memories_per_component(shape.memories)
        .max_memory_size(room.memory_bytes.next_multiple_of(WASM_PAGE))
        .linear_memory_keep_resident(room.warm_bytes)
        .table_keep_resident(room.warm_bytes)
        // Which pages an instance wrote to is for the kernel to say, where it can (Linux 6.7).
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Everything that a guest can import: WASI 0.2, whose context grants no addresses and only the folders of the call;
/// `wasi:http`, under the call's policy; and the interfaces of `wit/`.
pub fn linker(engine: &Engine) -> Result<Linker<State>, SandboxError> {
    let setup = |error: wasmtime::Error| SandboxError::Setup(format!("{error:#}"));
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(setup)?;
    files::bound_preview2(&mut linker).map_err(setup)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(setup)?;
    Tool::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).map_err(setup)?;
    Ok(linker)
}

/// Whether a name is one of those that [`linker`] knows, in whatever version.
pub fn offers(import: &str) -> bool {
    const PACKAGES: &[&str] = &[
        "wasi:cli/",
        "wasi:clocks/",
        "wasi:filesystem/",
        "wasi:http/",
        "wasi:io/",
        "wasi:random/",
        "wasi:sockets/",
        "mneme:tool/",
    ];
    PACKAGES.iter().any(|package| import.starts_with(package))
}
