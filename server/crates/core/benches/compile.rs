//! How long it takes to make a request of a long context: `cargo bench -p mneme-core --bench compile`.
//!
//! What is timed is what a step does before it calls its model: stored messages become a conversation, repaired where
//! a provider would refuse it, and that becomes the body that goes over the wire.

use std::time::{Duration, Instant};

use mneme_core::compiled;
use mneme_domain::{
    AgentId, Env, MessageId,
    content::ContentPart,
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
};
use mneme_llm::{ChatRequest, LlmClient, Provider, ProviderKind, RetryPolicy, Timeouts};

const MESSAGES: usize = 1_000;
const ROUNDS: usize = 200;
/// What the project wants: half of the rounds take less.
const TARGET: Duration = Duration::from_millis(3);

/// A conversation in which every fourth message is a tool call, and the one after it its return.
fn history(env: &Env) -> Vec<Message> {
    let agent = AgentId::from_uuid(env.uuid());
    let new = |role| Message::new(MessageId::from_uuid(env.uuid()), agent.clone(), role, env.now());
    let text = |number: usize| format!("Message number {number}: {}", "what was said then, and again. ".repeat(5));
    (0..MESSAGES)
        .map(|number| match number % 4 {
            0 => Message { content: vec![ContentPart::text(text(number))], ..new(MessageRole::User) },
            1 => {
                let arguments = format!("{{\"label\":\"human\",\"new_str\":\"fact {number}\"}}");
                let call = StoredToolCall::new(format!("call_{number}"), "memory_insert", arguments);
                Message { tool_calls: Some(vec![call]), ..new(MessageRole::Assistant) }
            }
            2 => {
                let returned = StoredToolReturn {
                    tool_call_id: Some(format!("call_{}", number - 1)),
                    status: ToolStatus::Success,
                    stdout: None,
                    stderr: None,
                    func_response: Some(text(number)),
                };
                Message { tool_returns: vec![returned], ..new(MessageRole::Tool) }
            }
            _ => Message { content: vec![ContentPart::text(text(number))], ..new(MessageRole::Assistant) },
        })
        .collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let env = Env::system();
    let messages = history(&env);
    let client = LlmClient::new(Timeouts::default(), RetryPolicy::default())?;
    for (name, kind) in [
        ("chat completions", ProviderKind::OpenAiCompatible),
        ("Anthropic", ProviderKind::Anthropic),
        ("Gemini", ProviderKind::Gemini),
    ] {
        let provider = Provider::new("bench", kind, "http://127.0.0.1:9/v1".parse()?, None);
        let mut took = Vec::with_capacity(ROUNDS);
        let mut size = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let chat = compiled("You remember everything.", &messages);
            let request = ChatRequest { model: "gpt-4o-mini".into(), messages: chat, ..ChatRequest::default() };
            size = client.request_body(&provider, &request, true).to_string().len();
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let (median, slow) = (took[ROUNDS / 2], took[ROUNDS * 99 / 100]);
        let verdict = if median < TARGET { "met" } else { "MISSED" };
        println!(
            "{name}: {MESSAGES} messages, {} KiB: p50 {median:.2?}, p99 {slow:.2?} (target p50 < {TARGET:?}: {verdict})",
            size / 1024
        );
    }
    Ok(())
}
