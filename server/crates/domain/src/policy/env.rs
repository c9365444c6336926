//! Which environment variables a tool sees.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

/// The names of the variables. As JSON: `"all"` or a list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvPolicy {
    /// All that the calling agent has.
    All,
    /// These.
    Names(Vec<String>),
}

impl EnvPolicy {
    /// Whether a variable may be seen.
    pub fn allows(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Names(names) => names.iter().any(|allowed| allowed == name),
        }
    }

    /// The variables that may be seen.
    pub fn visible(&self, variables: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
        variables.into_iter().filter(|(name, _)| self.allows(name)).collect()
    }

    pub(super) fn within(self, ceiling: &Self) -> Self {
        match (self, ceiling) {
            (own, Self::All) => own,
            (Self::All, names) => names.clone(),
            (Self::Names(own), Self::Names(most)) => {
                Self::Names(own.into_iter().filter(|name| most.contains(name)).collect())
            }
        }
    }
}

impl Serialize for EnvPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Names(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for EnvPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "all" => Ok(Self::All),
            list @ Value::Array(_) => serde_json::from_value(list).map(Self::Names).map_err(D::Error::custom),
            _ => Err(D::Error::custom("the variables are \"all\" or a list of names")),
        }
    }
}
