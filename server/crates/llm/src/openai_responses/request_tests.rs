//! The exact bodies that go out.

use insta::assert_json_snapshot;

use super::*;
use crate::fixtures::{everything, request, structured, user};

#[test]
fn one_of_everything() {
    assert_json_snapshot!(body(&everything("gpt-5-mini"), true), @r#"
    {
      "model": "gpt-5-mini",
      "input": [
        {
          "role": "system",
          "content": "Be kind."
        },
        {
          "role": "user",
          "content": [
            {
              "type": "input_text",
              "text": "look"
            },
            {
              "type": "input_image",
              "image_url": "data:image/png;base64,cGl4ZWw="
            },
            {
              "type": "input_image",
              "image_url": "https://pictures.example/cat.webp",
              "detail": "low"
            }
          ]
        },
        {
          "type": "reasoning",
          "summary": [
            {
              "type": "summary_text",
              "text": "two dice"
            }
          ],
          "encrypted_content": "c2ln"
        },
        {
          "role": "assistant",
          "content": "Rolling."
        },
        {
          "type": "function_call",
          "call_id": "call.1",
          "name": "roll",
          "arguments": "{\"sides\":6}"
        },
        {
          "type": "function_call",
          "call_id": "call_2",
          "name": "roll",
          "arguments": "{\"sides\":"
        },
        {
          "type": "function_call_output",
          "call_id": "call.1",
          "output": "4"
        },
        {
          "type": "function_call_output",
          "call_id": "call_2",
          "output": "bad arguments"
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
          },
          "strict": false
        },
        {
          "type": "function",
          "name": "stop",
          "description": "Ends.",
          "parameters": {
            "type": "object",
            "properties": {}
          },
          "strict": false
        }
      ],
      "tool_choice": "auto",
      "parallel_tool_calls": false,
      "max_output_tokens": 2000,
      "reasoning": {
        "summary": "auto",
        "effort": "low"
      },
      "text": {
        "verbosity": "high"
      },
      "store": false,
      "include": [
        "reasoning.encrypted_content"
      ],
      "stream": true
    }
    "#);
}

#[test]
fn a_structured_answer() {
    assert_json_snapshot!(body(&structured("o3"), false), @r#"
    {
      "model": "o3",
      "input": [
        {
          "role": "system",
          "content": "Count."
        },
        {
          "role": "user",
          "content": "how many?"
        }
      ],
      "text": {
        "format": {
          "type": "json_schema",
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
      "store": false,
      "stream": false
    }
    "#);
}

#[test]
fn each_tool_choice() {
    for (choice, expected) in [
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("roll".into()), json!({"type": "function", "name": "roll"})),
    ] {
        let mut request = everything("o3");
        request.tool_choice = choice;
        assert_eq!(body(&request, true)["tool_choice"], expected);
    }
}

#[test]
fn verbosity_is_for_gpt5_only() {
    let mut request = request("o3", vec![user("hi")]);
    request.params.verbosity = Some("low".into());
    assert_eq!(body(&request, true).get("text"), None);
}

#[test]
fn reasoning_that_nobody_wants_to_see_is_not_asked_for() {
    let mut request = everything("gpt-5-mini");
    request.params.enable_reasoner = false;
    let asked = body(&request, true);
    assert_eq!((asked.get("include"), &asked["reasoning"]), (None, &json!({"effort": "low"})));
    request.params.reasoning_effort = None;
    assert_eq!(body(&request, true).get("reasoning"), None);
}
