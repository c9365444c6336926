//! `mneme-fuzz TARGET`: fuzzes for as long as one likes. An input that ends the process stays in a file.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use mneme_fuzz::{Until, find, run};

/// Feeds a target with mutated inputs until the time is over or it breaks.
#[derive(Debug, Parser)]
struct Arguments {
    /// python, typescript, script or component.
    target: String,
    /// How long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the inputs come from: the same seed gives the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the input that is being tried is kept.
    #[arg(long, default_value = "fuzz-input")]
    keep: PathBuf,
    /// Tries this file alone.
    #[arg(long)]
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { target, seconds, seed, keep, input } = Arguments::parse();
    let Some(target) = find(&target) else {
        eprintln!("there is no target {target}; there are python, typescript, script and component");
        return ExitCode::FAILURE;
    };
    if let Some(path) = input {
        match std::fs::read(&path) {
            Ok(bytes) => target.try_one(&bytes),
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
        return ExitCode::SUCCESS;
    }
    let trace = |bytes: &[u8]| {
        if let Err(error) = std::fs::write(&keep, bytes) {
            eprintln!("{}: {error}", keep.display());
        }
    };
    let done = run(&target, seed, Until::Time(Duration::from_secs(seconds)), trace);
    println!("{}: {done} inputs of seed {seed}, no fault", target.name());
    ExitCode::SUCCESS
}
