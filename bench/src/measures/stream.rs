//! How much later than the model the server says the first word of a stream.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Bench, fixtures, requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};
use crate::provider::Provider;

const COUNT: u64 = 50;

/// Through which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The API's own stream.
    Own,
    /// OpenAI's chat completions.
    OpenAi,
}

struct Listener<'a> {
    client: Client,
    provider: &'a Provider,
    agent: &'a str,
    door: Door,
}

impl Worker for Listener<'_> {
    async fn once(&mut self) -> Result<Duration> {
        let messages = json!([{"role": "user", "content": "SLOW"}]);
        // The last is what the first event with words in it holds.
        let (path, body, words): (String, _, &[u8]) = match self.door {
            Door::Own => (
                format!("/v1/agents/{}/messages/stream", self.agent),
                json!({"messages": messages, "stream_tokens": true, "streaming": true}),
                b"assistant_message",
            ),
            Door::OpenAi => (
                "/v1/chat/completions".to_owned(),
                json!({"model": self.agent, "messages": messages, "stream": true}),
                b"\"content\":\"all",
            ),
        };
        let begun = Instant::now();
        let (mut first, mut text) = (None, Vec::new());
        let look = |so_far: &[u8]| {
            if first.is_none() && so_far.windows(words.len()).any(|part| part == words) {
                first = Some(begun.elapsed());
            }
            text = so_far.to_vec();
        };
        self.client.stream(&path, body.to_string(), look).await?;
        requests::check(&text, "[DONE]")?;
        requests::check(&text, if self.door == Door::Own { "stop_reason" } else { "finish_reason\":\"stop" })?;
        let first = first.ok_or_else(|| Failure::Broken("the stream had no words".into()))?;
        Ok(first.saturating_sub(self.provider.held()))
    }
}

impl Bench {
    pub(super) async fn first_token(&mut self, door: Door) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut workers =
            [Listener { client: Client::connect(port).await?, provider: &self.provider, agent: &agent, door }];
        let (warm_up, run) = self.options.limits(COUNT);
        load::run(&mut workers, warm_up).await?;
        let sample = load::run(&mut workers, run).await?;
        Ok(Figures::of_latencies(&sample))
    }
}
