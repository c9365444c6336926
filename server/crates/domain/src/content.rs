//! The parts of a message's content, as stored and as the API shows them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where an image is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ImageSource {
    /// On the web.
    Url { url: String },
    /// In the message itself.
    Base64 {
        /// Such as `image/png`.
        media_type: String,
        /// The bytes in base64.
        data: String,
        #[serde(default)]
        detail: Option<String>,
    },
    /// In the server's file store.
    Letta {
        file_id: String,
        #[serde(default)]
        media_type: Option<String>,
        #[serde(default)]
        data: Option<String>,
        #[serde(default)]
        detail: Option<String>,
    },
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    /// Words.
    Text {
        text: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// A picture.
    Image { source: ImageSource },
    /// What a model thought before it answered.
    Reasoning {
        is_native: bool,
        reasoning: String,
        #[serde(default)]
        signature: Option<String>,
    },
    /// Thoughts that the provider encrypted.
    RedactedReasoning { data: String },
    /// Thoughts that the provider left out.
    OmittedReasoning {
        #[serde(default)]
        signature: Option<String>,
    },
    /// A summary of thoughts with the provider's handle to the whole.
    SummarizedReasoning {
        id: String,
        summary: Vec<Value>,
        #[serde(default)]
        encrypted_content: Option<String>,
    },
    /// A tool call, in agent files of some servers.
    ToolCall { id: String, name: String, input: Value },
    /// A tool's return, in agent files of some servers.
    ToolReturn { tool_call_id: String, content: String, is_error: bool },
}

impl ContentPart {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), signature: None }
    }
}

/// A content as clients send it: words, or a list of parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Content {
    /// Words.
    Text(String),
    /// Parts.
    Parts(Vec<ContentPart>),
}

impl Content {
    /// The content as parts.
    pub fn into_parts(self) -> Vec<ContentPart> {
        match self {
            Self::Text(text) => vec![ContentPart::text(text)],
            Self::Parts(parts) => parts,
        }
    }

    /// Shows parts the way clients read them: one text part is a plain string.
    pub fn from_parts(parts: &[ContentPart]) -> Self {
        match parts {
            [ContentPart::Text { text, .. }] => Self::Text(text.clone()),
            [] => Self::Text(String::new()),
            _ => Self::Parts(parts.to_vec()),
        }
    }

    /// Whether there is nothing to say: no words but white space, and no picture. What other parts hold no model reads
    /// in a message that a client writes.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Parts(parts) => parts.iter().all(|part| match part {
                ContentPart::Text { text, .. } => text.trim().is_empty(),
                ContentPart::Image { .. } => false,
                ContentPart::Reasoning { .. }
                | ContentPart::RedactedReasoning { .. }
                | ContentPart::OmittedReasoning { .. }
                | ContentPart::SummarizedReasoning { .. }
                | ContentPart::ToolCall { .. }
                | ContentPart::ToolReturn { .. } => true,
            }),
        }
    }
}

/// The words of some parts, joined by line breaks.
pub fn text_of(parts: &[ContentPart]) -> String {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    texts.join("\n")
}
