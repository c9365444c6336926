//! Agents that are made from a version of a template.

use std::sync::Arc;

use mneme_domain::{
    Actor, AgentId, DeploymentId, EntityId, IdentityId, JsonObject,
    agent::{AgentState, AgentType, CreateAgent},
    request::MessageCreate,
    template::Project,
};
use mneme_macros::boxed;
use mneme_store::identities;

use super::{Version, body};
use crate::{Core, CoreError, Result};

/// Where an agent comes from that is no agent of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) deployment_id: Option<String>,
    pub(crate) entity_id: Option<String>,
}

/// What a deployment says beyond the template.
#[derive(Debug, Clone, Default)]
pub struct Deploy {
    /// Labels instead of the template's.
    pub tags: Option<Vec<String>>,
    /// A name instead of the template's.
    pub agent_name: Option<String>,
    /// The messages that it begins with.
    pub initial_message_sequence: Option<Vec<MessageCreate>>,
    /// Values for the blocks' variables.
    pub memory_variables: JsonObject,
    /// Values of variables that its tools see.
    pub tool_variables: Option<JsonObject>,
    /// Identities that it belongs to, instead of the template's, each by its identifier or its key.
    pub identity_ids: Option<Vec<String>>,
}

/// What a deployment made.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// Names the deployment, to migrate it later.
    pub deployment_id: DeploymentId,
    /// The new agents.
    pub agents: Vec<AgentState>,
}

impl Deployed {
    /// The new agents' identifiers.
    pub fn agent_ids(&self) -> Vec<AgentId> {
        self.agents.iter().map(|agent| agent.id.clone()).collect()
    }
}

#[boxed]
impl Core {
    /// Makes the agents of a version: `name:2`, `name:latest`, `name`.
    ///
    /// # Errors
    /// 404 for an unknown template, version, or something that the template names and that is gone; else as
    /// [`Core::create_agent`].
    pub async fn deploy_template(
        self: &Arc<Self>,
        actor: &Actor,
        project: &str,
        name: &str,
        deploy: Deploy,
        default_type: AgentType,
    ) -> Result<Deployed> {
        let version = self.template_version(actor, project, name).await?;
        let mut body = body_for(actor, &version, deploy.memory_variables)?;
        body.name = deploy.agent_name.or(body.name);
        body.tags = deploy.tags.or(body.tags);
        body.initial_message_sequence = deploy.initial_message_sequence;
        body.secrets = deploy.tool_variables;
        if let Some(names) = deploy.identity_ids {
            body.identity_ids = Some(self.identities_called(actor, names).await?);
        }
        let (deployment_id, origin) = self.new_origin(&version)?;
        let agent = self.make_agent(actor, body, default_type, origin).await?;
        Ok(Deployed { deployment_id, agents: vec![agent] })
    }

    /// The body of a creation that names a template: the template's, where it says nothing itself.
    pub(crate) async fn templated_body(&self, actor: &Actor, mut given: CreateAgent) -> Result<(CreateAgent, Origin)> {
        let Some(name) = given.from_template.take() else { return Ok((given, Origin::default())) };
        let project = self.project(actor);
        // The slug of a deployment has the project in front.
        let (place, name) = name.split_once('/').unwrap_or((project.slug.as_str(), name.as_str()));
        let version = self.template_version(actor, place, name).await?;
        let base = body_for(actor, &version, given.memory_variables.take().unwrap_or_default())?;
        let (_, origin) = self.new_origin(&version)?;
        Ok((over(base, given), origin))
    }

    /// The identities that have these identifiers or keys.
    async fn identities_called(&self, actor: &Actor, names: Vec<String>) -> Result<Vec<IdentityId>> {
        let mut conn = self.store.read().await?;
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let id = match IdentityId::parse(&name) {
                Ok(id) => Some(id),
                Err(_) => identities::by_key(&mut conn, actor, &name).await?,
            };
            found.push(id.ok_or_else(|| CoreError::NotFound(format!("Identity '{name}' not found")))?);
        }
        Ok(found)
    }

    fn new_origin(&self, version: &Version) -> Result<(DeploymentId, Origin)> {
        let deployment = DeploymentId::from_uuid(self.env.uuid());
        let entity = body::agent_of(&version.state)?.entity_id.clone();
        let origin = Origin { deployment_id: Some(deployment.to_string()), entity_id: Some(entity) };
        Ok((deployment, origin))
    }
}

fn body_for(actor: &Actor, version: &Version, values: JsonObject) -> Result<CreateAgent> {
    let mut body = body::body_of(&version.state, values)?;
    body.project_id = Some(Project::of(&actor.org).id);
    body.template_id = Some(version.id.to_string());
    body.base_template_id = Some(version.template.id.to_string());
    Ok(body)
}

/// A body with what another one says in its place.
fn over(mut base: CreateAgent, given: CreateAgent) -> CreateAgent {
    // A model and the settings of another one would contradict each other.
    if given.model.is_some() || given.llm_config.is_some() {
        (base.model, base.llm_config) = (None, None);
    }
    if given.embedding.is_some() || given.embedding_config.is_some() {
        (base.embedding, base.embedding_config) = (None, None);
    }
    macro_rules! first {
        ($($field:ident)*) => { CreateAgent { $($field: given.$field.or(base.$field),)* } };
    }
    first! {
        name memory_blocks tools tool_ids source_ids folder_ids block_ids tool_rules tags system agent_type llm_config
        embedding_config initial_message_sequence include_base_tools include_multi_agent_tools include_base_tool_rules
        include_default_source description metadata model embedding model_settings compaction_settings
        context_window_limit embedding_chunk_size max_tokens max_reasoning_tokens enable_reasoner reasoning from_template template project
        tool_exec_environment_variables secrets memory_variables project_id template_id base_template_id identity_ids
        message_buffer_autoclear enable_sleeptime response_format timezone max_files_open
        per_file_view_window_char_limit hidden parallel_tool_calls
    }
}

/// The error of a deployment that is not there.
pub(super) fn no_deployment(id: &str) -> CoreError {
    CoreError::missing("Deployment", id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_goes_before_the_template() {
        let base = CreateAgent {
            name: Some("template".into()),
            model: Some("a/one".into()),
            tags: Some(vec!["kept".into()]),
            ..CreateAgent::default()
        };
        let given = CreateAgent { name: Some("mine".into()), model: Some("b/two".into()), ..CreateAgent::default() };
        let both = over(base, given);
        assert_eq!((both.name.as_deref(), both.model.as_deref()), (Some("mine"), Some("b/two")));
        assert_eq!(both.tags, Some(vec!["kept".to_owned()]));
    }
}
