//! `cargo xtask setup`: everything that a fresh checkout needs before `cargo build`.

use std::env;

use clap::Args;

use crate::fail::Done;
use crate::toolchain::Toolchain;
use crate::{debian, guests, runtimes, rustup};

/// The variable that does what `--force-debian` does, for continuous integration.
const FORCE_DEBIAN: &str = "MNEME_FORCE_DEBIAN_WASM";

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
    /// Build nothing but these runtimes
    #[arg(long, conflicts_with = "without_runtimes")]
    only_runtimes: bool,
}

/// Runs the command.
pub fn run(options: &Options) -> Done {
    if options.only_runtimes {
        return runtimes::build(options.rebuild);
    }
    println!("Preparing the checkout: a compiler for WebAssembly, the built-in tools, the language runtimes.");
    println!("The first time takes two to six minutes; afterwards seconds.");
    let forced = options.force_debian || env::var(FORCE_DEBIAN).is_ok_and(|value| value == "1");
    let toolchain = toolchain(forced)?;
    println!("compiler: {}", toolchain.name);
    guests::build(&toolchain, options.rebuild)?;
    if !options.without_runtimes {
        runtimes::build(options.rebuild)?;
    }
    println!("Done. Now: cargo run --release -- serve");
    Ok(())
}

fn toolchain(force_debian: bool) -> Done<Toolchain> {
    println!("compiler: looking for one");
    if force_debian {
        println!("  taking Debian's, as told");
        return debian::toolchain();
    }
    rustup::toolchain().or_else(|failure| {
        println!("  rustup cannot provide the target: {failure}");
        println!("  falling back to Debian's packages");
        debian::toolchain()
    })
}
