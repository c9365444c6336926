//! What a tool function may return.

use serde::Serialize;

use crate::ToolError;

/// Turns a tool's return value into the text that the model sees.
pub trait IntoAnswer {
    /// The text, or the error.
    fn into_answer(self) -> Result<String, ToolError>;
}

/// Answers with the JSON text of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoAnswer for Json<T> {
    fn into_answer(self) -> Result<String, ToolError> {
        serde_json::to_string(&self.0).map_err(ToolError::failed)
    }
}

impl IntoAnswer for String {
    fn into_answer(self) -> Result<String, ToolError> {
        Ok(self)
    }
}

impl IntoAnswer for &str {
    fn into_answer(self) -> Result<String, ToolError> {
        Ok(self.to_owned())
    }
}

/// A tool that only has an effect answers `OK`.
impl IntoAnswer for () {
    fn into_answer(self) -> Result<String, ToolError> {
        Ok("OK".to_owned())
    }
}

impl<T: IntoAnswer, E: Into<ToolError>> IntoAnswer for Result<T, E> {
    fn into_answer(self) -> Result<String, ToolError> {
        self.map_err(Into::into)?.into_answer()
    }
}
