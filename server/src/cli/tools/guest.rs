//! A compiled tool in a file, loaded as the server would.

use std::path::Path;

use mneme_domain::policy::ToolKind;
use mneme_sandbox::{Guest, Sandbox, ToolSpec};

use super::read;
use crate::cli::{CommandError, services};
use crate::config::Config;

/// What is in a file.
pub enum Loaded {
    /// A component.
    Component(Guest),
    /// An Extism plugin.
    #[cfg(feature = "extism")]
    Plugin(mneme_extism::Plugin, Vec<ToolSpec>),
}

/// Whether this is a core module, which as a tool is a plugin.
pub fn is_module(code: &[u8]) -> bool {
    code.starts_with(b"\0asm\x01\0\0\0")
}

/// The sandbox of commands. Its compiled code lies where the server's does.
pub fn sandbox(config: &Config) -> Result<Sandbox, CommandError> {
    services::data_dir(&config.data_dir)?;
    services::sandbox(config, None)
}

/// Loads a file.
pub async fn load(sandbox: &Sandbox, file: &Path) -> Result<Loaded, CommandError> {
    let code = read(file)?;
    let refused =
        |reason: &dyn std::fmt::Display| CommandError::new(format!("{} is not a tool", file.display()), reason);
    if is_module(&code) {
        return plugin(&code).await.map_err(|reason| refused(&reason));
    }
    sandbox.load_upload(&code).await.map(Loaded::Component).map_err(|error| refused(&error))
}

#[cfg(feature = "extism")]
async fn plugin(code: &[u8]) -> Result<Loaded, String> {
    let plugin = mneme_extism::Plugin::check(code).map_err(|error| error.to_string())?;
    let list = mneme_extism::Plugins::default().describe(&plugin).await;
    let list = list.map_err(|reason| format!("it does not describe its tools: {reason}"))?;
    let specs = ToolSpec::from_list(&list).map_err(|error| error.to_string())?;
    Ok(Loaded::Plugin(plugin, specs))
}

#[cfg(not(feature = "extism"))]
async fn plugin(_: &[u8]) -> Result<Loaded, String> {
    Err("it is a core module, and this program was built without Extism".into())
}

impl Loaded {
    /// The tools.
    pub fn tools(&self) -> &[ToolSpec] {
        match self {
            Self::Component(guest) => guest.tools(),
            #[cfg(feature = "extism")]
            Self::Plugin(_, specs) => specs,
        }
    }

    /// What it imports.
    pub fn imports(&self) -> &[String] {
        match self {
            Self::Component(guest) => guest.imports(),
            #[cfg(feature = "extism")]
            Self::Plugin(plugin, _) => plugin.imports(),
        }
    }

    /// Which kind of tools these are.
    pub fn kind(&self) -> ToolKind {
        match self {
            Self::Component(_) => ToolKind::Component,
            #[cfg(feature = "extism")]
            Self::Plugin(..) => ToolKind::Extism,
        }
    }
}
