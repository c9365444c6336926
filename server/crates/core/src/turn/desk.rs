//! How a turn of a batch calls its model: it leaves what it wants to ask and ends, without ending its run; when the
//! provider has answered, the turn is taken again, the answer in hand.

use std::time::Duration;

use mneme_domain::llm_config::LlmConfig;
use mneme_llm::{Completion, LlmError};
use mneme_store::batches::work::Place;
use parking_lot::Mutex;
use serde_json::Value;

use super::model_call::{Called, Failed};

/// How often one step may ask: each refusal for its length makes it shorter, each empty answer counts too.
const MOST_CALLS: i64 = 12;

/// What a turn wants to ask its model.
#[derive(Debug)]
pub struct Left {
    pub place: Place,
    pub llm_config: LlmConfig,
    pub body: Value,
}

/// The place of a batch's turn where answers lie and questions are left.
#[derive(Debug)]
pub struct Desk {
    /// Whether the model is called at once: its provider takes no batches.
    pub direct: bool,
    given: Mutex<Option<Result<Completion, LlmError>>>,
    left: Mutex<Option<Left>>,
    /// The number of the step's next call.
    attempt: Mutex<i64>,
    /// How far texts are cut from the start: earlier calls of the step were refused for their length.
    clipped: u32,
}

impl Desk {
    /// A desk without an answer.
    pub fn empty(direct: bool) -> Self {
        Self { direct, given: Mutex::default(), left: Mutex::default(), attempt: Mutex::default(), clipped: 0 }
    }

    /// A desk with the answer to a step's call.
    pub fn with(place: Place, answer: Result<Completion, LlmError>) -> Self {
        let refused = matches!(answer, Err(LlmError::ContextOverflow { .. }));
        Self {
            direct: false,
            clipped: if refused { u32::try_from(place.attempt).unwrap_or(u32::MAX) } else { 0 },
            given: Mutex::new(Some(answer)),
            left: Mutex::default(),
            attempt: Mutex::new(place.attempt + 1),
        }
    }

    /// How far texts are cut from the start.
    pub fn clipped(&self) -> u32 {
        self.clipped
    }

    /// How often the step's model gave nothing usable before.
    pub fn bad(&self) -> usize {
        usize::try_from((*self.attempt.lock() - 1).max(0)).unwrap_or(usize::MAX)
    }

    /// Whether there is an answer.
    pub fn has_answer(&self) -> bool {
        self.given.lock().is_some()
    }

    /// The answer, once.
    pub fn take(&self) -> Option<Result<Called, Failed>> {
        let given = self.given.lock().take()?;
        Some(
            given
                .map(|completion| Called { completion, took: Duration::ZERO, shown: Vec::new() })
                .map_err(|error| Failed { error, begun: false }),
        )
    }

    /// Says that the step has its answer.
    pub fn settle(&self) {
        *self.attempt.lock() = 0;
    }

    /// Leaves a question of a step.
    ///
    /// # Errors
    /// When the step has asked too often.
    pub fn leave(&self, step: i64, llm_config: &LlmConfig, body: Value) -> Result<(), LlmError> {
        let attempt = *self.attempt.lock();
        if attempt >= MOST_CALLS {
            return Err(LlmError::Malformed {
                message: "the model gave no usable answer in any of its batches".into(),
            });
        }
        *self.left.lock() = Some(Left { place: Place { step, attempt }, llm_config: llm_config.clone(), body });
        Ok(())
    }

    /// The question that was left.
    pub fn left(&self) -> Option<Left> {
        self.left.lock().take()
    }
}
