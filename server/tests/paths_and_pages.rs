//! Paths, identifiers and query strings.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{NOBODY, TestApp, request};
use serde_json::json;

#[tokio::test]
async fn every_spelling_of_a_path_is_answered_directly() {
    let app = TestApp::new().await;
    for path in
        ["/v1/blocks", "/v1/blocks/", "/latest/blocks", "/latest/blocks/", "/v1/blocks/?limit=1", "/v1/blocks?limit=1"]
    {
        let answer = app.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, "[]"), "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let app = TestApp::new().await;
    let answer = app.get("/v1/no-such-route").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (404, json!({ "detail": "Not Found" })));
    let answer = app.post("/v1/health/", &json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (405, json!({ "detail": "Method Not Allowed" })));
    assert!(answer.header("allow").is_some_and(|methods| methods.contains("GET")), "{:?}", answer.headers);
}

#[tokio::test]
async fn what_clients_know_and_the_server_lacks_is_named() {
    let app = TestApp::new().await;
    let (schedule, migrate) = (format!("/v1/agents/{NOBODY}/schedule"), format!("/v1/agents/{NOBODY}/migrate"));
    for (method, path, what) in [
        (Method::POST, "/v1/conversations/", "no conversations"),
        (Method::GET, "/latest/conversations/conv-1/messages", "no conversations"),
        (Method::GET, "/v1/environments", "no environments"),
        (Method::GET, schedule.as_str(), "does not schedule"),
        (Method::POST, migrate.as_str(), "at /v1/templates only"),
        (Method::GET, "/v1/tools/composio/apps", "no Composio"),
    ] {
        let answer = app.send(request(method, path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}: {}", answer.text);
        assert!(answer.detail().contains(what), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_malformed_identifier_is_refused_with_an_example() {
    let app = TestApp::new().await;
    let answer = app.get("/v1/agents/foo").await;
    assert_eq!(answer.status.as_u16(), 422);
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
    assert_eq!(
        answer.json(),
        json!({
            "trace_id": "",
            "detail": format!(
                "[{{'type': 'string_pattern_mismatch', 'loc': ('path', 'agent_id'), 'msg': \"String should match pattern \
                 'agent-{{uuid4}}'\", 'input': 'foo', 'ctx': {{'pattern': '^agent-{uuid}$'}}}}]"
            ),
            "examples": ["agent-123e4567-e89b-42d3-8456-426614174000"],
        })
    );
    for path in [
        "/v1/blocks/nope",
        "/v1/tools/agent-123e4567-e89b-42d3-8456-426614174000",
        "/v1/runs/foo/usage",
        "/v1/steps/%20",
        "/v1/telemetry/x",
        "/v1/agents/agent-00000000-0000-1000-8000-000000000000/context",
        "/v1/agents/%2e%2e/messages",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), 422, "{path}: {}", answer.text);
    }
    let query = app.get("/v1/runs/?agent_id=foo").await;
    assert!(query.status == 422 && query.detail().contains("('query', 'agent_id')"), "{}", query.text);
}

#[tokio::test]
async fn a_missing_thing_is_404_on_every_route_that_names_it() {
    let app = TestApp::new().await;
    let (_, described) = mneme::router::described();
    let mut tried = 0;
    for (path, item) in described.paths.paths {
        if !path.contains('{') {
            continue;
        }
        let path = [
            "agent",
            "archive",
            "block",
            "file",
            "group",
            "identity",
            "mcp_server",
            "passage",
            "provider",
            "source",
            "tool",
            "message",
            "run",
            "step",
        ]
        .iter()
        .fold(path, |path, kind| {
            path.replace(&format!("{{{kind}_id}}"), &format!("{kind}-00000000-0000-4000-8000-000000000000"))
        });
        let path = path.replace("{block_label}", "human");
        let path = path.replace("{tool_name}", "roll");
        let path = path.replace("{key}", "NO_SUCH_VARIABLE");
        let path = path.replace("{folder_id}", "source-00000000-0000-4000-8000-000000000000");
        let path = path.replace("{folder_name}", "none").replace("{source_name}", "none");
        let path = path.replace("{mcp_server_name}", "none").replace("{mcp_tool_name}", "none");
        let path = path.replace("{project_id}", "default-project").replace("{template_name}", "none");
        let path = path.replace("{template_version}", "none:1").replace("{name}/versions", "none/versions");
        let path = path.replace("{deployment_id}", "deployment-00000000-0000-4000-8000-000000000000");
        let path = path.replace("{token}", "none");
        let path = path.replace("{batch_id}", "job-00000000-0000-4000-8000-000000000000");
        let path = path.replace("{job_id}", "run-00000000-0000-4000-8000-000000000000");
        let path = path.replace("{memory_id}", "passage-00000000-0000-4000-8000-000000000000");
        let path = if path.ends_with("/archival-memory/search") { format!("{path}?query=x") } else { path };
        assert!(!path.contains('{'), "teach this test a value for each parameter of {path}");
        for (method, operation) in [
            (Method::GET, item.get),
            (Method::PATCH, item.patch),
            (Method::POST, item.post),
            (Method::DELETE, item.delete),
        ] {
            if operation.is_none() {
                continue;
            }
            let body = if path.contains("/messages/message-") {
                json!({ "message_type": "user_message", "content": "x" })
            } else if path.starts_with("/v1/templates/") {
                json!({ "type": "agent", "agent_id": NOBODY, "new_name": "x", "version": "1", "agent_file_json": {} })
            } else {
                json!({ "messages": [{ "role": "user", "content": "x" }], "text": "x", "passages": [{ "text": "x" }],
                    "requires_approval": true, "api_key": "x" })
            };
            let builder = request(method.clone(), &path).header("content-type", "application/json");
            let body = if method == Method::GET { Body::empty() } else { Body::from(body.to_string()) };
            let answer = app.send(builder.body(body).unwrap()).await;
            assert_eq!(answer.status.as_u16(), 404, "{method} {path}: {}", answer.text);
            assert!(answer.json()["detail"].is_string(), "{method} {path}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 30, "only {tried} routes were tried");
}

#[tokio::test]
async fn limits_and_orders_are_checked() {
    let app = TestApp::new().await;
    for (query, expected) in [
        (
            "order=zzz",
            "[{'type': 'literal_error', 'loc': ('query', 'order'), 'msg': \"Input should be 'asc' or 'desc'\", \
                       'input': 'zzz', 'ctx': {'expected': \"'asc' or 'desc'\"}}]",
        ),
        (
            "limit=x",
            "[{'type': 'int_parsing', 'loc': ('query', 'limit'), 'msg': 'Input should be a valid integer, unable \
                     to parse string as an integer', 'input': 'x'}]",
        ),
        (
            "limit=-1",
            "[{'type': 'greater_than_equal', 'loc': ('query', 'limit'), 'msg': 'Input should be greater than or \
                      equal to 0', 'input': '-1'}]",
        ),
    ] {
        for path in ["agents", "blocks", "tools", "runs", "steps", "tags", "providers"] {
            let answer = app.get(&format!("/v1/{path}/?{query}")).await;
            assert_eq!((answer.status.as_u16(), answer.detail().as_str()), (422, expected), "{path} {query}");
        }
    }
    let flag = app.get("/v1/runs/?background=maybe").await;
    assert!(flag.status == 422 && flag.detail().contains("bool_parsing"), "{}", flag.text);
    let status = app.get("/v1/runs/?statuses=zzz").await;
    assert!(status.status == 422 && status.detail().contains("Input should be 'created', "), "{}", status.text);
    let number = app.get("/v1/blocks/?connected_to_agents_count_gt=x").await;
    assert!(
        number.status == 422 && number.detail().contains("('query', 'connected_to_agents_count_gt')"),
        "{}",
        number.text
    );
}

async fn labels(app: &TestApp, query: &str) -> Vec<String> {
    let answer = app.get(&format!("/v1/blocks/?{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{query}: {}", answer.text);
    let list = answer.json();
    list.as_array().unwrap().iter().map(|block| block["label"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_partition_a_list() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for label in ["a", "b", "c"] {
        let made = app.post("/v1/blocks/", &json!({ "label": label, "value": "v" })).await;
        ids.push(made.json()["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(labels(&app, "order=asc").await, ["a", "b", "c"]);
    assert_eq!(labels(&app, "order=desc").await, ["c", "b", "a"]);
    assert_eq!(labels(&app, "limit=1&order=asc").await, ["a"]);
    assert_eq!(labels(&app, &format!("limit=1&order=asc&after={}", ids[0])).await, ["b"]);
    assert_eq!(labels(&app, &format!("order=asc&before={}", ids[2])).await, ["a", "b"]);
    assert_eq!(labels(&app, &format!("order=asc&after={}", ids[2])).await, Vec::<String>::new());
    assert_eq!(labels(&app, "limit=0&order=asc").await.len(), 3);
    assert_eq!(labels(&app, "limit=99999999999&order=asc").await.len(), 3);
    assert_eq!(labels(&app, "ascending=true").await, ["a", "b", "c"]);
    assert_eq!(labels(&app, "ascending=false").await, ["c", "b", "a"]);
}

#[tokio::test]
async fn repeated_keys_are_lists() {
    let app = TestApp::new().await;
    app.post("/v1/blocks/", &json!({ "label": "lonely", "value": "v" })).await;
    let query = "connected_to_agents_count_eq=3&connected_to_agents_count_eq=0";
    assert_eq!(labels(&app, query).await, ["lonely"]);
    assert_eq!(labels(&app, "connected_to_agents_count_eq=3").await, Vec::<String>::new());
    let tools = app.get("/v1/tools/?tool_types=custom,letta_core&tool_types=letta_builtin").await;
    assert_eq!((tools.status.as_u16(), tools.text.as_str()), (200, "[]"));
    assert_eq!(app.get("/v1/tools/?tool_types=custom,zzz").await.status.as_u16(), 422);
}

#[tokio::test]
async fn a_missing_agent_is_named() {
    let app = TestApp::new().await;
    let answer = app.get(&format!("/v1/agents/{NOBODY}")).await;
    assert_eq!(answer.json(), json!({ "detail": format!("Agent with ID {NOBODY} not found") }));
}
