//! The command line.

mod agents;
mod banner;
mod discover;
mod doctor;
mod keys;
mod logging;
mod migrate;
mod resident;
mod runtimes;
mod serve;
mod services;
mod tools;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use mneme_sandbox::CompileJob;

use crate::config::{self, Config, ConfigError, DatabaseUrl, Layer, LogFormat, Source};

/// A self-hosted server for stateful AI agents.
#[derive(Debug, Parser)]
#[command(name = "mneme", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve {
        /// The address to listen on.
        #[arg(long)]
        host: Option<String>,
        /// The port to listen on.
        #[arg(long)]
        port: Option<u16>,
        #[command(flatten)]
        common: Common,
    },
    /// Brings the database's schema up to date.
    Migrate(Common),
    /// Checks everything that the server needs, and says what to fix.
    Doctor(Common),
    /// Makes the runtimes for tools in Python and JavaScript ready, or lists them.
    Runtimes {
        #[command(subcommand)]
        action: Runtimes,
    },
    /// Changes the key that encrypts secrets at rest.
    Keys {
        #[command(subcommand)]
        action: Keys,
    },
    /// Writes, builds, looks at, tries and sends tools.
    Tools {
        #[command(subcommand)]
        action: tools::Tools,
    },
    /// Takes agents from one server to another, as files.
    Agents {
        #[command(subcommand)]
        action: agents::Agents,
    },
    /// Prints all settings with their defaults, as a file to start from.
    Config,
    /// Compiles one component into the cache. The server starts it for itself.
    #[command(hide = true, name = CompileJob::COMMAND)]
    CompileComponent { cache_dir: PathBuf, memory_bytes: u64, cpu_seconds: u64, kind: String },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Encrypts every secret under another key. No server may run on the database meanwhile.
    ///
    /// With a key in the data directory: the new key takes its place. With a key in the settings (master_key): the
    /// settings have to name the new key afterwards. A run that was interrupted is repeated, with the same options.
    Rotate {
        /// A file with the new key: 32 bytes in hexadecimal or base64. The environment variable MNEME_NEW_MASTER_KEY
        /// does too. Without either a key is made up, which needs the key in the data directory.
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Subcommand)]
enum Runtimes {
    /// Unpacks and compiles them, so that the first tool does not wait.
    Install {
        /// Which: python, javascript, python-data. The first two when left out: python-data, Python with numpy, pandas,
        /// scipy, scikit-learn and matplotlib for `run_code`, is fetched (100 MB) and compiled for some minutes.
        names: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Says which there are.
    List(Common),
}

/// Options of every command that reads the settings.
#[derive(Debug, Args)]
struct Common {
    /// The settings file; by default the one that MNEME_CONFIG names, else mneme.toml in the data directory.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the server keeps its data.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The database: sqlite:<path> or postgres://….
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// How the log is written.
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,
}

impl Common {
    fn load(self, host: Option<String>, port: Option<u16>) -> Result<Config, ConfigError> {
        let database_url = self.database_url.map(DatabaseUrl::try_from).transpose();
        let database_url = database_url.map_err(|reason| ConfigError(format!("--database-url: {reason}")))?;
        let flags = Layer {
            host,
            port,
            data_dir: self.data_dir,
            database_url: database_url.map(Some),
            log_format: self.log_format,
            ..Layer::default()
        };
        config::load(Source { file: self.config, env: &|name| std::env::var(name).ok(), flags })
    }
}

/// Runs the command of the process's arguments.
pub fn main() -> ExitCode {
    mneme_llm::install_crypto();
    let outcome = match Cli::parse().command {
        Command::Serve { host, port, common } => common.load(host, port).map_err(Into::into).and_then(serve::run),
        Command::Migrate(common) => common.load(None, None).map_err(Into::into).and_then(migrate::run),
        Command::Doctor(common) => doctor::run(common.load(None, None)),
        Command::Runtimes { action: Runtimes::Install { names, common } } => {
            common.load(None, None).map_err(Into::into).and_then(|config| runtimes::install(&config, &names))
        }
        Command::Runtimes { action: Runtimes::List(common) } => {
            common.load(None, None).map_err(Into::into).and_then(|config| runtimes::list(&config))
        }
        Command::Keys { action: Keys::Rotate { new_key_file, common } } => common
            .load(None, None)
            .map_err(Into::into)
            .and_then(|config| keys::rotate(&config, new_key_file.as_deref())),
        Command::Agents { action } => agents::run(action),
        Command::Tools { action } => tools::run(action),
        Command::Config => {
            print!("{}", config::render());
            Ok(ExitCode::SUCCESS)
        }
        Command::CompileComponent { cache_dir, memory_bytes, cpu_seconds, kind } => {
            Ok(CompileJob { cache_dir, memory_bytes, cpu_seconds, kind }.run())
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("mneme: {error}");
        ExitCode::FAILURE
    })
}

/// Why a command failed, for the person at the terminal.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The settings are wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// Something that the command needs is not there.
    #[error("{what}: {reason}")]
    Failed {
        /// What was to be done.
        what: String,
        /// Why it was not.
        reason: String,
    },
}

impl CommandError {
    fn new(what: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self::Failed { what: what.into(), reason: reason.to_string() }
    }
}

/// The runtime that commands work in.
fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::new("cannot start the runtime", error))
}
