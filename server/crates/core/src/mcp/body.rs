//! What clients say about servers: flat as the older ones do, or with the configuration inside as newer ones do.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use mneme_domain::{
    Patch,
    mcp::{McpConfig, McpServerType, RemoteConfig, StdioConfig},
};
use serde::Deserialize;

/// The longest name of a server, in bytes.
const MAX_NAME: usize = 256;
/// The longest text of a configuration, in bytes.
const MAX_TEXT: usize = 32 << 10;
/// The most arguments, headers or variables.
const MAX_ITEMS: usize = 200;
/// Headers that the transports write themselves.
const RESERVED: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-agent-id",
];

/// A new server.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Raw")]
pub struct McpServerBody {
    /// Its name.
    pub server_name: String,
    /// How to reach it.
    pub config: McpConfig,
}

impl std::fmt::Debug for McpServerBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpServerBody").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// Changes of a server; what they do not name stays.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Raw")]
pub struct McpServerChanges {
    raw: Raw,
}

impl std::fmt::Debug for McpServerChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("McpServerChanges")
    }
}

type Texts = BTreeMap<String, String>;

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Raw {
    server_name: Option<String>,
    r#type: Option<McpServerType>,
    mcp_server_type: Option<McpServerType>,
    command: Option<String>,
    args: Option<Vec<String>>,
    env: Patch<Texts>,
    server_url: Option<String>,
    auth_header: Patch<String>,
    auth_token: Patch<String>,
    token: Patch<String>,
    custom_headers: Patch<Texts>,
    config: Option<Box<Raw>>,
    stdio_config: Option<Box<Raw>>,
}

impl Raw {
    /// The name, and the configuration wherever and however the client put it.
    fn inner(mut self) -> (Option<String>, Self) {
        let name = self.server_name.take();
        if let Some(inside) = self.config.take().or_else(|| self.stdio_config.take()) {
            let (own, raw) = inside.inner();
            return (name.or(own), raw);
        }
        self.r#type = self.r#type.or(self.mcp_server_type);
        if self.auth_token == Patch::Keep {
            self.auth_token = std::mem::take(&mut self.token);
        }
        (name, self)
    }
}

impl From<Raw> for McpServerChanges {
    fn from(raw: Raw) -> Self {
        Self { raw }
    }
}

impl TryFrom<Raw> for McpServerBody {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let (name, raw) = raw.inner();
        let server_name = name.ok_or_else(|| missing("server_name"))?;
        check_name(&server_name)?;
        let stdio = match raw.r#type {
            Some(kind) => kind == McpServerType::Stdio,
            None => raw.command.is_some(),
        };
        let config = if stdio {
            McpConfig::Stdio(StdioConfig {
                command: raw.command.ok_or_else(|| missing("command"))?,
                args: raw.args.ok_or_else(|| missing("args"))?,
                env: raw.env.value(),
            })
        } else {
            McpConfig::Remote(RemoteConfig {
                server_type: raw.r#type.unwrap_or(McpServerType::StreamableHttp),
                server_url: raw.server_url.ok_or_else(|| missing("server_url"))?,
                auth_header: raw.auth_header.value(),
                auth_token: raw.auth_token.value(),
                custom_headers: raw.custom_headers.value(),
            })
        };
        check(&config)?;
        Ok(Self { server_name, config })
    }
}

fn missing(field: &str) -> String {
    // In serde's words, so that the refusal points at the field.
    format!("missing field `{field}`")
}

impl McpServerChanges {
    /// Applies the changes; returns the name and the configuration.
    ///
    /// # Errors
    /// For values that make no sense, and for those of another kind of server.
    pub fn apply(self, name: &str, config: &McpConfig) -> Result<(String, McpConfig), String> {
        let (renamed, raw) = self.raw.inner();
        let name = renamed.unwrap_or_else(|| name.to_owned());
        check_name(&name)?;
        let mut config = config.clone();
        match &mut config {
            McpConfig::Stdio(stdio) => {
                if raw.server_url.is_some() {
                    return Err("server_url: a stdio server has no address".into());
                }
                if let Some(command) = raw.command {
                    stdio.command = command;
                }
                if let Some(args) = raw.args {
                    stdio.args = args;
                }
                raw.env.apply(&mut stdio.env);
            }
            McpConfig::Remote(remote) => {
                if raw.command.is_some() {
                    return Err("command: this server has an address and no command".into());
                }
                if let Some(kind) = raw.r#type.filter(|kind| *kind != McpServerType::Stdio) {
                    remote.server_type = kind;
                }
                if let Some(url) = raw.server_url {
                    remote.server_url = url;
                }
                raw.auth_header.apply(&mut remote.auth_header);
                raw.auth_token.apply(&mut remote.auth_token);
                raw.custom_headers.apply(&mut remote.custom_headers);
            }
        }
        check(&config)?;
        Ok((name, config))
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let fine = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(|c| c.is_control() || c == '/');
    match fine {
        true => Ok(()),
        false => Err(format!("server_name: 1 to {MAX_NAME} bytes, no '/' and no control characters")),
    }
}

