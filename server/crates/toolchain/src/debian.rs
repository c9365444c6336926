//! The other way to a guest compiler, where rustup's target cannot be fetched: Debian's packages.
//!
//! Debian ships a newer rustc, the sources of its standard library and a C library for WASI.
//! They are unpacked into the cache folder (nothing is installed), and cargo builds the standard
//! library along with the guests. rustup's own `wasm-component-ld` links them, so what comes out
//! is a component just the same.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fail::{self, Done, Failure};
use crate::rustup;
use crate::toolchain::{Output, Toolchain};

const COMPILER: &str = "rustc-web";
const SOURCES: &str = "rust-web-src";
const C_LIBRARY: &str = "wasi-libc";
/// Written last, so that an interrupted unpacking is not taken for a whole one.
const COMPLETE: &str = "complete";

/// Makes sure that the packages are unpacked.
pub fn toolchain(output: Output, code: &Path, say: &dyn Fn(&str)) -> Done<Toolchain> {
    let folder = crate::cache()?.join("wasm-toolchain");
    if !folder.join(COMPLETE).is_file() {
        install(&folder, say)?;
    }
    let usr = folder.join("usr");
    let rustc = usr.join("bin/rustc");
    let libraries = library_folder(&usr.join("lib"))?;
    let version = fail::output(Command::new(&rustc).arg("--version").env("LD_LIBRARY_PATH", &libraries))
        .map_err(|failure| Failure::new(format!("{failure}\ndelete {} to fetch it again", folder.display())))?;

    let linkers = rustup::sysroot(code)?.join("lib/rustlib").join(rustup::host(code)?).join("bin");
    let linker = linkers.join(match output {
        Output::Component => "wasm-component-ld",
        Output::Module => "rust-lld",
    });
    if !linker.is_file() {
        return Err(Failure::new(format!("there is no linker at {}", linker.display())));
    }
    let mut path = vec![linkers];
    path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let path = env::join_paths(path).map_err(|error| Failure::new(error.to_string()))?;

    let text = |path: &Path| path.display().to_string();
    let flags = format!("-Clink-self-contained=no -L{}", text(&usr.join("lib/wasm32-wasi")));
    let mut environment = vec![
        ("PATH", path.to_string_lossy().into_owned()),
        ("RUSTC", text(&rustc)),
        ("LD_LIBRARY_PATH", text(&libraries)),
        // Building the standard library is an unstable feature of cargo.
        ("RUSTC_BOOTSTRAP", "1".to_owned()),
    ];
    let target = match output {
        Output::Component => {
            environment.push(("CARGO_TARGET_WASM32_WASIP1_LINKER", text(&linker)));
            environment.push(("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", flags));
            "wasm32-wasip1"
        }
        Output::Module => {
            environment.push(("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", text(&linker)));
            "wasm32-unknown-unknown"
        }
    };
    Ok(Toolchain {
        name: format!("{target} from Debian, {version}"),
        target,
        arguments: vec!["-Zbuild-std=std,panic_abort".to_owned()],
        environment: environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        work: "guests-target-debian",
    })
}

fn install(folder: &Path, say: &dyn Fn(&str)) -> Done {
    say("fetching Debian's compiler: 140 MB, a minute or two");
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    let packages = packages(say)?;
    for (index, package) in packages.iter().enumerate() {
        say(&format!("{}/{} {package}", index + 1, packages.len()));
        let archive = download(package, folder)?;
        unpack(package, &archive, folder)?;
        fs::remove_file(&archive).map_err(Failure::at(&archive))?;
    }
    let complete = folder.join(COMPLETE);
    fs::write(&complete, packages.join("\n")).map_err(Failure::at(&complete))
}

