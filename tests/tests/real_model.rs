//! A real llama.cpp server as provider: the operator's, and an organisation's own.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mneme_tests::{
    Server,
    llamacpp::{LlamaCpp, MODEL},
};
use serde_json::{Value, json};

/// Makes an agent with the model, has it speak in steps and in tokens, and returns what it said.
async fn conversation(server: &Server, handle: &str) -> Vec<String> {
    let body = json!({"model": handle, "include_base_tools": false, "memory_blocks": [
        {"label": "human", "value": "The user's name is Ada."}]});
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    let path = format!("/v1/agents/{}/messages", agent["id"].as_str().unwrap());
    let message = json!({"messages": [{"role": "user", "content": "Say hello."}]});
    let (status, whole) = server.post(&path, &message).await;
    assert_eq!(status, 200, "{whole}");
    assert!(whole["usage"]["prompt_tokens"].as_u64().unwrap() > 20, "llama.cpp counts: {whole}");
    let whole: String = whole["messages"].as_array().unwrap().iter().filter_map(said).collect();

    let streamed = json!({"messages": [{"role": "user", "content": "And goodbye."}], "stream_tokens": true});
    let answer = server.http().post(format!("{}{path}/stream", server.url())).json(&streamed).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    let events = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let events: Vec<Value> = events.map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(events.iter().any(|event| event["stop_reason"] == "end_turn"), "{text}");
    vec![whole, events.iter().filter_map(said).collect()]
}

fn said(message: &Value) -> Option<String> {
    (message["message_type"] == "assistant_message").then(|| message["content"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_real_model_answers_in_steps_and_in_tokens() {
    let llama = tokio::task::spawn_blocking(LlamaCpp::start).await.unwrap();
    let server =
        Server::builder().env("LLAMACPP_BASE_URL", llama.base_url()).env("LLAMACPP_API_KEY", llama.key()).start().await;
    let (_, models) = server.get("/v1/models/").await;
    let handle = format!("llamacpp/{MODEL}");
    let model = models.as_array().unwrap().iter().find(|model| model["handle"] == handle.as_str());
    assert_eq!(model.unwrap()["context_window"], 8192, "the window that it was started with: {models}");
    for text in conversation(&server, &handle).await {
        assert!(!text.trim().is_empty());
    }

    let mine = json!({"name": "mine", "provider_type": "openai", "api_key": llama.key(), "base_url": llama.base_url()});
    let (status, provider) = server.post("/v1/providers/", &mine).await;
    assert_eq!(status, 200, "{provider}");
    let check = format!("/v1/providers/{}/check", provider["id"].as_str().unwrap());
    assert_eq!(server.post(&check, &json!({})).await.0, 200);
    let wrong = json!({"provider_type": "openai", "api_key": "another-key", "base_url": llama.base_url()});
    let (status, refusal) = server.post("/v1/providers/check", &wrong).await;
    assert_eq!((status, refusal["error"]["type"].as_str()), (401, Some("llm_authentication")), "{refusal}");
    for text in conversation(&server, &format!("mine/{MODEL}")).await {
        assert!(!text.trim().is_empty());
    }
}
