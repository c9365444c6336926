//! OpenAI's batches: a file with the calls goes up, files with answers and errors come down.

use reqwest::{Method, header::CONTENT_TYPE};
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
    json::{str_at, u64_at},
    provider::Provider,
    stream::Interpreter,
    wire::Wire,
};

/// Batches that are looked through for one whose submission was cut off: newest first, so it is near.
const LOOKED_AT: usize = 100;
/// The field of a batch's metadata that holds the caller's mark.
const MARK: &str = "mneme_upload";
/// Separates the parts of the form that carries the file; JSON lines never hold a line like this.
const BOUNDARY: &str = "mneme-batch-2f6c7d9e41b84c0a";

pub(super) async fn submit(
    client: &LlmClient,
    provider: &Provider,
    route: &str,
    mark: &str,
    calls: &[BatchCall],
    deadline: Instant,
) -> Result<String, LlmError> {
    let failed = |failure: crate::retry::Failure| failure.error;
    let transport = &client.transport;
    let request = transport
        .request(provider, Method::POST, provider.versioned("files"), deadline)
        .await?
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(form(route, calls));
    let mut answer = transport.exchange(request, provider, "", deadline).await.map_err(failed)?;
    let file = answer.json().await.map_err(failed)?;
    let body = json!({
        "input_file_id": safe(str_at(&file, "id").unwrap_or_default())?,
        "endpoint": route,
        "completion_window": "24h",
        "metadata": {MARK: mark},
    });
    let url = provider.versioned("batches");
    let batch = transport.json(provider, "", Method::POST, url, Some(&body), deadline).await.map_err(failed)?;
    Ok(safe(str_at(&batch, "id").unwrap_or_default())?.to_owned())
}

/// The upload form: what the file is for, and the file, a call a line.
fn form(route: &str, calls: &[BatchCall]) -> Vec<u8> {
    let mut form = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"batch.jsonl\"\r\n\
         Content-Type: application/jsonl\r\n\r\n"
    );
    for call in calls {
        let line = json!({"custom_id": call.id, "method": "POST", "url": route, "body": call.body});
        form.push_str(&line.to_string());
        form.push('\n');
    }
    form.push_str(&format!("\r\n--{BOUNDARY}--\r\n"));
    form.into_bytes()
}

pub(super) async fn find(
    client: &LlmClient,
    provider: &Provider,
    mark: &str,
    deadline: Instant,
) -> Result<Option<String>, LlmError> {
    let mut url = provider.versioned("batches");
    url.query_pairs_mut().append_pair("limit", &LOOKED_AT.to_string());
    let listed = client.transport.json(provider, "", Method::GET, url, None, deadline).await;
    let listed = listed.map_err(|failure| failure.error)?;
    let batches = listed.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ours = batches.iter().find(|batch| batch.pointer(&format!("/metadata/{MARK}")) == Some(&Value::from(mark)));
    ours.map(|batch| Ok(safe(str_at(batch, "id").unwrap_or_default())?.to_owned())).transpose()
}

pub(super) async fn progress(
    client: &LlmClient,
    provider: &Provider,
    id: &str,
    deadline: Instant,
) -> Result<BatchProgress, LlmError> {
    let url = provider.versioned(&format!("batches/{}", safe(id)?));
    let answer = client.transport.json(provider, "", Method::GET, url, None, deadline).await;
    let answer = answer.map_err(|failure| failure.error)?;
    let status = str_at(&answer, "status").unwrap_or_default();
    let files = ["output_file_id", "error_file_id"].into_iter().filter_map(|key| str_at(&answer, key));
    let files = files.filter(|file| !file.is_empty()).map(|file| Ok(safe(file)?.to_owned()));
    let files = files.collect::<Result<Vec<String>, LlmError>>()?;
    let refused = (status == "failed").then(|| {
        let first = answer.pointer("/errors/data/0/message").and_then(Value::as_str);
        first.unwrap_or("the provider refused the batch").to_owned()
    });
    Ok(BatchProgress { ended: matches!(status, "completed" | "expired" | "cancelled" | "failed"), refused, files })
}

pub(super) async fn results(
    client: &LlmClient,
    provider: &Provider,
    files: &[String],
    deadline: Instant,
) -> Result<BatchResults, LlmError> {
    let mut readers = Vec::new();
    for file in files {
        let url = provider.versioned(&format!("files/{}/content", safe(file)?));
        readers.push(Reader::open(client, provider, url, deadline).await?);
    }
    Ok(BatchResults::new(readers, Format::OpenAi, provider))
}

/// One line of a file with answers or errors.
pub(super) fn result(line: &Value, context: &Interpreter) -> Option<BatchResult> {
    let id = str_at(line, "custom_id")?.to_owned();
    let refused = |status: Option<u16>, value: &Value| {
        Err(Upstream::from_value(status, value).into_error(&context.model, &context.redactor))
    };
    let response = line.get("response").filter(|response| response.is_object());
    let error = line.get("error").filter(|error| error.is_object());
    let outcome = match (response, error) {
        (Some(response), _) => {
            let body = response.get("body").unwrap_or(&Value::Null);
            match u64_at(response, "status_code").and_then(|status| u16::try_from(status).ok()) {
                Some(status @ 400..) => refused(Some(status), body),
                _ if str_at(body, "object") == Some("response") => {
                    super::results::completion(Wire::OpenAiResponses, body, context)
                }
                _ => super::results::completion(Wire::OpenAiChat, body, context),
            }
        }
        (None, Some(error)) => match str_at(error, "code").unwrap_or_default() {
            "batch_expired" => Err(super::results::expired()),
            "batch_cancelled" => Err(super::results::cancelled()),
            _ => refused(None, error),
        },
        (None, None) => Err(LlmError::malformed("the provider's batch has a line without an answer")),
    };
    Some(BatchResult { id, outcome })
}
