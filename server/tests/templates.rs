//! Templates: from an agent to versions, to agents that are made from them and follow them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{Answer, NOBODY, TestApp, request};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

const PLACE: &str = "/v1/templates/default-project";

/// A server over a provider that has models.
async fn server() -> (TestApp, MockServer) {
    let provider = MockServer::start().await;
    let models = json!({ "object": "list", "data": [
        { "id": "gpt-4o-mini", "object": "model" }, { "id": "gpt-4o", "object": "model" },
        { "id": "text-embedding-3-small", "object": "model" },
    ] });
    let listing = ResponseTemplate::new(200).set_body_json(models);
    Mock::given(method("GET")).and(path("/models")).respond_with(listing).mount(&provider).await;
    (TestApp::with_provider(&provider.uri()).await, provider)
}

async fn put(app: &TestApp, path: &str, body: &Value) -> Answer {
    let request = request(Method::PUT, path).header("content-type", "application/json");
    app.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn good(answer: Answer) -> Value {
    assert!(answer.status.is_success(), "{}: {}", answer.status, answer.text);
    answer.json()
}

async fn agent(app: &TestApp) -> Value {
    good(
        app.post(
            "/v1/agents/",
            &json!({
                "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "name": "clerk", "tags": ["clerk"],
                "embedding": "openai/text-embedding-3-small", "system": "You are a clerk.",
                "memory_blocks": [{ "label": "human", "value": "Name: {{name}}, ticket {{ticket}}." }],
                "secrets": { "API_KEY": "very-secret" },
            }),
        )
        .await,
    )
}

/// A template of an agent.
async fn template(app: &TestApp, name: &str) -> Value {
    let agent = agent(app).await;
    good(app.post(PLACE, &json!({ "type": "agent", "agent_id": agent["id"], "name": name })).await)
}

async fn deploy(app: &TestApp, version: &str, body: &Value) -> Value {
    let answer = app.post(&format!("{PLACE}/{version}/agents"), body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    answer.json()["agents"][0].clone()
}

/// Changes the state that is edited and saves it.
async fn save_with(app: &TestApp, name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut state = good(app.get(&format!("{PLACE}/{name}:current/snapshot")).await);
    change(&mut state);
    good(put(app, &format!("{PLACE}/{name}:current/snapshot"), &state).await);
    let saved = good(app.post(&format!("{PLACE}/{name}"), &json!({ "message": "changed" })).await);
    saved["latest_version"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn there_is_one_project() {
    let (app, _provider) = server().await;
    let listed = good(app.get("/v1/projects").await);
    assert_eq!(listed["hasNextPage"], false);
    assert_eq!(listed["projects"][0]["slug"], "default-project");
    let by_name = good(app.get("/v1/projects?name=Default%20Project&limit=5&offset=0").await);
    assert_eq!(by_name, listed);
    assert_eq!(good(app.get("/v1/projects?name=other").await)["projects"], json!([]));
    assert_eq!(good(app.get("/v1/projects?offset=1").await)["projects"], json!([]));
}

#[tokio::test]
async fn an_agent_says_which_project_it_belongs_to() {
    let (app, _provider) = server().await;
    let project = good(app.get("/v1/projects").await)["projects"][0]["id"].clone();
    let create = async |header: Option<&str>, field: Value| {
        let body = json!({ "model": "openai/gpt-4o-mini", "project": field }).to_string();
        let builder = request(Method::POST, "/v1/agents/").header("content-type", "application/json");
        let builder = header.into_iter().fold(builder, |builder, name| builder.header("x-project", name));
        good(app.send(builder.body(Body::from(body)).unwrap()).await)["project_id"].clone()
    };
    assert_eq!(create(Some("default-project"), Value::Null).await, project);
    assert_eq!(create(None, json!("default-project")).await, project);
    assert_eq!(create(None, project.clone()).await, project);
    assert_eq!(create(Some("elsewhere"), Value::Null).await, Value::Null);
    assert_eq!(create(None, Value::Null).await, Value::Null);
    let found = good(app.get(&format!("/v1/agents/?project_id={}", project.as_str().unwrap())).await);
    assert_eq!(found.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_template_holds_what_an_agent_begins_with_and_no_secret() {
    let (app, _provider) = server().await;
    let made = template(&app, "support").await;
    assert_eq!((&made["latest_version"], &made["name"]), (&json!("1"), &json!("support")));
    assert_eq!(made["template_deployment_slug"], "default-project/support:1");
    let answer = app.get(&format!("{PLACE}/support:latest/snapshot")).await;
    assert!(!answer.text.contains("very-secret"), "{}", answer.text);
    let state = good(answer);
    assert_eq!(state["type"], "classic");
    assert_eq!(state["blocks"][0]["value"], "Name: {{name}}, ticket {{ticket}}.");
    assert_eq!(state["agents"][0]["systemPrompt"], "You are a clerk.");
    assert_eq!(state["agents"][0]["model"], "openai/gpt-4o-mini");
    assert_eq!(state["agents"][0]["toolVariables"]["data"][0]["key"], "API_KEY");
    let names: Vec<&Value> =
        state["agents"][0]["memoryVariables"]["data"].as_array().unwrap().iter().map(|one| &one["key"]).collect();
    assert_eq!(names, ["name", "ticket"]);
}

#[tokio::test]
async fn agents_are_made_from_a_template_like_any_other() {
    let (app, _provider) = server().await;
    let made = template(&app, "support").await;
    let body = json!({ "agent_name": "Bob's", "tags": ["vip"], "tool_variables": { "API_KEY": "of Bob" },
        "memory_variables": { "name": "Bob", "ticket": "7" } });
    let agent = deploy(&app, "support:latest", &body).await;
    assert_eq!((&agent["name"], &agent["tags"]), (&json!("Bob's"), &json!(["vip"])));
    assert_eq!(agent["blocks"][0]["value"], "Name: Bob, ticket 7.");
    assert_eq!((&agent["system"], &agent["base_template_id"]), (&json!("You are a clerk."), &made["id"]));
    assert_eq!(agent["project_id"], made["project_id"]);
    assert_eq!(agent["secrets"][0]["key"], "API_KEY");
    let (id, version) = (agent["id"].as_str().unwrap(), agent["template_id"].as_str().unwrap());
    assert_ne!(version, made["id"].as_str().unwrap());
    for query in [format!("template_id={version}"), format!("base_template_id={}", made["id"].as_str().unwrap())] {
        let found = good(app.get(&format!("/v1/agents/?{query}")).await);
        assert_eq!((found.as_array().unwrap().len(), &found[0]["id"]), (1, &json!(id)), "{query}");
    }
    // An agent of its own: what one changes, the other does not see.
    let other = deploy(&app, "support", &json!({})).await;
    assert_eq!(other["blocks"][0]["value"], "Name: {{name}}, ticket {{ticket}}.");
    assert_eq!((&other["name"], &other["tags"]), (&json!("clerk"), &json!(["clerk"])));
    assert_ne!(other["deployment_id"], agent["deployment_id"]);
}

#[tokio::test]
async fn a_creation_may_name_a_template_and_say_more() {
    let (app, _provider) = server().await;
    let made = template(&app, "support").await;
    for name in ["support", "support:1", made["template_deployment_slug"].as_str().unwrap()] {
        let body = json!({ "from_template": name, "name": "mine", "model": "openai/gpt-4o",
            "memory_variables": { "name": "Ada", "ticket": 9 } });
        let agent = good(app.post("/v1/agents/", &body).await);
        assert_eq!((&agent["name"], &agent["system"]), (&json!("mine"), &json!("You are a clerk.")), "{name}");
        assert_eq!(agent["llm_config"]["model"], "gpt-4o");
        assert_eq!(agent["blocks"][0]["value"], "Name: Ada, ticket 9.");
        assert_eq!(agent["base_template_id"], made["id"]);
    }
    for name in ["nothing", "support:2", "support:x", "elsewhere/support"] {
        let answer = app.post("/v1/agents/", &json!({ "from_template": name })).await;
        assert_eq!(answer.status.as_u16(), 404, "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_version_stays_as_it_was_saved() {
    let (app, _provider) = server().await;
    template(&app, "support").await;
    let second = save_with(&app, "support", |state| state["agents"][0]["systemPrompt"] = "You are new.".into()).await;
    assert_eq!(second, "2");
    assert_eq!(deploy(&app, "support:1", &json!({})).await["system"], "You are a clerk.");
    assert_eq!(deploy(&app, "support:2", &json!({})).await["system"], "You are new.");
    let versions = good(app.get(&format!("{PLACE}/support/versions?limit=1")).await);
    assert_eq!((&versions["total_count"], &versions["has_next_page"]), (&json!(2), &json!(true)));
    assert_eq!(versions["versions"][0]["version"], "2");
    assert_eq!(
        (&versions["versions"][0]["is_latest"], &versions["versions"][0]["message"]),
        (&json!(true), &json!("changed"))
    );
    let fork = good(app.post(&format!("{PLACE}/support:1/fork"), &json!({ "name": "sales" })).await);
    assert_eq!((&fork["name"], &fork["latest_version"]), (&json!("sales"), &json!("1")));
    assert_eq!(deploy(&app, "sales", &json!({})).await["system"], "You are a clerk.");
}

#[tokio::test]
async fn agents_follow_their_template_and_keep_what_is_theirs() {
    let (app, _provider) = server().await;
    template(&app, "support").await;
    let values = json!({ "memory_variables": { "name": "Bob", "ticket": "7" } });
    let agent = deploy(&app, "support", &values).await;
    let (id, deployment) = (agent["id"].as_str().unwrap(), agent["deployment_id"].as_str().unwrap());
    save_with(&app, "support", |state| {
        state["agents"][0]["systemPrompt"] = "You are new.".into();
        state["blocks"][0]["value"] = "{{name}} has ticket {{ticket}}.".into();
        let mut second = state["blocks"][0].clone();
        (second["label"], second["entityId"], second["value"]) = ("tone".into(), "block-1".into(), "Kind.".into());
        state["blocks"].as_array_mut().unwrap().push(second);
        state["relationships"] = json!([]);
    })
    .await;
    let migrate = |fields: Value| {
        let (app, address) = (&app, format!("{PLACE}/support/deployments/{deployment}/migrate"));
        async move { app.post(&address, &fields).await }
    };
    let seen = async || {
        let agent = good(app.get(&format!("/v1/agents/{id}")).await);
        let blocks = agent["blocks"].as_array().unwrap().clone();
        let text = |label: &str| {
            blocks.iter().find(|block| block["label"] == label).map(|block| block["value"].as_str().unwrap().to_owned())
        };
        (agent["system"].as_str().unwrap().to_owned(), text("human"), text("tone"))
    };
    good(migrate(json!({ "version": "2" })).await);
    let kept = ("You are new.".to_owned(), Some("Name: Bob, ticket 7.".to_owned()), Some("Kind.".to_owned()));
    assert_eq!(seen().await, kept);
    good(
        migrate(json!({ "version": "2", "preserve_core_memories": false, "memory_variables": { "ticket": "8" } }))
            .await,
    );
    assert_eq!(seen().await.1.as_deref(), Some("Bob has ticket 8."));
    good(migrate(json!({ "version": "support:1", "preserve_core_memories": false })).await);
    assert_eq!(seen().await, ("You are a clerk.".to_owned(), Some("Name: Bob, ticket 8.".to_owned()), None));
    assert_eq!(migrate(json!({ "version": "9" })).await.status.as_u16(), 404);

    good(app.post(&format!("{PLACE}/support"), &json!({ "migrate_agents": true })).await);
    assert_eq!(seen().await.0, "You are new.");
    save_with(&app, "support", |state| drop(state["blocks"].as_array_mut().unwrap().pop())).await;
    for (strategy, tone) in [("preserve-deleted", Some("Kind.")), ("reconcile-all", None)] {
        let body = json!({ "migrate_agents": true, "block_reconciliation_strategy": strategy });
        good(app.post(&format!("{PLACE}/support"), &body).await);
        let (_, human, now) = seen().await;
        assert_eq!((human.as_deref(), now.as_deref()), (Some("Name: Bob, ticket 8."), tone), "{strategy}");
    }
    let own = good(app.post("/v1/folders/", &json!({ "name": "own" })).await)["id"].clone();
    let address = format!("/v1/agents/{id}");
    good(app.patch(&address, &json!({ "folder_ids": [own] })).await);
    for (kept, left) in [(Value::Null, 1), (json!(true), 1), (json!(false), 0)] {
        let body = json!({ "migrate_agents": true, "preserve_sources_on_migration": kept });
        good(app.post(&format!("{PLACE}/support"), &body).await);
        assert_eq!(good(app.get(&address).await)["sources"].as_array().unwrap().len(), left, "{body}");
    }
}

#[tokio::test]
async fn an_agent_file_becomes_a_template_and_leaves_no_agent_behind() {
    let (app, _provider) = server().await;
    let agent = agent(&app).await;
    let file = good(app.get(&format!("/v1/agents/{}/export", agent["id"].as_str().unwrap())).await);
    let blocks = good(app.get("/v1/blocks/count").await);
    let body = json!({ "type": "agent_file", "agent_file": file, "name": "filed" });
    good(app.post(PLACE, &body).await);
    assert_eq!(good(app.get("/v1/agents/count").await), json!(1));
    assert_eq!(good(app.get("/v1/blocks/count").await), blocks);
    assert_eq!(deploy(&app, "filed", &json!({})).await["system"], "You are a clerk.");
    save_with(&app, "filed", |state| state["agents"][0]["systemPrompt"] = "You are edited.".into()).await;
    let body = json!({ "agent_file_json": file, "save_existing_changes": true });
    good(put(&app, &format!("{PLACE}/filed/agent-file"), &body).await);
    let current = good(app.get(&format!("{PLACE}/filed:dev/snapshot")).await);
    assert_eq!(current["agents"][0]["systemPrompt"], "You are a clerk.");
    let saved = good(app.get(&format!("{PLACE}/filed:3/snapshot")).await);
    assert_eq!(saved["agents"][0]["systemPrompt"], "You are edited.");
    let broken = app.post(PLACE, &json!({ "type": "agent_file", "agent_file": { "agents": 3 } })).await;
    assert_eq!(broken.status.as_u16(), 400, "{}", broken.text);
}

#[tokio::test]
async fn templates_are_named_described_listed_and_deleted() {
    let (app, _provider) = server().await;
    let made = template(&app, "support").await;
    template(&app, "sales").await;
    let renamed = app.patch(&format!("{PLACE}/support:1/name"), &json!({ "new_name": "help:2" })).await;
    assert_eq!(good(renamed)["success"], true);
    good(app.patch(&format!("{PLACE}/help/description"), &json!({ "description": "It helps." })).await);
    let found = good(app.get("/v1/templates?search=HEL").await);
    assert_eq!(
        (&found["templates"][0]["id"], &found["templates"][0]["description"]),
        (&made["id"], &json!("It helps."))
    );
    let page = good(app.get("/v1/templates?limit=1&sort_by=created_at").await);
    assert_eq!((&page["templates"][0]["name"], &page["has_next_page"]), (&json!("sales"), &json!(true)));
    assert_eq!(good(app.get("/v1/templates?project_slug=other").await)["templates"], json!([]));
    let taken = app.patch(&format!("{PLACE}/help/name"), &json!({ "new_name": "sales" })).await;
    assert_eq!(taken.status.as_u16(), 409, "{}", taken.text);
    let bad = app.patch(&format!("{PLACE}/help/name"), &json!({ "new_name": "a/b" })).await;
    assert_eq!(bad.status.as_u16(), 400, "{}", bad.text);
    let agent = deploy(&app, "help", &json!({})).await;
    good(app.delete(&format!("{PLACE}/help")).await);
    assert_eq!(app.get(&format!("{PLACE}/help/versions")).await.status.as_u16(), 404);
    assert_eq!(app.get(&format!("/v1/agents/{}", agent["id"].as_str().unwrap())).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_state_that_no_agent_can_have_is_refused() {
    let (app, _provider) = server().await;
    template(&app, "support").await;
    let address = format!("{PLACE}/support:current/snapshot");
    let state = good(app.get(&address).await);
    let refused = async |change: fn(&mut Value), status: u16| {
        let mut state = state.clone();
        change(&mut state);
        let answer = put(&app, &address, &state).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.text);
    };
    refused(|state| state["agents"] = json!([]), 400).await;
    refused(|state| state["blocks"][0]["limit"] = json!(3), 400).await;
    refused(|state| state["blocks"][0]["label"] = json!("<x>"), 422).await;
    refused(|state| state["agents"][0]["toolIds"] = json!(["tool-00000000-0000-4000-8000-000000000000"]), 404).await;
    refused(|state| state["agents"][0]["toolIds"] = json!(["x"]), 422).await;
    refused(|state| state["type"] = json!("round_robin"), 422).await;
    assert_eq!(good(app.get(&address).await), state);
    let nobody = app.post(PLACE, &json!({ "type": "agent", "agent_id": NOBODY })).await;
    assert_eq!(nobody.status.as_u16(), 404, "{}", nobody.text);
    let elsewhere = app.post("/v1/templates/other", &json!({ "type": "agent", "agent_id": NOBODY })).await;
    assert!(elsewhere.status == 404 && elsewhere.detail().contains("other"), "{}", elsewhere.text);
}

#[tokio::test]
async fn agents_are_searched_by_several_things_at_once() {
    let (app, _provider) = server().await;
    template(&app, "support").await;
    let first = deploy(&app, "support:1", &json!({ "agent_name": "Bob's helper", "tags": ["vip", "new"] })).await;
    save_with(&app, "support", |state| state["agents"][0]["systemPrompt"] = "You are new.".into()).await;
    let second = deploy(&app, "support:2", &json!({ "agent_name": "Ada's helper", "tags": ["vip"] })).await;
    let found = async |search: Value| {
        let found = good(app.post("/v1/agents/search", &json!({ "search": search, "combinator": "AND" })).await);
        found["agents"].as_array().unwrap().iter().map(|agent| agent["id"].clone()).collect::<Vec<_>>()
    };
    let (one, two) = (first["id"].clone(), second["id"].clone());
    let template_name = json!({ "field": "templateName", "operator": "eq", "value": "support" });
    let tags = json!({ "field": "tags", "operator": "contains", "value": ["vip", "new"] });
    assert_eq!(found(json!([template_name])).await, [two.clone(), one.clone()]);
    assert_eq!(found(json!([template_name, tags])).await, std::slice::from_ref(&one));
    assert_eq!(found(json!([{ "field": "version", "value": "support:2" }])).await, std::slice::from_ref(&two));
    assert_eq!(
        found(json!([{ "field": "name", "operator": "eq", "value": "Bob's helper" }])).await,
        std::slice::from_ref(&one)
    );
    assert_eq!(
        found(json!([{ "field": "name", "operator": "contains", "value": "ADA" }])).await,
        std::slice::from_ref(&two)
    );
    for nothing in [
        json!({ "field": "templateName", "operator": "eq", "value": "other" }),
        json!({ "field": "version", "value": "support:9" }),
        json!({ "field": "identity", "operator": "eq", "value": "nobody" }),
    ] {
        assert!(found(json!([nothing])).await.is_empty(), "{nothing}");
    }
    let page = good(app.post("/v1/agents/search", &json!({ "search": [template_name], "limit": 1.0 })).await);
    assert_eq!((&page["agents"][0]["id"], &page["nextCursor"]), (&two, &two));
    let body = json!({ "search": [template_name], "limit": 1, "after": page["nextCursor"] });
    let page = good(app.post("/v1/agents/search", &body).await);
    assert_eq!((&page["agents"][0]["id"], &page["nextCursor"]), (&one, &Value::Null));
    let twice = json!({ "search": [{ "field": "name", "operator": "eq", "value": "a" },
        { "field": "name", "operator": "eq", "value": "b" }] });
    assert_eq!(app.post("/v1/agents/search", &twice).await.status.as_u16(), 400);
    let odd = json!({ "search": [{ "field": "mood", "value": "good" }] });
    assert_eq!(app.post("/v1/agents/search", &odd).await.status.as_u16(), 422);
}

#[tokio::test]
async fn newer_clients_name_no_project() {
    let (app, _provider) = server().await;
    let agent = agent(&app).await;
    let file = good(app.get(&format!("/v1/agents/{}/export", agent["id"].as_str().unwrap())).await);
    let made = app.post("/v1/templates", &json!({ "type": "agent", "agent_id": agent["id"], "name": "support" })).await;
    assert_eq!((made.status.as_u16(), &made.json()["project_slug"]), (201, &json!("default-project")), "{}", made.text);
    save_with(&app, "support", |state| state["agents"][0]["systemPrompt"] = "You are new.".into()).await;
    let system = async || {
        let deployed = good(app.post("/v1/templates/support:current/agents", &json!({})).await);
        assert_eq!(deployed["agent_ids"][0], deployed["agents"][0]["id"]);
        deployed["agents"][0]["system"].as_str().unwrap().to_owned()
    };
    assert_eq!(system().await, "You are new.");
    good(app.post("/v1/templates/support/rollback", &json!({ "version": "1" })).await);
    assert_eq!(system().await, "You are a clerk.");
    for (version, status) in [("current", 400), ("dev", 400), ("9", 404)] {
        let answer = app.post("/v1/templates/support/rollback", &json!({ "version": version })).await;
        assert_eq!(answer.status.as_u16(), status, "{version}: {}", answer.text);
    }
    let saved = good(app.post("/v1/templates/support/save", &json!({ "message": "back" })).await);
    assert_eq!(saved["latest_version"], "3");
    good(app.patch("/v1/templates/support", &json!({ "agent_file_json": file })).await);
    assert_eq!(system().await, "You are a clerk.");
    let reserved =
        app.post("/v1/templates", &json!({ "type": "agent", "agent_id": agent["id"], "name": "save" })).await;
    assert_eq!(reserved.status.as_u16(), 400, "{}", reserved.text);
    good(app.delete("/v1/templates/support").await);
    assert_eq!(app.post("/v1/templates/support/save", &json!({})).await.status.as_u16(), 404);
}
