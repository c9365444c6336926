//! Where things are: the checkout, and the cache outside it.

use std::env;
use std::path::{Path, PathBuf};

use crate::fail::{Done, Failure};

/// The root of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The folder for what can be made again: compiled guests, unpacked compilers.
pub fn cache() -> Done<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => {
            env::home_dir().ok_or_else(|| Failure::new("there is no home folder to keep a cache in"))?.join(".cache")
        }
    };
    Ok(base.join("mneme"))
}
