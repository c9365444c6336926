//! Identities: the people and things that agents and blocks belong to.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, BlockId, IdentityId, Page,
    agent::{AgentState, Include},
    block::Block,
    identity::{CreateIdentity, Identity, IdentityProperty, IdentityUpdate, merge_properties},
};
use mneme_macros::boxed;
use mneme_store::{
    Conn, StoreError, agents, blocks,
    identities::{self, IdentityFilter},
};

use crate::{Core, CoreError, Result};

/// The properties that an identity may have.
const MOST_PROPERTIES: usize = 1_000;

#[boxed]
impl Core {
    /// Makes an identity.
    ///
    /// # Errors
    /// 409 when the key is taken, 404 for an unknown agent or block, 422 for a property whose value is not of its type.
    pub async fn create_identity(self: &Arc<Self>, actor: &Actor, body: CreateIdentity) -> Result<Identity> {
        let mut tx = self.store.write().await?;
        let made = self.insert_identity(&mut tx, actor, body).await?;
        tx.commit().await?;
        Ok(made)
    }

    async fn insert_identity(&self, tx: &mut Conn, actor: &Actor, body: CreateIdentity) -> Result<Identity> {
        let identity = Identity {
            id: IdentityId::from_uuid(self.env.uuid()),
            identifier_key: body.identifier_key,
            name: body.name,
            identity_type: body.identity_type,
            project_id: body.project_id,
            agent_ids: Vec::new(),
            block_ids: Vec::new(),
            organization_id: actor.org.clone(),
            properties: merged(Vec::new(), body.properties.unwrap_or_default())?,
        };
        identities::insert(tx, actor, &identity, self.env.now()).await.map_err(|error| taken(error, &identity))?;
        let (agents, blocks) = (body.agent_ids.unwrap_or_default(), body.block_ids.unwrap_or_default());
        attach(tx, actor, &identity.id, &agents, &blocks).await?;
        stored(tx, actor, &identity.id).await
    }

    /// Makes an identity, or rewrites the one that has the key: what the body names takes the place of what was there.
    ///
    /// # Errors
    /// As [`Core::create_identity`].
    pub async fn upsert_identity(self: &Arc<Self>, actor: &Actor, body: CreateIdentity) -> Result<Identity> {
        match self.try_upsert(actor, body.clone()).await {
            // Another request made it in this moment, so now there is one to rewrite.
            Err(CoreError::Conflict(_)) => self.try_upsert(actor, body).await,
            done => done,
        }
    }

    async fn try_upsert(&self, actor: &Actor, body: CreateIdentity) -> Result<Identity> {
        let mut tx = self.store.write().await?;
        let upserted = match identities::by_key(&mut tx, actor, &body.identifier_key).await? {
            None => self.insert_identity(&mut tx, actor, body).await?,
            Some(id) => {
                identities::lock(&mut tx, actor, &id).await?;
                let mut identity = stored(&mut tx, actor, &id).await?;
                identity.name = body.name;
                identity.identity_type = body.identity_type;
                identity.project_id = body.project_id.or(identity.project_id);
                if let Some(properties) = body.properties {
                    identity.properties = merged(Vec::new(), properties)?;
                }
                identities::update(&mut tx, actor, &identity, self.env.now()).await?;
                if let Some(agents) = body.agent_ids {
                    known_agents(&mut tx, actor, &agents).await?;
                    identities::set_agents(&mut tx, actor, &id, &agents).await?;
                }
                if let Some(blocks) = body.block_ids {
                    known_blocks(&mut tx, actor, &blocks).await?;
                    identities::set_blocks(&mut tx, actor, &id, &blocks).await?;
                }
                stored(&mut tx, actor, &id).await?
            }
        };
        tx.commit().await?;
        Ok(upserted)
    }

