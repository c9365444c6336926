//! A tool call by itself, as the server's own step metrics tell.

use std::time::Duration;

use serde_json::Value;

use super::Bench;
use super::turn::{Ask, Conversations, TURNS_OF_AN_AGENT, expected};
use super::{fixtures, requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};

const COUNT: u64 = 500;

struct ToolCaller {
    client: Client,
    conversations: Conversations,
}

impl Worker for ToolCaller {
    async fn once(&mut self) -> Result<Duration> {
        let (agent, message) = self.conversations.next();
        let path = format!("/v1/agents/{agent}/messages");
        let body = self.client.post(&path, message).await?;
        requests::check(&body, expected(Ask::Tool))?;
        let turn: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        let step = step_of_call(&turn).ok_or_else(|| Failure::Broken("the tool return names no step".into()))?;
        let path = format!("/v1/steps/{step}/metrics");
        let body = self.client.get(&path).await?;
        let metrics: Value = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        metrics["tool_execution_ns"]
            .as_u64()
            .map(Duration::from_nanos)
            .ok_or_else(|| Failure::Unserved(format!("{path} has no tool_execution_ns")))
    }
}

/// The step in which the first tool of a turn ran.
pub(super) fn step_of_call(turn: &Value) -> Option<&str> {
    let messages = turn["messages"].as_array()?;
    messages.iter().find(|message| message["message_type"] == "tool_return_message")?["step_id"].as_str()
}

impl Bench {
    pub(super) async fn tool_call(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let (warm_up, run) = self.options.limits(COUNT);
        let agents = ((warm_up.count + run.count) as usize).div_ceil(TURNS_OF_AN_AGENT);
        let mut workers = [ToolCaller {
            client: Client::connect(port).await?,
            conversations: Conversations::new(fixtures::agents(port, agents).await?, Ask::Tool),
        }];
        load::run(&mut workers, warm_up).await?;
        let sample = load::run(&mut workers, run).await?;
        Ok(Figures::of_latencies(&sample))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_step_of_the_tool_counts() {
        let turn = json!({"messages": [
            {"message_type": "tool_call_message", "step_id": "step-1"},
            {"message_type": "tool_return_message", "step_id": "step-1"},
            {"message_type": "assistant_message", "step_id": "step-2"},
        ]});
        assert_eq!(step_of_call(&turn), Some("step-1"));
        assert_eq!(step_of_call(&json!({"messages": []})), None);
    }
}
