//! Deterministic embeddings: a hashed bag of words, normalised, so that texts which share words are close.

use serde_json::{Value, json};

use crate::paths::fnv1a;

const DEFAULT_DIMENSIONS: usize = 1536;

/// Answers an embeddings request: `input` is a text or a list of texts, `dimensions` is honoured.
pub(super) fn respond(request: &Value) -> Value {
    let dimensions = request["dimensions"].as_u64().map_or(DEFAULT_DIMENSIONS, |n| n as usize).max(1);
    let texts: Vec<&str> = match &request["input"] {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": embed(text, dimensions)}))
        .collect();
    json!({
        "object": "list",
        "data": data,
        "model": request["model"],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn embed(text: &str, dimensions: usize) -> Vec<f64> {
    let mut vector = vec![0.0; dimensions];
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let hash = fnv1a(word.to_lowercase().as_bytes());
        // The index fits: it is below `dimensions`.
        vector[(hash % dimensions as u64) as usize] += 1.0;
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length == 0.0 {
        vector[0] = 1.0;
        return vector;
    }
    vector.into_iter().map(|x| x / length).collect()
}
