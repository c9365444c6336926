//! The listings of Anthropic and Google.

use serde_json::Value;

use super::{Facts, Listing, ModelInfo, ModelKind, names};
use crate::{
    error::LlmError,
    json::{str_at, tokens_at},
};

/// Pages to follow at most.
const MAX_PAGES: usize = 20;

/// `GET /v1/models`, page by page. Windows come from the table unless Anthropic tells them.
pub(super) async fn list_anthropic(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let mut models = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut url = listing.provider.versioned("models");
        url.query_pairs_mut().append_pair("limit", "1000");
        if let Some(after) = &after {
            url.query_pairs_mut().append_pair("after_id", after);
        }
        let page = listing.get(url).await?;
        for item in items(&page, "data")? {
            let Some(id) = str_at(item, "id") else {
                continue;
            };
            let facts = Facts {
                window: tokens_at(item, "max_input_tokens"),
                max_output: tokens_at(item, "max_tokens"),
                ..Facts::default()
            };
            models.push(facts.complete(listing.provider, id));
        }
        after = str_at(&page, "last_id").map(str::to_owned);
        if page.get("has_more").and_then(Value::as_bool) != Some(true) || after.is_none() {
            break;
        }
    }
    Ok(models)
}

/// `GET /v1beta/models`, page by page.
pub(super) async fn list_gemini(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let mut models = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut url = listing.provider.versioned("models");
        url.query_pairs_mut().append_pair("pageSize", "1000");
        if let Some(token) = &token {
            url.query_pairs_mut().append_pair("pageToken", token);
        }
        let page = listing.get(url).await?;
        for item in items(&page, "models")? {
            let Some(name) = str_at(item, "name") else {
                continue;
            };
            let id = name.strip_prefix("models/").unwrap_or(name);
            models.push(gemini_facts(item, listing, id).complete(listing.provider, id));
        }
        token = str_at(&page, "nextPageToken").map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(models)
}

fn gemini_facts(item: &Value, listing: &Listing<'_>, id: &str) -> Facts {
    let methods = item.get("supportedGenerationMethods").and_then(Value::as_array);
    let can = |method: &str| methods.is_some_and(|list| list.iter().any(|m| m.as_str() == Some(method)));
    let kind = match names::kind(listing.provider.kind(), id) {
        // Speech and picture models generate content too.
        ModelKind::Other => ModelKind::Other,
        _ if can("generateContent") => ModelKind::Chat,
        _ if can("embedContent") || can("batchEmbedContents") => ModelKind::Embedding,
        by_name if methods.is_none() => by_name,
        _ => ModelKind::Other,
    };
    Facts {
        kind: Some(kind),
        window: tokens_at(item, "inputTokenLimit"),
        max_output: tokens_at(item, "outputTokenLimit"),
        reasoning: item.get("thinking").and_then(Value::as_bool),
        ..Facts::default()
    }
}

fn items<'a>(page: &'a Value, key: &str) -> Result<&'a Vec<Value>, LlmError> {
    page.get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| LlmError::malformed("the provider's answer is no list of models"))
}
