//! Agents with tools on MCP servers, good ones and bad ones, through the real server.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "mcp/hostile.rs"]
mod hostile;
#[path = "mcp/permission.rs"]
mod permission;
#[path = "mcp/serving.rs"]
mod serving;
#[path = "mcp/stdio.rs"]
mod stdio;

use mneme_tests::{
    Postgres, Provider, Reply, Server,
    mcp::{McpServer, tool, words},
};
use serde_json::{Value, json};

/// A server that gives up soon.
async fn hasty(provider: &Provider) -> Server {
    let builder = Server::builder().provider(provider);
    let limits = [("CONNECT", "3"), ("LIST", "3"), ("CALL", "1")];
    let set = |builder: mneme_tests::ServerBuilder, (phase, seconds): &(&str, &str)| {
        builder.env(&format!("MNEME_MCP_{phase}_SECONDS"), seconds)
    };
    limits.iter().fold(builder, set).start().await
}

/// Sets a server up and takes its tools.
async fn set_up(server: &Server, body: Value) -> Value {
    let (status, created) = server.post("/v1/mcp-servers/", &body).await;
    assert_eq!(status, 200, "{created}");
    created
}

fn remote(name: &str, peer: &McpServer) -> Value {
    json!({"server_name": name, "type": "streamable_http", "server_url": peer.url()})
}

async fn tools_of(server: &Server, created: &Value) -> Vec<Value> {
    let (status, tools) = server.get(&format!("/v1/mcp-servers/{}/tools", created["id"].as_str().unwrap())).await;
    assert_eq!(status, 200, "{tools}");
    tools.as_array().unwrap().clone()
}

async fn create_agent(server: &Server, more: Value) -> String {
    let mut body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "include_base_tools": false,
        "embedding": "openai/text-embedding-3-small",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent["id"].as_str().unwrap().to_owned()
}

async fn send(server: &Server, agent: &str, body: Value) -> Vec<Value> {
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &body).await;
    assert_eq!(status, 200, "{answer}");
    answer["messages"].as_array().unwrap().clone()
}

fn of<'a>(messages: &'a [Value], kind: &str) -> &'a Value {
    messages.iter().find(|one| one["message_type"] == kind).unwrap_or_else(|| panic!("no {kind} in {messages:?}"))
}

/// Has the model call a tool; the call's return message.
async fn called(server: &Server, provider: &Provider, agent: &str, name: &str, arguments: Value) -> Value {
    provider.reply(Reply::tool_call(name, arguments)).reply(Reply::text("done"));
    let messages = send(server, agent, json!({"messages": [{"role": "user", "content": "go"}]})).await;
    of(&messages, "tool_return_message").clone()
}

#[tokio::test]
async fn each_agent_calls_with_its_own_credentials_on_both_databases() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let (provider, peer) = (Provider::start().await, McpServer::start().await);
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        let body = json!({
            "server_name": "crm", "config": {
                "mcp_server_type": "streamable_http", "server_url": peer.url(), "auth_header": "Authorization",
                "auth_token": "Bearer {{ CRM_KEY | nobody }}", "custom_headers": {"X-Team": "{{ TEAM }}"},
            },
        });
        let created = set_up(&server, body).await;
        assert_eq!(created["mcp_server_type"], "streamable_http");
        assert_eq!(created["auth_token"], "Bearer {{ CRM_KEY | nobody }}");
        let tools = tools_of(&server, &created).await;
        assert_eq!(tools[0]["name"], "echo");
        assert_eq!(tools[0]["tool_type"], "external_mcp");
        assert_eq!(tools[0]["json_schema"]["parameters"]["additionalProperties"], false);
        assert_eq!(tools[0]["json_schema"]["mcp:SCHEMA_STATUS"], "STRICT_COMPLIANT");
        let listing = peer.seen("tools/list")[0].headers.clone();
        assert_eq!(listing["authorization"], "Bearer nobody", "no agent asks");
        assert!(!listing.contains_key("x-team"), "what has neither value nor default is left out");

        let ids = json!([tools[0]["id"]]);
        let ann =
            create_agent(&server, json!({"tool_ids": ids, "secrets": {"CRM_KEY": "ann-canary-1", "TEAM": "a"}})).await;
        let bob =
            create_agent(&server, json!({"tool_ids": ids, "secrets": {"CRM_KEY": "bob-canary-2", "TEAM": "b"}})).await;
        let eve = create_agent(&server, json!({"tool_ids": ids})).await;
        for (agent, key, team) in [(&ann, "Bearer ann-canary-1", "a"), (&bob, "Bearer bob-canary-2", "b")] {
            let returned = called(&server, &provider, agent, "echo", json!({"text": "hello"})).await;
            assert_eq!((&returned["status"], &returned["tool_return"]), (&json!("success"), &json!("echo: hello")));
            let seen = peer.seen("tools/call").pop().unwrap();
            assert_eq!(seen.headers["authorization"], key);
            assert_eq!(seen.headers["x-team"], team);
            assert_eq!(&seen.headers["x-agent-id"], agent);
            assert_eq!(seen.params["arguments"], json!({"text": "hello"}), "nothing of ours goes with the arguments");
        }
        let calls = peer.seen("tools/call");
        assert_ne!(
            calls[0].headers["mcp-session-id"], calls[1].headers["mcp-session-id"],
            "credentials share no session"
        );
        let returned = called(&server, &provider, &eve, "echo", json!({"text": "hello"})).await;
        let text = returned["tool_return"].as_str().unwrap();
        assert!(text.contains("tool variable TEAM"), "{text}");
        assert_eq!(peer.seen("tools/call").len(), 2, "it was not called without what it is set up to get");

        let prompts = format!("{:?}", provider.requests());
        for canary in ["ann-canary-1", "bob-canary-2"] {
            assert!(!prompts.contains(canary) && !server.log().contains(canary));
        }
    }
}

