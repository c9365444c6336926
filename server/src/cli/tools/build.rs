//! `mneme tools build`: a tool in Rust, compiled as the built-in tools are.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use mneme_toolchain::{Output, fail};
use serde_json::Value;

use crate::cli::CommandError;

/// What cargo knows about the folder.
struct Package {
    name: String,
    output: Output,
    target_dir: PathBuf,
}

/// Builds, and says where the file is.
pub fn run(folder: &Path, force_debian: bool) -> Result<ExitCode, CommandError> {
    let cannot = |error: fail::Failure| CommandError::new("cannot build the tool", error);
    let Package { name, output, target_dir } = package(folder)?;
    let say = |line: &str| eprintln!("{line}");
    let toolchain = mneme_toolchain::find(output, folder, force_debian, &say).map_err(cannot)?;
    eprintln!("building {name} with {}", toolchain.name);
    fail::run(toolchain.cargo_build(folder).arg("--lib").env("CARGO_TARGET_DIR", &target_dir)).map_err(cannot)?;
    let file = toolchain.artefact(&target_dir, &name);
    if !file.is_file() {
        return Err(CommandError::new("cannot build the tool", format!("cargo did not leave {}", file.display())));
    }
    println!("{}", file.display());
    eprintln!("next: mneme tools inspect {0}, then mneme tools push {0}", file.display());
    Ok(ExitCode::SUCCESS)
}

fn package(folder: &Path) -> Result<Package, CommandError> {
    let no_tool =
        |reason: &dyn std::fmt::Display| CommandError::new(format!("{} is no tool in Rust", folder.display()), reason);
    let manifest = folder.join("Cargo.toml").canonicalize().map_err(|_| no_tool(&"there is no Cargo.toml"))?;
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(folder);
    let metadata = fail::output(&mut cargo).map_err(|error| no_tool(&error))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| no_tool(&error))?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let packages = list(&metadata, "packages");
    let is_here = |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    let package = packages.iter().find(is_here).ok_or_else(|| no_tool(&"its Cargo.toml is of no package"))?;
    let is_cdylib = |target: &&Value| list(target, "crate_types").iter().any(|kind| kind == "cdylib");
    let targets = list(package, "targets");
    let library = targets.iter().find(is_cdylib);
    let library = library.ok_or_else(|| no_tool(&"its library needs crate-type = [\"cdylib\"]"))?;
    let is_plugin = list(package, "dependencies").iter().any(|dependency| dependency["name"] == "extism-pdk");
    let (Some(name), Some(target_dir)) = (library["name"].as_str(), metadata["target_directory"].as_str()) else {
        return Err(no_tool(&"cargo does not know its name"));
    };
    let output = if is_plugin { Output::Module } else { Output::Component };
    Ok(Package { name: name.to_owned(), output, target_dir: target_dir.into() })
}
