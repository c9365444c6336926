//! Agent files: what other servers wrote, what this one writes, and what strangers make of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "agent_files/belongings.rs"]
mod belongings;
mod common;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use common::{Answer, TestApp, request};
use mneme_tests::{Provider, Reply};
use serde_json::{Value, json};

const CURRENT: &str = include_str!("agent_files/current.af");
const LEGACY: &str = include_str!("agent_files/legacy.af");

async fn import(app: &TestApp, file: &str, fields: &[(&str, &str)]) -> Answer {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.af\"\r\n\r\n{file}\r\n--b--\r\n"
    ));
    let request = request(Method::POST, "/v1/agents/import").header("content-type", "multipart/form-data; boundary=b");
    app.send(request.body(Body::from(body)).unwrap()).await
}

async fn imported(app: &TestApp, file: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let answer = import(app, file, fields).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let ids = answer.json()["agent_ids"].as_array().unwrap().clone();
    ids.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

async fn read(app: &TestApp, path: &str) -> Value {
    let answer = app.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
    answer.json()
}

async fn export(app: &TestApp, id: &str) -> Value {
    read(app, &format!("/v1/agents/{id}/export")).await
}

/// How many agents, blocks and tools there are.
async fn counts(app: &TestApp) -> Vec<i64> {
    let mut counts = Vec::new();
    for what in ["agents", "blocks", "tools"] {
        counts.push(read(app, &format!("/v1/{what}/count")).await.as_i64().unwrap());
    }
    counts
}

fn said(file: &Value, agent: usize) -> Vec<Value> {
    let messages = file["agents"][agent]["messages"].as_array().unwrap().iter();
    messages.filter(|message| message["role"] != "system").map(|message| message["content"].clone()).collect()
}

#[tokio::test]
async fn a_file_of_the_current_format_becomes_its_agents() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let ids = imported(&app, CURRENT, &[("append_copy_suffix", "false")]).await;
    assert_eq!(ids.len(), 2);
    let desk = read(&app, &format!("/v1/agents/{}", ids[0])).await;
    let office = read(&app, &format!("/v1/agents/{}", ids[1])).await;
    assert_eq!((&desk["name"], &office["name"]), (&json!("Travel desk"), &json!("Back office")));
    assert_eq!(desk["timezone"], "America/New_York");
    assert_eq!(desk["llm_config"]["max_tokens"], 4096);
    assert_eq!(desk["embedding_config"]["embedding_dim"], 1536);
    assert_eq!(desk["tags"], json!(["travel", "desk"]));
    assert_eq!(desk["project_id"], Value::Null);
    let blocks = |agent: &Value| agent["memory"]["blocks"].as_array().unwrap().clone();
    let labels: Vec<Value> = blocks(&desk).iter().map(|block| block["label"].clone()).collect();
    assert_eq!(labels, ["human", "persona", "notes"]);
    assert_eq!(blocks(&desk)[1]["read_only"], true);
    // A value that outgrew its limit stays whole.
    assert_eq!(blocks(&desk)[2]["value"], "Lisbon is nice in May, and it is nice in June.");
    assert_eq!(blocks(&desk)[2]["id"], blocks(&office)[0]["id"], "the block is shared still");
    let names: Vec<Value> = desk["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, ["send_message", "book", "composio_search", "nights"]);
    assert_eq!(desk["tools"][3]["json_schema"]["parameters"]["required"], json!(["days"]));
    assert_eq!(desk["secrets"][0]["key"], "BOOKING_KEY");
    assert!(!std::path::Path::new("/tmp/agent-file-was-run").exists(), "a tool's source was run");

    let context = desk["message_ids"].as_array().unwrap();
    assert_eq!(context.len(), 4, "a name of nothing is passed over");
    let messages = read(&app, &format!("/v1/agents/{}/messages?order=asc", ids[0])).await;
    let prompt = messages[0]["content"].as_str().unwrap();
    assert!(prompt.starts_with("You help people travel.") && prompt.contains("I am the desk."), "{prompt}");
    assert_eq!(messages[0]["id"], context[0]);
    let file = export(&app, &ids[0]).await;
    assert_eq!(said(&file, 0).len(), 5);
    assert_eq!(file["agents"][0]["messages"][3]["created_at"], "2025-07-01T10:00:10.500+00:00");
}

#[tokio::test]
async fn a_file_of_the_older_format_becomes_its_agent_and_goes_back() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let [id] = imported(&app, LEGACY, &[]).await.try_into().unwrap();
    let agent = read(&app, &format!("/v1/agents/{id}")).await;
    assert_eq!((&agent["name"], &agent["agent_type"]), (&json!("Bob's friend_copy"), &json!("memgpt_agent")));
    assert_eq!(agent["metadata"], json!({"origin": "elsewhere"}));
    assert_eq!((&agent["tags"], &agent["secrets"][0]["key"]), (&json!(["friend"]), &json!("TOKEN")));
    assert_eq!(agent["message_ids"].as_array().unwrap().len(), 3);

    let back = read(&app, &format!("/v1/agents/{id}/export?use_legacy_format=true")).await;
    assert_eq!(back["in_context_message_indices"], json!([0, 2, 3]));
    assert_eq!(back["core_memory"][0]["value"], "Name: Bob");
    let [again] = imported(&app, &back.to_string(), &[("append_copy_suffix", "false")]).await.try_into().unwrap();
    let (one, two) = (export(&app, &id).await, export(&app, &again).await);
    assert_eq!(said(&one, 0), said(&two, 0));
    assert_eq!(one["blocks"], two["blocks"]);
    assert_eq!(one["tools"], two["tools"]);
}

