//! Looking for what is not the tool's.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};

use mneme_tool_sdk::{Agent, Capability, Host, Memory, MemoryEditor, ToolError, tool};

/// Lists the environment.
#[tool]
pub fn environment() -> String {
    let mut pairs: Vec<_> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.sort();
    format!("{} {:?}", pairs.join(","), std::env::args().collect::<Vec<_>>())
}

/// Reads a file.
#[tool]
pub fn read_file(path: String) -> Result<String, ToolError> {
    let mut text = String::new();
    std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text)).map_err(ToolError::failed)?;
    Ok(text)
}

/// Lists the root folder.
#[tool]
pub fn list_root() -> Result<String, ToolError> {
    let entries = std::fs::read_dir("/").map_err(ToolError::failed)?;
    Ok(entries.count().to_string())
}

/// Lists a folder.
#[tool]
pub fn list_folder(path: String) -> Result<String, ToolError> {
    let entries = std::fs::read_dir(path).map_err(ToolError::failed)?;
    let mut names: Vec<_> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names.join(","))
}

/// Writes a file.
#[tool]
pub fn write_file(path: String) -> Result<String, ToolError> {
    std::fs::write(path, "changed").map_err(ToolError::failed)?;
    Ok("written".to_owned())
}

/// Opens a connection.
#[tool]
pub fn connect(address: String) -> Result<String, ToolError> {
    TcpStream::connect(&address).map_err(ToolError::failed)?;
    Ok(format!("connected to {address}"))
}

/// Looks a host name up.
#[tool]
pub fn resolve(host: String) -> Result<String, ToolError> {
    let found = (host.as_str(), 80).to_socket_addrs().map_err(ToolError::failed)?;
    Ok(format!("{:?}", found.collect::<Vec<_>>()))
}

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Counts the calls of this instance.
#[tool]
pub fn remember() -> String {
    (CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}

/// Draws a random number.
#[tool]
pub fn entropy() -> String {
    RandomState::new().hash_one(0).to_string()
}

/// Declares that it reads memory, and writes it.
#[tool]
pub fn overreach(memory: &Memory, agent: &Agent, label: String) -> Result<String, ToolError> {
    memory.block(&label)?;
    let host = imported_host();
    MemoryEditor::granted(&*host).set(&label, "overwritten")?;
    Ok(agent.id())
}

#[cfg(target_family = "wasm")]
fn imported_host() -> Box<dyn Host> {
    Box::new(mneme_tool_sdk::guest::ImportedHost)
}

#[cfg(not(target_family = "wasm"))]
fn imported_host() -> Box<dyn Host> {
    Box::new(mneme_tool_sdk::mock::MockHost::new())
}
