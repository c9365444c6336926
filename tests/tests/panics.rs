//! A defect of ours that panics in the background costs what came to it, and nothing else: the same work goes on for others
//! without a restart.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

#[path = "files/documents.rs"]
#[allow(dead_code, reason = "this test uploads little")]
mod documents;

use documents::{agent, folder, post, stored, until};

/// A server on each database in which one thing panics, the first time that it is done.
async fn both(point: &str) -> Vec<(Provider, Server)> {
    let mut all = Vec::new();
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder()
            .provider(&provider)
            .env("MNEME_RUN_LEASE_SECONDS", "1")
            .env("MNEME_BATCH_POLL_SECONDS", "0")
            .env("MNEME_FAILPOINT", &format!("{point}:1:panic"));
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        all.push((provider, server));
    }
    all
}

fn told(server: &Server, what: &str) {
    let log = server.log();
    assert!(log.contains(&format!("{what} panicked")), "{log}");
}

#[tokio::test]
async fn a_file_that_panics_fails_and_the_next_one_is_read() {
    for (_provider, server) in both("file.read").await {
        let docs = folder(&server, "docs").await;
        let lost = stored(&server, &docs, "one.txt", b"The first.").await;
        assert_eq!(
            (&lost["processing_status"], &lost["error_message"]),
            (&json!("error"), &json!("The server could not read the file")),
            "{lost}"
        );
        told(&server, "the work on a file");
        let read = stored(&server, &docs, "two.txt", b"The second.").await;
        assert_eq!((&read["processing_status"], &read["content"]), (&json!("completed"), &json!("The second.")));
        assert_eq!(std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count(), 0, "uploads are removed");
    }
}

/// How many messages a search by meaning finds in an agent.
async fn near(server: &Server, agent: &str) -> usize {
    let search = json!({ "query": "heron", "search_mode": "vector", "agent_id": agent, "limit": 100 });
    let found = post(server, "/v1/messages/search", search).await;
    found.as_array().unwrap().iter().filter(|hit| hit["vector_rank"].is_u64()).count()
}

#[tokio::test]
async fn messages_get_their_vectors_after_others_panicked() {
    for (provider, server) in both("messages.unembedded").await {
        provider.otherwise(Reply::text("In the reeds."));
        let with_vectors = json!({ "embedding": "openai/text-embedding-3-small" });
        let (one, two) = (agent(&server, with_vectors.clone()).await, agent(&server, with_vectors).await);
        let body = json!({ "messages": [{ "role": "user", "content": "Where does the heron nest?" }] });
        post(&server, &format!("/v1/agents/{one}/messages"), body.clone()).await;
        until("the panic", async || server.log().contains("the embedding of messages panicked").then_some(())).await;
        post(&server, &format!("/v1/agents/{two}/messages"), body.clone()).await;
        until("the vectors of another agent", async || (near(&server, &two).await == 2).then_some(())).await;
        // What was lost is made up with the agent's next message.
        post(&server, &format!("/v1/agents/{one}/messages"), body).await;
        until("the vectors of the first agent", async || (near(&server, &one).await == 4).then_some(())).await;
    }
}

async fn batch_of(server: &Server, agents: &[&str]) -> Value {
    let message = json!([{ "role": "user", "content": "go" }]);
    let requests: Vec<Value> = agents.iter().map(|agent| json!({ "agent_id": agent, "messages": message })).collect();
    let begun = post(server, "/v1/messages/batches", json!({ "requests": requests })).await;
    let path = format!("/v1/messages/batches/{}", begun["id"].as_str().unwrap());
    until("the end of the batch", async || {
        let (_, batch) = server.get(&path).await;
        (!batch["completed_at"].is_null()).then_some(batch)
    })
    .await
}

#[tokio::test]
async fn a_batch_goes_on_after_a_panic_and_hands_nothing_over_twice() {
    for point in ["batch.unsent", "batch.sent", "batch.arrived"] {
        for (provider, server) in both(point).await {
            provider.otherwise(Reply::text("Kumquat."));
            let (one, two) = (agent(&server, json!({})).await, agent(&server, json!({})).await);
            let batch = batch_of(&server, &[&one, &two]).await;
            assert_eq!((&batch["status"], &batch["metadata"]["counts"]["completed"]), (&json!("completed"), &json!(2)));
            told(&server, "the work on a batch");
            assert_eq!(provider.batches().iter().flatten().count(), 2, "{point}: each call once");
            let again = batch_of(&server, &[&one]).await;
            assert_eq!(again["status"], "completed", "{point}: {again}");
        }
    }
}

#[tokio::test]
async fn events_that_cannot_be_kept_leave_their_run_to_be_taken_up_again() {
    for (provider, server) in both("events.unwritten").await {
        provider.otherwise(Reply::text("Kumquat."));
        let agent = agent(&server, json!({})).await;
        let body = json!({ "messages": [{ "role": "user", "content": "go" }] });
        let run = post(&server, &format!("/v1/agents/{agent}/messages/async"), body.clone()).await;
        until("the panic", async || server.log().contains("a background turn panicked").then_some(())).await;
        let path = format!("/v1/runs/{}", run["id"].as_str().unwrap());
        // The look for lost runs comes every thirty seconds where there is only one server.
        let ended = async {
            loop {
                let (_, run) = server.get(&path).await;
                if !run["completed_at"].is_null() {
                    return run;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        };
        let ended = tokio::time::timeout(std::time::Duration::from_secs(60), ended).await;
        let ended = ended.unwrap_or_else(|_| panic!("the run never ended\n{}", server.log()));
        assert_eq!(ended["status"], "completed", "{ended}");
        let answer = post(&server, &format!("/v1/agents/{agent}/messages"), body).await;
        assert!(answer.to_string().contains("Kumquat"), "the agent is free: {answer}");
    }
}
