//! Runs that go on without their client survive `kill -9` at every point where something is written, on both databases
//! and with several servers on one.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "durable_runs/approvals.rs"]
mod approvals;
#[path = "durable_runs/ending.rs"]
mod ending;
#[path = "durable_runs/stopping.rs"]
mod stopping;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::post};
use mneme_tests::{Postgres, Provider, Reply, Server, ServerBuilder, provider::Recorded};
use parking_lot::Mutex;
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
const LEASE: &str = "1";

/// Two edits of memory, then an answer: what comes next follows from how many tools have answered.
fn two_edits_and_an_answer(request: &Recorded) -> Option<Reply> {
    let answered = request.messages().iter().rev().take_while(|message| message["role"] != "user");
    let edit = |text: &str| Reply::tool_call("memory_insert", json!({"label": "human", "new_str": text}));
    Some(match answered.filter(|message| message["role"] == "tool").count() {
        0 => edit("alpha"),
        1 => edit("beta"),
        _ => Reply::text("all done now"),
    })
}

/// An address that counts who calls it back, and with which signature.
async fn hook() -> (String, Arc<Mutex<HashMap<String, Vec<String>>>>) {
    type Calls = Arc<Mutex<HashMap<String, Vec<String>>>>;
    async fn called(State(calls): State<Calls>, headers: axum::http::HeaderMap, Json(body): Json<Value>) {
        let signature = headers["x-mneme-signature"].to_str().unwrap().to_owned();
        calls.lock().entry(body["run_id"].as_str().unwrap().to_owned()).or_default().push(signature);
    }
    let calls = Calls::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(called)).with_state(calls.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, calls)
}

fn builder(provider: &Provider, url: Option<&str>) -> ServerBuilder {
    let builder = Server::builder()
        .provider(provider)
        .env("MNEME_RUN_LEASE_SECONDS", LEASE)
        .env("MNEME_CALLBACK_SECRET", "between us");
    match url {
        Some(url) => builder.database_url(url),
        None => builder,
    }
}

