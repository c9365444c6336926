//! Runs that are ended by a client, and runs as jobs.

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

use super::{LIMIT, builder, create_agent, ended};

/// How long it takes to end what an agent does: the quickest of a few times, for other tests run beside this one.
async fn cancelled_within(server: &Server, provider: &Provider, agent: &str, reply: Reply) -> Duration {
    let mut quickest = LIMIT;
    for _ in 0..5 {
        provider.reply(reply.clone());
        let asked = provider.chats().len();
        let body = json!({"messages": [{"role": "user", "content": "go"}], "background": true, "stream_tokens": true});
        let request = server.http().post(format!("{}/v1/agents/{agent}/messages/stream", server.url())).json(&body);
        let stream = tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() });
        provider.wait_for_chats(asked + 1).await;
        // Into the middle of it; too early would only be a cancellation of something else.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let began = std::time::Instant::now();
        let (status, outcome) = server.post(&format!("/v1/agents/{agent}/messages/cancel"), &json!({})).await;
        quickest = quickest.min(began.elapsed());
        let outcome = outcome.as_object().unwrap();
        assert!(status == 200 && outcome.values().all(|what| what == "cancelled") && outcome.len() == 1, "{outcome:?}");
        let told = tokio::time::timeout(LIMIT, stream).await.unwrap().unwrap();
        assert!(told.contains("\"stop_reason\":\"cancelled\""), "{told}");
        let run = outcome.keys().next().unwrap();
        let (_, run) = server.get(&format!("/v1/runs/{run}")).await;
        assert_eq!((&run["status"], &run["stop_reason"]), (&json!("cancelled"), &json!("cancelled")));
    }
    quickest
}

#[tokio::test]
async fn a_cancellation_stops_tokens_and_tools_at_once() {
    let provider = Provider::start().await;
    let server = builder(&provider, None).start().await;
    let body = json!({
        "name": "coder", "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "memory_blocks": [],
        "embedding": "openai/text-embedding-3-small", "include_base_tools": false, "tools": ["run_code"],
    });
    let (_, agent) = server.post("/v1/agents/", &body).await;
    let agent = agent["id"].as_str().unwrap();
    // The first call makes the runtime ready.
    let code = |code: &str| Reply::tool_call("run_code", json!({"code": code, "language": "js"}));
    provider.reply(code("console.log(1)")).reply(Reply::text("ready"));
    let message = json!({"messages": [{"role": "user", "content": "warm up"}]});
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!(status, 200, "{answer}");

    let words = Reply::text("word ".repeat(1000)).chunk_delay(Duration::from_millis(10));
    let in_tokens = cancelled_within(&server, &provider, agent, words).await;
    provider.wait_for_disconnects(5).await;
    let in_tool = cancelled_within(&server, &provider, agent, code("for (;;) {}")).await;
    println!("cancelled in the middle of tokens within {in_tokens:?}, of a tool within {in_tool:?}");
    assert!(in_tokens < Duration::from_millis(50), "{in_tokens:?}");
    assert!(in_tool < Duration::from_millis(50), "{in_tool:?}");
    // Nothing of them is in the history, and the agent goes on.
    let (_, messages) = server.get(&format!("/v1/agents/{agent}/messages")).await;
    assert!(!messages.to_string().contains("for (;;)"), "{messages}");
    provider.reply(Reply::text("still here"));
    let (_, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert!(answer.to_string().contains("still here"), "{answer}");
}

#[tokio::test]
async fn runs_without_a_client_are_jobs_too() {
    let provider = Provider::start().await;
    let server = builder(&provider, None).start().await;
    let agent = create_agent(&server).await;
    provider.reply(Reply::hang());
    let body = json!({"messages": [{"role": "user", "content": "go"}]});
    let (_, run) = server.post(&format!("/v1/agents/{agent}/messages/async"), &body).await;
    let id = run["id"].as_str().unwrap();
    provider.wait_for_chats(1).await;
    let (_, active) = server.get("/v1/jobs/active").await;
    assert_eq!(
        (&active[0]["id"], &active[0]["job_type"], &active[0]["status"]),
        (&json!(id), &json!("job"), &json!("running"))
    );
    let (status, _) = server.delete(&format!("/v1/jobs/{id}")).await;
    assert_eq!(status, 409);
    let patch = server.http().patch(format!("{}/v1/jobs/{id}/cancel", server.url())).send().await.unwrap();
    let job: Value = patch.json().await.unwrap();
    assert_eq!(
        (&job["status"], &job["stop_reason"], &job["agent_id"]),
        (&json!("cancelled"), &json!("cancelled"), &json!(agent))
    );
    assert!(job["created_by_id"].as_str().unwrap().starts_with("user-"), "{job}");
    let (_, read) = server.get(&format!("/v1/jobs/{id}")).await;
    assert_eq!(read, job);
    assert_eq!(server.get("/v1/jobs/active").await.1, json!([]));
    assert_eq!(server.get("/v1/jobs/?active=true").await.1, json!([]));
    assert_eq!(server.get("/v1/jobs/?source_id=source-1").await.1, json!([]));
    assert_eq!(server.get("/v1/jobs/").await.1, json!([job]));
    // A run with a client is no job.
    let (_, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &body).await;
    let foreground = answer["messages"][0]["run_id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/v1/jobs/{foreground}")).await.0, 404);
    assert_eq!(server.delete(&format!("/v1/jobs/{id}")).await, (200, job));
    assert_eq!(server.get(&format!("/v1/jobs/{id}")).await.0, 404);
}

#[tokio::test]
async fn a_turn_that_panics_fails_and_the_agent_goes_on() {
    for url in [None, Some(Postgres::shared().create_database())] {
        for path in ["messages", "messages/stream", "messages/async"] {
            let provider = Provider::start().await;
            provider.otherwise(Reply::text("Kumquat."));
            let server =
                builder(&provider, url.as_deref()).env("MNEME_FAILPOINT", "step.answered:1:panic").start().await;
            let agent = create_agent(&server).await;
            let message = json!({"messages": [{"role": "user", "content": "go"}]});
            let request = server.http().post(format!("{}/v1/agents/{agent}/{path}", server.url())).json(&message);
            let answer = request.send().await.unwrap();
            let text = answer.text().await.unwrap();
            // A run without a client is answered before it begins.
            assert!(path == "messages/async" || text.contains("internal server error"), "{path}: {text}");
            assert!(!text.contains("failpoint"), "{path}: {text}");

            let run = ended(&server, &agent).await;
            assert_eq!((&run["status"], &run["stop_reason"]), (&json!("failed"), &json!("error")), "{path}: {run}");
            let (_, history) = server.get(&format!("/v1/agents/{agent}/messages")).await;
            assert!(!history.to_string().contains("Kumquat"), "nothing of the step is kept: {history}");
            let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
            assert!(status == 200 && answer.to_string().contains("Kumquat"), "{path}: {status} {answer}");
            assert!(server.log().contains("a turn panicked"), "{}", server.log());
        }
    }
}
