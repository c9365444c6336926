//! The settings of an agent's model in the words of newer clients, which have other words for each kind of provider.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Patch, llm_config::LlmConfig};

/// Settings of a model; what is not named stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ModelSettings {
    /// The provider's type; the model decides, whatever is said here.
    pub provider_type: Option<String>,
    /// Sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// Most tokens of an answer; 0 leaves it to the provider.
    pub max_output_tokens: Option<u32>,
    /// Whether the model may ask for several tool calls at once.
    pub parallel_tool_calls: Option<bool>,
    /// How hard it reasons, in the words of OpenAI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ReasoningSettings>,
    /// The same in the words of Anthropic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
    /// Whether it reasons, and for how long, in the words of Anthropic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<ThinkingSettings>,
    /// The same in the words of Google.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_config: Option<ThinkingConfig>,
    /// How much it writes: `low`, `medium` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<String>,
    /// The form of its answers; Google's `response_schema` is the same.
    #[serde(alias = "response_schema")]
    #[schema(value_type = Option<Object>)]
    pub response_format: Patch<Value>,
}

/// How hard a model reasons.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReasoningSettings {
    /// `none`, `minimal`, `low`, `medium`, `high` or `xhigh`.
    pub reasoning_effort: Option<String>,
}

/// Whether a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Thinking {
    Enabled,
    Disabled,
}

/// Whether a model thinks, and for how long.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ThinkingSettings {
    #[serde(rename = "type")]
    pub kind: Option<Thinking>,
    /// Most tokens of thought.
    pub budget_tokens: Option<u32>,
}

/// Whether a model thinks aloud, and for how long.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ThinkingConfig {
    pub include_thoughts: Option<bool>,
    /// Most tokens of thought; 0 means no thought, less leaves it to the model.
    pub thinking_budget: Option<i64>,
}

impl ModelSettings {
    /// The settings of a model in the words of its provider.
    pub fn of(config: &LlmConfig, response_format: Option<&Value>) -> Self {
        let mut settings = Self {
            provider_type: Some(config.model_endpoint_type.clone()),
            temperature: Some(config.temperature),
            max_output_tokens: config.max_tokens,
            parallel_tool_calls: config.parallel_tool_calls,
            verbosity: config.verbosity.clone(),
            response_format: response_format.cloned().map_or(Patch::Null, Patch::Set),
            ..Self::default()
        };
        let budget = Some(config.max_reasoning_tokens).filter(|budget| *budget > 0);
        match config.model_endpoint_type.as_str() {
            "anthropic" | "bedrock" => {
                let kind = if config.enable_reasoner { Thinking::Enabled } else { Thinking::Disabled };
                settings.thinking = Some(ThinkingSettings { kind: Some(kind), budget_tokens: budget });
                settings.effort.clone_from(&config.reasoning_effort);
            }
            "google_ai" | "google_vertex" => {
                settings.thinking_config = Some(ThinkingConfig {
                    include_thoughts: Some(config.enable_reasoner),
                    thinking_budget: budget.map(i64::from),
                });
            }
            _ => {
                let effort = config.reasoning_effort.clone();
                settings.reasoning = effort.map(|effort| ReasoningSettings { reasoning_effort: Some(effort) });
            }
        }
        settings
    }

    /// Says what makes no sense in them.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), &'static str> {
        match self.temperature {
            Some(temperature) if !(0.0..=2.0).contains(&temperature) => Err("temperature must be between 0 and 2"),
            _ => Ok(()),
        }
    }

    /// Writes what is named into a model's configuration.
    pub fn apply(&self, config: &mut LlmConfig) {
        if let Some(temperature) = self.temperature {
            config.temperature = temperature;
        }
        if let Some(limit) = self.max_output_tokens {
            config.max_tokens = Some(limit).filter(|limit| *limit > 0);
        }
        if self.parallel_tool_calls.is_some() {
            config.parallel_tool_calls = self.parallel_tool_calls;
        }
        if let Some(reasons) = self.reasons() {
            config.enable_reasoner = reasons;
        }
        if let Some(budget) = self.budget() {
            config.max_reasoning_tokens = budget;
        }
        let effort = self.reasoning.as_ref().and_then(|reasoning| reasoning.reasoning_effort.as_ref());
        if let Some(effort) = effort.or(self.effort.as_ref()) {
            config.reasoning_effort = Some(effort.clone());
        }
        if self.verbosity.is_some() {
            config.verbosity.clone_from(&self.verbosity);
        }
    }

    /// Whether the model is to reason, where that is said.
    fn reasons(&self) -> Option<bool> {
        let said = self.thinking.as_ref().and_then(|thinking| thinking.kind);
        said.map(|kind| kind == Thinking::Enabled).or_else(|| {
            let config = self.thinking_config.as_ref()?;
            if config.thinking_budget == Some(0) { Some(false) } else { config.include_thoughts }
        })
    }

    /// Most tokens of reasoning, where that is said; 0 leaves it to the provider.
    fn budget(&self) -> Option<u32> {
        let said = self.thinking.as_ref().and_then(|thinking| thinking.budget_tokens);
        said.or_else(|| {
            let budget = self.thinking_config.as_ref()?.thinking_budget?;
            Some(u32::try_from(budget).unwrap_or(0))
        })
    }
}
