//! The answers of a batch, read line by line: all of them together may be larger than memory.

use reqwest::Method;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{anthropic, openai};
use crate::{
    assemble::Assembler, client::LlmClient, error::LlmError, event::Completion, http::Body, lenient,
    provider::Provider, redact::Redactor, stream::Interpreter, wire::Wire,
};

/// Bytes that the answers of one batch may have in all.
const ALL: usize = 2 << 30;
/// Bytes of one answer.
const LINE: usize = 16 << 20;

/// What became of one call.
#[derive(Debug)]
pub struct BatchResult {
    /// The caller's name for the call.
    pub id: String,
    /// The answer; its `request_json` is null.
    pub outcome: Result<Completion, LlmError>,
}

/// The answers of a batch, in no particular order.
pub struct BatchResults {
    readers: Vec<Reader>,
    format: Format,
    context: Interpreter,
}

/// How a line is to be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Anthropic,
    OpenAi,
}

/// Cuts a body into lines.
pub(super) struct Reader {
    body: Body,
    rest: Vec<u8>,
    /// How far `rest` is known to hold no line's end.
    looked: usize,
    ended: bool,
}

impl Reader {
    pub async fn open(client: &LlmClient, provider: &Provider, url: Url, deadline: Instant) -> Result<Self, LlmError> {
        let sent = client.transport.send(provider, "", Method::GET, url, None, deadline).await;
        let body = sent.map_err(|failure| failure.error)?.at_most(ALL);
        Ok(Self { body, rest: Vec::new(), looked: 0, ended: false })
    }

    async fn line(&mut self) -> Result<Option<Vec<u8>>, LlmError> {
        loop {
            if let Some(at) = self.rest[self.looked..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.rest.drain(..=self.looked + at).collect();
                line.pop();
                self.looked = 0;
                return Ok(Some(line));
            }
            self.looked = self.rest.len();
            if self.ended {
                self.looked = 0;
                let last = std::mem::take(&mut self.rest);
                return Ok((!last.is_empty()).then_some(last));
            }
            if self.rest.len() > LINE {
                return Err(LlmError::malformed("an answer in the provider's batch is too large"));
            }
            match self.body.chunk(None).await.map_err(|failure| failure.error)? {
                Some(chunk) => self.rest.extend_from_slice(&chunk),
                None => self.ended = true,
            }
        }
    }
}

impl BatchResults {
    pub(super) fn new(readers: Vec<Reader>, format: Format, provider: &Provider) -> Self {
        let context = Interpreter { model: String::new(), redactor: Redactor::of(provider) };
        Self { readers, format, context }
    }

    /// The next answer, `None` after the last. An error ends the reading; it can be begun anew.
    pub async fn next(&mut self) -> Result<Option<BatchResult>, LlmError> {
        while let Some(reader) = self.readers.last_mut() {
            let Some(line) = reader.line().await? else {
                self.readers.pop();
                continue;
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let line = lenient::value_of(&line)
                .map_err(|_| LlmError::malformed("a line of the provider's batch is not JSON"))?;
            let result = match self.format {
                Format::Anthropic => anthropic::result(&line, &self.context),
                Format::OpenAi => openai::result(&line, &self.context),
            };
            // A line that names no call is nobody's answer.
            if result.is_some() {
                return Ok(result);
            }
        }
        Ok(None)
    }
}

/// Decodes the body of an answer.
pub(super) fn completion(wire: Wire, body: &Value, context: &Interpreter) -> Result<Completion, LlmError> {
    let mut assembler = Assembler::new();
    for delta in context.whole(wire.decoder(), body).map_err(|failure| failure.error)? {
        assembler.push(delta);
    }
    Ok(Completion { response_json: body.clone(), ..assembler.finish() })
}

pub(super) fn expired() -> LlmError {
    LlmError::Server { message: "the provider did not come to the call within the batch's time".into(), status: 504 }
}

pub(super) fn cancelled() -> LlmError {
    LlmError::BadRequest { message: "the batch was cancelled at the provider".into(), status: None }
}
