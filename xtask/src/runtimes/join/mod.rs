//! Joins the core modules of a component into one.
//!
//! Language runtimes come as libraries that are linked when they are instantiated: a dozen modules, each with hundreds of imports, and a
//! table that every one of them writes its functions into. All of that would be done again for each call of a tool. Joined, they are one
//! module whose imports are resolved, with a table that the engine need not fill. Its memory is not part of it: the component carries
//! it as a section of its own, which the sandbox maps (`server/crates/sandbox/src/memory`).
//!
//! What the host provides stays an import. A host function may need the memory of the module that imports it, so such imports go
//! through a table that is filled when both are there, as `wit-component` does it.

mod component;
mod constant;
mod image;
mod module;
mod outline;

use crate::fail::{Done, Failure};

/// The same component with one core module and two small ones for its imports. `finish` may change the memory that it starts with.
///
/// # Errors
/// When it is not a valid component, or uses what libraries of language runtimes do not: modules that are instantiated twice or have a
/// function to start with, or destructors in modules.
pub fn join(bytes: &[u8], finish: impl FnOnce(&mut [u8]) -> Done) -> Done<Vec<u8>> {
    let outline = outline::read(bytes)?;
    let mut joined = module::join(&outline)?;
    finish(&mut joined.memory)?;
    let made = component::write(bytes, &outline, &joined)?;
    let mut validator = wasmparser::Validator::new();
    validator.validate_all(&made).map_err(|error| invalid(&error))?;
    Ok(made)
}

fn invalid(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("joining the modules of a runtime: {error}"))
}

#[cfg(test)]
mod tests;
