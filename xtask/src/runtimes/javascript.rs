//! StarlingMonkey: snapshotted by componentize-js with our own modules loaded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{copy_all, fresh, prepared, quietly, wit};
use crate::fail::{self, Done, Failure};

pub fn make(sources: &Path, work: &Path, output: &Path) -> Done {
    let build = assembled(sources, work)?;
    let world = work.join("wit");
    wit::gather(sources, &world)?;
    println!("  taking the snapshot");
    quietly(Command::new("node").arg("build.mjs").arg(&world).arg(output).current_dir(&build))
}

pub fn test(sources: &Path, work: &Path) -> Done {
    let build = assembled(sources, work)?;
    fail::run(Command::new("node").args(["--test", "tests/"]).current_dir(build))
}

/// The installed packages with a copy of our sources beside them.
fn assembled(sources: &Path, work: &Path) -> Done<PathBuf> {
    let pins = [sources.join("package.json"), sources.join("package-lock.json")];
    let build = prepared(work, "build", &pins, |folder| {
        println!("  installing componentize-js");
        for pin in &pins {
            fs::copy(pin, folder.join(pin.file_name().unwrap_or_default())).map_err(Failure::at(pin))?;
        }
        // Not `npm ci`: it wants the optional packages of every platform in the lock file, also those that do not exist.
        let mut npm = Command::new("npm");
        quietly(npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))
    })?;
    for name in ["src", "tests"] {
        let folder = build.join(name);
        fresh(&folder)?;
        copy_all(&sources.join(name), &folder)?;
    }
    let parser = build.join("node_modules/acorn/dist/acorn.mjs");
    let own = ["runtime.js", "build.mjs"].map(|name| sources.join(name));
    for from in own.iter().chain([&parser]) {
        fs::copy(from, build.join(from.file_name().unwrap_or_default())).map_err(Failure::at(from))?;
    }
    Ok(build)
}
