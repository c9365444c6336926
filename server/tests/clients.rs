//! What the client libraries rely on, beyond what the API's description says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// A provider whose model always answers "Noted."
async fn provider() -> MockServer {
    let server = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "gpt-4o", "object": "model" },
        { "id": "text-embedding-3-small", "object": "model" },
    ] });
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Noted." } }],
        "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 },
    });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&server).await;
    let said = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(said).mount(&server).await;
    server
}

async fn get_current(app: &TestApp, path: &str) -> Value {
    let answer = app.as_current(Method::GET, path, &Value::Null).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
    answer.json()
}

/// An agent to whom these texts were said before.
async fn agent_who_heard(app: &TestApp, texts: &[&str]) -> String {
    let said: Vec<Value> = texts.iter().map(|text| json!({ "role": "user", "content": text })).collect();
    let body =
        json!({ "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "initial_message_sequence": said });
    let made = app.post("/v1/agents/", &body).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The texts of the user's messages in a list.
fn heard(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.filter(|item| item["message_type"] == "user_message").map(|item| item["content"].as_str().unwrap()).collect()
}

/// Walks a list of messages as the 1.x clients do: each page begins after the last message of the one before.
async fn walked(app: &TestApp, path: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get_current(app, &format!("{path}{cursor}")).await;
        let Some(last) = page.as_array().unwrap().last() else { return seen };
        seen.extend(heard(&page).into_iter().map(str::to_owned));
        assert!(seen.len() <= 20, "the walk does not end: {seen:?}");
        cursor = format!("&after={}", last["id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_history_is_walked_to_its_other_end() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = agent_who_heard(&app, &["one", "two", "three", "four", "five"]).await;
    let list = format!("/v1/agents/{agent}/messages");
    assert_eq!(walked(&app, &format!("{list}?limit=2")).await, ["five", "four", "three", "two", "one"]);
    assert_eq!(walked(&app, &format!("{list}?limit=2&order=desc")).await, ["five", "four", "three", "two", "one"]);
    assert_eq!(walked(&app, &format!("{list}?limit=2&order=asc")).await, ["one", "two", "three", "four", "five"]);

    // Older clients ask for what is new with `after` and for what is old with `before`, whatever the order.
    let all = app.get(&format!("{list}?order=asc")).await.json();
    let id = |text: &str| {
        let found = all.as_array().unwrap().iter().find(|item| item["content"] == text);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    for order in ["", "&order=desc"] {
        let newer = app.get(&format!("{list}?after={}{order}", id("three"))).await.json();
        assert_eq!(heard(&newer), ["five", "four"], "{order}");
        let older = app.get(&format!("{list}?before={}{order}", id("three"))).await.json();
        assert_eq!(heard(&older), ["two", "one"], "{order}");
    }
    let older = get_current(&app, &format!("{list}?before={}", id("three"))).await;
    assert_eq!(heard(&older), ["two", "one"]);
}

#[tokio::test]
async fn a_history_can_be_asked_for_some_kinds_of_messages() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = agent_who_heard(&app, &["one", "two", "three"]).await;
    let list = format!("/v1/agents/{agent}/messages?limit=1&order=desc");
    // The only message of its kind is far from where the list begins; an empty page would end the walk.
    let system = get_current(&app, &format!("{list}&include_return_message_types=system_message")).await;
    assert_eq!(system[0]["message_type"], "system_message", "{system}");
    let kinds = "include_return_message_types=user_message&include_return_message_types=assistant_message";
    assert_eq!(walked(&app, &format!("{list}&{kinds}")).await, ["three", "two", "one"]);
    let none = get_current(&app, &format!("{list}&include_return_message_types=tool_call_message")).await;
    assert_eq!(none, json!([]));
    let unmade = get_current(&app, &format!("{list}&include_return_message_types=summary_message")).await;
    assert_eq!(unmade, json!([]), "a kind that no history has");
    let kinds = json!(["assistant_message", "event_message"]);
    let body = json!({ "input": "four", "include_return_message_types": kinds });
    let said = app.as_current(Method::POST, &format!("/v1/agents/{agent}/messages"), &body).await;
    assert_eq!(said.status.as_u16(), 200, "{}", said.text);
    let refused = app.get(&format!("{list}&include_return_message_types=whispers")).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
}

#[tokio::test]
async fn an_archive_made_by_a_library_needs_no_model_named() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let body = json!({ "name": "notes" });
    let plain = app.post("/v1/archives/", &body).await;
    assert!(plain.status == 422 && plain.detail().contains("embedding_config"), "{}", plain.text);
    for header in ["x-stainless-package-version", "x-fern-sdk-name"] {
        let builder = request(Method::POST, "/v1/archives/").header(header, "letta-client");
        let builder = builder.header("content-type", "application/json");
        let made = app.send(builder.body(Body::from(body.to_string())).unwrap()).await;
        assert_eq!(made.status.as_u16(), 200, "{header}: {}", made.text);
        assert_eq!(made.json()["embedding_config"]["embedding_model"], "text-embedding-3-small", "{header}");
    }
}

#[tokio::test]
async fn an_agent_file_is_one_string_for_the_library_that_insists_on_it() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = agent_who_heard(&app, &["She said \"naïve\", then\n\tleft \u{1}."]).await;
    for query in ["", "?use_legacy_format=true"] {
        let path = format!("/v1/agents/{agent}/export{query}");
        let plain = app.get(&path).await.json();
        assert!(plain.is_object() && plain.to_string().contains("naïve"), "{plain}");
        let strict = request(Method::GET, &path).header("x-fern-language", "JavaScript");
        let quoted = app.send(strict.body(Body::empty()).unwrap()).await.json();
        let inner: Value = serde_json::from_str(quoted.as_str().unwrap()).unwrap();
        assert_eq!(inner["messages"], plain["messages"], "{query}");
        assert_eq!(inner["agents"][0]["messages"], plain["agents"][0]["messages"], "{query}");
    }
}

#[tokio::test]
async fn a_newer_client_reads_what_came_of_a_summary() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let texts: Vec<String> = (0..40).map(|number| format!("{number}: {}", "It rained all day. ".repeat(60))).collect();
    let agent = agent_who_heard(&app, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let path = format!("/v1/agents/{agent}/summarize");
    let done = app.as_current(Method::POST, &path, &Value::Null).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.text);
    let done = done.json();
    assert_eq!(done["num_messages_before"], 41, "{done}");
    assert!(done["num_messages_after"].as_u64().unwrap() < 41, "{done}");
    assert!(done["summary"].as_str().unwrap().contains("Noted."), "{done}");
    let classic = app.post(&path, &json!({})).await;
    assert_eq!((classic.status.as_u16(), classic.text.as_str()), (204, ""));
}

#[tokio::test]
async fn requests_are_taken_as_the_libraries_send_them() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = format!("/v1/agents/{}", agent_who_heard(&app, &["one"]).await);

    // The 1.x library for TypeScript names a field as its own parameter.
    let source = "def roll(sides: int) -> int:\n    \"\"\"Rolls a die.\n\n    Args:\n        sides: How many.\n    \"\"\"\n    return 4\n";
    let tool = app.post("/v1/tools/", &json!({ "source_code": source })).await.json();
    let attach = format!("{agent}/tools/attach/{}", tool["id"].as_str().unwrap());
    assert_eq!(app.patch(&attach, &json!({})).await.status.as_u16(), 200);
    let guard = app.patch(&format!("{agent}/tools/approval/roll"), &json!({ "body_requires_approval": true })).await;
    assert_eq!(guard.status.as_u16(), 200, "{}", guard.text);
    let rules = guard.json()["tool_rules"].to_string();
    assert!(rules.contains("requires_approval"), "{rules}");

    // The 0.x libraries change a passage without saying how, and know two paths for embedding models.
    let kept = app.post(&format!("{agent}/archival-memory"), &json!({ "text": "It rained." })).await.json();
    let passage = format!("{agent}/archival-memory/{}", kept[0]["id"].as_str().unwrap());
    let same = app.send(request(Method::PATCH, &passage).body(Body::empty()).unwrap()).await;
    assert_eq!((same.status.as_u16(), &same.json()["text"]), (200, &json!("It rained.")));
    let models = app.get("/v1/models/embeddings").await.json();
    assert_eq!(models, app.get("/v1/models/embedding").await.json());
    assert_eq!(models[0]["embedding_model"], "text-embedding-3-small", "{models}");

    // They read a deleted run as the run that it was.
    let said = app.post(&format!("{agent}/messages"), &json!({ "input": "Hello" })).await.json();
    let run = said["messages"][0]["run_id"].as_str().unwrap();
    let gone = app.delete(&format!("/v1/runs/{run}")).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["id"]), (200, &json!(run)));
    assert_eq!(app.get(&format!("/v1/runs/{run}")).await.status.as_u16(), 404);
}