#[tokio::test]
async fn tools_of_different_servers_share_a_name_and_no_agent_has_both() {
    let provider = Provider::start().await;
    let (one, two) = (McpServer::start().await, McpServer::start().await);
    two.on_call("echo", |_| words("the second"));
    let server = Server::start(&provider).await;
    let (first, second) = (set_up(&server, remote("one", &one)).await, set_up(&server, remote("two", &two)).await);
    let (first, second) = (tools_of(&server, &first).await[0].clone(), tools_of(&server, &second).await[0].clone());
    assert_ne!(first["id"], second["id"]);
    assert_eq!((&first["tags"], &second["tags"]), (&json!(["mcp:one"]), &json!(["mcp:two"])));
    let ann = create_agent(&server, json!({"tool_ids": [first["id"]]})).await;
    let bob = create_agent(&server, json!({"tool_ids": [second["id"]]})).await;
    assert_eq!(called(&server, &provider, &ann, "echo", json!({"text": "x"})).await["tool_return"], "echo: x");
    assert_eq!(called(&server, &provider, &bob, "echo", json!({"text": "x"})).await["tool_return"], "the second");
    let path = format!("/v1/agents/{ann}/tools/attach/{}", second["id"].as_str().unwrap());
    let (status, refusal) = server.patch(&path, &json!({})).await;
    assert_eq!(status, 409, "{refusal}");
    let both = json!({"model": "openai/gpt-4o-mini", "tool_ids": [first["id"], second["id"]]});
    assert_eq!(server.post("/v1/agents/", &both).await.0, 409);
    let (status, _) = server.post("/v1/mcp-servers/", &remote("one", &two)).await;
    assert_eq!(status, 409, "a server's name is its own");
}

#[tokio::test]
async fn a_server_that_goes_away_costs_its_calls_and_is_found_again() {
    let (provider, mut peer) = (Provider::start().await, McpServer::start().await);
    let server = hasty(&provider).await;
    let created = set_up(&server, remote("s", &peer)).await;
    let tools = tools_of(&server, &created).await;
    let agent = create_agent(&server, json!({"tool_ids": [tools[0]["id"]]})).await;
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "1"})).await["tool_return"], "echo: 1");

    // Between two calls: nobody notices.
    peer.stop();
    peer.start_again().await;
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "2"})).await["tool_return"], "echo: 2");

    // While it is away: the model is told, and the next call after it came back works.
    peer.stop();
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "3"})).await;
    assert_eq!(returned["status"], "error");
    assert!(returned["tool_return"].as_str().unwrap().contains("MCP server s"), "{returned}");
    let id = created["id"].as_str().unwrap();
    let (status, refusal) = server.patch(&format!("/v1/mcp-servers/{id}/refresh"), &json!({})).await;
    assert_eq!((status, &refusal["detail"]["code"]), (400, &json!("MCPServerConnectionError")), "{refusal}");
    peer.start_again().await;
    let (status, _) = server.patch(&format!("/v1/mcp-servers/{id}/refresh"), &json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "4"})).await["tool_return"], "echo: 4");
    let texts: Vec<Value> =
        peer.seen("tools/call").iter().map(|seen| seen.params["arguments"]["text"].clone()).collect();
    assert_eq!(texts, ["1", "2", "2", "4"], "a call that the forgotten session refused is made again, no other");
}

