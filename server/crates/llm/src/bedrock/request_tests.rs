//! What Bedrock insists on beyond the shape of a body, which `bodies.rs` shows.

use serde_json::json;

use super::*;
use crate::fixtures::{assistant, calls, request, result, roll, thought, user};

#[test]
fn tools_that_are_gone_are_named_while_the_history_has_their_calls() {
    let history = vec![user("go"), calls(vec![], &["a"]), result("a", "4"), user("and?")];
    let body = body(&request("amazon.nova-pro-v1:0", history));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["name"], "roll");
    assert!(body["toolConfig"].get("toolChoice").is_none());
    let plain = super::body(&request("amazon.nova-pro-v1:0", vec![user("go")]));
    assert!(plain.get("toolConfig").is_none());
}

#[test]
fn only_models_with_a_cache_get_its_marks() {
    for (model, marks) in [
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", 1),
        ("amazon.nova-pro-v1:0", 1),
        ("anthropic.claude-3-haiku-20240307-v1:0", 0),
        ("meta.llama3-1-70b-instruct-v1:0", 0),
    ] {
        let text = body(&request(model, vec![user("go")])).to_string();
        assert_eq!(text.matches("cachePoint").count(), marks, "{model}");
    }
}

#[test]
fn thinking_goes_back_within_a_turn_and_needs_its_signature() {
    let model = "us.anthropic.claude-sonnet-4-20250514-v1:0";
    let mut asked = request(model, vec![user("go"), calls(vec![thought("hm", Some("s"))], &["a"]), result("a", "4")]);
    asked.tools = vec![roll()];
    asked.params.enable_reasoner = true;
    let body = body(&asked);
    assert_eq!(body["additionalModelRequestFields"]["thinking"], json!({"type": "enabled", "budget_tokens": 1024}));
    assert_eq!(
        body["messages"][1]["content"][0],
        json!({"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}})
    );
    asked.messages[1] = calls(vec![thought("hm", None)], &["a"]);
    let unsigned = super::body(&asked).to_string();
    assert!(!unsigned.contains("reasoningContent") && !unsigned.contains("thinking"), "{unsigned}");
}

#[test]
fn turns_alternate_and_begin_and_end_with_the_users() {
    let body = body(&request("amazon.nova-lite-v1:0", vec![assistant("first"), user("a"), user("b"), assistant("c")]));
    let roles: Vec<_> = body["messages"].as_array().into_iter().flatten().map(|turn| turn["role"].clone()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    assert_eq!(body["messages"][2]["content"], json!([{"text": "a"}, {"text": "b"}]));
}
