//! Capturing what a guest writes, up to a bound, without ever making it wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::ansi;

/// A bounded text that a guest writes to. Clones share it.
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Mutex<Captured>>,
}

struct Captured {
    bytes: Vec<u8>,
    limit: usize,
    overflown: bool,
}

impl Capture {
    /// An empty capture that keeps at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        let captured = Captured { bytes: Vec::new(), limit, overflown: false };
        Self { shared: Arc::new(Mutex::new(captured)) }
    }

    /// Keeps what fits; the rest is dropped and remembered as dropped.
    pub fn write(&self, bytes: &[u8]) {
        let mut captured = self.shared.lock();
        let room = captured.limit - captured.bytes.len();
        let kept = &bytes[..bytes.len().min(room)];
        captured.bytes.extend_from_slice(kept);
        captured.overflown |= kept.len() < bytes.len();
    }

    /// The text so far, fit to be shown, and whether something was dropped.
    pub fn text(&self) -> (String, bool) {
        let captured = self.shared.lock();
        let bytes = match captured.overflown {
            true => whole_characters(&captured.bytes),
            false => &captured.bytes,
        };
        (ansi::strip(&String::from_utf8_lossy(bytes)), captured.overflown)
    }
}

/// Leaves out a character that the limit cut in two.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

/// Cuts a text at a limit in bytes, between characters, and says whether it did.
pub fn cut(mut text: String, limit: usize) -> (String, bool) {
    if text.len() <= limit {
        return (text, false);
    }
    text.truncate(text.floor_char_boundary(limit));
    (text, true)
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Capture::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        // Also the size of what the host allocates for one write.
        const PERMIT: usize = 64 << 10;
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Capture {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Capture::write(&self, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_the_bound_is_dropped_and_flagged() {
        let capture = Capture::new(5);
        capture.write(b"abc");
        assert_eq!(capture.text(), ("abc".to_owned(), false));
        capture.write("dé".as_bytes());
        assert_eq!(capture.text(), ("abcd".to_owned(), true));
        capture.write(b"more");
        assert_eq!(capture.text(), ("abcd".to_owned(), true));
    }

    #[test]
    fn invalid_bytes_are_replaced() {
        let capture = Capture::new(100);
        capture.write(b"a\xffb\xc3");
        assert_eq!(capture.text(), ("a\u{fffd}b\u{fffd}".to_owned(), false));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("éé".to_owned(), 3), ("é".to_owned(), true));
        assert_eq!(cut("éé".to_owned(), 4), ("éé".to_owned(), false));
        assert_eq!(cut("é".to_owned(), 0), (String::new(), true));
    }
}
