//! A worker that sends request after request and looks at each answer.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::load::Worker;

/// One request.
pub enum Call {
    Get(String),
    Post(String, Bytes),
}

/// Sends what `make` makes; an answer without `expected` in it breaks the run.
pub struct Requests<F> {
    client: Client,
    expected: &'static str,
    make: F,
}

impl<F: FnMut() -> Call> Requests<F> {
    /// A worker with a connection of its own.
    pub async fn new(port: u16, expected: &'static str, make: F) -> Result<Self> {
        Ok(Self { client: Client::connect(port).await?, expected, make })
    }
}

impl<F: FnMut() -> Call> Worker for Requests<F> {
    async fn once(&mut self) -> Result<Duration> {
        let call = (self.make)();
        let begun = Instant::now();
        let body = match call {
            Call::Get(path) => self.client.get(&path).await?,
            Call::Post(path, body) => self.client.post(&path, body).await?,
        };
        let took = begun.elapsed();
        check(&body, self.expected)?;
        Ok(took)
    }
}

/// Fails unless a body holds this text.
pub fn check(body: &[u8], expected: &str) -> Result {
    let text = String::from_utf8_lossy(body);
    if text.contains(expected) {
        return Ok(());
    }
    let shown: String = text.chars().take(600).collect();
    Err(Failure::Broken(format!("no {expected} in: {shown}")))
}
