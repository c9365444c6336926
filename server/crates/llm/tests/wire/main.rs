//! The client against servers that are scripted byte by byte.

mod anthropic;
mod azure;
mod batches;
mod bedrock;
mod chat_failures;
mod chat_quirks;
mod embeddings;
mod every_format;
mod gemini;
mod histories;
mod listings;
mod responses;
mod server;
mod vendors;
mod vertex;

use mneme_llm::{
    ChatMessage, ChatRequest, Delta, Extras, LlmClient, LlmError, Part, Provider, ProviderKind, RetryPolicy, Timeouts,
    ToolCall, ToolSpec,
};
use std::time::Duration;

/// A client that retries quickly and waits long enough for loopback.
fn client() -> LlmClient {
    client_with(Timeouts::default())
}

fn client_with(timeouts: Timeouts) -> LlmClient {
    mneme_llm::install_crypto();
    let retry =
        RetryPolicy { max_attempts: 3, base_delay: Duration::from_millis(1), max_delay: Duration::from_millis(1500) };
    LlmClient::new(timeouts, retry).expect("client")
}

fn provider(kind: ProviderKind, base: &str) -> Provider {
    let key = Some("sk-test-0123456789".to_owned().into());
    let provider = Provider::new("test", kind, base.parse().expect("url"), key);
    match kind {
        ProviderKind::Bedrock => provider.with(Extras {
            access_key: Some("AKIDEXAMPLE".to_owned().into()),
            region: Some("eu-west-1".into()),
            ..Extras::default()
        }),
        _ => provider,
    }
}

/// A request that says one thing.
fn say(model: &str, text: &str) -> ChatRequest {
    let user = ChatMessage::User { parts: vec![Part::Text(text.into())], name: None };
    ChatRequest { model: model.into(), messages: vec![user], ..ChatRequest::default() }
}

/// The same with a tool on offer.
fn say_with_tool(model: &str, text: &str) -> ChatRequest {
    let parameters = serde_json::json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    let tool = ToolSpec { name: "f".into(), description: "Does f.".into(), parameters };
    ChatRequest { tools: vec![tool], ..say(model, text) }
}

/// Streams a call to its end.
async fn stream(base: &str, request: &ChatRequest) -> Result<Vec<Delta>, LlmError> {
    stream_from(&provider(ProviderKind::OpenAiCompatible, base), request).await
}

async fn stream_from(provider: &Provider, request: &ChatRequest) -> Result<Vec<Delta>, LlmError> {
    use futures::TryStreamExt;
    client().stream(provider, request).await?.try_collect().await
}

fn text(text: &str) -> Delta {
    Delta::Text(text.into())
}

fn thought(text: &str) -> Delta {
    Delta::Reasoning { text: text.into(), signature: None }
}

/// A stream of events whose type is repeated in the `event` field.
fn typed_events(payloads: &[serde_json::Value]) -> String {
    payloads.iter().map(|p| format!("event: {}\ndata: {p}\n\n", p["type"].as_str().unwrap_or(""))).collect()
}

fn signed(text: &str, signature: &str) -> Delta {
    Delta::Reasoning { text: text.into(), signature: Some(signature.into()) }
}

fn called(index: usize, id: &str, name: &str, arguments: &str) -> Delta {
    Delta::ToolCall { index, id: Some(id.into()), name: Some(name.into()), arguments: arguments.into() }
}

fn argued(index: usize, arguments: &str) -> Delta {
    Delta::ToolCall { index, id: None, name: None, arguments: arguments.into() }
}

/// Calls without their generated ids.
fn shown(calls: &[ToolCall]) -> Vec<(&str, &str)> {
    calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect()
}
