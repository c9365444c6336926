//! Users' own tools through the API: made from source, changed, refused, attached.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{Answer, TestApp, request};
use serde_json::{Value, json};

/// The source of a tool with a parameter.
fn roll(summary: &str, parameter: &str) -> String {
    format!(
        "def roll({parameter}: int) -> int:\n    \"\"\"{summary}\n\n    Args:\n        {parameter}: How many.\n    \"\"\"\n    return 4\n"
    )
}

fn roll_schema(summary: &str, parameter: &str) -> Value {
    let properties = json!({ parameter: { "type": "integer", "description": "How many." } });
    let parameters = json!({ "type": "object", "properties": properties, "required": [parameter] });
    json!({ "name": "roll", "description": summary, "parameters": parameters })
}

async fn put(app: &TestApp, body: &Value) -> Answer {
    let request = request(Method::PUT, "/v1/tools/").header("content-type", "application/json");
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

async fn make(app: &TestApp, body: Value) -> Value {
    let made = app.post("/v1/tools/", &body).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()
}

#[tokio::test]
async fn a_tool_is_made_from_its_source() {
    let app = TestApp::new().await;
    let source = roll("Roll a die.", "sides");
    let mut tool = make(&app, json!({ "source_code": source, "tags": ["dice"] })).await;
    let id = tool["id"].take();
    let user = "user-00000000-0000-4000-8000-000000000000";
    let expected = json!({
        "id": null, "tool_type": "custom", "description": "Roll a die.", "source_type": "python", "name": "roll",
        "tags": ["dice"], "source_code": source, "json_schema": roll_schema("Roll a die.", "sides"),
        "args_json_schema": null, "return_char_limit": 50000, "pip_requirements": null, "npm_requirements": null,
        "default_requires_approval": null, "enable_parallel_execution": false, "created_by_id": user,
        "last_updated_by_id": user, "metadata_": {},
    });
    assert_eq!(tool, expected);
    tool["id"] = id.clone();
    assert_eq!(app.get(&format!("/v1/tools/{}", id.as_str().unwrap())).await.json(), tool);
    assert_eq!(app.get("/v1/tools/?name=roll").await.json(), json!([tool]));
}

#[tokio::test]
async fn the_same_name_changes_the_tool_and_keeps_what_is_not_named() {
    let app = TestApp::new().await;
    let requirement = json!([{ "name": "dice", "version": "1.0" }]);
    let first = json!({
        "source_code": roll("Roll a die.", "sides"), "tags": ["dice"], "return_char_limit": 99,
        "pip_requirements": requirement,
    });
    let first = make(&app, first).await;
    let second = put(&app, &json!({ "source_code": roll("Roll dice.", "number") })).await.json();
    assert_eq!((&second["id"], &second["description"]), (&first["id"], &json!("Roll dice.")));
    assert_eq!(second["json_schema"], roll_schema("Roll dice.", "number"));
    assert_eq!((&second["tags"], &second["return_char_limit"]), (&json!(["dice"]), &json!(99)));
    assert_eq!(second["pip_requirements"], requirement);
    let path = format!("/v1/tools/{}", first["id"].as_str().unwrap());
    for odd in [json!([{ "name": "a b" }]), json!([{ "name": "--index-url" }]), json!(["dice"])] {
        let refused = app.patch(&path, &json!({ "pip_requirements": odd })).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    assert_eq!(app.get(&path).await.json()["pip_requirements"], requirement);
    let third = make(&app, json!({ "source_code": roll("Roll.", "number"), "description": "Mine.", "tags": [] })).await;
    assert_eq!((&third["id"], &third["tags"]), (&first["id"], &json!([])));
    assert_eq!(third["json_schema"], roll_schema("Mine.", "number"));
    assert_eq!(app.get("/v1/tools/count?name=roll").await.text, "1");
}

#[tokio::test]
async fn a_schema_of_the_authors_own_wins() {
    let app = TestApp::new().await;
    let parameters = json!({ "type": "object", "properties": { "q": { "type": "string" } }, "required": ["q"] });
    let schema = json!({ "name": "find", "description": "Mine.", "parameters": parameters });
    let tool = make(&app, json!({ "source_code": "def f(q): return q\n", "json_schema": schema })).await;
    assert_eq!((&tool["name"], &tool["description"], &tool["json_schema"]), (&json!("find"), &json!("Mine."), &schema));
    let arguments = json!({ "title": "Args", "type": "object", "properties": { "q": { "title": "Q", "type": "string" } }, "required": ["q"] });
    let body = json!({ "source_code": "def g(q):\n    '''Find.'''\n", "args_json_schema": arguments });
    let tool = make(&app, body).await;
    assert_eq!(tool["json_schema"], json!({ "name": "g", "description": "Find.", "parameters": parameters }));
    assert_eq!(tool["args_json_schema"], arguments);
    // A script without a function that can be seen from outside is still the author's affair.
    let body =
        json!({ "source_code": "const f = (q: string) => q", "source_type": "typescript", "json_schema": schema });
    assert_eq!(make(&app, body).await["source_type"], "typescript");
}

#[tokio::test]
async fn a_new_source_brings_a_new_schema() {
    let app = TestApp::new().await;
    let tool = make(&app, json!({ "source_code": roll("Roll a die.", "sides") })).await;
    let path = format!("/v1/tools/{}", tool["id"].as_str().unwrap());
    let changed = app.patch(&path, &json!({ "source_code": roll("Roll dice.", "number"), "tags": ["x"] })).await.json();
    assert_eq!(changed["json_schema"], roll_schema("Roll dice.", "number"));
    assert_eq!((&changed["description"], &changed["tags"]), (&json!("Roll dice."), &json!(["x"])));
    let refused = app.patch(&path, &json!({ "source_code": "def f(:" })).await;
    assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
    assert_eq!(app.get(&path).await.json(), changed);
}

#[tokio::test]
async fn a_new_source_leaves_the_authors_own_schema_alone() {
    let app = TestApp::new().await;
    let schema = json!({ "name": "f", "description": "Mine.", "parameters": { "type": "object", "properties": {} } });
    let tool = make(&app, json!({ "source_code": "def f(): return 1\n", "json_schema": schema })).await;
    let path = format!("/v1/tools/{}", tool["id"].as_str().unwrap());
    let changed = app.patch(&path, &json!({ "source_code": "def f(): return 2\n" })).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.text);
    assert_eq!(
        (&changed.json()["json_schema"], &changed.json()["source_code"]),
        (&schema, &json!("def f(): return 2\n"))
    );
    let refused = app.patch(&path, &json!({ "source_code": "x = 1\n" })).await;
    assert_eq!(refused.status.as_u16(), 400, "{}", refused.text);
}

#[tokio::test]
async fn what_cannot_be_a_tool_is_refused() {
    let app = TestApp::new().await;
    let prefix = "Failed to derive json schema: Schema generation failed: ";
    let named = |name: &str| json!({ "source_code": "def f():\n    '''D.'''\n", "json_schema": { "name": name, "parameters": {} } });
    for (body, status, says) in [
        (
            json!({ "source_code": "def f(:\n" }),
            400,
            format!("{prefix}Failed to parse source code: invalid syntax (<unknown>, line 1)"),
        ),
        (json!({ "source_code": "def f(a): pass\n" }), 400, format!("{prefix}Function 'f' lacks a docstring")),
        (
            json!({ "source_code": "def f(a):\n    '''D.'''\n" }),
            400,
            format!("{prefix}Type error in schema generation: Parameter 'a' in function 'f' lacks a type annotation"),
        ),
        (
            json!({ "source_code": "x" .repeat(600_000) }),
            400,
            format!("{prefix}The source code is longer than 512 KiB"),
        ),
        (json!({ "source_code": "def f():\n    '''D.'''\n", "source_type": "cobol" }), 422, "source_type".into()),
        (json!({ "source_code": "def f():\n    '''D.'''\n", "return_char_limit": 0 }), 422, "return_char_limit".into()),
        (
            json!({ "source_code": "def f():\n    '''D.'''\n", "json_schema": { "parameters": 7 } }),
            422,
            "json_schema".into(),
        ),
        (
            json!({ "source_code": "def f():\n    '''D.'''\n", "args_json_schema": { "type": "array" } }),
            400,
            "args_json_schema".into(),
        ),
        (named("no good"), 400, "cannot be a tool's name".into()),
        (named("memory_insert"), 409, "The name memory_insert belongs to a tool of type letta_sleeptime_core".into()),
        (json!({ "tags": [] }), 422, "source_code".into()),
    ] {
        for answer in [app.post("/v1/tools/", &body).await, put(&app, &body).await] {
            assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
            assert!(answer.detail().contains(&says), "{} does not say {says}", answer.text);
        }
    }
    assert_eq!(app.get("/v1/tools/count").await.text, "0");
}

#[tokio::test]
async fn a_tool_cannot_take_the_name_of_another() {
    let app = TestApp::new().await;
    make(&app, json!({ "source_code": roll("Roll a die.", "sides") })).await;
    let other = make(&app, json!({ "source_code": "def other():\n    '''Do.'''\n" })).await;
    let path = format!("/v1/tools/{}", other["id"].as_str().unwrap());
    for source in [roll("Roll.", "sides"), "def send_message():\n    '''Do.'''\n".to_owned()] {
        let refused = app.patch(&path, &json!({ "source_code": source })).await;
        assert_eq!(refused.status.as_u16(), 409, "{}", refused.text);
    }
    assert_eq!(app.get(&path).await.json()["name"], "other");
}

#[tokio::test]
async fn requests_that_make_the_same_tool_at_once_make_one() {
    let app = TestApp::new().await;
    let bodies: Vec<Value> = (0..8).map(|n| json!({ "source_code": roll(&format!("Roll {n}."), "sides") })).collect();
    let answers = futures::future::join_all(bodies.iter().map(|body| app.post("/v1/tools/", body))).await;
    let first = answers[0].json()["id"].clone();
    assert!(answers.iter().all(|answer| answer.status.as_u16() == 200 && answer.json()["id"] == first));
    assert_eq!(app.get("/v1/tools/count").await.text, "1");
}
