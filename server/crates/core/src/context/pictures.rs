//! Pictures in what tools returned. Clients read them in the return, as text in base64; a model gets them as pictures.
//!
//! Such a return is a JSON object with a list of `results`: texts, and pictures as `{"image/png": "<base64>"}` or
//! `{"image/jpeg": …}`. It is what `run_code` reports, and what is made of results of MCP servers with pictures.

use base64::{Engine, prelude::BASE64_STANDARD};
use mneme_llm::Part;
use serde_json::Value;

/// Pictures of one return that a model is shown, and their size in base64 together.
const MOST: usize = 8;
const MOST_BYTES: usize = 8 << 20;

/// Counts what is shown of one return.
pub struct Frame {
    pictures: usize,
    left: usize,
}

impl Default for Frame {
    fn default() -> Self {
        Self { pictures: 0, left: MOST_BYTES }
    }
}

impl Frame {
    /// Whether a picture is one, of a kind that models take, and there is still room for it; then it is counted.
    pub fn takes(&mut self, media_type: &str, data: &str) -> bool {
        let taken = self.pictures < MOST && data.len() <= self.left && is(media_type, data);
        if taken {
            self.pictures += 1;
            self.left -= data.len();
        }
        taken
    }
}

/// The return with words where its pictures were, and the pictures. None when there are none in it.
pub fn taken_out(text: &str) -> Option<(String, Vec<Part>)> {
    if !text.contains("\"image/") {
        return None;
    }
    let mut report: Value = serde_json::from_str(text).ok()?;
    let (mut parts, mut frame, mut changed) = (Vec::new(), Frame::default(), false);
    for result in report.get_mut("results")?.as_array_mut()? {
        let Some((media_type, data)) = picture(result) else { continue };
        let shown = frame.takes(media_type, data);
        let words = match shown {
            true => format!("[picture {}, shown below]", parts.len() + 1),
            false => "[a picture that cannot be shown]".to_owned(),
        };
        if shown {
            parts.push(Part::Image { media_type: media_type.to_owned(), data: data.to_owned() });
        }
        *result = words.into();
        changed = true;
    }
    changed.then(|| (report.to_string(), parts))
}

fn picture(result: &Value) -> Option<(&str, &str)> {
    let fields = result.as_object().filter(|fields| fields.len() == 1)?;
    let (name, data) = fields.iter().next()?;
    matches!(name.as_str(), "image/png" | "image/jpeg").then_some((name, data.as_str()?))
}

/// Whether the data begins as pictures of that kind do: a provider refuses a request with any other.
fn is(media_type: &str, data: &str) -> bool {
    let begins: &[u8] = match media_type {
        "image/png" => b"\x89PNG\r\n\x1a\n",
        "image/jpeg" => b"\xff\xd8\xff",
        _ => return false,
    };
    BASE64_STANDARD.decode(data).is_ok_and(|bytes| bytes.starts_with(begins))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pictures_leave_the_text() {
        let data = BASE64_STANDARD.encode(b"\x89PNG\r\n\x1a\nrest");
        let logs = json!({"stdout": ["x"], "stderr": []});
        let text = json!({"results": [{"image/png": data}, "3", {"image/png": "bm8="}], "logs": logs}).to_string();
        let (words, parts) = taken_out(&text).unwrap();
        let expected = json!({
            "results": ["[picture 1, shown below]", "3", "[a picture that cannot be shown]"], "logs": logs,
        });
        assert_eq!(serde_json::from_str::<Value>(&words).unwrap(), expected);
        assert_eq!(parts, [Part::Image { media_type: "image/png".into(), data }]);
    }

    #[test]
    fn other_returns_stay_as_they_are() {
        for text in
            ["plain", "{\"image/png\": \"x\"}", "{\"results\": [\"image/png\"]}", "{\"results\": \"\\\"image/\"}"]
        {
            assert_eq!(taken_out(text), None, "{text}");
        }
    }
}