    /// Changes an identity. Agents, blocks and properties are added to those that it has.
    ///
    /// # Errors
    /// 404 for an unknown identity, and as of [`Core::create_identity`].
    pub async fn update_identity(
        self: &Arc<Self>,
        actor: &Actor,
        id: &IdentityId,
        body: IdentityUpdate,
    ) -> Result<Identity> {
        let mut tx = self.store.write().await?;
        identities::lock(&mut tx, actor, id).await?;
        let mut identity = stored(&mut tx, actor, id).await?;
        identity.identifier_key = body.identifier_key.unwrap_or(identity.identifier_key);
        identity.name = body.name.unwrap_or(identity.name);
        identity.identity_type = body.identity_type.unwrap_or(identity.identity_type);
        identity.properties = merged(identity.properties, body.properties.unwrap_or_default())?;
        identities::update(&mut tx, actor, &identity, self.env.now()).await.map_err(|error| taken(error, &identity))?;
        let (agents, blocks) = (body.agent_ids.unwrap_or_default(), body.block_ids.unwrap_or_default());
        attach(&mut tx, actor, id, &agents, &blocks).await?;
        let identity = stored(&mut tx, actor, id).await?;
        tx.commit().await?;
        Ok(identity)
    }

    /// Sets properties of an identity; the others stay.
    ///
    /// # Errors
    /// 404 for an unknown identity, 422 for a value that is not of its type.
    pub async fn upsert_identity_properties(
        self: &Arc<Self>,
        actor: &Actor,
        id: &IdentityId,
        properties: Vec<IdentityProperty>,
    ) -> Result<()> {
        let update = IdentityUpdate { properties: Some(properties), ..IdentityUpdate::default() };
        self.update_identity(actor, id, update).await.map(drop)
    }

