//! Embeddings on Bedrock: `invoke` with a body of each maker's own.

use serde_json::{Value, json};
use url::Url;

use super::url;
use crate::{embed::vector, provider::Provider};

/// Whether a model is one of Cohere's, which take many texts at once; Amazon's take one.
fn is_cohere(model: &str) -> bool {
    model.contains("cohere.")
}

/// Texts per request.
pub(crate) fn texts_per_call(model: &str) -> usize {
    if is_cohere(model) { 90 } else { 1 }
}

/// Where the call goes, and its body.
pub(crate) fn embedding(provider: &Provider, model: &str, inputs: &[String], dimensions: Option<u32>) -> (Url, Value) {
    let mut body = if is_cohere(model) {
        json!({"texts": inputs, "input_type": "search_document", "truncate": "END"})
    } else {
        json!({"inputText": inputs.first()})
    };
    if let Some(dimensions) = dimensions {
        let name = if is_cohere(model) { "output_dimension" } else { "dimensions" };
        body[name] = json!(dimensions);
    }
    (url(provider, model, "invoke"), body)
}

/// The vectors of an answer.
pub(crate) fn read_embeddings(answer: &Value) -> Option<Vec<Vec<f32>>> {
    if let Some(single) = answer.get("embedding") {
        return Some(vec![vector(single)?]);
    }
    let many = answer.get("embeddings")?;
    many.get("float").unwrap_or(many).as_array()?.iter().map(vector).collect()
}
