//! `mneme tools inspect`: what a model will see of a tool, and what the tool asks for.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::Sandbox;
use mneme_toolsource::{Given, Language, derive};
use serde_json::{Value, json};

use super::{FileKind, guest, kind_of, read_text};
use crate::cli::{CommandError, runtime};
use crate::config::Config;

/// Shows a file.
pub fn run(config: &Config, file: &Path, as_json: bool) -> Result<ExitCode, CommandError> {
    let found = match kind_of(file)? {
        FileKind::Wasm => compiled(config, file)?,
        FileKind::Python => source(file, Language::Python, ToolKind::Python)?,
        FileKind::Script(_) => source(file, Language::TypeScript, ToolKind::Javascript)?,
    };
    let text = if as_json { format!("{found:#}\n") } else { shown(&found) };
    // Whoever reads it may have seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn compiled(config: &Config, file: &Path) -> Result<Value, CommandError> {
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let sandbox = guest::sandbox(config)?;
    let loaded = runtime.block_on(guest::load(&sandbox, file))?;
    let policy = Policy::of(loaded.kind());
    let tools = loaded.tools().iter().map(|tool| {
        let given = |need: &&String| need.starts_with("env:") || policy.grants(need);
        let (given, lacking): (Vec<&String>, Vec<&String>) = tool.capabilities.iter().partition(given);
        json!({ "schema": tool.schema(), "asks_for": given, "needs_a_policy_for": lacking })
    });
    let version = matches!(loaded.kind(), ToolKind::Component).then_some(Sandbox::WIT_VERSION);
    Ok(json!({
        "kind": loaded.kind(), "wit_version": version, "tools": tools.collect::<Vec<_>>(),
        "imports": loaded.imports(), "default_policy": policy,
    }))
}

fn source(file: &Path, language: Language, kind: ToolKind) -> Result<Value, CommandError> {
    let source = read_text(file)?;
    let derived = derive(language, &source, Given::default());
    let derived = derived.map_err(|error| CommandError::new(format!("{} is not a tool", file.display()), error))?;
    let tools = json!([{ "schema": derived.into_schema(), "asks_for": [], "needs_a_policy_for": [] }]);
    Ok(json!({ "kind": kind, "wit_version": null, "tools": tools, "imports": [], "default_policy": Policy::of(kind) }))
}

fn shown(found: &Value) -> String {
    let list = |value: &Value| {
        let items = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        items.map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = vec![match found["wit_version"].as_str() {
        Some(version) => format!("kind: {}, for mneme:tool {version}", text(&found["kind"])),
        None => format!("kind: {}", text(&found["kind"])),
    }];
    for tool in found["tools"].as_array().into_iter().flatten() {
        lines.extend([String::new(), text(&tool["schema"]["name"])]);
        lines.extend(text(&tool["schema"]["description"]).lines().map(|line| format!("    {line}")));
        lines.push(format!("    parameters: {}", tool["schema"]["parameters"]));
        for (key, words) in [("asks_for", "asks for"), ("needs_a_policy_for", "needs a policy that gives")] {
            let names = list(&tool[key]);
            if !names.is_empty() {
                lines.push(format!("    {words}: {names}"));
            }
        }
    }
    let imports = list(&found["imports"]);
    if !imports.is_empty() {
        lines.extend([String::new(), format!("imports: {imports}")]);
    }
    lines.extend([String::new(), format!("policy without one of its own: {}", found["default_policy"]), String::new()]);
    lines.join("\n")
}
