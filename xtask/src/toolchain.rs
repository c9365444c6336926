//! A compiler for guests, wherever it came from.

use std::path::PathBuf;
use std::process::Command;

/// How to build a guest component.
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
    /// Where cargo keeps its work.
    pub target_dir: PathBuf,
}

impl Toolchain {
    /// `cargo build` for all guests.
    pub fn cargo_build(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--locked", "--target", self.target])
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("CARGO_TARGET_DIR", &self.target_dir)
            // Flags meant for the server are not meant for its guests.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        cargo
    }
}
