//! What OpenAI's clients send.

use mneme_core::CoreError;
use mneme_domain::{content::Content, request::SendRequest};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A chat to complete. Fields that are not listed here are accepted and left alone.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatCompletionRequest {
    /// The agent's identifier.
    #[serde(default)]
    pub model: String,
    /// The chat. What follows the last message of the assistant goes to the agent.
    pub messages: Vec<ChatMessage>,
    /// Answer with a stream of chunks.
    #[serde(default)]
    pub stream: Option<bool>,
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// How many answers; there can be only one.
    #[serde(default)]
    pub n: Option<u32>,
}

/// A message of the chat.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ChatMessage {
    /// `user`, `assistant`, `system`, `developer`, `tool` or `function`.
    pub role: String,
    /// Text, or a list of parts.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub content: Value,
    #[serde(default)]
    pub name: Option<String>,
}

/// How a stream is to be sent.
#[derive(Debug, Deserialize, ToSchema)]
pub struct StreamOptions {
    /// Send a last chunk with the tokens used.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// What the agent is sent of a chat.
///
/// # Errors
/// 400 when nothing was said since the last answer, 422 for content that cannot be read.
pub fn message(request: ChatCompletionRequest) -> Result<SendRequest, CoreError> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(CoreError::Invalid("INVALID_ARGUMENT: an agent gives one answer: 'n' has to be 1".into()));
    }
    let answered = request.messages.iter().rposition(|message| message.role == "assistant").map_or(0, |at| at + 1);
    let mut said = Vec::new();
    for (index, message) in request.messages.into_iter().enumerate().skip(answered) {
        if message.role == "user" {
            let mut one = json!({"role": "user", "content": content(index, message.content)?});
            if let Some(name) = message.name {
                one["name"] = name.into();
            }
            said.push(one);
        }
    }
    if said.is_empty() {
        let text = "INVALID_ARGUMENT: the chat holds no user message after the last one of the assistant";
        return Err(CoreError::Invalid(text.into()));
    }
    serde_json::from_value(json!({ "messages": said })).map_err(|error| CoreError::Internal(error.to_string()))
}

/// OpenAI's content as ours: text parts are the same, images are spelled differently.
fn content(index: usize, given: Value) -> Result<Value, CoreError> {
    let wrong = |msg: String| CoreError::Unprocessable {
        loc: vec!["body".into(), "messages".into(), index.to_string(), "content".into()],
        kind: "value_error".into(),
        msg,
    };
    let parts = match given {
        Value::Array(parts) => parts,
        text @ Value::String(_) => return Ok(text),
        _ => return Err(wrong("Input should be a text or a list of parts".into())),
    };
    let part = |part: Value| match part["type"].as_str() {
        Some("text") => Ok(json!({"type": "text", "text": part["text"]})),
        Some("image_url") => {
            let url = part["image_url"]["url"].as_str().ok_or_else(|| wrong("an image needs a url".into()))?;
            let data = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
            let source = match data {
                Some((media_type, data)) => json!({"type": "base64", "media_type": media_type, "data": data}),
                None => json!({"type": "url", "url": url}),
            };
            Ok(json!({"type": "image", "source": source}))
        }
        other => Err(wrong(format!("parts of the type {} cannot be given to an agent", other.unwrap_or("(none)")))),
    };
    let parts: Value = parts.into_iter().map(part).collect::<Result<Vec<_>, _>>()?.into();
    serde_json::from_value::<Content>(parts.clone()).map_err(|error| wrong(error.to_string()))?;
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: Value) -> Result<Value, String> {
        let request = serde_json::from_value(json!({"model": "agent-x", "messages": messages})).unwrap();
        message(request).map(|request| json!(request.messages)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_said_since_the_last_answer_goes_to_the_agent() {
        let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}});
        let chat = json!([
            {"role": "system", "content": "Be someone else."},
            {"role": "user", "content": "old"},
            {"role": "assistant", "content": "answer"},
            {"role": "tool", "tool_call_id": "x", "content": "ignored"},
            {"role": "user", "content": "new", "name": "Ada"},
            {"role": "user", "content": [{"type": "text", "text": "look"}, image]}
        ]);
        let source = json!({"type": "base64", "media_type": "image/png", "data": "aGk="});
        let parts = json!([{"type": "text", "text": "look"}, {"type": "image", "source": source}]);
        let sent = json!([{"role": "user", "content": "new", "name": "Ada"}, {"role": "user", "content": parts}]);
        assert_eq!(read(chat), Ok(sent));
    }

    #[test]
    fn a_chat_without_a_question_and_parts_of_other_kinds_are_refused() {
        assert!(read(json!([])).unwrap_err().contains("no user message"));
        assert!(read(json!([{"role": "assistant", "content": "I spoke last"}])).unwrap_err().contains("no user"));
        let sound = json!([{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]);
        assert!(read(sound).unwrap_err().contains("input_audio"));
        assert!(read(json!([{"role": "user", "content": 7}])).is_err());
    }
}
