//! Other models that an agent may be served by when its own cannot answer.
//!
//! They are named in the agent's metadata, under `fallback_models`: a handle or a list of handles, tried in order.

use mneme_domain::{Actor, agent::Agent};
use mneme_llm::{FinishReason, LlmError};
use serde_json::Value;

use crate::{Core, CoreError, agents::stand_in};

/// The key in an agent's metadata.
const KEY: &str = "fallback_models";
/// Handles that are looked at.
const MOST: usize = 5;

/// The handles that an agent names, in order.
pub fn handles(agent: &Agent) -> Vec<String> {
    let named = agent.metadata.as_ref().and_then(|metadata| metadata.get(KEY));
    let texts: Vec<&str> = match named {
        Some(Value::String(handle)) => vec![handle],
        Some(Value::Array(handles)) => handles.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().take(MOST).map(str::to_owned).collect()
}

/// Whether another model may do better: the fault is the provider's, not the request's.
pub fn helps(error: &LlmError) -> bool {
    match error {
        LlmError::Authentication { .. }
        | LlmError::RateLimit { .. }
        | LlmError::Overloaded { .. }
        | LlmError::NotFound { .. }
        | LlmError::Timeout { .. }
        | LlmError::Connection { .. }
        | LlmError::Malformed { .. }
        | LlmError::Server { .. } => true,
        LlmError::ContextOverflow { .. } | LlmError::BadRequest { .. } | LlmError::ContentPolicy { .. } => false,
    }
}

/// Whether an empty answer that ended like this may be better the next time.
pub fn worth_asking_again(finish: &FinishReason) -> bool {
    !matches!(finish, FinishReason::Refusal | FinishReason::ContentFilter)
}

impl Core {
    /// The agent as another model serves it: what was set for the agent stays, what belongs to the model changes.
    pub(crate) async fn served_by(&self, actor: &Actor, agent: &Agent, handle: &str) -> Result<Agent, CoreError> {
        let found = self.chat_model(actor, handle).await?;
        let llm_config = stand_in(found, &agent.llm_config);
        Ok(Agent { llm_config, ..agent.clone() })
    }
}
