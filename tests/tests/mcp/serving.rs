//! The server as an MCP server for others.

use mneme_tests::{Provider, Reply, Server, mcp::McpServer};
use serde_json::{Value, json};

use super::{create_agent, remote, set_up, tools_of};

/// One request of the protocol, without a session, as any program may send it.
async fn rpc(server: &Server, path: &str, password: Option<&str>, method: &str, params: Value) -> (u16, Value) {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut request = server.http().post(format!("{}{path}", server.url())).json(&body);
    request = request.header("accept", "application/json, text/event-stream");
    if let Some(password) = password {
        request = request.bearer_auth(password);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let line =
        text.lines().rev().find_map(|line| line.strip_prefix("data:").map(str::trim).filter(|data| !data.is_empty()));
    (status, serde_json::from_str(line.unwrap_or(&text)).unwrap_or(Value::Null))
}

async fn call(server: &Server, path: &str, name: &str, arguments: Value) -> (String, bool) {
    let (status, answer) = rpc(server, path, None, "tools/call", json!({"name": name, "arguments": arguments})).await;
    assert_eq!(status, 200, "{answer}");
    let result = &answer["result"];
    (result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned(), result["isError"] == true)
}

#[tokio::test]
async fn other_programs_talk_to_agents_search_their_memory_and_call_their_tools() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    let tools = tools_of(&server, &set_up(&server, remote("s", &peer)).await).await;
    let agent = create_agent(
        &server,
        json!({"name": "scribe", "description": "Keeps notes.", "tool_ids": [tools[0]["id"]], "tools": ["memory_insert"],
            "memory_blocks": [{"label": "human", "value": "x"}]}),
    )
    .await;
    let init =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let (status, answer) = rpc(&server, "/mcp", None, "initialize", init).await;
    assert_eq!((status, &answer["result"]["serverInfo"]["name"]), (200, &json!("mneme")), "{answer}");
    let (_, answer) = rpc(&server, "/mcp", None, "tools/list", json!({})).await;
    let names: Vec<&str> =
        answer["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let expected = [
        "list_agents",
        "send_message_to_agent",
        "search_agent_messages",
        "search_agent_archive",
        "list_agent_tools",
        "call_agent_tool",
    ];
    assert_eq!(names, expected);

    let (text, _) = call(&server, "/mcp", "list_agents", json!({})).await;
    let listed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(listed, json!([{"id": agent, "name": "scribe", "description": "Keeps notes."}]));
    provider.reply(Reply::text("Noted: the kettle is blue."));
    let (text, failed) =
        call(&server, "/mcp", "send_message_to_agent", json!({"agent_id": agent, "message": "Remember the kettle."}))
            .await;
    assert_eq!((text.as_str(), failed), ("Noted: the kettle is blue.", false));
    let (text, _) = call(&server, "/mcp", "search_agent_messages", json!({"agent_id": agent, "query": "kettle"})).await;
    assert!(text.contains("the kettle is blue") && text.contains("Remember the kettle"), "{text}");
    let path = format!("/v1/agents/{agent}/archival-memory");
    assert_eq!(server.post(&path, &json!({"text": "The harbour opens at six."})).await.0, 200);
    let (text, _) = call(&server, "/mcp", "search_agent_archive", json!({"agent_id": agent, "query": "harbour"})).await;
    assert!(text.contains("opens at six"), "{text}");

    let (text, _) = call(&server, "/mcp", "list_agent_tools", json!({"agent_id": agent})).await;
    assert!(text.contains("\"echo\"") && text.contains("memory_insert"), "{text}");
    let arguments = json!({"agent_id": agent, "name": "echo", "arguments": {"text": "far"}});
    assert_eq!(call(&server, "/mcp", "call_agent_tool", arguments).await, ("echo: far".into(), false));
    assert_eq!(peer.seen("tools/call")[0].headers["x-agent-id"], agent);
    let arguments = json!({"agent_id": agent, "name": "memory_insert", "arguments": {}});
    let (text, failed) = call(&server, "/mcp", "call_agent_tool", arguments).await;
    assert!(failed && text.contains("runs in its turns only"), "{text}");

    // One agent alone, with its own tools by their names.
    let one = format!("/mcp/agents/{agent}");
    let (_, answer) = rpc(&server, &one, None, "tools/list", json!({})).await;
    let names: Vec<&str> =
        answer["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["send_message_to_agent", "search_agent_messages", "search_agent_archive", "echo"]);
    assert_eq!(call(&server, &one, "echo", json!({"text": "near"})).await, ("echo: near".into(), false));

    let patch = json!({"default_requires_approval": true});
    server.patch(&format!("/v1/tools/{}", tools[0]["id"].as_str().unwrap()), &patch).await;
    let (text, failed) = call(&server, &one, "echo", json!({"text": "x"})).await;
    assert!(failed && text.contains("A person approves"), "{text}");
    let (text, failed) = call(
        &server,
        "/mcp",
        "send_message_to_agent",
        json!({"agent_id": "agent-123e4567-e89b-42d3-8456-426614174000", "message": "x"}),
    )
    .await;
    assert!(failed && text.contains("not found"), "{text}");
}

#[tokio::test]
async fn nobody_is_served_without_the_credentials_of_the_api() {
    let provider = Provider::start().await;
    let server = Server::builder().provider(&provider).password("pw").start().await;
    for password in [None, Some("wrong")] {
        assert_eq!(rpc(&server, "/mcp", password, "tools/list", json!({})).await.0, 401);
    }
    let (status, answer) = rpc(&server, "/mcp", Some("pw"), "tools/list", json!({})).await;
    assert_eq!(status, 200, "{answer}");
    // Web pages of strangers reach an open server through the person's browser.
    let open = Server::start(&provider).await;
    let request = open.http().post(format!("{}/mcp", open.url())).header("origin", "https://evil.example");
    assert_eq!(request.json(&json!({})).send().await.unwrap().status().as_u16(), 403);
    let request = open.http().post(format!("{}/mcp", open.url())).header("host", "evil.example");
    assert_eq!(request.json(&json!({})).send().await.unwrap().status().as_u16(), 403);
}
