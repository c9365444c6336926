//! What the provider answers to one chat request.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// One scripted answer. Build it with a constructor and refine it with the methods.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) kind: Kind,
    pub(super) delay: Duration,
    pub(super) chunk_delay: Duration,
    pub(super) stall_after: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Message(Message),
    /// Bytes as they are, one network chunk each, under `text/event-stream`.
    Raw(Vec<Bytes>),
    Http(Http),
    Hang,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub(super) text: Option<String>,
    pub(super) reasoning: Option<String>,
    pub(super) calls: Vec<Call>,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<(u64, u64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: String,
    /// The arguments as the model wrote them; a test may want broken JSON here.
    pub(super) arguments: String,
    pub(super) id: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Http {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    /// An assistant message.
    pub fn text(text: impl Into<String>) -> Self {
        Self::message(Message { text: Some(text.into()), ..Message::default() })
    }

    /// One tool call.
    pub fn tool_call(name: impl Into<String>, arguments: Value) -> Self {
        Self::message(Message::default()).and_tool_call(name, arguments)
    }

    /// One tool call whose arguments are sent as they are, valid JSON or not.
    pub fn raw_tool_call(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        let call = Call { name: name.into(), arguments: arguments.into(), id: None };
        Self::message(Message { calls: vec![call], ..Message::default() })
    }

    /// An answer with neither text nor calls.
    pub fn empty() -> Self {
        Self::message(Message::default())
    }

    /// Bytes sent as one chunk of an event stream, whatever they are. The stream then ends.
    pub fn raw_sse(bytes: impl Into<Bytes>) -> Self {
        Self::raw_sse_chunks([bytes.into()])
    }

    /// Bytes sent as an event stream in these network chunks, to cut events and characters in odd places.
    pub fn raw_sse_chunks(chunks: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        Self::new(Kind::Raw(chunks.into_iter().map(Into::into).collect()))
    }

    /// An HTTP answer with this status and an empty body; see [`Reply::header`] and [`Reply::body`].
    pub fn status(status: u16) -> Self {
        Self::new(Kind::Http(Http { status, headers: Vec::new(), body: Bytes::new() }))
    }

    /// An error in OpenAI's format.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let error =
            serde_json::json!({"error": {"message": message, "type": "test_error", "param": null, "code": code}});
        Self::status(status).header("content-type", "application/json").body(error.to_string())
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self::new(Kind::Hang)
    }

    /// Adds a tool call to the same assistant message.
    #[must_use]
    pub fn and_tool_call(self, name: impl Into<String>, arguments: Value) -> Self {
        let call = Call { name: name.into(), arguments: arguments.to_string(), id: None };
        self.map_message(|message| message.calls.push(call))
    }

    /// Sets the id of the last tool call; without it ids are made up and unique.
    #[must_use]
    pub fn call_id(self, id: impl Into<String>) -> Self {
        let id = id.into();
        self.map_message(|message| message.calls.last_mut().expect("call_id follows a tool call").id = Some(id))
    }

    /// Text beside tool calls.
    #[must_use]
    pub fn with_text(self, text: impl Into<String>) -> Self {
        let text = text.into();
        self.map_message(|message| message.text = Some(text))
    }

    /// Reasoning before the answer, as `reasoning_content`.
    #[must_use]
    pub fn with_reasoning(self, reasoning: impl Into<String>) -> Self {
        let reasoning = reasoning.into();
        self.map_message(|message| message.reasoning = Some(reasoning))
    }

    /// Reports this finish reason instead of `stop` or `tool_calls`.
    #[must_use]
    pub fn finish_reason(self, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        self.map_message(|message| message.finish_reason = Some(reason))
    }

    /// Reports these prompt and completion tokens instead of an estimate.
    #[must_use]
    pub fn usage(self, prompt_tokens: u64, completion_tokens: u64) -> Self {
        self.map_message(|message| message.usage = Some((prompt_tokens, completion_tokens)))
    }

    /// Adds a header to an HTTP answer.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.map_http(|http| http.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Sets the body of an HTTP answer.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.map_http(|http| http.body = body)
    }

    /// Waits before the first byte.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits before each chunk of a stream.
    #[must_use]
    pub fn chunk_delay(mut self, delay: Duration) -> Self {
        self.chunk_delay = delay;
        self
    }

    /// Falls silent after this many chunks of a stream, with the connection left open.
    #[must_use]
    pub fn stall_after(mut self, chunks: usize) -> Self {
        self.stall_after = Some(chunks);
        self
    }

    fn new(kind: Kind) -> Self {
        Self { kind, delay: Duration::ZERO, chunk_delay: Duration::ZERO, stall_after: None }
    }

    fn message(message: Message) -> Self {
        Self::new(Kind::Message(message))
    }

    fn map_message(mut self, change: impl FnOnce(&mut Message)) -> Self {
        match &mut self.kind {
            Kind::Message(message) => change(message),
            other => panic!("only an assistant message can be refined this way, not {other:?}"),
        }
        self
    }

    fn map_http(mut self, change: impl FnOnce(&mut Http)) -> Self {
        match &mut self.kind {
            Kind::Http(http) => change(http),
            other => panic!("only an HTTP answer can be refined this way, not {other:?}"),
        }
        self
    }
}
