//! The official MCP servers as peers of the real server, over stdio and HTTP; and the official Python client as a client
//! of ours. They are installed once per machine.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mneme_tests::{
    Provider, Reply, Server,
    sdk::{McpPeers, mcp_peers},
};
use serde_json::{Value, json};

struct Setting {
    provider: Provider,
    server: Server,
    peers: McpPeers,
}

async fn setting() -> Setting {
    let peers = tokio::task::spawn_blocking(mcp_peers).await.unwrap();
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    Setting { provider, server, peers }
}

impl Setting {
    async fn set_up(&self, body: Value) -> (String, Vec<Value>) {
        let (status, created) = self.server.post("/v1/mcp-servers/", &body).await;
        assert_eq!(status, 200, "{created}");
        let id = created["id"].as_str().unwrap().to_owned();
        let (_, tools) = self.server.get(&format!("/v1/mcp-servers/{id}/tools")).await;
        (id, tools.as_array().unwrap().clone())
    }

    async fn run(&self, server: &str, tools: &[Value], name: &str, args: Value) -> (String, String) {
        let tool = tools.iter().find(|tool| tool["name"] == name).unwrap_or_else(|| panic!("no {name} in {tools:?}"));
        let path = format!("/v1/mcp-servers/{server}/tools/{}/run", tool["id"].as_str().unwrap());
        let (status, answer) = self.server.post(&path, &json!({"args": args})).await;
        assert_eq!(status, 200, "{answer}");
        (answer["status"].as_str().unwrap().to_owned(), answer["func_return"].as_str().unwrap().to_owned())
    }
}

/// A peer that listens, ended with the test.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the reference server over HTTP and waits until somebody answers.
async fn everything(peers: &McpPeers, transport: &str) -> (Listening, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(peers.node.join("mcp-server-everything"));
    command.arg(transport).env("PORT", port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Listening(command.spawn().unwrap());
    for _ in 0..400 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return (child, port);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the reference server does not listen");
}

#[tokio::test]
async fn the_reference_server_works_over_every_transport() {
    let setting = setting().await;
    let (_http, http) = everything(&setting.peers, "streamableHttp").await;
    let (_sse, sse) = everything(&setting.peers, "sse").await;
    let command = setting.peers.node.join("mcp-server-everything");
    for (name, body) in [
        ("stdio", json!({"type": "stdio", "command": command, "args": []})),
        ("http", json!({"type": "streamable_http", "server_url": format!("http://127.0.0.1:{http}/mcp")})),
        ("sse", json!({"type": "sse", "server_url": format!("http://127.0.0.1:{sse}/sse")})),
    ] {
        let mut body = body;
        body["server_name"] = name.into();
        let (id, tools) = setting.set_up(body).await;
        assert!(tools.len() > 5, "{name}: {tools:?}");
        let (status, text) = setting.run(&id, &tools, "echo", json!({"message": "over there"})).await;
        assert!(status == "success" && text.contains("over there"), "{name}: {text}");
        let (_, text) = setting.run(&id, &tools, "get-sum", json!({"a": 40, "b": 2})).await;
        assert!(text.contains("42"), "{name}: {text}");
        let (_, text) = setting.run(&id, &tools, "get-tiny-image", json!({})).await;
        assert!(text.contains("{\"image/png\":\"iVBOR"), "{name}: {text}");
        let (_, text) = setting.run(&id, &tools, "get-structured-content", json!({"location": "New York"})).await;
        assert!(text.contains("temperature"), "{name}: {text}");
        let (status, _) = setting.run(&id, &tools, "get-sum", json!({"a": "x"})).await;
        assert_eq!(status, "error", "{name}");

        let echo = tools.iter().find(|tool| tool["name"] == "echo").unwrap();
        let agent = json!({"model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
            "agent_type": "letta_v1_agent", "tool_ids": [echo["id"]]});
        let (_, agent) = setting.server.post("/v1/agents/", &agent).await;
        let call = Reply::tool_call("echo", json!({"message": "by an agent"}));
        setting.provider.reply(call).reply(Reply::text("done"));
        let path = format!("/v1/agents/{}/messages", agent["id"].as_str().unwrap());
        let message = json!({"messages": [{"role": "user", "content": "go"}]});
        let (status, answer) = setting.server.post(&path, &message).await;
        assert!(status == 200 && answer.to_string().contains("Echo: by an agent"), "{name}: {answer}");
    }
}

#[tokio::test]
async fn the_reference_servers_for_files_time_and_pages_do_their_work() {
    let setting = setting().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("note.txt"), "the kettle is blue").unwrap();
    let command = setting.peers.node.join("mcp-server-filesystem");
    let body = json!({"server_name": "files", "type": "stdio", "command": command, "args": [folder.path()]});
    let (id, tools) = setting.set_up(body).await;
    let note = folder.path().join("note.txt");
    let (status, text) = setting.run(&id, &tools, "read_text_file", json!({"path": note})).await;
    assert!(status == "success" && text.contains("the kettle is blue"), "{text}");
    let (status, text) = setting.run(&id, &tools, "read_text_file", json!({"path": "/etc/passwd"})).await;
    assert!(status == "error" && !text.contains("root:"), "{text}");

    let command = setting.peers.python.join("mcp-server-time");
    let body = json!({"server_name": "time", "type": "stdio", "command": command, "args": ["--local-timezone", "UTC"]});
    let (id, tools) = setting.set_up(body).await;
    let times = json!({"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"});
    let (status, text) = setting.run(&id, &tools, "convert_time", times).await;
    assert!(status == "success" && text.contains("21:00"), "{text}");

    let command = setting.peers.python.join("mcp-server-fetch");
    let args = ["--ignore-robots-txt", "--allow-private-ips"];
    let body = json!({"server_name": "pages", "type": "stdio", "command": command, "args": args});
    let (id, tools) = setting.set_up(body).await;
    let page = format!("{}/v1/health/", setting.server.url());
    let (status, text) = setting.run(&id, &tools, "fetch", json!({"url": page})).await;
    assert!(status == "success" && text.contains("\"status\""), "{text}");
}

#[tokio::test]
async fn the_official_client_talks_to_an_agent() {
    let setting = setting().await;
    let agent = json!({"name": "friend", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "agent_type": "letta_v1_agent", "include_base_tools": false});
    let (_, agent) = setting.server.post("/v1/agents/", &agent).await;
    setting.provider.reply(Reply::text("Hello, Python."));
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/client.py");
    let mut command = Command::new(setting.peers.python.join("python"));
    command.arg(script).arg(setting.server.url()).arg(agent["id"].as_str().unwrap());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\n{}", setting.server.log());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["server"], &told["said"]), (&json!("mneme"), &json!("Hello, Python.")));
    assert_eq!(told["agents"][0]["name"], "friend");
    assert!(told["found"].as_str().unwrap().contains("Hello from Python"), "{told}");
    assert_eq!(told["tools"].as_array().unwrap().len(), 6);
    assert_eq!(told["own"].as_array().unwrap().len(), 3);
}
