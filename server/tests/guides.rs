//! Requests as the API's guides show them, where they differ from what the client libraries send.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{Answer, TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// A server over a provider whose model says hello.
async fn server() -> (TestApp, MockServer) {
    let provider = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "text-embedding-3-small", "object": "model" },
    ] });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&provider).await;
    (TestApp::with_provider(&provider.uri()).await, provider)
}

fn good(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{}: {}", answer.status, answer.text);
    answer.json()
}

#[tokio::test]
async fn a_version_behind_the_templates_name_makes_an_agent_and_saves_nothing() {
    let (app, _provider) = server().await;
    let block = json!({ "label": "human", "value": "Their name is {{name}} and the ticket is {{ticket}}." });
    let body = json!({ "model": "openai/gpt-4o-mini", "memory_blocks": [block] });
    let source = good(app.post("/v1/agents/", &body).await)["id"].clone();
    let place = "/v1/templates/default-project";
    good(app.post(place, &json!({ "type": "agent", "agent_id": source, "name": "support" })).await);
    let person = json!({ "identifier_key": "customer_bob", "name": "Bob", "identity_type": "user" });
    let person = good(app.post("/v1/identities/", &person).await);

    let body = json!({ "from_template": "support:latest", "variables": { "name": "Bob", "ticket": "TX-123" },
        "identity_ids": ["customer_bob"] });
    for version in ["latest", "1"] {
        let answer = app.post(&format!("{place}/support:{version}"), &body).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        let agent = answer.json()["agents"][0].clone();
        assert_eq!(agent["blocks"][0]["value"], "Their name is Bob and the ticket is TX-123.");
        assert_eq!(agent["identity_ids"], json!([person["id"]]));
    }
    let bare = app.post(&format!("{place}/support:latest"), &json!({})).await;
    assert_eq!(bare.status.as_u16(), 201, "{}", bare.text);
    let versions = good(app.get(&format!("{place}/support/versions")).await);
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1, "{versions}");

    assert_eq!(app.post(&format!("{place}/support:7"), &body).await.status.as_u16(), 404);
    let stranger = app.post(&format!("{place}/support:1"), &json!({ "identity_ids": ["customer_eve"] })).await;
    assert_eq!((stranger.status.as_u16(), stranger.detail().as_str()), (404, "Identity 'customer_eve' not found"));
    assert_eq!(good(app.post(&format!("{place}/support"), &json!({})).await)["latest_version"], "2");
}

#[tokio::test]
async fn a_tools_schema_may_be_wrapped_as_for_a_model_provider() {
    let app = TestApp::new().await;
    let schema = |text: &str| {
        let parameters = json!({
            "type": "object", "required": ["record"],
            "properties": { "record": { "type": "string", "description": text } },
        });
        json!({ "type": "function", "function": { "name": "sensitive_operation", "parameters": parameters } })
    };
    let source = "def sensitive_operation(record: str):\n    \"\"\"Deletes a record.\n\n    Args:\n        record (str): Which one.\n    \"\"\"\n    return record\n";
    let body = json!({ "name": "sensitive_operation", "default_requires_approval": true, "source_code": source,
        "json_schema": schema("Only one that was archived.") });
    let tool = good(app.post("/v1/tools/", &body).await);
    assert_eq!(tool["json_schema"], schema("Only one that was archived.")["function"]);
    let path = format!("/v1/tools/{}", tool["id"].as_str().unwrap());
    let changed = good(app.patch(&path, &json!({ "json_schema": schema("Any.") })).await);
    assert_eq!(changed["json_schema"], schema("Any.")["function"]);
    let bare = good(app.patch(&path, &json!({ "json_schema": schema("None.")["function"] })).await);
    assert_eq!(bare["json_schema"], schema("None.")["function"]);
}

