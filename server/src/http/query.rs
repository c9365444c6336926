//! Reads query strings: keys may be repeated, and every refusal names its key.

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use super::{
    error::ApiError,
    problem::{Problem, Step, classify},
};
use crate::app::AppState;

/// A query string as a struct of options and lists. Keys that the struct does not know are ignored.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = pairs(query)?;
        let deserializer = serde_html_form::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let key = error.path().iter().find_map(|segment| match segment {
                serde_path_to_error::Segment::Map { key } => Some(key.clone()),
                _ => None,
            });
            refuse(key, &error.inner().to_string(), &pairs).into()
        })
    }
}

fn refuse(key: Option<String>, text: &str, pairs: &[(String, String)]) -> Problem {
    let key = key.or_else(|| text.split('`').nth(1).filter(|_| text.starts_with("missing field")).map(str::to_owned));
    let mut loc: Vec<Step> = vec!["query".into()];
    loc.extend(key.as_deref().map(Step::from));
    if text.starts_with("missing field") {
        return Problem::new("missing", loc, "Field required");
    }
    let (kind, message, ctx) = classify(text);
    let kind = if kind == "enum" { "literal_error" } else { kind };
    let mut problem = Problem::new(kind, loc, message);
    problem.ctx = ctx;
    let given = pairs.iter().find(|(name, _)| Some(name) == key.as_ref());
    problem.input = given.map(|(_, value)| Value::String(value.clone()));
    problem
}

/// The decoded pairs of a query string; NUL is refused everywhere.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    match pairs.iter().find(|(key, value)| key.contains('\0') || value.contains('\0')) {
        Some((key, _)) => {
            let loc = vec!["query".into(), key.replace('\0', "\\0").as_str().into()];
            Err(Problem::value_error(loc, "a value must not hold the character NUL"))
        }
        None => Ok(pairs),
    }
}

/// Reads a truth value in any of the spellings that clients use.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.to_ascii_lowercase().as_str() {
        "" => Ok(None),
        "true" | "1" | "t" | "yes" | "y" | "on" => Ok(Some(true)),
        "false" | "0" | "f" | "no" | "n" | "off" => Ok(Some(false)),
        _ => Err(serde::de::Error::custom("provided string was not `true` or `false`")),
    }
}

/// Splits values that are lists themselves: `a&b` and `a,b` mean the same.
pub fn split_commas(values: Vec<String>) -> Vec<String> {
    let parts = values.iter().flat_map(|value| value.split(','));
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
