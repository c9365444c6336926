//! What a step cost in tokens.

use mneme_llm::Completion;

use super::{State, Turn};
use crate::context::history;

impl Turn {
    /// Adds an answer to the turn's usage.
    pub(super) fn count(&self, state: &mut State, completion: &Completion) {
        state.usage.step_count += 1;
        let (prompt, completed, total) = self.tokens(state, completion);
        state.usage.prompt_tokens += prompt;
        state.usage.completion_tokens += completed;
        state.usage.total_tokens += total;
        state.context.tokens = u64::try_from(total).ok();
    }

    /// The step's tokens: as the provider counted, else as we do.
    pub(super) fn tokens(&self, state: &State, completion: &Completion) -> (i64, i64, i64) {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        match completion.usage {
            Some(usage) => (signed(usage.prompt_tokens), signed(usage.completion_tokens), signed(usage.total_tokens)),
            None => {
                let system = state.context.system.text();
                let messages = state.context.messages.iter().map(|message| &**message).chain(&state.pending);
                let chat = history::to_chat(&system, messages);
                let prompt = mneme_llm::tokens::count_messages(&chat, &state.specs);
                let words = mneme_llm::tokens::count(completion.text.as_deref().unwrap_or_default())
                    + completion.tool_calls.iter().map(|call| mneme_llm::tokens::count(&call.arguments)).sum::<usize>();
                let (prompt, words) = (signed(prompt as u64), signed(words as u64));
                (prompt, words, prompt + words)
            }
        }
    }
}
