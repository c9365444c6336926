//! The embedding model that is in this binary.

use mneme_core::LocalModel;

/// Name and packed weights.
const EMBEDDED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// The model, if the binary was built with one.
pub fn local() -> Option<LocalModel> {
    EMBEDDED.first().map(|(name, packed)| LocalModel { name, packed })
}
