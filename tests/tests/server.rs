//! The server as an operator sees it: it starts, keeps what it was told, and ends when asked.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Server, ServerBuilder};
use serde_json::{Value, json};

async fn create_agent(server: &Server) -> Value {
    let body = json!({
        "name": "keeper",
        "model": "openai/gpt-4o-mini",
        "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "Ada likes green tea."}],
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent
}

/// An agent and its conversation are there again, word for word, after `kill -9` and a new start.
async fn survives_kill(builder: ServerBuilder) {
    let provider = Provider::start().await;
    let mut server = builder.provider(&provider).start().await;
    let agent = create_agent(&server).await;
    let path = format!("/v1/agents/{}", agent["id"].as_str().unwrap());
    let message = json!({"messages": [{"role": "user", "content": "remember me"}]});
    let (status, answer) = server.post(&format!("{path}/messages"), &message).await;
    assert_eq!((status, &answer["messages"][0]["content"]), (200, &json!("echo: remember me")), "{answer}");
    let before = (server.get(&path).await, server.get(&format!("{path}/messages")).await);

    server.kill();
    server.restart().await;

    let after = (server.get(&path).await, server.get(&format!("{path}/messages")).await);
    assert_eq!(before, after);
    assert!(after.1.1.to_string().contains("remember me"));
}

#[tokio::test]
async fn an_agent_survives_kill_9_on_sqlite() {
    survives_kill(Server::builder()).await;
}

#[tokio::test]
async fn an_agent_survives_kill_9_on_postgres() {
    survives_kill(Server::builder().database_url(&Postgres::shared().create_database())).await;
}

#[tokio::test]
async fn sigterm_ends_it_in_order() {
    let mut server = Server::builder().start().await;
    let (status, health) = server.get("/v1/health/").await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    let ended = server.terminate(Duration::from_secs(30)).await;
    assert!(ended.success(), "{ended}\n{}", server.log());
}

#[tokio::test]
async fn no_secret_reaches_the_log() {
    let provider = Provider::start().await;
    let canary = "sk-canary-4711";
    let builder = Server::builder().env("OPENAI_API_BASE", &provider.base_url()).env("OPENAI_API_KEY", canary);
    let url = Postgres::shared().create_database();
    let password = url.split(['@', ':']).nth(2).unwrap().to_owned();
    let server = builder.password("hush-hush").database_url(&url).env("RUST_LOG", "debug").start().await;
    let (status, _) = server.get("/v1/models/").await;
    assert_eq!(status, 401);
    let models = server.http().get(format!("{}/v1/models/", server.url())).bearer_auth("hush-hush");
    assert_eq!(models.send().await.unwrap().status(), 200);
    assert_eq!(provider.requests()[0].headers["authorization"], format!("Bearer {canary}"));
    let log = server.log();
    assert!(!log.is_empty(), "at this level the server writes something");
    for secret in [canary, "hush-hush", &password] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
}
