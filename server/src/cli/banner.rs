//! What the server says on the terminal when it is ready: where it is, what it has, what to do next.

use std::{net::SocketAddr, sync::Arc};

use mneme_core::Core;
use mneme_llm::ModelKind;

use crate::config::{Config, LogFormat};

/// What to do when there is no provider.
const NO_PROVIDER: &str = "no model provider found. Set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or \
                           OLLAMA_BASE_URL, or start Ollama on this machine; then start mneme again.";

/// Says where the server is. `made_up` tells that the password is not known to anybody yet.
pub fn show(config: &Config, address: SocketAddr) {
    if config.log_format == LogFormat::Json {
        let database = config.database();
        tracing::info!(%address, %database, version = crate::VERSION, "ready");
    }
    let made_up = config.password_made_up;
    let url = format!("http://{address}");
    let (password, header) = match &config.password {
        Some(password) if made_up => (format!("{} (made up for this start)", password.reveal()), true),
        Some(_) => ("needed".to_owned(), true),
        None => ("none; only this machine can connect".to_owned(), false),
    };
    let credentials = if header { " -H 'Authorization: Bearer <password>'" } else { "" };
    if config.log_format == LogFormat::Text || made_up {
        println!(
            "\n  mneme {version}\n\n  address   {url}\n  database  {database}\n  password  {password}\n\n  \
             try       curl{credentials} {url}/v1/models/\n  docs      {url}/docs\n",
            version = crate::VERSION,
            database = config.database(),
        );
    }
}

/// Asks the providers for their models and says what they have, each as it answers.
pub async fn models(core: Arc<Core>, format: LogFormat) {
    let registry = core.models();
    if registry.providers().is_empty() {
        return say(format, NO_PROVIDER);
    }
    let asked = registry.providers().iter().map(|provider| async move {
        let text = match registry.models_of(provider).await {
            Ok(models) => {
                let count = |kind| models.iter().filter(|model| model.kind == kind).count();
                let (chat, embedding) = (count(ModelKind::Chat), count(ModelKind::Embedding));
                format!("{}: {chat} chat and {embedding} embedding models", provider.name())
            }
            Err(error) => format!("{}: no models; {error}", provider.name()),
        };
        say(format, &text);
    });
    futures::future::join_all(asked).await;
}

fn say(format: LogFormat, text: &str) {
    match format {
        LogFormat::Text => println!("  models    {text}"),
        LogFormat::Json => tracing::info!(models = text, "models"),
    }
}
