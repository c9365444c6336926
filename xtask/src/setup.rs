//! `cargo xtask setup`: everything that a fresh checkout needs before `cargo build`.

use clap::Args;
use mneme_toolchain::Output;

use crate::fail::Done;
use crate::{examples, guests, models, paths, runtimes};

/// What to do differently.
#[derive(Args)]
pub struct Options {
    /// Take the guest compiler from Debian's packages even where rustup could provide it
    /// (the environment variable MNEME_FORCE_DEBIAN_WASM=1 does the same)
    #[arg(long)]
    force_debian: bool,
    /// Build the guests even when nothing has changed
    #[arg(long)]
    rebuild: bool,
    /// Do without the runtimes for tools in Python and JavaScript
    #[arg(long)]
    without_runtimes: bool,
    /// Do without the example tools, which only tests and readers need
    #[arg(long)]
    without_examples: bool,
    /// Do without the built-in embedding model
    #[arg(long)]
    without_model: bool,
    /// Build nothing but these runtimes
    #[arg(long, conflicts_with = "without_runtimes")]
    only_runtimes: bool,
    /// Fetch nothing but the embedding model
    #[arg(long, conflicts_with_all = ["without_model", "only_runtimes"])]
    only_model: bool,
}

/// Runs the command.
pub fn run(options: &Options) -> Done {
    if options.only_runtimes {
        return runtimes::build(options.rebuild);
    }
    if options.only_model {
        return models::build(options.rebuild);
    }
    println!(
        "Preparing the checkout: a compiler for WebAssembly, the built-in tools, the language runtimes, the embedding model."
    );
    println!("The first time takes two to six minutes; afterwards seconds.");
    let root = paths::root();
    let find = |output| {
        let toolchain = mneme_toolchain::find(output, &root, options.force_debian, &|line| println!("  {line}"))?;
        println!("compiler: {}", toolchain.name);
        Ok(toolchain)
    };
    let components = find(Output::Component)?;
    guests::build(&components, options.rebuild)?;
    if !options.without_examples {
        examples::build(&components, &find(Output::Module)?, options.rebuild)?;
    }
    if !options.without_model {
        models::build(options.rebuild)?;
    }
    if !options.without_runtimes {
        runtimes::build(options.rebuild)?;
    }
    println!("Done. Now: cargo run --release -- serve");
    Ok(())
}
