//! Arguments that rules fill in, whatever the model wrote.

use mneme_domain::{JsonObject, message::StoredToolCall, tool_rule::ToolRule};
use serde_json::Value;

use super::Trail;

/// The arguments that rules preset for a call of the tool that comes next.
pub fn presets(rules: &[ToolRule], trail: &Trail, name: &str) -> JsonObject {
    let mut preset = JsonObject::new();
    for rule in rules {
        let given = match rule {
            ToolRule::RunFirst { tool_name, args, .. } if trail.is_empty() && tool_name == name => args.as_ref(),
            ToolRule::ConstrainChildTools { tool_name, child_arg_nodes, .. } if trail.follows(tool_name) => {
                let mut nodes = child_arg_nodes.iter().flatten();
                nodes.find(|node| node.name == name).and_then(|node| node.args.as_ref())
            }
            _ => None,
        };
        preset.extend(given.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    }
    preset
}

/// Puts preset arguments into a call. Arguments that are no JSON object are left to fail.
pub fn fill(call: &mut StoredToolCall, preset: JsonObject) {
    if preset.is_empty() {
        return;
    }
    let written = call.function.arguments.trim();
    let parsed = if written.is_empty() { Ok(JsonObject::new()) } else { serde_json::from_str(written) };
    if let Ok(mut arguments) = parsed {
        arguments.extend(preset);
        call.function.arguments = Value::Object(arguments).to_string();
    }
}
