//! A wait for approval, and the run that ends it, under `kill -9`.

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

use super::{LIMIT, builder};

/// Every place where the run that ends a wait writes something.
const POINTS: [&str; 8] = [
    "run.accepted:1",
    "run.running:1",
    "approval.ran:1",
    "step.uncommitted:1",
    "step.committed:1",
    "approval.kept:1",
    "step.answered:1",
    "step.uncommitted:2",
];

async fn agent_that_waits(server: &Server, provider: &Provider) -> (String, Value) {
    let body = json!({
        "name": "worker", "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini",
        "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "start"}],
        "include_base_tools": false, "tools": ["memory_insert"],
        "tool_rules": [{"type": "requires_approval", "tool_name": "memory_insert"}],
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    let agent = agent["id"].as_str().unwrap().to_owned();
    provider.reply(Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "alpha"})));
    let message = json!({"messages": [{"role": "user", "content": "go"}]});
    let (status, turn) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!((status, &turn["stop_reason"]["stop_reason"]), (200, &json!("requires_approval")), "{turn}");
    (agent, turn["messages"][0].clone())
}

async fn no_point_loses_an_approval(url: Option<String>) {
    let provider = Provider::start().await;
    provider.otherwise(Reply::text("all done now"));
    let mut server = builder(&provider, url.as_deref()).start().await;
    for point in POINTS {
        let (agent, asked) = agent_that_waits(&server, &provider).await;
        // The wait itself outlives a server that is killed.
        server.kill();
        server.restart_as(|builder| builder.env("MNEME_FAILPOINT", point)).await;
        let path = format!("/v1/agents/{agent}/messages");
        let (status, refused) = server.post(&path, &json!({"messages": [{"role": "user", "content": "hello?"}]})).await;
        assert_eq!((status, &refused["detail"]["pending_request_id"]), (409, &asked["id"]), "{refused}");

        let verdict = json!({"type": "approval", "approve": true, "tool_call_id": asked["tool_call"]["tool_call_id"]});
        let body = json!({"messages": [{"type": "approval", "approvals": [verdict]}]});
        let request = server.http().post(format!("{}{path}/async", server.url())).json(&body);
        if let Ok(answer) = request.send().await {
            let _ = answer.bytes().await;
        }
        let died = async {
            while server.is_alive() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), died)
            .await
            .unwrap_or_else(|_| panic!("{point} was never reached"));
        server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;

        let over = async {
            loop {
                let (_, runs) = server.get(&format!("/v1/runs/?agent_id={agent}")).await;
                let answering = runs.as_array().unwrap().iter().find(|run| run["background"] == true);
                match answering {
                    Some(run) if !run["completed_at"].is_null() => return run.clone(),
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let run =
            tokio::time::timeout(LIMIT, over).await.unwrap_or_else(|_| panic!("{point}: no end\n{}", server.log()));
        assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("end_turn")), "{point}: {run}");
        let (_, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/human")).await;
        assert_eq!(block["value"], "start\nalpha", "{point}");
        let (_, messages) = server.get(&format!("{path}?limit=100&order=asc")).await;
        let kinds: Vec<&str> =
            messages.as_array().unwrap().iter().map(|one| one["message_type"].as_str().unwrap()).collect();
        assert_eq!(
            kinds[1..],
            [
                "user_message",
                "approval_request_message",
                "approval_response_message",
                "tool_return_message",
                "assistant_message"
            ],
            "{point}"
        );
    }
}

#[tokio::test]
async fn no_point_loses_an_approval_on_sqlite() {
    no_point_loses_an_approval(None).await;
}

#[tokio::test]
async fn no_point_loses_an_approval_on_postgres() {
    no_point_loses_an_approval(Some(Postgres::shared().create_database())).await;
}
