//! Which models an agent uses, from what a request says about them.

use std::sync::Arc;

use mneme_domain::{
    Actor, Patch,
    compaction::CompactionSettings,
    llm_config::{EmbeddingConfig, LlmConfig},
    model_settings::ModelSettings,
};

use crate::{Core, CoreError, Result};

/// What a request says about an agent's chat model.
#[derive(Default)]
pub struct ModelChoice {
    /// `provider/model`.
    pub handle: Option<String>,
    /// A whole configuration.
    pub config: Option<LlmConfig>,
    pub context_window: Option<u32>,
    pub max_tokens: Option<u32>,
    pub max_reasoning_tokens: Option<u32>,
    pub reasoning: Option<bool>,
    pub parallel_tool_calls: Option<bool>,
    /// The same and more in the words of newer clients.
    pub settings: Option<ModelSettings>,
    /// How a context is made smaller.
    pub compaction: Patch<CompactionSettings>,
}

impl ModelChoice {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.handle.is_none()
            && self.config.is_none()
            && self.context_window.is_none()
            && self.max_tokens.is_none()
            && self.max_reasoning_tokens.is_none()
            && self.reasoning.is_none()
            && self.parallel_tool_calls.is_none()
            && self.settings.is_none()
            && self.compaction == Patch::Keep
    }

    /// Writes the settings that were named into a configuration.
    fn tune(self, mut config: LlmConfig) -> Result<LlmConfig> {
        if let Some(window) = self.context_window {
            if window < 512 {
                return Err(CoreError::field("context_window_limit", "must be at least 512 tokens"));
            }
            config.context_window = window;
        }
        if self.max_tokens.is_some() {
            config.max_tokens = self.max_tokens;
        }
        if let Some(budget) = self.max_reasoning_tokens {
            config.max_reasoning_tokens = budget;
        }
        if let Some(reasoning) = self.reasoning {
            config.enable_reasoner = reasoning;
        }
        if self.parallel_tool_calls.is_some() {
            config.parallel_tool_calls = self.parallel_tool_calls;
        }
        if let Some(settings) = self.settings {
            settings.check().map_err(|reason| CoreError::field("model_settings", reason))?;
            settings.apply(&mut config);
        }
        self.compaction.apply(&mut config.compaction_settings);
        Ok(config)
    }
}

/// Another model in the place of an agent's own: what was set for the agent stays, what belongs to the model changes.
pub(crate) fn stand_in(found: LlmConfig, own: &LlmConfig) -> LlmConfig {
    LlmConfig {
        context_window: found.context_window.min(own.context_window),
        temperature: own.temperature,
        max_tokens: own.max_tokens,
        put_inner_thoughts_in_kwargs: own.put_inner_thoughts_in_kwargs,
        parallel_tool_calls: own.parallel_tool_calls,
        compaction_settings: own.compaction_settings.clone(),
        ..found
    }
}

impl Core {
    /// The chat model of a new agent.
    pub(super) async fn choose_model(self: &Arc<Self>, actor: &Actor, mut choice: ModelChoice) -> Result<LlmConfig> {
        if let Patch::Set(settings) = &choice.compaction {
            self.check_compaction(actor, settings).await?;
        }
        let config = match (choice.handle.take(), choice.config.take()) {
            (Some(handle), _) => {
                let mut config = self.chat_model(actor, &handle).await?;
                config.context_window = config.context_window.min(self.config.default_context_window);
                config
            }
            (None, Some(config)) => {
                self.provider_of(actor, &config).await?;
                config
            }
            (None, None) => {
                return Err(CoreError::Invalid(
                    "INVALID_ARGUMENT: Must specify either model or llm_config in request".into(),
                ));
            }
        };
        choice.tune(config)
    }

    /// The chat model of an agent that had one.
    pub(super) async fn change_model(
        self: &Arc<Self>,
        actor: &Actor,
        current: LlmConfig,
        mut choice: ModelChoice,
    ) -> Result<LlmConfig> {
        if let Patch::Set(settings) = &choice.compaction {
            self.check_compaction(actor, settings).await?;
        }
        let compaction = current.compaction_settings.clone();
        let mut config = match (choice.handle.take(), choice.config.take()) {
            (Some(handle), given) if current.handle.as_deref() != Some(handle.as_str()) || given.is_some() => {
                let mut config = self.chat_model(actor, &handle).await?;
                config.context_window = config.context_window.min(self.config.default_context_window);
                // What the developer set for the agent, not for its model, stays.
                config.temperature = current.temperature;
                config.max_tokens = current.max_tokens;
                config.parallel_tool_calls = current.parallel_tool_calls;
                config
            }
            (_, Some(config)) => {
                self.provider_of(actor, &config).await?;
                config
            }
            (_, None) => current,
        };
        // Clients that write a whole configuration back do not know that this is kept in it.
        config.compaction_settings = config.compaction_settings.or(compaction);
        choice.tune(config)
    }

    /// Refuses settings of which nothing can come.
    ///
    /// # Errors
    /// 422 for values that make no sense, 400 or 404 for a model that is not there.
    pub(crate) async fn check_compaction(&self, actor: &Actor, settings: &CompactionSettings) -> Result<()> {
        settings.check().map_err(|reason| CoreError::field("compaction_settings", reason))?;
        if let Some(handle) = &settings.model {
            self.chat_model(actor, handle).await?;
        }
        Ok(())
    }

    /// The embedding model: the one named, else the first that a provider offers, else none.
    pub(crate) async fn choose_embedding(
        self: &Arc<Self>,
        actor: &Actor,
        handle: Option<String>,
        config: Option<EmbeddingConfig>,
        chunk_size: Option<u32>,
    ) -> Result<Option<EmbeddingConfig>> {
        let mut chosen = match (handle, config) {
            (Some(handle), _) => Some(self.embedding_model(actor, &handle).await?),
            (None, Some(config)) => Some(config),
            (None, None) => self.first_embedding_model(actor).await?,
        };
        if let (Some(config), Some(_)) = (&mut chosen, chunk_size) {
            config.embedding_chunk_size = chunk_size;
        }
        Ok(chosen)
    }
}
