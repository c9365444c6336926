//! Memory blocks, by themselves and in agents.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, BlockId, JsonObject, Page,
    agent::{AgentState, Include, Memory},
    block::{Block, BlockUpdate, CreateBlock, DEFAULT_BLOCK_LIMIT, check_limit},
};
use mneme_macros::boxed;
use mneme_store::{
    Conn, StoreError, agents,
    blocks::{self, BlockFilter, StoredBlock},
};

use crate::{Core, CoreError, Result, prompts};

/// How often a block's update is tried again after somebody else was faster.
const TRIES: usize = 5;

#[boxed]
impl Core {
    /// A block of a creation body; its value must fit its limit.
    pub(crate) fn new_block(&self, actor: &Actor, create: CreateBlock) -> Result<Block> {
        let limit = create.limit.unwrap_or(DEFAULT_BLOCK_LIMIT);
        check_limit(&create.value, limit).map_err(|over| CoreError::Unprocessable {
            loc: vec!["body".into()],
            kind: "value_error".into(),
            msg: format!("Edit failed: Exceeds {} character limit (requested {})", over.limit, over.length),
        })?;
        check_label(&create.label)?;
        let description = create.description.or_else(|| prompts::default_description(&create.label).map(str::to_owned));
        Ok(Block {
            value: create.value,
            limit,
            project_id: create.project_id,
            template_name: create.template_name,
            is_template: create.is_template.unwrap_or(false),
            template_id: create.template_id,
            base_template_id: create.base_template_id,
            deployment_id: create.deployment_id,
            entity_id: create.entity_id,
            preserve_on_migration: Some(create.preserve_on_migration.unwrap_or(false)),
            label: Some(create.label),
            read_only: create.read_only.unwrap_or(false),
            description,
            metadata: Some(create.metadata.unwrap_or_default()),
            hidden: create.hidden,
            id: BlockId::from_uuid(self.env.uuid()),
            created_by_id: Some(actor.user.to_string()),
            last_updated_by_id: Some(actor.user.to_string()),
        })
    }

    /// Makes a block.
    ///
    /// # Errors
    /// 422 for a value over the limit or a label that cannot be one.
    pub async fn create_block(self: &Arc<Self>, actor: &Actor, create: CreateBlock) -> Result<Block> {
        let block = self.new_block(actor, create)?;
        let mut tx = self.store.write().await?;
        blocks::insert(&mut tx, actor, &block, self.env.now()).await?;
        tx.commit().await?;
        Ok(block)
    }

    /// One block.
    ///
    /// # Errors
    /// 404 for an unknown block.
    pub async fn get_block(self: &Arc<Self>, actor: &Actor, id: &BlockId) -> Result<Block> {
        let mut conn = self.store.read().await?;
        Ok(stored(&mut conn, actor, id).await?.block)
    }

