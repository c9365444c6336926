//! Templates: a state that is edited, versions of it that are saved, and agents that are made from them.
//!
//! An agent of a template is made by the same code as any other: a version becomes the body of a creation.

mod body;
mod deploy;
mod migrate;
mod source;

use std::sync::Arc;

use mneme_macros::boxed;

pub(crate) use deploy::Origin;
pub use deploy::{Deploy, Deployed};
pub use migrate::MigrateDeployment;
use mneme_domain::{
    Actor, TemplateId,
    agent::AgentType,
    block::check_limit,
    template::{CURRENT, DEV, LATEST, Project, Template, TemplateState, TemplateVersion},
};
use mneme_store::{StoreError, templates};
pub use source::TemplateSource;

use crate::{Core, CoreError, Result, TemplateFilter, blocks::check_label};

/// Words that stand where a name could, in addresses.
const RESERVED: [&str; 3] = ["agents", "save", "rollback"];
/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// A saved version with its template and its state.
pub(crate) struct Version {
    pub(crate) template: Template,
    /// The working state has the template's own identifier.
    pub(crate) id: TemplateId,
    pub(crate) state: TemplateState,
}

#[boxed]
impl Core {
    /// The project of the actor's organisation.
    pub fn project(&self, actor: &Actor) -> Project {
        Project::of(&actor.org)
    }

    /// The template of a name within a project; a version behind the name does not matter.
    async fn template(&self, actor: &Actor, project: &str, name: &str) -> Result<Template> {
        if !self.project(actor).is_named(project) {
            return Err(CoreError::NotFound(format!("Project '{project}' not found")));
        }
        let (name, _) = split(name);
        let mut conn = self.store.read().await?;
        templates::by_name(&mut conn, actor, name).await?.ok_or_else(|| missing(name))
    }

    /// The version that `name:version` names; without a version it is the newest.
    pub(crate) async fn template_version(&self, actor: &Actor, project: &str, name: &str) -> Result<Version> {
        let template = self.template(actor, project, name).await?;
        let (_, version) = split(name);
        let mut conn = self.store.read().await?;
        let number = match version.unwrap_or(LATEST) {
            LATEST => template.latest,
            CURRENT | DEV => {
                let state =
                    templates::working(&mut conn, actor, &template.id).await.map_err(|error| gone(error, name))?;
                return Ok(Version { id: template.id.clone(), template, state });
            }
            number => number.parse().map_err(|_| missing(name))?,
        };
        let found = templates::version(&mut conn, actor, &template.id, number).await?;
        let (version, state) = found.ok_or_else(|| missing(name))?;
        Ok(Version { template, id: version.id, state })
    }

    /// Makes a template with its first version.
    ///
    /// # Errors
    /// 404 for an unknown project or agent, 400 for what cannot be a template, 409 for a name that is taken.
    pub async fn create_template(
        self: &Arc<Self>,
        actor: &Actor,
        project: &str,
        source: TemplateSource,
        name: Option<String>,
        default_type: AgentType,
    ) -> Result<Template> {
        if !self.project(actor).is_named(project) {
            return Err(CoreError::NotFound(format!("Project '{project}' not found")));
        }
        let name = name.map(|name| checked_name(&name)).transpose()?;
        let state = self.state_of_source(actor, source, default_type).await?;
        let name = name.unwrap_or_else(|| name_after(&state));
        self.keep_template(actor, name, None, &state).await
    }

    async fn keep_template(
        &self,
        actor: &Actor,
        name: String,
        description: Option<String>,
        state: &TemplateState,
    ) -> Result<Template> {
        let now = self.env.now();
        let id = TemplateId::from_uuid(self.env.uuid());
        let template = Template { id, name, description, latest: 1, created_at: now, updated_at: now };
        let version =
            TemplateVersion { id: TemplateId::from_uuid(self.env.uuid()), number: 1, message: None, created_at: now };
        let mut tx = self.store.write().await?;
        let added = templates::insert(&mut tx, actor, &template, state).await;
        added.map_err(|error| taken(error, &template.name))?;
        templates::add_version(&mut tx, actor, &template.id, &version, state).await?;
        tx.commit().await?;
        Ok(template)
    }