async fn create_agent(server: &Server) -> String {
    let body = json!({
        "name": "worker", "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini",
        "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "start"}],
        "include_base_tools": false, "tools": ["memory_insert"],
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent["id"].as_str().unwrap().to_owned()
}

/// The run of an agent, when it is over.
async fn ended(server: &Server, agent: &str) -> Value {
    let over = async {
        loop {
            let (_, runs) = server.get(&format!("/v1/runs/?agent_id={agent}")).await;
            if let Some([run]) = runs.as_array().map(Vec::as_slice)
                && !run["completed_at"].is_null()
            {
                return run.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let over = tokio::time::timeout(LIMIT, over).await;
    over.unwrap_or_else(|_| panic!("the run of {agent} never ended\n{}", server.log()))
}

/// What a client sees of a run, without ids and times: its messages, its memory, its steps.
async fn transcript(server: &Server, agent: &str, run: &str) -> Value {
    let (_, messages) = server.get(&format!("/v1/runs/{run}/messages?order=asc")).await;
    let told: Vec<Value> = messages
        .as_array()
        .unwrap_or_else(|| panic!("{messages}"))
        .iter()
        .map(|one| {
            json!([
                one["message_type"],
                one["content"],
                one["tool_call"]["arguments"],
                one["tool_return"],
                one["status"]
            ])
        })
        .collect();
    let (_, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/human")).await;
    let (_, steps) = server.get(&format!("/v1/runs/{run}/steps")).await;
    let (_, all) = server.get(&format!("/v1/agents/{agent}/messages?limit=1000")).await;
    json!({"told": told, "memory": block["value"], "steps": steps.as_array().unwrap().len(),
        "history": all.as_array().unwrap().len()})
}

/// The events of a run's stream after a place, up to its end.
async fn events(server: &Server, run: &str, after: i64) -> Vec<Value> {
    let request = server.http().post(format!("{}/v1/runs/{run}/stream", server.url()));
    let body = json!({"starting_after": after, "include_pings": false, "poll_interval": 0.05});
    let text = request.json(&body).send().await.unwrap().text().await.unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|line| *line != "[DONE]");
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a stream says, without ids and times; pieces of a step that was cut off and made again are left out.
fn said(events: &[Value], kept: &[Value]) -> Vec<Value> {
    let known: Vec<&Value> = kept.iter().map(|message| &message["id"]).collect();
    let of_run = events.iter().filter(|event| event["id"].is_null() || known.contains(&&event["id"]));
    let mut said: Vec<Value> = Vec::new();
    for event in of_run {
        let text = event["content"].as_str().unwrap_or_default();
        let call = event["tool_call"]["arguments"].as_str().unwrap_or_default();
        let (kind, text) = (&event["message_type"], format!("{text}{call}{}", event["tool_return"]));
        match said.last_mut().filter(|last| last[0] == *kind && last[2] == event["id"]) {
            Some(last) => last[1] = json!(format!("{}{text}", last[1].as_str().unwrap()).replace("null", "")),
            None => said.push(json!([kind, text.replace("null", ""), event["id"]])),
        }
    }
    said.into_iter().map(|one| json!([one[0], one[1]])).collect()
}

/// Every place where something is written, and how often a run comes to it at most.
const POINTS: [(&str, u32); 11] = [
    ("run.accepted", 1),
    ("run.running", 1),
    ("step.answered", 3),
    ("step.ran", 3),
    ("step.uncommitted", 3),
    ("step.committed", 3),
    ("events.unwritten", 3),
    ("events.written", 3),
    ("run.over", 1),
    ("callback.untold", 1),
    ("callback.told", 1),
];

async fn no_point_loses_a_run(url: Option<String>) {
    let provider = Provider::start().await;
    provider.script(two_edits_and_an_answer);
    let (hook, calls) = hook().await;
    let mut server = builder(&provider, url.as_deref()).start().await;
    let message = json!({"messages": [{"role": "user", "content": "go"}]});
    let mut expected: Option<(Value, Vec<Value>)> = None;
    let (mut tried, mut lost, mut untold, mut failed) = (0, 0, 0, Vec::new());
    for streamed in [false, true] {
        let mut points = vec![None];
        points.extend(POINTS.iter().flat_map(|(name, times)| (1..=*times).map(move |time| Some((*name, time)))));
        // A stream has no callback.
        points.retain(|point| !streamed || point.is_none_or(|(name, _)| !name.starts_with("callback")));
        for point in points {
            if let Some((name, time)) = point {
                server.restart_as(|builder| builder.env("MNEME_FAILPOINT", &format!("{name}:{time}"))).await;
            }
            let agent = create_agent(&server).await;
            let mut body = message.clone();
            let path = if streamed {
                body["background"] = json!(true);
                body["stream_tokens"] = json!(true);
                "messages/stream"
            } else {
                body["callback_url"] = json!(hook);
                "messages/async"
            };
            let request = server.http().post(format!("{}/v1/agents/{agent}/{path}", server.url())).json(&body);
            // The server may die before it answers, or in the middle of the stream.
            if let Ok(answer) = request.send().await {
                let _ = answer.bytes().await;
            }
            if let Some((name, time)) = point {
                let died = async {
                    while server.is_alive() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                // A place that a run comes to less often is no point of it.
                if tokio::time::timeout(Duration::from_secs(3), died).await.is_err() {
                    assert!(name.starts_with("events") && time > 1, "{name}:{time} was never reached");
                    server.kill();
                    server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;
                    continue;
                }
                tried += 1;
                server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;
            }
            let run = ended(&server, &agent).await;
            let id = run["id"].as_str().unwrap();
            if run["status"] != "completed" || run["stop_reason"] != "end_turn" {
                lost += 1;
            }
            let found = transcript(&server, &agent, id).await;
            let (_, kept) = server.get(&format!("/v1/runs/{id}/messages?order=asc")).await;
            let stream = said(&events(&server, id, 0).await, kept.as_array().unwrap());
            match &expected {
                None => {
                    assert_eq!(
                        (&found["memory"], &found["steps"]),
                        (&json!("start\nalpha\nbeta"), &json!(3)),
                        "{found}"
                    );
                    expected = Some((found, stream));
                }
                Some((transcript, events)) if found != *transcript || stream != *events => {
                    failed.push(format!("{point:?} streamed {streamed}:\n{found}\n{stream:?}\n{events:?}"));
                }
                Some(_) => {}
            }
            if !streamed {
                let told = async {
                    while calls.lock().get(id).is_none() {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                untold += usize::from(tokio::time::timeout(Duration::from_secs(10), told).await.is_err());
            }
        }
    }
    println!("points tried: {tried}, runs lost: {lost}, callbacks lost: {untold}");
    assert!(failed.is_empty(), "{}\n{}", failed.join("\n"), server.log());
    assert!((lost, untold) == (0, 0) && tried >= 30, "tried {tried}, lost {lost}, untold {untold}\n{}", server.log());
    assert!(calls.lock().values().flatten().all(|signature| signature.starts_with("t=") && signature.contains(",v1=")));
}

#[tokio::test]
async fn no_kill_loses_a_run_on_sqlite() {
    no_point_loses_a_run(None).await;
}

#[tokio::test]
async fn no_kill_loses_a_run_on_postgres() {
    no_point_loses_a_run(Some(Postgres::shared().create_database())).await;
}

#[tokio::test]
async fn two_servers_share_the_runs_and_one_takes_over_from_the_other() {
    const AGENTS: usize = 10;
    let provider = Provider::start().await;
    provider.script(|request| two_edits_and_an_answer(request).map(|reply| reply.after(Duration::from_millis(300))));
    let url = Postgres::shared().create_database();
    let mut first = builder(&provider, Some(&url)).start().await;
    // Both encrypt under the same key.
    let key = first.data_dir().join("master.key");
    let second = {
        let hex: String = std::fs::read(key).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        builder(&provider, Some(&url)).env("MNEME_MASTER_KEY", &hex).start().await
    };
    let mut agents = Vec::new();
    for _ in 0..AGENTS {
        agents.push(create_agent(&first).await);
    }
    let mut runs = Vec::new();
    for (number, agent) in agents.iter().enumerate() {
        let server = if number % 2 == 0 { &first } else { &second };
        let body = json!({"messages": [{"role": "user", "content": "go"}]});
        let (status, run) = server.post(&format!("/v1/agents/{agent}/messages/async"), &body).await;
        assert_eq!(status, 200, "{run}");
        runs.push(run["id"].as_str().unwrap().to_owned());
    }
    // The second reads what the first does, while it does it.
    let read = tokio::spawn({
        let (url, run) = (second.url(), runs[0].clone());
        let http = second.http().clone();
        async move {
            let request = http.post(format!("{url}/v1/runs/{run}/stream")).json(&json!({"starting_after": 0}));
            request.send().await.unwrap().text().await.unwrap()
        }
    });
    provider.wait_for_chats(AGENTS + 4).await;
    first.kill();
    let text = tokio::time::timeout(LIMIT, read).await.unwrap().unwrap();
    assert!(text.contains("all done now") && text.trim_end().ends_with("data: [DONE]"), "{text}");
    let mut expected = None;
    for (agent, run) in agents.iter().zip(&runs) {
        let over = ended(&second, agent).await;
        assert_eq!((&over["id"], &over["status"]), (&json!(run), &json!("completed")), "{}", second.log());
        let found = transcript(&second, agent, run).await;
        assert_eq!(*expected.get_or_insert_with(|| found.clone()), found);
    }
    assert_eq!(expected.unwrap()["memory"], "start\nalpha\nbeta");
}

fn signal(server: &Server, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &server.pid().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn a_server_that_slept_past_its_lease_writes_nothing_more() {
    let provider = Provider::start().await;
    provider.script(|request| two_edits_and_an_answer(request).map(|reply| reply.after(Duration::from_millis(400))));
    let url = Postgres::shared().create_database();
    let sleeper = builder(&provider, Some(&url)).start().await;
    let hex: String = std::fs::read(sleeper.data_dir().join("master.key"))
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let other = builder(&provider, Some(&url)).env("MNEME_MASTER_KEY", &hex).start().await;
    let agent = create_agent(&sleeper).await;
    let body = json!({"messages": [{"role": "user", "content": "go"}]});
    let (_, run) = sleeper.post(&format!("/v1/agents/{agent}/messages/async"), &body).await;
    provider.wait_for_chats(2).await;
    signal(&sleeper, "-STOP");
    let over = ended(&other, &agent).await;
    assert_eq!((&over["id"], &over["status"]), (&run["id"], &json!("completed")), "{}", other.log());
    let before = transcript(&other, &agent, run["id"].as_str().unwrap()).await;
    signal(&sleeper, "-CONT");
    let noticed = async {
        while !sleeper.log().contains("taken away") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, noticed).await.unwrap();
    assert_eq!(transcript(&other, &agent, run["id"].as_str().unwrap()).await, before);
    assert_eq!((&before["memory"], &before["steps"]), (&json!("start\nalpha\nbeta"), &json!(3)), "{before}");
    // It is of use again.
    let (status, answer) = sleeper.post(&format!("/v1/agents/{agent}/messages"), &body).await;
    assert_eq!(status, 200, "{answer}");
}
