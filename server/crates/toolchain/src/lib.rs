//! Finds a compiler for WebAssembly guests: rustup's, or Debian's where rustup's target cannot be fetched. The set-up
//! of a checkout builds the built-in tools with it, and `mneme tools build` those of users.

mod apt;
mod debian;
pub mod fail;
mod rustup;
mod toolchain;

use std::env;
use std::path::{Path, PathBuf};

pub use toolchain::{Output, Toolchain};

use fail::{Done, Failure};

/// The variable that has Debian's compiler taken even where rustup could provide one.
pub const FORCE_DEBIAN: &str = "MNEME_FORCE_DEBIAN_WASM";

/// Finds, or fetches, a compiler. `folder` is that of the code to be built: it may ask for a certain toolchain. What is
/// done is said through `say`.
///
/// # Errors
/// When neither rustup nor Debian's packages provide one.
pub fn find(output: Output, folder: &Path, force_debian: bool, say: &dyn Fn(&str)) -> Done<Toolchain> {
    if force_debian || env::var(FORCE_DEBIAN).is_ok_and(|value| value == "1") {
        say("taking Debian's compiler, as told");
        return debian::toolchain(output, folder, say);
    }
    rustup::toolchain(output, folder, say).or_else(|failure| {
        say(&format!("rustup cannot provide the target: {failure}"));
        say("falling back to Debian's packages");
        debian::toolchain(output, folder, say)
    })
}

/// The folder for what can be made again: compiled guests, unpacked compilers.
///
/// # Errors
/// Without a home folder.
pub fn cache() -> Done<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => {
            env::home_dir().ok_or_else(|| Failure::new("there is no home folder to keep a cache in"))?.join(".cache")
        }
    };
    Ok(base.join("mneme"))
}
