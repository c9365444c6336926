//! MCP servers: where tools live that run elsewhere, and the tools as such a server describes them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{JsonObject, McpServerId};

/// How a server is talked to, in the API's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpServerType {
    /// The older HTTP transport: a stream of events, and messages posted beside it.
    Sse,
    /// A child process of this server that reads and writes lines.
    Stdio,
    /// The current HTTP transport.
    StreamableHttp,
}

impl McpServerType {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Stdio => "stdio",
            Self::StreamableHttp => "streamable_http",
        }
    }
}

/// How to reach a server. Tokens, headers, addresses and variables may all be secrets, so `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum McpConfig {
    /// A process.
    Stdio(StdioConfig),
    /// An address.
    Remote(RemoteConfig),
}

/// A server that is a child process.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StdioConfig {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// All of its environment, but for what a program needs to be found and to find others.
    pub env: Option<BTreeMap<String, String>>,
}

/// A server behind an address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteConfig {
    /// Which of the two HTTP transports.
    pub server_type: McpServerType,
    /// Where it is.
    pub server_url: String,
    /// The header that carries the token; `Authorization` when there is a token and no name.
    pub auth_header: Option<String>,
    /// The whole value of that header. May name variables of the calling agent: `Bearer {{ KEY | default }}`.
    pub auth_token: Option<String>,
    /// More headers; their values may name variables too.
    pub custom_headers: Option<BTreeMap<String, String>>,
}

impl McpConfig {
    /// How the server is talked to.
    pub fn server_type(&self) -> McpServerType {
        match self {
            Self::Stdio(_) => McpServerType::Stdio,
            Self::Remote(remote) => remote.server_type,
        }
    }
}

impl std::fmt::Debug for McpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("McpConfig").field(&self.server_type()).finish()
    }
}

/// A server that an organisation uses.
#[derive(Debug, Clone, PartialEq)]
pub struct McpServer {
    /// Identifier.
    pub id: McpServerId,
    /// Its name; unique within the organisation.
    pub name: String,
    /// How to reach it.
    pub config: McpConfig,
    /// Its tools as it listed them last.
    pub tools: Option<Vec<McpTool>>,
    /// When it listed them.
    pub synced_at: Option<DateTime<Utc>>,
    /// Why it could not be reached, when that is the newest that is known of it.
    pub last_error: Option<String>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// Who added it.
    pub created_by_id: Option<String>,
    /// Who changed it last.
    pub last_updated_by_id: Option<String>,
}

/// A server as clients see it.
#[derive(Debug, Clone)]
pub struct McpServerView {
    /// The server.
    pub server: McpServer,
    /// Whether tokens, headers, arguments and variables are shown.
    pub secrets: bool,
    /// Whether it is of the resource with identifiers.
    pub identified: bool,
}

impl Serialize for McpServerView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let kind = self.server.config.server_type();
        map.serialize_entry("server_name", &self.server.name)?;
        map.serialize_entry("type", &kind)?;
        match &self.server.config {
            McpConfig::Stdio(stdio) => {
                let hidden: Vec<String> = Vec::new();
                map.serialize_entry("command", &stdio.command)?;
                map.serialize_entry("args", if self.secrets { &stdio.args } else { &hidden })?;
                map.serialize_entry("env", &stdio.env.as_ref().filter(|_| self.secrets))?;
            }
            McpConfig::Remote(remote) => {
                let address = if self.secrets { remote.server_url.clone() } else { bare(&remote.server_url) };
                map.serialize_entry("server_url", &address)?;
                map.serialize_entry("auth_header", &remote.auth_header)?;
                map.serialize_entry("auth_token", &remote.auth_token.as_ref().filter(|_| self.secrets))?;
                map.serialize_entry("custom_headers", &remote.custom_headers.as_ref().filter(|_| self.secrets))?;
            }
        }
        if self.identified {
            map.serialize_entry("id", &self.server.id)?;
            // What newer clients call the type.
            map.serialize_entry("mcp_server_type", &kind)?;
        }
        map.end()
    }
}

/// What clients send and see of a server, for the API's description. A server has an address or a command.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct McpServerShape {
    /// Its name.
    pub server_name: String,
    /// How it is talked to.
    pub r#type: Option<McpServerType>,
    /// Where it is.
    pub server_url: Option<String>,
    /// The header that carries the token, `Authorization` when left out.
    pub auth_header: Option<String>,
    /// The whole value of that header; it may name variables of the calling agent: `Bearer {{ KEY | default }}`.
    pub auth_token: Option<String>,
    /// More headers; their values may name variables too.
    pub custom_headers: Option<BTreeMap<String, String>>,
    /// The program of a stdio server.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Option<Vec<String>>,
    /// Its environment; values may name variables too.
    pub env: Option<BTreeMap<String, String>>,
    /// Identifier, `mcp_server-<uuid4>`; in answers of `/v1/mcp-servers` only.
    pub id: Option<String>,
}

/// An address without what often carries a key.
fn bare(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// A tool as its server lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpTool {
    /// Its name on the server.
    pub name: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// What it does, for the model.
    #[serde(default)]
    pub description: Option<String>,
    /// The arguments' JSON Schema, as it is offered to models.
    #[schema(value_type = Object)]
    pub input_schema: JsonObject,
    /// The JSON Schema of what it returns.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub output_schema: Option<JsonObject>,
    /// What the server says of its effects. Hints of a stranger, and nothing more.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub annotations: Option<Value>,
    /// Anything else.
    #[serde(default, rename = "_meta")]
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Value>,
    /// How well models can be offered the tool.
    #[serde(default)]
    pub health: Option<McpToolHealth>,
}

/// What models' providers will make of a tool's schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct McpToolHealth {
    /// How it stands.
    pub status: McpToolStatus,
    /// What is the matter with it.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// How a tool's schema stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum McpToolStatus {
    /// Every provider takes it, also where schemas are enforced.
    StrictCompliant,
    /// Providers take it where schemas are not enforced.
    NonStrictOnly,
    /// No provider takes it, so no agent can have the tool.
    Invalid,
}

/// The part of a tool's metadata that says which server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpOrigin {
    /// The server's name.
    pub server_name: String,
    /// The server.
    pub server_id: McpServerId,
    /// The tool's name there, when models could not call it by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_name: Option<String>,
    /// A digest of what the server last said of it: its owner may describe it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// When its description or schema was last seen to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<Utc>>,
    /// How often they have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<u64>,
}

impl McpOrigin {
    /// Reads it from a tool's metadata.
    pub fn of(metadata: Option<&JsonObject>) -> Option<Self> {
        serde_json::from_value(metadata?.get("mcp")?.clone()).ok()
    }

    /// Writes it into a tool's metadata.
    pub fn put(&self, metadata: &mut Option<JsonObject>) {
        metadata.get_or_insert_default().insert("mcp".into(), json!(self));
    }
}

/// What came of asking a server for its tools again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct McpRefresh {
    /// In words.
    pub message: String,
    /// Names of tools that are gone; agents lost them.
    pub deleted: Vec<String>,
    /// Names of tools whose description or schema changed.
    pub updated: Vec<String>,
    /// Names of new tools.
    pub added: Vec<String>,
    /// Names of tools that no model can be offered, with the reasons.
    pub invalid: BTreeMap<String, Vec<String>>,
}
