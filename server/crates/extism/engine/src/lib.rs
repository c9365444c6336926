//! The server's own wasmtime under the version that Extism asks for, so that one engine runs components and plugins.
//!
//! Extism 1.41 asks for wasmtime 49, which needs a newer compiler than this project is built with. The server's is 48, with
//! long-term support; what Extism uses of it is the same in both. When the server moves on, this crate goes.

pub use engine::*;
