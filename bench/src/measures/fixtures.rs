//! What measures find in place.

use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::json;

use super::Bench;
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::provider::MODELS;

/// Connections that make agents at the same time.
const MAKERS: usize = 8;

#[derive(Deserialize)]
struct Created {
    id: String,
}

/// The request for an ordinary agent: two blocks and the base tools. The first block holds a counter that the
/// scripted tool calls advance.
pub fn agent() -> String {
    json!({
        "name": "bench",
        "model": format!("openai/{}", MODELS[0]),
        "embedding": format!("openai/{}", MODELS[1]),
        "memory_blocks": [
            {"label": "human", "value": "The person counts turns. Counter: x0x"},
            {"label": "persona", "value": "I am a friendly and concise agent that helps people measure servers."},
        ],
    })
    .to_string()
}

/// Makes agents and returns their ids.
pub async fn agents(port: u16, count: usize) -> Result<Vec<String>> {
    let makers = (0..MAKERS).map(|maker| async move {
        let mut client = Client::connect(port).await?;
        let mut ids = Vec::new();
        for _ in (maker..count).step_by(MAKERS) {
            let body = client.post("/v1/agents/", agent()).await?;
            let created: Created = serde_json::from_slice(&body).map_err(Failure::while_doing("a new agent"))?;
            ids.push(created.id);
        }
        Ok(ids)
    });
    Ok(try_join_all(makers).await?.concat())
}

impl Bench {
    /// Agents of the shared server to read from, made once.
    pub(super) async fn quiet_agents(&mut self, count: usize) -> Result<Vec<String>> {
        let port = self.port().await?;
        let missing = count.saturating_sub(self.agents.len());
        self.agents.extend(agents(port, missing).await?);
        Ok(self.agents[..count].to_vec())
    }
}
