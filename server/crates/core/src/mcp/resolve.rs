//! A server's configuration with the variables of whoever calls in their places.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use mneme_domain::{
    Actor, AgentId,
    mcp::{McpConfig, McpServerType, RemoteConfig, StdioConfig},
};
use mneme_store::{agents, variables};
use sha2::{Digest, Sha256};

use super::{failure::Trouble, template};
use crate::{Core, Result};

/// How to reach a server for one caller.
#[derive(Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The place.
    pub target: Target,
    /// What must not be told to anybody.
    pub secrets: Vec<String>,
    /// Whether somebody's permission may stand in for a token.
    pub bare: bool,
}

/// Where a server is.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// At an address.
    Remote { kind: McpServerType, url: String, headers: HeaderMap },
    /// In a process.
    Stdio { command: String, args: Vec<String>, env: BTreeMap<String, String> },
}

impl Resolved {
    /// Tells sets of credentials apart.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |text: &[u8]| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        match &self.target {
            Target::Remote { kind, url, headers } => {
                part(kind.as_str().as_bytes());
                part(url.as_bytes());
                for (name, value) in headers {
                    part(name.as_str().as_bytes());
                    part(value.as_bytes());
                }
            }
            Target::Stdio { command, args, env } => {
                part(command.as_bytes());
                args.iter().for_each(|arg| part(arg.as_bytes()));
                part(b"env");
                for (name, value) in env {
                    part(name.as_bytes());
                    part(value.as_bytes());
                }
            }
        }
        hash.finalize().into()
    }
}

/// Puts values into a configuration. Without `values`, when no agent calls, what names a variable without a default is
/// left out.
pub fn resolve(config: &McpConfig, values: Option<&BTreeMap<String, String>>) -> Result<Resolved, Trouble> {
    let none = BTreeMap::new();
    let fill = |text: &str| match template::fill(text, values.unwrap_or(&none)) {
        Ok(filled) => Ok(Some(filled)),
        Err(_) if values.is_none() => Ok(None),
        Err(name) => Err(Trouble::Forbidden(format!(
            "it is set up to use the tool variable {name}, which the agent does not have"
        ))),
    };
    match config {
        McpConfig::Stdio(stdio) => process(stdio, fill),
        McpConfig::Remote(remote) => address(remote, fill),
    }
}

fn process(stdio: &StdioConfig, fill: impl Fn(&str) -> Result<Option<String>, Trouble>) -> Result<Resolved, Trouble> {
    let mut env = BTreeMap::new();
    for (name, value) in stdio.env.iter().flatten() {
        if let Some(value) = fill(value)? {
            env.insert(name.clone(), value);
        }
    }
    let mut secrets: Vec<String> = env.values().cloned().collect();
    // Plain words of a command line are no secrets, and errors would be hard to read without them.
    secrets.extend(stdio.args.iter().filter(|arg| arg.len() >= 20 && !arg.contains(['/', ' ', '\n'])).cloned());
    let target = Target::Stdio { command: stdio.command.clone(), args: stdio.args.clone(), env };
    Ok(Resolved { target, secrets, bare: false })
}

fn address(remote: &RemoteConfig, fill: impl Fn(&str) -> Result<Option<String>, Trouble>) -> Result<Resolved, Trouble> {
    let mut given: Vec<(&str, String)> = Vec::new();
    for (name, value) in remote.custom_headers.iter().flatten() {
        if let Some(value) = fill(value)? {
            given.push((name, value));
        }
    }
    let token = remote.auth_token.as_deref().filter(|token| !token.trim().is_empty());
    if let Some(token) = token
        && let Some(value) = fill(token)?
    {
        let name = remote.auth_header.as_deref().unwrap_or("authorization");
        // A token alone is no value of this header.
        let alone = name.eq_ignore_ascii_case("authorization") && !value.trim().contains(' ');
        given.push((name, if alone { format!("Bearer {}", value.trim()) } else { value }));
    }
    let mut headers = HeaderMap::new();
    let mut secrets = Vec::new();
    for (name, value) in given {
        let named = HeaderName::try_from(name).map_err(|_| Trouble::Forbidden(format!("{name} is no header")))?;
        let mut header = HeaderValue::try_from(&value)
            .map_err(|_| Trouble::Forbidden(format!("the header {name} cannot have the value that it got")))?;
        header.set_sensitive(true);
        headers.insert(named, header);
        secrets.extend(value.split_once(' ').map(|(_, token)| token.to_owned()));
        secrets.push(value);
    }
    if let Some((_, query)) = remote.server_url.split_once('?') {
        secrets.push(query.to_owned());
    }
    let bare = !headers.contains_key(http::header::AUTHORIZATION);
    let target = Target::Remote { kind: remote.server_type, url: remote.server_url.clone(), headers };
    Ok(Resolved { target, secrets, bare })
}

impl Core {
    /// The variables that an agent's tools see.
    pub(super) async fn mcp_variables(
        &self,
        actor: &Actor,
        agent: &AgentId,
        given: &[(String, String)],
    ) -> Result<BTreeMap<String, String>> {
        let mut conn = self.store.read().await?;
        let mut known: BTreeMap<String, String> = variables::values(&mut conn, actor).await?.into_iter().collect();
        let own = agents::variables_of(&mut conn, actor, agent).await?;
        known.extend(own.into_iter().map(|variable| (variable.key, variable.value)));
        known.extend(given.iter().cloned());
        Ok(known)
    }
}
