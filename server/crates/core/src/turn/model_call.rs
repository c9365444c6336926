//! One call of the model within a step, with its tokens shown as they come.

use std::time::{Duration, Instant};

use futures::StreamExt;
use mneme_domain::{
    agent::{Agent, AgentType},
    content::Content,
    envelope::{Body, MessageType, ReasoningSource, ToolCallView},
    message::Message,
    tool::Tool,
};
use mneme_llm::{
    Assembler, ChatMessage, ChatRequest, Completion, Delta, LlmClient, LlmError, Params, Provider,
    ToolChoice, ToolSpec,
};
use serde_json::Value;

use super::sink::Sink;

/// The tool as a provider is told of it.
pub fn tool_spec(tool: &Tool) -> ToolSpec {
    let schema = tool.json_schema.as_ref();
    let text = |key: &str| {
        schema
            .and_then(|schema| schema.get(key))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    ToolSpec {
        name: tool.call_name().to_owned(),
        description: text("description")
            .or_else(|| tool.description.clone())
            .unwrap_or_default(),
        parameters: schema
            .and_then(|schema| schema.get("parameters"))
            .cloned()
            .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}})),
    }
}

/// The request for the next step.
pub fn request(agent: &Agent, messages: Vec<ChatMessage>, tools: Vec<ToolSpec>) -> ChatRequest {
    let config = &agent.llm_config;
    let acts_by_tools = matches!(
        agent.agent_type,
        AgentType::MemgptAgent
            | AgentType::MemgptV2Agent
            | AgentType::SplitThreadAgent
            | AgentType::SleeptimeAgent
    );
    ChatRequest {
        model: config.model.clone(),
        messages,
        tool_choice: if acts_by_tools && !tools.is_empty() {
            ToolChoice::Required
        } else {
            ToolChoice::Auto
        },
        tools,
        params: Params {
            temperature: Some(config.temperature),
            max_tokens: config.max_tokens,
            reasoning_effort: config.reasoning_effort.clone(),
            enable_reasoner: config.enable_reasoner,
            max_reasoning_tokens: config.max_reasoning_tokens,
            verbosity: config.verbosity.clone(),
            frequency_penalty: config.frequency_penalty,
            parallel_tool_calls: config.parallel_tool_calls,
        },
        response_format: agent.response_format.clone().filter(|format| {
            format
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind != "text")
        }),
    }
}

/// An answer and how long it took.
pub struct Answer {
    pub completion: Completion,
    pub took: Duration,
    pub ttft: Option<Duration>,
}

/// Calls the model. In a token stream every delta is shown under the id of `message`.
pub async fn call(
    client: &LlmClient,
    provider: &Provider,
    request: &ChatRequest,
    message: &Message,
    sink: &Sink,
) -> Result<Answer, LlmError> {
    let started = Instant::now();
    let completion = if sink.wants_tokens() {
        stream(client, provider, request, message, sink).await?
    } else {
        client.complete(provider, request).await?
    };
    let ttft = completion.ttft;
    Ok(Answer {
        completion,
        took: started.elapsed(),
        ttft,
    })
}

async fn stream(
    client: &LlmClient,
    provider: &Provider,
    request: &ChatRequest,
    message: &Message,
    sink: &Sink,
) -> Result<Completion, LlmError> {
    let mut deltas = client.stream(provider, request).await?;
    let request_json = deltas.request_json().clone();
    let ttft = deltas.ttft();
    let mut assembler = Assembler::new();
    let mut pieces = Pieces::default();
    while let Some(delta) = deltas.next().await {
        let delta = delta?;
        if let Some((index, kind, body)) = pieces.of(&delta) {
            sink.piece(message, index, kind, body).await;
        }
        assembler.push(delta);
    }
    let mut completion = assembler.finish();
    completion.request_json = request_json;
    completion.ttft = Some(ttft);
    Ok(completion)
}

/// Numbers the parts of a streamed message as they begin, so that a part's otid is the same in stream and list.
#[derive(Default)]
struct Pieces {
    parts: u8,
    current: Option<MessageType>,
    call_ids: Vec<String>,
}

impl Pieces {
    fn of(&mut self, delta: &Delta) -> Option<(u8, MessageType, Body)> {
        let (kind, body) = match delta {
            Delta::Reasoning { text, signature } if !text.is_empty() || signature.is_some() => (
                MessageType::ReasoningMessage,
                Body::Reasoning {
                    source: ReasoningSource::ReasonerModel,
                    reasoning: text.clone(),
                    signature: signature.clone(),
                },
            ),
            Delta::Text(text) => (
                MessageType::AssistantMessage,
                Body::Assistant {
                    content: Content::Text(text.clone()),
                },
            ),
            Delta::ToolCall {
                index,
                id,
                name,
                arguments,
            } => {
                if let Some(id) = id {
                    self.call_ids
                        .resize(self.call_ids.len().max(index + 1), String::new());
                    self.call_ids[*index].clone_from(id);
                }
                let piece = ToolCallView {
                    name: name.clone(),
                    arguments: Some(arguments.clone()),
                    tool_call_id: self.call_ids.get(*index).cloned(),
                };
                (
                    MessageType::ToolCallMessage,
                    Body::ToolCall {
                        tool_call: piece.clone(),
                        tool_calls: None,
                    },
                )
            }
            _ => return None,
        };
        if self.current != Some(kind) {
            if self.current.is_some() {
                self.parts = self.parts.saturating_add(1);
            }
            self.current = Some(kind);
        }
        Some((self.parts, kind, body))
    }
}
