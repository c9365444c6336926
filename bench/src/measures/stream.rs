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
/// What the first event with words in it holds.
const WORDS: &[u8] = b"assistant_message";

struct Listener<'a> {
    client: Client,
    provider: &'a Provider,
    agent: &'a str,
}

impl Worker for Listener<'_> {
    async fn once(&mut self) -> Result<Duration> {
        let path = format!("/v1/agents/{}/messages/stream", self.agent);
        let body = json!({"messages": [{"role": "user", "content": "SLOW"}], "stream_tokens": true, "streaming": true});
        let begun = Instant::now();
        let (mut first, mut text) = (None, Vec::new());
        let look = |so_far: &[u8]| {
            if first.is_none() && so_far.windows(WORDS.len()).any(|part| part == WORDS) {
                first = Some(begun.elapsed());
            }
            text = so_far.to_vec();
        };
        self.client.stream(&path, body.to_string(), look).await?;
        requests::check(&text, "[DONE]")?;
        requests::check(&text, "stop_reason")?;
        let first = first.ok_or_else(|| Failure::Broken("the stream had no words".into()))?;
        Ok(first.saturating_sub(self.provider.held()))
    }
}

impl Bench {
    pub(super) async fn first_token(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut workers = [Listener { client: Client::connect(port).await?, provider: &self.provider, agent: &agent }];
        let (warm_up, run) = self.options.limits(COUNT);
        load::run(&mut workers, warm_up).await?;
        let sample = load::run(&mut workers, run).await?;
        Ok(Figures::of_latencies(&sample))
    }
}
