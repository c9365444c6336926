//! What a template is made of: an agent as it is now, or an agent file.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    sync::Arc,
};

use mneme_domain::{
    Actor, AgentId, BlockId, JsonObject, Page,
    agent::{AgentType, Include},
    template::TemplateState,
};
use mneme_store::agents;

use super::body::state_of;
use crate::{Core, CoreError, ImportOptions, Result};

/// Where a template's state comes from.
#[derive(Debug, Clone)]
pub enum TemplateSource {
    /// An agent as it is now.
    Agent(AgentId),
    /// An agent file of one agent.
    File {
        /// The file.
        content: JsonObject,
        /// Let the file's tools take the place of users' tools of the same names.
        update_tools: bool,
    },
}

impl Core {
    pub(super) async fn state_of_source(
        self: &Arc<Self>,
        actor: &Actor,
        source: TemplateSource,
        default_type: AgentType,
    ) -> Result<TemplateState> {
        match source {
            TemplateSource::Agent(id) => self.state_of_agent(actor, &id).await,
            TemplateSource::File { content, update_tools } => {
                self.state_of_file(actor, content, update_tools, default_type).await
            }
        }
    }

    async fn state_of_agent(&self, actor: &Actor, id: &AgentId) -> Result<TemplateState> {
        let mut conn = self.store.read().await?;
        let full = agents::full(&mut conn, actor, id, Include::ALL).await?;
        state_of(full.ok_or_else(|| CoreError::missing("Agent", id))?)
    }

    /// Imports the file, which checks it whole and brings its tools, takes the state of its agent, and removes the agent
    /// again: so a template takes every file that an import takes, and reads it as an import does.
    async fn state_of_file(
        self: &Arc<Self>,
        actor: &Actor,
        content: JsonObject,
        update_tools: bool,
        default_type: AgentType,
    ) -> Result<TemplateState> {
        let written = tokio::task::spawn_blocking(move || spooled(&content)).await;
        let file = written.map_err(|error| CoreError::Internal(error.to_string()))?.map_err(|error| {
            tracing::warn!(%error, "an agent file cannot be stored for its import");
            CoreError::Unavailable("The server cannot store the file right now; its disk may be full".into())
        })?;
        let options = ImportOptions {
            append_copy_suffix: false,
            name: None,
            override_tools: update_tools,
            model: None,
            embedding: None,
            project_id: None,
            strip_messages: true,
            variables: Vec::new(),
            default_type,
        };
        let ids = self.import_agents(actor, file, options).await?;
        let state = match ids.as_slice() {
            [id] => self.state_of_agent(actor, id).await,
            _ => Err(CoreError::Invalid("A template is made of a file with exactly one agent on this server".into())),
        };
        for id in &ids {
            self.remove_imported(actor, id).await?;
        }
        state
    }

    /// Removes an agent that was only imported to be read, with its blocks, which are its own.
    async fn remove_imported(self: &Arc<Self>, actor: &Actor, id: &AgentId) -> Result<()> {
        let blocks: Vec<BlockId> = match self.list_agent_blocks(actor, id, &Page::all()).await {
            Ok(blocks) => blocks.into_iter().map(|block| block.id).collect(),
            // It went with the agent that it looked after.
            Err(CoreError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.delete_agent(actor, id).await?;
        for block in &blocks {
            match self.delete_block(actor, block).await {
                Ok(()) | Err(CoreError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The file as one on the disk, which has no name and goes when it is closed.
fn spooled(content: &JsonObject) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut writer = std::io::BufWriter::new(&mut file);
    serde_json::to_writer(&mut writer, content)?;
    writer.flush()?;
    drop(writer);
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
