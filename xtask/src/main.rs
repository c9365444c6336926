//! Chores of this repository: `cargo xtask <command>`.

mod bench;
mod examples;
mod guests;
mod inputs;
mod models;
mod paths;
mod runtimes;
mod setup;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mneme_toolchain::fail;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of this repository")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the server with optimisation and measures it.
    Bench(bench::Options),
    /// Prepares a fresh checkout: fetches the wasm target, builds the built-in tools and the language runtimes,
    /// fetches the embedding model.
    Setup(setup::Options),
    /// Tests the own code of the built-in tools and of the language runtimes, without WebAssembly.
    TestGuests,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::Setup(options) => setup::run(&options),
        Command::TestGuests => guests::test().and_then(|()| runtimes::test()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
