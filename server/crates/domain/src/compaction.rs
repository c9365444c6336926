//! How an agent's context is made smaller when it grows too long, in the words of newer clients.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model_settings::ModelSettings;

/// What leaves, and who sums it up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CompactionMode {
    /// Everything but the newest message.
    All,
    /// As many of the oldest messages as it takes.
    #[default]
    SlidingWindow,
    /// As `all`, summed up by the agent's own model under its own instructions.
    SelfCompactAll,
    /// As `sliding_window`, summed up by the agent's own model under its own instructions.
    SelfCompactSlidingWindow,
}

impl CompactionMode {
    /// Whether everything leaves.
    pub fn is_all(self) -> bool {
        matches!(self, Self::All | Self::SelfCompactAll)
    }

    /// Whether the agent itself sums up.
    pub fn is_own(self) -> bool {
        matches!(self, Self::SelfCompactAll | Self::SelfCompactSlidingWindow)
    }
}

/// What making a context smaller came to, as a client hears of it while that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CompactionStats {
    /// `context_window_exceeded`: the provider said so; `pre_step_context_check`: it would have.
    pub trigger: &'static str,
    /// What the provider counted with its last answer.
    pub context_tokens_before: Option<u64>,
    /// What the messages have now, tools not among them.
    pub context_tokens_after: Option<u64>,
    /// What the model takes.
    pub context_window: u32,
    /// Messages in the context until then, the system message among them.
    pub messages_count_before: usize,
    /// Messages in it now.
    pub messages_count_after: usize,
}

/// Characters of a summary unless somebody says otherwise.
const CLIP: u32 = 4_000;
/// The share of the window that the messages which stay may fill unless somebody says otherwise.
const KEEP: f64 = 0.3;

/// How a context is made smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CompactionSettings {
    pub mode: CompactionMode,
    /// The handle of the model that sums up; the agent's own when left out.
    pub model: Option<String>,
    /// Settings of that model.
    pub model_settings: Option<ModelSettings>,
    /// What the model is told to do with the messages.
    pub prompt: Option<String>,
    /// Have the prompt come first, and a word of the model that it will only sum up. It helps some that go on talking.
    pub prompt_acknowledgement: bool,
    /// Characters that a summary may have; null for any number.
    pub clip_chars: Option<u32>,
    /// The share of the window that the messages which stay may fill, above 0 and at most 1.
    pub sliding_window_percentage: f64,
}

impl Default for CompactionSettings {
    fn default() -> Self {
        Self {
            mode: CompactionMode::default(),
            model: None,
            model_settings: None,
            prompt: None,
            prompt_acknowledgement: false,
            clip_chars: Some(CLIP),
            sliding_window_percentage: KEEP,
        }
    }
}

impl CompactionSettings {
    /// Says what makes no sense in them.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), &'static str> {
        let share = self.sliding_window_percentage;
        if share > 0.0 && share <= 1.0 {
            return self.model_settings.as_ref().map_or(Ok(()), ModelSettings::check);
        }
        Err("sliding_window_percentage must be above 0 and at most 1")
    }
}
