//! What the provider wants to know about a chat request. Bodies are long and mostly skipped.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A chat request, as far as it matters.
#[derive(Debug, Deserialize)]
pub struct Chat<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(default)]
    pub stream: bool,
}

/// What the request asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    Text,
    SlowText,
    /// `memory_replace` of one word by another.
    Replace {
        old: String,
        new: String,
    },
    /// `grep_files` for a word.
    Grep {
        word: String,
    },
}

impl<'a> Chat<'a> {
    /// Reads a body.
    pub fn read(body: &'a [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(body)
    }

    /// What the last message asks for.
    pub fn wish(&self) -> Wish {
        // Words are looked for in the JSON itself: the server may wrap the user's text in more JSON.
        let last = self.messages.last().map_or("", |message| message.get());
        if !last.contains(r#""user""#) {
            return Wish::Text;
        }
        if let Some((_, rest)) = last.split_once("TOOL ") {
            let mut words = rest.split(|c: char| !c.is_ascii_alphanumeric());
            let mut word = || words.next().unwrap_or_default().to_owned();
            return Wish::Replace { old: word(), new: word() };
        }
        if let Some((_, rest)) = last.split_once("GREP ") {
            let word = rest.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned();
            return Wish::Grep { word };
        }
        match last.contains("SLOW") {
            true => Wish::SlowText,
            false => Wish::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(messages: &str) -> Wish {
        let body = format!(r#"{{"model": "m", "messages": {messages}, "stream": true}}"#);
        let chat = Chat::read(body.as_bytes()).expect("a chat request");
        assert!(chat.stream);
        chat.wish()
    }

    #[test]
    fn only_the_last_message_counts_and_only_of_a_user() {
        let user = r#"{"role": "user", "content": "TOOL x1x x2x"}"#;
        let call = Wish::Replace { old: "x1x".into(), new: "x2x".into() };
        assert_eq!(wish(&format!("[{user}]")), call);
        let tool = r#"{"role": "tool", "content": "TOOL x1x x2x"}"#;
        assert_eq!(wish(&format!("[{user}, {tool}]")), Wish::Text);
        assert_eq!(wish(r#"[{"role": "user", "content": "SLOW"}]"#), Wish::SlowText);
        let grep = r#"{"role": "user", "content": "GREP needle7 please"}"#;
        assert_eq!(wish(&format!("[{grep}]")), Wish::Grep { word: "needle7".into() });
        assert_eq!(wish("[]"), Wish::Text);
    }

    #[test]
    fn the_words_are_found_inside_wrapped_text() {
        let wrapped = r#"[{"role": "user", "content": [{"type": "text", "text": "{\"message\": \"TOOL x3x x4x\", \"time\": 1}"}]}]"#;
        let call = Wish::Replace { old: "x3x".into(), new: "x4x".into() };
        assert_eq!(wish(wrapped), call);
    }
}
