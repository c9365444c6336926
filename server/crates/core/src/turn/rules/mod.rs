//! Which tools a model may call next: decided by the agent's rules and by what was called in the turn so far. No I/O.
//!
//! A rule about tools that the agent does not have is no rule; else a name that nothing answers to would stop the agent.

mod args;
#[cfg(test)]
mod tests;
mod trail;

use mneme_domain::tool_rule::ToolRule;
use mneme_llm::{ChatRequest, ToolChoice};
use serde_json::Value;

pub use args::{fill, presets};
pub use trail::{DENIED, REFUSED, Trail};

/// What the next step offers to the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The tools it may call; `None` for all.
    allowed: Option<Vec<String>>,
    /// Whether it has to call one of them.
    forced: bool,
}

impl Offer {
    /// Whether a tool may be called.
    pub fn allows(&self, name: &str) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|other| other == name))
    }

    /// Leaves in a request what is offered, and says when the model has no choice.
    pub fn apply(&self, request: &mut ChatRequest) {
        if self.allowed.is_none() {
            return;
        }
        request.tools.retain(|tool| self.allows(&tool.name));
        request.tool_choice = match request.tools.as_slice() {
            [] => ToolChoice::Auto,
            [only] if self.forced => ToolChoice::Named(only.name.clone()),
            _ if self.forced => ToolChoice::Required,
            _ => request.tool_choice.clone(),
        };
    }

    /// What a model reads that called something else; `tools` are all that there are.
    pub fn refusal(&self, name: &str, tools: &[&str]) -> String {
        let allowed: Vec<&str> = tools.iter().copied().filter(|tool| self.allows(tool)).collect();
        let known = tools.contains(&name);
        let why = if known { " Your tool rules do not allow it now." } else { "" };
        format!("{REFUSED} Cannot call {name}, valid tools include: {allowed:?}.{why}")
    }
}

/// What may be called next, of the tools that there are.
pub fn offer(rules: &[ToolRule], tools: &[&str], trail: &Trail) -> Offer {
    let decides = |rule: &ToolRule| {
        !matches!(rule, ToolRule::ExitLoop { .. } | ToolRule::ContinueLoop { .. } | ToolRule::RequiresApproval { .. })
    };
    if !rules.iter().any(decides) {
        return Offer::default();
    }
    let known = |name: &str| tools.contains(&name);
    let among = |names: &[String], tool: &str| names.iter().any(|name| name == tool);
    let mut allowed: Vec<&str> = tools.to_vec();
    let mut forced = trail.is_held_back() && !missing(rules, tools, trail).is_empty();
    let is_first = |tool: &str| matches_first(rules, tool);
    if trail.is_empty() && tools.iter().any(|tool| is_first(tool)) {
        allowed.retain(|tool| is_first(tool));
        forced = true;
    }
    for rule in rules {
        match rule {
            ToolRule::ConstrainChildTools { tool_name, children, .. } => {
                if trail.follows(tool_name) && children.iter().any(|child| known(child)) {
                    allowed.retain(|tool| among(children, tool));
                    forced = true;
                }
            }
            ToolRule::ParentLastTool { tool_name, children, .. } => {
                if !trail.follows(tool_name) {
                    allowed.retain(|tool| !among(children, tool));
                }
            }
            ToolRule::Conditional {
                tool_name, default_child, child_output_mapping, require_output_mapping, ..
            } => {
                let Some(output) = trail.output_of(tool_name) else { continue };
                let mapped = child_output_mapping
                    .iter()
                    .find(|(value, _)| is_output(value, output))
                    .and_then(|(_, child)| child.as_str());
                let otherwise = if *require_output_mapping { None } else { default_child.as_deref() };
                match mapped.or(otherwise) {
                    Some(child) if known(child) => {
                        allowed.retain(|tool| *tool == child);
                        forced = true;
                    }
                    None if *require_output_mapping => allowed.clear(),
                    _ => {}
                }
            }
            ToolRule::MaxCountPerStep { tool_name, max_count_limit, .. } => {
                if trail.count(tool_name) >= *max_count_limit as usize {
                    allowed.retain(|tool| tool != tool_name);
                }
            }
            ToolRule::RunFirst { .. }
            | ToolRule::ExitLoop { .. }
            | ToolRule::ContinueLoop { .. }
            | ToolRule::RequiredBeforeExit { .. }
            | ToolRule::RequiresApproval { .. } => {}
        }
    }
    Offer { forced: forced && !allowed.is_empty(), allowed: Some(allowed.into_iter().map(str::to_owned).collect()) }
}

fn matches_first(rules: &[ToolRule], tool: &str) -> bool {
    rules.iter().any(|rule| matches!(rule, ToolRule::RunFirst { tool_name, .. } if tool_name == tool))
}

/// Tools that have to be called before the turn may end, and were not.
pub fn missing<'a>(rules: &'a [ToolRule], tools: &[&str], trail: &Trail) -> Vec<&'a str> {
    let required = rules.iter().filter_map(|rule| match rule {
        ToolRule::RequiredBeforeExit { tool_name, .. } => Some(tool_name.as_str()),
        _ => None,
    });
    required.filter(|name| tools.contains(name) && !trail.knows(name)).collect()
}

/// Whether a call of the tool waits for a person.
pub fn needs_approval(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| matches!(rule, ToolRule::RequiresApproval { tool_name, .. } if tool_name == name))
}

/// Whether a call of the tool that went well ends the turn.
pub fn ends(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| matches!(rule, ToolRule::ExitLoop { tool_name, .. } if tool_name == name))
}

/// The limit on a tool's calls in a turn, the smallest when there are several.
pub fn limit(rules: &[ToolRule], name: &str) -> Option<usize> {
    let limits = rules.iter().filter_map(|rule| match rule {
        ToolRule::MaxCountPerStep { tool_name, max_count_limit, .. } if tool_name == name => {
            Some(*max_count_limit as usize)
        }
        _ => None,
    });
    limits.min()
}

/// Whether an output is the one that a rule names: as text, or as the same number or truth value. JSON and Python
/// spell the latter differently, and rules are written in either.
fn is_output(named: &str, output: &str) -> bool {
    let (named, output) = (named.trim(), output.trim());
    if named == output {
        return true;
    }
    if let (Ok(named), Ok(output)) = (named.parse::<f64>(), output.parse::<f64>()) {
        return named == output;
    }
    let truth = ["true", "false", "none", "null"];
    if named.eq_ignore_ascii_case(output) && truth.iter().any(|word| word.eq_ignore_ascii_case(named)) {
        return true;
    }
    matches!(serde_json::from_str(output), Ok(Value::String(text)) if text == named)
}

/// Rules without those that say the same twice.
pub fn unique(rules: Vec<ToolRule>) -> Vec<ToolRule> {
    let mut kept: Vec<ToolRule> = Vec::with_capacity(rules.len());
    for rule in rules {
        if !kept.contains(&rule) {
            kept.push(rule);
        }
    }
    kept
}
