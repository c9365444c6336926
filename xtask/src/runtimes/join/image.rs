//! The memory that the joined module starts with.

use super::invalid;
use crate::fail::Done;

/// A page of WebAssembly, in bytes.
const PAGE: usize = 64 << 10;

/// What is in a memory at the start: whole pages of it.
#[derive(Default)]
pub struct Image(Vec<u8>);

impl Image {
    /// Puts bytes at an address.
    pub fn place(&mut self, address: u32, bytes: &[u8]) -> Done {
        let start = usize::try_from(address).map_err(|error| invalid(&error))?;
        let end = start + bytes.len();
        if self.0.len() < end {
            self.0.resize(end.next_multiple_of(PAGE), 0);
        }
        self.0[start..end].copy_from_slice(bytes);
        Ok(())
    }

    /// All of it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
