//! Small lenient readers of JSON values, because servers disagree about types.

use serde_json::Value;

/// A non-empty string, or a number written as one.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The non-empty string below `key`.
pub(crate) fn str_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A whole number below `key`, also when it is written as a float or a string.
pub(crate) fn u64_at(value: &Value, key: &str) -> Option<u64> {
    number(value.get(key)?)
}

/// A whole number, also when it is written as a float or a string.
pub(crate) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(n) => n.as_u64().or_else(|| n.as_f64().filter(|f| *f >= 0.0).map(|f| f as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A count of used tokens below `key`. No call uses more than a `u32` holds: one that is said to is cut there, so that
/// counts can be added up whatever a provider says.
pub(crate) fn count_at(value: &Value, key: &str) -> Option<u64> {
    u64_at(value, key).map(|count| count.min(u64::from(u32::MAX)))
}

/// A token count below `key` that fits a `u32` and is not zero.
pub(crate) fn tokens_at(value: &Value, key: &str) -> Option<u32> {
    u64_at(value, key).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)
}
