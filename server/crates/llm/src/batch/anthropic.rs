//! Anthropic's Message Batches.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    BatchCall, BatchProgress, BatchResult, BatchResults,
    results::{Format, Reader},
    safe,
};
use crate::{
    client::LlmClient,
    error::{LlmError, classify::Upstream},
    json::str_at,
    provider::Provider,
    stream::Interpreter,
    wire::Wire,
};

pub(super) async fn submit(
    client: &LlmClient,
    provider: &Provider,
    calls: &[BatchCall],
    deadline: Instant,
) -> Result<String, LlmError> {
    let requests: Vec<Value> = calls.iter().map(|call| json!({"custom_id": call.id, "params": call.body})).collect();
    let body = json!({"requests": requests});
    let url = provider.versioned("messages/batches");
    let answer = client.transport.json(provider, "", Method::POST, url, Some(&body), deadline).await;
    let answer = answer.map_err(|failure| failure.error)?;
    Ok(safe(str_at(&answer, "id").unwrap_or_default())?.to_owned())
}

pub(super) async fn progress(
    client: &LlmClient,
    provider: &Provider,
    id: &str,
    deadline: Instant,
) -> Result<BatchProgress, LlmError> {
    let url = provider.versioned(&format!("messages/batches/{}", safe(id)?));
    let answer = client.transport.json(provider, "", Method::GET, url, None, deadline).await;
    let answer = answer.map_err(|failure| failure.error)?;
    Ok(BatchProgress { ended: str_at(&answer, "processing_status") == Some("ended"), ..BatchProgress::default() })
}

pub(super) async fn results(
    client: &LlmClient,
    provider: &Provider,
    id: &str,
    deadline: Instant,
) -> Result<BatchResults, LlmError> {
    // The answer's own `results_url` is not followed: the key goes to no place that the operator did not name.
    let url = provider.versioned(&format!("messages/batches/{}/results", safe(id)?));
    let reader = Reader::open(client, provider, url, deadline).await?;
    Ok(BatchResults::new(vec![reader], Format::Anthropic, provider))
}

/// One line of the results.
pub(super) fn result(line: &Value, context: &Interpreter) -> Option<BatchResult> {
    let id = str_at(line, "custom_id")?.to_owned();
    let result = line.get("result").unwrap_or(&Value::Null);
    let outcome = match str_at(result, "type").unwrap_or_default() {
        "succeeded" => {
            let message = result.get("message").unwrap_or(&Value::Null);
            super::results::completion(Wire::Anthropic, message, context)
        }
        "errored" => {
            let upstream = Upstream::from_value(None, result.get("error").unwrap_or(&Value::Null));
            Err(upstream.into_error(&context.model, &context.redactor))
        }
        "expired" => Err(super::results::expired()),
        "canceled" => Err(super::results::cancelled()),
        _ => Err(LlmError::malformed("the provider's batch has a result of an unknown kind")),
    };
    Some(BatchResult { id, outcome })
}
