//! The row of an identity.

use mneme_domain::{
    Actor, AgentId, BlockId, EntityId, IdentityId,
    identity::{Identity, IdentityType},
};

use crate::{Result, json, sql::Arg};

/// The columns that [`IdentityRow`] reads, of `identities i`, with an engine's way to make an array and a text of it.
macro_rules! columns {
    ($array:literal, $text:literal) => {
        concat!(
            "i.id, i.identifier_key, i.name, i.identity_type, i.project_id, i.properties,
            (select ",
            $array,
            "(x.agent_id)",
            $text,
            " from (select ai.agent_id from agent_identities ai
                where ai.org_id = i.org_id and ai.identity_id = i.id order by ai.agent_id limit 1000) x) as agent_ids,
            (select ",
            $array,
            "(x.block_id)",
            $text,
            " from (select bi.block_id from block_identities bi
                where bi.org_id = i.org_id and bi.identity_id = i.id order by bi.block_id limit 1000) x) as block_ids"
        )
    };
}
pub(crate) use columns;

/// The columns that a new row fills: the organisation, the two times, the maker, then [`values`].
pub(super) const VALUES: &str = "org_id, created_at, updated_at, created_by_id, id, identifier_key, name, \
    identity_type, project_id, properties, last_updated_by_id";

/// An identity's values in the order of [`VALUES`].
pub(super) fn values<'a>(a: &'a Actor, identity: &'a Identity) -> Result<Vec<Arg<'a>>> {
    Ok(vec![
        (&identity.id).into(),
        (&identity.identifier_key).into(),
        (&identity.name).into(),
        identity.identity_type.as_str().into(),
        (&identity.project_id).into(),
        json::text(&identity.properties)?.into(),
        (&a.user).into(),
    ])
}

#[derive(mneme_macros::FromRow)]
pub(crate) struct IdentityRow {
    id: String,
    identifier_key: String,
    name: String,
    identity_type: String,
    project_id: Option<String>,
    properties: String,
    agent_ids: Option<String>,
    block_ids: Option<String>,
}

/// The identifiers of an aggregated column, the oldest first: they begin with the time.
fn ids<I: EntityId>(column: &'static str, text: Option<&str>, trusted: impl Fn(String) -> I) -> Result<Vec<I>> {
    let mut texts: Vec<String> = json::optional_value(column, text)?.unwrap_or_default();
    texts.sort();
    Ok(texts.into_iter().map(trusted).collect())
}

impl IdentityRow {
    pub(super) fn identity(self, a: &Actor) -> Result<Identity> {
        Ok(Identity {
            id: IdentityId::trusted(self.id),
            identifier_key: self.identifier_key,
            name: self.name,
            identity_type: json::named("identities.identity_type", &self.identity_type, IdentityType::from_name)?,
            project_id: self.project_id,
            agent_ids: ids("agent_identities", self.agent_ids.as_deref(), AgentId::trusted)?,
            block_ids: ids("block_identities", self.block_ids.as_deref(), BlockId::trusted)?,
            organization_id: a.org.clone(),
            properties: json::value("identities.properties", &self.properties)?,
        })
    }
}
