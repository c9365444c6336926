//! Search in the files of an agent by words and by meaning.

use std::sync::Arc;

use mneme_domain::{Actor, AgentId, SourceId, folder::Folder};
use mneme_store::{folders, passages::PassageSearch};

use crate::{
    Core, Result,
    archival::{Found, PassageQuery, Place},
};

/// Results at most.
const MAX_LIMIT: u32 = 50;

impl Core {
    /// Searches the files in an agent's folders, the best parts first; each folder with its own model.
    pub(crate) async fn search_files(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Found>> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let mut conn = self.store.read().await?;
        let mut found = folders::of_agents(&mut conn, actor, std::slice::from_ref(agent)).await?;
        drop(conn);
        let places = found.remove(agent).unwrap_or_default().into_iter().map(place).collect();
        let query =
            PassageQuery { text: text.to_owned(), limit: Some(limit.min(MAX_LIMIT)), ..PassageQuery::default() };
        self.find_passages(actor, places, PassageSearch::default(), &query).await
    }
}

fn place(folder: Folder) -> Place<SourceId> {
    Place { name: format!("folder '{}' ({})", folder.name, folder.id), id: folder.id, model: folder.embedding_config }
}
