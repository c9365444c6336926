//! Changes of an agent.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, Patch, ToolId,
    agent::{AgentState, Include, UpdateAgent},
    llm_config::EmbeddingConfig,
};
use mneme_macros::boxed;
use mneme_store::{StoreError, agents, identities, messages, tools};

use super::{check_response_format, check_timezone, create::approval_rules, model::ModelChoice, unique, variables};
use crate::{Core, CoreError, Result, identities::named, turn::rules};

/// How often an update is tried again after somebody else was faster.
const TRIES: usize = 5;

#[boxed]
impl Core {
    /// Changes an agent; what the body does not name stays.
    ///
    /// # Errors
    /// 404 for an unknown agent, tool, block or model, 422 for values that make no sense.
    pub async fn update_agent(self: &Arc<Self>, actor: &Actor, id: &AgentId, body: UpdateAgent) -> Result<AgentState> {
        if let Patch::Set(name) = &body.timezone {
            check_timezone(name)?;
        }
        let folders = if body.folder_ids.is_some() || body.source_ids.is_some() {
            let mut conn = self.store.read().await?;
            Some(self.named_folders(&mut conn, actor, body.folder_ids.clone(), body.source_ids.clone()).await?)
        } else {
            None
        };
        for _ in 0..TRIES {
            match self.try_update(actor, id, body.clone()).await {
                Err(TryError::Stale) => {}
                Err(TryError::Failed(error)) => return Err(error),
                Ok(state) => {
                    let Some(folders) = folders else { return Ok(state) };
                    self.set_folders(actor, id, &folders).await?;
                    return self.get_agent(actor, id, Include::ALL).await;
                }
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn try_update(
        self: &Arc<Self>,
        actor: &Actor,
        id: &AgentId,
        body: UpdateAgent,
    ) -> std::result::Result<AgentState, TryError> {
        let mut agent = {
            let mut conn = self.store.read().await?;
            agents::get(&mut conn, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?
        };
        let form = body.model_settings.as_ref().map(|settings| settings.response_format.clone()).unwrap_or_default();
        let choice = ModelChoice {
            handle: body.model,
            config: body.llm_config,
            context_window: body.context_window_limit,
            max_tokens: body.max_tokens,
            max_reasoning_tokens: body.max_reasoning_tokens,
            reasoning: body.reasoning,
            parallel_tool_calls: body.parallel_tool_calls,
            settings: body.model_settings,
            compaction: body.compaction_settings,
        };
        if !choice.is_empty() {
            agent.llm_config = self.change_model(actor, agent.llm_config, choice).await?;
        }
        let embedded_by = agent.embedding_config.clone();
        if body.embedding.is_some() || body.embedding_config.is_some() {
            agent.embedding_config = self.choose_embedding(actor, body.embedding, body.embedding_config, None).await?;
        }
        body.name.apply_value(&mut agent.name);
        body.system.apply_value(&mut agent.system);
        body.description.apply(&mut agent.description);
        body.metadata.apply(&mut agent.metadata);
        body.project_id.apply(&mut agent.project_id);
        body.template_id.apply(&mut agent.template_id);
        body.base_template_id.apply(&mut agent.base_template_id);
        let falls_asleep = body.enable_sleeptime == Patch::Set(true);
        body.enable_sleeptime.apply(&mut agent.enable_sleeptime);
        let formed = agent.response_format.clone();
        body.response_format.apply(&mut agent.response_format);
        form.apply(&mut agent.response_format);
        if agent.response_format != formed {
            check_response_format(agent.response_format.as_ref())?;
        }
        body.last_run_completion.apply(&mut agent.last_run_completion);
        body.last_run_duration_ms.apply(&mut agent.last_run_duration_ms);
        body.timezone.apply(&mut agent.timezone);
        body.max_files_open.apply(&mut agent.max_files_open);
        body.per_file_view_window_char_limit.apply(&mut agent.per_file_view_window_char_limit);
        body.hidden.apply(&mut agent.hidden);
        if let Some(autoclear) = body.message_buffer_autoclear {
            agent.message_buffer_autoclear = autoclear;
        }
        if let Some(rules) = body.tool_rules {
            agent.tool_rules = rules::unique(rules);
        }
        agent.updated_at = self.env.now();
        agent.last_updated_by_id = Some(actor.user.to_string());

        let mut tx = self.store.write().await?;
        if let Some(ids) = body.message_ids {
            let found = messages::get_many(&mut tx, actor, &ids).await?;
            let own = found.len() == ids.len() && found.iter().all(|message| message.agent_id == *id);
            if !own || ids.is_empty() || ids.first() != agent.message_ids.first() {
                return Err(CoreError::Invalid(
                    "message_ids has to begin with the agent's system message and hold only messages of the agent"
                        .into(),
                )
                .into());
            }
            agent.message_ids = ids;
        }
        if let Some(ids) = body.tool_ids {
            let found = self.tools_for(&mut tx, actor, &ids, &[], &[]).await?;
            let ids: Vec<ToolId> = found.iter().map(|tool| tool.id.clone()).collect();
            let before = tools::of_agent(&mut tx, actor, id).await?;
            let fresh = found.iter().filter(|tool| !before.iter().any(|other| other.id == tool.id));
            agent.tool_rules.extend(approval_rules(fresh));
            agent.tool_rules = rules::unique(agent.tool_rules);
            tools::set_of_agent(&mut tx, actor, id, &ids).await?;
        }
        if let Some(ids) = body.block_ids {
            agents::set_blocks(&mut tx, actor, id, &ids).await?;
        }
        if let Some(ids) = body.identity_ids {
            named(&mut tx, actor, &ids).await?;
            identities::set_of_agent(&mut tx, actor, id, &ids).await?;
        }
        if let Some(tags) = body.tags {
            agents::set_tags(&mut tx, actor, id, &unique(tags)).await?;
        }
        if let Some(given) = body.secrets.or(body.tool_exec_environment_variables) {
            agents::set_variables(&mut tx, actor, id, &variables(given)).await?;
        }
        agents::update(&mut tx, actor, &agent).await?;
        if falls_asleep {
            self.ensure_sleeper(&mut tx, actor, &agent).await?;
        }
        let full = agents::full(&mut tx, actor, id, Include::ALL).await?;
        tx.commit().await?;
        if agent.embedding_config.as_ref().map(EmbeddingConfig::name) != embedded_by.as_ref().map(EmbeddingConfig::name)
        {
            self.recall_again(actor, id);
        }
        let full = full.ok_or_else(|| CoreError::missing("Agent", id))?;
        Ok(AgentState::from(full))
    }
}

enum TryError {
    Stale,
    Failed(CoreError),
}

impl From<StoreError> for TryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Self::Stale,
            other => Self::Failed(other.into()),
        }
    }
}

impl From<CoreError> for TryError {
    fn from(error: CoreError) -> Self {
        Self::Failed(error)
    }
}
