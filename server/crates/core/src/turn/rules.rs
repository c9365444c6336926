//! Which tools an agent may call next. Nothing is read or written here: what a turn has called so far goes in, what may
//! follow comes out.

use std::sync::Arc;

use mneme_domain::{
    JsonObject,
    message::{Message, MessageRole, StoredToolCall},
    tool_rule::ToolRule,
};
use mneme_llm::ToolSpec;
use serde_json::Value;

/// What a refused call's return begins with.
pub const VIOLATION: &str = "[ToolConstraintError]";

/// An agent's rules, and what its turn has called so far.
#[derive(Debug, Clone)]
pub struct Solver {
    rules: Arc<[ToolRule]>,
    /// The tools that the agent has.
    tools: Arc<[String]>,
    /// The tools called, in order.
    called: Vec<String>,
    /// What the last of them returned.
    returned: String,
}

/// What the model is offered at a step.
#[derive(Debug)]
pub struct Offer {
    pub specs: Vec<ToolSpec>,
    /// Whether it has to call one of them.
    pub forced: bool,
}

impl Solver {
    /// At the beginning of a turn.
    pub fn new<'a>(rules: &[ToolRule], tools: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            rules: rules.into(),
            tools: tools.into_iter().map(str::to_owned).collect(),
            called: Vec::new(),
            returned: String::new(),
        }
    }

    /// Takes a call into account.
    pub fn note(&mut self, tool: &str, returned: &str) {
        self.called.push(tool.to_owned());
        returned.clone_into(&mut self.returned);
    }

    /// Takes the calls of stored messages into account; those that a rule refused never happened.
    pub fn replay<'a>(&mut self, messages: impl IntoIterator<Item = &'a Message>) {
        let mut open: Vec<(&str, &str)> = Vec::new();
        for message in messages {
            for call in message.tool_calls.iter().flatten() {
                open.push((&call.id, &call.function.name));
            }
            if message.role != MessageRole::Tool {
                continue;
            }
            for one in &message.tool_returns {
                let id = one.tool_call_id.as_deref().or(message.tool_call_id.as_deref()).unwrap_or_default();
                let Some(at) = open.iter().position(|(call, _)| *call == id) else { continue };
                let (_, tool) = open.remove(at);
                let returned = one.func_response.as_deref().unwrap_or_default();
                if !returned.starts_with(VIOLATION) {
                    self.note(tool, returned);
                }
            }
        }
    }

    fn last(&self) -> Option<&str> {
        self.called.last().map(String::as_str)
    }

    /// The rules that say what comes first, of tools that the agent has.
    fn firsts(&self) -> impl Iterator<Item = (&str, Option<&JsonObject>)> {
        self.rules.iter().filter_map(|rule| match rule {
            ToolRule::RunFirst { tool_name, args, .. } if self.tools.contains(tool_name) => {
                Some((tool_name.as_str(), args.as_ref()))
            }
            _ => None,
        })
    }

    /// Whether a tool may be called now.
    pub fn allows(&self, tool: &str) -> bool {
        if self.called.is_empty() && self.firsts().next().is_some() {
            return self.firsts().any(|(first, _)| first == tool);
        }
        let last = self.last();
        self.rules.iter().all(|rule| match rule {
            ToolRule::ConstrainChildTools { tool_name, children, .. } => {
                last != Some(tool_name) || children.iter().any(|child| child == tool)
            }
            ToolRule::Conditional { tool_name, require_output_mapping, .. } if last == Some(tool_name) => {
                self.branch(rule).map_or(!require_output_mapping, |child| child == tool)
            }
            ToolRule::ParentLastTool { tool_name, children, .. } => {
                last == Some(tool_name) || !children.iter().any(|child| child == tool)
            }
            ToolRule::MaxCountPerStep { tool_name, max_count_limit, .. } if tool_name == tool => {
                let count = self.called.iter().filter(|called| *called == tool).count();
                u32::try_from(count).is_ok_and(|count| count < *max_count_limit)
            }
            _ => true,
        })
    }

    /// Where a conditional rule leads after what its tool returned.
    fn branch<'a>(&self, rule: &'a ToolRule) -> Option<&'a str> {
        let ToolRule::Conditional { child_output_mapping, default_child, .. } = rule else { return None };
        let returned = self.returned.trim();
        let same = |key: &str| match key.to_ascii_lowercase().as_str() {
            // Python and JSON write these in their own ways.
            "true" | "false" => key.eq_ignore_ascii_case(returned),
            "none" | "null" => matches!(returned, "None" | "null"),
            _ => key == returned,
        };
        let mapped = child_output_mapping.iter().find(|(key, _)| same(key)).and_then(|(_, child)| child.as_str());
        mapped.or(default_child.as_deref())
    }

    /// The tools that may be called now.
    pub fn allowed(&self) -> Vec<&str> {
        self.tools.iter().map(String::as_str).filter(|tool| self.allows(tool)).collect()
    }

    /// What the model is offered now. `pressed` is a model that wanted to end its turn too early.
    pub fn offer(&self, specs: &[ToolSpec], pressed: bool) -> Offer {
        let specs: Vec<ToolSpec> = specs.iter().filter(|spec| self.allows(&spec.name)).cloned().collect();
        let forced = !specs.is_empty() && (pressed || self.forces());
        Offer { specs, forced }
    }

    /// Whether a rule demands a call now.
    fn forces(&self) -> bool {
        match self.last() {
            None => self.firsts().next().is_some(),
            Some(last) => self.leads_on(last),
        }
    }

    /// Whether a rule says what follows a tool.
    pub fn leads_on(&self, tool: &str) -> bool {
        self.rules.iter().any(|rule| match rule {
            ToolRule::ConstrainChildTools { tool_name, .. } => tool_name == tool,
            ToolRule::Conditional { tool_name, require_output_mapping, .. } => {
                tool_name == tool && (*require_output_mapping || self.branch(rule).is_some())
            }
            _ => false,
        })
    }

    /// Whether it matters in which order calls happen.
    pub fn orders(&self) -> bool {
        self.rules.iter().any(|rule| {
            matches!(
                rule,
                ToolRule::RunFirst { .. }
                    | ToolRule::ConstrainChildTools { .. }
                    | ToolRule::ParentLastTool { .. }
                    | ToolRule::Conditional { .. }
                    | ToolRule::MaxCountPerStep { .. }
            )
        })
    }

    /// Tools that have to be called before the turn may end, and were not.
    pub fn missing(&self) -> Vec<&str> {
        let required = self.rules.iter().filter_map(|rule| match rule {
            ToolRule::RequiredBeforeExit { tool_name, .. } => Some(tool_name),
            _ => None,
        });
        required.filter(|tool| self.tools.contains(tool) && !self.called.contains(tool)).map(String::as_str).collect()
    }

    /// Whether a person decides about each call of a tool.
    pub fn guards(&self, tool: &str) -> bool {
        self.rules.iter().any(|rule| matches!(rule, ToolRule::RequiresApproval { tool_name, .. } if tool_name == tool))
    }

    /// Arguments that a rule gives a call made now.
    fn preset(&self, tool: &str) -> Option<&JsonObject> {
        let Some(last) = self.last() else {
            return self.firsts().find(|(first, _)| *first == tool).and_then(|(_, args)| args);
        };
        self.rules.iter().find_map(|rule| match rule {
            ToolRule::ConstrainChildTools { tool_name, child_arg_nodes: Some(nodes), .. } if tool_name == last => {
                nodes.iter().find(|node| node.name == tool).and_then(|node| node.args.as_ref())
            }
            _ => None,
        })
    }

    /// Puts the arguments that rules give into the calls of an answer; they win over the model's.
    pub fn fill(&self, calls: &mut [StoredToolCall]) {
        let mut ahead = self.clone();
        for call in calls {
            let name = call.function.name.clone();
            if let Some(preset) = ahead.preset(&name).filter(|preset| !preset.is_empty()) {
                let mut arguments =
                    serde_json::from_str(&call.function.arguments).unwrap_or_else(|_| JsonObject::new());
                arguments.extend(preset.clone());
                call.function.arguments = Value::Object(arguments).to_string();
            }
            ahead.note(&name, "");
        }
    }

    /// What the model reads when it called what it may not.
    pub fn refusal(&self, tool: &str) -> String {
        let allowed = self.allowed();
        if allowed.is_empty() {
            return format!("{VIOLATION} Cannot call {tool} now: your tool rules allow no further call in this turn.");
        }
        format!("{VIOLATION} Cannot call {tool}, valid tools include: {allowed:?}.")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn solver(rules: Value) -> Solver {
        let rules: Vec<ToolRule> = serde_json::from_value(rules).unwrap();
        Solver::new(&rules, ["a", "b", "c"])
    }

    /// Rules, calls with what they returned, the tools allowed then, and whether one has to be called.
    #[test]
    fn what_may_follow() {
        let first = json!([{"type": "run_first", "tool_name": "a"}]);
        let child = json!([{"type": "constrain_child_tools", "tool_name": "a", "children": ["b"]}]);
        let parent = json!([{"type": "parent_last_tool", "tool_name": "a", "children": ["b"]}]);
        let count = json!([{"type": "max_count_per_step", "tool_name": "a", "max_count_limit": 2}]);
        let branch = |required: bool, default: Value| {
            json!([{"type": "conditional", "tool_name": "a", "child_output_mapping": {"yes": "b", "true": "c"},
                "default_child": default, "require_output_mapping": required}])
        };
        type Case<'a> = (Value, &'a [(&'a str, &'a str)], &'a [&'a str], bool);
        let cases: &[Case<'_>] = &[
            (json!([]), &[], &["a", "b", "c"], false),
            (first.clone(), &[], &["a"], true),
            (first, &[("a", "")], &["a", "b", "c"], false),
            (json!([{"type": "run_first", "tool_name": "gone"}]), &[], &["a", "b", "c"], false),
            (child.clone(), &[], &["a", "b", "c"], false),
            (child.clone(), &[("a", "")], &["b"], true),
            (child, &[("a", ""), ("b", "")], &["a", "b", "c"], false),
            (parent.clone(), &[], &["a", "c"], false),
            (parent.clone(), &[("a", "")], &["a", "b", "c"], false),
            (parent, &[("a", ""), ("c", "")], &["a", "c"], false),
            (count.clone(), &[("a", "")], &["a", "b", "c"], false),
            (count, &[("a", ""), ("a", "")], &["b", "c"], false),
            (branch(false, Value::Null), &[("a", " yes\n")], &["b"], true),
            (branch(false, Value::Null), &[("a", "True")], &["c"], true),
            (branch(false, json!("c")), &[("a", "else")], &["c"], true),
            (branch(false, Value::Null), &[("a", "else")], &["a", "b", "c"], false),
            (branch(true, Value::Null), &[("a", "else")], &[], true),
        ];
        for (rules, calls, allowed, forced) in cases {
            let mut solver = solver(rules.clone());
            for (tool, returned) in *calls {
                solver.note(tool, returned);
            }
            assert_eq!(solver.allowed(), *allowed, "{rules} after {calls:?}");
            assert_eq!(solver.forces(), *forced, "{rules} after {calls:?}");
        }
    }

    #[test]
    fn what_a_turn_lacks_is_what_it_must_call_and_has() {
        let mut solver = solver(json!([
            {"type": "required_before_exit", "tool_name": "b"},
            {"type": "required_before_exit", "tool_name": "gone"}
        ]));
        assert_eq!(solver.missing(), ["b"]);
        solver.note("b", "");
        assert!(solver.missing().is_empty());
    }

    #[test]
    fn preset_arguments_win_where_their_rule_applies() {
        let solver = solver(json!([
            {"type": "run_first", "tool_name": "a", "args": {"x": 1}},
            {"type": "constrain_child_tools", "tool_name": "a", "children": ["b"],
                "child_arg_nodes": [{"name": "b", "args": {"y": 2}}]}
        ]));
        let mut calls = ["a", "b", "b"].map(|name| StoredToolCall::new("c", name, r#"{"x":9,"y":9}"#));
        solver.fill(&mut calls);
        let arguments = calls.map(|call| serde_json::from_str::<Value>(&call.function.arguments).unwrap());
        assert_eq!(arguments, [json!({"x": 1, "y": 9}), json!({"x": 9, "y": 2}), json!({"x": 9, "y": 9})]);
    }
}
