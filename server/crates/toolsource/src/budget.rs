//! A bound on how large a schema may become. Types that use each other would multiply without one.

use crate::{Result, SourceError};

/// Bytes of JSON, roughly.
const MAX_SCHEMA: usize = 256 * 1024;
/// What an object costs beside its texts.
const OBJECT: usize = 32;
/// How deep types may contain each other.
pub const MAX_DEPTH: usize = 24;

/// What may still be written.
#[derive(Debug)]
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_SCHEMA)
    }
}

impl Budget {
    /// Pays for one object with this many bytes of text.
    ///
    /// # Errors
    /// [`SourceError::SchemaTooLarge`] when nothing is left.
    pub fn spend(&mut self, text: usize) -> Result<()> {
        self.0 = self.0.checked_sub(OBJECT.saturating_add(text)).ok_or(SourceError::SchemaTooLarge)?;
        Ok(())
    }
}
