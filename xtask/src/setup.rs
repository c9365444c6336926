//! `cargo xtask setup`: everything that a fresh checkout needs before `cargo build`.

use std::env;

use clap::Args;

use crate::fail::Done;
use crate::toolchain::Toolchain;
use crate::{debian, guests, rustup};

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
}

/// Runs the command.
pub fn run(options: &Options) -> Done {
    println!("Preparing the checkout: a compiler for WebAssembly, then the built-in tools.");
    println!("The first time takes one to four minutes; afterwards seconds.");
    let forced = options.force_debian || env::var(FORCE_DEBIAN).is_ok_and(|value| value == "1");
    let toolchain = toolchain(forced)?;
    println!("compiler: {}", toolchain.name);
    guests::build(&toolchain, options.rebuild)?;
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
