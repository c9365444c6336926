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

use crate::apt::{self, Apt};
use crate::fail::{self, Done, Failure};
use crate::rustup;
use crate::toolchain::{Output, Toolchain};

const COMPILER: &str = "rustc-web";
const SOURCES: &str = "rust-web-src";
const C_LIBRARY: &str = "wasi-libc";
/// The oldest compiler that the guests and their libraries can be built with.
const REQUIRED: &str = env!("CARGO_PKG_RUST_VERSION");
/// Written last, so that an interrupted unpacking is not taken for a whole one.
const COMPLETE: &str = "complete";

/// Makes sure that the packages are unpacked.
pub fn toolchain(output: Output, code: &Path, say: &dyn Fn(&str)) -> Done<Toolchain> {
    let folder = crate::cache()?.join("wasm-toolchain");
    let Compiler { rustc, libraries, version } = compiler(&folder, say)?;
    let usr = folder.join("usr");

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

struct Compiler {
    rustc: PathBuf,
    /// The folder of the libraries that it is linked to.
    libraries: PathBuf,
    /// Its first line of `--version`.
    version: String,
}

/// The unpacked compiler; fetched where it is missing, or was fetched when an older one was enough.
fn compiler(folder: &Path, say: &dyn Fn(&str)) -> Done<Compiler> {
    if folder.join(COMPLETE).is_file() {
        match unpacked(folder) {
            Ok(compiler) if is_new_enough(&compiler.version) => return Ok(compiler),
            Ok(compiler) => say(&format!("{} was fetched earlier: too old by now", compiler.version)),
            Err(failure) => say(&format!("what was fetched earlier does not run: {failure}")),
        }
    }
    install(folder, say)?;
    let compiler = unpacked(folder)?;
    match is_new_enough(&compiler.version) {
        true => Ok(compiler),
        false => Err(Failure::new(format!(
            "the packages of this machine's Debian have {}; rustc {REQUIRED} or newer is needed",
            compiler.version
        ))),
    }
}

fn unpacked(folder: &Path) -> Done<Compiler> {
    let rustc = folder.join("usr/bin/rustc");
    let libraries = library_folder(&folder.join("usr/lib"))?;
    let version = fail::output(Command::new(&rustc).arg("--version").env("LD_LIBRARY_PATH", &libraries))?;
    Ok(Compiler { rustc, libraries, version })
}

/// Whether `rustc 1.96.0 (…)` is the required version or a later one.
fn is_new_enough(version: &str) -> bool {
    let numbers = |text: &str| text.split('.').map_while(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
    version.split_whitespace().nth(1).is_some_and(|version| numbers(version) >= numbers(REQUIRED))
}

fn install(folder: &Path, say: &dyn Fn(&str)) -> Done {
    say("fetching Debian's compiler: 140 MB, a minute or two");
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::create_dir_all(folder).map_err(Failure::at(folder))?;
    let lists = folder.join("lists");
    let apt = Apt::with_lists(&lists, COMPILER)?;
    let packages = packages(&apt)?;
    for (index, package) in packages.iter().enumerate() {
        say(&format!("{}/{} {package}", index + 1, packages.len()));
        let archive = apt.download(package, folder)?;
        unpack(package, &archive, folder)?;
        fs::remove_file(&archive).map_err(Failure::at(&archive))?;
    }
    fs::remove_dir_all(&lists).map_err(Failure::at(&lists))?;
    let complete = folder.join(COMPLETE);
    fs::write(&complete, packages.join("\n")).map_err(Failure::at(&complete))
}

/// The three packages, and what the compiler needs that this machine does not have: its own
/// libraries carry their versions in their names, so they are looked up.
fn packages(apt: &Apt) -> Done<Vec<String>> {
    let mut pending = apt.dependencies(COMPILER)?;
    let mut packages = [COMPILER, SOURCES, C_LIBRARY].map(str::to_owned).to_vec();
    while let Some(package) = pending.pop() {
        if package.starts_with("lib") && !packages.contains(&package) && !apt::is_installed(&package) {
            pending.extend(apt.dependencies(&package)?);
            packages.push(package);
        }
    }
    Ok(packages)
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
    use super::is_new_enough;

    #[test]
    fn a_compiler_of_old_package_lists_is_told_from_one_that_will_do() {
        assert!(is_new_enough("rustc 1.96.0 (0000000 2026-05-25) (built from a source tarball)"));
        assert!(is_new_enough(&format!("rustc {}.0 (0000000 2026-03-01)", env!("CARGO_PKG_RUST_VERSION"))));
        assert!(!is_new_enough("rustc 1.85.0 (4d91de4e4 2025-02-17) (built from a source tarball)"));
        assert!(!is_new_enough("a shell's complaint"));
    }
}
