//! Where things are: the checkout, and the cache outside it.

use std::path::{Path, PathBuf};

pub use mneme_toolchain::cache;

/// The root of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
