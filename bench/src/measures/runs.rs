//! Runs that go on without their client: how soon they say something, how fast they are read again, how soon they end.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Bench, fixtures, requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};
use crate::provider::MANY;

/// What the first event with words in it holds.
const WORDS: &[u8] = b"assistant_message";
const PAIRS: u64 = 200;
const READS: u64 = 30;
const CANCELS: u64 = 60;

/// Where a run is when it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// Between two tokens of its model.
    Tokens,
    /// In a tool's program.
    Tool,
}

/// What the model calls when it is asked for a nap.
const NAP: &str = "def nap() -> str:\n    \"\"\"Sleeps for a while.\"\"\"\n    import time\n    time.sleep(20)\n    return 'rested'\n";

fn message(text: &str, background: bool) -> String {
    json!({
        "messages": [{"role": "user", "content": text}],
        "stream_tokens": true, "streaming": true, "background": background,
    })
    .to_string()
}

/// Streams a turn; returns when its first words came and all that came.
async fn stream(client: &mut Client, path: &str, body: String) -> Result<(Duration, Vec<u8>)> {
    let begun = Instant::now();
    let (mut first, mut text) = (None, Vec::new());
    let look = |so_far: &[u8]| {
        if first.is_none() && so_far.windows(WORDS.len()).any(|part| part == WORDS) {
            first = Some(begun.elapsed());
        }
        text = so_far.to_vec();
    };
    client.stream(path, body, look).await?;
    requests::check(&text, "[DONE]")?;
    let first = first.ok_or_else(|| Failure::Broken("the stream had no words".into()))?;
    Ok((first, text))
}

/// Talks to an agent with its client waiting, and then without.
struct Pairs {
    client: Client,
    agents: Vec<String>,
    turn: usize,
}

impl Worker for Pairs {
    /// How much later the first words come when the run goes on without its client.
    async fn once(&mut self) -> Result<Duration> {
        let agent = &self.agents[self.turn / super::turn::TURNS_OF_AN_AGENT % self.agents.len()];
        self.turn += 1;
        let path = format!("/v1/agents/{agent}/messages/stream");
        let (waiting, _) = stream(&mut self.client, &path, message("hello", false)).await?;
        let (without, _) = stream(&mut self.client, &path, message("hello", true)).await?;
        Ok(without.saturating_sub(waiting))
    }
}

/// Reads a run's stream from its first event.
struct Reader {
    client: Client,
    run: String,
    events: usize,
}

impl Worker for Reader {
    async fn once(&mut self) -> Result<Duration> {
        let path = format!("/v1/runs/{}/stream", self.run);
        let body = json!({"starting_after": 0, "include_pings": false, "batch_size": 1000}).to_string();
        let begun = Instant::now();
        let mut text = Vec::new();
        self.client.stream_quietly(&path, body, &mut text).await?;
        let took = begun.elapsed();
        requests::check(&text[text.len().saturating_sub(200)..], "[DONE]")?;
        let events = text.windows(6).filter(|part| part == b"data: ").count();
        match events >= self.events {
            true => Ok(took),
            false => Err(Failure::Broken(format!("{events} of {} events came", self.events))),
        }
    }
}

/// Begins a run and ends it in the middle of something.
struct Canceller {
    client: Client,
    /// Reads the run's stream meanwhile.
    reader: Client,
    agent: String,
    within: Within,
}

impl Canceller {
    /// Ends the agent's run; how long that took.
    async fn cancel(client: &mut Client, agent: &str) -> Result<Duration> {
        // Long enough to be in the middle of it.
        tokio::time::sleep(Duration::from_millis(120)).await;
        let begun = Instant::now();
        let outcome = client.post(&format!("/v1/agents/{agent}/messages/cancel"), "{}").await?;
        let took = begun.elapsed();
        requests::check(&outcome, "cancelled")?;
        Ok(took)
    }
}

