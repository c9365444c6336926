//! Many calls at once.

use std::sync::Arc;
use std::time::Duration;

use mneme_sandbox::{CallRequest, Limits, Sandbox, SandboxConfig, ToolFailure};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{Agent, hostile, request, sandbox, shared_cache, tight};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_agents_at_once_each_edit_their_own_block() {
    let sandbox = sandbox();
    let builtins = sandbox.builtin().await.expect("they load");
    let mut calls = JoinSet::new();
    for number in 0..64 {
        let (sandbox, builtins) = (sandbox.clone(), builtins.clone());
        calls.spawn(async move {
            let agent = Agent::with(&[("notes", "start")]);
            let (guest, _) = builtins.find("memory_insert").expect("found");
            for turn in 0..5 {
                let arguments = json!({"label": "notes", "new_str": format!("{number}.{turn}")});
                let outcome = sandbox.call(guest, request(&agent, "memory_insert", arguments)).await;
                assert!(outcome.result.is_ok(), "{outcome:?}");
            }
            let expected: Vec<_> = (0..5).map(|turn| format!("{number}.{turn}")).collect();
            assert_eq!(agent.value("notes"), format!("start\n{}", expected.join("\n")));
        });
    }
    while let Some(done) = calls.join_next().await {
        done.expect("no panic");
    }
}

/// More calls than there are places wait for one; those that wait too long are told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_the_pool_wait_their_turn() {
    let narrow = SandboxConfig { max_instances: 2, ..shared_cache() };
    let sandbox = Sandbox::new(narrow).expect("a sandbox");
    let guest = sandbox.load(&crate::support::hostile_bytes()).await.expect("it loads");
    let agent = Agent::with(&[]);
    let nap = |milliseconds: u64, wall: Duration| CallRequest {
        limits: Limits { wall, ..tight() },
        ..request(&agent, "nap", json!({"milliseconds": milliseconds}))
    };
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let (sandbox, guest) = (sandbox.clone(), guest.clone());
        let request = nap(30, Duration::from_secs(20));
        calls.spawn(async move { sandbox.call(&guest, request).await });
    }
    while let Some(done) = calls.join_next().await {
        assert!(done.expect("no panic").result.is_ok());
    }

    let long: Vec<_> = (0..2)
        .map(|_| {
            let (sandbox, guest) = (sandbox.clone(), guest.clone());
            let request = nap(2_000, Duration::from_secs(10));
            tokio::spawn(async move { sandbox.call(&guest, request).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let impatient = sandbox.call(&guest, nap(0, Duration::from_millis(100))).await;
    assert!(
        matches!(&impatient.result, Err(ToolFailure::Internal(text)) if text.contains("too many tools")),
        "{impatient:?}"
    );
    for call in long {
        assert!(call.await.expect("no panic").result.is_ok());
    }
}

/// A caller that goes away takes its instance with it.
#[tokio::test]
async fn a_dropped_call_frees_its_place() {
    let narrow = SandboxConfig { max_instances: 1, ..shared_cache() };
    let sandbox = Arc::new(Sandbox::new(narrow).expect("a sandbox"));
    let guest = hostile_in(&sandbox).await;
    let agent = Agent::with(&[]);
    let sleeping = request(&agent, "nap", json!({"milliseconds": 60_000}));
    let call = sandbox.call(&guest, sleeping);
    assert!(tokio::time::timeout(Duration::from_millis(100), call).await.is_err());
    let next = sandbox.call(&guest, request(&agent, "remember", json!({}))).await;
    assert_eq!(next.result, Ok("1".to_owned()));
}

async fn hostile_in(sandbox: &Sandbox) -> mneme_sandbox::Guest {
    let _ = hostile().await;
    sandbox.load(&crate::support::hostile_bytes()).await.expect("it loads")
}