    /// One identity.
    ///
    /// # Errors
    /// 404 for an unknown identity.
    pub async fn get_identity(self: &Arc<Self>, actor: &Actor, id: &IdentityId) -> Result<Identity> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await
    }

    /// Identities of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_identities(
        self: &Arc<Self>,
        actor: &Actor,
        filter: IdentityFilter,
        page: &Page,
    ) -> Result<Vec<Identity>> {
        let mut conn = self.store.read().await?;
        Ok(identities::list(&mut conn, actor, &filter, page).await?)
    }

    /// How many identities the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_identities(self: &Arc<Self>, actor: &Actor) -> Result<i64> {
        let mut conn = self.store.read().await?;
        Ok(identities::count(&mut conn, actor, &IdentityFilter::default()).await?)
    }

    /// Deletes an identity; its agents and blocks stay.
    ///
    /// # Errors
    /// 404 for an unknown identity.
    pub async fn delete_identity(self: &Arc<Self>, actor: &Actor, id: &IdentityId) -> Result<()> {
        let mut tx = self.store.write().await?;
        if !identities::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Identity", id));
        }
        Ok(tx.commit().await?)
    }

    /// The agents of an identity.
    ///
    /// # Errors
    /// 404 for an unknown identity.
    pub async fn identity_agents(
        self: &Arc<Self>,
        actor: &Actor,
        id: &IdentityId,
        page: &Page,
        include: Include,
    ) -> Result<Vec<AgentState>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        let found = identities::agents_of(&mut conn, actor, id, page).await?;
        let full = agents::full_many(&mut conn, actor, found, include).await?;
        Ok(full.into_iter().map(AgentState::from).collect())
    }

    /// The blocks of an identity.
    ///
    /// # Errors
    /// 404 for an unknown identity.
    pub async fn identity_blocks(self: &Arc<Self>, actor: &Actor, id: &IdentityId, page: &Page) -> Result<Vec<Block>> {
        let mut conn = self.store.read().await?;
        stored(&mut conn, actor, id).await?;
        Ok(identities::blocks_of(&mut conn, actor, id, page).await?)
    }

    /// Gives an agent an identity, or takes it from it. Both may be repeated.
    ///
    /// # Errors
    /// 404 for an unknown agent or identity.
    pub async fn set_agent_identity(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentId,
        id: &IdentityId,
        wanted: bool,
    ) -> Result<()> {
        let mut tx = self.store.write().await?;
        known_agents(&mut tx, actor, std::slice::from_ref(agent)).await?;
        stored(&mut tx, actor, id).await?;
        if wanted {
            identities::attach_agent(&mut tx, actor, agent, id).await?;
        } else {
            identities::detach_agent(&mut tx, actor, agent, id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Gives a block to an identity, or takes it from it. Both may be repeated.
    ///
    /// # Errors
    /// 404 for an unknown block or identity.
    pub async fn set_block_identity(
        self: &Arc<Self>,
        actor: &Actor,
        block: &BlockId,
        id: &IdentityId,
        wanted: bool,
    ) -> Result<Block> {
        let mut tx = self.store.write().await?;
        let found = blocks::get(&mut tx, actor, block).await?.ok_or_else(|| CoreError::missing("Block", block))?;
        stored(&mut tx, actor, id).await?;
        if wanted {
            identities::attach_block(&mut tx, actor, block, id).await?;
        } else {
            identities::detach_block(&mut tx, actor, block, id).await?;
        }
        tx.commit().await?;
        Ok(found.block)
    }
}

async fn stored(conn: &mut Conn, actor: &Actor, id: &IdentityId) -> Result<Identity> {
    identities::get(conn, actor, id).await?.ok_or_else(|| CoreError::missing("Identity", id))
}

/// The identities of these identifiers, each once.
pub(crate) async fn named(conn: &mut Conn, actor: &Actor, ids: &[IdentityId]) -> Result<Vec<Identity>> {
    let mut once: Vec<IdentityId> = Vec::new();
    for id in ids {
        if !once.contains(id) {
            once.push(id.clone());
        }
    }
    let found = identities::get_many(conn, actor, &once).await?;
    match once.iter().find(|id| !found.iter().any(|identity| identity.id == **id)) {
        Some(id) => Err(CoreError::missing("Identity", id)),
        None => Ok(found),
    }
}

async fn attach(tx: &mut Conn, actor: &Actor, id: &IdentityId, agents: &[AgentId], blocks: &[BlockId]) -> Result<()> {
    known_agents(tx, actor, agents).await?;
    known_blocks(tx, actor, blocks).await?;
    for agent in agents {
        identities::attach_agent(tx, actor, agent, id).await?;
    }
    for block in blocks {
        identities::attach_block(tx, actor, block, id).await?;
    }
    Ok(())
}

/// Says which agent is not there; a foreign key would only say that one is not.
async fn known_agents(tx: &mut Conn, actor: &Actor, ids: &[AgentId]) -> Result<()> {
    for id in ids {
        agents::get(tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
    }
    Ok(())
}

async fn known_blocks(tx: &mut Conn, actor: &Actor, ids: &[BlockId]) -> Result<()> {
    let found = blocks::get_many(tx, actor, ids).await?;
    match ids.iter().find(|id| !found.iter().any(|stored| stored.block.id == **id)) {
        Some(id) => Err(CoreError::missing("Block", id)),
        None => Ok(()),
    }
}

fn merged(mut known: Vec<IdentityProperty>, given: Vec<IdentityProperty>) -> Result<Vec<IdentityProperty>> {
    if let Some(odd) = given.iter().find(|property| !property.agrees()) {
        return Err(CoreError::field("properties", format!("the value of '{}' is not of its type", odd.key)));
    }
    merge_properties(&mut known, given);
    if known.len() > MOST_PROPERTIES {
        return Err(CoreError::field("properties", format!("an identity has at most {MOST_PROPERTIES} properties")));
    }
    Ok(known)
}

fn taken(error: StoreError, identity: &Identity) -> CoreError {
    match error {
        StoreError::Conflict(rule) if rule == "identities_org_id_identifier_key" => {
            let key = &identity.identifier_key;
            CoreError::Conflict(format!("An identity with the identifier_key '{key}' exists already"))
        }
        other => other.into(),
    }
}
