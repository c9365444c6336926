//! Reads a streamed answer: bytes to events to deltas, up to the first error or the end.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use crate::{
    assemble::Assembler,
    error::{LlmError, classify::Upstream},
    event::{Completion, Delta},
    event_stream::FrameParser,
    http::{Body, Limits, broken_off},
    lenient,
    redact::Redactor,
    retry::Failure,
    sse::{SseEvent, SseParser},
    wire::{Decoder, Fault, Framing},
};

/// How long to wait for usage and the end mark once the model has said why it stopped.
const GRACE: Duration = Duration::from_secs(3);
/// How long to wait for the end of the body after the end mark, so that the connection can be used again.
const DRAIN: Duration = Duration::from_millis(20);

/// A streamed answer. Ends after the [`Delta::Finish`] or after the first error. Dropping it cancels the call.
pub struct ChatStream {
    inner: Pin<Box<dyn Stream<Item = Result<Delta, LlmError>> + Send>>,
    request: Value,
    ttft: Duration,
}

impl ChatStream {
    pub(crate) fn new(first: Delta, reader: Reader, request: Value, ttft: Duration) -> Self {
        let rest = stream::try_unfold(reader, |mut reader| async move {
            match reader.next().await {
                Ok(delta) => Ok(delta.map(|delta| (delta, reader))),
                Err(failure) => Err(failure.error),
            }
        });
        Self { inner: Box::pin(stream::iter([Ok(first)]).chain(rest)), request, ttft }
    }

    /// The exact body that was sent.
    pub fn request_json(&self) -> &Value {
        &self.request
    }

    /// Time from sending the request to the first delta.
    pub fn ttft(&self) -> Duration {
        self.ttft
    }

    /// Reads the stream to its end.
    pub async fn into_completion(mut self) -> Result<Completion, LlmError> {
        let mut assembler = Assembler::new();
        while let Some(delta) = self.inner.next().await {
            assembler.push(delta?);
        }
        Ok(Completion { request_json: self.request, ttft: Some(self.ttft), ..assembler.finish() })
    }
}

impl Stream for ChatStream {
    type Item = Result<Delta, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("ttft", &self.ttft).finish_non_exhaustive()
    }
}

/// Cuts a body into events.
enum Parser {
    Lines(SseParser),
    Frames(FrameParser),
}

impl Parser {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        match self {
            Self::Lines(parser) => parser.push(chunk, out),
            Self::Frames(parser) => parser.push(chunk, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        match self {
            Self::Lines(parser) => parser.finish(out),
            // A frame without its end says nothing.
            Self::Frames(_) => Ok(()),
        }
    }
}

/// Pulls deltas out of a body.
pub(crate) struct Reader {
    body: Body,
    parser: Parser,
    decoder: Box<dyn Decoder>,
    events: Vec<SseEvent>,
    ready: VecDeque<Delta>,
    /// What went wrong; reported once everything that came before it has been handed out.
    failure: Option<Failure>,
    ended: bool,
    context: Interpreter,
}

/// What it takes to word an error for a client.
#[derive(Clone)]
pub(crate) struct Interpreter {
    pub model: String,
    pub redactor: Redactor,
}

impl Interpreter {
    /// The error for a fault of the decoder.
    pub fn fault(&self, fault: Fault) -> Failure {
        match fault {
            Fault::Upstream(upstream) => {
                let retry_after = upstream.retry_after;
                let error = upstream.clone().into_error(&self.model, &self.redactor);
                Failure { error, retry_after, cut_off: false, upstream: Some(Box::new(upstream)) }
            }
            Fault::Malformed(message) => LlmError::malformed(message).into(),
        }
    }

    /// Decodes an answer that came in one piece; the last delta is the finish.
    pub fn whole(&self, mut decoder: Box<dyn Decoder>, body: &Value) -> Result<Vec<Delta>, Failure> {
        let mut out = Vec::new();
        if let Some(upstream) = reported_error("", body) {
            return Err(self.fault(Fault::Upstream(upstream)));
        }
        decoder.whole(body, &mut out).map_err(|fault| self.fault(fault))?;
        decoder.progress().end(&mut out);
        Ok(out)
    }
}

impl Reader {
    pub fn new(body: Body, framing: Framing, decoder: Box<dyn Decoder>, limits: Limits, context: Interpreter) -> Self {
        Self {
            body,
            parser: match framing {
                Framing::Lines => Parser::Lines(SseParser::new(limits.line_bytes)),
                Framing::Frames => Parser::Frames(FrameParser::new(limits.line_bytes)),
            },
            decoder,
            events: Vec::new(),
            ready: VecDeque::new(),
            failure: None,
            ended: false,
            context,
        }
    }

