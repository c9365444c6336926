//! The provider over its own wire.

use serde_json::{Value, json};

use super::*;
use crate::client::Client;
use crate::load::{self, Limit, Worker};

async fn client(provider: &Provider) -> Client {
    Client::connect(provider.port).await.expect("connected")
}

fn chat(content: &str, stream: bool) -> String {
    let messages = json!([
        {"role": "system", "content": "Be brief. TOOL no no."},
        {"role": "user", "content": content},
    ]);
    json!({"model": MODELS[0], "messages": messages, "stream": stream}).to_string()
}

async fn asked(client: &mut Client, content: &str) -> Value {
    let body = client.post("/v1/chat/completions", chat(content, false)).await.expect("answered");
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn the_answer_follows_from_the_request() {
    let provider = Provider::start().expect("started");
    let mut client = client(&provider).await;
    let text = asked(&mut client, "hello").await;
    assert_eq!(text["choices"][0]["message"]["content"], "ok");
    assert_eq!(text["choices"][0]["finish_reason"], "stop");
    let call = asked(&mut client, "TOOL x1x x2x").await;
    let function = &call["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(function["name"], "memory_replace");
    assert_eq!(
        serde_json::from_str::<Value>(function["arguments"].as_str().expect("text")).expect("JSON"),
        json!({"label": "human", "old_str": "x1x", "new_str": "x2x"})
    );
    assert_ne!(text["id"], call["id"]);
    assert_eq!(provider.chats(), 2);
    let models = client.get("/v1/models").await.expect("answered");
    let models: Value = serde_json::from_slice(&models).expect("JSON");
    assert_eq!(models["data"][0]["id"], MODELS[0]);
    let failure = client.get("/v1/nothing").await.expect_err("no such route");
    assert!(matches!(failure, Failure::Unserved(_)), "{failure}");
    let failure = client.post("/v1/chat/completions", "{").await.expect_err("no JSON");
    assert!(matches!(failure, Failure::Broken(_)), "{failure}");
}

#[tokio::test]
async fn the_slow_model_streams_word_by_word_and_tells_how_long_it_held_the_first() {
    let provider = Provider::start().expect("started");
    let mut client = client(&provider).await;
    let begun = Instant::now();
    let (mut first, mut text) = (None, Vec::new());
    client
        .stream("/v1/chat/completions", chat("SLOW", true), |so_far| {
            first.get_or_insert(begun.elapsed());
            text = so_far.to_vec();
        })
        .await
        .expect("streamed");
    let (first, whole) = (first.expect("something came"), begun.elapsed());
    assert!(provider.held() >= FIRST_TOKEN && provider.held() <= first);
    assert!(whole >= first + NEXT_TOKEN * 9, "{first:?} of {whole:?}");
    let text = String::from_utf8(text).expect("text");
    let words: String = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|chunk| {
            let content = chunk["choices"][0]["delta"]["content"].as_str();
            content.map(str::to_owned)
        })
        .collect();
    assert_eq!(words, "all of this comes slowly, word by word.");
    assert!(text.ends_with("data: [DONE]\n\n"));
}

struct Chatter(Client);

impl Worker for Chatter {
    async fn once(&mut self) -> crate::failure::Result<Duration> {
        let begun = Instant::now();
        let mut text = Vec::new();
        self.0
            .stream("/v1/chat/completions", chat("hello", true), |so_far| {
                text = so_far.to_vec();
            })
            .await?;
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains(r#""content":"ok""#) && text.contains("prompt_tokens"));
        Ok(begun.elapsed())
    }
}

#[tokio::test]
async fn many_clients_are_answered_at_once() {
    let provider = Provider::start().expect("started");
    let mut workers = Vec::new();
    for _ in 0..16 {
        workers.push(Chatter(client(&provider).await));
    }
    let limit = Limit { time: Duration::from_secs(30), count: 800 };
    let sample = load::run(&mut workers, limit).await.expect("all answered");
    assert_eq!(sample.count(), 800);
    assert_eq!(provider.chats(), 800);
}
