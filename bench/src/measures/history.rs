//! Whether a turn costs more the longer an agent has lived. What is in view is the same each time; what differs is how
//! many messages the agent has that are not.

use std::time::Duration;

use serde_json::{Value, json};

use super::turn::{Ask, TURNS_OF_AN_AGENT, expected, message};
use super::{Bench, fixtures, requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};

const COUNT: u64 = 400;
/// How many messages agents have when their turns are timed.
const LIVES: [usize; 3] = [10, 1_000, 100_000];
/// Messages of one request.
const AT_ONCE: usize = 1_000;

struct Talker {
    client: Client,
    agent: String,
    /// The agent's system message.
    first: String,
    turn: usize,
}

impl Talker {
    /// Takes everything but the system message out of view.
    async fn clear(&mut self) -> Result {
        let body = json!({"message_ids": [self.first]}).to_string();
        self.client.patch(&format!("/v1/agents/{}", self.agent), body).await.map(drop)
    }
}

impl Worker for Talker {
    async fn once(&mut self) -> Result<Duration> {
        if self.turn.is_multiple_of(TURNS_OF_AN_AGENT) {
            self.clear().await?;
        }
        let path = format!("/v1/agents/{}/messages", self.agent);
        let body = message(Ask::Text, self.turn % TURNS_OF_AN_AGENT);
        self.turn += 1;
        let begun = std::time::Instant::now();
        let answer = self.client.post(&path, body).await?;
        let took = begun.elapsed();
        requests::check(&answer, expected(Ask::Text))?;
        Ok(took)
    }
}

/// An agent with so many messages.
async fn agent_of(port: u16, life: usize) -> Result<Talker> {
    let agent = fixtures::agents(port, 1).await?.remove(0);
    let mut client = Client::connect(port).await?;
    let found = client.get(&format!("/v1/agents/{agent}")).await?;
    let found: Value = serde_json::from_slice(&found).map_err(Failure::while_doing("an agent"))?;
    let first = found["message_ids"][0].as_str().unwrap_or_default().to_owned();
    let mut talker = Talker { client, agent, first, turn: 0 };
    let mut said = 0;
    while said < life {
        let count = (life - said).min(AT_ONCE);
        let messages: Vec<Value> = (said..said + count)
            .map(|number| json!({"role": "user", "content": format!("This is what was said at time {number}.")}))
            .collect();
        let path = format!("/v1/agents/{}/messages", talker.agent);
        talker.client.post(&path, json!({"messages": messages}).to_string()).await?;
        talker.clear().await?;
        said += count;
    }
    Ok(talker)
}

impl Bench {
    /// Turns of agents that have lived shorter and longer, by turns so that the machine treats them alike.
    pub(super) async fn history(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let mut talkers = Vec::new();
        for life in LIVES {
            let life = if self.options.quick { life.min(5_000) } else { life };
            talkers.push((life, agent_of(port, life).await?, Vec::new()));
        }
        let (warm_up, run) = self.options.limits(COUNT);
        for (_, talker, _) in &mut talkers {
            load::run(std::slice::from_mut(talker), warm_up).await?;
        }
        for _ in 0..run.count / TURNS_OF_AN_AGENT as u64 {
            for (_, talker, took) in &mut talkers {
                for _ in 0..TURNS_OF_AN_AGENT {
                    took.push(talker.once().await?);
                }
            }
        }
        let samples: Vec<(usize, load::Sample)> = talkers
            .into_iter()
            .map(|(life, _, took)| {
                let together = took.iter().sum();
                (life, load::Sample::new(took, together))
            })
            .collect();
        let medians: Vec<f64> = samples.iter().map(|(_, sample)| sample.percentile(0.5)).collect();
        let most = medians.iter().copied().fold(0.0, f64::max);
        let told = samples.iter().zip(&medians).map(|((life, _), median)| format!("{life}: p50 {median:.2} ms"));
        let told = told.collect::<Vec<_>>().join(", ");
        let last = samples.last().map(|(_, sample)| Figures::of_latencies(sample)).unwrap_or_default();
        Ok(Figures {
            times: medians.first().map(|first| most / first),
            note: Some(format!("messages of the agent, and its turn: {told}")),
            ..last
        })
    }
}
