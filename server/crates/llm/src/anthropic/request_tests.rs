//! The exact bodies that go out, and Anthropic's rules about thinking.

use insta::assert_json_snapshot;

use super::*;
use crate::fixtures::{assistant, calls, everything, request, result, structured, system, thought, user};

const MODEL: &str = "claude-sonnet-4-20250514";

#[test]
fn one_of_everything() {
    assert_json_snapshot!(body(&everything(MODEL), true), @r#"
    {
      "model": "claude-sonnet-4-20250514",
      "max_tokens": 2000,
      "system": [
        {
          "type": "text",
          "text": "Be kind.",
          "cache_control": {
            "type": "ephemeral"
          }
        }
      ],
      "messages": [
        {
          "role": "user",
          "content": [
            {
              "type": "text",
              "text": "look"
            },
            {
              "type": "image",
              "source": {
                "type": "base64",
                "media_type": "image/png",
                "data": "cGl4ZWw="
              }
            },
            {
              "type": "image",
              "source": {
                "type": "url",
                "url": "https://pictures.example/cat.webp"
              }
            }
          ]
        },
        {
          "role": "assistant",
          "content": [
            {
              "type": "thinking",
              "thinking": "two dice",
              "signature": "c2ln"
            },
            {
              "type": "redacted_thinking",
              "data": "b3BhcXVl"
            },
            {
              "type": "text",
              "text": "Rolling."
            },
            {
              "type": "tool_use",
              "id": "call_1",
              "name": "roll",
              "input": {
                "sides": 6
              }
            },
            {
              "type": "tool_use",
              "id": "call_2",
              "name": "roll",
              "input": {
                "_raw": "{\"sides\":"
              }
            }
          ]
        },
        {
          "role": "user",
          "content": [
            {
              "type": "tool_result",
              "tool_use_id": "call_1",
              "content": "4"
            },
            {
              "type": "tool_result",
              "tool_use_id": "call_2",
              "content": "bad arguments"
            },
            {
              "type": "text",
              "text": "<system>\nA minute passed.\n</system>"
            },
            {
              "type": "text",
              "text": "and now?",
              "cache_control": {
                "type": "ephemeral"
              }
            }
          ]
        }
      ],
      "tools": [
        {
          "name": "roll",
          "description": "Rolls a die.",
          "input_schema": {
            "type": "object",
            "properties": {
              "sides": {
                "type": "integer"
              }
            },
            "required": [
              "sides"
            ]
          }
        },
        {
          "name": "stop",
          "description": "Ends.",
          "input_schema": {
            "type": "object",
            "properties": {}
          }
        }
      ],
      "tool_choice": {
        "type": "auto",
        "disable_parallel_tool_use": true
      },
      "thinking": {
        "type": "enabled",
        "budget_tokens": 1024
      },
      "stream": true
    }
    "#);
}

#[test]
fn without_thinking_the_temperature_goes_out_and_the_blocks_stay() {
    let mut request = everything(MODEL);
    request.params.enable_reasoner = false;
    request.params.temperature = Some(1.7);
    request.tool_choice = ToolChoice::Named("roll".into());
    let body = body(&request, false);
    assert_eq!(body["temperature"], json!(1.0));
    assert_eq!(body.get("thinking"), None);
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "roll", "disable_parallel_tool_use": true}));
    assert!(!body["messages"].to_string().contains("c2ln"));
}

#[test]
fn a_structured_answer_is_asked_for_in_words() {
    assert_json_snapshot!(body(&structured("claude-3-5-haiku-20241022"), false), @r#"
    {
      "model": "claude-3-5-haiku-20241022",
      "max_tokens": 8192,
      "system": [
        {
          "type": "text",
          "text": "Count.\n\nAnswer with nothing but one JSON value that satisfies this JSON Schema:\n{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}",
          "cache_control": {
            "type": "ephemeral"
          }
        }
      ],
      "messages": [
        {
          "role": "user",
          "content": [
            {
              "type": "text",
              "text": "how many?",
              "cache_control": {
                "type": "ephemeral"
              }
            }
          ]
        }
      ],
      "stream": false
    }
    "#);
}

#[test]
fn turns_begin_with_the_user_and_alternate() {
    let turns = messages(&[system("s"), assistant("a"), assistant("b"), user(" "), user("c"), user("d")], false);
    let shown: Vec<(&str, usize)> = turns
        .iter()
        .map(|turn| (turn["role"].as_str().unwrap_or(""), turn["content"].as_array().map_or(0, Vec::len)))
        .collect();
    assert_eq!(shown, [("user", 1), ("assistant", 2), ("user", 2)]);
    assert_eq!(messages(&[system("only")], false).len(), 1);
}

#[test]
fn thinking_needs_a_model_a_budget_and_a_free_choice() {
    let ask = |change: &dyn Fn(&mut ChatRequest)| {
        let mut request = everything(MODEL);
        request.params.max_reasoning_tokens = 1500;
        change(&mut request);
        body(&request, true).get("thinking").map(|thinking| thinking["budget_tokens"].as_u64())
    };
    assert_eq!(ask(&|_| {}), Some(Some(1500)));
    assert_eq!(ask(&|r| r.params.max_reasoning_tokens = 0), Some(Some(1024)));
    assert_eq!(ask(&|r| r.params.max_reasoning_tokens = 9000), Some(Some(1999)));
    assert_eq!(ask(&|r| r.params.max_tokens = Some(1024)), None);
    assert_eq!(ask(&|r| r.params.max_tokens = None), Some(Some(1500)));
    assert_eq!(ask(&|r| r.model = "claude-3-5-haiku-20241022".into()), None);
    assert_eq!(ask(&|r| r.tool_choice = ToolChoice::Required), None);
    assert_eq!(ask(&|r| r.params.enable_reasoner = false), None);
}

#[test]
fn a_model_that_budgets_for_itself_gets_an_effort_and_no_temperature() {
    let mut request = everything("claude-opus-4-7");
    let with = body(&request, true);
    assert_eq!(with["thinking"], json!({"type": "adaptive", "display": "summarized"}));
    assert_eq!(with["output_config"], json!({"effort": "low"}));
    request.params.enable_reasoner = false;
    request.params.reasoning_effort = Some("minimal".into());
    let without = body(&request, true);
    for key in ["thinking", "temperature", "output_config"] {
        assert_eq!(without.get(key), None, "{key}");
    }
}

#[test]
fn a_tool_loop_without_verifiable_thoughts_is_continued_without_thinking() {
    let ask = |reasoning| {
        let mut request = request(MODEL, vec![user("u"), calls(reasoning, &["a"]), result("a", "4")]);
        request.params.enable_reasoner = true;
        body(&request, true).get("thinking").is_some()
    };
    assert!(ask(vec![thought("t", Some("c2ln"))]));
    assert!(!ask(vec![thought("t", None)]));
    assert!(!ask(vec![]));
    let mut later = request(MODEL, vec![user("u"), calls(vec![], &["a"]), result("a", "4"), user("v")]);
    later.params.enable_reasoner = true;
    assert!(body(&later, true).get("thinking").is_some(), "an earlier turn does not matter");
}
