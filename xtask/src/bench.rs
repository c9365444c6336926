//! Builds the server and the bench with optimisation, and runs the bench.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::fail::{Done, run as run_program};
use crate::paths;

/// What is passed on.
#[derive(Args)]
pub struct Options {
    /// Options of the bench; `-- --help` shows them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the command.
pub fn run(options: &Options) -> Done {
    let root = paths::root();
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    // A relative folder counts from the root for both, whatever the caller's folder is.
    let target = root.join(target);
    let mut build = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build
        .args(["build", "--release", "--bins"])
        .args(["--package", "mneme", "--package", "mneme-bench"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&root);
    run_program(&mut build)?;
    run_program(Command::new(target.join("release/mneme-bench")).args(&options.arguments))
}
