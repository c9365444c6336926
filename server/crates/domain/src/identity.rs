//! Identities: the people and things that agents and blocks belong to.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{AgentId, BlockId, IdentityId, OrgId};

/// What an identity stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum IdentityType {
    /// An organisation.
    Org,
    /// A person.
    User,
    /// Anything else.
    Other,
}

impl IdentityType {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Org => "org",
            Self::User => "user",
            Self::Other => "other",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "org" => Self::Org,
            "user" => Self::User,
            "other" => Self::Other,
            _ => return None,
        })
    }
}

/// What kind of value a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PropertyType {
    String,
    Number,
    Boolean,
    /// An object.
    Json,
}

/// Something that is known about an identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IdentityProperty {
    /// Its name; an identity has one property of a name.
    pub key: String,
    /// A text, a number, a truth value or an object, as `type` says.
    pub value: Value,
    /// What the value is.
    #[serde(rename = "type")]
    pub kind: PropertyType,
}

impl IdentityProperty {
    /// Whether the value is of the type that is given for it.
    pub fn agrees(&self) -> bool {
        match self.kind {
            PropertyType::String => self.value.is_string(),
            PropertyType::Number => self.value.is_number(),
            PropertyType::Boolean => self.value.is_boolean(),
            PropertyType::Json => self.value.is_object(),
        }
    }
}

/// Puts properties into a list: one of a known key takes its place, the others come behind.
pub fn merge_properties(into: &mut Vec<IdentityProperty>, given: Vec<IdentityProperty>) {
    for property in given {
        match into.iter_mut().find(|known| known.key == property.key) {
            Some(known) => *known = property,
            None => into.push(property),
        }
    }
}

/// An identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Identity {
    /// Identifier.
    #[schema(value_type = String)]
    pub id: IdentityId,
    /// The developer's own key of it; unique within the organisation.
    pub identifier_key: String,
    /// What people call it.
    pub name: String,
    /// What it stands for.
    pub identity_type: IdentityType,
    /// The project of the hosted product; kept as given.
    pub project_id: Option<String>,
    /// Its agents, the oldest first, at most 1,000 of them.
    #[schema(value_type = Vec<String>)]
    pub agent_ids: Vec<AgentId>,
    /// Its blocks, the oldest first, at most 1,000 of them.
    #[schema(value_type = Vec<String>)]
    pub block_ids: Vec<BlockId>,
    /// Whose it is.
    #[schema(value_type = String)]
    pub organization_id: OrgId,
    /// What is known about it.
    pub properties: Vec<IdentityProperty>,
}

/// The body of an identity's creation, and of its upsert by key.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct CreateIdentity {
    pub identifier_key: String,
    pub name: String,
    pub identity_type: IdentityType,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub agent_ids: Option<Vec<AgentId>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub block_ids: Option<Vec<BlockId>>,
    #[serde(default)]
    pub properties: Option<Vec<IdentityProperty>>,
}

/// The body of an identity's update; what it does not name stays. Agents, blocks and properties are added to those that
/// it has.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct IdentityUpdate {
    pub identifier_key: Option<String>,
    pub name: Option<String>,
    pub identity_type: Option<IdentityType>,
    #[schema(value_type = Option<Vec<String>>)]
    pub agent_ids: Option<Vec<AgentId>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub block_ids: Option<Vec<BlockId>>,
    pub properties: Option<Vec<IdentityProperty>>,
}
