//! What a model answers: deltas while it streams, a completion when it is done.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::request::{Reasoning, ToolCall};

/// A piece of a streamed answer. `Usage` comes at most once and `Finish` exactly once, as the last delta.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// More reasoning. A signature closes the block it belongs to; the next text starts another block.
    Reasoning {
        /// Text to append, possibly empty.
        text: String,
        /// The provider's proof of the block.
        signature: Option<String>,
    },
    /// A reasoning block whose text the provider withheld: opaque data to send back.
    RedactedReasoning(String),
    /// More of the visible answer, never empty.
    Text(String),
    /// More of a tool call. The first delta of an index carries the id and the name.
    ToolCall {
        /// The call's position in the answer, from 0 without gaps.
        index: usize,
        /// The call's id, on its first delta.
        id: Option<String>,
        /// The tool's name, on its first delta.
        name: Option<String>,
        /// JSON text to append to the arguments.
        arguments: String,
    },
    /// What the call cost, when the provider tells.
    Usage(Usage),
    /// Why the model stopped.
    Finish(FinishReason),
}

/// Tokens that a call consumed, as the provider counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens generated, reasoning included.
    pub completion_tokens: u64,
    /// The sum of both.
    pub total_tokens: u64,
    /// Prompt tokens read from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Prompt tokens that the provider put into its cache.
    pub cache_write_tokens: Option<u64>,
    /// Completion tokens spent on reasoning.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// What two calls consumed together. A count that one of them does not tell is nothing.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let sum = |one: Option<u64>, two: Option<u64>| one.map_or(two, |one| Some(one + two.unwrap_or(0)));
        Self {
            prompt_tokens: self.prompt_tokens + other.prompt_tokens,
            completion_tokens: self.completion_tokens + other.completion_tokens,
            total_tokens: self.total_tokens + other.total_tokens,
            cached_tokens: sum(self.cached_tokens, other.cached_tokens),
            cache_write_tokens: sum(self.cache_write_tokens, other.cache_write_tokens),
            reasoning_tokens: sum(self.reasoning_tokens, other.reasoning_tokens),
        }
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done.
    Stop,
    /// It waits for the results of its tool calls.
    ToolCalls,
    /// It ran into a token limit.
    Length,
    /// The provider's content filter cut it off.
    ContentFilter,
    /// It refused to answer.
    Refusal,
    /// Something this crate has no name for, in the provider's words.
    Other(String),
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The visible answer; `None` when there is none.
    pub text: Option<String>,
    /// The reasoning blocks, in order.
    pub reasoning: Vec<Reasoning>,
    /// The tool calls, in order, with unique ids.
    pub tool_calls: Vec<ToolCall>,
    /// What it cost; `None` when the provider did not say.
    pub usage: Option<Usage>,
    /// Why the model stopped.
    pub finish: FinishReason,
    /// The exact body that was sent; `Null` when the completion was assembled from deltas alone.
    pub request_json: Value,
    /// The body that came back; for a streamed answer a summary of what was assembled.
    pub response_json: Value,
    /// Time from sending the request to the first content, when known.
    pub ttft: Option<Duration>,
}

impl Completion {
    /// The log probabilities of its tokens, as OpenAI writes them, where they were asked for and given.
    pub fn logprobs(&self) -> Option<&Value> {
        self.response_json.pointer("/choices/0/logprobs").filter(|found| found.is_object())
    }
}
