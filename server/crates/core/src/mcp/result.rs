//! A tool's result in words: what a model reads of it. A result with pictures becomes a report of words and pictures (see
//! [`pictures`]), out of which clients and models get both.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::{Value, json};

use super::settings::MAX_RESULT;
use crate::context::pictures;

/// The words, and whether they tell of an error.
pub fn words(result: &CallToolResult) -> (String, bool) {
    let failed = result.is_error == Some(true);
    let mut text = Bounded::default();
    let (mut said, mut frame, mut results) = (false, pictures::Frame::default(), Vec::new());
    for block in &result.content {
        if let ContentBlock::Image(image) = block
            && frame.takes(&image.mime_type, &image.data)
        {
            results.extend(text.taken());
            results.push(json!({ (image.mime_type.as_str()): image.data }));
            continue;
        }
        said |= matches!(block, ContentBlock::Text(text) if !text.text.is_empty());
        text.add(&one(block));
    }
    // Servers repeat structured content as text, as the protocol tells them to; only those that do not are quoted.
    if let Some(structured) = result.structured_content.as_ref().filter(|_| !said) {
        text.add(&structured_text(structured));
    }
    if !results.is_empty() {
        results.extend(text.taken());
        return (json!({ "results": results }).to_string(), failed);
    }
    let text = text.finished();
    match (text.is_empty(), failed) {
        (true, true) => ("The tool failed and does not say why.".into(), true),
        (_, failed) => (text, failed),
    }
}

fn structured_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn one(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => format!("[image, {}, {}]", image.mime_type, size(&image.data)),
        ContentBlock::Audio(audio) => format!("[audio, {}, {}]", audio.mime_type, size(&audio.data)),
        ContentBlock::ResourceLink(link) => {
            let mut text = format!("[resource {}: {}", link.name, link.uri);
            if let Some(kind) = &link.mime_type {
                text.push_str(&format!(", {kind}"));
            }
            if let Some(description) = &link.description {
                text.push_str(&format!("; {description}"));
            }
            text.push(']');
            text
        }
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("[resource {uri}]\n{text}"),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let kind = mime_type.as_deref().unwrap_or("application/octet-stream");
                format!("[resource {uri}, {kind}, {}]", size(blob))
            }
            _ => "[a resource of a kind that this server does not know]".into(),
        },
        _ => "[content of a kind that this server does not know]".into(),
    }
}

/// How many bytes a base64 text stands for, in words.
fn size(base64: &str) -> String {
    let padding = base64.bytes().rev().take_while(|byte| *byte == b'=').count();
    format!("{} bytes", (base64.len() / 4 * 3).saturating_sub(padding))
}

/// Lines up to a limit.
#[derive(Default)]
struct Bounded {
    text: String,
    /// How much was taken before.
    taken: usize,
    cut: bool,
}

impl Bounded {
    fn add(&mut self, part: &str) {
        if self.cut {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let room = MAX_RESULT.saturating_sub(self.taken + self.text.len());
        if part.len() <= room {
            self.text.push_str(part);
            return;
        }
        let end = (0..=room).rev().find(|end| part.is_char_boundary(*end)).unwrap_or_default();
        self.text.push_str(&part[..end]);
        self.cut = true;
    }

    /// The lines so far, which count for those that follow.
    fn taken(&mut self) -> Option<Value> {
        let so_far = Self { text: std::mem::take(&mut self.text), taken: 0, cut: self.cut };
        self.taken += so_far.text.len();
        (!so_far.text.is_empty()).then(|| so_far.finished().into())
    }

    fn finished(mut self) -> String {
        if self.cut {
            self.text.push_str("… [truncated: the result has more than 1 MiB]");
        }
        // No database keeps it, and nobody means it.
        if self.text.contains('\0') {
            self.text = self.text.replace('\0', "\u{fffd}");
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(result: Value) -> (String, bool) {
        words(&serde_json::from_value(result).unwrap())
    }

    #[test]
    fn every_kind_of_content_has_words() {
        let result = json!({"content": [
            {"type": "text", "text": "first\u{0}"},
            {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
            {"type": "audio", "data": "aGVsbG8h", "mimeType": "audio/wav"},
            {"type": "resource_link", "uri": "file:///a", "name": "a", "mimeType": "text/plain", "description": "an a"},
            {"type": "resource", "resource": {"uri": "file:///b", "mimeType": "text/plain", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "file:///c", "blob": "aGVsbG8="}},
        ], "structuredContent": {"left": "out"}});
        let expected = "first\u{fffd}\n[image, image/png, 5 bytes]\n[audio, audio/wav, 6 bytes]\n\
                        [resource a: file:///a, text/plain; an a]\n[resource file:///b]\ninside\n\
                        [resource file:///c, application/octet-stream, 5 bytes]";
        assert_eq!(read(result), (expected.to_owned(), false));
        assert_eq!(read(json!({"content": [], "structuredContent": {"a": 1}})), (r#"{"a":1}"#.into(), false));
        assert_eq!(read(json!({"content": []})), (String::new(), false));
        let (text, failed) = read(json!({"content": [{"type": "text", "text": "boom"}], "isError": true}));
        assert_eq!((text.as_str(), failed), ("boom", true));
        assert!(read(json!({"content": [], "isError": true})).0.contains("does not say why"));
    }

    #[test]
    fn pictures_stand_between_the_words_as_long_as_they_are_pictures() {
        let png = "iVBORw0KGgoAAAA=";
        let image = |kind: &str, data: &str| json!({"type": "image", "data": data, "mimeType": kind});
        let text = |text: &str| json!({"type": "text", "text": text});
        let content = [
            text("a"),
            text("b"),
            image("image/png", png),
            image("image/gif", png),
            image("image/jpeg", png),
            text("c"),
        ];
        let (report, failed) = read(json!({"content": content, "structuredContent": {"left": "out"}}));
        let expected = json!({"results": ["a\nb", {"image/png": png}, "[image, image/gif, 11 bytes]\n[image, image/jpeg, 11 bytes]\nc"]});
        assert_eq!((serde_json::from_str::<Value>(&report).unwrap(), failed), (expected, false));
        let (words, parts) = pictures::taken_out(&report).unwrap();
        assert!(words.contains("[picture 1, shown below]") && parts.len() == 1, "{words}");

        let many = vec![image("image/png", png); 9];
        let (report, _) = read(json!({"content": many}));
        let results = serde_json::from_str::<Value>(&report).unwrap()["results"].clone();
        assert_eq!(results[7], json!({"image/png": png}));
        assert_eq!(results[8], "[image, image/png, 11 bytes]");
    }

    #[test]
    fn a_large_result_is_cut_between_characters() {
        let (text, _) = read(json!({"content": [{"type": "text", "text": "é".repeat(MAX_RESULT)}]}));
        assert!(text.len() < MAX_RESULT + 100 && text.ends_with("more than 1 MiB]"), "{}", text.len());
    }
}
