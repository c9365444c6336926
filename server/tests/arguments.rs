//! What clients may say beside the essential, and what comes of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{Answer, TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

/// A provider whose model always gives this answer.
async fn provider_saying(choice: Value) -> MockServer {
    let server = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "gpt-4o", "object": "model" },
        { "id": "o3-mini", "object": "model" },
    ] });
    let answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini", "choices": [choice],
        "usage": { "prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14 },
    });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&server).await;
    let said = ResponseTemplate::new(200).set_body_json(answer);
    Mock::given(method("POST")).and(path("/chat/completions")).respond_with(said).mount(&server).await;
    server
}

/// A provider whose model always answers "Noted."
async fn provider() -> MockServer {
    let message = json!({ "role": "assistant", "content": "Noted." });
    provider_saying(json!({ "index": 0, "finish_reason": "stop", "message": message })).await
}

/// What the model was asked so far, in order.
async fn asked(provider: &MockServer) -> Vec<Value> {
    let requests = provider.received_requests().await.unwrap();
    let chats = requests.iter().filter(|request| request.url.path() == "/chat/completions");
    chats.map(|chat| chat.body_json().unwrap()).collect()
}

/// The system prompt of a model call.
fn system(call: &Value) -> &str {
    assert_eq!(call["messages"][0]["role"], "system", "{call}");
    call["messages"][0]["content"].as_str().unwrap()
}

fn good(answer: Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// Makes an agent; what is named here goes before the usual. Its path comes back.
async fn make_agent(app: &TestApp, named: Value) -> String {
    let mut body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini",
        "memory_blocks": [{ "label": "human", "value": "I am Ada." }],
    });
    body.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
    let made = good(app.post("/v1/agents/", &body).await);
    format!("/v1/agents/{}", made["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_turn_may_have_a_system_prompt_of_its_own() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app, json!({})).await;
    let messages = format!("{agent}/messages");
    let pirate = "You are a pirate.";
    good(app.post(&messages, &json!({ "input": "one", "override_system": pirate })).await);
    let stream = json!({ "input": "two", "override_system": pirate, "stream_tokens": true });
    assert_eq!(app.post(&format!("{messages}/stream"), &stream).await.status.as_u16(), 200);
    good(app.post(&messages, &json!({ "input": "three", "override_system": null })).await);
    let calls = asked(&provider).await;
    assert_eq!([system(&calls[0]), system(&calls[1])], [pirate, pirate]);
    assert!(system(&calls[2]).contains("I am Ada."), "the agent's own prompt is back: {}", system(&calls[2]));
    let body = json!({ "input": "four", "override_system": pirate, "override_model": "openai/gpt-4o" });
    let preview = good(app.post(&format!("{messages}/preview-raw-payload"), &body).await);
    assert_eq!((system(&preview), &preview["model"]), (pirate, &json!("gpt-4o")));
    let history = good(app.get(&format!("{messages}?order=asc")).await);
    assert!(history[0]["content"].as_str().unwrap().contains("I am Ada."), "nothing of it is kept: {}", history[0]);
}

#[tokio::test]
async fn the_model_is_told_of_the_clients_skills_for_one_turn() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app, json!({})).await;
    let messages = format!("{agent}/messages");
    let skill = json!({ "name": "letters", "description": "Writes\nletters.", "location": "skills/letters/SKILL.md" });
    let tool = json!({ "name": "read_file", "description": "Reads." });
    let body = json!({ "input": "one", "client_skills": [skill], "client_tools": [tool] });
    let preview = good(app.post(&format!("{messages}/preview-raw-payload"), &body).await);
    good(app.as_current(Method::POST, &messages, &body).await);
    good(app.post(&messages, &json!({ "input": "two", "client_skills": [] })).await);
    let calls = asked(&provider).await;
    for call in [&preview, &calls[0]] {
        let prompt = system(call);
        assert!(prompt.contains("I am Ada."), "{prompt}");
        assert!(prompt.contains("- letters (skills/letters/SKILL.md): Writes letters."), "{prompt}");
        let tools = call["tools"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool["function"]["name"] == "read_file"), "{call}");
    }
    assert!(!system(&calls[1]).contains("available_skills"), "{}", system(&calls[1]));
    let refused = app.post(&messages, &json!({ "input": "three", "client_skills": [{ "name": "letters" }] })).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
}

