//! `reasoning_details`: the reasoning of everybody's models as OpenRouter passes it on. What came with an answer goes
//! back unchanged with it, so it is kept as the signature of a block of reasoning: a JSON array in text.

use serde_json::{Map, Value};

use crate::{json::str_at, request::Reasoning};

/// Collects the details of an answer.
#[derive(Debug, Default)]
pub(super) struct Details(Vec<Value>);

impl Details {
    /// Takes those of a message, or of a piece of one.
    pub fn add(&mut self, message: &Value, whole: bool) {
        let details = message.get("reasoning_details").and_then(Value::as_array);
        for detail in details.into_iter().flatten().filter_map(Value::as_object) {
            let begun = if whole { None } else { self.0.iter_mut().find(|known| continues(known, detail)) };
            match begun.and_then(Value::as_object_mut) {
                Some(known) => join(known, detail),
                None => self.0.push(detail.clone().into()),
            }
        }
    }

    /// What has come since the last time, as a signature.
    pub fn take(&mut self) -> Option<String> {
        let details = std::mem::take(&mut self.0);
        (!details.is_empty()).then(|| Value::from(details).to_string())
    }
}

/// Whether a piece is more of a detail: words with the same number. Encrypted ones come whole.
fn continues(known: &Value, piece: &Map<String, Value>) -> bool {
    let same = |key: &str| known.get(key) == piece.get(key);
    let kind = known.get("type").and_then(Value::as_str);
    matches!(kind, Some("reasoning.text" | "reasoning.summary")) && same("type") && same("index")
}

fn join(known: &mut Map<String, Value>, piece: &Map<String, Value>) {
    for (key, value) in piece.iter().filter(|(_, value)| !value.is_null()) {
        if matches!(key.as_str(), "text" | "summary")
            && let (Some(Value::String(text)), Value::String(more)) = (known.get_mut(key), value)
        {
            text.push_str(more);
            continue;
        }
        known.insert(key.clone(), value.clone());
    }
}

/// The details that an answer in the history came with. Signatures of others are none.
pub(super) fn of(reasoning: &[Reasoning]) -> Vec<Value> {
    let signatures = reasoning.iter().filter_map(|block| block.signature.as_deref());
    let lists = signatures.filter_map(|signature| serde_json::from_str::<Vec<Value>>(signature).ok());
    lists.flatten().filter(|detail| str_at(detail, "type").is_some()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pieces_are_joined_by_kind_and_number() {
        let mut details = Details::default();
        let text =
            |index: u64, text: &str| json!({"type": "reasoning.text", "text": text, "index": index, "signature": null});
        let secret = |data: &str| json!({"type": "reasoning.encrypted", "data": data, "index": 0});
        for pieces in [
            json!([text(0, "let ")]),
            json!([text(0, "me"), text(1, "see")]),
            json!([{"type": "reasoning.text", "signature": "c2ln", "index": 0}]),
            json!([secret("a"), secret("b"), "no detail"]),
        ] {
            details.add(&json!({"reasoning_details": pieces}), false);
        }
        details.add(&json!({"reasoning_details": null}), false);
        let signature = details.take().expect("details");
        let first = json!({"type": "reasoning.text", "text": "let me", "index": 0, "signature": "c2ln"});
        let expected = json!([first, text(1, "see"), secret("a"), secret("b")]);
        assert_eq!(serde_json::from_str::<Value>(&signature).expect("JSON"), expected);
        assert_eq!(details.take(), None);

        let block = |signature: Option<String>| Reasoning { signature, ..Reasoning::default() };
        let blocks =
            [block(Some("c2lnbmF0dXJl".into())), block(None), block(Some(signature)), block(Some("[1]".into()))];
        assert_eq!(Value::from(of(&blocks)), expected);
    }

    #[test]
    fn whole_ones_stay_apart() {
        let mut details = Details::default();
        let same = json!([{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.text", "text": "b"}]);
        details.add(&json!({"reasoning_details": same}), true);
        assert_eq!(details.take(), Some(same.to_string()));
    }
}
