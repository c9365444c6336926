//! Finds model servers on this machine when no provider is set up.
//!
//! A closed port on loopback refuses at once, so looking costs nothing where there is nothing.

use std::{net::Ipv4Addr, time::Duration};

use futures::future::join_all;
use mneme_core::ProviderConfig;
use mneme_llm::{Extras, LlmClient, Provider, ProviderKind};
use tokio::{net::TcpStream, time::timeout};

/// How long a port may take to be reached, and then a server to show that it has models.
const PATIENCE: Duration = Duration::from_millis(150);

/// A server where it usually listens.
struct Place {
    name: &'static str,
    kind: ProviderKind,
    port: u16,
    /// The port belongs to that server by custom; on other ports anything may listen, so its models are asked for.
    customary: bool,
}

const PLACES: [Place; 4] = [
    Place { name: "ollama", kind: ProviderKind::Ollama, port: 11434, customary: true },
    Place { name: "lmstudio_openai", kind: ProviderKind::LmStudio, port: 1234, customary: false },
    Place { name: "llamacpp", kind: ProviderKind::LlamaCpp, port: 8080, customary: false },
    Place { name: "vllm", kind: ProviderKind::Vllm, port: 8000, customary: false },
];

/// The servers that answer.
pub async fn local(llm: &LlmClient) -> Vec<ProviderConfig> {
    let found = join_all(PLACES.iter().map(|place| look(place, llm))).await;
    found.into_iter().flatten().collect()
}

async fn look(place: &Place, llm: &LlmClient) -> Option<ProviderConfig> {
    let reached = timeout(PATIENCE, TcpStream::connect((Ipv4Addr::LOCALHOST, place.port))).await;
    drop(reached.ok()?.ok()?);
    let base_url: url::Url = format!("http://127.0.0.1:{}", place.port).parse().ok()?;
    if !place.customary {
        let provider = Provider::new(place.name, place.kind, base_url.clone(), None);
        let models = timeout(PATIENCE, llm.models(&provider)).await.ok()?.ok()?;
        if models.is_empty() {
            return None;
        }
    }
    Some(ProviderConfig {
        name: place.name.into(),
        kind: place.kind,
        base_url,
        api_key: None,
        extras: Extras::default(),
    })
}
