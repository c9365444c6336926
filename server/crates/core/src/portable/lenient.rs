//! Fields of a file, as servers of several years wrote them: missing ones and nulls mean the same, unknown ones are left
//! alone, and a wrong one is named.

use chrono::{DateTime, NaiveDateTime, Utc};
use mneme_domain::JsonObject;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What is wrong with an entity, in words that follow its name.
pub type Fault = String;

/// A field that may be missing or null.
pub fn field<T: DeserializeOwned>(fields: &JsonObject, name: &str) -> Result<Option<T>, Fault> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value).map(Some).map_err(|error| format!("{name}: {error}")),
    }
}

/// A text.
pub fn text(fields: &JsonObject, name: &str) -> Result<Option<String>, Fault> {
    field(fields, name)
}

/// A list of texts, empty when it is missing.
pub fn texts(fields: &JsonObject, name: &str) -> Result<Vec<String>, Fault> {
    Ok(field(fields, name)?.unwrap_or_default())
}

/// A list of objects, empty when it is missing.
pub fn objects(fields: &JsonObject, name: &str) -> Result<Vec<JsonObject>, Fault> {
    Ok(field(fields, name)?.unwrap_or_default())
}

/// The first of two names of a field that has a value.
pub fn either<T: DeserializeOwned>(fields: &JsonObject, name: &str, older: &str) -> Result<Option<T>, Fault> {
    match field(fields, name)? {
        Some(value) => Ok(Some(value)),
        None => field(fields, older),
    }
}

/// A configuration: nulls in it mean its defaults.
pub fn settings<T: DeserializeOwned>(
    fields: &JsonObject,
    name: &str,
    defaults: &[(&str, Value)],
) -> Result<Option<T>, Fault> {
    let Some(mut settings) = field::<JsonObject>(fields, name)? else { return Ok(None) };
    settings.retain(|_, value| !value.is_null());
    for (key, value) in defaults {
        settings.entry(*key).or_insert_with(|| value.clone());
    }
    T::deserialize(Value::Object(settings)).map(Some).map_err(|error| format!("{name}: {error}"))
}

/// A time, with a zone or, as older servers wrote it, without one, which means UTC.
pub fn time(fields: &JsonObject, name: &str) -> Result<Option<DateTime<Utc>>, Fault> {
    let Some(text) = text(fields, name)? else { return Ok(None) };
    let given = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(given) {
        return Ok(Some(time.to_utc()));
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(given, format) {
            return Ok(Some(time.and_utc()));
        }
    }
    for format in ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(given, format) {
            return Ok(Some(time.to_utc()));
        }
    }
    let shown: String = given.chars().take(40).collect();
    Err(format!("{name}: '{shown}' is no time"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> JsonObject {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    #[test]
    fn times_of_every_server_are_read() {
        let at = |text: &str| time(&object(json!({ "t": text })), "t").map(|time| time.map(|time| time.to_rfc3339()));
        let expected = Ok(Some("2025-04-09T05:49:38.500+00:00".to_owned()));
        for text in [
            "2025-04-09T05:49:38.500Z",
            "2025-04-09T05:49:38.500000+00:00",
            "2025-04-09T07:49:38.5+02:00",
            "2025-04-09T05:49:38.500000",
            "2025-04-09 05:49:38.500000",
            "2025-04-09 05:49:38.500000+00:00",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert_eq!(at("yesterday"), Err("t: 'yesterday' is no time".to_owned()));
        assert_eq!(time(&object(json!({ "t": null })), "t"), Ok(None));
    }
}