impl Worker for Canceller {
    /// From the request to the answer, which comes when the run has ended.
    async fn once(&mut self) -> Result<Duration> {
        let path = format!("/v1/agents/{}/messages/stream", self.agent);
        let text = match self.within {
            Within::Tokens => "ENDLESS",
            Within::Tool => "NAP",
        };
        let mut told = Vec::new();
        let (read, took) = tokio::join!(
            self.reader.stream_quietly(&path, message(text, true), &mut told),
            Self::cancel(&mut self.client, &self.agent),
        );
        read?;
        let took = took?;
        requests::check(&told, r#""stop_reason":"cancelled""#)?;
        if self.within == Within::Tokens {
            requests::check(&told, WORDS_TEXT)?;
        }
        // The agent is free again.
        let body = json!({"messages": [{"role": "user", "content": "hello"}]}).to_string();
        let path = format!("/v1/agents/{}/messages", self.agent);
        requests::check(&self.client.post(&path, body).await?, WORDS_TEXT)?;
        self.client.patch(&format!("/v1/agents/{}/reset-messages", self.agent), "{}").await?;
        Ok(took)
    }
}

/// The same as text.
const WORDS_TEXT: &str = "assistant_message";

fn read(body: &[u8]) -> Result<Value> {
    serde_json::from_slice(body).map_err(Failure::while_doing("an answer"))
}

impl Bench {
    /// How much later the first words of a stream come when the run goes on without its client.
    pub(super) async fn background_first(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let agents = fixtures::agents(port, 12).await?;
        let mut workers = [Pairs { client: Client::connect(port).await?, agents, turn: 0 }];
        let (warm_up, run) = self.options.limits(PAIRS);
        load::run(&mut workers, warm_up).await?;
        Ok(Figures::of_latencies(&load::run(&mut workers, run).await?))
    }

    /// How fast a run of very many events is read again.
    pub(super) async fn resume(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut client = Client::connect(port).await?;
        let path = format!("/v1/agents/{agent}/messages/stream");
        let mut text = Vec::new();
        client.stream_quietly(&path, message("MANY", true), &mut text).await?;
        requests::check(&text[text.len().saturating_sub(200)..], "[DONE]")?;
        let text = String::from_utf8_lossy(&text);
        let run = text.split_once(r#""run_id":"#).and_then(|(_, rest)| rest.split('"').nth(1));
        let run = run.ok_or_else(|| Failure::Broken("the stream names no run".into()))?.to_owned();
        let mut workers = [Reader { client, run, events: MANY }];
        let (warm_up, run) = self.options.limits(READS);
        load::run(&mut workers, warm_up).await?;
        let sample = load::run(&mut workers, run).await?;
        let mut figures = Figures::of_latencies(&sample);
        // Half of the reads are at least this fast.
        figures.rate = figures.p50_ms.map(|p50| MANY as f64 / p50 * 1e3);
        figures.note = Some(format!(
            "events a second; {MANY} events from the database, in {:.0} ms",
            figures.p50_ms.unwrap_or(0.0)
        ));
        Ok(figures)
    }

    /// How soon a cancellation takes effect.
    pub(super) async fn cancel(&mut self, within: Within) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut client = Client::connect(port).await?;
        if within == Within::Tool {
            let body = json!({"source_code": NAP, "source_type": "python"}).to_string();
            // Another measure may have made it.
            let tool: Value = read(&client.put("/v1/tools/", body).await?)?;
            let tool = tool["id"].as_str().unwrap_or_default();
            client.patch(&format!("/v1/agents/{agent}/tools/attach/{tool}"), "").await?;
        }
        let reader = Client::connect(port).await?;
        let mut workers = [Canceller { client, reader, agent, within }];
        let (warm_up, run) = self.options.limits(CANCELS);
        load::run(&mut workers, warm_up).await?;
        Ok(Figures::of_latencies(&load::run(&mut workers, run).await?))
    }
}