    /// A reader whose deltas are all there already.
    pub fn replay(body: Body, deltas: Vec<Delta>, decoder: Box<dyn Decoder>, context: Interpreter) -> Self {
        let mut reader = Self::new(body, Framing::Lines, decoder, Limits::default(), context);
        reader.ready = deltas.into();
        reader.ended = true;
        reader
    }

    /// The next delta, `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Delta>, Failure> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Ok(Some(delta));
            }
            if let Some(failure) = self.failure.take() {
                self.ended = true;
                return Err(failure);
            }
            if self.ended {
                return Ok(None);
            }
            if let Err(failure) = self.advance().await {
                self.failure = Some(failure);
            }
        }
    }

    /// Reads and decodes another chunk, or ends the answer.
    async fn advance(&mut self) -> Result<(), Failure> {
        let finished = self.decoder.progress().finish.is_some();
        match self.body.chunk(finished.then_some(GRACE)).await {
            Ok(Some(chunk)) => {
                let parsed = self.parser.push(&chunk, &mut self.events);
                self.decode()?;
                parsed?;
            }
            Ok(None) => {
                let parsed = self.parser.finish(&mut self.events);
                self.decode()?;
                parsed?;
                return self.end();
            }
            // The model is done; a connection that dies now takes nothing away.
            Err(_) if finished => return self.end(),
            Err(failure) => return Err(failure),
        }
        if self.decoder.progress().done {
            self.end()?;
            // Whatever this brings is of no interest; it lets the connection go back to the pool.
            drop(self.body.chunk(Some(DRAIN)).await);
        }
        Ok(())
    }

    fn decode(&mut self) -> Result<(), Failure> {
        let mut out = Vec::new();
        let mut result = Ok(());
        for event in std::mem::take(&mut self.events) {
            if self.decoder.progress().done {
                break;
            }
            result = self.decode_event(&event, &mut out);
            if result.is_err() {
                break;
            }
        }
        self.ready.extend(out);
        result
    }

    fn decode_event(&mut self, event: &SseEvent, out: &mut Vec<Delta>) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.decoder.progress().done = true;
            return Ok(());
        }
        let payloads = match lenient::value(data) {
            Ok(payload) => vec![payload],
            Err(_) if event.event == "error" => vec![Value::String(data.to_owned())],
            // Some proxies forget the blank line between events, which glues their data together.
            Err(_) => {
                data.lines().filter(|line| *line != "[DONE]").map(lenient::value).collect::<Result<_, _>>().map_err(
                    |_| Failure::from(LlmError::malformed("the provider streamed something that is not JSON")),
                )?
            }
        };
        for payload in payloads {
            match reported_error(&event.event, &payload) {
                Some(_) if self.decoder.progress().finish.is_some() => self.decoder.progress().done = true,
                Some(upstream) => return Err(self.context.fault(Fault::Upstream(upstream))),
                None => self.decoder.event(&payload, out).map_err(|fault| self.context.fault(fault))?,
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        let progress = self.decoder.progress();
        if progress.finish.is_none() && !progress.done {
            return Err(broken_off());
        }
        let mut out = Vec::new();
        progress.end(&mut out);
        self.ready.extend(out);
        self.ended = true;
        Ok(())
    }
}

/// The error that a payload reports, in any of the shapes that come with a good HTTP status.
fn reported_error(event: &str, payload: &Value) -> Option<Upstream> {
    let object = |key: &str| matches!(payload.get(key), Some(Value::Object(_) | Value::String(_)));
    let named = |key: &str| payload.get(key).and_then(Value::as_str) == Some("error");
    // A response object of the Responses API carries `error` too; its decoder reads it.
    let is_error = event == "error"
        || named("type")
        || named("object")
        || (object("error") && payload.get("object").and_then(Value::as_str) != Some("response"))
        || payload.pointer("/0/error").is_some();
    is_error.then(|| Upstream::from_value(None, payload))
}
