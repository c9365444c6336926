//! The listings of the clouds: Azure's deployments, Bedrock's models and profiles, Vertex's publishers.

use serde_json::Value;

use super::{Facts, Listing, ModelInfo, ModelKind};
use crate::{azure, bedrock, error::LlmError, json::str_at, provider::join, vertex};

/// Pages to follow at most.
const MAX_PAGES: usize = 20;

/// The deployments of an Azure resource. What a deployment is called is up to its owner, so its model tells what it is.
pub(super) async fn list_azure(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let provider = listing.provider;
    if !azure::is_v1(provider) {
        match listing.get(azure::deployments(provider)).await {
            Ok(answer) => {
                let ready = |item: &&Value| str_at(item, "status").is_none_or(|status| status == "succeeded");
                let deployed = items(&answer, "data")?.iter().filter(ready).filter_map(|item| {
                    let id = str_at(item, "id")?;
                    Some(Facts::default().complete_as(provider, id, str_at(item, "model").unwrap_or(id)))
                });
                return Ok(deployed.collect());
            }
            // Newer resources do not tell; then the models' names have to do, as most deployments bear them.
            Err(LlmError::NotFound { .. } | LlmError::BadRequest { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let answer = listing.get(azure::models(provider)).await?;
    let models = items(&answer, "data")?.iter().filter_map(|item| {
        let id = str_at(item, "id")?;
        let can = |key: &str| item.pointer(&format!("/capabilities/{key}")).and_then(Value::as_bool);
        let kind = match (can("chat_completion"), can("embeddings")) {
            (Some(true), _) => Some(ModelKind::Chat),
            (_, Some(true)) => Some(ModelKind::Embedding),
            (Some(false), Some(false)) => Some(ModelKind::Other),
            _ => None,
        };
        Some(Facts { kind, ..Facts::default() }.complete(provider, id))
    });
    Ok(models.collect())
}

/// Bedrock's models that can be asked as they are, and the profiles through which the others can.
pub(super) async fn list_bedrock(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let provider = listing.provider;
    let answer = listing.get(bedrock::control(provider, "foundation-models")).await?;
    let summaries = items(&answer, "modelSummaries")?;
    let on_demand = |item: &&Value| lists(item, "inferenceTypesSupported", "ON_DEMAND").unwrap_or(true);
    let alive = |item: &&Value| item.pointer("/modelLifecycle/status").and_then(Value::as_str) != Some("LEGACY");
    let mut models: Vec<ModelInfo> = summaries
        .iter()
        .filter(on_demand)
        .filter(alive)
        .filter_map(|item| Some(bedrock_facts(item).complete(provider, str_at(item, "modelId")?)))
        .collect();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut url = bedrock::control(provider, "inference-profiles");
        url.query_pairs_mut().append_pair("maxResults", "1000");
        if let Some(token) = &token {
            url.query_pairs_mut().append_pair("nextToken", token);
        }
        let page = match listing.get(url).await {
            Ok(page) => page,
            // A key may be allowed to list models and not profiles.
            Err(LlmError::Authentication { .. } | LlmError::NotFound { .. }) => break,
            Err(error) => return Err(error),
        };
        for profile in items(&page, "inferenceProfileSummaries")? {
            let Some(id) = str_at(profile, "inferenceProfileId") else { continue };
            let arn = profile.pointer("/models/0/modelArn").and_then(Value::as_str).unwrap_or_default();
            let model = arn.rsplit('/').next().unwrap_or_default();
            let facts = summaries.iter().find(|item| str_at(item, "modelId") == Some(model)).map(bedrock_facts);
            models.push(facts.unwrap_or_default().complete(provider, id));
        }
        token = str_at(&page, "nextToken").map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(models)
}

fn bedrock_facts(item: &Value) -> Facts {
    let kind = match (lists(item, "outputModalities", "TEXT"), lists(item, "outputModalities", "EMBEDDING")) {
        (Some(true), _) => Some(ModelKind::Chat),
        (_, Some(true)) => Some(ModelKind::Embedding),
        (Some(false), Some(false)) => Some(ModelKind::Other),
        _ => None,
    };
    Facts { kind, vision: lists(item, "inputModalities", "IMAGE"), ..Facts::default() }
}

/// The models at Vertex that this crate can talk to: Gemini, those for embeddings, and Claude.
pub(super) async fn list_vertex(listing: &Listing<'_>) -> Result<Vec<ModelInfo>, LlmError> {
    let mut models = Vec::new();
    for item in publisher(listing, "google").await? {
        let id = publisher_id(&item);
        if id.starts_with("gemini") || id.starts_with("text-") {
            let model = Facts::default().complete(listing.provider, id);
            models.extend((model.kind != ModelKind::Other).then_some(model));
        }
    }
    let claude = match publisher(listing, "anthropic").await {
        Ok(claude) => claude,
        // Whoever may see Google's own models need not see those of others, and a proxy may know none.
        Err(
            LlmError::Authentication { .. }
            | LlmError::NotFound { .. }
            | LlmError::BadRequest { .. }
            | LlmError::Malformed { .. },
        ) => Vec::new(),
        Err(error) => return Err(error),
    };
    for item in claude.iter().filter(|item| vertex::is_claude(publisher_id(item))) {
        let id = publisher_id(item);
        // Claude's versions are dates, and its calls name them; some models have none.
        let dated = |version: &&str| version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_digit());
        let id = match str_at(item, "versionId").filter(dated) {
            Some(version) if !id.contains('@') => format!("{id}@{version}"),
            _ => id.to_owned(),
        };
        models.push(Facts::default().complete(listing.provider, &id));
    }
    Ok(models)
}

/// What a maker has at Vertex, page by page.
async fn publisher(listing: &Listing<'_>, maker: &str) -> Result<Vec<Value>, LlmError> {
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut url = join(&listing.provider.root(), &format!("v1beta1/publishers/{maker}/models"));
        url.query_pairs_mut().append_pair("pageSize", "100");
        if let Some(token) = &token {
            url.query_pairs_mut().append_pair("pageToken", token);
        }
        let page = listing.get(url).await?;
        found.extend_from_slice(items(&page, "publisherModels")?);
        token = str_at(&page, "nextPageToken").map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    Ok(found)
}

/// A model's name in calls: the end of its full one.
fn publisher_id(item: &Value) -> &str {
    str_at(item, "name").and_then(|name| name.rsplit('/').next()).unwrap_or_default()
}

/// Whether a list of words below `key` has this one; `None` without a list.
fn lists(item: &Value, key: &str, word: &str) -> Option<bool> {
    let list = item.get(key)?.as_array()?;
    Some(list.iter().any(|value| value.as_str() == Some(word)))
}

fn items<'a>(page: &'a Value, key: &str) -> Result<&'a Vec<Value>, LlmError> {
    page.get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| LlmError::malformed("the provider's answer is no list of models"))
}
