//! Agents behind OpenAI's chat completions.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::TestApp;
use mneme_tests::{Provider, Reply};
use serde_json::{Value, json};

async fn agent(app: &TestApp) -> String {
    let body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "I am Ada."}],
    });
    app.post("/v1/agents/", &body).await.json()["id"].as_str().unwrap().to_owned()
}

fn chat(agent: &str, stream: bool) -> Value {
    json!({
        "model": agent, "stream": stream, "stream_options": {"include_usage": true}, "temperature": 0.1,
        "messages": [
            {"role": "system", "content": "You are a pirate."},
            {"role": "user", "content": "an old question"},
            {"role": "assistant", "content": "an old answer"},
            {"role": "user", "content": "a new question"},
        ],
    })
}

fn edits(provider: &Provider) {
    let edit = json!({"label": "human", "old_str": "I am Ada.", "new_str": "I am Ada. I like tea."});
    provider
        .reply(Reply::tool_call("memory_replace", edit).with_text("One moment.").usage(10, 2))
        .reply(Reply::text("Tea it is.").usage(20, 3));
}

#[tokio::test]
async fn an_agent_completes_a_chat_with_its_own_tools_and_memory() {
    let provider = Provider::start().await;
    let app = TestApp::with_provider(&provider.base_url()).await;
    let agent = agent(&app).await;
    edits(&provider);
    let answer = app.post("/v1/chat/completions", &chat(&agent, false)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "gpt-4o-mini");
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-run-"));
    let choice = &body["choices"][0];
    assert_eq!(
        choice["message"],
        json!({"role": "assistant", "content": "One moment.\n\nTea it is.", "refusal": null})
    );
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(body["usage"], json!({"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": 35}));

    let sent = provider.chats()[0].body["messages"].to_string();
    assert!(sent.contains("a new question") && !sent.contains("old") && !sent.contains("pirate"), "{sent}");
    let block = app.get(&format!("/v1/agents/{agent}/core-memory/blocks/human")).await.json();
    assert_eq!(block["value"], "I am Ada. I like tea.");
}

#[tokio::test]
async fn a_stream_has_the_words_then_the_reason_then_the_usage() {
    let provider = Provider::start().await;
    let app = TestApp::with_provider(&provider.base_url()).await;
    let agent = agent(&app).await;
    for path in ["/v1/chat/completions".to_owned(), format!("/v1/voice-beta/{agent}/chat/completions")] {
        provider.reply(Reply::text("One, two, three."));
        let answer = app.post(&path, &chat(&agent, true)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let (events, done) = answer.text.trim_end().rsplit_once("\n\n").unwrap();
        assert_eq!(done, "data: [DONE]");
        let chunks: Vec<Value> = events
            .split("\n\n")
            .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
            .collect();
        let (usage, spoken) = chunks.split_last().unwrap();
        assert_eq!(usage["choices"], json!([]));
        assert!(usage["usage"]["total_tokens"].as_i64().unwrap() > 0, "{usage}");
        let text: String = spoken.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, "One, two, three.");
        assert_eq!(spoken[0]["choices"][0]["delta"]["role"], "assistant");
        assert!(spoken.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["id"] == usage["id"]));
        let reasons: Vec<&Value> = spoken.iter().map(|chunk| &chunk["choices"][0]["finish_reason"]).collect();
        assert!(reasons[..reasons.len() - 1].iter().all(|reason| reason.is_null()));
        assert_eq!(reasons[reasons.len() - 1], "stop");
    }
}

#[tokio::test]
async fn what_no_agent_can_answer_is_refused_before_any_stream_begins() {
    let provider = Provider::start().await;
    let app = TestApp::with_provider(&provider.base_url()).await;
    let agent = agent(&app).await;
    let refused = app.post("/v1/chat/completions", &chat("gpt-4o", true)).await;
    assert_eq!(refused.status.as_u16(), 400);
    assert!(refused.json()["detail"].as_str().unwrap().contains("'model' field should contain an agent ID"));
    let nobody = "agent-00000000-0000-4000-8000-000000000000";
    assert_eq!(app.post("/v1/chat/completions", &chat(nobody, true)).await.status.as_u16(), 404);
    let mut two = chat(&agent, false);
    two["n"] = json!(2);
    assert_eq!(app.post("/v1/chat/completions", &two).await.status.as_u16(), 400);
    provider.reply(Reply::error(401, "invalid_api_key", "no such key"));
    assert_eq!(app.post("/v1/chat/completions", &chat(&agent, true)).await.status.as_u16(), 401);
}
