//! What a tool may ask of the network.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;
use url::Host;
use utoipa::ToSchema;

use super::HostPattern;

/// The hosts that a tool may send requests to. As JSON: `"none"`, `"public"` or a list of hosts.
///
/// Whatever it says, only public addresses are reached; the server's operator can name exceptions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NetworkAllow {
    /// None.
    #[default]
    None,
    /// All hosts with a public address.
    Public,
    /// These.
    Hosts(Vec<HostPattern>),
}

/// What a tool may ask of the network, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkPolicy {
    /// The hosts.
    #[schema(value_type = Value, example = json!(["api.example.com", "*.example.org:8443"]))]
    pub allow: NetworkAllow,
    /// The HTTP methods, in capitals; none means all.
    pub methods: Option<Vec<String>>,
    /// Requests in one call.
    pub max_requests: u32,
    /// Size of the body of one request, in bytes.
    pub max_request_bytes: u64,
    /// Size of the body of one answer, in bytes.
    pub max_response_bytes: u64,
    /// Size of all bodies of one call together, in bytes.
    pub max_total_bytes: u64,
}

/// Changes to a [`NetworkPolicy`]; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkManifest {
    /// The hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = json!(["api.example.com", "*.example.org:8443"]))]
    pub allow: Option<NetworkAllow>,
    /// The HTTP methods, in capitals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// Requests in one call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// Size of the body of one request, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_request_bytes: Option<u64>,
    /// Size of the body of one answer, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_response_bytes: Option<u64>,
    /// Size of all bodies of one call together, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total_bytes: Option<u64>,
}

impl Default for NetworkPolicy {
    /// No host; the sizes are those of every kind of tool.
    fn default() -> Self {
        Self {
            allow: NetworkAllow::None,
            methods: None,
            max_requests: 100,
            max_request_bytes: 16 << 20,
            max_response_bytes: 16 << 20,
            max_total_bytes: 64 << 20,
        }
    }
}

impl NetworkPolicy {
    /// All hosts with a public address, under the default sizes.
    pub fn public() -> Self {
        Self { allow: NetworkAllow::Public, ..Self::default() }
    }

    /// Whether a host may be asked, as far as its name tells.
    pub fn allows_host(&self, host: &Host<String>, port: u16) -> bool {
        match &self.allow {
            NetworkAllow::None => false,
            NetworkAllow::Public => true,
            NetworkAllow::Hosts(patterns) => patterns.iter().any(|pattern| pattern.matches(host, port)),
        }
    }

    /// Whether a method may be used.
    pub fn allows_method(&self, method: &str) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.iter().any(|allowed| allowed == method))
    }

    /// With the changes made.
    #[must_use]
    pub fn with(mut self, changes: &NetworkManifest) -> Self {
        if let Some(allow) = &changes.allow {
            self.allow = allow.clone();
        }
        if let Some(methods) = &changes.methods {
            self.methods = Some(methods.clone());
        }
        self.max_requests = changes.max_requests.unwrap_or(self.max_requests);
        self.max_request_bytes = changes.max_request_bytes.unwrap_or(self.max_request_bytes);
        self.max_response_bytes = changes.max_response_bytes.unwrap_or(self.max_response_bytes);
        self.max_total_bytes = changes.max_total_bytes.unwrap_or(self.max_total_bytes);
        self
    }

    /// No more than a ceiling gives.
    #[must_use]
    pub fn within(mut self, ceiling: &NetworkManifest) -> Self {
        if let Some(allow) = &ceiling.allow {
            self.allow = self.allow.within(allow);
        }
        if let Some(most) = &ceiling.methods {
            self.methods = Some(match self.methods {
                None => most.clone(),
                Some(methods) => methods.into_iter().filter(|method| most.contains(method)).collect(),
            });
        }
        let lower = |own: u64, most: Option<u64>| most.map_or(own, |most| own.min(most));
        self.max_requests = ceiling.max_requests.map_or(self.max_requests, |most| self.max_requests.min(most));
        self.max_request_bytes = lower(self.max_request_bytes, ceiling.max_request_bytes);
        self.max_response_bytes = lower(self.max_response_bytes, ceiling.max_response_bytes);
        self.max_total_bytes = lower(self.max_total_bytes, ceiling.max_total_bytes);
        self
    }
}

impl NetworkAllow {
    fn within(self, ceiling: &Self) -> Self {
        match (self, ceiling) {
            (Self::None, _) | (_, Self::None) => Self::None,
            (own, Self::Public) => own,
            (Self::Public, hosts @ Self::Hosts(_)) => hosts.clone(),
            (Self::Hosts(own), Self::Hosts(most)) => {
                let both = own.iter().flat_map(|one| most.iter().filter_map(|other| one.intersection(other)));
                Self::Hosts(both.collect())
            }
        }
    }
}

impl Serialize for NetworkAllow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Public => serializer.serialize_str("public"),
            Self::Hosts(hosts) => hosts.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for NetworkAllow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "none" => Ok(Self::None),
            Value::String(word) if word == "public" => Ok(Self::Public),
            list @ Value::Array(_) => serde_json::from_value(list).map(Self::Hosts).map_err(D::Error::custom),
            _ => Err(D::Error::custom("the hosts are \"none\", \"public\" or a list of hosts")),
        }
    }
}
