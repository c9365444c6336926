//! Embeddings: OpenAI's `/embeddings`, which nearly every server has, and those of Google and Bedrock.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use crate::{
    azure, bedrock, client::LlmClient, error::LlmError, gemini, kinds::ProviderKind, provider::Provider, retry::Failure,
};

/// Texts per request. OpenAI takes 2048, Gemini 100.
const BATCH: usize = 100;

impl LlmClient {
    /// Embeds texts, in order. `dimensions` asks for shorter vectors from models that can make them. Many texts are
    /// sent in several requests; the total time limit covers them all.
    pub async fn embed(
        &self,
        provider: &Provider,
        model: &str,
        inputs: &[String],
        dimensions: Option<u32>,
    ) -> Result<Vec<Vec<f32>>, LlmError> {
        let deadline = Instant::now() + self.transport.timeouts.total;
        let mut all = Vec::with_capacity(inputs.len());
        for batch in inputs.chunks(texts_per_call(provider.kind(), model)) {
            all.extend(self.embed_batch(provider, model, batch, dimensions, deadline).await?);
        }
        Ok(all)
    }

    async fn embed_batch(
        &self,
        provider: &Provider,
        model: &str,
        inputs: &[String],
        dimensions: Option<u32>,
        deadline: Instant,
    ) -> Result<Vec<Vec<f32>>, LlmError> {
        let (url, body) = match provider.kind() {
            ProviderKind::Gemini => gemini_body(provider, model, inputs, dimensions),
            ProviderKind::Vertex => vertex(provider, model, inputs, dimensions),
            ProviderKind::Bedrock => bedrock::embedding(provider, model, inputs, dimensions),
            _ => openai(provider, model, inputs, dimensions),
        };
        self.breaker.admit(provider, model)?;
        let answer = self.json_with_retries(provider, model, Method::POST, url, Some(&body), deadline).await;
        self.breaker.note(provider, model, answer.as_ref().map(drop));
        let answer = answer?;
        let vectors = match provider.kind() {
            ProviderKind::Gemini => read_gemini(&answer),
            ProviderKind::Vertex => read_vertex(&answer),
            ProviderKind::Bedrock => bedrock::read_embeddings(&answer),
            _ => read_openai(&answer),
        };
        match vectors {
            Some(vectors) if vectors.len() == inputs.len() => Ok(vectors),
            Some(_) => Err(LlmError::malformed("the provider answered with another number of embeddings")),
            None => Err(LlmError::malformed("the provider's embeddings are not lists of numbers")),
        }
    }

    /// A call without a conversation, with the usual retries.
    pub(crate) async fn json_with_retries(
        &self,
        provider: &Provider,
        model: &str,
        method: Method,
        url: Url,
        body: Option<&Value>,
        deadline: Instant,
    ) -> Result<Value, LlmError> {
        let mut attempt = 1;
        loop {
            let answer = self.transport.json(provider, model, method.clone(), url.clone(), body, deadline).await;
            let failure: Failure = match answer {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            match self.retry.delay(attempt, &failure) {
                Some(wait) if Instant::now() + wait < deadline => tokio::time::sleep(wait).await,
                _ => return Err(failure.error),
            }
            attempt += 1;
        }
    }
}

fn openai(provider: &Provider, model: &str, inputs: &[String], dimensions: Option<u32>) -> (Url, Value) {
    let mut body = json!({"model": model, "input": inputs, "encoding_format": "float"});
    if let Some(dimensions) = dimensions {
        body["dimensions"] = json!(dimensions);
    }
    if provider.kind() == ProviderKind::Mistral {
        // It has one form of vectors and refuses to be told of others.
        body.as_object_mut().and_then(|fields| fields.shift_remove("encoding_format"));
    }
    let url = match provider.kind() {
        ProviderKind::Azure => azure::url(provider, model, "embeddings"),
        _ => provider.versioned("embeddings"),
    };
    (url, body)
}

fn vertex(provider: &Provider, model: &str, inputs: &[String], dimensions: Option<u32>) -> (Url, Value) {
    let instances: Vec<Value> = inputs.iter().map(|text| json!({ "content": text })).collect();
    let mut body = json!({ "instances": instances });
    if let Some(dimensions) = dimensions {
        body["parameters"] = json!({"outputDimensionality": dimensions});
    }
    (gemini::model_url(provider, model, "predict"), body)
}

fn read_vertex(answer: &Value) -> Option<Vec<Vec<f32>>> {
    let predictions = answer.get("predictions")?.as_array()?;
    predictions.iter().map(|item| vector(item.pointer("/embeddings/values")?)).collect()
}

/// Texts per request.
fn texts_per_call(kind: ProviderKind, model: &str) -> usize {
    match kind {
        ProviderKind::Bedrock => bedrock::texts_per_call(model),
        ProviderKind::Vertex if model.contains("gemini") => 1,
        _ => BATCH,
    }
}

fn read_openai(answer: &Value) -> Option<Vec<Vec<f32>>> {
    let items = answer.get("data")?.as_array()?;
    let mut vectors: Vec<(u64, Vec<f32>)> = Vec::with_capacity(items.len());
    for (position, item) in items.iter().enumerate() {
        let index = item.get("index").and_then(Value::as_u64).unwrap_or(position as u64);
        vectors.push((index, vector(item.get("embedding")?)?));
    }
    vectors.sort_by_key(|(index, _)| *index);
    Some(vectors.into_iter().map(|(_, vector)| vector).collect())
}

fn gemini_body(provider: &Provider, model: &str, inputs: &[String], dimensions: Option<u32>) -> (Url, Value) {
    let name = model.strip_prefix("models/").unwrap_or(model);
    let request = |text: &String| {
        let mut request = json!({"model": format!("models/{name}"), "content": {"parts": [{"text": text}]}});
        if let Some(dimensions) = dimensions {
            request["outputDimensionality"] = json!(dimensions);
        }
        request
    };
    let requests: Vec<Value> = inputs.iter().map(request).collect();
    (provider.versioned(&format!("models/{name}:batchEmbedContents")), json!({"requests": requests}))
}

fn read_gemini(answer: &Value) -> Option<Vec<Vec<f32>>> {
    answer.get("embeddings")?.as_array()?.iter().map(|item| vector(item.get("values")?)).collect()
}

/// A vector as a list of numbers or as base64 of little-endian floats, which some servers send unasked.
pub(crate) fn vector(value: &Value) -> Option<Vec<f32>> {
    match value {
        Value::Array(numbers) => numbers.iter().map(|n| n.as_f64().map(|n| n as f32)).collect(),
        Value::String(text) => {
            let bytes = STANDARD.decode(text).ok()?;
            let (floats, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| floats.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
        _ => None,
    }
}
