//! What a tool may use up and reach: defaults for each kind of tool, a manifest that changes them for one tool, and
//! ceilings that an organisation sets for all of its tools.
//!
//! ```text
//! Policy::of(kind).with(&tool_manifest).within(&organisation_ceiling)
//! ```

pub mod capability;
mod env;
mod host;
mod manifest;
mod network;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use capability::{Denial, ToolDenial};
pub use env::EnvPolicy;
pub use host::{BadHost, HostPattern, parse_host};
pub use manifest::{Manifest, ManifestError};
pub use network::{NetworkAllow, NetworkManifest, NetworkPolicy};

/// What kind of guest a tool is, which decides what it gets when nobody says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolKind {
    /// It comes with the server.
    Builtin,
    /// An uploaded component.
    Component,
    /// An uploaded Extism plugin.
    Extism,
    /// Python source.
    Python,
    /// TypeScript or JavaScript source.
    Javascript,
    /// Source that a model wrote, for one call.
    RunCode,
}

/// What one call of a tool may use up and reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Memory of the guest, in bytes.
    pub memory_bytes: u64,
    /// Computing time, in milliseconds; counted in steps of 10.
    pub cpu_ms: u64,
    /// Time from start to end, in milliseconds.
    pub wall_ms: u64,
    /// Size of the result, in bytes; more is cut off.
    pub output_bytes: u64,
    /// Size of standard output, and of standard error with the log, in bytes; more is cut off.
    pub log_bytes: u64,
    /// What may be written to files within one call, in bytes; what is written over counts again. A folder of its own needs
    /// the capability `scratch`; without it a tool in Python has 16 MiB of this at most, for temporary files.
    #[serde(default = "file_bytes")]
    pub file_bytes: u64,
    /// Requests to other machines. Needs the capability `network`.
    pub network: NetworkPolicy,
    /// Environment variables that the tool sees, of those that its agent and organisation have.
    #[schema(value_type = serde_json::Value, example = json!(["API_KEY"]))]
    pub env: EnvPolicy,
    /// Names out of [`capability`].
    pub capabilities: Vec<String>,
}

impl Policy {
    /// The policy of a tool about which nobody said anything.
    pub fn of(kind: ToolKind) -> Self {
        use capability::{ALL, API, MEMORY_READ, MEMORY_WRITE, NETWORK, SCRATCH};
        let base = |capabilities: &[&str]| Self {
            memory_bytes: 64 << 20,
            cpu_ms: 5_000,
            wall_ms: 60_000,
            output_bytes: 1 << 20,
            log_bytes: 64 << 10,
            file_bytes: file_bytes(),
            network: NetworkPolicy::default(),
            env: EnvPolicy::All,
            capabilities: capabilities.iter().map(|&name| name.to_owned()).collect(),
        };
        match kind {
            // A built-in tool declares what it needs, and gets that.
            ToolKind::Builtin => Self { network: NetworkPolicy::public(), ..base(ALL) },
            ToolKind::Component => Self { cpu_ms: 10_000, ..base(&[MEMORY_READ, MEMORY_WRITE]) },
            // A plugin declares nothing, so it gets nothing until somebody grants it. Its network is the capability and
            // the hosts together; the hosts are none to begin with.
            ToolKind::Extism => Self { cpu_ms: 10_000, env: EnvPolicy::Names(Vec::new()), ..base(&[NETWORK]) },
            // Tools that were written for another server have to run as they are: with the web, their agent's
            // variables and a client for the API.
            ToolKind::Python => Self {
                memory_bytes: 256 << 20,
                cpu_ms: 30_000,
                wall_ms: 180_000,
                network: NetworkPolicy::public(),
                ..base(&[MEMORY_READ, MEMORY_WRITE, NETWORK, API])
            },
            ToolKind::Javascript => Self {
                memory_bytes: 128 << 20,
                cpu_ms: 30_000,
                wall_ms: 180_000,
                network: NetworkPolicy::public(),
                ..base(&[MEMORY_READ, MEMORY_WRITE, NETWORK, API])
            },
            // A model's program is steered by whatever the model read: it gets the web, but no secrets and no agent.
            ToolKind::RunCode => Self {
                memory_bytes: 512 << 20,
                cpu_ms: 30_000,
                network: NetworkPolicy::public(),
                env: EnvPolicy::Names(Vec::new()),
                ..base(&[NETWORK, SCRATCH])
            },
        }
    }

    /// With a tool's own changes.
    #[must_use]
    pub fn with(mut self, changes: &Manifest) -> Self {
        self.memory_bytes = changes.memory_bytes.unwrap_or(self.memory_bytes);
        self.cpu_ms = changes.cpu_ms.unwrap_or(self.cpu_ms);
        self.wall_ms = changes.wall_ms.unwrap_or(self.wall_ms);
        self.output_bytes = changes.output_bytes.unwrap_or(self.output_bytes);
        self.log_bytes = changes.log_bytes.unwrap_or(self.log_bytes);
        self.file_bytes = changes.file_bytes.unwrap_or(self.file_bytes);
        if let Some(network) = &changes.network {
            self.network = self.network.with(network);
        }
        if let Some(env) = &changes.env {
            self.env = env.clone();
        }
        if let Some(capabilities) = &changes.capabilities {
            self.capabilities = capabilities.clone();
        }
        self
    }

