//! A compiler for guests, wherever it came from.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A component, with WASI.
    Component,
    /// A core module without WASI, for Extism.
    Module,
}

/// How to build a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// Its kind and version, in a line; another one means building again.
    pub name: String,
    /// What cargo calls the target.
    pub target: &'static str,
    /// More arguments for `cargo build`.
    pub arguments: Vec<String>,
    /// Environment variables for cargo.
    pub environment: Vec<(String, String)>,
    /// The name of a folder below [`crate::cache`] that suits its work: compilers do not share one.
    pub work: &'static str,
}

impl Toolchain {
    /// `cargo build` of a release, in a folder.
    pub fn cargo_build(&self, folder: &Path) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--target", self.target])
            .args(&self.arguments)
            .current_dir(folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // Flags meant for other code are not meant for guests.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    }

    /// Where `cargo build` puts a library, below the folder that it works in.
    pub fn artefact(&self, target_dir: &Path, package: &str) -> PathBuf {
        target_dir.join(self.target).join("release").join(format!("{}.wasm", package.replace('-', "_")))
    }
}
