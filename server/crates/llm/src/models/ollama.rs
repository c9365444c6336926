//! Ollama's own listing: `/api/tags` for the names, `/api/show` for what each model is.

use futures::{StreamExt, stream};
use serde_json::{Value, json};

use super::{Facts, Listing, ModelInfo, ModelKind};
use crate::{
    error::LlmError,
    json::{number, str_at},
};

/// `/api/show` calls at a time.
const CONCURRENT: usize = 4;

/// Lists the models with what Ollama knows about each.
pub(super) async fn list(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let answer = listing.get(listing.provider.unversioned("api/tags")).await?;
    let tags = answer
        .get("models")
        .and_then(Value::as_array)
        .ok_or_else(|| LlmError::malformed("the provider's answer is no list of models"))?;
    let names: Vec<String> =
        tags.iter().filter_map(|tag| str_at(tag, "model").or_else(|| str_at(tag, "name"))).map(str::to_owned).collect();
    let models = stream::iter(names).map(|name| show(listing, name)).buffered(CONCURRENT).collect().await;
    Ok(models)
}

async fn show(listing: &Listing<'_>, name: String) -> ModelInfo {
    let answer = listing.post(listing.provider.unversioned("api/show"), &json!({"model": name})).await;
    // A model that cannot be shown can still be used, with what its name tells.
    let facts = answer.map(|shown| facts(&shown)).unwrap_or_default();
    facts.complete(listing.provider, &name)
}

fn facts(shown: &Value) -> Facts {
    let capabilities = shown.get("capabilities").and_then(Value::as_array);
    let can = |word: &str| capabilities.map(|list| list.iter().any(|c| c.as_str() == Some(word)));
    let info = |suffix: &str| {
        let map = shown.get("model_info")?.as_object()?;
        let value = map.iter().find(|(key, _)| key.ends_with(suffix)).map(|(_, value)| value)?;
        number(value).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
    };
    Facts {
        kind: match (can("embedding"), can("completion")) {
            (Some(true), _) => Some(ModelKind::Embedding),
            (_, Some(true)) => Some(ModelKind::Chat),
            _ => None,
        },
        window: num_ctx(shown).or_else(|| info(".context_length")),
        max_output: None,
        embedding_dim: info(".embedding_length"),
        tools: can("tools"),
        vision: can("vision"),
        reasoning: can("thinking"),
    }
}

/// The window set in the model's own parameters, a text with one `name value` per line.
fn num_ctx(shown: &Value) -> Option<u32> {
    let parameters = shown.get("parameters")?.as_str()?;
    parameters.lines().find_map(|line| line.trim().strip_prefix("num_ctx")?.trim().parse().ok()).filter(|n| *n > 0)
}
