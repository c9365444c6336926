//! `mneme runtimes`: makes the language runtimes ready before the first tool needs them.

use std::{process::ExitCode, time::Instant};

use mneme_sandbox::Language;

use super::{CommandError, runtime, services};
use crate::{config::Config, runtimes};

/// Unpacks and compiles runtimes; all without names.
pub fn install(config: &Config, wanted: &[String]) -> Result<ExitCode, CommandError> {
    services::data_dir(&config.data_dir)?;
    let sandbox = services::sandbox(config)?;
    let known: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(CommandError::new(
            format!("there is no runtime {unknown}"),
            format!("choose of {}", known.join(", ")),
        ));
    }
    let runtime = runtime()?;
    for language in Language::ALL {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == language.name()) {
            continue;
        }
        eprintln!("{}: compiling, which takes up to a minute the first time …", language.name());
        let start = Instant::now();
        let ready = runtime.block_on(sandbox.warm_up(language));
        ready.map_err(|error| CommandError::new(format!("the {} runtime is not ready", language.name()), error))?;
        eprintln!("{}: ready after {:.1} s", language.name(), start.elapsed().as_secs_f64());
    }
    if wanted.is_empty() {
        eprintln!("reader of documents: compiling …");
        let ready = runtime.block_on(sandbox.documents());
        ready.map_err(|error| CommandError::new("the reader of documents is not ready".to_owned(), error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says which runtimes there are.
pub fn list(config: &Config) -> Result<ExitCode, CommandError> {
    let sandbox = services::sandbox(config)?;
    for language in Language::ALL {
        let embedded = runtimes::names().any(|name| name == language.name());
        let state = match (sandbox.has_runtime(language), embedded) {
            (true, _) => "installed",
            (false, true) => "in this program; unpacked and compiled at its first use",
            (false, false) => "not in this program; build it after `cargo xtask setup`",
        };
        println!("{:<12} {state}", language.name());
    }
    Ok(ExitCode::SUCCESS)
}
