//! The schema of a user's tool: given by its author, or derived from its source without running it.

use mneme_domain::JsonObject;
use mneme_macros::boxed;
use mneme_toolsource::{Given, Language, SourceError, check_name, derive, entry_point};
use serde_json::Value;

use super::reading::{Known, READERS};
use crate::{CoreError, Result};

/// What a schema comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The source.
    pub source: String,
    /// Its language in the API's words; Python when there is none.
    pub source_type: Option<String>,
    /// What the tool is called when the source does not name its function.
    pub name: Option<String>,
    /// What the author says about the tool.
    pub description: Option<String>,
    /// What the author says about the arguments.
    pub arguments: Option<JsonObject>,
    /// The schema by the author.
    pub schema: Option<JsonObject>,
}

#[boxed]
impl Origin {
    /// The schema: name, description, parameters.
    ///
    /// # Errors
    /// 400 when the source does not say it, 422 when the given parts make no sense.
    pub async fn schema(self) -> Result<JsonObject> {
        if self.is_plain()
            && let Some(known) = Known::of(language(self.source_type.as_deref())?).schemas.get(&self.source)
        {
            return Ok(known);
        }
        let _reader = READERS.acquire().await.map_err(|_| CoreError::Unavailable("The server stops".into()))?;
        let read = tokio::task::spawn_blocking(move || self.read());
        read.await.map_err(|error| CoreError::Internal(error.to_string()))?
    }

    /// Whether the source alone decides what the schema is.
    fn is_plain(&self) -> bool {
        self.description.is_none() && self.arguments.is_none() && self.schema.is_none()
    }

    fn read(mut self) -> Result<JsonObject> {
        let plain = self.is_plain();
        self.schema = self.schema.map(unwrapped);
        let language = language(self.source_type.as_deref())?;
        let own = self.schema.as_ref().and_then(|schema| schema.get("name")?.as_str());
        let name = own.map(str::to_owned).or(self.name);
        let given = Given {
            name: name.as_deref(),
            description: self.description.as_deref(),
            arguments: self.arguments.as_ref(),
        };
        let Some(mut schema) = self.schema else {
            let schema = derive(language, &self.source, given).map_err(refusal)?.into_schema();
            // Under a name that may not be the source's own, another tool may have the same source.
            let is_sources_own =
                language == Language::Python || schema.get("name").and_then(Value::as_str) != given.name;
            if plain && is_sources_own {
                Known::of(language).schemas.insert(self.source, schema.clone());
            }
            return Ok(schema);
        };
        if let Some(description) = &self.description {
            schema.insert("description".into(), description.as_str().into());
        }
        if language == Language::Python {
            // What the schema says is the author's own affair; that there is something to call is not.
            let name = entry_point(language, &self.source).map_err(refusal)?;
            schema.entry("name").or_insert(name.into());
        }
        if !schema.contains_key("parameters") || !schema.contains_key("name") {
            for (key, value) in derive(language, &self.source, given).map_err(refusal)?.into_schema() {
                schema.entry(key).or_insert(value);
            }
        }
        check_schema(&schema)?;
        Ok(schema)
    }
}

/// The language of a source type.
pub fn language(name: Option<&str>) -> Result<Language> {
    let name = name.unwrap_or(DEFAULT_SOURCE_TYPE);
    Language::from_name(name)
        .ok_or_else(|| CoreError::field("source_type", "must be one of python, typescript, javascript"))
}

/// What a source is written in unless its author says otherwise.
pub const DEFAULT_SOURCE_TYPE: &str = "python";

/// A schema as it is kept: some authors send it as model providers take it, `{"type": "function", "function": {…}}`.
pub fn unwrapped(mut schema: JsonObject) -> JsonObject {
    let is_wrapped = schema.get("type").is_some_and(|kind| kind == "function")
        && !schema.contains_key("name")
        && !schema.contains_key("parameters");
    match is_wrapped.then(|| schema.remove("function")).flatten() {
        Some(Value::Object(inner)) => inner,
        Some(other) => {
            schema.insert("function".into(), other);
            schema
        }
        None => schema,
    }
}

/// Refuses a schema that no model could call.
///
/// # Errors
/// 400 for a name that providers refuse, 422 for parts of the wrong type.
pub fn check_schema(schema: &JsonObject) -> Result<()> {
    let Some(name) = schema.get("name").and_then(Value::as_str) else {
        return Err(CoreError::field("json_schema", "its name must be a string"));
    };
    check_name(name).map_err(|error| CoreError::Invalid(error.to_string()))?;
    if schema.get("description").is_some_and(|text| !text.is_string()) {
        return Err(CoreError::field("json_schema", "its description must be a string"));
    }
    if schema.get("parameters").is_some_and(|parameters| !parameters.is_object()) {
        return Err(CoreError::field("json_schema", "its parameters must be a JSON Schema object"));
    }
    Ok(())
}

fn refusal(error: SourceError) -> CoreError {
    match error {
        SourceError::Unavailable => CoreError::Unavailable(error.to_string()),
        other => CoreError::Invalid(format!("Failed to derive json schema: Schema generation failed: {other}")),
    }
}
