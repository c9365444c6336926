//! Which agents a search means.

use mneme_domain::{Actor, AgentId, EntityId, IdentityId, run::StopReason};
use mneme_macros::boxed;
use mneme_store::runs;

use crate::{AgentFilter, Core, CoreError, Result};

/// What an agent has to be. Of a search all must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentTest {
    /// It has this name.
    Name(String),
    /// Its name has this part, whatever the case.
    NamePart(String),
    /// It has all these tags.
    Tags(Vec<String>),
    /// It belongs to the identity of this identifier or key.
    Identity(String),
    /// It was made from any version of the template of this name.
    Template(String),
    /// It was made from this version, or brought to it: `name:2`.
    Version(String),
}

#[boxed]
impl Core {
    /// Tests as a filter of lists; `None` when no agent can pass them.
    ///
    /// # Errors
    /// 400 for two tests that say the same thing differently.
    pub async fn agent_filter(&self, actor: &Actor, tests: Vec<AgentTest>) -> Result<Option<AgentFilter>> {
        let mut filter = AgentFilter { match_all_tags: true, ..AgentFilter::default() };
        for test in tests {
            match test {
                AgentTest::Name(name) => once(&mut filter.name, name, "name")?,
                AgentTest::NamePart(part) => once(&mut filter.query_text, part, "name")?,
                AgentTest::Tags(tags) => filter.tags.extend(tags),
                AgentTest::Identity(identity) if IdentityId::parse(&identity).is_ok() => {
                    once(&mut filter.identity_id, identity, "identity")?;
                }
                AgentTest::Identity(key) => {
                    let mut one = filter.identifier_keys.pop();
                    once(&mut one, key, "identity")?;
                    filter.identifier_keys.extend(one);
                }
                AgentTest::Template(name) => {
                    let Some(version) = self.version_if_known(actor, &name).await? else { return Ok(None) };
                    once(&mut filter.base_template_id, version.template.id.to_string(), "templateName")?;
                }
                AgentTest::Version(name) => {
                    let Some(version) = self.version_if_known(actor, &name).await? else { return Ok(None) };
                    once(&mut filter.template_id, version.id.to_string(), "version")?;
                }
            }
        }
        Ok(Some(filter))
    }

    /// The agents whose last run that is over ended for this reason.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn agents_stopped(&self, actor: &Actor, reason: StopReason) -> Result<Vec<AgentId>> {
        let mut conn = self.store.read().await?;
        Ok(runs::agents_stopped(&mut conn, actor, reason).await?)
    }

    async fn version_if_known(&self, actor: &Actor, name: &str) -> Result<Option<crate::templates::Version>> {
        match self.template_version(actor, &self.project(actor).id, name).await {
            Ok(version) => Ok(Some(version)),
            Err(CoreError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Sets what a filter can hold once.
fn once(place: &mut Option<String>, value: String, field: &str) -> Result<()> {
    if place.as_ref().is_some_and(|known| *known != value) {
        return Err(CoreError::Invalid(format!("A search may say one thing about '{field}'")));
    }
    *place = Some(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_does_not_contradict_itself() {
        let mut place = None;
        assert!(once(&mut place, "a".into(), "name").is_ok());
        assert!(once(&mut place, "a".into(), "name").is_ok());
        assert!(once(&mut place, "b".into(), "name").is_err());
        assert_eq!(place.as_deref(), Some("a"));
    }
}