#[tokio::test]
async fn a_form_of_answers_that_is_none_is_refused() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app, json!({ "response_format": { "type": "json_object" } })).await;
    for wrong in
        [json!([null, null]), json!("json_object"), json!({}), json!({ "type": 1 }), json!({ "type": "json_schema" })]
    {
        for body in [json!({ "response_format": wrong }), json!({ "model_settings": { "response_format": wrong } })] {
            let refused = app.patch(&agent, &body).await;
            assert_eq!(refused.status.as_u16(), 422, "{body}: {}", refused.text);
            assert!(refused.text.contains("response_format"), "{}", refused.text);
        }
    }
    assert_eq!(good(app.get(&agent).await)["response_format"], json!({ "type": "json_object" }));
    // A server of models may know more types than the usual ones.
    for right in
        [json!({ "type": "text" }), json!({ "type": "json_schema", "json_schema": {} }), json!({ "type": "grammar" })]
    {
        assert_eq!(good(app.patch(&agent, &json!({ "response_format": right })).await)["response_format"], right);
    }
}

#[tokio::test]
async fn a_models_settings_reach_the_model() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let form = json!({ "type": "json_object" });
    let settings = json!({
        "provider_type": "openai", "temperature": 0.25, "max_output_tokens": 77, "parallel_tool_calls": true,
        "response_format": form,
    });
    let agent = make_agent(&app, json!({ "model_settings": settings })).await;
    good(app.post(&format!("{agent}/messages"), &json!({ "input": "one" })).await);
    let shown = good(app.as_current(Method::GET, &agent, &Value::Null).await);
    assert_eq!((&shown["model"], &shown["model_settings"]), (&json!("openai/gpt-4o-mini"), &settings));
    assert_eq!(shown["response_format"], form);

    let change = json!({ "model_settings": { "temperature": 1.5, "response_format": null } });
    good(app.as_current(Method::PATCH, &agent, &change).await);
    good(app.post(&format!("{agent}/messages"), &json!({ "input": "two" })).await);
    let calls = asked(&provider).await;
    let told = |call: &Value| {
        let names = ["temperature", "max_tokens", "parallel_tool_calls", "response_format"];
        names.map(|name| call.get(name).cloned().unwrap_or_default())
    };
    assert_eq!(told(&calls[0]), [json!(0.25), json!(77), json!(true), form]);
    assert_eq!(told(&calls[1]), [json!(1.5), json!(77), json!(true), Value::Null], "what is not named stays");

    let hard = json!({ "model": "openai/o3-mini", "model_settings": { "reasoning": { "reasoning_effort": "high" } } });
    let shown = good(app.as_current(Method::PATCH, &agent, &hard).await);
    assert_eq!(shown["llm_config"]["reasoning_effort"], "high", "{shown}");
    assert_eq!(shown["model_settings"]["reasoning"]["reasoning_effort"], "high", "{shown}");
    for wrong in [json!({ "temperature": 7 }), json!({ "temperature": "hot" }), json!({ "max_output_tokens": -1 })] {
        let refused = app.patch(&agent, &json!({ "model_settings": wrong })).await;
        assert_eq!(refused.status.as_u16(), 422, "{wrong}: {}", refused.text);
    }
}

