//! Talking to an agent through the API, with a scripted model.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// A provider whose model always answers the same.
async fn provider(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "text-embedding-3-small", "object": "model" },
    ] });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&server).await;
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(answer).mount(&server).await;
    server
}

fn says(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": text } }],
        "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 },
    }))
}

fn agent_body() -> Value {
    json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{ "label": "human", "value": "I am Ada." }], "tags": ["t"],
    })
}

async fn make_agent(app: &TestApp) -> String {
    let made = app.post("/v1/agents/", &agent_body()).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

fn hello() -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }] })
}

#[tokio::test]
async fn a_message_is_answered_and_kept() {
    let provider = provider(says("hi there")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    let answer = app.post(&format!("/v1/agents/{agent}/messages"), &hello()).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let turn = answer.json();
    assert_eq!(turn["messages"][0]["content"], "hi there");
    assert_eq!(turn["stop_reason"], json!({ "message_type": "stop_reason", "stop_reason": "end_turn" }));
    assert_eq!(
        turn["usage"],
        json!({
            "message_type": "usage_statistics", "completion_tokens": 3, "prompt_tokens": 11, "total_tokens": 14,
            "step_count": 1, "run_ids": null,
        })
    );
    let listed = app.get(&format!("/v1/agents/{agent}/messages?limit=1")).await.json();
    assert_eq!((&listed[0]["id"], &listed[0]["content"]), (&turn["messages"][0]["id"], &json!("hi there")));
    let run = turn["messages"][0]["run_id"].as_str().unwrap();
    assert_eq!(app.get(&format!("/v1/runs/{run}")).await.json()["status"], "completed");
    let usage = app.get(&format!("/v1/runs/{run}/usage")).await.json();
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(11), &json!(3)));
}