fn check(config: &McpConfig) -> Result<(), String> {
    let short = |field: &str, text: &str| match text.len() <= MAX_TEXT {
        true => Ok(()),
        false => Err(format!("{field}: more than {MAX_TEXT} bytes")),
    };
    match config {
        McpConfig::Stdio(stdio) => {
            if stdio.command.trim().is_empty() {
                return Err("command: it must not be empty".into());
            }
            short("command", &stdio.command)?;
            let none = BTreeMap::new();
            let env = stdio.env.as_ref().unwrap_or(&none);
            if stdio.args.len() > MAX_ITEMS || env.len() > MAX_ITEMS {
                return Err(format!("args and env have at most {MAX_ITEMS} items"));
            }
            for text in &stdio.args {
                short("args", text)?;
            }
            for (name, value) in env {
                if name.is_empty() || name.contains('=') {
                    return Err(format!("env: {name:?} is no name of a variable"));
                }
                short("env", value)?;
            }
        }
        McpConfig::Remote(remote) => {
            short("server_url", &remote.server_url)?;
            let web = url::Url::parse(&remote.server_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if !web {
                return Err("server_url: it must be an address that starts with http:// or https://".into());
            }
            let none = BTreeMap::new();
            let headers = remote.custom_headers.as_ref().unwrap_or(&none);
            if headers.len() > MAX_ITEMS {
                return Err(format!("custom_headers has at most {MAX_ITEMS} items"));
            }
            for (name, value) in headers {
                check_header("custom_headers", name, value)?;
            }
            let token = remote.auth_token.as_deref().unwrap_or_default();
            check_header("auth_header", remote.auth_header.as_deref().unwrap_or("authorization"), token)?;
        }
    }
    Ok(())
}

fn check_header(field: &str, name: &str, value: &str) -> Result<(), String> {
    let parsed = HeaderName::try_from(name).map_err(|_| format!("{field}: {name:?} is no name of a header"))?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(format!("{field}: the header {name} is written by the server itself"));
    }
    if value.len() > MAX_TEXT || HeaderValue::try_from(value).is_err() {
        return Err(format!("{field}: the value of {name} is no value of a header"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<McpServerBody, String> {
        serde_json::from_value(body).map_err(|error| error.to_string())
    }

    #[test]
    fn both_generations_of_clients_are_understood() {
        let flat = json!({"server_name": "s", "type": "sse", "server_url": "http://x/sse", "auth_token": "Bearer t"});
        let nested = json!({"server_name": "s", "config":
            {"mcp_server_type": "sse", "server_url": "http://x/sse", "auth_token": "Bearer t"}});
        let (flat, nested) = (read(flat).unwrap(), read(nested).unwrap());
        assert!(flat.config == nested.config && flat.server_name == nested.server_name);
        assert_eq!(flat.config.server_type(), McpServerType::Sse);
        let local = read(json!({"server_name": "s", "command": "npx", "args": ["-y", "x"]})).unwrap();
        assert_eq!(local.config.server_type(), McpServerType::Stdio);
        let shown = json!({"server_name": "s", "type": "sse", "mcp_server_type": "sse", "server_url": "http://x/sse", "id": "i"});
        assert_eq!(read(shown).unwrap().config.server_type(), McpServerType::Sse, "as it is shown");
        let plain = read(json!({"server_name": "s", "server_url": "http://x/mcp"})).unwrap();
        assert_eq!(plain.config.server_type(), McpServerType::StreamableHttp);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_field() {
        for (body, part) in [
            (json!({"server_url": "http://x"}), "missing field `server_name`"),
            (json!({"server_name": "s", "type": "sse"}), "missing field `server_url`"),
            (json!({"server_name": "s", "type": "stdio", "args": []}), "missing field `command`"),
            (json!({"server_name": "s", "server_url": "file:///etc"}), "server_url"),
            (json!({"server_name": "a/b", "server_url": "http://x"}), "server_name"),
            (json!({"server_name": "s", "server_url": "http://x", "custom_headers": {"Host": "y"}}), "custom_headers"),
            (json!({"server_name": "s", "server_url": "http://x", "auth_token": "a\r\nb: c"}), "auth_header"),
            (json!({"server_name": "s", "command": "x", "args": [], "env": {"A=B": "c"}}), "env"),
        ] {
            let error = read(body).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn changes_keep_what_they_do_not_name() {
        let body =
            json!({"server_name": "s", "server_url": "http://x/mcp", "auth_token": "t", "custom_headers": {"A": "b"}});
        let before = read(body).unwrap();
        let change = |changes: Value| {
            serde_json::from_value::<McpServerChanges>(changes).unwrap().apply(&before.server_name, &before.config)
        };
        let (name, config) = change(json!({"config": {"custom_headers": null}, "server_name": "n"})).unwrap();
        let McpConfig::Remote(remote) = config else { panic!() };
        assert_eq!((name.as_str(), remote.auth_token.as_deref(), remote.custom_headers), ("n", Some("t"), None));
        assert!(change(json!({"command": "sh"})).is_err());
    }
}
