//! The tools that are offered, and what they take.

use std::sync::Arc;

use mneme_domain::JsonObject;
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};

/// Lists agents.
pub const LIST_AGENTS: &str = "list_agents";
/// Sends an agent a message.
pub const SEND_MESSAGE: &str = "send_message_to_agent";
/// Searches an agent's messages.
pub const SEARCH_MESSAGES: &str = "search_agent_messages";
/// Searches an agent's archival memory.
pub const SEARCH_ARCHIVE: &str = "search_agent_archive";
/// Lists an agent's tools.
pub const LIST_TOOLS: &str = "list_agent_tools";
/// Calls a tool of an agent.
pub const CALL_TOOL: &str = "call_agent_tool";

fn tool(name: &'static str, description: &'static str, agent: bool, own: Value, required: &[&str]) -> Tool {
    let mut properties = JsonObject::new();
    let mut needed: Vec<&str> = Vec::new();
    if agent {
        let about = "The agent's identifier, agent-<uuid>; list_agents has it.";
        properties.insert("agent_id".into(), json!({"type": "string", "description": about}));
        needed.push("agent_id");
    }
    if let Value::Object(own) = own {
        properties.extend(own);
    }
    needed.extend(required);
    let schema = json!({"type": "object", "properties": properties, "required": needed, "additionalProperties": false});
    let schema = schema.as_object().cloned().unwrap_or_default();
    let tool = Tool::new(name, description, Arc::new(schema));
    let reads = !matches!(name, SEND_MESSAGE | CALL_TOOL);
    tool.with_annotations(ToolAnnotations::new().read_only(reads))
}

/// The tools of all agents, or with `one` those of a single agent, which need not be named then.
pub fn tools(one: bool) -> Vec<Tool> {
    let words = |what: &str| {
        json!({
            "query": {"type": "string", "description": what},
            "limit": {"type": "integer", "description": "At most this many results, 1 to 50; 10 when left out.",
                "minimum": 1, "maximum": 50},
        })
    };
    let mut tools = vec![
        tool(
            SEND_MESSAGE,
            "Sends the agent a message and waits for its answer. The agent remembers the conversation; it may use its \
             tools before it answers.",
            !one,
            json!({"message": {"type": "string", "description": "What to tell the agent."}}),
            &["message"],
        ),
        tool(
            SEARCH_MESSAGES,
            "Searches the agent's past messages by words. Without a query the newest come.",
            !one,
            words("Words that the messages have."),
            &[],
        ),
        tool(
            SEARCH_ARCHIVE,
            "Searches the agent's archival memory by meaning and by words.",
            !one,
            words("A question or keywords."),
            &["query"],
        ),
    ];
    if !one {
        tools.insert(
            0,
            tool(
                LIST_AGENTS,
                "Lists the agents with their identifiers, names and descriptions.",
                false,
                json!({
                    "query": {"type": "string", "description": "Part of the name."},
                    "after": {"type": "string", "description": "The last identifier of the page before."},
                    "limit": {"type": "integer", "description": "At most this many, 1 to 100; 50 when left out.",
                        "minimum": 1, "maximum": 100},
                }),
                &[],
            ),
        );
        tools.push(tool(LIST_TOOLS, "Lists the agent's tools with their parameters.", true, json!({}), &[]));
        tools.push(tool(
            CALL_TOOL,
            "Calls a tool of the agent directly, with the agent's variables and without a message to it. Tools that work \
             on the agent's memory, and those whose calls a person approves, only run in the agent's own turns.",
            true,
            json!({
                "name": {"type": "string", "description": "The tool's name; list_agent_tools has it."},
                "arguments": {"type": "object", "description": "Its arguments by name.", "additionalProperties": true},
            }),
            &["name"],
        ));
    }
    tools
}
