//! The exact bodies that go out.

use insta::assert_json_snapshot;

use super::*;
use crate::fixtures::{assistant, calls, everything, request, result, structured, system, thought, user};

#[test]
fn one_of_everything() {
    assert_json_snapshot!(body(&everything("gemini-2.5-flash")), @r#"
    {
      "systemInstruction": {
        "parts": [
          {
            "text": "Be kind."
          }
        ]
      },
      "contents": [
        {
          "role": "user",
          "parts": [
            {
              "text": "look"
            },
            {
              "inlineData": {
                "mimeType": "image/png",
                "data": "cGl4ZWw="
              }
            },
            {
              "fileData": {
                "mimeType": "image/webp",
                "fileUri": "https://pictures.example/cat.webp"
              }
            }
          ]
        },
        {
          "role": "model",
          "parts": [
            {
              "text": "Rolling."
            },
            {
              "functionCall": {
                "name": "roll",
                "args": {
                  "sides": 6
                }
              },
              "thoughtSignature": "c2ln"
            },
            {
              "functionCall": {
                "name": "roll",
                "args": {
                  "_raw": "{\"sides\":"
                }
              }
            }
          ]
        },
        {
          "role": "user",
          "parts": [
            {
              "functionResponse": {
                "name": "roll",
                "response": {
                  "result": "4"
                }
              }
            },
            {
              "functionResponse": {
                "name": "roll",
                "response": {
                  "result": "bad arguments"
                }
              }
            },
            {
              "text": "<system>\nA minute passed.\n</system>"
            },
            {
              "text": "and now?"
            }
          ]
        }
      ],
      "tools": [
        {
          "functionDeclarations": [
            {
              "name": "roll",
              "description": "Rolls a die.",
              "parametersJsonSchema": {
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
              "description": "Ends."
            }
          ]
        }
      ],
      "toolConfig": {
        "functionCallingConfig": {
          "mode": "AUTO"
        }
      },
      "generationConfig": {
        "temperature": 0.7,
        "maxOutputTokens": 2000,
        "frequencyPenalty": 0.5,
        "thinkingConfig": {
          "includeThoughts": true,
          "thinkingBudget": 1024
        }
      }
    }
    "#);
}

#[test]
fn a_structured_answer() {
    assert_json_snapshot!(body(&structured("gemini-2.0-flash")), @r#"
    {
      "systemInstruction": {
        "parts": [
          {
            "text": "Count."
          }
        ]
      },
      "contents": [
        {
          "role": "user",
          "parts": [
            {
              "text": "how many?"
            }
          ]
        }
      ],
      "generationConfig": {
        "responseMimeType": "application/json",
        "responseJsonSchema": {
          "type": "object",
          "properties": {
            "n": {
              "type": "integer"
            }
          },
          "required": [
            "n"
          ]
        }
      }
    }
    "#);
}

#[test]
fn each_tool_choice() {
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Named("roll".into()), json!({"mode": "ANY", "allowedFunctionNames": ["roll"]})),
    ] {
        let mut request = everything("gemini-2.5-pro");
        request.tool_choice = choice;
        assert_eq!(body(&request)["toolConfig"]["functionCallingConfig"], expected);
    }
}

#[test]
fn thinking_follows_the_model_and_the_budget() {
    let ask = |model: &str, budget: u32| {
        let mut request = everything(model);
        request.params.max_reasoning_tokens = budget;
        body(&request)["generationConfig"].get("thinkingConfig").cloned()
    };
    assert_eq!(ask("gemini-2.0-flash", 100), None);
    assert_eq!(ask("gemini-2.5-pro", 512), Some(json!({"includeThoughts": true, "thinkingBudget": 512})));
    assert_eq!(ask("gemini-3-pro-preview", 0), Some(json!({"includeThoughts": true, "thinkingLevel": "low"})));
    let told_not_to = |model: &str| {
        let mut request = everything(model);
        request.params.enable_reasoner = false;
        body(&request)["generationConfig"].get("thinkingConfig").cloned()
    };
    assert_eq!(told_not_to("gemini-2.5-flash"), Some(json!({"thinkingBudget": 0})));
    assert_eq!(told_not_to("gemini-2.5-pro"), None, "it cannot be told");
}

#[test]
fn gemini_3_is_told_that_a_call_is_not_its_own() {
    let history = |reasoning| vec![user("u"), calls(reasoning, &["a", "b"]), result("a", "1"), result("b", "2")];
    let signatures = |model: &str, reasoning| {
        let body = body(&request(model, history(reasoning)));
        let parts = body["contents"][1]["parts"].as_array().cloned().unwrap_or_default();
        parts.iter().map(|part| part["thoughtSignature"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(signatures("gemini-3-pro-preview", vec![]), [Some(UNSIGNED.to_owned()), None]);
    assert_eq!(signatures("gemini-3-pro-preview", vec![thought("t", Some("c2ln"))]), [Some("c2ln".to_owned()), None]);
    assert_eq!(signatures("gemini-2.5-pro", vec![]), [None, None]);
}

#[test]
fn a_conversation_begins_with_the_user() {
    let body = body(&request("gemini-2.5-pro", vec![system("s"), assistant("a")]));
    assert_eq!(body["contents"][0]["role"], "user");
    assert_eq!(body["contents"][1], json!({"role": "model", "parts": [{"text": "a"}]}));
}

#[test]
fn a_structured_answer_beside_tools_is_asked_for_in_words() {
    let mut both = everything("gemini-2.5-flash");
    both.response_format = structured("gemini-2.5-flash").response_format;
    let body = body(&both);
    let system = body["systemInstruction"]["parts"][0]["text"].as_str().unwrap_or_default();
    assert!(system.starts_with("Be kind.\n\n") && system.contains("JSON Schema"), "{system}");
    assert!(body["generationConfig"].get("responseMimeType").is_none());
}