#[tokio::test]
async fn a_refresh_tells_what_changed_and_what_was_approved_before_is_asked_again() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    let number = json!({"n": {"type": "integer"}});
    peer.set_tools(vec![tool("pay", "Pays.", number.clone()), tool("old", "Goes.", json!({}))]);
    peer.on_call("pay", |arguments| words(&format!("paid {}", arguments["n"])));
    let created = set_up(&server, remote("bank", &peer)).await;
    let tools = tools_of(&server, &created).await;
    let pay = tools.iter().find(|tool| tool["name"] == "pay").unwrap();
    let (status, _) = server
        .patch(&format!("/v1/tools/{}", pay["id"].as_str().unwrap()), &json!({"default_requires_approval": true}))
        .await;
    assert_eq!(status, 200);
    let ids: Vec<&Value> = tools.iter().map(|tool| &tool["id"]).collect();
    let agent = create_agent(&server, json!({"tool_ids": ids})).await;

    provider.reply(Reply::tool_call("pay", json!({"n": 5})));
    let messages = send(&server, &agent, json!({"messages": [{"role": "user", "content": "pay 5"}]})).await;
    let request = of(&messages, "approval_request_message").clone();

    // The server now describes the tool otherwise.
    peer.set_tools(vec![
        tool("pay", "Pays everything.", number),
        tool("new", "Comes.", json!({})),
        json!({"name": "odd", "inputSchema": {"type": "string"}}),
    ]);
    let path = format!("/v1/mcp-servers/{}/refresh", created["id"].as_str().unwrap());
    let (status, changes) = server.patch(&path, &json!({})).await;
    assert_eq!(status, 200, "{changes}");
    assert_eq!(changes["added"], json!(["new"]));
    assert_eq!(changes["updated"], json!(["pay"]));
    assert_eq!(changes["deleted"], json!(["old"]));
    assert!(changes["invalid"]["odd"][0].as_str().unwrap().contains("no object"), "{changes}");
    let (_, changed) = server.get(&format!("/v1/tools/{}", pay["id"].as_str().unwrap())).await;
    assert_eq!(changed["description"], "Pays everything.");
    assert_eq!(changed["metadata_"]["mcp"]["changes"], 1);
    assert_eq!(changed["default_requires_approval"], true, "what its owner decided stays");
    let (_, left) = server.get(&format!("/v1/agents/{agent}/tools")).await;
    assert_eq!(left.as_array().unwrap().len(), 1, "{left}");
    assert_eq!(server.patch(&path, &json!({})).await.1["updated"], json!([]), "a change is one change");

    provider.reply(Reply::tool_call("pay", json!({"n": 5})));
    let approval = json!({"messages": [{"type": "approval", "approve": true, "approval_request_id": request["id"]}]});
    let messages = send(&server, &agent, approval).await;
    let returned = of(&messages, "tool_return_message");
    assert!(returned["tool_return"].as_str().unwrap().contains("changed on its MCP server"), "{returned}");
    assert!(peer.seen("tools/call").is_empty(), "what was approved is not what would have run");
    let again = of(&messages, "approval_request_message");
    provider.reply(Reply::text("done"));
    let approval = json!({"messages": [{"type": "approval", "approve": true, "approval_request_id": again["id"]}]});
    let messages = send(&server, &agent, approval).await;
    assert_eq!(of(&messages, "tool_return_message")["tool_return"], "paid 5");
}

