//! The exact bodies that go out.

use insta::assert_json_snapshot;

use super::*;
use crate::fixtures::{assistant, everything, request, roll, structured, user};

#[test]
fn a_plain_model_of_openai() {
    assert_json_snapshot!(body(ProviderKind::OpenAi, &everything("gpt-4o"), true), @r#"
    {
      "model": "gpt-4o",
      "messages": [
        {
          "role": "system",
          "content": "Be kind."
        },
        {
          "role": "user",
          "content": [
            {
              "type": "text",
              "text": "look"
            },
            {
              "type": "image_url",
              "image_url": {
                "url": "data:image/png;base64,cGl4ZWw="
              }
            },
            {
              "type": "image_url",
              "image_url": {
                "url": "https://pictures.example/cat.webp",
                "detail": "low"
              }
            }
          ],
          "name": "Ann_Lee"
        },
        {
          "role": "assistant",
          "content": "Rolling.",
          "tool_calls": [
            {
              "id": "call.1",
              "type": "function",
              "function": {
                "name": "roll",
                "arguments": "{\"sides\":6}"
              }
            },
            {
              "id": "call_2",
              "type": "function",
              "function": {
                "name": "roll",
                "arguments": "{\"sides\":"
              }
            }
          ]
        },
        {
          "role": "tool",
          "tool_call_id": "call.1",
          "content": "4"
        },
        {
          "role": "tool",
          "tool_call_id": "call_2",
          "content": "bad arguments"
        },
        {
          "role": "system",
          "content": "A minute passed."
        },
        {
          "role": "user",
          "content": "and now?"
        }
      ],
      "tools": [
        {
          "type": "function",
          "function": {
            "name": "roll",
            "description": "Rolls a die.",
            "parameters": {
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
          }
        },
        {
          "type": "function",
          "function": {
            "name": "stop",
            "description": "Ends.",
            "parameters": {
              "type": "object",
              "properties": {}
            }
          }
        }
      ],
      "tool_choice": "auto",
      "parallel_tool_calls": false,
      "max_tokens": 2000,
      "temperature": 0.7,
      "frequency_penalty": 0.5,
      "stream": true,
      "stream_options": {
        "include_usage": true
      }
    }
    "#);
}

#[test]
fn a_reasoning_model_behind_a_router() {
    let mut request = everything("openai/gpt-5-mini");
    request.messages.truncate(1);
    request.tools.truncate(1);
    request.tool_choice = ToolChoice::Required;
    assert_json_snapshot!(body(ProviderKind::OpenRouter, &request, false), @r#"
    {
      "model": "openai/gpt-5-mini",
      "messages": [
        {
          "role": "system",
          "content": "Be kind."
        }
      ],
      "tools": [
        {
          "type": "function",
          "function": {
            "name": "roll",
            "description": "Rolls a die.",
            "parameters": {
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
          }
        }
      ],
      "tool_choice": "required",
      "parallel_tool_calls": false,
      "max_completion_tokens": 2000,
      "reasoning_effort": "low",
      "verbosity": "high",
      "stream": false
    }
    "#);
}

#[test]
fn nothing_but_a_message() {
    assert_json_snapshot!(body(ProviderKind::Vllm, &request("m", vec![user("hi"), assistant("yes?"), user("")]), true), @r#"
    {
      "model": "m",
      "messages": [
        {
          "role": "user",
          "content": "hi"
        },
        {
          "role": "assistant",
          "content": "yes?"
        },
        {
          "role": "user",
          "content": ""
        }
      ],
      "stream": true,
      "stream_options": {
        "include_usage": true
      }
    }
    "#);
}

#[test]
fn a_structured_answer() {
    assert_json_snapshot!(body(ProviderKind::OpenAi, &structured("gpt-4o"), false), @r#"
    {
      "model": "gpt-4o",
      "messages": [
        {
          "role": "system",
          "content": "Count."
        },
        {
          "role": "user",
          "content": "how many?"
        }
      ],
      "response_format": {
        "type": "json_schema",
        "json_schema": {
          "name": "number",
          "schema": {
            "type": "object",
            "properties": {
              "n": {
                "type": "integer"
              }
            },
            "required": [
              "n"
            ]
          },
          "strict": true
        }
      },
      "stream": false
    }
    "#);
}

#[test]
fn parameters_without_tools_stay_at_home() {
    let mut request = everything("m");
    request.tools.clear();
    request.tool_choice = ToolChoice::Required;
    let body = body(ProviderKind::OpenAiCompatible, &request, true);
    for key in ["tools", "tool_choice", "parallel_tool_calls"] {
        assert_eq!(body.get(key), None, "{key}");
    }
}

#[test]
fn each_tool_choice_in_the_words_of_each_server() {
    let named = || ToolChoice::Named("roll".into());
    for (kind, choice, expected, tools) in [
        (ProviderKind::OpenAi, ToolChoice::Auto, json!("auto"), 2),
        (ProviderKind::OpenAi, ToolChoice::None, json!("none"), 2),
        (ProviderKind::Ollama, ToolChoice::Required, json!("required"), 2),
        (ProviderKind::Vllm, named(), json!({"type": "function", "function": {"name": "roll"}}), 2),
        (ProviderKind::LmStudio, named(), json!("required"), 1),
        (ProviderKind::LlamaCpp, named(), json!("required"), 1),
    ] {
        let mut request = everything("m");
        request.tools = vec![ToolSpec { name: "other".into(), ..roll() }, roll()];
        request.tool_choice = choice;
        let body = body(kind, &request, true);
        assert_eq!(
            (&body["tool_choice"], body["tools"].as_array().map(Vec::len)),
            (&expected, Some(tools)),
            "{kind:?}"
        );
    }
}

#[test]
fn names_are_reduced_to_what_is_allowed() {
    for (name, expected) in [
        (Some("Ann Lee"), json!("Ann_Lee")),
        (Some("Zoë!"), json!("Zo__")),
        (Some("  "), Value::Null),
        (None, Value::Null),
    ] {
        assert_eq!(named(json!({}), name)["name"], expected);
    }
    assert_eq!(named(json!({}), Some(&"x".repeat(100)))["name"].as_str().map(str::len), Some(64));
}

#[test]
fn log_probabilities_are_asked_for_where_an_answer_comes_whole() {
    let wanted = ChatRequest { logprobs: Some(3), ..request("gpt-4o", vec![user("hi")]) };
    let asked = |kind, stream| {
        let body = body(kind, &wanted, stream);
        ["logprobs", "top_logprobs"].map(|name| body.get(name).cloned())
    };
    assert_eq!(asked(ProviderKind::OpenAi, false), [Some(json!(true)), Some(json!(3))]);
    assert_eq!(asked(ProviderKind::OpenAi, true), [None, None]);
    assert_eq!(asked(ProviderKind::Mistral, false), [None, None]);
}
