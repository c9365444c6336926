//! Building the guests in `builtin-tools/` and putting them where the server embeds them from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::fail::{self, Done, Failure};
use crate::{inputs, paths};
use mneme_toolchain::Toolchain;

/// What a guest is made from, besides its own folder.
const SHARED: &[&str] = &["builtin-tools/Cargo.toml", "builtin-tools/Cargo.lock", "tool-sdk", "wit", "Cargo.toml"];
/// Guests that only tests use: not embedded.
const TEST_GUESTS: &[&str] = &["hostile"];
/// Guests that the server itself uses: embedded, but no tools of agents.
const INTERNAL_GUESTS: &[&str] = &["typescript", "documents"];
const STAMP: &str = ".stamp";

/// Builds the guests unless nothing changed since the last time.
pub fn build(toolchain: &Toolchain, force: bool) -> Done {
    let root = paths::root();
    let workspace = root.join("builtin-tools");
    let dist = workspace.join("dist");
    let guests = names(&workspace)?;
    let own: Vec<String> = guests.iter().map(|guest| format!("builtin-tools/{guest}")).collect();
    let sources: Vec<&str> = SHARED.iter().copied().chain(own.iter().map(String::as_str)).collect();
    let stamp = inputs::hash(&root, &sources, &toolchain.name)?;

    if !force && up_to_date(&dist, &guests, &stamp) {
        println!("built-in tools: up to date");
        return Ok(());
    }
    println!("built-in tools: building {} with {}", guests.join(", "), toolchain.name);
    let start = Instant::now();
    let target_dir = paths::cache()?.join(toolchain.work);
    fail::run(toolchain.cargo_build(&workspace).arg("--locked").env("CARGO_TARGET_DIR", &target_dir))?;

    // A stamp from before must not vouch for a half-finished copy.
    let stamp_path = dist.join(STAMP);
    if stamp_path.exists() {
        fs::remove_file(&stamp_path).map_err(Failure::at(&stamp_path))?;
    }
    remove_foreign(&dist, &guests)?;
    for guest in &guests {
        let from = toolchain.artefact(&target_dir, guest);
        let to = place(&dist, guest);
        copy(&from, &to)?;
        let size = fs::metadata(&to).map_err(Failure::at(&to))?.len();
        let shown = to.strip_prefix(&root).unwrap_or(&to);
        println!("  {} ({} KB)", shown.display(), size / 1024);
    }
    fs::write(&stamp_path, &stamp).map_err(Failure::at(&stamp_path))?;
    println!("built-in tools: built in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Runs the guests' own tests: as a program of this machine, with a host that plays the server.
pub fn test() -> Done {
    println!("built-in tools: testing");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--workspace", "--locked", "--no-fail-fast"])
        .current_dir(paths::root().join("builtin-tools"))
        .env("CARGO_TARGET_DIR", paths::cache()?.join("guests-tests"));
    fail::run(&mut cargo)
}

/// The guests: every folder of the workspace that holds a package.
fn names(workspace: &Path) -> Done<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace).map_err(Failure::at(workspace))? {
        let entry = entry.map_err(Failure::at(workspace))?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn place(dist: &Path, guest: &str) -> PathBuf {
    let folder = match guest {
        test if TEST_GUESTS.contains(&test) => dist.join("test"),
        internal if INTERNAL_GUESTS.contains(&internal) => dist.join("internal"),
        _ => dist.to_owned(),
    };
    folder.join(format!("{guest}.wasm"))
}

fn up_to_date(dist: &Path, guests: &[String], stamp: &str) -> bool {
    fs::read_to_string(dist.join(STAMP)).is_ok_and(|last| last == stamp)
        && guests.iter().all(|guest| place(dist, guest).is_file())
}

/// Removes the file of a guest that is gone: the server would go on embedding it.
fn remove_foreign(dist: &Path, guests: &[String]) -> Done {
    for folder in ["test", "internal"] {
        fs::create_dir_all(dist.join(folder)).map_err(Failure::at(dist))?;
    }
    for entry in fs::read_dir(dist).map_err(Failure::at(dist))? {
        let path = entry.map_err(Failure::at(dist))?.path();
        let is_guest = path.extension().is_some_and(|extension| extension == "wasm");
        if is_guest && !guests.iter().any(|guest| place(dist, guest) == path) {
            fs::remove_file(&path).map_err(Failure::at(&path))?;
        }
    }
    Ok(())
}

/// Copies through a temporary name, so that a build that runs meanwhile sees the old file or the
/// new one. An unchanged file keeps its time, and the server is not built again for it.
pub fn copy(from: &Path, to: &Path) -> Done {
    let bytes = fs::read(from).map_err(Failure::at(from))?;
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let temporary = to.with_extension("part");
    fs::write(&temporary, bytes).map_err(Failure::at(&temporary))?;
    fs::rename(&temporary, to).map_err(Failure::at(to))
}
