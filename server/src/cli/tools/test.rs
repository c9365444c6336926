//! `mneme tools test`: one call of a compiled tool, here.

mod desk;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use mneme_domain::policy::{Denial, HostPattern, NetworkAllow, Policy, capability};
use mneme_sandbox::{CallRequest, Grants, Guest, Limits, Sandbox};
use serde_json::Value;

use super::guest::{self, Loaded};
use crate::cli::{CommandError, runtime};
use crate::config::Config;
use desk::Desk;

/// The exit code when the tool failed, apart from that of a command that did not get that far.
const TOOL_FAILED: u8 = 2;

/// What to run, and with what.
pub struct Trial {
    pub tool: String,
    pub args: String,
    pub env: Vec<String>,
    pub block: Vec<String>,
    pub allow: Vec<String>,
}

/// What came of it.
struct Outcome {
    result: Result<String, String>,
    said: Vec<String>,
    denials: Vec<Denial>,
}

/// Runs the tool, shows what it said, and exits as it did.
pub fn run(config: &Config, file: &Path, trial: Trial) -> Result<ExitCode, CommandError> {
    let wrong = |what: &str, reason: &dyn std::fmt::Display| CommandError::new(what, reason);
    let arguments: Value = serde_json::from_str(&trial.args).map_err(|error| wrong("--args", &error))?;
    if !arguments.is_object() {
        return Err(wrong("--args", &"the arguments are a JSON object"));
    }
    let env = pairs("--env", &trial.env)?;
    let desk = Arc::new(Desk::new(pairs("--block", &trial.block)?));
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let sandbox = guest::sandbox(config)?;
    let outcome = runtime.block_on(async {
        let loaded = guest::load(&sandbox, file).await?;
        let policy = policy(&loaded, &trial)?;
        let known: Vec<&str> = loaded.tools().iter().map(|tool| tool.name.as_str()).collect();
        if !known.contains(&trial.tool.as_str()) {
            return Err(wrong(&format!("there is no tool {}", trial.tool), &format!("choose of {}", known.join(", "))));
        }
        Ok(match &loaded {
            Loaded::Component(guest) => component(&sandbox, guest, &trial, &policy, env, desk).await,
            #[cfg(feature = "extism")]
            Loaded::Plugin(plugin, _) => self::plugin(&sandbox, plugin, &trial, &policy, env, desk).await,
        })
    })?;
    for text in &outcome.said {
        eprint!("{text}");
    }
    for Denial { capability, detail } in &outcome.denials {
        eprintln!("denied: {detail} ({capability})");
    }
    match outcome.result {
        Ok(text) => {
            println!("{text}");
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            eprintln!("mneme: the tool failed: {failure}");
            Ok(ExitCode::from(TOOL_FAILED))
        }
    }
}

fn pairs(option: &str, given: &[String]) -> Result<Vec<(String, String)>, CommandError> {
    let pair = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(CommandError::new(option, "write NAME=VALUE")),
    };
    given.iter().map(pair).collect()
}

/// The default of the kind; with a host named, the network too.
fn policy(loaded: &Loaded, trial: &Trial) -> Result<Policy, CommandError> {
    let mut policy = Policy::of(loaded.kind());
    if !trial.allow.is_empty() {
        let hosts: Result<Vec<HostPattern>, _> = trial.allow.iter().map(|host| host.parse()).collect();
        policy.network.allow = NetworkAllow::Hosts(hosts.map_err(|error| CommandError::new("--allow", error))?);
        if !policy.grants(capability::NETWORK) {
            policy.capabilities.push(capability::NETWORK.to_owned());
        }
    }
    Ok(policy)
}

async fn component(
    sandbox: &Sandbox,
    guest: &Guest,
    trial: &Trial,
    policy: &Policy,
    mut env: Vec<(String, String)>,
    desk: Arc<Desk>,
) -> Outcome {
    // As on a server, a tool sees what it declared.
    let declared = guest.tool(&trial.tool).map(|tool| tool.capabilities.clone()).unwrap_or_default();
    env.retain(|(name, _)| declared.iter().any(|needed| needed.strip_prefix("env:") == Some(name)));
    let request = CallRequest {
        tool: trial.tool.clone(),
        arguments: trial.args.clone(),
        host: desk,
        limits: Limits::of(policy),
        grants: Grants::of(policy),
        env,
    };
    let outcome = sandbox.call(guest, request).await;
    let result = outcome.result.map_err(|failure| failure.to_string());
    Outcome { result, said: [outcome.stdout, outcome.stderr].concat(), denials: outcome.denials }
}

#[cfg(feature = "extism")]
async fn plugin(
    sandbox: &Sandbox,
    plugin: &mneme_extism::Plugin,
    trial: &Trial,
    policy: &Policy,
    env: Vec<(String, String)>,
    desk: Arc<Desk>,
) -> Outcome {
    let limits = Limits::of(policy);
    let courier = Arc::new(sandbox.courier(desk, &Grants::of(policy), limits.wall));
    let call = mneme_extism::PluginCall {
        function: trial.tool.clone(),
        input: trial.args.clone(),
        config: env,
        limits: mneme_core::plugin_limits(&limits),
        host: Arc::new(mneme_core::PluginNetwork::new(Arc::clone(&courier))),
    };
    let outcome = mneme_extism::Plugins::default().call(plugin, call).await;
    let clean = |text: String| mneme_sandbox::clean(text, limits.output_bytes);
    let result = outcome.result.map(clean).map_err(|failure| clean(failure.to_string()));
    Outcome { result, said: vec![clean(outcome.log)], denials: courier.denials() }
}
