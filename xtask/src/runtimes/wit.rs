//! The WIT packages that a runtime is built against, gathered in one folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{copy_all, fresh};
use crate::fail::{self, Done, Failure};
use crate::paths;

/// Whose sources contain the WIT of WASI 0.2.
const WASI_CRATE: &str = "wasip2";
/// The version that the runtimes' own worlds are written with.
const WRITTEN: &str = "0.2.12";

/// Fills `folder` with the runtime's world and everything that it refers to.
pub fn gather(sources: &Path, folder: &Path) -> Done {
    fresh(folder)?;
    let interfaces = paths::root().join("wit");
    let packages = folder.join("deps");
    for package in ["tool-0.1.0", "script-0.1.0"] {
        copy_all(&interfaces.join(package), &packages.join(package))?;
    }
    let wasi = wasi()?;
    for entry in fs::read_dir(&wasi).map_err(Failure::at(&wasi))?.flatten() {
        fs::copy(entry.path(), packages.join(entry.file_name())).map_err(Failure::at(&entry.path()))?;
    }
    let world = sources.join("wit/world.wit");
    let text = fs::read_to_string(&world).map_err(Failure::at(&world))?;
    let text = text.replace(WRITTEN, &version(&packages)?);
    let target = folder.join("world.wit");
    fs::write(&target, text).map_err(Failure::at(&target))
}

/// The folder in the sources of the crate, as cargo has unpacked them.
fn wasi() -> Done<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1"]).current_dir(paths::root());
    let metadata: serde_json::Value = serde_json::from_str(&fail::output(&mut cargo)?)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    packages
        .iter()
        .filter(|package| package["name"] == WASI_CRATE)
        .filter_map(|package| Some(Path::new(package["manifest_path"].as_str()?).parent()?.join("wit/deps")))
        .find(|folder| folder.join("http.wit").is_file())
        .ok_or_else(|| Failure::new(format!("no sources of the crate {WASI_CRATE} with WIT files")))
}

fn version(packages: &Path) -> Done<String> {
    let path = packages.join("http.wit");
    let text = fs::read_to_string(&path).map_err(Failure::at(&path))?;
    text.lines()
        .find_map(|line| Some(line.strip_prefix("package wasi:http@")?.trim_end_matches(';').to_owned()))
        .ok_or_else(|| Failure::new(format!("{}: no version", path.display())))
}
