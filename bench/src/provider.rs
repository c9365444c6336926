//! A model provider that answers at once, in OpenAI's format, on a thread of its own.
//!
//! It keeps nothing about requests, so it can answer millions of them; what it answers follows from the request:
//! - the last message is the user's and says `TOOL old new`: a call of `memory_replace` in the block `human`;
//! - it says `SLOW`: a text whose first token comes after [`FIRST_TOKEN`] and every other one after [`NEXT_TOKEN`];
//! - else: the text `ok`.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::failure::{Failure, Result};

mod answer;
mod embedding;
mod request;
mod wire;
pub mod words;

/// How long the slow model thinks before its first token.
pub const FIRST_TOKEN: Duration = Duration::from_millis(50);
/// How long the slow model takes for each other token.
pub const NEXT_TOKEN: Duration = Duration::from_millis(5);
/// The models, as the server's handles name them behind `openai/`.
pub const MODELS: [&str; 2] = ["gpt-4o-mini", "text-embedding-3-small"];

/// A running provider. Its thread ends with the process.
#[derive(Debug)]
pub struct Provider {
    port: u16,
    state: Arc<State>,
}

/// What the connections share.
#[derive(Debug, Default)]
struct State {
    /// For ids of answers and calls.
    next_id: AtomicU64,
    /// Nanoseconds from the arrival of the last slow request to its first token.
    held: AtomicU64,
    chats: AtomicU64,
    vectors: embedding::Vectors,
}

impl Provider {
    /// Starts a provider on a free port of the loopback interface.
    pub fn start() -> Result<Self> {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let (tell, told) = mpsc::channel();
        std::thread::Builder::new()
            .name("provider".into())
            .spawn(move || {
                // The receiver gives up when the bench does.
                let _ = tell.send(serve(shared, &tell));
            })
            .map_err(Failure::while_doing("starting the provider"))?;
        let port = told.recv().map_err(Failure::while_doing("starting the provider"))??;
        Ok(Self { port, state })
    }

    /// The base URL as an OpenAI client wants it.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// How long the last slow request waited for its first token, in truth: timers are late by up to a few
    /// milliseconds, and what the server adds must not include that.
    pub fn held(&self) -> Duration {
        Duration::from_nanos(self.state.held.load(Ordering::Acquire))
    }

    /// Model calls so far.
    pub fn chats(&self) -> u64 {
        self.state.chats.load(Ordering::Relaxed)
    }
}

/// Says where it listens, then serves for ever; returns only why it could not.
fn serve(state: Arc<State>, tell: &mpsc::Sender<Result<u16>>) -> Result<u16> {
    let starting = "starting the provider";
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::while_doing(starting))?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(Failure::while_doing(starting))?;
        let address = listener.local_addr();
        let port = address.map_err(Failure::while_doing(starting))?.port();
        let _ = tell.send(Ok(port));
        loop {
            let accepted = listener.accept().await;
            let (stream, _) = accepted.map_err(Failure::while_doing("the provider"))?;
            stream.set_nodelay(true).map_err(Failure::while_doing("the provider"))?;
            let state = Arc::clone(&state);
            let service = service_fn(move |request| {
                let (state, arrived) = (Arc::clone(&state), Instant::now());
                async move { answer::answer(&state, request, arrived).await }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away in the middle is its own business.
            tokio::spawn(connection);
        }
    })
}

#[cfg(test)]
mod tests;
