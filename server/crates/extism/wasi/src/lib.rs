//! The server's own WASI under the version that Extism asks for: to what Extism uses of it they do not differ.

pub use wasi::*;
