//! The model providers: each is asked for its models.

use std::time::Duration;

use futures::future::join_all;
use mneme_core::ProviderConfig;
use mneme_llm::{LlmClient, ModelKind};
use tokio::time::timeout;

use super::Finding;
use crate::{
    cli::{discover, services},
    config::{Config, seconds},
};

/// A finding for each provider.
pub(super) async fn check(config: &Config) -> Vec<(String, Finding)> {
    let llm = match services::llm(config) {
        Ok(llm) => llm,
        Err(error) => return vec![("providers".into(), Finding::bad(error, "Check the TLS set-up of this machine."))],
    };
    let mut providers = services::providers(config);
    if providers.is_empty() && config.discover_local {
        providers = discover::local(&llm).await;
    }
    if providers.is_empty() {
        let fix = "Set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OLLAMA_BASE_URL, or start Ollama here.";
        return vec![("providers".into(), Finding::bad("there is none, so agents have no model", fix))];
    }
    let patience = seconds(config.model_list_seconds);
    join_all(providers.into_iter().map(|provider| ask(&llm, provider, patience))).await
}

async fn ask(llm: &LlmClient, config: ProviderConfig, patience: Duration) -> (String, Finding) {
    let subject = format!("provider {}", config.name);
    let provider = config.provider();
    let finding = match timeout(patience, llm.models(&provider)).await {
        Err(_) => Finding::bad(
            format!("no answer within {} s", patience.as_secs()),
            "Check its address and the network between.",
        ),
        Ok(Err(error)) => Finding::bad(error, "Check its address and its key."),
        Ok(Ok(models)) if !models.iter().any(|model| model.kind == ModelKind::Chat) => {
            Finding::bad("it has no chat model", "Load or pull a model on it.")
        }
        Ok(Ok(models)) => {
            let count = |kind| models.iter().filter(|model| model.kind == kind).count();
            let embedding = count(ModelKind::Embedding);
            Finding::Good(format!("{} chat and {embedding} embedding models", count(ModelKind::Chat)))
        }
    };
    (subject, finding)
}