#[tokio::test]
async fn results_of_every_kind_reach_the_model_as_words() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    let created = set_up(&server, remote("s", &peer)).await;
    let id = tools_of(&server, &created).await[0]["id"].clone();
    let path = format!("/v1/mcp-servers/{}/tools/{}/run", created["id"].as_str().unwrap(), id.as_str().unwrap());
    for (result, status, text) in [
        (json!({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}), "success", "a\nb"),
        (json!({"content": [], "structuredContent": {"n": 1}}), "success", "{\"n\":1}"),
        (json!({"content": [{"type": "text", "text": "no"}], "isError": true}), "error", "no"),
        (
            json!({"content": [{"type": "resource", "resource": {"uri": "file:///x", "text": "inside"}},
                {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"}]}),
            "success",
            "[resource file:///x]\ninside\n[image, image/png, 5 bytes]",
        ),
    ] {
        peer.on_call("echo", move |_| result.clone());
        let (code, answer) = server.post(&path, &json!({"args": {"text": "x"}})).await;
        assert_eq!((code, &answer["status"], &answer["func_return"]), (200, &json!(status), &json!(text)));
    }
    peer.on_call("echo", |_| words(&"y".repeat(3 << 20)));
    let (_, answer) = server.post(&path, &json!({"args": {"text": "x"}})).await;
    let text = answer["func_return"].as_str().unwrap();
    assert!(text.len() < (1 << 20) + 200 && text.ends_with("more than 1 MiB]"), "{}", text.len());
}

#[tokio::test]
async fn pictures_reach_the_client_and_models_that_see() {
    const PNG: &str = "iVBORw0KGgoAAAA=";
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    peer.on_call("echo", |_| {
        json!({"content": [{"type": "text", "text": "sales"}, {"type": "image", "data": PNG, "mimeType": "image/png"}]})
    });
    let server = Server::start(&provider).await;
    let created = set_up(&server, remote("s", &peer)).await;
    let tools = tools_of(&server, &created).await;
    // What limits text does not cut pictures.
    let id = tools[0]["id"].as_str().unwrap();
    let (status, _) = server.patch(&format!("/v1/tools/{id}"), &json!({"return_char_limit": 60})).await;
    assert_eq!(status, 200);
    let agent = create_agent(&server, json!({"tool_ids": [id]})).await;
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "x"})).await;
    let report: Value = serde_json::from_str(returned["tool_return"].as_str().unwrap()).unwrap();
    assert_eq!(report, json!({"results": ["sales", {"image/png": PNG}]}));

    let chats = provider.chats();
    let body = &chats.last().unwrap().body;
    let messages = body["messages"].as_array().unwrap();
    let [.., told, shown] = messages.as_slice() else { panic!("{body}") };
    assert_eq!(told["role"], "tool");
    let words = told["content"].to_string();
    assert!(words.contains("sales") && words.contains("[picture 1, shown below]") && !words.contains(PNG), "{words}");
    assert_eq!(shown["role"], "user");
    assert_eq!(shown["content"][1]["image_url"]["url"], format!("data:image/png;base64,{PNG}"), "{shown}");
}

#[tokio::test]
async fn older_clients_add_tools_one_by_one() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    peer.set_tools(vec![tool("read/file", "Reads.", json!({})), tool("echo", "Echoes.", json!({"text": {}}))]);
    peer.on_call("read/file", |_| words("the file"));
    let server = Server::start(&provider).await;
    let body = json!({"server_name": "files", "server_url": peer.url()});
    let added = server.http().put(format!("{}/v1/tools/mcp/servers", server.url())).json(&body).send().await.unwrap();
    let added: Value = added.json().await.unwrap();
    assert_eq!(added[0]["type"], "streamable_http");
    assert_eq!(added[0].get("id"), None);
    let (_, listed) = server.get("/v1/tools/mcp/servers/files/tools").await;
    assert_eq!(listed[0]["name"], "read/file");
    assert_eq!(listed[1]["health"]["status"], "NON_STRICT_ONLY", "{listed}");
    assert_eq!(server.post("/v1/tools/mcp/servers/files/none", &json!({})).await.0, 404);
    let (status, added) = server.post("/v1/tools/mcp/servers/files/read%2Ffile", &json!({})).await;
    assert_eq!((status, &added["name"]), (200, &json!("read_file")), "{added}");
    let agent = create_agent(&server, json!({"tools": ["read_file"]})).await;
    assert_eq!(called(&server, &provider, &agent, "read_file", json!({})).await["tool_return"], "the file");
    let (_, ran) =
        server.post("/v1/tools/mcp/servers/files/tools/echo/execute", &json!({"args": {"text": "hi"}})).await;
    assert_eq!(ran, json!({"result": "echo: hi", "success": true}));
    let (status, left) = server.delete("/v1/tools/mcp/servers/files").await;
    assert_eq!((status, left), (200, json!([])));
    let (_, tools) = server.get(&format!("/v1/agents/{agent}/tools")).await;
    assert_eq!(tools, json!([]), "its tools went with it");
}
