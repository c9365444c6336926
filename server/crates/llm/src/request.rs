//! What a caller asks of a model, in terms that belong to no provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call of a chat model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// The provider's own name of the model, without any handle prefix.
    pub model: String,
    /// The conversation, oldest first. Repaired on the way out so that every tool call has exactly one answer.
    pub messages: Vec<ChatMessage>,
    /// The tools the model may call; their names must be unique.
    pub tools: Vec<ToolSpec>,
    /// Whether and which tool the model has to call.
    pub tool_choice: ToolChoice,
    /// Sampling and reasoning parameters.
    pub params: Params,
    /// A structured output request in the shape of OpenAI's `response_format`; each wire translates it.
    pub response_format: Option<Value>,
    /// Ask for the log probabilities of the answer's tokens, with this many others at each place, where the wire is chat
    /// completions and the answer is not streamed.
    pub logprobs: Option<u8>,
    /// Who asks, for providers that keep the prompts of one asker together in their cache. An opaque name.
    pub cache_key: Option<String>,
}

/// Which tool the model has to call. Ignored when the request offers no tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
}

/// Sampling and reasoning parameters. Each is sent only where the wire and the model understand it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    /// Sampling temperature; not sent to reasoning models, which refuse it.
    pub temperature: Option<f64>,
    /// Upper bound of tokens to generate, reasoning included.
    pub max_tokens: Option<u32>,
    /// `none`, `minimal`, `low`, `medium`, `high` or `xhigh`.
    pub reasoning_effort: Option<String>,
    /// Whether to ask for visible reasoning where that is a choice (Anthropic, Gemini, OpenAI's Responses).
    pub enable_reasoner: bool,
    /// Token budget of the reasoning; 0 leaves it to the provider.
    pub max_reasoning_tokens: u32,
    /// `low`, `medium` or `high`; understood by GPT-5 models only.
    pub verbosity: Option<String>,
    /// Penalty on repeated tokens, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// Whether the model may call several tools at once; only sent along with tools.
    pub parallel_tool_calls: Option<bool>,
}

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatMessage {
    /// Instructions. Several of them are joined on wires that know one system prompt only.
    System {
        /// The instructions.
        text: String,
    },
    /// What a person (or another agent) said.
    User {
        /// Text and images, in order.
        parts: Vec<Part>,
        /// The speaker's name.
        name: Option<String>,
    },
    /// What the model said earlier.
    Assistant {
        /// The visible answer.
        text: Option<String>,
        /// Its reasoning blocks, in order; only wires that can verify them get them back.
        reasoning: Vec<Reasoning>,
        /// The tools it called, in order.
        tool_calls: Vec<ToolCall>,
        /// The speaker's name.
        name: Option<String>,
    },
    /// The result of a tool call.
    Tool {
        /// The id of the call that this answers.
        call_id: String,
        /// The tool's name.
        name: Option<String>,
        /// The result as the model shall read it.
        content: String,
    },
}

/// A piece of a user message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// An image by value.
    Image {
        /// Media type such as `image/png`.
        media_type: String,
        /// The bytes in standard base64.
        data: String,
    },
    /// An image the provider fetches itself.
    ImageUrl {
        /// Where the image is.
        url: String,
        /// `low`, `high` or `auto`.
        detail: Option<String>,
    },
}

/// A block of a model's reasoning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reasoning {
    /// What may be shown.
    pub text: String,
    /// The provider's opaque proof of the block (Anthropic's signature, OpenAI's encrypted content, Gemini's thought
    /// signature); it has to be sent back unchanged.
    pub signature: Option<String>,
    /// Opaque data of a block whose text the provider withheld.
    pub redacted: Option<String>,
}

/// A call of a tool by the model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's id, unique within a completion.
    pub id: String,
    /// The tool's name as the model wrote it, which may be unknown.
    pub name: String,
    /// The arguments as the model wrote them: JSON text, possibly broken, never empty.
    pub arguments: String,
}

/// A tool offered to the model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// The tool's name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema (an object) of its arguments.
    pub parameters: Value,
}

impl ToolSpec {
    /// The schema of the arguments; an absent or odd one becomes the schema of an empty object, which every wire takes.
    pub(crate) fn schema(&self) -> Value {
        match &self.parameters {
            Value::Object(map) if map.contains_key("type") => self.parameters.clone(),
            Value::Object(map) if !map.is_empty() => {
                let mut map = map.clone();
                map.insert("type".into(), "object".into());
                Value::Object(map)
            }
            _ => serde_json::json!({"type": "object", "properties": {}}),
        }
    }
}
