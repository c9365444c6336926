//! AWS's binary event streams: frames with headers, a payload and checksums, cut anywhere by the network.

mod frame;

use bytes::{Buf, BytesMut};

use crate::{error::LlmError, sse::SseEvent};
use frame::{Frame, SHORTEST};

/// Parser state between two chunks.
pub(crate) struct FrameParser {
    buffer: BytesMut,
    max_bytes: usize,
}

impl FrameParser {
    /// A parser that refuses a frame of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { buffer: BytesMut::new(), max_bytes }
    }

    /// Takes a chunk and appends the events it completes to `out`. An event's data is one JSON object whose only key is
    /// the event's type; an exception is an event `error` in the shape of everybody else's errors.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        self.buffer.extend_from_slice(chunk);
        while let Some(length) = self.buffer.first_chunk() {
            let length = u32::from_be_bytes(*length) as usize;
            if !(SHORTEST..=self.max_bytes).contains(&length) {
                return Err(LlmError::malformed("the provider sent a frame of an impossible length"));
            }
            let Some(bytes) = self.buffer.get(..length) else {
                return Ok(());
            };
            let frame = Frame::read(bytes).ok_or_else(|| LlmError::malformed("the provider sent a damaged frame"))?;
            out.extend(event(&frame)?);
            self.buffer.advance(length);
        }
        Ok(())
    }
}

fn event(frame: &Frame<'_>) -> Result<Option<SseEvent>, LlmError> {
    let payload = std::str::from_utf8(frame.payload)
        .map_err(|_| LlmError::malformed("the provider sent a frame that is not text"))?;
    if frame.header(":message-type") == Some("event") {
        let Some(name) = frame.header(":event-type") else {
            return Ok(None);
        };
        let payload = if payload.trim().is_empty() { "{}" } else { payload };
        let data = format!("{{{}:{payload}}}", serde_json::Value::from(name));
        return Ok(Some(SseEvent { event: String::new(), data }));
    }
    let code = frame.header(":exception-type").or_else(|| frame.header(":error-code")).unwrap_or_default();
    let said = serde_json::from_str::<serde_json::Value>(payload).ok();
    let message = said
        .as_ref()
        .and_then(|said| said.get("message")?.as_str())
        .or_else(|| frame.header(":error-message"))
        .unwrap_or(code);
    let error = serde_json::json!({"error": {"code": code, "message": message}});
    Ok(Some(SseEvent { event: "error".to_owned(), data: error.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(headers: &[(&str, &str)], payload: &str) -> Vec<u8> {
        let mut packed = Vec::new();
        for (name, value) in headers {
            packed.push(name.len() as u8);
            packed.extend(name.as_bytes());
            packed.push(7);
            packed.extend((value.len() as u16).to_be_bytes());
            packed.extend(value.as_bytes());
        }
        let mut bytes = Vec::new();
        bytes.extend(((SHORTEST + packed.len() + payload.len()) as u32).to_be_bytes());
        bytes.extend((packed.len() as u32).to_be_bytes());
        bytes.extend(frame::checksum(&bytes).to_be_bytes());
        bytes.extend(packed);
        bytes.extend(payload.as_bytes());
        bytes.extend(frame::checksum(&bytes).to_be_bytes());
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
