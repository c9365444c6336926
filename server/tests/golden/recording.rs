//! The files of recordings.

use std::{fs, path::Path};

use axum::http::Method;
use serde_json::Value;

/// One recorded call.
pub struct Recording {
    /// Its number and name.
    pub name: String,
    /// The request.
    pub method: Method,
    path: String,
    query: Option<Value>,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: Option<String>,
    /// The answer's status.
    pub status: u16,
    /// What was answered.
    pub answer: Answer,
}

/// What a server answered.
#[derive(Debug)]
pub enum Answer {
    /// JSON.
    Json(Value),
    /// The events of a stream, `[DONE]` as a string.
    Events(Vec<Value>),
    /// Something else.
    Text,
}

/// All recordings in their order.
pub fn all(folder: &Path) -> Vec<Recording> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Recording {
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let (request, response) = (&file["request"], &file["response"]);
    let raw = request["raw"].as_str().map(str::to_owned);
    let body = raw.or_else(|| (!request["body"].is_null()).then(|| request["body"].to_string()));
    let headers = request["headers"].as_object().unwrap().iter();
    let answer = if let Some(chunks) = response["chunks"].as_array() {
        let text: String = chunks.iter().filter_map(|chunk| chunk[1].as_str()).collect();
        Answer::Events(events(&text))
    } else {
        response.get("body").cloned().map_or(Answer::Text, Answer::Json)
    };
    Recording {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        method: request["method"].as_str().unwrap().parse().unwrap(),
        path: request["path"].as_str().unwrap().to_owned(),
        query: request["query"].is_object().then(|| request["query"].clone()),
        headers: headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        body,
        status: u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
        answer,
    }
}

/// The data of the events in a stream.
pub fn events(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()))).collect()
}

impl Recording {
    /// Path and query.
    pub fn target(&self) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.query.iter().filter_map(Value::as_object).flatten() {
            for value in value.as_array().unwrap_or(&vec![value.clone()]) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                pairs.append_pair(name, &text);
            }
        }
        match pairs.finish() {
            query if query.is_empty() => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}
