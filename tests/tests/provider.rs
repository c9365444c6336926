//! The scripted model provider, as an HTTP client sees it.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use futures::StreamExt;
use mneme_tests::{Provider, Reply, http_client};
use serde_json::{Value, json};

fn question(text: &str, stream: bool) -> Value {
    json!({
        "model": "gpt-4o-mini",
        "stream": stream,
        "stream_options": {"include_usage": true},
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}],
    })
}

async fn ask(provider: &Provider, body: &Value) -> reqwest::Response {
    let url = format!("{}/chat/completions", provider.base_url());
    http_client().post(url).json(body).send().await.expect("the provider answers")
}

async fn ask_json(provider: &Provider, text: &str) -> Value {
    ask(provider, &question(text, false)).await.json().await.expect("the answer is JSON")
}

/// The `data:` payloads of a streamed answer.
async fn ask_stream(provider: &Provider, text: &str) -> Vec<String> {
    let body = ask(provider, &question(text, true)).await.text().await.expect("the stream ends");
    body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn echoes_and_records_when_nothing_is_scripted() {
    let provider = Provider::start().await;
    let answer = ask_json(&provider, "hello there").await;
    assert_eq!(answer["choices"][0]["message"]["content"], "echo: hello there");
    let chats = provider.chats();
    assert_eq!(chats.len(), 1);
    assert_eq!(chats[0].system_prompt(), "Be brief.");
    assert_eq!(chats[0].last_user_text(), "hello there");
}

#[tokio::test]
async fn answers_in_the_order_of_the_script_and_by_address() {
    let provider = Provider::start().await;
    provider.reply(Reply::text("first")).reply(Reply::text("second")).reply_to("tea", Reply::text("for tea"));
    assert_eq!(ask_json(&provider, "any").await["choices"][0]["message"]["content"], "first");
    assert_eq!(ask_json(&provider, "about tea").await["choices"][0]["message"]["content"], "for tea");
    assert_eq!(ask_json(&provider, "any").await["choices"][0]["message"]["content"], "second");
    assert_eq!(provider.unused_replies(), 0);
}

#[tokio::test]
async fn streams_words_usage_and_done() {
    let provider = Provider::start().await;
    provider.reply(Reply::text("one two three").usage(7, 3));
    let events = ask_stream(&provider, "count").await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    let words: Vec<&str> = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(words, ["", "one ", "two ", "three"]);
    let last = chunks.last().unwrap();
    assert_eq!((&last["usage"]["total_tokens"], &last["choices"]), (&json!(10), &json!([])));
}

#[tokio::test]
async fn calls_tools_whole_and_streamed() {
    let provider = Provider::start().await;
    let call = || Reply::tool_call("add", json!({"a": 1, "b": 2})).with_text("adding").call_id("call_7");
    provider.reply(call()).reply(call());
    let whole = ask_json(&provider, "1+2").await;
    let message = &whole["choices"][0]["message"];
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(message["content"], "adding");
    assert_eq!(
        message["tool_calls"],
        json!([{"id": "call_7", "type": "function", "function": {"name": "add", "arguments": r#"{"a":1,"b":2}"#}}])
    );
    let streamed = ask_stream(&provider, "1+2").await.join("\n");
    assert!(
        streamed.contains(r#""id":"call_7""#) && streamed.contains(r#""finish_reason":"tool_calls""#),
        "{streamed}"
    );
}

#[tokio::test]
async fn sends_errors_and_raw_bytes_as_scripted() {
    let provider = Provider::start().await;
    provider
        .reply(Reply::error(429, "rate_limit_exceeded", "slow down").header("retry-after", "3"))
        .raw_sse("data: {oops");
    let refused = ask(&provider, &question("x", false)).await;
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    let raw = ask(&provider, &question("x", true)).await;
    assert_eq!(raw.headers()["content-type"], "text/event-stream");
    assert_eq!(raw.text().await.unwrap(), "data: {oops");
}

#[tokio::test]
async fn notices_a_client_that_leaves_a_stalled_stream() {
    let provider = Provider::start().await;
    provider.reply(Reply::text("never to be finished").stall_after(2));
    let mut body = ask(&provider, &question("x", true)).await.bytes_stream();
    body.next().await.expect("a first chunk").expect("without an error");
    assert_eq!(provider.disconnects(), 0);
    drop(body);
    provider.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn notices_a_client_that_gives_up_on_a_hang() {
    let provider = Provider::start().await;
    provider.reply(Reply::hang());
    let url = format!("{}/chat/completions", provider.base_url());
    let request = http_client().post(url).json(&question("x", false)).timeout(Duration::from_millis(200)).send();
    let (answer, ()) = tokio::join!(request, provider.wait_for_chats(1));
    assert!(answer.is_err_and(|error| error.is_timeout()));
    provider.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn lists_models_and_embeds_similar_texts_closely() {
    let provider = Provider::start().await;
    provider.models(&["tiny"]);
    let models: Value =
        http_client().get(format!("{}/models", provider.base_url())).send().await.unwrap().json().await.unwrap();
    assert_eq!(models["data"][0]["id"], "tiny");
    let body = json!({"model": "e", "input": ["green tea", "Tea, green!", "steam engine"], "dimensions": 64});
    let url = format!("{}/embeddings", provider.base_url());
    let answer: Value = http_client().post(url).json(&body).send().await.unwrap().json().await.unwrap();
    let vectors: Vec<Vec<f64>> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| serde_json::from_value(row["embedding"].clone()).unwrap())
        .collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    assert_eq!(vectors[0].len(), 64);
    assert!((dot(&vectors[0], &vectors[1]) - 1.0).abs() < 1e-9);
    assert!(dot(&vectors[0], &vectors[2]) < 0.5);
}
