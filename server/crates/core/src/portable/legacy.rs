//! The older format: one agent with everything inside. It is turned into the current one, so that there is one import.

use mneme_domain::JsonObject;
use serde_json::{Value, json};

use super::{
    lenient::{Fault, field, objects, text},
    outline::{AgentOutline, Outline},
};

/// Whether the fields at the top of a file are those of an agent.
pub fn is_legacy(rest: &JsonObject) -> bool {
    rest.contains_key("core_memory") || (rest.contains_key("system") && rest.contains_key("agent_type"))
}

/// A file of the older format in the shape of the current one.
///
/// # Errors
/// What is wrong with it.
pub fn modern(outline: Outline) -> Result<Outline, Fault> {
    let mut agent = outline.rest;
    let mut blocks = Vec::new();
    for (index, mut block) in objects(&agent, "core_memory")?.into_iter().enumerate() {
        rename(&mut block, "metadata_", "metadata");
        block.insert("id".into(), format!("block-{index}").into());
        blocks.push(Value::Object(block));
    }
    let mut tools = Vec::new();
    for (index, mut tool) in objects(&agent, "tools")?.into_iter().enumerate() {
        tool.insert("id".into(), format!("tool-{index}").into());
        tools.push(Value::Object(tool));
    }
    let tags: Vec<Value> = field::<Vec<Value>>(&agent, "tags")?.unwrap_or_default();
    let tags: Vec<Value> = tags.into_iter().map(|tag| tag.get("tag").cloned().unwrap_or(tag)).collect();
    let mut variables = JsonObject::new();
    for variable in field::<Vec<JsonObject>>(&agent, "tool_exec_environment_variables")?.unwrap_or_default() {
        if let Some(key) = text(&variable, "key")? {
            variables.insert(key, variable.get("value").cloned().unwrap_or_default());
        }
    }
    let ids =
        |count: usize, kind: &str| -> Value { (0..count).map(|index| json!(format!("{kind}-{index}"))).collect() };
    agent.insert("id".into(), "agent-0".into());
    agent.insert("block_ids".into(), ids(blocks.len(), "block"));
    agent.insert("tool_ids".into(), ids(tools.len(), "tool"));
    agent.insert("tools".into(), json!([]));
    agent.insert("tags".into(), tags.into());
    agent.insert("tool_exec_environment_variables".into(), variables.into());
    rename(&mut agent, "metadata_", "metadata");
    agent.shift_remove("core_memory");
    let mut rest = JsonObject::new();
    rest.insert("blocks".into(), blocks.into());
    rest.insert("tools".into(), tools.into());
    let agent = AgentOutline { fields: agent, messages: outline.top };
    Ok(Outline { agents: Some(vec![agent]), rest, top: Default::default() })
}

fn rename(fields: &mut JsonObject, from: &str, to: &str) {
    if let Some(value) = fields.shift_remove(from) {
        fields.insert(to.into(), value);
    }
}
