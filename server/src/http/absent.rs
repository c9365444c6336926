//! What client libraries ask for and this server does not have, told by name, so that nobody looks for a wrong address.

/// Says what is not there; nothing for a path that no client library knows.
pub fn told(path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
    Some(match parts[..] {
        ["conversations", ..] => {
            "This server has no conversations: an agent has one history, at /v1/agents/{agent_id}/messages"
        }
        ["environments", ..] => "This server has no environments: tools run in its own sandbox",
        ["agents", _, "schedule", ..] => {
            "This server does not schedule messages; send them when it is time, to /v1/agents/{agent_id}/messages/async"
        }
        ["agents", _, "template" | "version-template" | "migrate"] => {
            "This server has templates at /v1/templates only, not below an agent"
        }
        ["tools", "composio", ..] => {
            "This server has no Composio tools; tools come as source, as WebAssembly and from MCP servers"
        }
        _ => return None,
    })
}