#[tokio::test]
async fn agents_are_listed_by_how_their_last_run_ended() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let (talked, silent) = (make_agent(&app, json!({})).await, make_agent(&app, json!({})).await);
    good(app.post(&format!("{talked}/messages"), &json!({ "input": "one" })).await);
    let found = async |query: &str| {
        let listed = good(app.as_current(Method::GET, &format!("/v1/agents/?{query}"), &Value::Null).await);
        let paths =
            listed.as_array().unwrap().iter().map(|agent| format!("/v1/agents/{}", agent["id"].as_str().unwrap()));
        paths.collect::<Vec<String>>()
    };
    assert_eq!(found("last_stop_reason=end_turn").await, [talked.as_str()]);
    assert_eq!(found("last_stop_reason=requires_approval").await, Vec::<String>::new());
    assert_eq!(found("last_stop_reason=insufficient_credits").await, Vec::<String>::new(), "a reason unknown here");
    assert_eq!(found("last_stop_reason=").await, [silent.as_str(), talked.as_str()]);
}

#[tokio::test]
async fn a_conversation_that_is_not_kept_holds_nothing() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app, json!({})).await;
    let messages = format!("{agent}/messages");
    good(app.post(&messages, &json!({ "input": "one" })).await);
    for list in [messages.as_str(), "/v1/messages/", "/v1/runs/"] {
        let whole = good(app.as_current(Method::GET, list, &Value::Null).await);
        assert!(!whole.as_array().unwrap().is_empty(), "{list}");
        let own = good(app.as_current(Method::GET, &format!("{list}?conversation_id=default"), &Value::Null).await);
        assert_eq!(own, whole, "{list}: an agent's own conversation");
        let other = good(app.as_current(Method::GET, &format!("{list}?conversation_id=conv-1"), &Value::Null).await);
        assert_eq!(other, json!([]), "{list}");
    }
}

#[tokio::test]
async fn a_context_is_made_smaller_as_its_settings_say() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let said: Vec<Value> =
        ["one", "two", "three", "four"].map(|text| json!({ "role": "user", "content": text })).into();
    let settings = json!({
        "mode": "all", "model": "openai/gpt-4o", "prompt": "One word each.", "prompt_acknowledgement": true,
        "model_settings": { "temperature": 0.5, "max_output_tokens": 50 }, "clip_chars": 4,
    });
    let named = json!({ "initial_message_sequence": said, "system": "Be brief.", "compaction_settings": settings });
    let agent = make_agent(&app, named).await;
    let shown = good(app.get(&agent).await);
    assert_eq!(shown["compaction_settings"]["prompt"], "One word each.", "{shown}");
    assert_eq!(shown["compaction_settings"]["sliding_window_percentage"], 0.3, "{shown}");
    assert_eq!(shown["llm_config"].get("compaction_settings"), None, "it is told once");

    let summarize = format!("{agent}/summarize");
    let done = good(app.as_current(Method::POST, &summarize, &json!({})).await);
    assert_eq!((&done["num_messages_before"], &done["num_messages_after"]), (&json!(5), &json!(3)), "{done}");
    assert!(done["summary"].as_str().unwrap().ends_with("In short: Note…"), "{done}");
    let call = asked(&provider).await.remove(0);
    assert_eq!(call["model"], "gpt-4o");
    assert_eq!((&call["temperature"], &call["max_tokens"]), (&json!(0.5), &json!(50)));
    let roles: Vec<&Value> = call["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"], "{call}");
    assert_eq!(call["messages"][1]["content"], "One word each.");
    assert!(call["messages"][3]["content"].as_str().unwrap().starts_with("user: one\n"), "{call}");

    let own = json!({ "compaction_settings": { "mode": "self_compact_sliding_window", "model": "openai/gpt-4o" } });
    let done = good(app.as_current(Method::POST, &summarize, &own).await);
    assert!(done["summary"].as_str().unwrap().ends_with("In short: Noted."), "{done}");
    let call = asked(&provider).await.remove(1);
    assert_eq!((system(&call), &call["model"]), ("Be brief.", &json!("gpt-4o-mini")), "{call}");

    let kept = good(app.patch(&agent, &json!({ "model": "openai/gpt-4o" })).await);
    assert_eq!(kept["compaction_settings"]["mode"], "all", "another model changes nothing of it: {kept}");
    let gone = good(app.patch(&agent, &json!({ "compaction_settings": null })).await);
    assert_eq!(gone.get("compaction_settings"), None, "{gone}");
    for (wrong, status) in [
        (json!({ "sliding_window_percentage": 0 }), 422),
        (json!({ "mode": "nothing" }), 422),
        (json!({ "model_settings": { "temperature": 9 } }), 422),
        (json!({ "model": "nobody/nothing" }), 404),
    ] {
        let body = json!({ "compaction_settings": wrong });
        for refused in [app.patch(&agent, &body).await, app.post(&summarize, &body).await] {
            assert_eq!(refused.status.as_u16(), status, "{wrong}: {}", refused.text);
        }
    }
}

