//! What a model gets to see: the compiled system prompt and the message history in a neutral form.

pub mod buffer;
pub mod cache;
pub mod clip;
pub mod compact;
pub mod history;
pub mod overview;
pub mod pictures;
pub mod prompt;
mod recompile;
