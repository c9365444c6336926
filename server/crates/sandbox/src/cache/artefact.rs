//! What is compiled and kept: components, and core modules of the server's own choosing.

use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::{SandboxError, engine};

/// Compiled code that can be written down and mapped again.
pub trait Artefact: Sized + Send + 'static {
    /// How the compiling process is told what it gets.
    const KIND: &'static str;

    /// An engine that compiles such code and has no room for instances.
    ///
    /// # Errors
    /// When there cannot be one on this machine.
    fn compiling_engine() -> Result<Engine, SandboxError>;

    /// Compiles.
    ///
    /// # Errors
    /// When the bytes are not valid.
    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self>;

    /// The compiled code as bytes.
    ///
    /// # Errors
    /// When the engine cannot write it down.
    fn serialize(&self) -> wasmtime::Result<Vec<u8>>;

    /// Maps compiled code.
    ///
    /// # Safety
    /// The file must be what [`Artefact::serialize`] gave, and must not change.
    #[expect(unsafe_code, reason = "declares what the implementations below need; see `deserialize`")]
    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self>;
}

/// Maps compiled code out of the cache.
#[expect(
    unsafe_code,
    reason = "loading native code that this server compiled itself, from a folder that only its user can write to, checked by a MAC"
)]
pub fn deserialize<A: Artefact>(engine: &Engine, path: &Path) -> wasmtime::Result<A> {
    // SAFETY: the file is what `Artefact::serialize` gave, see the caller, and is only ever replaced, never changed;
    // the engine itself refuses code of another version or configuration.
    unsafe { A::map(engine, path) }
}

impl Artefact for Component {
    const KIND: &'static str = "component";

    fn compiling_engine() -> Result<Engine, SandboxError> {
        engine::for_compiling()
    }

    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, wasm)
    }

    fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        Component::serialize(self)
    }

    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, path) }
    }
}

impl Artefact for Module {
    const KIND: &'static str = "module";

    fn compiling_engine() -> Result<Engine, SandboxError> {
        engine::for_modules()
    }

    fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Self> {
        Self::from_binary(engine, wasm)
    }

    fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        Module::serialize(self)
    }

    #[expect(unsafe_code, reason = "see the trait")]
    unsafe fn map(engine: &Engine, path: &Path) -> wasmtime::Result<Self> {
        // SAFETY: the caller's.
        unsafe { Self::deserialize_file(engine, path) }
    }
}
