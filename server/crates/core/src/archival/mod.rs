//! Archival memory: archives that agents share, passages in them, and the search in both.

mod archives;
mod embed;
mod passages;
mod search;
mod staged;

pub use passages::MemoryBounds;
pub(crate) use search::Place;
pub use search::{Found, PassageQuery};

use mneme_domain::{Actor, ArchiveId, agent::Agent, archive::Archive};
use mneme_store::{Conn, archives as store};

use crate::{Core, Result};

impl Core {
    /// The archive that an agent writes into: the first it has, or a new one of its own.
    async fn home_archive(&self, tx: &mut Conn, actor: &Actor, agent: &Agent) -> Result<Archive> {
        if let Some(archive) = store::of_agent(tx, actor, &agent.id).await?.into_iter().next() {
            return Ok(archive);
        }
        // Of two first memories at once, one makes the archive and the other finds it.
        if let Some(archive) = store::of_agent_alone(tx, actor, &agent.id).await?.into_iter().next() {
            return Ok(archive);
        }
        let now = self.env.now();
        let archive = Archive {
            id: ArchiveId::from_uuid(self.env.uuid()),
            name: format!("{}'s Archive", agent.name),
            description: Some("The agent's own archive, made when it was first needed".into()),
            vector_db_provider: Default::default(),
            embedding_config: agent.embedding_config.clone(),
            metadata: None,
            created_at: now,
            updated_at: Some(now),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        };
        store::insert(tx, actor, &archive).await?;
        store::attach(tx, actor, &agent.id, &archive.id).await?;
        Ok(archive)
    }
}
