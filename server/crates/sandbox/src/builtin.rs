//! The tools that come with the server.

use std::collections::HashMap;

use crate::cache::ContentHash;
use crate::{Guest, SandboxError, ToolSpec};

/// A component in the server's own binary.
#[derive(Clone, Copy)]
pub(crate) struct Embedded {
    pub wasm: &'static [u8],
    /// Known from the build: as long as nobody reads the bytes they take no memory.
    pub hash: ContentHash,
}

/// The components that the build embedded.
pub(crate) static GUESTS: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/builtin_guests.rs"));

/// The component that reads TypeScript and JavaScript.
pub(crate) static TYPESCRIPT: Embedded = include!(concat!(env!("OUT_DIR"), "/typescript_guest.rs"));

/// The component that reads documents.
pub(crate) static DOCUMENTS: Embedded = include!(concat!(env!("OUT_DIR"), "/documents_guest.rs"));

/// The built-in guests, loaded, by tool name.
#[derive(Debug)]
pub struct Builtins {
    guests: Vec<Guest>,
    /// Tool name to the indices of its guest and of its spec in that guest.
    places: HashMap<String, (usize, usize)>,
}

impl Builtins {
    pub(crate) fn new(guests: Vec<Guest>) -> Result<Self, SandboxError> {
        let mut places = HashMap::new();
        for (guest_index, guest) in guests.iter().enumerate() {
            for (tool_index, tool) in guest.tools().iter().enumerate() {
                let place = (guest_index, tool_index);
                if places.insert(tool.name.clone(), place).is_some() {
                    return Err(SandboxError::BadSpec(format!("two built-in tools are called {}", tool.name)));
                }
            }
        }
        Ok(Self { guests, places })
    }

    /// The built-in tool of that name, and the guest it belongs to.
    pub fn find(&self, tool: &str) -> Option<(&Guest, &ToolSpec)> {
        let &(guest, tool) = self.places.get(tool)?;
        let guest = self.guests.get(guest)?;
        Some((guest, guest.tools().get(tool)?))
    }

    /// All built-in tools.
    pub fn specs(&self) -> impl Iterator<Item = &ToolSpec> {
        self.guests.iter().flat_map(|guest| guest.tools())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_of_the_build_are_those_of_the_bytes() {
        for guest in GUESTS.iter().chain([&TYPESCRIPT, &DOCUMENTS]) {
            assert_eq!(guest.hash, crate::cache::content_hash(guest.wasm));
        }
    }
}
