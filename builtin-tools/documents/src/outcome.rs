//! What a document comes to: its text, bounded, and the places of its chunks.

use mneme_tool_sdk::ToolError;
use serde::Serialize;

use crate::{chunk, kind::Kind};

/// The most bytes of text that a document may have. More is hardly read by an agent, and is kept several times.
pub const MAX_TEXT: usize = 24 << 20;

pub type Result<T> = std::result::Result<T, ToolError>;

/// Why a document cannot be read, in words for whoever uploaded it.
pub fn unreadable(reason: impl std::fmt::Display) -> ToolError {
    ToolError::failed(reason)
}

/// A document's text.
pub struct Reading {
    pub text: String,
    pub pages: Option<usize>,
}

#[derive(Serialize)]
struct Head {
    kind: &'static str,
    pages: Option<usize>,
    chunks: Vec<(usize, usize)>,
}

impl Reading {
    pub fn of(text: String) -> Self {
        Self { text, pages: None }
    }

    /// The answer for the server.
    pub fn answer(self, kind: Kind, chunk_tokens: usize) -> Result<String> {
        let text = tidy(&self.text);
        check(text.len())?;
        let chunks = chunk::places(&text, kind.is_markdown(), chunk_tokens);
        let head = Head { kind: kind.media_type(), pages: self.pages, chunks };
        let mut answer = serde_json::to_string(&head).map_err(ToolError::failed)?;
        answer.reserve(text.len() + 1);
        answer.push('\n');
        answer.push_str(&text);
        Ok(answer)
    }
}

/// Fails once a text is too long.
pub fn check(length: usize) -> Result<()> {
    if length > MAX_TEXT {
        return Err(unreadable(format!(
            "The document has more than {} MB of text; split it into smaller files",
            MAX_TEXT >> 20
        )));
    }
    Ok(())
}

/// One kind of line end, no NUL, which no database keeps, and no invisible mark of the encoding at the front.
fn tidy(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}');
    let mut tidy = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => tidy.push('\n'),
            '\0' => tidy.push('\u{fffd}'),
            other => tidy.push(other),
        }
    }
    tidy
}