    /// Templates of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_templates(&self, actor: &Actor, filter: &TemplateFilter) -> Result<Vec<Template>> {
        let mut conn = self.store.read().await?;
        Ok(templates::list(&mut conn, actor, filter).await?)
    }

    /// The state of a version, as a snapshot.
    ///
    /// # Errors
    /// 404 for an unknown template or version.
    pub async fn template_snapshot(&self, actor: &Actor, project: &str, name: &str) -> Result<TemplateState> {
        let Version { mut state, .. } = self.template_version(actor, project, name).await?;
        split(name).1.unwrap_or(LATEST).clone_into(&mut state.version);
        Ok(state)
    }

    /// Replaces the state that is edited by a snapshot.
    ///
    /// # Errors
    /// 404 for an unknown template, 400 or 422 for a state that no agent can have.
    pub async fn set_template(&self, actor: &Actor, project: &str, name: &str, state: TemplateState) -> Result<()> {
        let template = self.template(actor, project, name).await?;
        let state = checked(state)?;
        let mut tx = self.store.write().await?;
        for agent in &state.agents {
            self.tools_for(&mut tx, actor, agent.tool_ids.as_deref().unwrap_or_default(), &[], &[]).await?;
        }
        let set = templates::set_working(&mut tx, actor, &template.id, &state, self.env.now()).await;
        set.map_err(|error| gone(error, name))?;
        Ok(tx.commit().await?)
    }

    /// Replaces the state that is edited by what an agent file holds.
    ///
    /// # Errors
    /// 404 for an unknown template, 400 for a file that cannot be a template.
    pub async fn set_template_from(
        self: &Arc<Self>,
        actor: &Actor,
        project: &str,
        name: &str,
        source: TemplateSource,
        save_before: bool,
        default_type: AgentType,
    ) -> Result<()> {
        let template = self.template(actor, project, name).await?;
        let state = self.state_of_source(actor, source, default_type).await?;
        if save_before {
            self.save_working(actor, &template, None).await?;
        }
        let mut tx = self.store.write().await?;
        let set = templates::set_working(&mut tx, actor, &template.id, &state, self.env.now()).await;
        set.map_err(|error| gone(error, name))?;
        Ok(tx.commit().await?)
    }

    /// Saves the state that is edited as a new version.
    ///
    /// # Errors
    /// 404 for an unknown template, 409 when somebody else saves one in the same moment.
    pub async fn save_template(
        self: &Arc<Self>,
        actor: &Actor,
        project: &str,
        name: &str,
        message: Option<String>,
        migrate: Option<MigrateDeployment>,
    ) -> Result<Template> {
        let template = self.template(actor, project, name).await?;
        let version = self.save_working(actor, &template, message).await?;
        let saved = Template { latest: version.number, updated_at: version.created_at, ..template };
        if let Some(change) = migrate {
            self.migrate_all(actor, &saved, &change).await?;
        }
        Ok(saved)
    }

    async fn save_working(
        &self,
        actor: &Actor,
        template: &Template,
        message: Option<String>,
    ) -> Result<TemplateVersion> {
        let mut tx = self.store.write().await?;
        // Read again: somebody may have saved a version since.
        let newest = templates::by_name(&mut tx, actor, &template.name).await?;
        let newest = newest.ok_or_else(|| missing(&template.name))?;
        let state = templates::working(&mut tx, actor, &newest.id).await;
        let state = state.map_err(|error| gone(error, &template.name))?;
        let version = TemplateVersion {
            id: TemplateId::from_uuid(self.env.uuid()),
            number: newest.latest + 1,
            message,
            created_at: self.env.now(),
        };
        templates::add_version(&mut tx, actor, &newest.id, &version, &state).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Replaces the state that is edited by that of a version.
    ///
    /// # Errors
    /// 404 for an unknown template or version, 400 for a version that is none.
    pub async fn rollback_template(&self, actor: &Actor, project: &str, name: &str, version: &str) -> Result<()> {
        if matches!(version, CURRENT | DEV) {
            return Err(CoreError::Invalid("Only to a saved version can be gone back".into()));
        }
        let wanted = format!("{}:{version}", split(name).0);
        let Version { template, state, .. } = self.template_version(actor, project, &wanted).await?;
        let mut tx = self.store.write().await?;
        let set = templates::set_working(&mut tx, actor, &template.id, &state, self.env.now()).await;
        set.map_err(|error| gone(error, name))?;
        Ok(tx.commit().await?)
    }

    /// Makes a template of a version of another one.
    ///
    /// # Errors
    /// 404 for an unknown template or version, 409 for a name that is taken.
    pub async fn fork_template(
        &self,
        actor: &Actor,
        project: &str,
        name: &str,
        new_name: Option<String>,
    ) -> Result<Template> {
        let Version { template, state, .. } = self.template_version(actor, project, name).await?;
        let new_name = match new_name {
            Some(name) => checked_name(&name)?,
            None => checked_name(&format!("{}-fork", template.name))?,
        };
        self.keep_template(actor, new_name, template.description, &state).await
    }

    /// Gives a template another name.
    ///
    /// # Errors
    /// 404 for an unknown template, 409 for a name that is taken.
    pub async fn rename_template(&self, actor: &Actor, project: &str, name: &str, new_name: &str) -> Result<()> {
        let template = self.template(actor, project, name).await?;
        let new_name = checked_name(split(new_name).0)?;
        let mut tx = self.store.write().await?;
        let renamed = templates::rename(&mut tx, actor, &template.id, &new_name, self.env.now()).await;
        renamed.map_err(|error| gone(error, &new_name))?;
        Ok(tx.commit().await?)
    }

    /// Says what a template is for.
    ///
    /// # Errors
    /// 404 for an unknown template.
    pub async fn describe_template(
        &self,
        actor: &Actor,
        project: &str,
        name: &str,
        description: Option<&str>,
    ) -> Result<()> {
        let template = self.template(actor, project, name).await?;
        let mut tx = self.store.write().await?;
        let described = templates::describe(&mut tx, actor, &template.id, description, self.env.now()).await;
        described.map_err(|error| gone(error, name))?;
        Ok(tx.commit().await?)
    }

    /// Deletes a template with its versions; its agents stay.
    ///
    /// # Errors
    /// 404 for an unknown template.
    pub async fn delete_template(&self, actor: &Actor, project: &str, name: &str) -> Result<()> {
        let template = self.template(actor, project, name).await?;
        let mut tx = self.store.write().await?;
        if !templates::delete(&mut tx, actor, &template.id).await? {
            return Err(missing(name));
        }
        Ok(tx.commit().await?)
    }

    /// The versions of a template, the newest first, with the number of all and the newest one's.
    ///
    /// # Errors
    /// 404 for an unknown template.
    pub async fn template_versions(
        &self,
        actor: &Actor,
        project: &str,
        name: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<TemplateVersion>, i64, i64)> {
        let template = self.template(actor, project, name).await?;
        let mut conn = self.store.read().await?;
        let (versions, count) = templates::versions(&mut conn, actor, &template.id, limit, offset).await?;
        Ok((versions, count, template.latest))
    }
}

