//! What belongs to agents leaves a server with them, and comes to one, on both databases.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "files/documents.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod documents;

use mneme_tests::{Reply, Server, mcp::McpServer};
use serde_json::{Value, json};

use documents::{agent, both, called, folder, form, pdf, post, send, settled, stored};

const NOTES: &str = "Timber is a dog.\nHe was born in May.\nHe likes the ball.\nHis friend is a cat.\n";

async fn exported(server: &Server, agent: &str) -> Value {
    let (status, file) = server.get(&format!("/v1/agents/{agent}/export")).await;
    assert_eq!(status, 200, "{file}");
    file
}

async fn imported(server: &Server, file: &Value) -> Vec<String> {
    let answer = send(server, "/v1/agents/import", form("a.af", file.to_string().as_bytes())).await.unwrap();
    let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
    assert_eq!(status, 200, "{body}");
    body["agent_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

async fn list(server: &Server, path: &str) -> Vec<Value> {
    let (status, all) = server.get(path).await;
    assert_eq!(status, 200, "{all}");
    all.as_array().unwrap().clone()
}

/// What has to be the same wherever the agent is.
fn essence(file: &Value) -> Value {
    let mut essence = json!({});
    for (kind, fields) in [
        ("sources", &["id", "description", "instructions", "metadata", "embedding_config"][..]),
        ("files", &["id", "source_id", "original_file_name", "file_type", "file_size", "content", "total_chunks"][..]),
    ] {
        let of = |one: &Value| fields.iter().map(|field| one[*field].clone()).collect::<Value>();
        essence[kind] = file[kind].as_array().unwrap().iter().map(of).collect();
    }
    let views = file["agents"][0]["files_agents"].as_array().unwrap().iter();
    let of = |view: &Value| {
        json!([view["file_id"], view["is_open"], view["visible_content"], view["start_line"], view["end_line"]])
    };
    essence["views"] = views.map(of).collect();
    essence
}

#[tokio::test]
async fn folders_go_with_their_agents_and_are_read_and_searched_again() {
    for (provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let more = json!({ "instructions": "Read it first.", "metadata": { "shelf": 3 } });
        assert_eq!(server.patch(&format!("/v1/folders/{docs}"), &more).await.0, 200);
        stored(&server, &docs, "notes.txt", NOTES.as_bytes()).await;
        let page = stored(&server, &docs, "page.pdf", &pdf(&["Water boils at a hundred degrees".to_owned()])).await;
        let reader = agent(&server, json!({ "folder_ids": [docs] })).await;
        let part = json!({ "file_requests": [{ "file_name": "docs/notes.txt", "offset": 1, "length": 2 }] });
        called(&server, &provider, &reader, "open_files", part).await;
        let path = format!("/v1/agents/{reader}/files/{}/close", page["id"].as_str().unwrap());
        assert_eq!(server.patch(&path, &json!({})).await.0, 200);

        let mut file = exported(&server, &reader).await;
        assert_eq!(file["sources"][0]["name"], "docs");
        assert_eq!(file["agents"][0]["source_ids"], json!(["source-0"]));
        assert_eq!(file["files"][0]["content"], NOTES);
        let before = essence(&file);
        let views: Vec<(&Value, &Value)> = before["views"].as_array().unwrap().iter().map(|v| (&v[1], &v[3])).collect();
        assert_eq!(views, [(&json!(true), &json!(2)), (&json!(false), &Value::Null)]);
        let mut second = file["agents"][0].clone();
        second["id"] = "agent-1".into();
        second["name"] = "Second".into();
        file["agents"].as_array_mut().unwrap().push(second);

        let ids = imported(&server, &file).await;
        let mut homes = Vec::new();
        for id in &ids {
            let folders = list(&server, &format!("/v1/agents/{id}/folders")).await;
            assert_eq!((folders.len(), &folders[0]["name"]), (1, &json!("docs_(1)")), "{folders:?}");
            homes.push(folders[0]["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(homes[0], homes[1], "the folder is shared still");
        assert_ne!(homes[0], docs);
        for found in list(&server, &format!("/v1/folders/{}/files", homes[0])).await {
            let found = settled(&server, &homes[0], found["id"].as_str().unwrap()).await;
            assert_eq!((&found["processing_status"], &found["error_message"]), (&json!("completed"), &Value::Null));
            assert_eq!(found["chunks_embedded"], found["total_chunks"], "{found}");
        }
        let after = exported(&server, &ids[0]).await;
        assert_eq!(essence(&after), before);
        let question = json!({ "query": "When does water boil?" });
        let found = called(&server, &provider, &ids[1], "semantic_search_files", question).await;
        assert!(found["tool_return"].as_str().unwrap().contains("docs_(1)/page.pdf"), "{found}");
        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(prompt.contains("<instructions>Read it first.</instructions>"), "{prompt}");
        assert!(prompt.contains("[Viewing lines 2 to 3 (out of 4 lines)]\n2: He was born in May."), "{prompt}");

        // The home of the first agent is as it was.
        let kept = list(&server, &format!("/v1/folders/{docs}/files")).await;
        assert_eq!(kept.len(), 2);
    }
}

/// What a group's messages say of it, in each agent's history.
fn group_messages(file: &Value) -> Vec<Value> {
    let agents = file["agents"].as_array().unwrap().iter();
    let messages = agents.flat_map(|agent| agent["messages"].as_array().unwrap());
    messages.map(|message| json!([message["role"], message["group_id"], message["sender_id"]])).collect()
}

#[tokio::test]
async fn groups_go_with_their_agents_and_remember_what_was_said() {
    for (provider, server) in both().await {
        let boss = agent(&server, json!({ "name": "Boss" })).await;
        let one = agent(&server, json!({ "name": "One" })).await;
        let two = agent(&server, json!({ "name": "Two" })).await;
        let block = json!({ "label": "plan", "value": "Go north." });
        let block = post(&server, "/v1/blocks/", block).await["id"].as_str().unwrap().to_owned();
        let manager = json!({ "manager_type": "dynamic", "manager_agent_id": boss, "max_turns": 7,
            "termination_token": "ENOUGH" });
        let body = json!({ "agent_ids": [two, one], "description": "Explorers", "manager_config": manager,
            "shared_block_ids": [block], "hidden": true });
        post(&server, "/v1/groups/", body).await;
        let round = json!({ "manager_type": "round_robin" });
        let body = json!({ "agent_ids": [one, two], "description": "A round", "manager_config": round });
        let round = post(&server, "/v1/groups/", body).await["id"].as_str().unwrap().to_owned();
        provider.reply(Reply::text("The word is kiwi.")).reply(Reply::text("I heard it."));
        let body = json!({ "messages": [{ "role": "user", "content": "Begin" }] });
        post(&server, &format!("/v1/groups/{round}/messages"), body).await;

        assert_eq!(server.patch(&format!("/v1/agents/{two}"), &json!({ "enable_sleeptime": true })).await.0, 200);

        let file = exported(&server, &one).await;
        let names: Vec<&Value> = file["agents"].as_array().unwrap().iter().map(|agent| &agent["name"]).collect();
        assert_eq!(names, ["One", "Two", "Boss", "Two-sleeptime"]);
        let dynamic = &file["groups"][0];
        assert_eq!(dynamic["agent_ids"], json!(["agent-1", "agent-0"]));
        assert_eq!((&dynamic["description"], &dynamic["hidden"]), (&json!("Explorers"), &json!(true)));
        assert_eq!(
            dynamic["manager_config"],
            json!({ "manager_type": "dynamic", "manager_agent_id": "agent-2", "max_turns": 7,
                "termination_token": "ENOUGH" })
        );
        let shared = dynamic["shared_block_ids"][0].as_str().unwrap();
        assert!(
            file["blocks"].as_array().unwrap().iter().any(|block| block["id"] == shared && block["label"] == "plan")
        );
        assert_eq!(file["groups"][2]["manager_config"]["manager_type"], "sleeptime");
        assert_eq!(file["agents"][0]["group_ids"], json!(["group-0", "group-1"]));
        assert_eq!(file["agents"][3]["group_ids"], json!(["group-2"]));
        assert!(!file.to_string().contains(&round), "names of the file say which group it was");

        let ids = imported(&server, &file).await;
        assert_eq!(ids.len(), 4);
        let again = exported(&server, &ids[0]).await;
        assert_eq!(again["groups"], file["groups"]);
        assert_eq!(group_messages(&again), group_messages(&file));
        let groups = list(&server, &format!("/v1/agents/{}/groups?manager_type=round_robin", ids[0])).await;
        assert_ne!(groups[0]["id"], round);
        let path = |group: &str| format!("/v1/groups/{group}/messages?order=asc");
        let said = |messages: Vec<Value>| messages.iter().map(|one| one["content"].clone()).collect::<Vec<_>>();
        let before = said(list(&server, &path(&round)).await);
        assert_eq!(said(list(&server, &path(groups[0]["id"].as_str().unwrap())).await), before);
        assert_eq!(before.len(), 3, "{before:?}");
        let blocks = list(&server, "/v1/blocks/?label=plan").await;
        assert_eq!(blocks.len(), 2, "the block is made again, once");

        let wrong = file.to_string().replace("\"agent_ids\":[\"agent-1\",\"agent-0\"]", "\"agent_ids\":[\"agent-9\"]");
        let refused = send(&server, "/v1/agents/import", form("a.af", wrong.as_bytes())).await.unwrap();
        assert_eq!(refused.status().as_u16(), 400);
        let reason = refused.text().await.unwrap();
        assert!(reason.contains("groups[0] 'group-0': the agent 'agent-9' is not in the file"), "{reason}");
        assert_eq!(list(&server, "/v1/blocks/?label=plan").await.len(), 2, "nothing of it is left behind");
    }
}

/// The server of a name, if there is one; never more.
async fn mcp_server(server: &Server, name: &str) -> Option<Value> {
    let mut found = list(server, "/v1/mcp-servers/").await;
    found.retain(|one| one["server_name"] == name);
    assert!(found.len() < 2, "{found:?}");
    found.pop()
}

#[tokio::test]
async fn mcp_servers_go_without_what_lets_one_in() {
    let peer = McpServer::start().await;
    let all = both().await;
    for (from, to) in [(0, 1), (1, 0)] {
        let ((_, home), (provider, away)) = (&all[from], &all[to]);
        let name = format!("crm-{from}");
        let body = json!({
            "server_name": name, "type": "streamable_http", "server_url": format!("{}?key=canary-1", peer.url()),
            "auth_header": "Authorization", "auth_token": "Bearer canary-2", "custom_headers": { "X-Team": "canary-3" },
        });
        let made = post(home, "/v1/mcp-servers/", body).await;
        let tools = list(home, &format!("/v1/mcp-servers/{}/tools", made["id"].as_str().unwrap())).await;
        let owner = agent(home, json!({ "tool_ids": [tools[0]["id"]] })).await;

        let file = exported(home, &owner).await;
        assert!(!file.to_string().contains("canary"), "{file}");
        assert_eq!(
            file["mcp_servers"],
            json!([{ "id": "mcp_server-0", "server_type": "streamable_http", "server_name": name,
                "server_url": peer.url(), "stdio_config": null, "metadata_": {} }])
        );
        let echo = file["tools"].as_array().unwrap().iter().find(|tool| tool["name"] == "echo").unwrap();
        assert_eq!(echo["metadata_"]["mcp"], json!({ "server_name": name, "server_id": "mcp_server-0" }));

        let asked = peer.seen("initialize").len();
        let ids = imported(away, &file).await;
        assert_eq!(peer.seen("initialize").len(), asked, "an import asks nobody");
        let there = mcp_server(away, &name).await.unwrap();
        assert_eq!((&there["server_url"], &there["auth_token"]), (&json!(peer.url()), &Value::Null));
        let returned = called(away, provider, &ids[0], "echo", json!({ "text": "hello" })).await;
        assert_eq!(returned["tool_return"], "echo: hello", "{returned}");

        // What is there is found.
        imported(away, &file).await;
        assert_eq!(mcp_server(away, &name).await.unwrap()["id"], there["id"]);
        let tools = list(away, &format!("/v1/mcp-servers/{}/tools", there["id"].as_str().unwrap())).await;
        assert_eq!(tools.len(), 1, "{tools:?}");
        imported(home, &file).await;
        let kept = mcp_server(home, &name).await.unwrap();
        assert_eq!((&kept["id"], &kept["auth_token"]), (&made["id"], &json!("Bearer canary-2")));
    }
}

#[tokio::test]
async fn programs_are_set_up_where_the_operator_allows_it() {
    let allowed = Server::builder().env("MNEME_MCP_STDIO", "yes").start().await;
    let forbidden = Server::builder().env("MNEME_MCP_STDIO", "no").start().await;
    let file = json!({
        "agents": [{ "id": "agent-0", "name": "Ann", "tool_ids": ["tool-0"], "llm_config": { "model": "m",
            "model_endpoint_type": "openai", "context_window": 9000, "handle": "openai/m" } }],
        "tools": [{ "id": "tool-0", "tool_type": "external_mcp", "name": "look", "tags": ["mcp:local"],
            "json_schema": { "name": "look", "parameters": { "type": "object", "properties": {} } } }],
        "mcp_servers": [{ "id": "mcp_server-0", "server_type": "stdio", "server_name": "local", "server_url": null,
            "stdio_config": { "command": "no-such-program", "env": { "KEY": null } } }],
    });
    for (server, sets_up) in [(&allowed, true), (&forbidden, false)] {
        let ids = imported(server, &file).await;
        let made = mcp_server(server, "local").await;
        assert_eq!(made.is_some(), sets_up, "{made:?}");
        let tools = list(server, &format!("/v1/agents/{}/tools", ids[0])).await;
        assert_eq!((tools.len(), &tools[0]["name"]), (1, &json!("look")), "{tools:?}");
        let again = exported(server, &ids[0]).await;
        assert_eq!(again["mcp_servers"].as_array().unwrap().len(), usize::from(sets_up));
        if sets_up {
            let process = &again["mcp_servers"][0]["stdio_config"];
            assert_eq!((&process["command"], &process["env"]), (&json!("no-such-program"), &json!({ "KEY": "" })));
        }
    }
}

#[tokio::test]
async fn files_of_an_import_are_read_although_the_server_is_killed() {
    for (_provider, mut server) in both().await {
        let text = |number: usize| format!("Page {number}.\n{}", "Water boils at a hundred degrees.\n".repeat(400));
        let files: Vec<Value> = (0..20)
            .map(|number| {
                json!({ "id": format!("file-{number}"), "source_id": "source-0", "content": text(number),
                    "file_name": format!("old/{number}.pdf"), "file_type": "application/pdf" })
            })
            .collect();
        let file = json!({
            "agents": [{ "id": "agent-0", "name": "Ann", "source_ids": ["source-0"], "llm_config": { "model": "m",
                "model_endpoint_type": "openai", "context_window": 9000, "handle": "openai/m" } }],
            "sources": [{ "id": "source-0", "name": "pages" }], "files": files,
        });
        let ids = imported(&server, &file).await;
        server.kill();
        server.restart().await;
        let folders = list(&server, &format!("/v1/agents/{}/folders", ids[0])).await;
        let pages = folders[0]["id"].as_str().unwrap();
        let found = list(&server, &format!("/v1/folders/{pages}/files?order=asc")).await;
        assert_eq!(found.len(), 20);
        for (number, one) in found.iter().enumerate() {
            let read = settled(&server, pages, one["id"].as_str().unwrap()).await;
            assert_eq!((&read["processing_status"], &read["content"]), (&json!("completed"), &json!(text(number))));
            assert_eq!(
                (&read["file_name"], &read["file_type"]),
                (&json!(format!("pages/{number}.pdf")), &json!("application/pdf"))
            );
        }
    }
}