#[tokio::test]
async fn the_messages_of_all_agents_are_listed_together() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    agent_who_heard(&app, &["one"]).await;
    agent_who_heard(&app, &["two", "three"]).await;
    let all = get_current(&app, "/v1/messages/?order=asc").await;
    assert_eq!(heard(&all), ["one", "two", "three"]);
    let kinds = "include_return_message_types=user_message";
    let newest = get_current(&app, &format!("/v1/messages/?limit=2&{kinds}")).await;
    assert_eq!((heard(&newest), newest.as_array().unwrap().len()), (vec!["three", "two"], 2));
    let rest = format!("/v1/messages/?{kinds}&after={}", newest[1]["id"].as_str().unwrap());
    assert_eq!(heard(&get_current(&app, &rest).await), ["one"]);
    assert_eq!(get_current(&app, "/v1/messages/?conversation_id=conv-1").await, json!([]));
}

#[tokio::test]
async fn a_prompt_is_written_anew_when_asked_for() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let blocks = json!([{ "label": "human", "value": "She is called Ada." }]);
    let body = json!({ "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "memory_blocks": blocks });
    let made = app.post("/v1/agents/", &body).await.json();
    let agent = format!("/v1/agents/{}", made["id"].as_str().unwrap());
    let block = format!("{agent}/core-memory/blocks/human");
    assert_eq!(app.patch(&block, &json!({ "value": "She says \"Eve\"." })).await.status.as_u16(), 200);
    let kept = async || {
        let context = app.get(&format!("{agent}/context")).await.json();
        context["messages"][0]["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let before = kept().await;

    let tried = app.post(&format!("{agent}/recompile?dry_run=true"), &json!({})).await;
    assert_eq!(tried.status.as_u16(), 200, "{}", tried.text);
    assert!(
        tried.text.contains("\nShe says \"Eve\".\n") && tried.text.ends_with("</memory_metadata>"),
        "{}",
        tried.text
    );
    assert_eq!(kept().await, before, "a dry run keeps nothing");

    let path = format!("{agent}/recompile?update_timestamp=true");
    let written = app.as_current(Method::POST, &path, &Value::Null).await;
    assert_eq!(written.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(written.text.contains("She says \"Eve\"."), "{}", written.text);
    assert_eq!(kept().await, written.text);
    let missing = app.post("/v1/agents/agent-00000000-0000-4000-8000-000000000000/recompile", &json!({})).await;
    assert_eq!(missing.status.as_u16(), 404);
}

#[tokio::test]
async fn tools_are_found_by_their_words() {
    let app = TestApp::new().await;
    for (name, argument, about, tag) in [
        ("roll_dice", "sides", "Throws a die.", "games"),
        ("send_parcel", "weight", "Sends a parcel, but no dice.", "post"),
        ("weigh", "thing", "Says how heavy a thing is.", "post"),
    ] {
        let source = format!(
            "def {name}({argument}: str) -> str:\n    \"\"\"{about}\n\n    Args:\n        {argument}: It.\n    \"\"\"\n    return ''\n"
        );
        let made = app.post("/v1/tools/", &json!({ "source_code": source, "tags": [tag] })).await;
        assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    }
    let search = async |body: Value| {
        let found = app.post("/v1/tools/search", &body).await;
        assert_eq!(found.status.as_u16(), 200, "{body}: {}", found.text);
        let names = found.json().as_array().unwrap().iter().map(|item| item["tool"]["name"].clone()).collect();
        (Value::Array(names), found.json()[0].clone())
    };
    let (names, best) = search(json!({ "query": "dice", "search_mode": "hybrid" })).await;
    assert_eq!(names, json!(["roll_dice", "send_parcel"]));
    assert_eq!((&best["fts_rank"], &best["vector_rank"]), (&json!(1), &json!(null)));
    assert!(best["embedded_text"].as_str().unwrap().contains("Throws a die."), "{best}");
    assert!(best["combined_score"].as_f64().unwrap() > 0.0, "{best}");
    assert_eq!(search(json!({ "query": "weighing" })).await.0, json!(["weigh"]));
    assert_eq!(search(json!({ "query": "SIDES" })).await.0, json!(["roll_dice"]));
    assert_eq!(search(json!({ "query": "dice", "tags": ["post"] })).await.0, json!(["send_parcel"]));
    assert_eq!(search(json!({ "tool_types": ["custom"], "limit": 2 })).await.0, json!(["weigh", "send_parcel"]));
    assert_eq!(search(json!({ "query": "submarine" })).await.0, json!([]));
    let refused = app.post("/v1/tools/search", &json!({ "tool_types": ["magic"] })).await;
    assert!(refused.status == 422 && refused.detail().contains("('body', 'tool_types')"), "{}", refused.text);
}

#[tokio::test]
async fn a_run_is_told_as_spans() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = agent_who_heard(&app, &["one"]).await;
    let said = app.post(&format!("/v1/agents/{agent}/messages"), &json!({ "input": "Hello" })).await.json();
    let run = said["messages"][0]["run_id"].as_str().unwrap();
    let trace = get_current(&app, &format!("/v1/runs/{run}/trace")).await;
    let spans = trace.as_array().unwrap();
    let whole = &spans[0];
    assert_eq!((&whole["SpanName"], &whole["StatusCode"]), (&json!("run"), &json!("Ok")), "{trace}");
    assert_eq!(whole["TraceId"], run.trim_start_matches("run-").replace('-', ""));
    assert_eq!((&whole["SpanAttributes"]["agent.id"], &whole["ParentSpanId"]), (&json!(agent), &json!("")));
    let named = |name: &str| {
        let mut found = spans.iter().filter(|span| span["SpanName"] == name);
        let one = found.next().unwrap_or_else(|| panic!("no {name}: {trace}"));
        assert!(found.next().is_none(), "more than one {name}: {trace}");
        one
    };
    let (step, call) = (named("agent_step"), named("llm_request"));
    assert_eq!((&step["ParentSpanId"], &call["ParentSpanId"]), (&whole["SpanId"], &step["SpanId"]));
    assert_eq!(call["SpanAttributes"]["llm.prompt_tokens"], 11, "{call}");
    assert!(call["Duration"].as_i64().unwrap() > 0, "{call}");
    let ids: std::collections::HashSet<&str> = spans.iter().map(|span| span["SpanId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), spans.len(), "{trace}");
    assert_eq!(get_current(&app, &format!("/v1/runs/{run}/trace?limit=1")).await.as_array().unwrap().len(), 1);
    assert_eq!(app.get("/v1/runs/run-00000000-0000-4000-8000-000000000000/trace").await.status.as_u16(), 404);
}

#[tokio::test]
async fn another_model_answers_for_one_turn() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = format!("/v1/agents/{}", agent_who_heard(&app, &["one"]).await);
    let messages = format!("{agent}/messages");
    for body in [json!({ "input": "two", "override_model": "openai/gpt-4o" }), json!({ "input": "three" })] {
        let answer = app.post(&messages, &body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    }
    let asked = provider.received_requests().await.unwrap();
    let chats = asked.iter().filter(|request| request.url.path() == "/chat/completions");
    let models: Vec<Value> = chats.map(|chat| chat.body_json::<Value>().unwrap()["model"].clone()).collect();
    assert_eq!(models, ["gpt-4o", "gpt-4o-mini"]);
    assert_eq!(app.get(&agent).await.json()["llm_config"]["model"], "gpt-4o-mini", "the agent keeps its own");
    let refused = app.post(&messages, &json!({ "input": "four", "override_model": "openai/nobody" })).await;
    assert!((400..500).contains(&refused.status.as_u16()), "{} {}", refused.status, refused.text);
}
