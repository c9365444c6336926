//! AWS's binary event streams: frames with headers, a payload and checksums, cut anywhere by the network.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::BytesMut;

use crate::{error::LlmError, sse::SseEvent};

/// The length at the beginning of a frame.
const LENGTH: usize = 4;
/// A frame without headers and payload: two lengths and two checksums.
const SHORTEST: usize = 16;

/// Parser state between two chunks.
pub(crate) struct FrameParser {
    decoder: MessageFrameDecoder,
    buffer: BytesMut,
    max_bytes: usize,
}

impl FrameParser {
    /// A parser that refuses a frame of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { decoder: MessageFrameDecoder::new(), buffer: BytesMut::new(), max_bytes }
    }

    /// Takes a chunk and appends the events it completes to `out`. An event's data is one JSON object whose only key is
    /// the event's type; an exception is an event `error` in the shape of everybody else's errors.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        self.buffer.extend_from_slice(chunk);
        loop {
            let Some(length) = self.buffer.first_chunk::<LENGTH>() else {
                return Ok(());
            };
            let length = u32::from_be_bytes(*length) as usize;
            if !(SHORTEST..=self.max_bytes).contains(&length) {
                return Err(LlmError::malformed("the provider sent a frame of an impossible length"));
            }
            // The decoder must see whole frames only: it would keep a part of the head for itself.
            if self.buffer.len() < length {
                return Ok(());
            }
            match self.decoder.decode_frame(&mut self.buffer) {
                Ok(DecodedFrame::Complete(message)) => out.extend(event(&message)?),
                Ok(DecodedFrame::Incomplete) => return Ok(()),
                Err(_) => return Err(LlmError::malformed("the provider sent a damaged frame")),
            }
        }
    }
}

fn event(message: &Message) -> Result<Option<SseEvent>, LlmError> {
    let header = |name: &str| {
        let found = message.headers().iter().find(|header| header.name().as_str() == name)?;
        found.value().as_string().ok().map(|text| text.as_str().to_owned())
    };
    let payload = std::str::from_utf8(message.payload())
        .map_err(|_| LlmError::malformed("the provider sent a frame that is not text"))?;
    let kind = header(":message-type").unwrap_or_default();
    if kind == "event" {
        let Some(name) = header(":event-type") else {
            return Ok(None);
        };
        let payload = if payload.trim().is_empty() { "{}" } else { payload };
        return Ok(Some(SseEvent { event: String::new(), data: format!("{{{}:{payload}}}", quoted(&name)) }));
    }
    let code = header(":exception-type").or_else(|| header(":error-code")).unwrap_or_default();
    let said = serde_json::from_str::<serde_json::Value>(payload).ok();
    let message = said
        .as_ref()
        .and_then(|said| said.get("message")?.as_str())
        .map(str::to_owned)
        .or_else(|| header(":error-message"))
        .unwrap_or_else(|| code.clone());
    let error = serde_json::json!({"error": {"code": code, "message": message}});
    Ok(Some(SseEvent { event: "error".to_owned(), data: error.to_string() }))
}

fn quoted(text: &str) -> serde_json::Value {
    serde_json::Value::from(text)
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::write_message_to;
    use aws_smithy_types::event_stream::{Header, HeaderValue};
    use bytes::Bytes;

    use super::*;

    fn frame(headers: &[(&'static str, &'static str)], payload: &'static str) -> Vec<u8> {
        let mut message = Message::new(Bytes::from_static(payload.as_bytes()));
        for (name, value) in headers {
            message = message.add_header(Header::new(*name, HeaderValue::String((*value).into())));
        }
        let mut bytes = Vec::new();
        write_message_to(&message, &mut bytes).expect("a frame");
        bytes
    }

    fn sample() -> Vec<u8> {
        [
            frame(&[(":message-type", "event"), (":event-type", "messageStart")], "{\"role\":\"assistant\"}"),
            frame(&[(":message-type", "event"), (":event-type", "contentBlockStop")], ""),
            frame(
                &[(":message-type", "exception"), (":exception-type", "throttlingException")],
                "{\"message\":\"slow down\"}",
            ),
            frame(&[(":message-type", "error"), (":error-code", "internal"), (":error-message", "boom")], ""),
        ]
        .concat()
    }

    fn parse(chunks: &[&[u8]]) -> Result<Vec<SseEvent>, LlmError> {
        let (mut parser, mut out) = (FrameParser::new(1000), Vec::new());
        chunks.iter().try_for_each(|chunk| parser.push(chunk, &mut out))?;
        Ok(out)
    }

    #[test]
    fn events_and_exceptions_come_out_however_the_bytes_are_cut() {
        let error = |data: &str| SseEvent { event: "error".into(), data: data.into() };
        let said = |data: &str| SseEvent { event: String::new(), data: data.into() };
        let expected = vec![
            said("{\"messageStart\":{\"role\":\"assistant\"}}"),
            said("{\"contentBlockStop\":{}}"),
            error("{\"error\":{\"code\":\"throttlingException\",\"message\":\"slow down\"}}"),
            error("{\"error\":{\"code\":\"internal\",\"message\":\"boom\"}}"),
        ];
        let bytes = sample();
        assert_eq!(parse(&[&bytes]), Ok(expected.clone()));
        for cut in 0..bytes.len() {
            assert_eq!(parse(&[&bytes[..cut], &bytes[cut..]]), Ok(expected.clone()), "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse(&single), Ok(expected));
    }

    #[test]
    fn damaged_and_oversized_frames_are_refused() {
        let mut damaged = sample();
        damaged[20] ^= 1;
        assert_eq!(parse(&[&damaged]).map_err(|error| error.kind()), Err("malformed"));
        assert_eq!(parse(&[b"data: hello\n\n"]).map_err(|error| error.kind()), Err("malformed"));
        assert_eq!(parse(&[&[0, 0, 0, 4, 1, 2, 3, 4]]).map_err(|error| error.kind()), Err("malformed"));
        assert_eq!(parse(&[&sample()[..30]]), Ok(vec![]), "the rest may still come");
    }
}