#[tokio::test]
async fn a_turn_streams_under_both_paths() {
    let provider = provider(says("hi there")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    let newer = json!({ "input": "hello", "streaming": true, "client_tools": [] });
    for (path, body) in [("messages/stream", hello()), ("messages", newer)] {
        let answer = app.post(&format!("/v1/agents/{agent}/{path}"), &body).await;
        assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"), "{}", answer.text);
        let kinds: Vec<String> = answer
            .text
            .split("\n\n")
            .filter_map(|frame| frame.strip_prefix("data: "))
            .map(|data| {
                let event: Value = serde_json::from_str(data).unwrap_or_else(|_| json!({ "message_type": data }));
                event["message_type"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(kinds, ["assistant_message", "stop_reason", "usage_statistics", "[DONE]"], "{path}");
    }
}

#[tokio::test]
async fn a_providers_failure_is_told_and_not_to_be_repeated() {
    let refusal =
        ResponseTemplate::new(401).set_body_json(json!({ "error": { "message": "bad key", "type": "auth" } }));
    let provider = provider(refusal).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    for path in ["messages", "messages/stream"] {
        let answer = app.post(&format!("/v1/agents/{agent}/{path}"), &hello()).await;
        assert_eq!(answer.status.as_u16(), 401, "{path}: {}", answer.text);
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "llm_authentication");
        assert!(error["detail"].as_str().unwrap().contains("401"), "{error}");
        assert_eq!(app.get("/v1/health/").await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn nothing_to_say_is_refused() {
    let provider = provider(says("never")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    for (body, status) in [
        (json!({ "messages": [] }), 400),
        (json!({ "messages": [{ "role": "user", "content": "" }] }), 400),
        (json!({ "messages": [{ "role": "robot", "content": "x" }] }), 422),
        (json!({ "messages": "x" }), 422),
        (json!({ "messages": [{ "role": "user", "content": "x" }], "max_steps": -1 }), 422),
    ] {
        let answer = app.post(&format!("/v1/agents/{agent}/messages"), &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
    }
}

#[tokio::test]
async fn each_generation_of_clients_gets_the_agent_it_expects() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let mut body = agent_body();
    body.as_object_mut().unwrap().remove("agent_type");
    let classic = app.post("/v1/agents/", &body).await.json();
    assert_eq!(classic["agent_type"], "memgpt_v2_agent");
    let current = app.as_current(Method::POST, "/v1/agents/", &body).await.json();
    assert_eq!(current["agent_type"], "letta_v1_agent");

    let agent = format!("/v1/agents/{}", current["id"].as_str().unwrap());
    let shown = |state: &Value| ["blocks", "tools", "tags"].map(|part| !state[part].as_array().unwrap().is_empty());
    assert_eq!(shown(&app.get(&agent).await.json()), [true; 3]);
    assert_eq!(shown(&app.as_current(Method::GET, &agent, &Value::Null).await.json()), [false; 3]);
    let asked = format!("{agent}?include=agent.blocks&include=agent.tags");
    assert_eq!(shown(&app.as_current(Method::GET, &asked, &Value::Null).await.json()), [true, false, true]);
    let older = format!("{agent}?include_relationships=tools");
    assert_eq!(shown(&app.get(&older).await.json()), [false, true, false]);
    let listed = app.as_current(Method::GET, "/v1/agents/?limit=1", &Value::Null).await.json();
    assert_eq!(shown(&listed[0]), [false; 3]);
}

#[tokio::test]
async fn attaching_answers_with_the_agent_or_with_nothing() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    let block = app.post("/v1/blocks/", &json!({ "label": "notes", "value": "v" })).await.json();
    let block = block["id"].as_str().unwrap();
    let tool = app.get("/v1/tools/?limit=1").await.json()[0]["id"].as_str().unwrap().to_owned();
    for (kind, id) in [("core-memory/blocks", block), ("tools", tool.as_str())] {
        for verb in ["attach", "detach"] {
            let path = format!("/v1/agents/{agent}/{kind}/{verb}/{id}");
            let builder = request(Method::PATCH, &path);
            let classic = app.send(builder.body(Body::empty()).unwrap()).await;
            assert_eq!((classic.status.as_u16(), classic.json()["id"].as_str()), (200, Some(agent.as_str())), "{path}");
        }
        for verb in ["attach", "detach"] {
            let path = format!("/v1/agents/{agent}/{kind}/{verb}/{id}");
            let current = app.as_current(Method::PATCH, &path, &Value::Null).await;
            assert_eq!((current.status.as_u16(), current.text.as_str()), (200, "null"), "{path}");
        }
    }
}

#[tokio::test]
async fn deleting_answers_once() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    let gone = app.delete(&format!("/v1/agents/{agent}")).await;
    assert_eq!(gone.json(), json!({ "message": format!("Agent id={agent} successfully deleted") }));
    assert_eq!(app.delete(&format!("/v1/agents/{agent}")).await.status.as_u16(), 404);
    let block = app.post("/v1/blocks/", &json!({ "label": "l", "value": "v" })).await.json();
    let block = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    assert_eq!(app.delete(&block).await.text, "null");
    assert_eq!(app.get(&block).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_block_keeps_what_an_update_does_not_name() {
    let app = TestApp::new().await;
    let body = json!({ "label": "l", "value": "v", "description": "d", "limit": 10 });
    let block = app.post("/v1/blocks/", &body).await.json();
    let path = format!("/v1/blocks/{}", block["id"].as_str().unwrap());
    let changed = app.patch(&path, &json!({ "value": "w" })).await.json();
    assert_eq!((&changed["value"], &changed["description"], &changed["limit"]), (&json!("w"), &json!("d"), &json!(10)));
    let cleared = app.patch(&path, &json!({ "description": null })).await.json();
    assert_eq!((&cleared["value"], &cleared["description"]), (&json!("w"), &Value::Null));
    let over = app.patch(&path, &json!({ "value": "x".repeat(11) })).await;
    assert!(matches!(over.status.as_u16(), 400 | 422), "{}", over.text);
    assert_eq!(app.get(&path).await.json()["value"], "w");
}

#[tokio::test]
async fn models_and_memories_that_are_found_have_the_names_that_each_generation_knows() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let listed = app.as_current(Method::GET, "/v1/models/", &Value::Null).await.json();
    let model = listed.as_array().unwrap().iter().find(|model| model["model"] == "gpt-4o-mini").unwrap();
    assert_eq!((&model["name"], &model["provider_type"]), (&model["model"], &json!("openai")));
    assert_eq!(model["max_context_window"], model["context_window"]);
    let listed = app.as_current(Method::GET, "/v1/models/embedding", &Value::Null).await.json();
    let is_remote = |model: &&Value| model["handle"] == "openai/text-embedding-3-small";
    let model = listed.as_array().unwrap().iter().find(is_remote).unwrap();
    for name in ["name", "display_name"] {
        assert_eq!(model[name], "text-embedding-3-small", "{model}");
    }
    assert_eq!((&model["provider_name"], &model["provider_type"]), (&json!("openai"), &json!("openai")));

    let agent = format!("/v1/agents/{}/archival-memory", make_agent(&app).await);
    let kept = app.post(&agent, &json!({ "text": "The cat sleeps in the drawer." })).await.json();
    let search = format!("{agent}/search?query=cat");
    let found = app.as_current(Method::GET, &search, &Value::Null).await.json();
    assert_eq!((&found["count"], &found["results"][0]["id"]), (&json!(1), &kept[0]["id"]), "{found}");

    for path in ["/v1/models/", "/v1/models/embedding", &search] {
        let classic = app.get(path).await.json();
        let first = classic["results"].get(0).or_else(|| classic.get(0)).unwrap();
        assert!(first["name"].is_null() && first["id"].is_null(), "{path}: {first}");
    }
}

#[tokio::test]
async fn a_message_is_shown_with_all_its_parts_and_only_to_its_organisation() {
    let provider = provider(says("hi there")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app).await;
    let sent = app.post(&format!("/v1/agents/{agent}/messages"), &hello()).await.json();
    let said = sent["messages"].as_array().unwrap().last().unwrap();
    let shown = app.get(&format!("/v1/messages/{}", said["id"].as_str().unwrap())).await;
    assert_eq!(shown.status.as_u16(), 200, "{}", shown.text);
    let parts = shown.json();
    assert_eq!(parts.as_array().unwrap().len(), 1, "{parts}");
    assert_eq!((&parts[0]["content"], &parts[0]["id"]), (&json!("hi there"), &said["id"]));
    assert_eq!(app.get("/v1/messages/nobody").await.status.as_u16(), 422);
    assert_eq!(app.get("/v1/messages/message-00000000-0000-4000-8000-000000000000").await.status.as_u16(), 404);
    assert_eq!(app.get("/v1/messages/batches").await.json(), json!([]), "batches are no message");
}

#[tokio::test]
async fn a_tool_is_not_called_round_its_agent_or_a_person() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = format!("/v1/agents/{}/tools", make_agent(&app).await);
    let source = "def roll(sides: int) -> int:\n    \"\"\"Rolls a die.\n\n    Args:\n        sides: How many.\n    \"\"\"\n    return 4\n";
    let tool = app.post("/v1/tools/", &json!({ "source_code": source })).await.json();
    let attach = format!("{agent}/attach/{}", tool["id"].as_str().unwrap());
    assert_eq!(app.patch(&attach, &json!({})).await.status.as_u16(), 200);
    let guard = app.patch(&format!("{agent}/approval/roll"), &json!({ "requires_approval": true })).await;
    assert_eq!(guard.status.as_u16(), 200, "{}", guard.text);
    for (name, status, why) in [
        ("nothing", 404, "no tool named nothing"),
        ("memory_insert", 403, "in its turns only"),
        ("roll", 403, "A person approves"),
    ] {
        let refused = app.post(&format!("{agent}/{name}/run"), &json!({ "args": { "sides": 6 } })).await;
        assert_eq!(refused.status.as_u16(), status, "{name}: {}", refused.text);
        assert!(refused.detail().contains(why), "{name}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_background_run_is_found_and_followed_with_get() {
    let provider = provider(says("hi there").set_delay(std::time::Duration::from_secs(2))).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let (busy, idle) = (make_agent(&app).await, make_agent(&app).await);
    let started = app.post(&format!("/v1/agents/{busy}/messages/async"), &hello()).await.json();
    let run = started["id"].as_str().unwrap();
    let asked = |path: String, body: Value| {
        // What `curl --request GET --data` says of a body.
        let builder = request(Method::GET, &path).header("content-type", "application/x-www-form-urlencoded");
        app.send(builder.body(Body::from(body.to_string())).unwrap())
    };
    for (agent, found) in [(&busy, 1), (&idle, 0)] {
        let body = json!({ "agent_ids": [agent], "background": true });
        let by_body = asked("/v1/runs/active".into(), body).await;
        let by_query = app.get(&format!("/v1/runs/active?agent_ids={agent}&background=true")).await;
        for listed in [by_body, by_query] {
            assert_eq!(listed.json().as_array().unwrap().len(), found, "{}", listed.text);
        }
    }
    let whole = asked(format!("/v1/runs/{run}/stream"), json!({ "starting_after": 0 })).await;
    assert_eq!(whole.header("content-type"), Some("text/event-stream; charset=utf-8"), "{}", whole.text);
    assert!(whole.text.contains("hi there") && whole.text.contains("data: [DONE]"), "{}", whole.text);
    let rest = app.get(&format!("/v1/runs/{run}/stream?starting_after=1")).await;
    assert!(!rest.text.contains("hi there") && rest.text.contains("data: [DONE]"), "{}", rest.text);
    let wrong = app.get(&format!("/v1/runs/{run}/stream?starting_after=x")).await;
    assert_eq!(wrong.status.as_u16(), 422, "{}", wrong.text);
}

#[tokio::test]
async fn memories_are_kept_and_paged_in_the_words_of_the_guides() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = format!("/v1/agents/{}/archival-memory", make_agent(&app).await);
    for day in 1..=5 {
        let kept = app.post(&agent, &json!({ "content": format!("Cat, day {day}."), "tags": ["cat"] })).await;
        assert_eq!(kept.status.as_u16(), 200, "{}", kept.text);
    }
    let mut seen = std::collections::HashSet::new();
    for (page, size) in [(0, 2), (1, 2), (2, 1), (3, 0)] {
        let found = app.get(&format!("{agent}/search?query=cat&top_k=2&page={page}")).await.json();
        assert_eq!(found["count"], size, "page {page}: {found}");
        let contents = found["results"].as_array().unwrap().iter().map(|one| one["content"].to_string());
        seen.extend(contents);
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[tokio::test]
async fn reasoning_is_asked_for_unless_it_is_switched_off_and_what_is_withheld_is_no_empty_thought() {
    let provider = MockServer::start().await;
    let models = json!({ "object": "list", "data": [{ "id": "gpt-5-mini", "object": "model" }] });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&provider).await;
    // A summary is not always given, and then only the provider can read the reasoning.
    let said = json!({ "type": "output_text", "text": "hi", "annotations": [] });
    let answer = ResponseTemplate::new(200).set_body_json(json!({
        "id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5-mini",
        "output": [
            { "id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "c2ln" },
            { "id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [said] },
        ],
        "usage": { "input_tokens": 5, "output_tokens": 3, "total_tokens": 8 },
    }));
    Mock::given(method("POST")).and(path("/responses")).respond_with(answer).mount(&provider).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    for (reasoning, summary) in [(true, json!("auto")), (false, Value::Null)] {
        let body = json!({
            "agent_type": "letta_v1_agent", "model": "openai/gpt-5-mini", "memory_blocks": [], "reasoning": reasoning,
        });
        let made = app.post("/v1/agents/", &body).await;
        assert_eq!(made.status.as_u16(), 200, "{}", made.text);
        let agent = made.json()["id"].as_str().unwrap().to_owned();
        let turn = app.post(&format!("/v1/agents/{agent}/messages"), &hello()).await.json();
        let first = &turn["messages"][0];
        assert_eq!((&first["message_type"], &first["state"]), (&json!("hidden_reasoning_message"), &json!("omitted")));
        assert_eq!(turn["messages"][1]["content"], "hi", "{turn}");
        let requests = provider.received_requests().await.unwrap();
        let asked: Value = requests.iter().rfind(|one| one.url.path() == "/responses").unwrap().body_json().unwrap();
        assert_eq!(asked["reasoning"]["summary"], summary, "{asked}");
        assert_eq!(asked["include"].is_array(), reasoning, "{asked}");
    }
}

#[tokio::test]
async fn two_blocks_of_one_label_are_refused_in_words() {
    let provider = provider(says("x")).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = format!("/v1/agents/{}", make_agent(&app).await);
    let block = |label: &str| json!({ "label": label, "value": "v" });
    let other = app.post("/v1/blocks/", &block("other")).await.json();
    let path = format!("/v1/blocks/{}", other["id"].as_str().unwrap());
    let attached =
        app.patch(&format!("{agent}/core-memory/blocks/attach/{}", other["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!(attached.status.as_u16(), 200, "{}", attached.text);
    let twin = app.post("/v1/blocks/", &block("other")).await.json();
    let renamed = json!({ "label": "human" });
    for refused in [
        app.patch(&path, &renamed).await,
        app.patch(&format!("{agent}/core-memory/blocks/other"), &renamed).await,
        app.patch(&agent, &json!({ "block_ids": [other["id"], twin["id"]] })).await,
    ] {
        assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
        assert_eq!(refused.detail(), "Two of the agent's blocks have the same label");
    }
    assert_eq!(app.get(&path).await.json()["label"], "other");
}