    /// Blocks of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_blocks(self: &Arc<Self>, actor: &Actor, filter: BlockFilter, page: &Page) -> Result<Vec<Block>> {
        let mut conn = self.store.read().await?;
        Ok(blocks::list(&mut conn, actor, &filter, page).await?)
    }

    /// How many blocks the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_blocks(self: &Arc<Self>, actor: &Actor) -> Result<i64> {
        let mut conn = self.store.read().await?;
        Ok(blocks::count(&mut conn, actor, &BlockFilter::default()).await?)
    }

    /// Changes a block.
    ///
    /// # Errors
    /// 404 for an unknown block, 400 for a value over the limit, 409 when an agent has another block of the new label.
    pub async fn update_block(self: &Arc<Self>, actor: &Actor, id: &BlockId, update: BlockUpdate) -> Result<Block> {
        if let mneme_domain::Patch::Set(label) = &update.label {
            check_label(label)?;
        }
        for _ in 0..TRIES {
            let mut tx = self.store.write().await?;
            let StoredBlock { mut block, version } = stored(&mut tx, actor, id).await?;
            update.clone().apply(&mut block).map_err(|over| CoreError::Invalid(format!("INVALID_ARGUMENT: {over}")))?;
            block.last_updated_by_id = Some(actor.user.to_string());
            match blocks::update(&mut tx, actor, &block, version, self.env.now()).await {
                Ok(_) => {
                    tx.commit().await?;
                    return Ok(block);
                }
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Deletes a block; agents lose it.
    ///
    /// # Errors
    /// 404 for an unknown block.
    pub async fn delete_block(self: &Arc<Self>, actor: &Actor, id: &BlockId) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !blocks::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Block", id));
        }
        Ok(tx.commit().await?)
    }

    /// The agents that have a block.
    ///
    /// # Errors
    /// 404 for an unknown block.
    pub async fn block_agents(
        self: &Arc<Self>,
        actor: &Actor,
        id: &BlockId,
        page: &Page,
        include: Include,
    ) -> Result<Vec<AgentState>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        let found = blocks::agents_of(&mut conn, actor, id, page).await?;
        let full = agents::full_many(&mut conn, actor, found, include).await?;
        Ok(full.into_iter().map(AgentState::from).collect())
    }

    /// An agent's blocks.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn list_agent_blocks(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        page: &Page,
    ) -> Result<Vec<Block>> {
        let blocks = self.blocks_of(actor, agent).await?.into_iter().map(|stored| stored.block).collect();
        Ok(crate::agents::window(blocks, page, |block: &Block| block.id.to_string()))
    }

    async fn blocks_of(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<Vec<StoredBlock>> {
        let mut conn = self.store.read().await?;
        if agents::get(&mut conn, actor, agent).await?.is_none() {
            return Err(CoreError::missing("Agent", agent));
        }
        Ok(blocks::of_agent(&mut conn, actor, agent).await?)
    }

    /// An agent's block by its label.
    ///
    /// # Errors
    /// 404 for an unknown agent or label.
    pub async fn get_agent_block(self: &Arc<Self>, actor: &Actor, agent: &AgentId, label: &str) -> Result<Block> {
        let blocks = self.blocks_of(actor, agent).await?;
        let found = blocks.into_iter().find(|stored| stored.block.label.as_deref() == Some(label));
        found
            .map(|stored| stored.block)
            .ok_or_else(|| CoreError::NotFound(format!("No block with label '{label}' found for agent '{agent}'")))
    }

    /// Changes an agent's block by its label.
    ///
    /// # Errors
    /// As [`Core::get_agent_block`] and [`Core::update_block`].
    pub async fn update_agent_block(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        label: &str,
        update: BlockUpdate,
    ) -> Result<Block> {
        let block = self.get_agent_block(actor, agent, label).await?;
        self.update_block(actor, &block.id, update).await
    }

    /// Gives an agent a block.
    ///
    /// # Errors
    /// 404 for an unknown agent or block, 409 when the agent has a block of that label.
    pub async fn attach_block(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &BlockId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        let label = stored(&mut tx, actor, id).await?.block.label.unwrap_or_default();
        blocks::attach(&mut tx, actor, agent, id).await.map_err(|error| match error {
            StoreError::Conflict(_) => {
                CoreError::Conflict(format!("The agent already has a block with the label '{label}'"))
            }
            other => other.into(),
        })?;
        self.share_block(&mut tx, actor, agent, id, &label).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a block from an agent; the block stays.
    ///
    /// # Errors
    /// 404 for an unknown agent, or a block that it has not.
    pub async fn detach_block(self: &Arc<Self>, actor: &Actor, agent: &AgentId, id: &BlockId) -> Result<()> {
        self.require_agent(actor, agent).await?;
        let mut tx = self.store.write().await?;
        if !blocks::detach(&mut tx, actor, agent, id).await? {
            return Err(CoreError::NotFound(format!("No block with id '{id}' found for agent '{agent}'")));
        }
        self.unshare_block(&mut tx, actor, agent, id).await?;
        Ok(tx.commit().await?)
    }

    /// What an agent keeps in view beside the conversation.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn core_memory(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<Memory> {
        Ok(self.get_agent(actor, agent, Include { blocks: true, ..Include::NONE }).await?.memory)
    }

    /// The variables that were put into the agent's blocks when it was made.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn memory_variables(self: &Arc<Self>, actor: &Actor, agent: &AgentId) -> Result<JsonObject> {
        let mut conn = self.store.read().await?;
        let agent = agents::get(&mut conn, actor, agent).await?.ok_or_else(|| CoreError::missing("Agent", agent))?;
        Ok(agent.memory_variables.unwrap_or_default())
    }
}

async fn stored(conn: &mut Conn, actor: &Actor, id: &BlockId) -> Result<StoredBlock> {
    blocks::get(conn, actor, id).await?.ok_or_else(|| CoreError::missing("Block", id))
}

/// A label becomes a tag in the prompt and an argument of tools: not empty, not long, one line, no angle brackets.
pub(crate) fn check_label(label: &str) -> Result<()> {
    let odd = |c: char| c.is_control() || matches!(c, '<' | '>');
    if label.trim().is_empty() || label.chars().count() > 200 || label.contains(odd) {
        return Err(CoreError::field("label", "a label is 1 to 200 characters without control characters, '<' or '>'"));
    }
    Ok(())
}
