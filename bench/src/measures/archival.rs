//! Archival memory: each passage and each query is embedded by the provider.

use serde_json::json;

use super::requests::{Call, Requests};
use super::{Bench, fixtures};
use crate::client::Client;
use crate::failure::Result;
use crate::figures::Figures;

const COUNT: u64 = 3_000;
/// Passages that a search looks through; a tenth in quick runs.
const PASSAGES: u64 = 1_000;

fn insert(agent: &str, number: u64) -> Call {
    let text = format!("Fact {number}: on day {} the harbour held {} boats.", number % 365, number % 97);
    Call::Post(format!("/v1/agents/{agent}/archival-memory"), json!({"text": text}).to_string().into())
}

impl Bench {
    pub(super) async fn archival_insert(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut number = 0;
        let make = || {
            number += 1;
            insert(&agent, number)
        };
        let mut workers = [Requests::new(port, "harbour", make).await?];
        self.loaded(&mut workers, COUNT).await
    }

    pub(super) async fn archival_search(&mut self) -> Result<Figures> {
        let port = self.port().await?;
        let agent = fixtures::agents(port, 1).await?.remove(0);
        let mut client = Client::connect(port).await?;
        for number in 0..self.options.limits(PASSAGES).1.count {
            if let Call::Post(path, body) = insert(&agent, number) {
                client.post(&path, body).await?;
            }
        }
        let mut day = 0;
        let make = || {
            day += 1;
            let query = format!("harbour%20boats%20on%20day%20{}", day % 365);
            Call::Get(format!("/v1/agents/{agent}/archival-memory/search?query={query}&top_k=10"))
        };
        let mut workers = [Requests::new(port, "harbour", make).await?];
        self.loaded(&mut workers, COUNT).await
    }
}
