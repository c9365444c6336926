//! `mneme tools`: everything between an idea for a tool and the tool on a server.

mod build;
mod guest;
mod inspect;
mod new;
mod push;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};

use super::{CommandError, Common};

/// What can be done with tools.
#[derive(Debug, Subcommand)]
pub enum Tools {
    /// Writes a new tool to start from.
    New {
        /// The tool's name: small letters, digits and `_`.
        name: String,
        /// What it is written in.
        #[arg(long, value_enum, default_value_t = Lang::Rust)]
        lang: Lang,
        /// Where to; by default a folder, or a file, of that name.
        #[arg(long, value_name = "PATH")]
        path: Option<PathBuf>,
        /// The folder of the tool SDK, for tools in Rust; by default the one that this program was built with.
        #[arg(long, value_name = "DIR")]
        sdk: Option<PathBuf>,
    },
    /// Builds a tool in Rust: a component, or an Extism plugin if it uses Extism's kit.
    Build {
        /// The folder of the tool.
        #[arg(default_value = ".")]
        folder: PathBuf,
        /// Take the compiler from Debian's packages even where rustup could provide it.
        #[arg(long)]
        force_debian: bool,
    },
    /// Shows what a model will see of a tool, and what the tool asks for.
    Inspect {
        /// A .wasm, .py, .ts or .js file.
        file: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        common: Common,
    },
    /// Runs a compiled tool here, in the sandbox that the server has. The answer goes to standard output; the exit
    /// code is 2 when the tool failed.
    Test {
        /// The .wasm file.
        file: PathBuf,
        /// Which of its tools.
        tool: String,
        /// The arguments, a JSON object.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        args: String,
        /// A variable that the tool sees, if it declared it. May be there several times.
        #[arg(long, value_name = "NAME=VALUE")]
        env: Vec<String>,
        /// A memory block that the tool finds. May be there several times.
        #[arg(long, value_name = "LABEL=TEXT")]
        block: Vec<String>,
        /// A host that the tool may send requests to. May be there several times.
        #[arg(long, value_name = "HOST")]
        allow: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Gives a tool to a server: creates it, or brings it up to date.
    Push {
        /// A .wasm, .py, .ts or .js file.
        file: PathBuf,
        /// The server.
        #[arg(long, value_name = "URL", env = "MNEME_BASE_URL", default_value = "http://localhost:8283")]
        server: String,
        /// The password or API key.
        #[arg(long, env = "MNEME_TOKEN", hide_env_values = true)]
        token: Option<String>,
        /// A file with the tool's policy, as JSON.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// A file with the list of an Extism plugin's functions, as JSON, when it does not describe itself.
        #[arg(long, value_name = "FILE")]
        functions: Option<PathBuf>,
        /// A label. May be there several times.
        #[arg(long, value_name = "TAG")]
        tag: Vec<String>,
    },
}

/// What a tool is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// A component, with the tool SDK.
    Rust,
    /// Source, sent as it is.
    Python,
    /// Source, sent as it is.
    Typescript,
    /// An Extism plugin in Rust.
    Extism,
}

/// Runs a command.
pub fn run(command: Tools) -> Result<ExitCode, CommandError> {
    match command {
        Tools::New { name, lang, path, sdk } => new::run(&name, lang, path, sdk),
        Tools::Build { folder, force_debian } => build::run(&folder, force_debian),
        Tools::Inspect { file, json, common } => inspect::run(&common.load(None, None)?, &file, json),
        Tools::Test { file, tool, args, env, block, allow, common } => {
            test::run(&common.load(None, None)?, &file, test::Trial { tool, args, env, block, allow })
        }
        Tools::Push { file, server, token, policy, functions, tag } => {
            push::run(&file, &push::Target { server, token }, push::Extras { policy, functions, tags: tag })
        }
    }
}

/// What a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Wasm,
    Python,
    Script(&'static str),
}

fn kind_of(file: &Path) -> Result<FileKind, CommandError> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("wasm") => Ok(FileKind::Wasm),
        Some("py") => Ok(FileKind::Python),
        Some("ts") => Ok(FileKind::Script("typescript")),
        Some("js" | "mjs") => Ok(FileKind::Script("javascript")),
        _ => Err(CommandError::new(file.display().to_string(), "a tool is a .wasm, .py, .ts or .js file")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(file).map_err(|error| CommandError::new(format!("cannot read {}", file.display()), error))
}

fn read_text(file: &Path) -> Result<String, CommandError> {
    String::from_utf8(read(file)?).map_err(|_| CommandError::new(file.display().to_string(), "it is no UTF-8 text"))
}