#[tokio::test]
async fn what_was_said_can_stay_out_of_a_file() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let ids = imported(&app, CURRENT, &[]).await;
    let path = format!("/v1/agents/{}/export", ids[0]);
    for scrubbed in [
        read(&app, &format!("{path}?scrub_messages=true")).await,
        read(&app, &format!("{path}?scrub_messages=true&use_legacy_format=true&conversation_id=default")).await,
    ] {
        let agent = scrubbed.pointer("/agents/0").unwrap_or(&scrubbed);
        assert_eq!(agent["messages"], json!([]), "{scrubbed}");
        let made = imported(&app, &scrubbed.to_string(), &[]).await;
        let messages = read(&app, &format!("/v1/agents/{}/messages", made[0])).await;
        assert_eq!(messages.as_array().unwrap().len(), 1, "its system prompt alone: {messages}");
    }
    assert_eq!(said(&read(&app, &format!("{path}?scrub_messages=false")).await, 0).len(), 5);
    let elsewhere = app.get(&format!("{path}?conversation_id=conv-1")).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "{}", elsewhere.text);
}

#[tokio::test]
async fn an_agent_that_waits_for_approval_is_answered_where_it_went() {
    let provider = Provider::start().await;
    let app = TestApp::with_provider(&provider.base_url()).await;
    let body = json!({"model": "openai/gpt-4o-mini", "memory_blocks": [{"label": "human", "value": "Ada."}],
        "tool_rules": [{"type": "requires_approval", "tool_name": "memory_insert"}]});
    let made = app.post("/v1/agents/", &body).await.json();
    let here = made["id"].as_str().unwrap();
    let messages = |id: &str| format!("/v1/agents/{id}/messages");
    let call = Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "Likes tea."})).call_id("c1");
    provider.reply(call.with_text("May I?"));
    let asked = app.post(&messages(here), &json!({"messages": [{"role": "user", "content": "go"}]})).await.json();
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval", "{asked}");

    let [there] = imported(&app, &export(&app, here).await.to_string(), &[]).await.try_into().unwrap();
    provider.reply(Reply::text("Noted."));
    let verdict = json!({"tool_call_id": "c1", "type": "approval", "approve": true});
    let approval = json!({"messages": [{"type": "approval", "approvals": [verdict]}]});
    let answer = app.post(&messages(&there), &approval).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = answer.json();
    assert_eq!(
        (&answer["messages"][0]["status"], &answer["messages"][1]["content"]),
        (&json!("success"), &json!("Noted."))
    );
    let block = read(&app, &format!("/v1/agents/{there}/core-memory/blocks/human")).await;
    assert_eq!(block["value"], "Ada.\nLikes tea.");
    let sent = provider.chats().pop().unwrap();
    let roles: Vec<&Value> = sent.messages().iter().map(|message| &message["role"]).collect();
    assert_eq!(&roles[roles.len() - 2..], ["assistant", "tool"], "{:?}", sent.messages());
}

