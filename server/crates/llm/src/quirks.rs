//! Parameters that a provider refuses although its API has them.
//!
//! A 400 that names a parameter we can do without is answered by sending the request again without it, and the
//! refusal is remembered for the model, so that it costs one round trip and not one per call.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;

use crate::{error::classify::Upstream, provider::Provider};

/// Parameters that may be left out, by their name on any wire; dots lead into objects.
const OPTIONAL: &[&str] = &[
    "reasoning.summary",
    "reasoning.effort",
    "text.verbosity",
    "parallel_tool_calls",
    "stream_options",
    "prompt_cache_key",
    "reasoning_format",
    "reasoning_effort",
    "verbosity",
    "temperature",
    "frequency_penalty",
    "top_logprobs",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
];
/// Words that mark a parameter as unknown, as opposed to one with a bad value.
const UNKNOWN: &[&str] = &[
    "unsupported",
    "not supported",
    "unknown",
    "unrecognized",
    "unexpected",
    "not permitted",
    "does not support",
    "not allowed",
    "extra inputs",
    "extra fields",
    "no longer supported",
    "not compatible",
    "deprecated",
];
/// More models than any installation talks to; beyond it nothing is remembered.
const MAX_MODELS: usize = 4096;

/// What has been learned so far, shared by the clones of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quirks(Arc<Mutex<HashMap<String, Vec<&'static str>>>>);

impl Quirks {
    /// The parameter that the error blames, if the request has it and can do without.
    pub fn blamed(upstream: &Upstream, body: &Value) -> Option<&'static str> {
        if !matches!(upstream.status, 400 | 422) {
            return None;
        }
        let message = upstream.message.to_lowercase();
        let unknown = |text: &str| UNKNOWN.iter().any(|word| text.contains(word));
        if !unknown(&message) && !unknown(&upstream.codes.replace('_', " ")) {
            return None;
        }
        let named = |name: &str| match &upstream.param {
            Some(param) => param == name || param.starts_with(&format!("{name}.")),
            None => mentions(&message, name),
        };
        OPTIONAL.iter().copied().find(|name| body.pointer(&pointer(name)).is_some() && named(name))
    }

    /// Notes that this model of this provider refuses `parameter`.
    pub fn learn(&self, provider: &Provider, model: &str, parameter: &'static str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_MODELS {
            let parameters = known.entry(key(provider, model)).or_default();
            if !parameters.contains(&parameter) {
                parameters.push(parameter);
            }
        }
    }

    /// Leaves out of `body` whatever this model is known to refuse.
    pub fn apply(&self, provider: &Provider, model: &str, body: &mut Value) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for parameter in known.get(&key(provider, model)).into_iter().flatten() {
            drop_parameter(body, parameter);
        }
    }
}

/// Whether the error says that reasoning blocks in the history are not the provider's own, as happens after a change
/// of the model or the key.
pub(crate) fn refuses_reasoning(upstream: &Upstream) -> bool {
    const WORDS: &[&str] = &[
        "signature",
        "encrypted content",
        "encrypted_content",
        "of type 'reasoning'",
        "redacted_thinking",
        "thinking blocks",
        "`thinking` block",
    ];
    let message = upstream.message.to_lowercase();
    upstream.status == 400 && WORDS.iter().any(|word| message.contains(word))
}

/// Removes a parameter. The two names of the token limit replace one another.
pub(crate) fn drop_parameter(body: &mut Value, parameter: &str) {
    let (group, name) = parameter.rsplit_once('.').unwrap_or(("", parameter));
    let Some(map) = body.pointer_mut(&pointer(group)).and_then(Value::as_object_mut) else {
        return;
    };
    let Some(value) = map.shift_remove(name) else {
        return;
    };
    match parameter {
        "max_tokens" => _ = map.insert("max_completion_tokens".into(), value),
        "max_completion_tokens" => _ = map.insert("max_tokens".into(), value),
        _ => {}
    }
}

/// The JSON pointer of a dotted name.
fn pointer(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("/{}", name.replace('.', "/")) }
}

fn key(provider: &Provider, model: &str) -> String {
    format!("{:x} {model}", provider.identity())
}

/// Whether `text` has `name` as a whole word, so that `max_tokens` is not found inside `max_tokens_x`.
fn mentions(text: &str, name: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn blamed(status: u16, error: Value) -> Option<&'static str> {
        let body = json!({"parallel_tool_calls": true, "stream_options": {}, "temperature": 1, "max_tokens": 9});
        Quirks::blamed(&Upstream::from_value(Some(status), &json!({"error": error})), &body)
    }

    #[test]
    fn only_unknown_optional_parameters_are_blamed() {
        let said = |message: &str| json!({"message": message});
        for (status, error, expected) in [
            (400, said("Unrecognized request argument supplied: parallel_tool_calls"), Some("parallel_tool_calls")),
            (422, said("stream_options: Extra inputs are not permitted"), Some("stream_options")),
            (400, json!({"message": "no", "param": "temperature", "code": "unsupported_value"}), Some("temperature")),
            (
                400,
                said(
                    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                ),
                Some("max_tokens"),
            ),
            (400, said("temperature must be at most 2"), None),
            (400, said("unsupported tools"), None),
            (400, said("unknown reasoning_effort"), None),
            (500, said("unknown parameter temperature"), None),
            (400, json!({"message": "unknown temperature", "param": "messages"}), None),
        ] {
            assert_eq!(blamed(status, error.clone()), expected, "{error}");
        }
    }

    #[test]
    fn a_refused_token_limit_changes_its_name() {
        let mut body = json!({"max_tokens": 5, "model": "m"});
        drop_parameter(&mut body, "max_tokens");
        assert_eq!(body, json!({"model": "m", "max_completion_tokens": 5}));
    }

    #[test]
    fn a_summary_that_needs_a_verified_organisation_is_left_out() {
        let mut body = json!({"reasoning": {"summary": "auto", "effort": "low"}});
        let error =
            json!({"error": {"message": "verify first", "param": "reasoning.summary", "code": "unsupported_value"}});
        let parameter = Quirks::blamed(&Upstream::from_value(Some(400), &error), &body).expect("blamed");
        drop_parameter(&mut body, parameter);
        assert_eq!(body, json!({"reasoning": {"effort": "low"}}));
    }

    #[test]
    fn refusals_are_remembered_per_model() {
        let quirks = Quirks::default();
        let url: url::Url = "http://a.example/v1".parse().expect("url");
        let provider = Provider::new("p", crate::ProviderKind::OpenAiCompatible, url, None);
        quirks.learn(&provider, "m", "verbosity");
        let (mut same, mut other) = (json!({"verbosity": "low"}), json!({"verbosity": "low"}));
        quirks.apply(&provider, "m", &mut same);
        quirks.apply(&provider, "n", &mut other);
        assert_eq!((same, other), (json!({}), json!({"verbosity": "low"})));
    }
}
