//! Batches survive `kill -9` at every point where something is written or handed over, and no call is handed over twice.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{collections::BTreeMap, time::Duration};

use mneme_tests::{Postgres, Provider, Reply, Server, ServerBuilder, provider::Recorded};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// One edit of memory, then an answer.
fn an_edit_and_an_answer(request: &Recorded) -> Option<Reply> {
    let answered = request.messages().iter().rev().take_while(|message| message["role"] != "user");
    Some(match answered.filter(|message| message["role"] == "tool").count() {
        0 => Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "alpha"})),
        _ => Reply::text("all done now"),
    })
}

fn builder(provider: &Provider, url: Option<&str>) -> ServerBuilder {
    let builder =
        Server::builder().provider(provider).env("MNEME_RUN_LEASE_SECONDS", "1").env("MNEME_BATCH_POLL_SECONDS", "0");
    match url {
        Some(url) => builder.database_url(url),
        None => builder,
    }
}

async fn create_agent(server: &Server) -> String {
    let body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "start"}], "include_base_tools": false, "tools": ["memory_insert"],
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent["id"].as_str().unwrap().to_owned()
}

/// Where something is written or leaves the server, and how often a batch of two agents comes to it at most.
const POINTS: [(&str, u32); 9] = [
    ("batch.accepted", 1),
    ("batch.unsent", 2),
    ("batch.sent", 2),
    ("batch.arrived", 2),
    ("run.running", 4),
    ("step.ran", 4),
    ("step.uncommitted", 4),
    ("step.committed", 4),
    ("batch.over", 1),
];

async fn ended(server: &Server) -> Value {
    let over = async {
        loop {
            let (_, batches) = server.get("/v1/messages/batches?limit=1").await;
            if let Some([batch]) = batches.as_array().map(Vec::as_slice)
                && !batch["completed_at"].is_null()
            {
                return batch.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, over).await.unwrap_or_else(|_| panic!("the batch never ended\n{}", server.log()))
}

async fn no_kill_loses_a_batch(url: Option<String>) {
    let provider = Provider::start().await;
    provider.script(an_edit_and_an_answer);
    let mut server = builder(&provider, url.as_deref()).start().await;
    let (mut tried, mut lost, mut twice) = (0, 0, 0);
    for (name, time) in POINTS.iter().flat_map(|(name, times)| (1..=*times).map(move |time| (*name, time))) {
        server.restart_as(|builder| builder.env("MNEME_FAILPOINT", &format!("{name}:{time}"))).await;
        let before = provider.batches().len();
        let agents = [create_agent(&server).await, create_agent(&server).await];
        let requests: Vec<Value> = agents
            .iter()
            .map(|agent| json!({"agent_id": agent, "messages": [{"role": "user", "content": "go"}]}))
            .collect();
        let request = server.http().post(format!("{}/v1/messages/batches", server.url()));
        // The server may die before it answers.
        let _ = request.json(&json!({"requests": requests})).send().await;
        let died = async {
            while server.is_alive() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let died = tokio::time::timeout(Duration::from_secs(10), died).await;
        assert!(died.is_ok(), "{name}:{time} was never reached\n{}", server.log());
        tried += 1;
        server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;
        let batch = ended(&server).await;
        let good = json!({"total": 2, "completed": 2, "failed": 0, "cancelled": 0, "processing": 0});
        let mut same = batch["status"] == "completed" && batch["metadata"]["counts"] == good;
        for agent in &agents {
            let (_, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/human")).await;
            let (_, messages) = server.get(&format!("/v1/agents/{agent}/messages?limit=100&order=asc")).await;
            let kinds: Vec<&str> =
                messages.as_array().unwrap().iter().map(|one| one["message_type"].as_str().unwrap()).collect();
            let expected =
                ["system_message", "user_message", "tool_call_message", "tool_return_message", "assistant_message"];
            same &= block["value"] == "start\nalpha" && kinds == expected;
            assert!(same, "{name}:{time}: {batch}\n{block}\n{kinds:?}\n{}", server.log());
        }
        lost += usize::from(!same);
        // A call is named after its run and its step.
        let mut handed_over: BTreeMap<String, usize> = BTreeMap::new();
        for call in provider.batches()[before..].iter().flatten() {
            *handed_over.entry(call["custom_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        assert_eq!(handed_over.len(), 4, "{handed_over:?}");
        twice += handed_over.values().filter(|count| **count > 1).count();
    }
    println!("points tried: {tried}, batches lost: {lost}, calls handed over twice: {twice}");
    assert_eq!((lost, twice, provider.chats().len()), (0, 0, 0));
    assert!(tried >= 20);
}

#[tokio::test]
async fn no_kill_loses_a_batch_on_sqlite() {
    no_kill_loses_a_batch(None).await;
}

#[tokio::test]
async fn no_kill_loses_a_batch_on_postgres() {
    no_kill_loses_a_batch(Some(Postgres::shared().create_database())).await;
}