#[tokio::test]
async fn options_change_what_is_imported() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let fields = [
        ("override_name", "Desk two"),
        ("append_copy_suffix", "false"),
        ("strip_messages", "true"),
        ("project_id", "p1"),
        ("env_vars_json", r#"{"BOOKING_KEY": "s3cret", "MORE": "m"}"#),
    ];
    let ids = imported(&app, CURRENT, &fields).await;
    let desk = read(&app, &format!("/v1/agents/{}", ids[0])).await;
    assert_eq!((&desk["name"], &desk["project_id"]), (&json!("Desk two"), &json!("p1")));
    assert_eq!(desk["message_ids"].as_array().unwrap().len(), 1);
    let secrets: Vec<(&Value, &Value)> =
        desk["secrets"].as_array().unwrap().iter().map(|secret| (&secret["key"], &secret["value"])).collect();
    assert_eq!(secrets, [(&json!("BOOKING_KEY"), &json!("s3cret")), (&json!("MORE"), &json!("m"))]);
    let file = export(&app, &ids[0]).await;
    assert!(!file.to_string().contains("s3cret"), "secrets stay at home");
    assert_eq!(file["agents"][0]["secrets"], json!({"BOOKING_KEY": "", "MORE": ""}));
    for (field, value, reason) in [
        ("strip_messages", "perhaps", "must be true or false"),
        ("env_vars_json", "[1]", "must be a JSON object"),
        ("env_vars_json", r#"{"A": [1]}"#, "must be a text"),
    ] {
        let refused = import(&app, CURRENT, &[(field, value)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert!(refused.detail().contains(reason), "{}", refused.text);
    }
}

#[tokio::test]
async fn tools_are_there_once_and_change_only_when_they_may() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    imported(&app, CURRENT, &[]).await;
    let before = counts(&app).await[2];
    let changed = CURRENT.replace("return days - 1", "return days - 2").replace("Speaks.", "Shouts.");
    imported(&app, &changed, &[("override_existing_tools", "false")]).await;
    let source = async |name: &str| read(&app, &format!("/v1/tools?name={name}")).await[0].clone();
    assert!(source("nights").await["source_code"].as_str().unwrap().contains("- 1"));
    imported(&app, &changed, &[]).await;
    assert_eq!(counts(&app).await[2], before, "no tool is there twice");
    assert!(source("nights").await["source_code"].as_str().unwrap().contains("- 2"));
    assert_ne!(source("send_message").await["description"], "Shouts.", "the server's own tools never change");
}

#[tokio::test]
async fn a_wrong_file_says_where_and_leaves_nothing() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let before = counts(&app).await;
    let with = |from: &str, to: &str| {
        assert!(CURRENT.contains(from), "{from}");
        CURRENT.replacen(from, to, 1)
    };
    for (file, reason) in [
        ("not json".to_owned(), "the file cannot be read"),
        ("{}".to_owned(), "neither the field 'agents'"),
        (r#"{"agents": []}"#.to_owned(), "there is no agent in it"),
        (
            with(r#""block-1", "block-0""#, r#""block-9""#),
            "agents[0] 'Travel desk': block_ids: 'block-9' is not in the file",
        ),
        (with(r#""tool-3"]"#, r#""tool-9"]"#), "tool_ids: 'tool-9' is not in the file"),
        (with(r#""label": "human""#, r#""label": "persona""#), "two of its blocks have the label 'persona'"),
        (with(r#""label": "human""#, r#""label": "<x>""#), "blocks[1] '<x>': label"),
        (with("memgpt_v2_agent", "hologram_agent"), "agent_type: there is no type 'hologram_agent'"),
        (with("max_count_per_step", "sometimes"), "tool_rules[1]"),
        (with(r#""context_window": 32000"#, r#""context_window": "big""#), "llm_config"),
        (with("America/New_York", "Moon/Base"), "there is no time zone 'Moon/Base'"),
        (with("external_composio", "external_magic"), "tools[2] 'composio_search': tool_type"),
        (with(r#""name": "requests""#, r#""name": "--index-url=http://evil""#), "tools[1] 'book'"),
        (with("def nights(days: int) -> int:", "def nights(days"), "tools[3] 'nights'"),
        (with(r#""role": "assistant""#, r#""role": "narrator""#), "agents[0] 'Travel desk', messages[4]: role"),
        (with("2025-07-01T10:00:11Z", "soon"), "messages[4]: created_at: 'soon' is no time"),
        (with("They want to fly.", "They \\u0000 fly."), "NUL"),
        (with(r#""id": "agent-1""#, r#""id": "agent-0""#), "another agent of the file has the same id"),
    ] {
        let refused = import(&app, &file, &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{reason}: {}", refused.text);
        assert!(refused.detail().contains(reason), "{reason}: {}", refused.text);
    }
    assert_eq!(counts(&app).await, before);
    let none = app.send(request(Method::POST, "/v1/agents/import").body(Body::empty()).unwrap()).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(none.detail().contains("'loc': ('body', 'file')"), "{}", none.text);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let app = TestApp::with(|config| config.max_import_bytes = 4096).await;
    let refused = import(&app, &"x".repeat(10_000), &[]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_long_history_travels_whole() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let mut file: Value = serde_json::from_str(CURRENT).unwrap();
    let message =
        |number: usize| json!({"role": "user", "id": format!("m-{number}"), "content": format!("line {number}")});
    file["agents"][1]["messages"] = (0..1_234).map(message).collect();
    file["agents"][1]["in_context_message_ids"] = json!(["m-1233", "m-2"]);
    let ids = imported(&app, &file.to_string(), &[]).await;
    let back = export(&app, &ids[1]).await;
    let expected: Vec<Value> = (0..1_234)
        .map(|number| json!([{"type": "text", "text": format!("line {number}"), "signature": null}]))
        .collect();
    assert_eq!(said(&back, 0), expected);
    // The instructions, which this file did not have, come first.
    assert_eq!(back["agents"][0]["in_context_message_ids"], json!(["message-0", "message-1234", "message-3"]));
}

mod round_trip {
    use proptest::prelude::*;

    use super::*;

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z ]{0,20}",
            Just("👩‍👩‍👧 東京 \u{202e}rtl\u{202c} e\u{301} 50%_\\ 'q' \"d\" $1;--\n\t".to_owned()),
            "\\PC{0,12}",
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        "[A-Za-z][A-Za-z0-9 ]{0,15}[a-z]"
    }

    fn block(index: usize) -> impl Strategy<Value = Value> {
        (text(), 1_000_i64..9_000, any::<bool>(), proptest::option::of(text())).prop_map(
            move |(value, limit, read_only, description)| {
                json!({
                    "value": value, "limit": limit, "project_id": null, "template_name": null, "is_template": false,
                    "template_id": null, "base_template_id": null, "deployment_id": null, "entity_id": null,
                    "preserve_on_migration": false, "label": format!("label{index}"), "read_only": read_only,
                    "description": description, "metadata": {"n": limit}, "hidden": null,
                    "id": format!("block-{index}"),
                })
            },
        )
    }

    fn message() -> impl Strategy<Value = Value> {
        let at = (0_i64..1_000_000_000).prop_map(|micros| {
            chrono::DateTime::from_timestamp_micros(1_750_000_000_000_000 + micros).unwrap().to_rfc3339()
        });
        let content = prop_oneof![
            text().prop_map(|text| json!([{"type": "text", "text": text, "signature": null}])),
            text().prop_map(
                |text| json!([{"type": "reasoning", "is_native": true, "reasoning": text, "signature": "s"}])
            ),
            Just(json!([])),
        ];
        let calls = prop_oneof![
            Just(Value::Null),
            "[a-z_]{1,9}".prop_map(|name| json!([{"id": "call_1", "function": {"arguments": "{\"a\": 1}", "name": name}, "type": "function"}])),
        ];
        let returns = prop_oneof![
            Just(json!([])),
            text().prop_map(|text| json!([{"tool_call_id": "call_1", "status": "error", "stdout": ["o"], "stderr": null, "func_response": text}])),
        ];
        (
            prop_oneof![Just("user"), Just("assistant"), Just("tool")],
            content,
            calls,
            returns,
            at,
            proptest::option::of(text()),
        )
            .prop_map(|(role, content, calls, returns, at, name)| {
                json!({
                    "type": "message", "role": role, "content": content, "name": name, "otid": null, "sender_id": null,
                    "batch_item_id": null, "group_id": null, "model": null, "agent_id": "agent-0", "tool_calls": calls,
                    "tool_call_id": null, "tool_returns": returns, "created_at": at, "approve": null,
                    "approval_request_id": null, "denial_reason": null, "approvals": [],
                })
            })
    }

    prop_compose! {
        fn file()(
            name in name(),
            system in text(),
            description in proptest::option::of(text()),
            tags in proptest::collection::btree_set("[a-z]{1,8}", 0..4),
            variables in proptest::collection::btree_set("[A-Z]{1,8}", 0..3),
            blocks in (0_usize..4).prop_flat_map(|count| (0..count).map(block).collect::<Vec<_>>()),
            mut messages in proptest::collection::vec(message(), 0..12),
            view in proptest::collection::vec(any::<bool>(), 12),
            temperature in 0_u32..20,
            kind in prop_oneof![Just("letta_v1_agent"), Just("memgpt_v2_agent"), Just("memgpt_agent"), Just("workflow_agent")],
        ) -> Value {
            let mut seen = vec!["message-0".to_owned()];
            for (index, message) in messages.iter_mut().enumerate() {
                let name = format!("message-{}", index + 1);
                message["id"] = name.clone().into();
                if view[index] {
                    seen.push(name);
                }
            }
            let instructions = json!({"role": "system", "id": "message-0", "content": "old", "created_at": "2025-01-01T00:00:00+00:00"});
            messages.insert(0, instructions);
            let variables: serde_json::Map<String, Value> =
                variables.into_iter().map(|name| (name, "".into())).collect();
            json!({
                "agents": [{
                    "id": "agent-0", "name": name, "system": system, "description": description, "agent_type": kind,
                    "tags": tags, "secrets": variables, "messages": messages, "in_context_message_ids": seen,
                    "block_ids": (0..blocks.len()).map(|index| format!("block-{index}")).collect::<Vec<_>>(),
                    "tool_ids": [], "metadata": {"k": temperature},
                    "llm_config": {"model": "m", "model_endpoint_type": "openai", "context_window": 9000 + temperature,
                                   "temperature": f64::from(temperature) / 10.0, "handle": "openai/m"},
                }],
                "blocks": blocks, "tools": [],
            })
        }
    }

    /// What a file says, without what every server writes anew.
    fn essence(file: &Value) -> Value {
        let agent = &file["agents"][0];
        let messages: Vec<Value> = agent["messages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|message| message["role"] != "system")
            .cloned()
            .collect();
        let mut essence = json!({"messages": messages, "blocks": file["blocks"]});
        for field in [
            "name",
            "system",
            "description",
            "agent_type",
            "tags",
            "secrets",
            "in_context_message_ids",
            "block_ids",
            "tool_ids",
            "metadata",
        ] {
            essence[field] = agent[field].clone();
        }
        for field in ["model", "context_window", "temperature", "handle"] {
            essence["llm"][field] = agent["llm_config"][field].clone();
        }
        essence
    }

    #[test]
    fn random_agents_survive_a_round_trip() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        // The store gives its connections back when it goes, which it does on a runtime only.
        let _context = runtime.enter();
        let app = runtime.block_on(TestApp::new());
        let mut runner =
            proptest::test_runner::TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
        runner
            .run(&file(), |file| {
                runtime.block_on(async {
                    let [id] =
                        imported(&app, &file.to_string(), &[("append_copy_suffix", "false")]).await.try_into().unwrap();
                    let first = export(&app, &id).await;
                    assert_eq!(essence(&first), essence(&file));
                    let [again] = imported(&app, &first.to_string(), &[("append_copy_suffix", "false")])
                        .await
                        .try_into()
                        .unwrap();
                    assert_eq!(essence(&export(&app, &again).await), essence(&first));
                });
                Ok(())
            })
            .unwrap();
    }
}
