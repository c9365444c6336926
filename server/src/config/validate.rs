//! What settings must fulfil before the server starts with them.

use mneme_domain::policy::HostPattern;
use tracing_subscriber::EnvFilter;

use super::keys::Config;

/// Checks the settings; the error names the key and says what to do.
pub(super) fn check(config: &Config) -> Result<(), String> {
    address(config)?;
    origins(config)?;
    private_hosts(config)?;
    public_url(config)?;
    limits(config)?;
    providers(config)?;
    EnvFilter::try_new(&config.log_level).map_err(|error| format!("log_level: {error}"))?;
    if config.password.as_ref().is_some_and(|password| password.reveal().trim().is_empty()) {
        return Err("password: it must not be empty".into());
    }
    if let Some(key) = &config.master_key {
        crate::master_key::parse(key.reveal()).map_err(|reason| format!("master_key: {reason}"))?;
    }
    Ok(())
}

fn address(config: &Config) -> Result<(), String> {
    let Some(ip) = config.ip() else {
        return Err(format!("host: '{}' is neither an IP address nor localhost", config.host));
    };
    if ip.is_loopback() || config.password.is_some() {
        return Ok(());
    }
    Err(format!(
        "host: {ip} can be reached by other machines and no password is set, so anybody could use the agents and \
         their tools. Set a password (MNEME_PASSWORD or LETTA_SERVER_PASSWORD), let one be made up (SECURE=true), or \
         listen on 127.0.0.1."
    ))
}

fn origins(config: &Config) -> Result<(), String> {
    for origin in &config.cors_origins {
        if origin == "*" {
            if config.password.is_none() {
                return Err("cors_origins: '*' lets any web page use the server, so it needs a password".into());
            }
            continue;
        }
        let parsed = url::Url::parse(origin).map_err(|_| format!("cors_origins: '{origin}' is not an origin"))?;
        if parsed.origin().ascii_serialization() != origin.trim_end_matches('/') {
            return Err(format!("cors_origins: '{origin}' must be scheme://host or scheme://host:port"));
        }
    }
    Ok(())
}

fn private_hosts(config: &Config) -> Result<(), String> {
    for host in &config.tool_private_hosts {
        host.parse::<HostPattern>().map_err(|error| format!("tool_private_hosts: {error}"))?;
    }
    Ok(())
}

fn public_url(config: &Config) -> Result<(), String> {
    let Some(text) = &config.public_url else { return Ok(()) };
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        _ => Err(format!("public_url: '{text}' must start with http:// or https:// and name a host")),
    }
}

fn limits(config: &Config) -> Result<(), String> {
    let at_least = |name: &str, value: u64, least: u64| {
        if value >= least { Ok(()) } else { Err(format!("{name}: it must be at least {least}, not {value}")) }
    };
    for (name, value) in [
        ("database_connections", u64::from(config.database_connections)),
        ("model_list_seconds", config.model_list_seconds),
        ("llm_connect_seconds", config.llm_connect_seconds),
        ("llm_first_byte_seconds", config.llm_first_byte_seconds),
        ("llm_idle_seconds", config.llm_idle_seconds),
        ("llm_total_seconds", config.llm_total_seconds),
        ("llm_attempts", u64::from(config.llm_attempts)),
        ("sandbox_instances", u64::from(config.sandbox_instances)),
        ("max_connections", config.max_connections as u64),
        ("max_requests", config.max_requests as u64),
        ("header_timeout_seconds", config.header_timeout_seconds),
        ("body_timeout_seconds", config.body_timeout_seconds),
        ("write_timeout_seconds", config.write_timeout_seconds),
        ("ping_seconds", config.ping_seconds),
        ("run_lease_seconds", config.run_lease_seconds),
        ("mcp_connect_seconds", config.mcp_connect_seconds),
        ("mcp_list_seconds", config.mcp_list_seconds),
        ("mcp_call_seconds", config.mcp_call_seconds),
    ] {
        at_least(name, value, 1)?;
    }
    at_least("max_body_bytes", config.max_body_bytes as u64, 1024)?;
    at_least("max_import_bytes", config.max_import_bytes as u64, 1024)?;
    at_least("max_json_values", config.max_json_values as u64, 100)?;
    at_least("default_context_window", u64::from(config.default_context_window), 1024)
}

fn providers(config: &Config) -> Result<(), String> {
    let mut seen = std::collections::HashSet::new();
    for provider in &config.providers {
        let name = &provider.name;
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(fine) {
            return Err(format!("providers: the name '{name}' may only have letters, digits, '-', '_' and '.'"));
        }
        if !seen.insert(name) {
            return Err(format!("providers: the name '{name}' is used twice"));
        }
        match provider.url() {
            None => return Err(format!("providers: {name} needs a base_url")),
            Some(url) if !matches!(url.scheme(), "http" | "https") => {
                return Err(format!("providers: the base_url of {name} must start with http:// or https://"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}
