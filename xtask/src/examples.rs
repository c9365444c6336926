//! Building the example tools that have to be compiled, for the tests that have a server run them.

use std::fs;
use std::path::Path;

use mneme_toolchain::Toolchain;

use crate::fail::{self, Done, Failure};
use crate::{guests, inputs, paths};

/// The example that is a component, and the one that is an Extism plugin.
const COMPONENT: &str = "coupon";
const PLUGIN: &str = "licence";

/// Builds the examples unless nothing changed since the last time.
pub fn build(components: &Toolchain, plugins: &Toolchain, force: bool) -> Done {
    one(COMPONENT, components, &["tool-sdk", "wit"], force)?;
    one(PLUGIN, plugins, &[], force)
}

fn one(name: &str, toolchain: &Toolchain, more: &[&str], force: bool) -> Done {
    let root = paths::root();
    let own = format!("examples/tools/{name}");
    let dist = root.join("examples/tools/dist");
    let (result, stamp_path) = (dist.join(format!("{name}.wasm")), dist.join(format!(".{name}.stamp")));
    let sources: Vec<&str> = more.iter().copied().chain([own.as_str()]).collect();
    let stamp = inputs::hash(&root, &sources, &toolchain.name)?;
    if !force && result.is_file() && fs::read_to_string(&stamp_path).is_ok_and(|last| last == stamp) {
        println!("example {name}: up to date");
        return Ok(());
    }
    println!("example {name}: building with {}", toolchain.name);
    let target_dir = paths::cache()?.join(toolchain.work);
    fail::run(toolchain.cargo_build(&root.join(&own)).arg("--locked").env("CARGO_TARGET_DIR", &target_dir))?;
    fs::create_dir_all(&dist).map_err(Failure::at(&dist))?;
    place(&toolchain.artefact(&target_dir, name), &result)?;
    fs::write(&stamp_path, stamp).map_err(Failure::at(&stamp_path))
}

fn place(from: &Path, to: &Path) -> Done {
    guests::copy(from, to)?;
    println!("  {} ({} KB)", to.display(), fs::metadata(to).map_err(Failure::at(to))?.len() / 1024);
    Ok(())
}
