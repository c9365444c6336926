//! JSON columns: text in both databases, so that key order and the exact text survive.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};

use crate::{Result, StoreError};

/// The text of a value.
pub(crate) fn text<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

/// The text of a value that may be missing.
pub(crate) fn optional_text<T: Serialize>(value: Option<&T>) -> Result<Option<String>> {
    value.map(text).transpose()
}

/// A value from the text of a column.
pub(crate) fn value<T: DeserializeOwned>(column: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("{column}: {error}")))
}

/// A value from the text of a column that may be null.
pub(crate) fn optional_value<T: DeserializeOwned>(column: &'static str, text: Option<&str>) -> Result<Option<T>> {
    text.map(|text| value(column, text)).transpose()
}

/// A value from the API's name of it.
pub(crate) fn named<T>(column: &'static str, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
    read(name).ok_or_else(|| StoreError::Corrupt(format!("{column}: unknown name")))
}

/// A value from the API's name of it, if there is one.
pub(crate) fn optional_named<T>(
    column: &'static str,
    name: Option<&str>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    name.map(|name| named(column, name, read)).transpose()
}

/// A truth as databases write it into JSON: SQLite as 0 or 1, PostgreSQL as one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Truth {
    Plain(bool),
    Number(u8),
}

/// Reads a truth from a database's JSON.
pub(crate) fn truth<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Truth::deserialize(from)? {
        Truth::Plain(truth) => truth,
        Truth::Number(number) => number != 0,
    })
}

/// Reads a truth that may be null from a database's JSON.
pub(crate) fn optional_truth<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(Option::<Truth>::deserialize(from)?.map(|truth| match truth {
        Truth::Plain(truth) => truth,
        Truth::Number(number) => number != 0,
    }))
}
