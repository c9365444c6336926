//! New agents.

use super::requests::{Call, Requests};
use super::{Bench, fixtures};
use crate::failure::Result;
use crate::figures::Figures;

const COUNT: u64 = 8_000;

impl Bench {
    pub(super) async fn agent_create(&mut self, clients: usize) -> Result<Figures> {
        let port = self.port().await?;
        let mut workers = Vec::new();
        for _ in 0..clients {
            let make = || Call::Post("/v1/agents/".into(), fixtures::agent().into());
            workers.push(Requests::new(port, "memory_replace", make).await?);
        }
        self.loaded(&mut workers, COUNT).await
    }
}
