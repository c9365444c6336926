//! Accepts connections, bounds them in number and time, and ends them in good order.

use std::{convert::Infallible, future::Future, pin::pin, sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::stall::Impatient;
use crate::config::{Config, seconds};

/// Headers of a request at most.
const MAX_HEADERS: usize = 100;
/// Bytes of a request's head at most, and of an answer that is waiting to be sent.
const MAX_BUFFER: usize = 64 << 10;
/// Wait after a failed accept: the usual cause, too many open files, does not pass at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open at the same time; more wait in the kernel's queue.
    pub connections: usize,
    /// For the head of a request, and between two requests.
    pub header: Duration,
    /// For a client to take some of what is sent to it.
    pub write: Duration,
    /// For requests and streams under way when the server stops.
    pub drain: Duration,
}

impl Limits {
    /// As configured.
    pub fn new(config: &Config) -> Self {
        Self {
            connections: config.max_connections,
            header: seconds(config.header_timeout_seconds),
            write: seconds(config.write_timeout_seconds),
            drain: seconds(config.shutdown_seconds),
        }
    }
}

/// Serves until `stop` is done, then lets what is under way end, up to the limit. Whether everything ended in time.
pub async fn serve<S>(listener: TcpListener, service: S, limits: Limits, stop: impl Future<Output = ()>) -> bool
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (places, tracker, closing) =
        (Arc::new(Semaphore::new(limits.connections)), TaskTracker::new(), CancellationToken::new());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let connection = converse(stream, service.clone(), limits, closing.clone());
        tracker.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    closing.cancel();
    tracker.close();
    timeout_at(Instant::now() + limits.drain, tracker.wait()).await.is_ok()
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse<S>(stream: TcpStream, service: S, limits: Limits, closing: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Events of a stream are small and must not wait for one another.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| service.clone().call(request.map(Body::new)));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER);
    let connection = builder.serve_connection(TokioIo::new(Impatient::new(stream, limits.write)), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
