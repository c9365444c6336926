//! Bodies that are counted while they pass, and that end when they take too long or are too large.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::Error;

use super::Ticket;

/// Which way a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the guest.
    Request,
    /// To the guest.
    Response,
}

/// A body within the limits of a call.
pub struct Bounded<B> {
    inner: B,
    ticket: Arc<Ticket>,
    direction: Direction,
    passed: u64,
    pause: Duration,
    idle: Pin<Box<Sleep>>,
}

impl<B> Bounded<B> {
    /// Bounds a body; none of its pauses may be longer than `pause`.
    pub fn new(inner: B, ticket: Arc<Ticket>, direction: Direction, pause: Duration) -> Self {
        Self { inner, ticket, direction, passed: 0, pause, idle: Box::pin(tokio::time::sleep(pause)) }
    }

    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        let policy = &self.ticket.policy;
        self.passed += bytes;
        let together = self.ticket.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let (limit, error): (u64, fn(Option<u64>) -> Error) = match self.direction {
            Direction::Request => (policy.max_request_bytes, Error::HttpRequestBodySize),
            Direction::Response => (policy.max_response_bytes, Error::HttpResponseBodySize),
        };
        if self.passed > limit {
            return Err(error(Some(limit)));
        }
        if together > policy.max_total_bytes {
            let reason = format!("this call may move {} bytes over the network", policy.max_total_bytes);
            return Err(Error::InternalError(Some(reason)));
        }
        Ok(())
    }
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Error>,
{
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let next = Instant::now() + self.pause;
                self.idle.as_mut().reset(next);
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                Poll::Ready(Some(self.count(bytes).map(|()| frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match self.idle.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(Some(Err(match self.direction {
                    Direction::Request => Error::ConnectionWriteTimeout,
                    Direction::Response => Error::ConnectionReadTimeout,
                }))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
