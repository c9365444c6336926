//! Heartbeats: in the older architectures a model says with each tool call whether it wants to be called again.

use mneme_domain::{
    agent::{Agent, AgentType},
    message::StoredToolCall,
    tool_rule::ToolRule,
};
use mneme_llm::ToolSpec;
use serde_json::{Value, json};

/// The argument's name.
pub const ARGUMENT: &str = "request_heartbeat";

/// Whether an agent's model is asked for heartbeats.
pub fn asked(agent: &Agent) -> bool {
    matches!(agent.agent_type, AgentType::MemgptAgent | AgentType::MemgptV2Agent | AgentType::SplitThreadAgent)
}

/// Whether a rule settles what follows a tool, so that the model has no say in it.
fn settled(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| match rule {
        ToolRule::ExitLoop { tool_name, .. } | ToolRule::ContinueLoop { tool_name, .. } => tool_name == name,
        _ => false,
    })
}

/// Adds the argument to a tool, after all others, unless a rule settles what follows the tool.
pub fn add(spec: &mut ToolSpec, rules: &[ToolRule]) {
    if settled(rules, &spec.name) {
        return;
    }
    let Value::Object(parameters) = &mut spec.parameters else { return };
    let description = "true to be called again with this call's result, false to end your turn after it.";
    parameters.entry("type").or_insert_with(|| "object".into());
    if let Value::Object(properties) = parameters.entry("properties").or_insert_with(|| json!({})) {
        properties.insert(ARGUMENT.into(), json!({"type": "boolean", "description": description}));
    }
    if let Value::Array(required) = parameters.entry("required").or_insert_with(|| json!([]))
        && !required.iter().any(|name| name == ARGUMENT)
    {
        required.push(ARGUMENT.into());
    }
}

/// Whether a call that went well says that the turn is over. A model that forgets the argument is called again: a
/// needless step costs less than an answer that never comes.
pub fn ends(agent: &Agent, call: &StoredToolCall) -> bool {
    if !asked(agent) || settled(&agent.tool_rules, &call.function.name) {
        return false;
    }
    let arguments: Option<Value> = serde_json::from_str(&call.function.arguments).ok();
    arguments.and_then(|arguments| arguments.get(ARGUMENT).and_then(Value::as_bool)) == Some(false)
}

/// The call as its tool gets it: tools of others do not know the argument.
pub fn without(call: &StoredToolCall) -> StoredToolCall {
    let mut call = call.clone();
    if let Ok(Value::Object(mut arguments)) = serde_json::from_str::<Value>(&call.function.arguments)
        && arguments.shift_remove(ARGUMENT).is_some()
    {
        call.function.arguments = Value::Object(arguments).to_string();
    }
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_comes_last_and_only_where_no_rule_decides() {
        let spec = |name: &str| ToolSpec {
            name: name.into(),
            description: String::new(),
            parameters: json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}),
        };
        let rules = [ToolRule::ExitLoop { tool_name: "send_message".into(), prompt_template: None }];
        let (mut free, mut bound) = (spec("t"), spec("send_message"));
        add(&mut free, &rules);
        add(&mut bound, &rules);
        assert_eq!(free.parameters["required"], json!(["a", "request_heartbeat"]));
        assert_eq!(bound, spec("send_message"));
        let call = StoredToolCall::new("c", "t", r#"{"a":"x","request_heartbeat":false}"#);
        assert_eq!(without(&call).function.arguments, r#"{"a":"x"}"#);
    }
}
