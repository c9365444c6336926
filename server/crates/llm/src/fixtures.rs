//! Requests that the tests of every wire's outbound body share.

use serde_json::json;

use crate::request::{ChatMessage, ChatRequest, Params, Part, Reasoning, ToolCall, ToolChoice, ToolSpec};

pub(crate) fn system(text: &str) -> ChatMessage {
    ChatMessage::System { text: text.into() }
}

pub(crate) fn user(text: &str) -> ChatMessage {
    ChatMessage::User { parts: vec![Part::Text(text.into())], name: None }
}

pub(crate) fn assistant(text: &str) -> ChatMessage {
    ChatMessage::Assistant { text: Some(text.into()), reasoning: vec![], tool_calls: vec![], name: None }
}

pub(crate) fn calls(reasoning: Vec<Reasoning>, ids: &[&str]) -> ChatMessage {
    let call = |id: &&str| ToolCall { id: (*id).into(), name: "roll".into(), arguments: "{\"sides\":6}".into() };
    ChatMessage::Assistant { text: None, reasoning, tool_calls: ids.iter().map(call).collect(), name: None }
}

pub(crate) fn result(id: &str, content: &str) -> ChatMessage {
    ChatMessage::Tool { call_id: id.into(), name: Some("roll".into()), content: content.into() }
}

pub(crate) fn thought(text: &str, signature: Option<&str>) -> Reasoning {
    Reasoning { text: text.into(), signature: signature.map(str::to_owned), redacted: None }
}

pub(crate) fn roll() -> ToolSpec {
    let parameters = json!({
        "type": "object", "properties": {"sides": {"type": "integer"}}, "required": ["sides"],
    });
    ToolSpec { name: "roll".into(), description: "Rolls a die.".into(), parameters }
}

pub(crate) fn request(model: &str, messages: Vec<ChatMessage>) -> ChatRequest {
    ChatRequest { model: model.into(), messages, ..ChatRequest::default() }
}

/// A conversation with one of everything.
pub(crate) fn everything(model: &str) -> ChatRequest {
    let look = ChatMessage::User {
        parts: vec![
            Part::Text("look".into()),
            Part::Image { media_type: "image/png".into(), data: "cGl4ZWw=".into() },
            Part::ImageUrl { url: "https://pictures.example/cat.webp".into(), detail: Some("low".into()) },
        ],
        name: Some("Ann Lee".into()),
    };
    let redacted = Reasoning { redacted: Some("b3BhcXVl".into()), ..Reasoning::default() };
    let messages = vec![
        system("Be kind."),
        look,
        ChatMessage::Assistant {
            text: Some("Rolling.".into()),
            reasoning: vec![thought("two dice", Some("c2ln")), redacted],
            tool_calls: vec![
                ToolCall { id: "call.1".into(), name: "roll".into(), arguments: "{\"sides\":6}".into() },
                ToolCall { id: "call_2".into(), name: "roll".into(), arguments: "{\"sides\":".into() },
            ],
            name: None,
        },
        result("call.1", "4"),
        result("call_2", "bad arguments"),
        system("A minute passed."),
        user("and now?"),
    ];
    ChatRequest {
        tools: vec![roll(), ToolSpec { name: "stop".into(), description: "Ends.".into(), parameters: json!(null) }],
        tool_choice: ToolChoice::Auto,
        params: Params {
            temperature: Some(0.7),
            max_tokens: Some(2000),
            reasoning_effort: Some("low".into()),
            enable_reasoner: true,
            max_reasoning_tokens: 0,
            verbosity: Some("high".into()),
            frequency_penalty: Some(0.5),
            parallel_tool_calls: Some(false),
        },
        ..request(model, messages)
    }
}

/// A request for an answer that fits a schema.
pub(crate) fn structured(model: &str) -> ChatRequest {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
    ChatRequest {
        response_format: Some(
            json!({"type": "json_schema", "json_schema": {"name": "number", "schema": schema, "strict": true}}),
        ),
        ..request(model, vec![system("Count."), user("how many?")])
    }
}
