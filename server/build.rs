//! Embeds the language runtimes, every `*.wasm` in `<workspace>/builtin-tools/dist/runtimes`, compressed, and the embedding
//! models beside them, as they are: so they take no memory until they are used. Beside them goes the Python of our own that
//! the data runtime needs, which is fetched when somebody asks for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// Small enough for a binary, quick enough for a build.
const LEVEL: i32 = 9;

fn main() {
    if let Err(reason) = run() {
        println!("cargo::error={reason}");
    }
}

fn run() -> Result<(), String> {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    embed_models(&here.join("../builtin-tools/dist/models"), &out)?;
    let folder = here.join("../builtin-tools/dist/runtimes");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    // A build without runtimes is a whole server, for tools that are components.
    for path in files(&folder, "wasm").unwrap_or_default() {
        println!("cargo::rerun-if-changed={}", path.display());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let packed = out.join(format!("{name}.wasm.zst"));
        pack(&path, &packed).map_err(|error| format!("{}: {error}", path.display()))?;
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        table += &format!("    ({name:?}, {digest:?}, include_bytes!({:?})),\n", packed.display().to_string());
    }
    table += "]\n";
    write(&out.join("runtimes.rs"), &table)?;
    write(&out.join("data_runtime.rs"), &own_python(&here.join("../builtin-tools/runtimes"))?)
}

/// A table of paths and contents. What `python-data` has takes the place of what `python` has: all of our Python is shared
/// but `host.py`, because one host is the imports of a component and the other a single function. The few names that
/// both files define are what the rest expects of any host; the tests have a third.
fn own_python(runtimes: &Path) -> Result<String, String> {
    let mut found = BTreeMap::new();
    let shared = runtimes.join("python");
    collect(&shared.join("mneme_runtime"), "mneme_runtime/", &mut found)?;
    collect(&shared.join("stand_ins"), "", &mut found)?;
    let own = runtimes.join("python-data");
    for (name, target) in
        [("mneme_data.py", "mneme_data.py"), ("mneme_plots.py", "mneme_plots.py"), ("host.py", "mneme_runtime/host.py")]
    {
        found.insert(target.to_owned(), own.join(name));
    }
    let mut table = String::from("&[\n");
    for (name, path) in found {
        println!("cargo::rerun-if-changed={}", path.display());
        table += &format!("    ({name:?}, include_bytes!({:?})),\n", path.display().to_string());
    }
    table += "]\n";
    Ok(table)
}

fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let unreadable = |error: io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "__pycache__" {
            collect(&path, &format!("{prefix}{name}/"), found)?;
        } else if name.ends_with(".py") {
            found.insert(format!("{prefix}{name}"), path);
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn embed_models(folder: &Path, out: &Path) -> Result<(), String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut table = String::from("&[\n");
    // A build without a model is a whole server, which embeds with its providers.
    for path in files(folder, "safetensors").unwrap_or_default() {
        println!("cargo::rerun-if-changed={}", path.display());
        let path = fs::canonicalize(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        table += &format!("    ({name:?}, include_bytes!({:?})),\n", path.display().to_string());
    }
    table += "]\n";
    let target = out.join("models.rs");
    fs::write(&target, table).map_err(|error| format!("{}: {error}", target.display()))
}

fn files(folder: &Path, kind: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == kind) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn pack(from: &Path, to: &Path) -> io::Result<()> {
    let bytes = fs::read(from)?;
    fs::write(to, zstd::bulk::compress(&bytes, LEVEL)?)
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}
