//! Embeds the built-in guests: every `*.wasm` in `<workspace>/builtin-tools/dist`, and the readers of TypeScript and of
//! documents from its folder `internal`. Each comes with its SHA-256, so that a start that finds them compiled does not read them at all.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// Guests that the server itself uses.
const INTERNAL: &[&str] = &["typescript", "documents"];

fn main() {
    if let Err(reason) = run() {
        println!("cargo::error={reason}");
    }
}

fn run() -> Result<(), String> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let dist = here.join("../../../builtin-tools/dist");
    println!("cargo::rerun-if-changed={}", dist.display());

    let guests = guests(&dist).unwrap_or_default();
    if guests.is_empty() {
        return Err("the built-in tools are not built yet; run `cargo xtask setup` once".to_owned());
    }
    let mut all = String::from("&[\n");
    for path in guests {
        all += &format!("    {},\n", embedded(&path)?);
    }
    all += "]\n";
    write("builtin_guests.rs", &all)?;
    for name in INTERNAL {
        let path = dist.join(format!("internal/{name}.wasm")).canonicalize();
        let path = path.map_err(|_| format!("{name}.wasm is missing; run `cargo xtask setup`"))?;
        write(&format!("{name}_guest.rs"), &embedded(&path)?)?;
    }
    Ok(())
}

/// The expression of an `Embedded` for a file.
fn embedded(path: &Path) -> Result<String, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    Ok(format!("Embedded {{ wasm: include_bytes!({:?}), hash: {hash:?} }}", path.display().to_string()))
}

fn write(name: &str, source: &str) -> Result<(), String> {
    let target = Path::new(&variable("OUT_DIR")?).join(name);
    fs::write(&target, source).map_err(|error| format!("{}: {error}", target.display()))
}

fn guests(dist: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dist)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path.canonicalize()?);
        }
    }
    found.sort();
    Ok(found)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