#[tokio::test]
async fn log_probabilities_come_with_the_answer() {
    let token = json!({ "token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [] });
    let logprobs = json!({ "content": [token], "refusal": null });
    let message = json!({ "role": "assistant", "content": "Hi" });
    let choice = json!({ "index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs });
    let provider = provider_saying(choice).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let messages = format!("{}/messages", make_agent(&app, json!({})).await);
    let wanted = json!({ "input": "one", "return_logprobs": true, "top_logprobs": 2 });
    let told = good(app.as_current(Method::POST, &messages, &wanted).await);
    assert_eq!(told["logprobs"], logprobs, "{told}");
    let untold = good(app.as_current(Method::POST, &messages, &json!({ "input": "two", "top_logprobs": 2 })).await);
    assert_eq!(untold.get("logprobs"), None, "nobody asked: {untold}");
    let calls = asked(&provider).await;
    assert_eq!((&calls[0]["logprobs"], &calls[0]["top_logprobs"]), (&json!(true), &json!(2)));
    assert_eq!((calls[1].get("logprobs"), calls[1].get("top_logprobs")), (None, None));
}

/// Imports an agent file with other fields of the form; the new agents' paths come back.
async fn imported(app: &TestApp, file: &Value, fields: &[(&str, &str)]) -> Vec<String> {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str(&format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.af\"";
    body.push_str(&format!("--b\r\n{head}\r\n\r\n{file}\r\n--b--\r\n"));
    let form = request(Method::POST, "/v1/agents/import").header("content-type", "multipart/form-data; boundary=b");
    let made = good(app.send(form.body(Body::from(body)).unwrap()).await);
    made["agent_ids"].as_array().unwrap().iter().map(|id| format!("/v1/agents/{}", id.as_str().unwrap())).collect()
}

#[tokio::test]
async fn an_imported_agent_may_have_another_model_and_name() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let settings = json!({ "temperature": 0.25 });
    let agent = make_agent(&app, json!({ "model_settings": settings, "context_window_limit": 9000 })).await;
    let file = good(app.get(&format!("{agent}/export")).await);
    let newer = [("model", "openai/gpt-4o"), ("name", "Ada"), ("secrets", "{\"KEY\": \"v\"}")];
    let older =
        [("override_model_handle", "openai/gpt-4o"), ("override_name", "Ada"), ("env_vars_json", "{\"KEY\": \"v\"}")];
    for fields in [newer, older] {
        let made = imported(&app, &file, &fields).await;
        let shown = good(app.get(&made[0]).await);
        assert_eq!((&shown["model"], &shown["name"]), (&json!("openai/gpt-4o"), &json!("Ada")), "{fields:?}");
        let config = &shown["llm_config"];
        assert_eq!((&config["temperature"], &config["context_window"]), (&json!(0.25), &json!(9000)), "{fields:?}");
        assert_eq!(shown["secrets"][0]["value"], "v", "{fields:?}");
    }
}

#[tokio::test]
async fn folders_are_changed_under_their_newer_name() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let agent = make_agent(&app, json!({})).await;
    let folder = good(app.post("/v1/folders/", &json!({ "name": "papers" })).await);
    let changed = good(app.patch(&agent, &json!({ "folder_ids": [folder["id"]] })).await);
    assert_eq!(changed["sources"][0]["id"], folder["id"], "{changed}");
    let emptied = good(app.patch(&agent, &json!({ "folder_ids": [] })).await);
    assert_eq!(emptied["sources"], json!([]), "{emptied}");

    let owner = make_agent(&app, json!({ "include_default_source": true, "folder_ids": [folder["id"]] })).await;
    let shown = good(app.get(&owner).await);
    let names: Vec<&str> =
        shown["sources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let own = format!("Files of {}", shown["id"].as_str().unwrap());
    assert!(names.len() == 2 && names.contains(&"papers") && names.contains(&own.as_str()), "{names:?}");
    let tools = shown["tools"].as_array().unwrap();
    assert!(tools.iter().any(|tool| tool["name"] == "grep_files"), "{shown}");
}

#[tokio::test]
async fn a_folder_keeps_its_model_where_a_client_writes_null() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let model = json!({
        "embedding_model": "text-embedding-3-small", "embedding_endpoint_type": "openai", "embedding_dim": 1536,
        "embedding_endpoint": provider.uri(), "handle": "openai/text-embedding-3-small",
    });
    let folder = good(app.post("/v1/folders/", &json!({ "name": "papers", "embedding_config": model })).await);
    assert_eq!(folder["embedding_config"]["embedding_model"], "text-embedding-3-small", "{folder}");
    let path = format!("/v1/folders/{}", folder["id"].as_str().unwrap());
    let nulls = json!({ "name": "theses", "description": null, "metadata": null, "embedding_config": null });
    let renamed = good(app.patch(&path, &nulls).await);
    assert_eq!(renamed["name"], "theses");
    assert_eq!(renamed["embedding_config"], folder["embedding_config"]);
}

#[tokio::test]
async fn messages_are_searched_in_one_project() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    for (project, text) in [("p-one", "zebras here"), ("p-two", "zebras there")] {
        let said = json!([{ "role": "user", "content": text }]);
        make_agent(&app, json!({ "project_id": project, "initial_message_sequence": said })).await;
    }
    let search = json!({ "query": "zebras", "search_mode": "fts", "project_id": "p-two" });
    let found = good(app.post("/v1/agents/messages/search", &search).await);
    let texts: Vec<&Value> = found.as_array().unwrap().iter().map(|one| &one["embedded_text"]).collect();
    assert_eq!(texts, ["zebras there"], "{found}");
}

#[tokio::test]
async fn agents_that_wait_for_somebody_are_found_with_what_they_wait_for() {
    let function = json!({ "name": "read_file", "arguments": "{\"path\": \"a.txt\"}" });
    let call = json!({ "id": "call_1", "type": "function", "function": function });
    let message = json!({ "role": "assistant", "content": null, "tool_calls": [call] });
    let provider = provider_saying(json!({ "index": 0, "finish_reason": "tool_calls", "message": message })).await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let (waits, rests) = (make_agent(&app, json!({})).await, make_agent(&app, json!({})).await);
    let body = json!({ "input": "one", "client_tools": [{ "name": "read_file" }] });
    let asked = good(app.as_current(Method::POST, &format!("{waits}/messages"), &body).await);
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval", "{asked}");
    let list = "/v1/agents/?last_stop_reason=requires_approval&include=agent.pending_approval";
    let listed = good(app.as_current(Method::GET, list, &Value::Null).await);
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    let pending = &listed[0]["pending_approval"];
    assert_eq!(
        (&pending["message_type"], &pending["tool_call"]["name"]),
        (&json!("approval_request_message"), &json!("read_file"))
    );
    let query = "include=agent.pending_approval";
    let one = good(app.as_current(Method::GET, &format!("{waits}?{query}"), &Value::Null).await);
    assert_eq!(one["pending_approval"], *pending);
    let unasked = good(app.as_current(Method::GET, &waits, &Value::Null).await);
    assert_eq!(unasked.get("pending_approval"), None, "{unasked}");
    let rested = good(app.as_current(Method::GET, &format!("{rests}?{query}"), &Value::Null).await);
    assert_eq!(rested.get("pending_approval"), None, "{rested}");
}

#[tokio::test]
async fn blocks_are_not_found_by_labels_that_are_not_kept() {
    let app = TestApp::new().await;
    let body = json!({ "label": "notes", "value": "v", "tags": ["mine"] });
    good(app.as_current(Method::POST, "/v1/blocks/", &body).await);
    let found = good(app.as_current(Method::GET, "/v1/blocks/?tags=mine", &Value::Null).await);
    assert_eq!(found, json!([]));
    let all = good(app.as_current(Method::GET, "/v1/blocks/", &Value::Null).await);
    assert_eq!(all[0]["label"], "notes", "{all}");
}

#[tokio::test]
async fn older_clients_say_how_many_messages_stay() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let said: Vec<Value> = (0..9).map(|number| json!({ "role": "user", "content": number.to_string() })).collect();
    let agent = make_agent(&app, json!({ "initial_message_sequence": said })).await;
    let in_view = async || good(app.get(&agent).await)["message_ids"].as_array().unwrap().len();
    for (most, left) in [(10, 10), (6, 6), (1, 3)] {
        let done = app.post(&format!("{agent}/summarize?max_message_length={most}"), &json!({})).await;
        assert_eq!(done.status.as_u16(), 204, "{most}: {}", done.text);
        assert_eq!(in_view().await, left, "{most}");
    }
    let refused = app.post(&format!("{agent}/summarize?max_message_length=many"), &json!({})).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
}

#[tokio::test]
async fn tools_are_counted_without_those_that_come_with_the_server() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let source = "def roll() -> int:\n    \"\"\"Rolls a die.\"\"\"\n    return 4\n";
    good(app.post("/v1/tools/", &json!({ "source_code": source })).await);
    assert_eq!(good(app.get("/v1/tools/count?exclude_letta_tools=true").await), json!(1));
    let all = good(app.get("/v1/tools/count").await).as_i64().unwrap();
    let own = good(app.get("/v1/tools/count?return_only_letta_tools=true").await).as_i64().unwrap();
    assert_eq!(all, own + 1);
}

