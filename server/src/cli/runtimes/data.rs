//! Fetches the data runtime by package name: pinned, checked, each step once. What was interrupted goes on at the step
//! that was not finished.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mneme_sandbox::{Language, data_layout as layout};
use sha2::{Digest, Sha256};

use super::CommandError;
use crate::config::Config;

/// Python of our own, by its path below [`layout::OWN`].
const OWN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/data_runtime.rs"));
/// What is fetched, with its hashes.
const REQUIREMENTS: &str = include_str!("../../../../builtin-tools/runtimes/python-data/requirements.txt");
/// Takes what is needed out of what was fetched.
const UNPACK: &str = include_str!("../../../../builtin-tools/runtimes/python-data/unpack.py");

/// Puts the runtime's files where the sandbox looks for them.
pub fn fetch(config: &Config) -> Result<(), CommandError> {
    let (name, folder) = (Language::PythonData.name(), folder(config));
    if is_current(config) {
        eprintln!("{name}: fetched already");
        return Ok(());
    }
    let complete = folder.join(layout::COMPLETE);
    let failed =
        |error: &dyn std::fmt::Display| CommandError::new(format!("the {name} runtime is not installed"), error);
    let python = config.python_command.trim();
    if python.is_empty() {
        return Err(failed(&"it takes a Python with pip (python_command) to fetch it"));
    }
    let (version, downloads) = (version(), folder.join("downloads"));
    // Those of another version, of which something may be left, are not to be mixed with these.
    let wheels = downloads.join(&version);
    fs::create_dir_all(&wheels).map_err(|error| failed(&error))?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(|error| failed(&error))?;
    eprintln!("{name}: fetching 100 MB");
    download(python, &requirements, &wheels).map_err(|error| failed(&error))?;
    eprintln!("{name}: unpacking");
    // A server that runs meanwhile goes on without it, or with what it has loaded.
    if let Err(error) = fs::remove_file(&complete)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(failed(&error));
    }
    let own = folder.join(layout::OWN);
    if own.is_dir() {
        // Of an older version, with what was compiled of it.
        fs::remove_dir_all(&own).map_err(|error| failed(&error))?;
    }
    unpack(python, &wheels, &folder).map_err(|error| failed(&error))?;
    for (path, bytes) in OWN {
        place(&own.join(path), bytes).map_err(|error| failed(&error))?;
    }
    place(&complete, version.as_bytes()).map_err(|error| failed(&error))?;
    let _ = fs::remove_dir_all(&downloads);
    Ok(())
}

/// Whether it was fetched, and as this program has it.
pub fn is_current(config: &Config) -> bool {
    fs::read_to_string(folder(config).join(layout::COMPLETE)).is_ok_and(|last| last == version())
}

/// Whether our own Python was compiled, too.
pub fn is_settled(config: &Config) -> bool {
    folder(config).join(layout::OWN).join("mneme_runtime/__pycache__").is_dir()
}

fn folder(config: &Config) -> PathBuf {
    config.runtimes_dir().join(Language::PythonData.name())
}

/// One hash over all that makes an installation what it is.
fn version() -> String {
    let mut hash = Sha256::new();
    for part in [REQUIREMENTS.as_bytes(), UNPACK.as_bytes()] {
        hash.update(part);
    }
    for (path, bytes) in OWN {
        hash.update(path);
        hash.update(bytes);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// pip shows the progress. Files that are there already and have the right hash are not fetched again.
fn download(python: &str, requirements: &Path, wheels: &Path) -> Result<(), String> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes"])
        .args(["--only-binary=:all:", "--ignore-requires-python", "--dest"])
        .arg(wheels)
        .arg("-r")
        .arg(requirements)
        // A connection that breaks is taken up where it broke, by a pip that can.
        .env("PIP_RESUME_RETRIES", "10");
    run(pip, "pip", Stdio::inherit())
}

fn unpack(python: &str, wheels: &Path, folder: &Path) -> Result<(), String> {
    let mut unpack = Command::new(python);
    unpack.args(["-I", "-c", UNPACK]).arg(wheels).arg(folder);
    run(unpack, "unpacking", Stdio::null())
}

fn run(mut command: Command, what: &str, output: Stdio) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).stdout(output).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{what} failed ({status}); run the same command again to go on")),
        Err(error) => Err(format!("{}: {error}", command.get_program().to_string_lossy())),
    }
}

fn place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}
