//! Installs the official SDKs as `examples/` pins them, once per machine, and runs scripts with them: the examples, and
//! those of `tests/clients/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::paths;

/// The folder `examples/` of this checkout.
fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").join("examples")
}

/// The folder `tests/clients/` of this checkout.
fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// A command that runs `examples/python/<script>` with the packages of `examples/python/<requirements>`.
///
/// # Panics
/// When the packages cannot be installed, with pip's output.
pub fn python(script: &str, requirements: &str) -> Command {
    interpreter(&examples().join("python").join(script), requirements)
}

/// As [`python`], for `tests/clients/<script>`.
///
/// # Panics
/// As [`python`].
pub fn python_client(script: &str, requirements: &str) -> Command {
    interpreter(&clients().join(script), requirements)
}

fn interpreter(script: &Path, requirements: &str) -> Command {
    let venv = prepared(&examples().join("python").join(requirements), &[]);
    let mut command = Command::new(venv.join("bin/python"));
    command.arg(script).env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    command
}

/// A virtual environment with the packages of a file, installed with these options of pip.
pub(crate) fn prepared(requirements: &Path, options: &[&str]) -> PathBuf {
    prepare(requirements, |venv| {
        run(Command::new("python3").args(["-m", "venv"]).arg(venv));
        let mut pip = Command::new(venv.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(options).arg("-r").arg(requirements));
    })
}

/// A command that runs `examples/typescript/<script>` with the packages of its lock file.
///
/// # Panics
/// When the packages cannot be installed, with npm's output.
pub fn typescript(script: &str) -> Command {
    node(&examples().join("typescript").join(script), None)
}

/// As [`typescript`], for `tests/clients/<script>`.
///
/// # Panics
/// As [`typescript`].
pub fn typescript_client(script: &str) -> Command {
    node(&clients().join(script), Some(&clients().join("walk.ts")))
}

/// A command that runs a script, with the module that it imports.
fn node(script: &Path, module: Option<&Path>) -> Command {
    let folder = examples().join("typescript");
    let installed = prepare(&folder.join("package-lock.json"), |target| {
        paths::create_dir(target);
        for file in ["package.json", "package-lock.json", ".npmrc"] {
            copy(&folder.join(file), &target.join(file));
        }
        run(Command::new("npm").args(["ci", "--silent"]).current_dir(target));
    });
    // Node looks for packages beside the script, so the script goes where they are.
    let here = installed.join(script.file_name().expect("a script has a name"));
    copy(script, &here);
    if let Some(module) = module {
        // Scripts that run at the same time import the same one: each of them finds it whole.
        let draft = here.with_extension("module");
        copy(module, &draft);
        fs::rename(&draft, installed.join(module.file_name().expect("a module has a name")))
            .expect("cannot put it there");
    }
    let mut command = Command::new(installed.join("node_modules/.bin/tsx"));
    command.arg(here).current_dir(&installed);
    command
}

/// The official MCP servers and client, as `tests/peers/` pins them: where their programs are.
pub struct McpPeers {
    /// Programs on Node.js.
    pub node: PathBuf,
    /// Programs in Python, and the interpreter with its packages.
    pub python: PathBuf,
}

/// Installs the official MCP servers and client.
///
/// # Panics
/// When the packages cannot be installed, with the output of pip or npm.
pub fn mcp_peers() -> McpPeers {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    let node = prepare(&folder.join("package-lock.json"), |target| {
        paths::create_dir(target);
        for file in ["package.json", "package-lock.json", ".npmrc"] {
            copy(&folder.join(file), &target.join(file));
        }
        run(Command::new("npm").args(["ci", "--silent"]).current_dir(target));
    });
    let python = prepare(&folder.join("requirements.txt"), |venv| {
        run(Command::new("python3").args(["-m", "venv"]).arg(venv));
        let mut pip = Command::new(venv.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"]).arg(folder.join("requirements.txt")));
    });
    McpPeers { node: node.join("node_modules/.bin"), python: python.join("bin") }
}

/// Makes a folder for the exact content of `pins` if there is none, and returns it. A folder that was left half-made
/// is made again; processes that start together wait for the first.
fn prepare(pins: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let content = fs::read(pins).unwrap_or_else(|e| panic!("cannot read {}: {e}", pins.display()));
    let stem = pins.file_stem().expect("the pins have a name").to_string_lossy();
    let folder = paths::cache_dir().join("sdk");
    paths::create_dir(&folder);
    let target = folder.join(format!("{stem}-{:016x}", paths::fnv1a(&content)));
    let done = target.join(".installed");
    let _lock = paths::lock(&target.with_extension("lock"));
    if !done.exists() {
        if target.exists() {
            fs::remove_dir_all(&target).expect("cannot remove a half-made installation");
        }
        install(&target);
        fs::write(&done, "").expect("cannot mark the installation as made");
    }
    target
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap_or_else(|e| panic!("cannot copy {}: {e}", from.display()));
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    assert!(
        output.status.success(),
        "{command:?} failed with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
