//! Thoughts as an argument: the older architectures ask a model to write what it thinks into each tool call.

use mneme_domain::{
    agent::{Agent, AgentType},
    content::ContentPart,
    message::Message,
};
use mneme_llm::ToolSpec;
use serde_json::{Value, json};

/// The argument's name.
pub const ARGUMENT: &str = "thinking";
/// Names under which models write it.
pub const NAMES: [&str; 2] = [ARGUMENT, "inner_thoughts"];

/// Whether an architecture acts by tool calls alone.
pub fn acts_by_tools(agent_type: AgentType) -> bool {
    matches!(
        agent_type,
        AgentType::MemgptAgent | AgentType::MemgptV2Agent | AgentType::SplitThreadAgent | AgentType::SleeptimeAgent
    )
}

/// Whether an agent is asked for thoughts in its calls.
pub fn asked(agent: &Agent) -> bool {
    acts_by_tools(agent.agent_type) && agent.llm_config.put_inner_thoughts_in_kwargs == Some(true)
}

/// Adds the argument to a tool, before all others: a model should think before it acts.
pub fn add(spec: &mut ToolSpec) {
    let Value::Object(parameters) = &mut spec.parameters else { return };
    let mut properties = serde_json::Map::new();
    let description = "What you think before this call, for yourself. Nobody else sees it.";
    properties.insert(ARGUMENT.into(), json!({"type": "string", "description": description}));
    if let Some(Value::Object(given)) = parameters.get("properties") {
        properties.extend(given.clone());
    }
    let mut required = vec![Value::from(ARGUMENT)];
    if let Some(Value::Array(given)) = parameters.get("required") {
        required.extend(given.iter().cloned());
    }
    parameters.insert("type".into(), "object".into());
    parameters.insert("properties".into(), Value::Object(properties));
    parameters.insert("required".into(), Value::Array(required));
}

/// Takes the thoughts out of an answer's calls and puts them before its words. Calls that are no valid JSON stay.
pub fn take(message: &mut Message) {
    let mut thoughts = Vec::new();
    for call in message.tool_calls.iter_mut().flatten() {
        let Ok(Value::Object(mut arguments)) = serde_json::from_str::<Value>(&call.function.arguments) else {
            continue;
        };
        let mut changed = false;
        for name in NAMES {
            if let Some(value) = arguments.shift_remove(name) {
                changed = true;
                thoughts.extend(value.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
            }
        }
        if changed {
            call.function.arguments = spaced(&Value::Object(arguments));
        }
    }
    if !thoughts.is_empty() {
        let part = ContentPart::Reasoning { is_native: false, reasoning: thoughts.join("\n"), signature: None };
        message.content.insert(0, part);
    }
}

/// JSON with a space after commas and colons, as the clients of this API are used to.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let fields: Vec<String> =
                object.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), spaced(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_comes_first_and_is_required() {
        let mut spec = ToolSpec {
            name: "t".into(),
            description: String::new(),
            parameters: json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
        };
        add(&mut spec);
        let keys: Vec<_> = spec.parameters["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["thinking", "a"]);
        assert_eq!(spec.parameters["required"], json!(["thinking", "a"]));
    }
}
