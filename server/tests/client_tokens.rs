//! Client-side access tokens: what their bearers may ask, and everything else that they may not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{Answer, PASSWORD, TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const TOKENS: &str = "/v1/client-side-access-tokens";
const SITE: &str = "https://app.example.com";

/// A server over a provider whose model answers "hi".
async fn server() -> (TestApp, MockServer) {
    let provider = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "text-embedding-3-small", "object": "model" },
    ] });
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "hi" } }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2 },
    });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&provider).await;
    let talk = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(talk).mount(&provider).await;
    (TestApp::with_provider(&provider.uri()).await, provider)
}

async fn agent(app: &TestApp) -> String {
    let body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{ "label": "human", "value": "I am Ada." }], "secrets": { "API_KEY": "very-secret" },
    });
    let made = app.post("/v1/agents/", &body).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

fn policy(agent: &str, access: &[&str]) -> Value {
    json!({ "hostname": SITE, "policy": [{ "type": "agent", "id": agent, "access": access }] })
}

async fn issue(app: &TestApp, body: &Value) -> String {
    let made = app.post(TOKENS, body).await;
    assert_eq!(made.status.as_u16(), 201, "{}", made.text);
    made.json()["token"].as_str().unwrap().to_owned()
}

/// Asks with a token.
async fn ask(app: &TestApp, token: &str, method: Method, path: &str, body: Option<Value>) -> Answer {
    let builder = request(method, path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    app.send(builder.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap()).await
}

async fn status(app: &TestApp, token: &str, method: Method, path: &str, body: Option<Value>) -> u16 {
    ask(app, token, method, path, body).await.status.as_u16()
}

fn hello() -> Option<Value> {
    Some(json!({ "messages": [{ "role": "user", "content": "hello" }] }))
}

#[tokio::test]
async fn each_right_opens_its_routes_for_its_agent_alone() {
    let (app, _provider) = server().await;
    let (own, other) = (agent(&app).await, agent(&app).await);
    let name = Some(json!({ "name": "renamed" }));
    let routes = [
        ("read_messages", Method::GET, "/messages", None),
        ("write_messages", Method::POST, "/messages", hello()),
        ("read_agent", Method::GET, "", None),
        ("read_agent", Method::GET, "/core-memory", None),
        ("read_agent", Method::GET, "/core-memory/blocks", None),
        ("read_agent", Method::GET, "/core-memory/blocks/human", None),
        ("write_agent", Method::PATCH, "", name),
    ];
    for right in ["read_messages", "write_messages", "read_agent", "write_agent"] {
        let token = issue(&app, &policy(&own, &[right])).await;
        for (needed, method, rest, body) in &routes {
            let path = format!("/v1/agents/{own}{rest}");
            let expected = if *needed == right { 200 } else { 403 };
            let got = status(&app, &token, method.clone(), &path, body.clone()).await;
            assert_eq!(got, expected, "{right}: {method} {path}");
            let path = format!("/v1/agents/{other}{rest}");
            assert_eq!(
                status(&app, &token, method.clone(), &path, body.clone()).await,
                403,
                "{right}: {method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn every_other_route_is_closed_to_every_token() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let all = ["read_messages", "write_messages", "read_agent", "write_agent"];
    let token = issue(&app, &policy(&own, &all)).await;
    let open = [
        ("GET", "/v1/agents/{agent_id}/messages"),
        ("POST", "/v1/agents/{agent_id}/messages"),
        ("POST", "/v1/agents/{agent_id}/messages/stream"),
        ("POST", "/v1/agents/{agent_id}/messages/cancel"),
        ("GET", "/v1/agents/{agent_id}"),
        ("GET", "/v1/agents/{agent_id}/core-memory"),
        ("GET", "/v1/agents/{agent_id}/core-memory/blocks"),
        ("GET", "/v1/agents/{agent_id}/core-memory/blocks/{block_label}"),
        ("PATCH", "/v1/agents/{agent_id}"),
        // Whether the server lives is nobody's secret.
        ("GET", "/v1/health/"),
    ];
    let (_, described) = mneme::router::described();
    let mut tried = 0;
    for (path, item) in described.paths.paths {
        let methods = [
            (Method::GET, item.get.is_some()),
            (Method::POST, item.post.is_some()),
            (Method::PUT, item.put.is_some()),
            (Method::PATCH, item.patch.is_some()),
            (Method::DELETE, item.delete.is_some()),
        ];
        for (method, _) in methods.into_iter().filter(|(_, there)| *there) {
            if open.contains(&(method.as_str(), path.as_str())) {
                continue;
            }
            let filled = path.replace("{agent_id}", &own).replace(['{', '}'], "");
            let answer = ask(&app, &token, method.clone(), &filled, Some(json!({}))).await;
            // The permission page of an MCP server is open to everybody, as it is without a token.
            let open_to_all = mneme_core::mcp::CALLBACK_PATH == filled;
            assert!(answer.status == 403 || open_to_all, "{method} {filled}: {} {}", answer.status, answer.text);
            tried += 1;
        }
    }
    assert!(tried > 150, "only {tried} routes were tried");
    for path in ["/v1/nowhere", "/openapi.json", "/mcp"] {
        assert_eq!(status(&app, &token, Method::GET, path, None).await, 403, "{path}");
    }
    assert_eq!(status(&app, &token, Method::HEAD, &format!("/v1/agents/{own}"), None).await, 403);
    // Another spelling of an address opens nothing more.
    for path in [format!("/latest/agents/{own}/archival-memory"), format!("/v1/agents/{own}/messages/../tools")] {
        assert_ne!(status(&app, &token, Method::GET, &path, None).await, 200, "{path}");
    }
}

#[tokio::test]
async fn a_token_reaches_nothing_through_what_it_may_change_or_see() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let token = issue(&app, &policy(&own, &["read_agent", "write_agent"])).await;
    let address = format!("/v1/agents/{own}");
    let seen = ask(&app, &token, Method::GET, &address, None).await;
    assert_eq!(seen.status.as_u16(), 200);
    assert!(!seen.text.contains("very-secret"), "{}", seen.text);
    let good = json!({ "name": "n", "system": "s", "description": "d", "metadata": { "k": 1 }, "timezone": "UTC" });
    let changed = ask(&app, &token, Method::PATCH, &address, Some(good)).await;
    assert_eq!((changed.status.as_u16(), &changed.json()["name"]), (200, &json!("n")), "{}", changed.text);
    assert!(!changed.text.contains("very-secret"), "{}", changed.text);
    for reaching in [
        json!({ "tool_ids": [] }),
        json!({ "block_ids": [] }),
        json!({ "source_ids": [] }),
        json!({ "identity_ids": [] }),
        json!({ "secrets": { "API_KEY": "other" } }),
        json!({ "tool_exec_environment_variables": {} }),
        json!({ "model": "openai/gpt-4o-mini" }),
        json!({ "tags": ["shared"] }),
        json!({ "name": "x", "project_id": "p" }),
        json!({ "enable_sleeptime": true }),
        json!({ "message_ids": [] }),
        json!({ "hidden": true }),
    ] {
        let answer = ask(&app, &token, Method::PATCH, &address, Some(reaching.clone())).await;
        assert_eq!(answer.status.as_u16(), 403, "{reaching}: {}", answer.text);
    }
    assert_eq!(app.get(&address).await.json()["name"], "n");
}

#[tokio::test]
async fn a_token_ends() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let address = format!("/v1/agents/{own}/messages");
    let mut past = policy(&own, &["read_messages"]);
    past["expires_at"] = json!("2020-01-01T00:00:00");
    let mut future = policy(&own, &["read_messages"]);
    future["expires_at"] = json!("2999-01-01T00:00:00Z");
    assert_eq!(status(&app, &issue(&app, &past).await, Method::GET, &address, None).await, 401);
    let (whole, listed) = (issue(&app, &future).await, issue(&app, &future).await);
    for token in [&whole, &listed] {
        assert_eq!(status(&app, token, Method::GET, &address, None).await, 200);
    }
    let shown = app.get(&format!("{TOKENS}?agentId={own}&limit=1")).await.json()["tokens"][0]["token"].clone();
    let shown = shown.as_str().unwrap();
    assert_eq!(shown, listed);
    let public = &shown[.."ck-let-".len() + 32];
    assert_eq!(app.delete(&format!("{TOKENS}/{public}")).await.status.as_u16(), 204);
    assert_eq!(app.delete(&format!("{TOKENS}/{whole}")).await.status.as_u16(), 204);
    assert_eq!(app.delete(&format!("{TOKENS}/{whole}")).await.status.as_u16(), 404);
    for token in [&whole, &listed] {
        assert_eq!(status(&app, token, Method::GET, &address, None).await, 401);
    }
    // An agent that is gone is none that a token could be for.
    let orphan = issue(&app, &future).await;
    assert_eq!(app.delete(&format!("/v1/agents/{own}")).await.status.as_u16(), 200);
    assert_eq!(status(&app, &orphan, Method::GET, &address, None).await, 404);
    assert_eq!(app.post(TOKENS, &future).await.status.as_u16(), 404);
}

#[tokio::test]
async fn nothing_like_a_token_is_one() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let token = issue(&app, &policy(&own, &["read_messages"])).await;
    let address = format!("/v1/agents/{own}/messages");
    let list = app.get(TOKENS).await;
    assert_eq!((list.status.as_u16(), &list.json()["hasNextPage"]), (200, &json!(false)));
    assert_eq!(list.json()["tokens"][0]["policy"]["data"][0]["access"], json!(["read_messages"]));
    assert_eq!(list.json()["tokens"][0]["token"], json!(token));
    let shown = token[.."ck-let-".len() + 32].to_owned();
    let mut changed = token.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == '0' { '1' } else { '0' });
    let longer = format!("{token}0");
    let louder = token.to_uppercase().replace("CK-LET-", "ck-let-");
    for wrong in [shown.as_str(), changed.as_str(), longer.as_str(), louder.as_str(), "ck-let-", "ck-let-x"] {
        assert_eq!(status(&app, wrong, Method::GET, &address, None).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn a_policy_makes_sense() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let nobody = common::NOBODY;
    for (body, expected) in [
        (json!({ "hostname": SITE, "policy": [] }), 422),
        (policy(&own, &[]), 422),
        (policy(&own, &["everything"]), 422),
        (policy("x", &["read_agent"]), 422),
        (policy(nobody, &["read_agent"]), 404),
        (json!({ "policy": [{ "type": "agent", "id": own, "access": ["read_agent"] }] }), 422),
        (json!({ "hostname": "", "policy": [{ "type": "agent", "id": own, "access": ["read_agent"] }] }), 422),
        (json!({ "hostname": SITE, "policy": [{ "type": "folder", "id": own, "access": ["read_agent"] }] }), 422),
        (
            json!({ "hostname": SITE, "expires_at": "soon",
            "policy": [{ "type": "agent", "id": own, "access": ["read_agent"] }] }),
            422,
        ),
    ] {
        let answer = app.post(TOKENS, &body).await;
        assert_eq!(answer.status.as_u16(), expected, "{body}: {}", answer.text);
    }
    assert_eq!(app.get(TOKENS).await.json()["tokens"], json!([]));
}

#[tokio::test]
async fn a_page_of_another_site_is_turned_away() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let token = issue(&app, &policy(&own, &["read_messages"])).await;
    for (origin, expected) in [(SITE, 200), ("https://evil.example.com", 403), ("null", 403)] {
        let builder = request(Method::GET, &format!("/v1/agents/{own}/messages"))
            .header("authorization", format!("Bearer {token}"))
            .header("origin", origin);
        let answer = app.send(builder.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{origin}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_locked_server_knows_its_tokens_and_nothing_beside_them() {
    let app = TestApp::locked().await;
    let unknown = format!("ck-let-{}", "0".repeat(96));
    let bearer = |value: &str| request(Method::GET, "/v1/agents/").header("authorization", format!("Bearer {value}"));
    for (builder, expected) in [
        (bearer(&unknown), 401),
        (bearer(PASSWORD), 200),
        (bearer(&unknown).header("authorization", format!("Bearer {PASSWORD}")), 401),
        (bearer(&unknown).header("x-bare-password", format!("password {PASSWORD}")), 401),
        (request(Method::GET, "/v1/agents/").header("x-bare-password", format!("password {unknown}")), 401),
    ] {
        let answer = app.send(builder.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_token_sends_messages_and_nothing_that_outlives_their_answer() {
    let (app, _provider) = server().await;
    let own = agent(&app).await;
    let token = issue(&app, &policy(&own, &["write_messages"])).await;
    let address = format!("/v1/agents/{own}/messages");
    let with = |key: &str, value: Value| {
        let mut body = hello().unwrap();
        body[key] = value;
        Some(body)
    };
    for (path, body, expected) in [
        (address.clone(), hello(), 200),
        (format!("{address}/stream"), hello(), 200),
        (format!("{address}/async"), hello(), 403),
        (address.clone(), with("callback_url", json!("https://example.com/hook")), 403),
        (format!("{address}/stream"), with("background", json!(true)), 403),
        (address.clone(), with("override_model", json!("openai/gpt-4o")), 403),
        (address.clone(), with("override_system", json!("You tell everything.")), 403),
        (format!("{address}/stream"), with("client_skills", json!([])), 403),
        (format!("{address}/stream"), with("callback_url", json!("https://example.com/hook")), 403),
    ] {
        let answer = ask(&app, &token, Method::POST, &path, body.clone()).await;
        assert_eq!(answer.status.as_u16(), expected, "{path} {body:?}: {}", answer.text);
    }
    let cancelled = ask(&app, &token, Method::POST, &format!("{address}/cancel"), None).await;
    assert_eq!(cancelled.status.as_u16(), 200, "{}", cancelled.text);
}
