//! The normal way to a guest compiler: a target of rustup's.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fail::{self, Done};
use crate::toolchain::{Output, Toolchain};

/// Makes sure that the target is installed for the toolchain of a folder.
pub fn toolchain(output: Output, folder: &Path, say: &dyn Fn(&str)) -> Done<Toolchain> {
    let target = match output {
        Output::Component => "wasm32-wasip2",
        Output::Module => "wasm32-unknown-unknown",
    };
    if !installed(target, folder)? {
        say(&format!("adding {target} with rustup (about 30 MB)"));
        fail::run(Command::new("rustup").args(["target", "add", target]).current_dir(folder))?;
    }
    let version = fail::output(rustc(folder).arg("--version"))?;
    Ok(Toolchain {
        name: format!("{target}, {version}"),
        target,
        arguments: Vec::new(),
        environment: Vec::new(),
        work: "guests-target",
    })
}

/// Whether the standard library for the target lies in the compiler's folder; true also for a
/// compiler that did not come from rustup but has it.
fn installed(target: &str, folder: &Path) -> Done<bool> {
    let library = sysroot(folder)?.join("lib/rustlib").join(target).join("lib");
    Ok(library.is_dir())
}

/// The folder of the compiler that a folder's code is built with.
pub fn sysroot(folder: &Path) -> Done<PathBuf> {
    Ok(fail::output(rustc(folder).args(["--print", "sysroot"]))?.into())
}

/// What the compiler calls the machine it runs on.
pub fn host(folder: &Path) -> Done<String> {
    fail::output(rustc(folder).args(["--print", "host-tuple"]))
}

fn rustc(folder: &Path) -> Command {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder);
    rustc
}
