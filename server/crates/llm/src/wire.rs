//! The wires: which one a call uses, and what each has to offer to the rest of the crate.

use serde_json::Value;
use url::Url;

use crate::{
    anthropic, azure, bedrock,
    error::classify::Upstream,
    event::{Delta, FinishReason, Usage},
    gemini,
    kinds::ProviderKind,
    models, openai_chat, openai_responses,
    provider::Provider,
    request::ChatRequest,
    slots::Slots,
    vertex,
};

/// A wire format for chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    OpenAiChat,
    OpenAiResponses,
    Anthropic,
    Gemini,
    Converse,
}

/// How the events of a stream are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Lines,
    /// AWS's binary frames.
    Frames,
}

impl Wire {
    /// The wire for a model of a provider.
    pub fn of(provider: &Provider, model: &str) -> Self {
        match provider.kind() {
            ProviderKind::OpenAi if models::is_openai_reasoning(model) => Self::OpenAiResponses,
            ProviderKind::Anthropic => Self::Anthropic,
            ProviderKind::Vertex if vertex::is_claude(model) => Self::Anthropic,
            ProviderKind::Gemini | ProviderKind::Vertex => Self::Gemini,
            ProviderKind::Bedrock => Self::Converse,
            _ => Self::OpenAiChat,
        }
    }

    /// Where the call goes.
    pub fn url(self, provider: &Provider, model: &str, stream: bool) -> Url {
        match self {
            Self::OpenAiChat if provider.kind() == ProviderKind::Azure => {
                azure::url(provider, model, "chat/completions")
            }
            Self::OpenAiChat => provider.versioned("chat/completions"),
            Self::OpenAiResponses => provider.versioned("responses"),
            Self::Anthropic if provider.kind() == ProviderKind::Vertex => vertex::claude_url(provider, model, stream),
            Self::Anthropic => provider.versioned("messages"),
            Self::Gemini => gemini::url(provider, model, stream),
            Self::Converse if stream => bedrock::url(provider, model, "converse-stream"),
            Self::Converse => bedrock::url(provider, model, "converse"),
        }
    }

    /// How its streams are packed.
    pub fn framing(self) -> Framing {
        match self {
            Self::Converse => Framing::Frames,
            Self::OpenAiChat | Self::OpenAiResponses | Self::Anthropic | Self::Gemini => Framing::Lines,
        }
    }

    /// The body of the call.
    pub fn body(self, provider: &Provider, request: &ChatRequest, stream: bool) -> Value {
        match self {
            Self::OpenAiChat => openai_chat::body(provider.kind(), request, stream),
            Self::OpenAiResponses => openai_responses::body(request, stream),
            Self::Anthropic if provider.kind() == ProviderKind::Vertex => anthropic::vertex_body(request, stream),
            Self::Anthropic => anthropic::body(request, stream),
            Self::Gemini => gemini::body(request),
            Self::Converse => bedrock::body(request),
        }
    }

    /// A fresh decoder of the answer.
    pub fn decoder(self) -> Box<dyn Decoder> {
        match self {
            Self::OpenAiChat => Box::new(openai_chat::ChatDecoder::default()),
            Self::OpenAiResponses => Box::new(openai_responses::ResponsesDecoder::default()),
            Self::Anthropic => Box::new(anthropic::MessagesDecoder::default()),
            Self::Gemini => Box::new(gemini::GeminiDecoder::default()),
            Self::Converse => Box::new(bedrock::ConverseDecoder::default()),
        }
    }
}

/// Turns one answer of a provider into deltas. `Usage` and `Finish` are not emitted but noted in the [`Progress`].
pub(crate) trait Decoder: Send {
    /// Takes the payload of a streamed event. Errors reported inside the stream have been sorted out before.
    fn event(&mut self, payload: &Value, out: &mut Vec<Delta>) -> Result<(), Fault>;

    /// Takes the body of an answer that was not streamed.
    fn whole(&mut self, body: &Value, out: &mut Vec<Delta>) -> Result<(), Fault>;

    /// What is known about the end of the answer.
    fn progress(&mut self) -> &mut Progress;
}

/// What a decoder knows about the end of its answer.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub slots: Slots,
    pub usage: Option<Usage>,
    /// Why the model stopped; once set, the answer counts as complete even if the stream breaks off.
    pub finish: Option<FinishReason>,
    /// Nothing further will come.
    pub done: bool,
    /// The model refused in words, whatever the finish reason says.
    pub refused: bool,
}

impl Progress {
    /// The last deltas of the answer.
    pub fn end(&mut self, out: &mut Vec<Delta>) {
        out.extend(self.usage.take().map(Delta::Usage));
        let finish = match self.finish.take() {
            Some(FinishReason::Stop) | None if self.slots.any() => FinishReason::ToolCalls,
            Some(FinishReason::Stop) | None if self.refused => FinishReason::Refusal,
            other => other.unwrap_or(FinishReason::Stop),
        };
        out.push(Delta::Finish(finish));
    }
}

/// Why an answer cannot be decoded further.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The provider reports an error.
    Upstream(Upstream),
    /// The answer makes no sense.
    Malformed(&'static str),
}
