//! The normal way to a guest compiler: rustup's wasm32-wasip2 target.

use std::path::PathBuf;
use std::process::Command;

use crate::fail::{self, Done};
use crate::paths;
use crate::toolchain::Toolchain;

const TARGET: &str = "wasm32-wasip2";

/// Makes sure that the target is installed for the toolchain of this checkout.
pub fn toolchain() -> Done<Toolchain> {
    if !installed()? {
        println!("  adding {TARGET} with rustup (about 30 MB)");
        fail::run(Command::new("rustup").args(["target", "add", TARGET]).current_dir(paths::root()))?;
    }
    let version = fail::output(rustc().arg("--version"))?;
    Ok(Toolchain {
        name: format!("{TARGET}, {version}"),
        target: TARGET,
        arguments: Vec::new(),
        environment: Vec::new(),
        target_dir: paths::cache()?.join("guests-target"),
    })
}

/// Whether the standard library for the target lies in the compiler's folder; true also for a
/// compiler that did not come from rustup but has it.
fn installed() -> Done<bool> {
    let library = sysroot()?.join("lib/rustlib").join(TARGET).join("lib");
    Ok(library.is_dir())
}

/// The folder of the checkout's compiler.
pub fn sysroot() -> Done<PathBuf> {
    Ok(fail::output(rustc().args(["--print", "sysroot"]))?.into())
}

/// What the compiler calls the machine it runs on.
pub fn host() -> Done<String> {
    fail::output(rustc().args(["--print", "host-tuple"]))
}

fn rustc() -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(paths::root());
    rustc
}
