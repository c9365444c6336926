//! One call of the model within a step, with its tokens shown as they come.

use std::time::{Duration, Instant};

use futures::StreamExt;
use mneme_domain::{
    agent::Agent,
    content::Content,
    envelope::{Body, HiddenState, MessageType, ReasoningSource, ToolCallView},
    llm_config::LlmConfig,
    message::Message,
    run::RequestConfig,
    tool::Tool,
};
use mneme_llm::{
    Assembler, ChatMessage, ChatRequest, Completion, Delta, LlmClient, LlmError, Params, Provider, ToolChoice, ToolSpec,
};
use mneme_macros::boxed;
use serde_json::Value;

use super::{approval::Guard, fields::Fields, heartbeats, sink::Sink, thoughts};

/// The tool as a provider is told of it.
pub fn tool_spec(tool: &Tool) -> ToolSpec {
    let schema = tool.json_schema.as_ref();
    let text = |key: &str| schema.and_then(|schema| schema.get(key)).and_then(Value::as_str).map(str::to_owned);
    ToolSpec {
        name: tool.call_name().to_owned(),
        description: text("description").or_else(|| tool.description.clone()).unwrap_or_default(),
        parameters: schema
            .and_then(|schema| schema.get("parameters"))
            .cloned()
            .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}})),
    }
}

/// The tools as the agent's provider is told of them.
pub fn specs<'a>(agent: &Agent, tools: impl IntoIterator<Item = &'a Tool>) -> Vec<ToolSpec> {
    let mut specs: Vec<ToolSpec> = tools.into_iter().map(tool_spec).collect();
    if thoughts::asked(agent) {
        specs.iter_mut().for_each(thoughts::add);
    }
    if heartbeats::asked(agent) {
        specs.iter_mut().for_each(|spec| heartbeats::add(spec, &agent.tool_rules));
    }
    specs
}

/// The request for the next step.
pub fn request(agent: &Agent, messages: Vec<ChatMessage>, tools: Vec<ToolSpec>) -> ChatRequest {
    let config = &agent.llm_config;
    ChatRequest {
        model: config.model.clone(),
        messages,
        tool_choice: if thoughts::acts_by_tools(agent.agent_type) && !tools.is_empty() {
            ToolChoice::Required
        } else {
            ToolChoice::Auto
        },
        tools,
        params: Params {
            temperature: Some(config.temperature),
            // Clients write 0 where they mean no limit; providers refuse it.
            max_tokens: config.max_tokens.filter(|limit| *limit > 0),
            reasoning_effort: config.reasoning_effort.clone(),
            enable_reasoner: config.enable_reasoner,
            max_reasoning_tokens: config.max_reasoning_tokens,
            verbosity: config.verbosity.clone(),
            frequency_penalty: config.frequency_penalty,
            parallel_tool_calls: config.parallel_tool_calls,
        },
        response_format: agent
            .response_format
            .clone()
            .filter(|format| format.get("type").and_then(Value::as_str).is_some_and(|kind| kind != "text")),
        logprobs: None,
        cache_key: Some(agent.id.to_string()),
    }
}

/// An answer and how long it took.
pub struct Answer {
    pub completion: Completion,
    pub took: Duration,
    pub ttft: Option<Duration>,
    /// The kinds of messages that a token stream has shown already.
    pub shown: Vec<MessageType>,
    /// The model that answered.
    pub served: Served,
}

/// The model that answered, and what that cost.
pub struct Served {
    pub config: LlmConfig,
    /// US dollars, where the price is known.
    pub cost: Option<f64>,
}

/// A call that failed.
pub struct Failed {
    pub error: LlmError,
    /// Whether a client has seen a part of the answer already.
    pub begun: bool,
}

/// Calls the model. In a token stream every delta is shown under the id of `message`.
#[boxed]
pub async fn call(
    client: &LlmClient,
    provider: &Provider,
    request: &ChatRequest,
    message: &Message,
    guard: &Guard,
    thinks_aloud: bool,
    sink: &Sink,
) -> Result<Called, Failed> {
    let started = Instant::now();
    let mut shown = Vec::new();
    let called = if sink.wants_tokens() {
        let mut pieces = Pieces::new(sink.config(), guard, thinks_aloud);
        let called = stream(client, provider, request, message, sink, &mut pieces).await;
        shown = pieces.shown;
        called
    } else {
        client.complete(provider, request).await
    };
    match called {
        Ok(mut completion) => {
            mneme_llm::trace::clean(provider, &mut completion.request_json);
            mneme_llm::trace::clean(provider, &mut completion.response_json);
            Ok(Called { completion, took: started.elapsed(), shown })
        }
        Err(error) => Err(Failed { error, begun: !shown.is_empty() }),
    }
}

/// What a call gave.
pub struct Called {
    pub completion: Completion,
    pub took: Duration,
    pub shown: Vec<MessageType>,
}

async fn stream(
    client: &LlmClient,
    provider: &Provider,
    request: &ChatRequest,
    message: &Message,
    sink: &Sink,
    pieces: &mut Pieces<'_>,
) -> Result<Completion, LlmError> {
    let mut deltas = client.stream(provider, request).await?;
    let request_json = deltas.request_json().clone();
    let ttft = deltas.ttft();
    let mut assembler = Assembler::new();
    while let Some(delta) = deltas.next().await {
        let delta = delta?;
        for (index, kind, body) in pieces.of(&delta) {
            let message = if kind == MessageType::ApprovalRequestMessage { &pieces.guard.message } else { message };
            sink.piece(message, index, kind, body).await;
        }
        assembler.push(delta);
    }
    let mut completion = assembler.finish();
    completion.request_json = request_json;
    completion.ttft = Some(ttft);
    Ok(completion)
}

