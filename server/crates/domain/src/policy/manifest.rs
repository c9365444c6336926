//! What somebody writes about a tool: a policy with most of it left out.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{EnvPolicy, NetworkAllow, NetworkManifest, capability};

const MAX_NAMES: usize = 256;
const GIB: u64 = 1 << 30;

/// Changes to a [`super::Policy`], or a ceiling for one. What is left out changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    /// Memory of the guest, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Computing time, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u64>,
    /// Time from start to end, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
    /// Size of the result, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
    /// Size of standard output, and of standard error with the log, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_bytes: Option<u64>,
    /// What may be written to files within one call, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// Requests to other machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkManifest>,
    /// Environment variables that the tool sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = json!(["API_KEY"]))]
    pub env: Option<EnvPolicy>,
    /// Names out of [`capability`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
}

/// What is wrong with a manifest, for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy is not valid: {0}")]
pub struct ManifestError(String);

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// For unknown fields, values of the wrong type or out of range, and unknown capabilities.
    pub fn parse(value: Value) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_value(value).map_err(|error| ManifestError(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// For the first one that is out of range or unknown.
    pub fn check(&self) -> Result<(), ManifestError> {
        const HOUR: u64 = 3_600_000;
        range("memory_bytes", self.memory_bytes, 1 << 20, 4 * GIB)?;
        range("cpu_ms", self.cpu_ms, 10, HOUR)?;
        range("wall_ms", self.wall_ms, 10, HOUR)?;
        range("output_bytes", self.output_bytes, 1, GIB)?;
        range("log_bytes", self.log_bytes, 0, GIB)?;
        range("file_bytes", self.file_bytes, 0, 16 * GIB)?;
        if let Some(EnvPolicy::Names(names)) = &self.env {
            few("env", names.len())?;
            if let Some(bad) = names.iter().find(|name| !is_variable(name)) {
                return Err(ManifestError(format!("env: {bad:?} is no name of a variable")));
            }
        }
        if let Some(names) = &self.capabilities
            && let Some(unknown) = names.iter().find(|name| !capability::ALL.contains(&name.as_str()))
        {
            let known = capability::ALL.join(", ");
            return Err(ManifestError(format!("capabilities: {unknown:?} is unknown; there are {known}")));
        }
        self.network.as_ref().map_or(Ok(()), check_network)
    }
}

fn check_network(network: &NetworkManifest) -> Result<(), ManifestError> {
    range("network.max_requests", network.max_requests.map(u64::from), 0, 100_000)?;
    range("network.max_request_bytes", network.max_request_bytes, 0, 4 * GIB)?;
    range("network.max_response_bytes", network.max_response_bytes, 0, 4 * GIB)?;
    range("network.max_total_bytes", network.max_total_bytes, 0, 64 * GIB)?;
    if let Some(NetworkAllow::Hosts(hosts)) = &network.allow {
        few("network.allow", hosts.len())?;
    }
    let Some(methods) = &network.methods else { return Ok(()) };
    few("network.methods", methods.len())?;
    let is_method =
        |name: &String| (1..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase());
    match methods.iter().find(|name| !is_method(name)) {
        Some(bad) => Err(ManifestError(format!("network.methods: {bad:?} is no method; write it in capitals"))),
        None => Ok(()),
    }
}

fn range(field: &str, value: Option<u64>, least: u64, most: u64) -> Result<(), ManifestError> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(ManifestError(format!("{field}: {value} is not between {least} and {most}")))
        }
        _ => Ok(()),
    }
}

fn few(field: &str, count: usize) -> Result<(), ManifestError> {
    match count > MAX_NAMES {
        true => Err(ManifestError(format!("{field}: {count} entries; at most {MAX_NAMES} are taken"))),
        false => Ok(()),
    }
}

fn is_variable(name: &str) -> bool {
    (1..=256).contains(&name.len()) && !name.contains(['=', '\0'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_comes_back() {
        let value = json!({"wall_ms": 500, "network": {"allow": ["a.example:80"]}, "env": "all", "capabilities": []});
        let manifest = Manifest::parse(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&manifest).unwrap(), value);
        assert_eq!(Manifest::parse(json!({})).unwrap(), Manifest::default());
    }

    #[test]
    fn every_mistake_is_named() {
        for (value, hint) in [
            (json!({"memory": 1}), "unknown field `memory`"),
            (json!({"memory_bytes": 5}), "memory_bytes: 5 is not between"),
            (json!({"memory_bytes": "1"}), "invalid type: string"),
            (json!({"cpu_ms": 0}), "cpu_ms: 0"),
            (json!({"wall_ms": 99_999_999}), "wall_ms"),
            (json!({"network": {"hosts": []}}), "unknown field `hosts`"),
            (json!({"network": {"allow": "everything"}}), "\"none\", \"public\" or a list"),
            (json!({"network": {"allow": ["http://x"]}}), "'http://x' is no host"),
            (json!({"network": {"methods": ["get"]}}), "network.methods: \"get\""),
            (json!({"env": "some"}), "\"all\" or a list of names"),
            (json!({"env": ["A=B"]}), "env: \"A=B\""),
            (json!({"env": vec!["A"; 257]}), "env: 257 entries"),
            (json!({"capabilities": ["root"]}), "capabilities: \"root\" is unknown; there are memory-read"),
        ] {
            let error = Manifest::parse(value.clone()).unwrap_err().to_string();
            assert!(error.contains(hint), "{value}: {error}");
        }
    }
}
