//! Embeddings: one of a few vectors made in advance, chosen by the text. Good enough to store and to search.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::words;

const DIMENSIONS: usize = 1536;
const VECTORS: u64 = 64;

#[derive(Deserialize)]
struct Request {
    input: Input,
    dimensions: Option<usize>,
    #[serde(default)]
    model: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

/// The vectors as JSON, made when they are first needed.
#[derive(Debug, Default)]
pub struct Vectors(OnceLock<Vec<Vec<String>>>);

impl Vectors {
    /// Answers an embeddings request; `dimensions` is honoured up to 1536.
    pub fn respond(&self, body: &[u8]) -> serde_json::Result<String> {
        let request: Request = serde_json::from_slice(body)?;
        let vectors = self.0.get_or_init(|| (0..VECTORS).map(vector).collect());
        let dimensions = request.dimensions.unwrap_or(DIMENSIONS).clamp(1, DIMENSIONS);
        let texts = match request.input {
            Input::One(text) => vec![text],
            Input::Many(texts) => texts,
        };
        if request.model == words::MODEL {
            return Ok(by_words(&texts));
        }
        let mut out = String::from(r#"{"object":"list","data":["#);
        for (index, text) in texts.iter().enumerate() {
            let numbers = &vectors[(hash(text) % VECTORS) as usize];
            let comma = if index > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(
                out,
                r#"{comma}{{"object":"embedding","index":{index},"embedding":[{}]}}"#,
                numbers[..dimensions].join(",")
            );
        }
        let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
        let _ = write!(
            out,
            r#"],"model":"{}","usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#,
            super::MODELS[1]
        );
        Ok(out)
    }
}

/// Vectors of texts' words, packed: printing and reading a hundred thousand of them would be what is measured.
fn by_words(texts: &[String]) -> String {
    let packed = |text: &String| {
        let bytes: Vec<u8> = words::vector(text).iter().flat_map(|number| number.to_le_bytes()).collect();
        STANDARD.encode(bytes)
    };
    let data: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": packed(text)}))
        .collect();
    json!({"object": "list", "data": data, "model": words::MODEL, "usage": {"prompt_tokens": 0, "total_tokens": 0}})
        .to_string()
}

/// Numbers between -0.05 and 0.05: a vector's length is about one.
fn vector(seed: u64) -> Vec<String> {
    (0..DIMENSIONS).map(|place| format!("{:.4}", (hash((seed, place)) % 1001) as f64 / 10_000.0 - 0.05)).collect()
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn embeddings(body: &str) -> Vec<Vec<f64>> {
        let answer = Vectors::default().respond(body.as_bytes()).expect("answered");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["model"], "text-embedding-3-small");
        let data = answer["data"].as_array().expect("a list");
        data.iter().map(|entry| serde_json::from_value(entry["embedding"].clone()).expect("numbers")).collect()
    }

    #[test]
    fn equal_texts_have_equal_vectors_of_about_unit_length() {
        let vectors = embeddings(r#"{"input": ["tea", "coffee", "tea"], "model": "m"}"#);
        assert_eq!(vectors.len(), 3);
        assert_eq!(vectors[0], vectors[2]);
        assert_ne!(vectors[0], vectors[1]);
        for vector in vectors {
            assert_eq!(vector.len(), DIMENSIONS);
            let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!((0.9..1.4).contains(&length), "{length}");
        }
    }

    #[test]
    fn one_text_and_fewer_dimensions() {
        let vectors = embeddings(r#"{"input": "tea", "dimensions": 8}"#);
        assert_eq!((vectors.len(), vectors[0].len()), (1, 8));
    }
}