/// A tool call under way.
struct Call {
    id: String,
    /// Present when the call's text fields are shown instead of the call.
    fields: Option<Fields>,
    /// The field that holds the answer, when the call is one.
    answer: Option<String>,
    /// As what it is shown.
    kind: MessageType,
}

/// Cuts a model's deltas into pieces of messages. Parts are numbered as they begin, so that a part's otid is the
/// same in stream and list.
struct Pieces<'a> {
    guard: &'a Guard,
    config: RequestConfig,
    thinks_aloud: bool,
    parts: u8,
    shown: Vec<MessageType>,
    calls: Vec<Option<Call>>,
}

type Piece = (u8, MessageType, Body);

impl<'a> Pieces<'a> {
    fn new(config: &RequestConfig, guard: &'a Guard, thinks_aloud: bool) -> Self {
        Self { guard, config: config.clone(), thinks_aloud, parts: 0, shown: Vec::new(), calls: Vec::new() }
    }

    fn of(&mut self, delta: &Delta) -> Vec<Piece> {
        match delta {
            Delta::Reasoning { text, signature: Some(_) }
                if text.is_empty() && self.shown.last() != Some(&MessageType::ReasoningMessage) =>
            {
                vec![self.withheld()]
            }
            Delta::Reasoning { text, signature } if !text.is_empty() || signature.is_some() => {
                vec![self.reasoning(ReasoningSource::ReasonerModel, text.clone(), signature.clone())]
            }
            Delta::RedactedReasoning(data) => vec![self.hidden(data.clone())],
            Delta::Text(text) => vec![self.answer(text.clone())],
            Delta::ToolCall { index, id, name, arguments } => {
                self.call(*index, id.as_deref(), name.as_deref(), arguments)
            }
            _ => Vec::new(),
        }
    }

    fn part(&mut self, kind: MessageType) -> u8 {
        if self.shown.last() != Some(&kind) {
            if !self.shown.is_empty() {
                self.parts = self.parts.saturating_add(1);
            }
            self.shown.push(kind);
        }
        self.parts
    }

    fn reasoning(&mut self, source: ReasoningSource, reasoning: String, signature: Option<String>) -> Piece {
        let kind = MessageType::ReasoningMessage;
        (self.part(kind), kind, Body::Reasoning { source, reasoning, signature })
    }

    /// Reasoning that only the provider can read.
    fn withheld(&mut self) -> Piece {
        let kind = MessageType::HiddenReasoningMessage;
        (self.part(kind), kind, Body::HiddenReasoning { state: HiddenState::Omitted, hidden_reasoning: None })
    }

    /// Encrypted thoughts come whole, so each is a part of its own.
    fn hidden(&mut self, data: String) -> Piece {
        let kind = MessageType::HiddenReasoningMessage;
        if self.shown.last() == Some(&kind) {
            self.parts = self.parts.saturating_add(1);
        }
        let body = Body::HiddenReasoning { state: HiddenState::Redacted, hidden_reasoning: Some(data) };
        (self.part(kind), kind, body)
    }

    fn answer(&mut self, text: String) -> Piece {
        let kind = MessageType::AssistantMessage;
        (self.part(kind), kind, Body::Assistant { content: Content::Text(text) })
    }

    fn call(&mut self, index: usize, id: Option<&str>, name: Option<&str>, arguments: &str) -> Vec<Piece> {
        if let Some(id) = id {
            let shown = self.guard.kind(name.unwrap_or_default());
            let guarded = shown != Some(MessageType::ToolCallMessage);
            let is_answer = !guarded
                && self.config.use_assistant_message
                && name == Some(self.config.assistant_message_tool_name.as_str());
            let call = Call {
                id: id.to_owned(),
                fields: (is_answer || self.thinks_aloud).then(Fields::default),
                answer: is_answer.then(|| self.config.assistant_message_tool_kwarg.clone()),
                kind: shown.unwrap_or(MessageType::ToolCallMessage),
            };
            if self.calls.len() <= index {
                self.calls.resize_with(index + 1, || None);
            }
            self.calls[index] = shown.map(|_| call);
        }
        let Some(Some(call)) = self.calls.get_mut(index) else { return Vec::new() };
        let Some(fields) = &mut call.fields else {
            let tool_call = ToolCallView {
                name: name.map(str::to_owned),
                arguments: Some(arguments.to_owned()),
                tool_call_id: Some(call.id.clone()),
            };
            let kind = call.kind;
            let body = match kind {
                MessageType::ApprovalRequestMessage => Body::ApprovalRequest { tool_call, tool_calls: None },
                _ => Body::ToolCall { tool_call, tool_calls: None },
            };
            return vec![(self.part(kind), kind, body)];
        };
        let answer = call.answer.clone();
        let mut pieces = Vec::new();
        for (name, text) in fields.feed(arguments) {
            if answer.as_deref() == Some(&name) {
                pieces.push(self.answer(text));
            } else if self.thinks_aloud && thoughts::NAMES.contains(&name.as_str()) {
                pieces.push(self.reasoning(ReasoningSource::NonReasonerModel, text, None));
            }
        }
        pieces
    }
}
