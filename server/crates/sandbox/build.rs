//! Embeds the built-in guests: every `*.wasm` in `<workspace>/builtin-tools/dist`, and the reader of TypeScript from its
//! folder `internal`.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

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
    let typescript = dist.join("internal/typescript.wasm").canonicalize();
    let typescript = typescript.map_err(|_| "typescript.wasm is missing; run `cargo xtask setup`".to_owned())?;
    println!("cargo::rerun-if-changed={}", typescript.display());
    println!("cargo::rustc-env=MNEME_TYPESCRIPT={}", typescript.display());
    let mut source = String::from("&[\n");
    for path in guests {
        println!("cargo::rerun-if-changed={}", path.display());
        source += &format!("    include_bytes!({:?}),\n", path.display().to_string());
    }
    source += "]\n";
    let target = Path::new(&variable("OUT_DIR")?).join("builtin_guests.rs");
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
