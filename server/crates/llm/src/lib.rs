//! The only crate that knows the wire formats of model providers.
//!
//! A caller builds a neutral [`ChatRequest`], hands it to [`LlmClient`] together with a [`Provider`], and gets back a
//! stream of [`Delta`]s (or one [`Completion`]). Which wire is spoken follows from the provider's kind and the model;
//! every quirk of a particular server stays inside this crate.

mod anthropic;
mod assemble;
mod auth;
mod azure;
mod batch;
mod bedrock;
#[cfg(test)]
mod bodies;
mod breaker;
mod call_names;
mod client;
mod embed;
mod error;
mod event;
mod event_stream;
#[cfg(test)]
mod fixtures;
mod gemini;
mod http;
mod json;
mod kinds;
mod lenient;
mod models;
mod normalize;
mod openai_chat;
mod openai_responses;
mod prices;
mod provider;
mod quirks;
mod redact;
mod request;
mod retry;
mod slots;
mod sse;
mod stream;
pub mod tokens;
pub mod trace;
mod vertex;
mod wire;

pub use assemble::Assembler;
pub use auth::AwsRole;
pub use batch::{BatchCall, BatchPlace, BatchProgress, BatchResult, BatchResults};
pub use breaker::BreakerPolicy;
pub use client::{LlmClient, install_crypto};
pub use error::{LlmError, Phase};
pub use event::{Completion, Delta, FinishReason, Usage};
pub use http::{Guard, Limits, Timeouts};
pub use kinds::ProviderKind;
pub use models::{ContextSource, ContextWindow, ModelInfo, ModelKind};
pub use prices::PriceTable;
pub use provider::{Extras, Provider};
pub use request::{ChatMessage, ChatRequest, Params, Part, Reasoning, ToolCall, ToolChoice, ToolSpec};
pub use retry::RetryPolicy;
pub use stream::ChatStream;
