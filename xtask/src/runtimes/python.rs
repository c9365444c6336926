//! CPython: snapshotted by componentize-py with the standard library, pinned packages and our own modules imported.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{copy_all, fresh, prepared, quietly, wit};
use crate::fail::{self, Done, Failure};

/// The CPython that componentize-py contains, and the wheels whose Python parts are taken. What is native in them is
/// left out: each of these packages does without.
const WHEELS: &[&str] = &[
    "--only-binary=:all:",
    "--python-version=3.14",
    "--implementation=cp",
    "--abi=cp314",
    "--abi=none",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux_2_28_x86_64",
    "--platform=any",
];
/// Our own files that go into the snapshot.
const OWN: &[&str] = &["app.py", "bake.py", "mneme_runtime", "stand_ins"];

pub fn make(sources: &Path, work: &Path, output: &Path) -> Done {
    let tool = tool(sources, work)?;
    let packages = packages(sources, work)?;
    let world = work.join("wit");
    wit::gather(sources, &world)?;
    // A copy: what lies about in the checkout stays out of the snapshot.
    let own = work.join("own");
    fresh(&own)?;
    for name in OWN {
        let (from, to) = (sources.join(name), own.join(name));
        match from.is_dir() {
            true => copy_all(&from, &to)?,
            false => drop(fs::copy(&from, &to).map_err(Failure::at(&from))?),
        }
    }
    println!("  taking the snapshot");
    let mut command = Command::new(tool.join("bin/componentize-py"));
    command.arg("-q").arg("-d").arg(&world).args(["-w", "python", "componentize"]);
    for path in [&own, &own.join("stand_ins"), &packages] {
        command.arg("-p").arg(path);
    }
    // A virtual environment of the caller's would get into the snapshot.
    command.args(["app", "-o"]).arg(output).env("VIRTUAL_ENV", &packages).env("PYTHONDONTWRITEBYTECODE", "1");
    quietly(command.current_dir(&own))
}

pub fn test(sources: &Path, work: &Path) -> Done {
    let packages = packages(sources, work)?;
    let mut python = Command::new(interpreter()?);
    python.args(["-B", "-m", "unittest", "discover", "-s", "tests", "-t", "tests"]).current_dir(sources);
    fail::run(python.env("MNEME_RUNTIME_PACKAGES", packages))
}

/// A virtual environment with componentize-py.
fn tool(sources: &Path, work: &Path) -> Done<PathBuf> {
    let pins = sources.join("build-requirements.txt");
    prepared(work, "tool", std::slice::from_ref(&pins), |folder| {
        println!("  installing componentize-py (60 MB)");
        quietly(Command::new(interpreter()?).args(["-m", "venv"]).arg(folder))?;
        quietly(pip(folder).args(["--require-hashes", "-r"]).arg(&pins))
    })
}

/// A folder with the packages that every program finds.
fn packages(sources: &Path, work: &Path) -> Done<PathBuf> {
    let pins = sources.join("requirements.txt");
    let tool = tool(sources, work)?;
    prepared(work, "packages", std::slice::from_ref(&pins), |folder| {
        println!("  installing the packages to bake in");
        let mut pip = pip(&tool);
        pip.args(["--no-deps", "--no-compile", "--require-hashes"]).args(WHEELS);
        quietly(pip.arg("--target").arg(folder).arg("-r").arg(&pins))?;
        without_native(folder)
    })
}

fn pip(environment: &Path) -> Command {
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

fn without_native(folder: &Path) -> Done {
    for entry in fs::read_dir(folder).map_err(Failure::at(folder))?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            without_native(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "so") {
            fs::remove_file(&path).map_err(Failure::at(&path))?;
        }
    }
    Ok(())
}

/// A Python of the machine that can make virtual environments.
pub(crate) fn interpreter() -> Done<&'static str> {
    ["python3", "python"]
        .into_iter()
        .find(|name| {
            fail::output(Command::new(name).args(["-c", "import sys, venv, pip; assert sys.version_info >= (3, 11)"]))
                .is_ok()
        })
        .ok_or_else(|| Failure::new("it takes Python 3.11 or newer with venv and pip"))
}
