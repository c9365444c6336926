//! Typed identifiers: `<prefix>-<uuid4>`, checked where they enter the server.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Why a text is no identifier of a kind; says which shape was expected.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("String should match pattern '{prefix}-{{uuid4}}'")]
pub struct InvalidId {
    /// The prefix that the identifier should have had.
    pub prefix: &'static str,
}

/// Whether `text` is a lower-case, hyphenated version 4 UUID.
fn is_uuid4(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => *b == b'4',
            19 => matches!(b, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// An identifier type: what the path extractor and the stores are generic over.
pub trait EntityId: Sized + Clone + fmt::Display {
    /// The text before the UUID, without the hyphen.
    const PREFIX: &'static str;
    /// Checks and takes a text.
    fn parse(text: &str) -> Result<Self, InvalidId>;
    /// The whole identifier.
    fn as_str(&self) -> &str;
}

macro_rules! id_types {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier of an entity with this UUID.
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(format!(concat!($prefix, "-{}"), uuid.hyphenated()))
            }

            /// An identifier read back from the database, where only checked ones are written.
            pub fn trusted(text: String) -> Self {
                Self(text)
            }

            /// The identifier as text.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl EntityId for $name {
            const PREFIX: &'static str = $prefix;

            fn parse(text: &str) -> Result<Self, InvalidId> {
                match text.strip_prefix(concat!($prefix, "-")) {
                    Some(uuid) if is_uuid4(uuid) => Ok(Self(text.to_owned())),
                    _ => Err(InvalidId { prefix: $prefix }),
                }
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id_types! {
    /// An organisation: the tenant that owns everything else.
    OrgId = "org";
    /// A user of an organisation.
    UserId = "user";
    /// An agent.
    AgentId = "agent";
    /// A memory block.
    BlockId = "block";
    /// A tool.
    ToolId = "tool";
    /// A message.
    MessageId = "message";
    /// A run: one turn of an agent.
    RunId = "run";
    /// A step: one model call with its tool calls.
    StepId = "step";
    /// The recorded request and response of a step's model call.
    TraceId = "provider_trace";
    /// A model provider.
    ProviderId = "provider";
    /// An identity: a person or thing that an agent talks to.
    IdentityId = "identity";
    /// A group of agents.
    GroupId = "group";
    /// An archive: a collection of passages.
    ArchiveId = "archive";
    /// A passage: a text in an archive.
    PassageId = "passage";
    /// A folder of files (the API also calls it a source).
    SourceId = "source";
    /// A batch: many runs that were begun together.
    BatchId = "job";
    /// An MCP server that an organisation uses.
    McpServerId = "mcp_server";
    /// A file in a folder.
    FileId = "file";
    /// A template, or one of its versions.
    TemplateId = "template";
    /// Agents that were made from a template in one go.
    DeploymentId = "deployment";
    /// A recorded refusal: something that a tool tried without having the power to.
    DenialId = "denial";
}

/// The organisation that exists from the start.
pub fn default_org() -> OrgId {
    OrgId("org-00000000-0000-4000-8000-000000000000".into())
}

/// The user that exists from the start.
pub fn default_user() -> UserId {
    UserId("user-00000000-0000-4000-8000-000000000000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prefixed_lower_case_version_4_uuids_are_identifiers() {
        let good = "agent-123e4567-e89b-42d3-8456-426614174000";
        assert_eq!(AgentId::parse(good).unwrap().as_str(), good);
        for bad in [
            "foo",
            "",
            "agent-",
            "block-123e4567-e89b-42d3-8456-426614174000",
            "agent-123E4567-e89b-42d3-8456-426614174000",
            "agent-123e4567-e89b-12d3-8456-426614174000",
            "agent-123e4567-e89b-42d3-c456-426614174000",
            "agent-123e4567-e89b-42d3-8456-426614174000 ",
            "agent-123e4567e89b-42d3-8456-4266141740000",
        ] {
            assert_eq!(AgentId::parse(bad), Err(InvalidId { prefix: "agent" }), "{bad}");
        }
    }

    #[test]
    fn a_new_identifier_parses() {
        let id = StepId::from_uuid(crate::Env::system().uuid());
        assert_eq!(StepId::parse(id.as_str()).unwrap(), id);
    }
}
