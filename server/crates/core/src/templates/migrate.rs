//! Agents that follow their template to another version. Their history stays, and so does their memory unless asked.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, JsonObject, Patch,
    agent::{AgentState, Include, UpdateAgent},
    block::BlockUpdate,
    folder::Source,
    template::{Template, TemplateBlock},
};
use mneme_macros::boxed;
use mneme_store::{agents, templates};

use super::{Version, body, deploy::no_deployment};
use crate::{Core, CoreError, Result, agents::substitute};

/// What a migration does with what agents have made of the template.
#[derive(Debug, Clone, Default)]
pub struct MigrateDeployment {
    /// The agents keep the texts of their blocks; so they do when it is left out.
    pub preserve_core_memories: Option<bool>,
    /// The agents keep the values of their tools' variables; so they do when it is left out.
    pub preserve_tool_variables: Option<bool>,
    /// New values for the blocks' variables, where texts are not kept.
    pub memory_variables: JsonObject,
    /// The agents keep their folders beside the template's, or have the template's alone. When it is left out, nothing
    /// changes about folders.
    pub preserve_sources: Option<bool>,
    /// The agents lose the blocks that the template lacks, or keep them. When it is left out, they keep them with the texts.
    pub drop_blocks: Option<bool>,
}

impl MigrateDeployment {
    fn keeps_memory(&self) -> bool {
        self.preserve_core_memories != Some(false)
    }

    /// The folders that an agent is to have; none when nothing changes about them.
    fn folders(&self, own: &[Source], wanted: Option<&[String]>) -> Option<Vec<String>> {
        let mut all = wanted.unwrap_or_default().to_vec();
        if self.preserve_sources? {
            all.extend(own.iter().map(|source| source.folder.id.to_string()));
        }
        Some(all)
    }
}

#[boxed]
impl Core {
    /// Brings the agents of a deployment to a version. It may be repeated: what is done already stays done.
    ///
    /// # Errors
    /// 404 for an unknown template, version or deployment, or something that the version names and that is gone.
    pub async fn migrate_deployment(
        self: &Arc<Self>,
        actor: &Actor,
        project: &str,
        name: &str,
        deployment: &str,
        version: &str,
        change: &MigrateDeployment,
    ) -> Result<()> {
        let (name, _) = super::split(name);
        // Clients write the version alone, or with the template's name.
        let version = version.rsplit_once(':').map_or(version, |(_, version)| version);
        let version = self.template_version(actor, project, &format!("{name}:{version}")).await?;
        let mut conn = self.store.read().await?;
        let ids = templates::deployed(&mut conn, actor, &version.template.id, deployment).await?;
        drop(conn);
        if ids.is_empty() {
            return Err(no_deployment(deployment));
        }
        self.bring(actor, &ids, &version, change).await
    }

    /// Brings every agent of a template to its newest version.
    pub(super) async fn migrate_all(
        self: &Arc<Self>,
        actor: &Actor,
        template: &Template,
        change: &MigrateDeployment,
    ) -> Result<()> {
        let version = self.template_version(actor, &self.project(actor).id, &template.name).await?;
        let mut conn = self.store.read().await?;
        let ids = templates::agents_of(&mut conn, actor, &template.id).await?;
        drop(conn);
        self.bring(actor, &ids, &version, change).await
    }

    async fn bring(
        self: &Arc<Self>,
        actor: &Actor,
        ids: &[AgentId],
        version: &Version,
        change: &MigrateDeployment,
    ) -> Result<()> {
        for id in ids {
            let done = self.migrate_agent(actor, id, version, change).await;
            let missing = matches!(done, Err(CoreError::NotFound(_)));
            // An agent may be deleted meanwhile.
            if !(missing && self.require_agent(actor, id).await.is_err()) {
                done?;
            }
        }
        tracing::info!(agents = ids.len(), template = %version.template.id, "agents were brought to a version");
        Ok(())
    }

    async fn migrate_agent(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        version: &Version,
        change: &MigrateDeployment,
    ) -> Result<()> {
        let wanted = body::agent_of(&version.state)?;
        let state = self.get_agent(actor, id, Include::ALL).await?;
        let same_model = state.llm_config.handle.as_deref() == Some(wanted.model.as_str());
        let (model, llm_config) = if same_model { (None, None) } else { body::model_of(wanted) };
        let update = UpdateAgent {
            system: Patch::Set(wanted.system_prompt.clone()),
            tool_ids: Some(wanted.tool_ids.clone().unwrap_or_default()),
            tool_rules: Some(wanted.tool_rules.clone().unwrap_or_default()),
            template_id: Patch::Set(version.id.to_string()),
            source_ids: change.folders(&state.sources, wanted.source_ids.as_deref()),
            secrets: (change.preserve_tool_variables == Some(false)).then(JsonObject::new),
            model,
            llm_config,
            ..UpdateAgent::default()
        };
        self.update_agent(actor, id, update).await?;
        let mut values = self.memory_variables(actor, id).await?;
        values.extend(change.memory_variables.clone());
        let values = body::values_of(wanted, values);
        self.migrate_blocks(actor, &state, version, &values, change).await?;
        if !change.memory_variables.is_empty() {
            let mut tx = self.store.write().await?;
            let agent = agents::get(&mut tx, actor, id).await?;
            let mut agent = agent.ok_or_else(|| CoreError::missing("Agent", id))?;
            agent.memory_variables = Some(values);
            agents::update(&mut tx, actor, &agent).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Blocks are the same by their labels.
    async fn migrate_blocks(
        self: &Arc<Self>,
        actor: &Actor,
        agent: &AgentState,
        version: &Version,
        values: &JsonObject,
        change: &MigrateDeployment,
    ) -> Result<()> {
        let wanted: Vec<&TemplateBlock> = body::blocks_of(&version.state, body::agent_of(&version.state)?).collect();
        for block in &wanted {
            let value = substitute(&block.value, values);
            let own = agent.blocks.iter().find(|own| own.label.as_deref() == Some(block.label.as_str()));
            match own {
                Some(_) if change.keeps_memory() || block.preserve_on_migration == Some(true) => {}
                Some(own) => {
                    let update = BlockUpdate {
                        value: Patch::Set(value),
                        limit: Patch::Set(block.limit),
                        read_only: Patch::Set(block.read_only),
                        description: Patch::Set(block.description.clone()),
                        ..BlockUpdate::default()
                    };
                    self.update_block(actor, &own.id, update).await?;
                }
                None => {
                    let made = self.create_block(actor, body::block_of(block, value)).await?;
                    self.attach_block(actor, &agent.id, &made.id).await?;
                }
            }
        }
        if !change.drop_blocks.unwrap_or(!change.keeps_memory()) {
            return Ok(());
        }
        let dropped = agent.blocks.iter().filter(|own| {
            own.preserve_on_migration != Some(true)
                && !wanted.iter().any(|block| own.label.as_deref() == Some(block.label.as_str()))
        });
        for block in dropped {
            self.detach_block(actor, &agent.id, &block.id).await?;
        }
        Ok(())
    }
}
