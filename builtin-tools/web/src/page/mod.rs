//! From the bytes of a page to the Markdown that a model reads.

mod charset;
mod content;
mod markdown;
mod plain;
mod survey;
mod table;
mod writer;

use std::borrow::Cow;

use mneme_tool_sdk::ToolError;
use mneme_tool_sdk::http::{Response, Url};

/// The most characters of a page that a model gets.
const MOST_CHARACTERS: usize = 100_000;
const CUT: &str = "\n\n[The page goes on; the rest was left out.]";

/// The readable text of an answer.
///
/// # Errors
/// When it is nothing that can be read as text.
pub fn read(response: &Response) -> Result<String, ToolError> {
    let content_type = response.header("content-type").unwrap_or_default();
    let kind = Kind::of(content_type, response.bytes())?;
    let text = charset::decode(response.bytes(), content_type, kind == Kind::Html);
    let text: Cow<str> = match kind {
        Kind::Html => Url::parse(response.url()).map(|url| content::markdown(&text, &url))?.into(),
        Kind::Text => text,
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(ToolError::failed(format!("The page at {} has no text to read.", response.url())));
    }
    Ok(match response.is_truncated() {
        true => format!("{}{CUT}", cut(text).trim_end_matches(CUT)),
        false => cut(text).into_owned(),
    })
}

/// The text up to a length that fits into a conversation.
pub fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}{CUT}", &text[..end]).into(),
        None => text.into(),
    }
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Html,
    Text,
}

impl Kind {
    /// By the declared type; by the first bytes when none is declared.
    fn of(content_type: &str, bytes: &[u8]) -> Result<Self, ToolError> {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let textual = ["application/json", "application/xml", "application/javascript", "application/x-ndjson"];
        match essence.as_str() {
            "text/html" | "application/xhtml+xml" => Ok(Self::Html),
            "" => Self::sniff(bytes),
            known if known.starts_with("text/") || textual.contains(&known) => Ok(Self::Text),
            suffixed if suffixed.ends_with("+json") || suffixed.ends_with("+xml") => Ok(Self::Text),
            "application/pdf" => Err(ToolError::failed(
                "The page is a PDF document, which this tool cannot read by itself. It can when EXA_API_KEY is set.",
            )),
            other => Err(ToolError::failed(format!("The page is no text: it is of the type {other}."))),
        }
    }

    fn sniff(bytes: &[u8]) -> Result<Self, ToolError> {
        let start = bytes.trim_ascii_start();
        if start.starts_with(b"<") {
            return Ok(Self::Html);
        }
        match start.starts_with(b"%PDF") || bytes.contains(&0) {
            true => Err(ToolError::failed("The page is no text, and its site does not say what it is.")),
            false => Ok(Self::Text),
        }
    }
}

#[cfg(test)]
mod tests;
