//! An incremental parser of server-sent events, bounded and forgiving.
//!
//! It takes bytes as they arrive, cut anywhere, and accepts every line ending, comments, a byte order mark, `data:`
//! with or without a space, and a last event that no blank line follows.

use crate::error::LlmError;

/// One event: its type (empty when the server names none) and its data lines joined by line feeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SseEvent {
    pub event: String,
    pub data: String,
}

/// Parser state between two chunks.
pub(crate) struct SseParser {
    line: Vec<u8>,
    event: String,
    data: Option<String>,
    /// The previous byte was a CR, so a LF now belongs to it.
    after_cr: bool,
    first_line: bool,
    max_bytes: usize,
}

impl SseParser {
    /// A parser that refuses a line or an event of more than `max_bytes`.
    pub fn new(max_bytes: usize) -> Self {
        Self { line: Vec::new(), event: String::new(), data: None, after_cr: false, first_line: true, max_bytes }
    }

    /// Takes a chunk and appends the events it completes to `out`.
    pub fn push(&mut self, mut chunk: &[u8], out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.after_cr) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let end = chunk.iter().position(|b| matches!(b, b'\n' | b'\r'));
            let taken = end.unwrap_or(chunk.len());
            if self.line.len() + taken > self.max_bytes {
                return Err(LlmError::malformed("the provider sent a line that is too long"));
            }
            self.line.extend_from_slice(&chunk[..taken]);
            match end {
                Some(at) => {
                    self.after_cr = chunk[at] == b'\r';
                    chunk = &chunk[at + 1..];
                    self.end_line(out)?;
                }
                None => break,
            }
        }
        Ok(())
    }

    /// The stream is over: hands out an event that was not closed by a blank line.
    pub fn finish(&mut self, out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        if !self.line.is_empty() {
            self.end_line(out)?;
        }
        self.dispatch(out);
        Ok(())
    }

    fn end_line(&mut self, out: &mut Vec<SseEvent>) -> Result<(), LlmError> {
        let bytes = std::mem::take(&mut self.line);
        let bytes = if std::mem::take(&mut self.first_line) {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)
        } else {
            &bytes
        };
        if bytes.is_empty() {
            self.dispatch(out);
            return Ok(());
        }
        // A model may be cut inside a character; that must not cost the whole answer.
        let line = String::from_utf8_lossy(bytes);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.append(value)?,
            "event" => self.event = value.to_owned(),
            // llama.cpp reports failures in a field of its own.
            "error" => {
                self.event = "error".to_owned();
                self.append(value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn append(&mut self, value: &str) -> Result<(), LlmError> {
        match &mut self.data {
            Some(data) => {
                if data.len() + value.len() >= self.max_bytes {
                    return Err(LlmError::malformed("the provider sent an event that is too long"));
                }
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(())
    }

    fn dispatch(&mut self, out: &mut Vec<SseEvent>) {
        let event = std::mem::take(&mut self.event);
        if let Some(data) = self.data.take() {
            out.push(SseEvent { event, data });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(chunks: &[&[u8]]) -> Vec<SseEvent> {
        let (mut parser, mut out) = (SseParser::new(1000), Vec::new());
        for chunk in chunks {
            parser.push(chunk, &mut out).expect("within bounds");
        }
        parser.finish(&mut out).expect("within bounds");
        out
    }

    fn event(event: &str, data: &str) -> SseEvent {
        SseEvent { event: event.into(), data: data.into() }
    }

    const SAMPLE: &[u8] = "\u{feff}: hello\nevent: a\ndata:no space\ndata: two\r\n\r\n:ping\r\ndata: é✓\r\rid: 7\nretry: 5\ndata\n\nevent: lonely\n\ndata: last".as_bytes();

    fn expected() -> Vec<SseEvent> {
        vec![event("a", "no space\ntwo"), event("", "é✓"), event("", ""), event("", "last")]
    }

    #[test]
    fn every_line_ending_and_field_form_is_understood() {
        assert_eq!(parse(&[SAMPLE]), expected());
    }

    #[test]
    fn chunks_may_be_cut_at_every_byte() {
        for cut in 0..SAMPLE.len() {
            assert_eq!(parse(&[&SAMPLE[..cut], &SAMPLE[cut..]]), expected(), "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = SAMPLE.chunks(1).collect();
        assert_eq!(parse(&bytes), expected());
    }

    #[test]
    fn the_error_field_of_llama_cpp_is_an_error_event() {
        assert_eq!(parse(&[b"error: {\"code\":500}\n\n"]), vec![event("error", "{\"code\":500}")]);
    }

    #[test]
    fn long_lines_and_long_events_are_refused() {
        let mut out = Vec::new();
        let long = [b"data: ".as_slice(), &[b'x'; 2000]].concat();
        assert_eq!(SseParser::new(1000).push(&long, &mut out).map_err(|e| e.kind()), Err("malformed"));
        let many = b"data: xxxxxxxxxxxxxxxxxxxx\n".repeat(100);
        assert_eq!(SseParser::new(1000).push(&many, &mut out).map_err(|e| e.kind()), Err("malformed"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_the_same_events_however_they_are_cut(bytes in proptest::collection::vec(
            proptest::prop_oneof![proptest::strategy::Just(b'\n'), proptest::strategy::Just(b'\r'), proptest::strategy::Just(b':'), proptest::prelude::any::<u8>()], 0..300), at in 0usize..300) {
            let at = at.min(bytes.len());
            proptest::prop_assert_eq!(parse(&[&bytes]), parse(&[&bytes[..at], &bytes[at..]]));
        }
    }
}
