//! A tool of the server's own: it reads the text out of documents that users upload. Parsers of strangers' files recurse,
//! unpack and allocate as the file tells them to; in the sandbox that hurts nobody else.

mod archive;
mod chunk;
mod kind;
mod outcome;
mod pdf;
mod plain;
mod sheet;
mod slides;
#[cfg(test)]
mod tests;
mod tokens;
mod web;
mod word;
mod xml;

use mneme_tool_sdk::{ToolError, tool};

use kind::Kind;
use outcome::Reading;

/// Where the server puts the document.
const PLACE: &str = "/document/content";

/// Reads a document. Answers a line of JSON (`kind`, a media type; `pages`, of a PDF; `chunks`, pairs of byte offsets) and
/// after it the text.
///
/// # Arguments
/// * `name` - What the file is called.
/// * `chunk_tokens` - How many tokens a chunk has at most.
/// * `careful` - Read a PDF with the simpler of two readers, which survives more damage.
#[tool]
pub fn read_document(
    name: String,
    #[arg(default = 300)] chunk_tokens: usize,
    #[arg(default = false)] careful: bool,
) -> Result<String, ToolError> {
    let bytes = std::fs::read(PLACE).map_err(|error| ToolError::failed(format!("the file cannot be read: {error}")))?;
    read(&name, bytes, chunk_tokens, careful)
}

fn read(name: &str, bytes: Vec<u8>, chunk_tokens: usize, careful: bool) -> Result<String, ToolError> {
    let kind = kind::detect(name, &bytes)?;
    let reading = match kind {
        Kind::Pdf => pdf::read(bytes, careful)?,
        Kind::Word => word::read(bytes)?,
        Kind::Sheet => sheet::read(bytes)?,
        Kind::Slides => slides::read(bytes)?,
        Kind::Html => web::read(bytes)?,
        Kind::Json => plain::json(bytes)?,
        Kind::Markdown | Kind::Plain(_) => Reading::of(plain::decode(bytes)?),
    };
    reading.answer(kind, chunk_tokens)
}

mneme_tool_sdk::export_tools!(read_document);
