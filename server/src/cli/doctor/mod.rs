//! `mneme doctor`: checks everything that the server needs by using it, and says what to fix.

mod database;
mod disk;
mod providers;
mod rehearsal;
mod sandbox;

use std::process::ExitCode;

use super::{CommandError, runtime, services};
use crate::config::{Config, ConfigError};

/// What a check found.
enum Finding {
    /// All is well.
    Good(String),
    /// The server runs, but somebody should know.
    Notice(String),
    /// The server, or a part of it, will not work.
    Bad {
        /// What is wrong.
        what: String,
        /// What to do about it.
        fix: String,
    },
}

impl Finding {
    fn bad(what: impl std::fmt::Display, fix: impl Into<String>) -> Self {
        Self::Bad { what: what.to_string(), fix: fix.into() }
    }
}

/// Prints findings and remembers whether one was bad.
#[derive(Default)]
struct Report {
    bad: usize,
}

impl Report {
    fn add(&mut self, subject: &str, finding: Finding) {
        match finding {
            Finding::Good(text) => println!("  ok    {subject}: {text}"),
            Finding::Notice(text) => println!("  note  {subject}: {text}"),
            Finding::Bad { what, fix } => {
                self.bad += 1;
                println!("  BAD   {subject}: {what}\n        {fix}");
            }
        }
    }
}

/// Runs the command. The exit status is 1 when something is bad.
pub fn run(config: Result<Config, ConfigError>) -> Result<ExitCode, CommandError> {
    let mut report = Report::default();
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            report.add("settings", Finding::bad(error, "Correct the setting; `mneme config` shows all of them."));
            return Ok(ExitCode::FAILURE);
        }
    };
    report.add("settings", Finding::Good(format!("listens on {}", config.address())));
    runtime()?.block_on(check(&config, &mut report));
    println!();
    match report.bad {
        0 => println!("Everything the server needs is there."),
        1 => println!("One thing must be fixed."),
        count => println!("{count} things must be fixed."),
    }
    Ok(if report.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(config: &Config, report: &mut Report) {
    report.add("address", address(config).await);
    report.add("data directory", disk::directory(config));
    for (setting, finding) in disk::elsewhere(config) {
        report.add(setting, finding);
    }
    report.add("disk space", disk::space(config));
    report.add("master key", disk::master_key(config));
    report.add("database", database::check(config).await);
    report.add("sandbox", sandbox::check(config).await);
    if let Some(finding) = prices(config) {
        report.add("prices", finding);
    }
    for (name, finding) in providers::check(config).await {
        report.add(&name, finding);
    }
}

/// The file of prices, when there is one: the server does not start with one that it cannot read.
fn prices(config: &Config) -> Option<Finding> {
    let path = config.price_file.as_ref()?;
    Some(match services::prices(config) {
        Ok(_) => Finding::Good(path.display().to_string()),
        Err(error) => Finding::bad(error, "Correct the file, or take price_file out of the settings."),
    })
}

async fn address(config: &Config) -> Finding {
    let address = config.address();
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Finding::Good(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Finding::Notice(format!("{address} is in use, perhaps by a running server"))
        }
        Err(error) => Finding::bad(error, "Choose another host or port."),
    }
}
