//! Finds the server's binary, and builds it first: a test run must never pass or fail on a stale one.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The server's binary: the path in `MNEME_BIN`, else the workspace's own binary in the profile of the running test, brought up to date
/// once per process.
///
/// # Panics
/// When `MNEME_BIN` names no file, or the build fails (the compiler's output is on standard error).
pub fn path() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(find).clone()
}

fn find() -> PathBuf {
    if let Some(given) = std::env::var_os("MNEME_BIN") {
        let given = PathBuf::from(given);
        assert!(given.is_file(), "MNEME_BIN names no file: {}", given.display());
        return given;
    }
    // A test runs from <target>/<profile>/deps/<test>-<hash>.
    let test = std::env::current_exe().expect("the running test has a path");
    let profile = test.parent().and_then(Path::parent).expect("a test lies in <target>/<profile>/deps");
    let target = profile.parent().expect("a profile lies in the target directory");
    // The whole workspace, so that features unify as they do for the tests and little is built twice.
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--workspace", "--bin", "mneme"]).arg("--target-dir").arg(target);
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace");
    let status = build.current_dir(workspace).status().expect("cargo runs");
    assert!(status.success(), "the server's binary could not be built");
    profile.join("mneme")
}
