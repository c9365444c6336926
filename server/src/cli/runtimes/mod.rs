//! `mneme runtimes`: makes the language runtimes ready before the first tool needs them.

mod data;
mod progress;

use std::{process::ExitCode, time::Duration};

use mneme_sandbox::{Language, Sandbox};

use super::{CommandError, runtime, services};
use crate::{config::Config, runtimes};

/// All that can be installed. The last one only when it is named: it is large, and most servers do without.
const KNOWN: [Language; 3] = [Language::Python, Language::JavaScript, Language::PythonData];

/// Unpacks and compiles runtimes; those in this program without names.
pub fn install(config: &Config, wanted: &[String]) -> Result<ExitCode, CommandError> {
    services::data_dir(&config.data_dir)?;
    let sandbox = services::sandbox(config, None)?;
    if let Some(unknown) = wanted.iter().find(|name| !KNOWN.iter().any(|language| language.name() == *name)) {
        return Err(CommandError::new(
            format!("there is no runtime {unknown}"),
            format!("choose of {}", KNOWN.map(Language::name).join(", ")),
        ));
    }
    let asked = |language: &Language| match wanted.is_empty() {
        true => Language::ALL.contains(language),
        false => wanted.iter().any(|name| name == language.name()),
    };
    let runtime = runtime()?;
    for language in KNOWN.into_iter().filter(asked) {
        if language == Language::PythonData {
            data::fetch(config)?;
        }
        runtime.block_on(ready(config, &sandbox, language))?;
    }
    if wanted.is_empty() {
        eprintln!("reader of documents: compiling …");
        let ready = runtime.block_on(sandbox.documents());
        ready.map_err(|error| CommandError::new("the reader of documents is not ready".to_owned(), error))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn ready(config: &Config, sandbox: &Sandbox, language: Language) -> Result<(), CommandError> {
    let name = language.name();
    let failed = |error| CommandError::new(format!("the {name} runtime is not ready"), error);
    progress::shown(&format!("{name}: compiling"), usual(language), sandbox.warm_up(language)).await.map_err(failed)?;
    if language == Language::PythonData && !data::is_settled(config) {
        progress::shown(&format!("{name}: first run"), Duration::from_secs(5), sandbox.settle_data())
            .await
            .map_err(failed)?;
    }
    eprintln!("{name}: ready");
    Ok(())
}

/// How long compiling takes on two processors, about.
fn usual(language: Language) -> Duration {
    Duration::from_secs(match language {
        Language::Python => 15,
        Language::JavaScript => 9,
        Language::PythonData => 150,
    })
}

/// Says which runtimes there are.
pub fn list(config: &Config) -> Result<ExitCode, CommandError> {
    let sandbox = services::sandbox(config, None)?;
    for language in KNOWN {
        let embedded = runtimes::names().any(|name| name == language.name());
        let state = match (sandbox.has_runtime(language), embedded) {
            (true, _) if language == Language::PythonData && !data::is_current(config) => {
                "installed by another version of mneme; `mneme runtimes install python-data` renews it"
            }
            (true, _) => "installed",
            (false, true) => "in this program; unpacked and compiled at its first use",
            (false, false) if language == Language::PythonData => {
                "not installed; `mneme runtimes install python-data` fetches numpy, pandas, scipy, scikit-learn and matplotlib"
            }
            (false, false) => "not in this program; build it after `cargo xtask setup`",
        };
        println!("{:<12} {state}", language.name());
    }
    Ok(ExitCode::SUCCESS)
}