#[tokio::test]
async fn older_words_for_a_message_and_a_rule_are_understood() {
    let (app, provider) = server().await;
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
        "choices": [{ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "Fine." } }],
        "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 },
    });
    let said = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(said).mount(&provider).await;
    let rule = json!({ "type": "parent", "tool_name": "parent_tool", "children": ["child_tool"] });
    let body = json!({ "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "tool_rules": [rule] });
    let agent = good(app.post("/v1/agents/", &body).await);
    assert_eq!(agent["tool_rules"][0]["type"], "parent_last_tool", "{agent}");

    let messages = format!("/v1/agents/{}/messages", agent["id"].as_str().unwrap());
    let body = json!({ "messages": [{ "role": "user", "text": "hows it going????" }] });
    assert_eq!(good(app.post(&messages, &body).await)["messages"][0]["content"], "Fine.");
    let heard = good(app.get(&format!("{messages}?order=asc")).await);
    let heard: Vec<&Value> = heard.as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert!(heard.contains(&&json!("hows it going????")), "{heard:?}");
    for nothing in [json!({ "role": "user", "text": 7 }), json!({ "role": "user" })] {
        let refused = app.post(&messages, &json!({ "messages": [nothing] })).await;
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
        assert!(refused.detail().contains("'content'"), "{}", refused.text);
    }
}

#[tokio::test]
async fn an_agent_file_that_was_written_as_json_once_more_is_imported() {
    let (app, _provider) = server().await;
    let block = json!({ "label": "human", "value": "She says \"naïve\" 😀\n\tand left." });
    let body = json!({ "model": "openai/gpt-4o-mini", "name": "clerk", "memory_blocks": [block] });
    let agent = good(app.post("/v1/agents/", &body).await);
    let import = async |file: &str| {
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"my-agent.json\"";
        let body = format!("--b\r\n{head}\r\n\r\n{file}\r\n--b--\r\n");
        let form = request(Method::POST, "/v1/agents/import").header("content-type", "multipart/form-data; boundary=b");
        app.send(form.body(Body::from(body)).unwrap()).await
    };
    // What the 0.x client for TypeScript gets is a string; `JSON.stringify` puts it into quotes.
    let path = format!("/v1/agents/{}/export", agent["id"].as_str().unwrap());
    let strict = request(Method::GET, &path).header("x-fern-language", "JavaScript");
    let file = app.send(strict.body(Body::empty()).unwrap()).await.text;
    assert!(file.starts_with('"'), "{file}");
    let copy = good(import(&file).await)["agent_ids"][0].clone();
    let copy = good(app.get(&format!("/v1/agents/{}", copy.as_str().unwrap())).await);
    assert_eq!((&copy["name"], &copy["blocks"][0]["value"]), (&json!("clerk_copy"), &agent["blocks"][0]["value"]));

    let cut = file.chars().take(600).collect();
    for wrong in [json!(file).to_string(), json!("x".repeat(9_000)).to_string(), cut] {
        let refused = import(&wrong).await;
        assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
        assert!(refused.text.len() < 2_000, "it repeats the file");
    }
}

#[tokio::test]
async fn an_agents_tools_say_whether_they_wait_for_approval() {
    let (app, _provider) = server().await;
    let body = json!({ "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini" });
    let agent = format!("/v1/agents/{}/tools", good(app.post("/v1/agents/", &body).await)["id"].as_str().unwrap());
    let guarded = async || {
        let tools = good(app.get(&agent).await);
        let tools = tools.as_array().unwrap().iter().filter(|tool| tool["requires_approval"] == true);
        tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(guarded().await.is_empty());
    let path = format!("{agent}/memory_insert/approval");
    good(app.patch(&path, &json!({ "requires_approval": true })).await);
    assert_eq!(guarded().await, ["memory_insert"]);
    good(app.patch(&path, &json!({ "requires_approval": false })).await);
    assert!(guarded().await.is_empty());
    assert_eq!(app.patch(&path, &json!({})).await.status.as_u16(), 422);
}

#[tokio::test]
async fn a_search_for_agents_goes_on_where_the_address_says() {
    let (app, _provider) = server().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(good(app.post("/v1/agents/", &json!({ "model": "openai/gpt-4o-mini" })).await)["id"].clone());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    while seen.len() < 9 {
        let page =
            good(app.post(&format!("/v1/agents/search{cursor}"), &json!({ "limit": 1, "ascending": true })).await);
        seen.extend(page["agents"].as_array().unwrap().iter().map(|agent| agent["id"].clone()));
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("?after={next}");
    }
    assert_eq!(seen, made);
}
