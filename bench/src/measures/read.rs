//! Requests that only read.

use serde::de::IgnoredAny;

use super::Bench;
use super::requests::{Call, Requests};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;

/// Agents that exist while single ones are read, and the length of the lists.
const AGENTS: usize = 50;
const COUNT: u64 = 50_000;
const LISTS: u64 = 20_000;

impl Bench {
    pub(super) async fn health(&mut self, clients: usize) -> Result<Figures> {
        let port = self.port().await?;
        let mut workers = Vec::new();
        for _ in 0..clients {
            let make = || Call::Get("/v1/health/".into());
            workers.push(Requests::new(port, "version", make).await?);
        }
        self.loaded(&mut workers, COUNT).await
    }

    pub(super) async fn agent_get(&mut self, clients: usize) -> Result<Figures> {
        let agents = self.quiet_agents(AGENTS).await?;
        let port = self.port().await?;
        let mut workers = Vec::new();
        for client in 0..clients {
            let mut ids = agents.iter().cycle().skip(client);
            let make = move || {
                let id = ids.next().map_or("", String::as_str);
                Call::Get(format!("/v1/agents/{id}"))
            };
            workers.push(Requests::new(port, "memory_replace", make).await?);
        }
        self.loaded(&mut workers, COUNT).await
    }

    pub(super) async fn agent_list(&mut self) -> Result<Figures> {
        self.list("/v1/agents/", 1).await
    }

    pub(super) async fn block_list(&mut self, clients: usize) -> Result<Figures> {
        self.list("/v1/blocks/", clients).await
    }

    async fn list(&mut self, resource: &str, clients: usize) -> Result<Figures> {
        self.quiet_agents(AGENTS).await?;
        let port = self.port().await?;
        let path = format!("{resource}?limit={AGENTS}");
        let body = Client::connect(port).await?.get(&path).await?;
        let listed: Vec<IgnoredAny> = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        if listed.len() != AGENTS {
            let what = format!("{path} lists {} entries", listed.len());
            return Err(Failure::Broken(what));
        }
        let mut workers = Vec::new();
        for _ in 0..clients {
            let make = || Call::Get(path.clone());
            workers.push(Requests::new(port, "persona", make).await?);
        }
        let mut figures = self.loaded(&mut workers, LISTS).await?;
        figures.note = Some(format!("{} KiB an answer", body.len() / 1024));
        Ok(figures)
    }
}