    /// No more than a ceiling gives.
    #[must_use]
    pub fn within(mut self, ceiling: &Manifest) -> Self {
        let lower = |own: u64, most: Option<u64>| most.map_or(own, |most| own.min(most));
        self.memory_bytes = lower(self.memory_bytes, ceiling.memory_bytes);
        self.cpu_ms = lower(self.cpu_ms, ceiling.cpu_ms);
        self.wall_ms = lower(self.wall_ms, ceiling.wall_ms);
        self.output_bytes = lower(self.output_bytes, ceiling.output_bytes);
        self.log_bytes = lower(self.log_bytes, ceiling.log_bytes);
        self.file_bytes = lower(self.file_bytes, ceiling.file_bytes);
        if let Some(network) = &ceiling.network {
            self.network = self.network.within(network);
        }
        if let Some(env) = &ceiling.env {
            self.env = self.env.within(env);
        }
        if let Some(most) = &ceiling.capabilities {
            self.capabilities.retain(|name| most.contains(name));
        }
        self
    }

    /// Whether the tool has a capability.
    pub fn grants(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|name| name == capability)
    }

    /// [`Policy::cpu_ms`].
    pub fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms)
    }

    /// [`Policy::wall_ms`].
    pub fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }
}

fn file_bytes() -> u64 {
    64 << 20
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(value: serde_json::Value) -> Manifest {
        Manifest::parse(value).unwrap()
    }

    #[test]
    fn a_manifest_changes_what_it_names() {
        let before = Policy::of(ToolKind::Python);
        let after = before.clone().with(&manifest(json!({
            "cpu_ms": 100, "network": {"allow": ["*.example.com"], "methods": ["GET"]}, "env": ["KEY"],
        })));
        let allow = NetworkAllow::Hosts(vec!["*.example.com".parse().unwrap()]);
        let network = NetworkPolicy { allow, methods: Some(vec!["GET".into()]), ..before.network.clone() };
        let expected = Policy { cpu_ms: 100, network, env: EnvPolicy::Names(vec!["KEY".into()]), ..before };
        assert_eq!(after, expected);
        let text = serde_json::to_value(&after).unwrap();
        assert_eq!(text["network"]["allow"], json!(["*.example.com"]));
        assert_eq!(serde_json::from_value::<Policy>(text).unwrap(), after);
    }

    #[test]
    fn a_ceiling_only_takes_away() {
        let ceiling = manifest(json!({
            "memory_bytes": 1_u64 << 30, "wall_ms": 10_000, "capabilities": ["network", "memory-read"],
            "env": ["A", "B"],
            "network": {"allow": ["*.example.com"], "methods": ["GET", "HEAD"], "max_requests": 5},
        }));
        let python = Policy::of(ToolKind::Python).within(&ceiling);
        assert_eq!((python.memory_bytes, python.wall_ms), (256 << 20, 10_000));
        assert_eq!(python.capabilities, ["memory-read", "network"]);
        assert_eq!(python.env, EnvPolicy::Names(vec!["A".into(), "B".into()]));
        assert_eq!(python.network.allow, NetworkAllow::Hosts(vec!["*.example.com".parse().unwrap()]));
        assert_eq!(python.network.max_requests, 5);

        let own = manifest(json!({
            "env": ["B", "C"], "network": {"allow": ["api.example.com", "evil.test"], "methods": ["POST", "GET"]},
        }));
        let narrowed = Policy::of(ToolKind::Python).with(&own).within(&ceiling);
        assert_eq!(narrowed.env, EnvPolicy::Names(vec!["B".into()]));
        assert_eq!(narrowed.network.allow, NetworkAllow::Hosts(vec!["api.example.com".parse().unwrap()]));
        assert_eq!(narrowed.network.methods, Some(vec!["GET".into()]));

        let closed = python.within(&manifest(json!({"network": {"allow": "none"}})));
        assert_eq!(closed.network.allow, NetworkAllow::None);
        assert_eq!(Policy::of(ToolKind::Component).within(&ceiling).network.allow, NetworkAllow::None);
    }

    #[test]
    fn what_a_model_wrote_sees_no_secret_and_no_agent() {
        let policy = Policy::of(ToolKind::RunCode);
        assert_eq!(policy.capabilities, [capability::NETWORK, capability::SCRATCH]);
        assert_eq!(policy.env.visible([("KEY".to_owned(), "secret".to_owned())]), []);
    }
}