#[tokio::test]
async fn a_search_for_agents_is_sorted_as_older_clients_write_it() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let (ran, idle) = (make_agent(&app, json!({})).await, make_agent(&app, json!({})).await);
    good(app.post(&format!("{ran}/messages"), &json!({ "input": "one" })).await);
    for (body, first) in [(json!({ "sortBy": "last_run_completion" }), &ran), (json!({}), &idle)] {
        let found = good(app.post("/v1/agents/search", &body).await);
        assert!(first.ends_with(found["agents"][0]["id"].as_str().unwrap()), "{body}: {found}");
    }
}

#[tokio::test]
async fn an_agents_model_and_variables_have_the_names_of_the_guides_too() {
    let provider = provider().await;
    let app = TestApp::with_provider(&provider.uri()).await;
    let body = json!({ "memory_blocks": [], "llm": "openai/gpt-4o-mini", "tool_env_vars": { "EXA_API_KEY": "first" } });
    let made = good(app.post("/v1/agents/", &body).await);
    assert_eq!(made["llm_config"]["handle"], "openai/gpt-4o-mini", "{made}");
    let agent = format!("/v1/agents/{}", made["id"].as_str().unwrap());
    let variable = async || {
        let shown = good(app.get(&agent).await);
        let variables = shown["tool_exec_environment_variables"].as_array().unwrap().clone();
        assert_eq!((variables.len(), &variables[0]["key"]), (1, &json!("EXA_API_KEY")), "{variables:?}");
        variables[0]["value"].clone()
    };
    assert_eq!(variable().await, "first");
    good(app.patch(&agent, &json!({ "tool_env_vars": { "EXA_API_KEY": "second" } })).await);
    assert_eq!(variable().await, "second");
}