/// The three packages, and what the compiler needs that this machine does not have: its own
/// libraries carry their versions in their names, so they are looked up.
fn packages(say: &dyn Fn(&str)) -> Done<Vec<String>> {
    let looked_up = dependencies(COMPILER).or_else(|_| {
        say("the package lists are missing or old: apt-get update");
        fail::output(Command::new("apt-get").args(["update", "--quiet"]))?;
        dependencies(COMPILER)
    });
    let mut pending =
        looked_up.map_err(|failure| Failure::new(format!("Debian's packages are not available either: {failure}")))?;
    let mut packages = [COMPILER, SOURCES, C_LIBRARY].map(str::to_owned).to_vec();
    while let Some(package) = pending.pop() {
        if package.starts_with("lib") && !packages.contains(&package) && !present(&package) {
            pending.extend(dependencies(&package)?);
            packages.push(package);
        }
    }
    Ok(packages)
}

fn dependencies(package: &str) -> Done<Vec<String>> {
    let listed = fail::output(Command::new("apt-cache").args(["depends", "--important", package]))?;
    match listed.is_empty() {
        true => Err(Failure::new(format!("there is no package {package}"))),
        false => Ok(parse_dependencies(&listed)),
    }
}

/// Reads `apt-cache depends`: real packages only, no alternatives and no virtual ones (`<…>`).
fn parse_dependencies(listed: &str) -> Vec<String> {
    listed
        .lines()
        .filter_map(|line| line.trim().split_once("Depends: "))
        .map(|(_, name)| name.split(':').next().unwrap_or(name).trim())
        .filter(|name| !name.starts_with('<'))
        .map(str::to_owned)
        .collect()
}

/// Whether the package is installed on this machine.
fn present(package: &str) -> bool {
    let status = Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    status.is_ok_and(|output| output.stdout.starts_with(b"installed"))
}

/// Downloads a package and says where the file is.
fn download(package: &str, folder: &Path) -> Done<PathBuf> {
    fail::output(Command::new("apt-get").args(["download", "--quiet", package]).current_dir(folder))?;
    let prefix = format!("{package}_");
    fs::read_dir(folder)
        .map_err(Failure::at(folder))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(".deb")
        })
        .ok_or_else(|| Failure::new(format!("apt-get did not leave a file for {package}")))
}

fn unpack(package: &str, archive: &Path, folder: &Path) -> Done {
    if package != SOURCES {
        return fail::run(Command::new("dpkg").arg("-x").args([archive, folder]));
    }
    // Of the sources only the standard library is needed: a tenth of 46,000 files.
    let mut listing = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("cannot run dpkg-deb: {error}")))?;
    let Some(files) = listing.stdout.take() else {
        return Err(Failure::new("dpkg-deb has no output"));
    };
    let unpacked = fail::run(
        Command::new("tar")
            .args(["--extract", "--wildcards", "--no-wildcards-match-slash"])
            .args(["./usr/src/*/library", "./usr/lib/rustlib/src"])
            .current_dir(folder)
            .stdin(files),
    );
    let listed = listing.wait().map_err(|error| Failure::new(error.to_string()))?;
    unpacked?;
    match listed.success() {
        true => Ok(()),
        false => Err(Failure::new(format!("{} is damaged", archive.display()))),
    }
}

/// The folder of the machine's own libraries, named after its architecture.
fn library_folder(lib: &Path) -> Done<PathBuf> {
    fs::read_dir(lib)
        .map_err(Failure::at(lib))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.to_string_lossy().ends_with("-linux-gnu"))
        .ok_or_else(|| Failure::new(format!("{} has no folder of libraries", lib.display())))
}

#[cfg(test)]
mod tests {
    use super::parse_dependencies;

    #[test]
    fn dependencies_are_the_real_packages() {
        let listed = "rustc-web\n  Depends: libc6\n  PreDepends: dpkg\n  Depends: <libc-dev>\n    libc6-dev\n \
                      |Depends: gcc\n  Depends: libllvm22:amd64\n  Conflicts: rustc\n";
        assert_eq!(parse_dependencies(listed), ["libc6", "dpkg", "gcc", "libllvm22"]);
    }
}
