//! The language runtimes in `builtin-tools/runtimes/`: how their components are made.

mod everlasting;
mod javascript;
mod join;
mod python;
mod wit;

pub(crate) use python::interpreter;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::fail::{self, Done, Failure};
use crate::{inputs, paths};

/// What every runtime is made from, besides its own folder.
const SHARED: &[&str] = &["wit", "xtask/src/runtimes"];

/// One language.
struct Runtime {
    name: &'static str,
    /// Makes the component: from the folder of sources, with a folder to work in, to the file.
    make: fn(&Path, &Path, &Path) -> Done,
    /// What else is done to the memory of the snapshot.
    finish: fn(&mut [u8]) -> Done,
    /// Runs the tests that need no WebAssembly.
    test: fn(&Path, &Path) -> Done,
}

const RUNTIMES: &[Runtime] = &[
    Runtime { name: "python", make: python::make, finish: everlasting::make, test: python::test },
    Runtime { name: "javascript", make: javascript::make, finish: |_| Ok(()), test: javascript::test },
];

/// Builds every runtime whose sources changed since the last time.
pub fn build(force: bool) -> Done {
    let mut failed = Vec::new();
    for runtime in RUNTIMES {
        if let Err(failure) = runtime.build(force) {
            // One that cannot be built must not keep the others from it.
            println!("{} runtime: not built: {failure}", runtime.name);
            failed.push(runtime.name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "no runtime for {}: tools in that language will not run (`cargo xtask setup --without-runtimes` does without)",
            failed.join(" and ")
        ))),
    }
}

/// Runs the tests of the runtimes' own code.
pub fn test() -> Done {
    for runtime in RUNTIMES {
        println!("{} runtime: testing", runtime.name);
        (runtime.test)(&runtime.sources(), &runtime.work()?)?;
    }
    Ok(())
}

impl Runtime {
    fn build(&self, force: bool) -> Done {
        let root = paths::root();
        let output = root.join("builtin-tools/dist/runtimes").join(format!("{}.wasm", self.name));
        let stamp_path = output.with_file_name(format!(".{}.stamp", self.name));
        let own = format!("builtin-tools/runtimes/{}", self.name);
        let stamp = inputs::hash(&root, &[SHARED, &[own.as_str()]].concat(), "")?;
        if !force && output.is_file() && fs::read_to_string(&stamp_path).is_ok_and(|last| last == stamp) {
            println!("{} runtime: up to date", self.name);
            return Ok(());
        }
        println!("{} runtime: building", self.name);
        let start = Instant::now();
        let work = self.work()?;
        let made = work.join("made.wasm");
        (self.make)(&self.sources(), &work, &made)?;
        println!("  joining its modules");
        let joined = join::join(&fs::read(&made).map_err(Failure::at(&made))?, self.finish)?;
        fs::write(&made, joined).map_err(Failure::at(&made))?;
        place(&made, &output)?;
        fs::write(&stamp_path, stamp).map_err(Failure::at(&stamp_path))?;
        let size = fs::metadata(&output).map_err(Failure::at(&output))?.len();
        println!("{} runtime: built in {} s ({} MB)", self.name, start.elapsed().as_secs(), size >> 20);
        Ok(())
    }

    fn sources(&self) -> PathBuf {
        paths::root().join("builtin-tools/runtimes").join(self.name)
    }

    fn work(&self) -> Done<PathBuf> {
        let folder = paths::cache()?.join("runtimes").join(self.name);
        fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
        Ok(folder)
    }
}

/// Puts a file where others look for it, in one step.
pub(crate) fn place(made: &Path, output: &Path) -> Done {
    let folder = output.parent().unwrap_or(output);
    fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    let temporary = output.with_extension("part");
    fs::copy(made, &temporary).map_err(Failure::at(made))?;
    fs::rename(&temporary, output).map_err(Failure::at(output))
}

/// A folder that is filled once for each content of the pinned requirements; others of the kind are removed.
pub(crate) fn prepared(work: &Path, kind: &str, pins: &[PathBuf], fill: impl FnOnce(&Path) -> Done) -> Done<PathBuf> {
    let mut key = String::new();
    for pin in pins {
        let folder = pin.parent().unwrap_or(pin);
        let name = pin.file_name().unwrap_or_default().to_string_lossy();
        key.push_str(&inputs::hash(folder, &[&name], "")?[..12]);
    }
    let folder = work.join(format!("{kind}-{key}"));
    let complete = folder.join(".complete");
    if complete.is_file() {
        return Ok(folder);
    }
    for entry in fs::read_dir(work).map_err(Failure::at(work))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(&format!("{kind}-")) {
            fs::remove_dir_all(entry.path()).map_err(Failure::at(&entry.path()))?;
        }
    }
    fs::create_dir_all(&folder).map_err(Failure::at(&folder))?;
    fill(&folder)?;
    fs::write(&complete, "").map_err(Failure::at(&complete))?;
    Ok(folder)
}

/// An empty folder of this name.
fn fresh(folder: &Path) -> Done {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::create_dir_all(folder).map_err(Failure::at(folder))
}

/// Copies a folder with all that is in it.
fn copy_all(from: &Path, to: &Path) -> Done {
    fs::create_dir_all(to).map_err(Failure::at(to))?;
    for entry in fs::read_dir(from).map_err(Failure::at(from))? {
        let path = entry.map_err(Failure::at(from))?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => copy_all(&path, &target)?,
            false => drop(fs::copy(&path, &target).map_err(Failure::at(&path))?),
        }
    }
    Ok(())
}

/// Runs a program quietly: what it says is shown when it fails.
pub(crate) fn quietly(command: &mut Command) -> Done {
    fail::output(command).map(drop)
}