/// `name:version` in its parts.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((name, version)) => (name, Some(version)),
        None => (name, None),
    }
}

fn missing(name: &str) -> CoreError {
    CoreError::NotFound(format!("Template '{name}' not found"))
}

/// An error of a template that was there a moment ago.
fn gone(error: StoreError, name: &str) -> CoreError {
    match error {
        StoreError::NotFound => missing(name),
        other => taken(other, name),
    }
}

fn taken(error: StoreError, name: &str) -> CoreError {
    match error {
        StoreError::Conflict(_) => CoreError::Conflict(format!("There is a template with the name '{name}' already")),
        other => other.into(),
    }
}

/// A name stands in addresses, with a version behind a colon.
fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    let odd = |c: char| c.is_control() || matches!(c, ':' | '/' | '?' | '#');
    if RESERVED.contains(&name) {
        return Err(CoreError::Invalid(format!("A template cannot be named '{name}': addresses use the word")));
    }
    if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(odd) {
        return Err(CoreError::Invalid(format!(
            "The name of a template is 1 to {MAX_NAME} characters without control characters, ':', '/', '?' and '#'"
        )));
    }
    Ok(name.to_owned())
}

/// A name for a template that was given none: its agent's, with what a name cannot have left out.
fn name_after(state: &TemplateState) -> String {
    let fit = |c: &char| !c.is_control() && !matches!(c, ':' | '/' | '?' | '#');
    let name = state.agents.first().map(|agent| agent.name.chars().filter(fit).take(MAX_NAME).collect::<String>());
    name.map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty() && !RESERVED.contains(&name.as_str()))
        .unwrap_or_else(|| "template".into())
}

/// A state that an agent can begin with.
fn checked(mut state: TemplateState) -> Result<TemplateState> {
    let [agent] = state.agents.as_mut_slice() else {
        return Err(CoreError::Invalid("A template has exactly one agent on this server".into()));
    };
    // Values of tools' variables are secrets; a template is read by everybody.
    let variables = agent.tool_variables.iter_mut().flat_map(|variables| &mut variables.data);
    variables.for_each(|variable| variable.default_value = None);
    agent.properties = None;
    let mut labels: Vec<&str> = Vec::new();
    for block in &state.blocks {
        check_label(&block.label)?;
        check_limit(&block.value, block.limit)
            .map_err(|over| CoreError::Invalid(format!("The block '{}': {over}", block.label)))?;
        if labels.contains(&block.label.as_str()) {
            return Err(CoreError::Invalid(format!("Two blocks have the label '{}'", block.label)));
        }
        labels.push(&block.label);
    }
    state.version.clear();
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        assert_eq!(split("support"), ("support", None));
        assert_eq!(split("support:3"), ("support", Some("3")));
        assert_eq!(checked_name(" support ").unwrap(), "support");
        for bad in ["", "  ", "save", "a:b", "a/b", "a?b", "a\nb", &"x".repeat(MAX_NAME + 1)] {
            assert!(checked_name(bad).is_err(), "{bad:?}");
        }
    }
}
