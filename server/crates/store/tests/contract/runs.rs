//! Runs and what their steps add up to.

use mneme_domain::{
    AgentId, Order, Page, RunId, ToolId,
    message::{Message, MessageRole},
    run::{Run, RunMetrics, RunStatus, StopReason},
    step::TurnUsage,
};
use mneme_store::{
    Conn, StoreError, agents, messages,
    runs::{self, RunEnd, RunFilter, UnfinishedRun},
    steps,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{World, agent, at, first, message, object, run, step},
    on_both,
};

on_both!(
    a_run_ends_once,
    lists_are_filtered,
    agents_are_found_by_how_their_last_run_ended,
    steps_add_up,
    a_deleted_run_leaves_its_messages,
    a_callback_leaves_its_mark,
);

async fn home(c: &mut Conn, w: &World) -> AgentId {
    let agent =
        mneme_domain::agent::Agent { project_id: Some("p".into()), template_id: Some("t".into()), ..agent("runner") };
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent.id
}

fn end(status: RunStatus) -> RunEnd {
    RunEnd {
        status,
        stop_reason: Some(StopReason::EndTurn),
        completed_at: at(9),
        ttft_ns: Some(1),
        total_duration_ns: Some(2),
        error: None,
    }
}

async fn a_run_ends_once(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let begun = run(&runner);
    runs::insert(&mut c, &w.actor, &begun).await.unwrap();
    assert_eq!(runs::get(&mut c, &w.actor, &begun.id).await.unwrap(), Some(begun.clone()));
    let unfinished = UnfinishedRun {
        org: w.actor.org.clone(),
        user: w.actor.user.clone(),
        run: begun.id.clone(),
        agent: runner.clone(),
    };
    assert_eq!(runs::unfinished(&mut c).await.unwrap(), std::slice::from_ref(&unfinished));
    assert!(runs::set_running(&mut c, &w.actor, &begun.id).await.unwrap());
    let running = Run { status: RunStatus::Running, ..begun.clone() };
    assert_eq!(runs::get(&mut c, &w.actor, &begun.id).await.unwrap(), Some(running.clone()));
    assert_eq!(runs::unfinished(&mut c).await.unwrap(), [unfinished]);

    let error = object(json!({"type": "llm_error", "message": "quota"}));
    let failed = RunEnd { stop_reason: Some(StopReason::LlmApiError), error: Some(error), ..end(RunStatus::Failed) };
    assert!(runs::finish(&mut c, &w.actor, &begun.id, &failed).await.unwrap());
    let over = Run {
        status: RunStatus::Failed,
        stop_reason: Some(StopReason::LlmApiError),
        completed_at: Some(at(9)),
        ttft_ns: Some(1),
        total_duration_ns: Some(2),
        metadata: Some(object(json!({
            "run_type": "send_message", "b": 1, "a": 2, "error": {"type": "llm_error", "message": "quota"},
        }))),
        ..running
    };
    assert_eq!(runs::get(&mut c, &w.actor, &begun.id).await.unwrap(), Some(over.clone()));
    assert!(!runs::finish(&mut c, &w.actor, &begun.id, &end(RunStatus::Completed)).await.unwrap());
    assert!(!runs::set_running(&mut c, &w.actor, &begun.id).await.unwrap());
    assert_eq!(runs::get(&mut c, &w.actor, &begun.id).await.unwrap(), Some(over));
    assert_eq!(runs::unfinished(&mut c).await.unwrap(), []);

    // A run without metadata gets some for its error.
    let bare = Run { metadata: None, request_config: None, background: None, callback_url: None, ..run(&runner) };
    runs::insert(&mut c, &w.actor, &bare).await.unwrap();
    assert_eq!(runs::get(&mut c, &w.actor, &bare.id).await.unwrap(), Some(bare.clone()));
    assert!(runs::finish(&mut c, &w.actor, &bare.id, &failed).await.unwrap());
    let metadata = runs::get(&mut c, &w.actor, &bare.id).await.unwrap().unwrap().metadata;
    assert_eq!(metadata, Some(object(json!({"error": {"type": "llm_error", "message": "quota"}}))));

    let nobody = RunId::from_uuid(Uuid::new_v4());
    assert!(!runs::finish(&mut c, &w.actor, &nobody, &failed).await.unwrap());
    assert_eq!(runs::get(&mut c, &w.actor, &nobody).await.unwrap(), None);
    let homeless = runs::insert(&mut c, &w.actor, &run(&agent("nobody").id)).await;
    assert!(matches!(homeless, Err(StoreError::NotFound)));
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let one = home(&mut c, &w).await;
    let two = home(&mut c, &w).await;
    let all = [
        run(&one),
        Run { status: RunStatus::Running, background: Some(true), ..run(&one) },
        Run { status: RunStatus::Completed, stop_reason: Some(StopReason::EndTurn), background: None, ..run(&two) },
        Run { status: RunStatus::Failed, stop_reason: Some(StopReason::Error), ..run(&two) },
    ];
    for run in &all {
        runs::insert(&mut c, &w.actor, run).await.unwrap();
    }
    let none = RunFilter::default;
    let cases: Vec<(RunFilter, &[usize])> = vec![
        (none(), &[0, 1, 2, 3]),
        (RunFilter { agent_ids: vec![one.clone()], ..none() }, &[0, 1]),
        (RunFilter { agent_ids: vec![one, two], ..none() }, &[0, 1, 2, 3]),
        (RunFilter { statuses: vec![RunStatus::Failed, RunStatus::Created], ..none() }, &[0, 3]),
        (RunFilter { background: Some(true), ..none() }, &[1]),
        (RunFilter { background: Some(false), ..none() }, &[0, 2, 3]),
        (RunFilter { stop_reason: Some(StopReason::Error), ..none() }, &[3]),
        (RunFilter { active: true, ..none() }, &[0, 1]),
    ];
    for (filter, expected) in cases {
        let found = runs::list(&mut c, &w.actor, &filter, &Page::all()).await.unwrap();
        let expected: Vec<Run> = expected.iter().map(|index| all[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let page = Page { after: Some(all[3].id.to_string()), ..first(2, Order::Desc) };
    assert_eq!(runs::list(&mut c, &w.actor, &none(), &page).await.unwrap(), [all[2].clone(), all[1].clone()]);
}

async fn steps_add_up(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let run = Run { base_template_id: Some("bt".into()), total_duration_ns: Some(5), ..run(&runner) };
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    let usage = runs::usage(&mut c, &w.actor, &run.id).await.unwrap();
    assert_eq!(usage, Some(TurnUsage::default()));

    let tools: Vec<ToolId> = (0..3).map(|_| ToolId::from_uuid(Uuid::new_v4())).collect();
    for used in [&tools[..2], &tools[1..], &[]] {
        let (step, metrics) = step(&runner, Some(&run.id), &w.actor);
        steps::insert(&mut c, &w.actor, &step, &metrics, None, used).await.unwrap();
    }
    let (mut other, metrics) = step(&runner, None, &w.actor);
    other.total_tokens = None;
    steps::insert(&mut c, &w.actor, &other, &metrics, None, &tools).await.unwrap();

    let usage = TurnUsage { prompt_tokens: 300, completion_tokens: 15, total_tokens: 315, step_count: 3 };
    assert_eq!(runs::usage(&mut c, &w.actor, &run.id).await.unwrap(), Some(usage));
    let metrics = RunMetrics {
        id: run.id.clone(),
        agent_id: runner,
        project_id: Some("p".into()),
        run_start_ns: at(0).timestamp_nanos_opt(),
        run_ns: Some(5),
        num_steps: Some(3),
        tools_used: Some(tools.iter().map(ToString::to_string).collect()),
        template_id: Some("t".into()),
        base_template_id: Some("bt".into()),
    };
    assert_eq!(runs::metrics(&mut c, &w.actor, &run.id).await.unwrap(), Some(metrics));
    let nobody = RunId::from_uuid(Uuid::new_v4());
    assert_eq!(runs::usage(&mut c, &w.actor, &nobody).await.unwrap(), None);
    assert_eq!(runs::metrics(&mut c, &w.actor, &nobody).await.unwrap(), None);
}

async fn a_deleted_run_leaves_its_messages(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let run = run(&runner);
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    let said = Message { run_id: Some(run.id.clone()), ..message(&runner, MessageRole::User, "kept", 0) };
    messages::append(&mut c, &w.actor, std::slice::from_ref(&said)).await.unwrap();
    let (step, metrics) = step(&runner, Some(&run.id), &w.actor);
    steps::insert(&mut c, &w.actor, &step, &metrics, None, &[]).await.unwrap();
    assert!(runs::delete(&mut c, &w.actor, &run.id).await.unwrap());
    assert!(!runs::delete(&mut c, &w.actor, &run.id).await.unwrap());
    let kept = messages::get(&mut c, &w.actor, &said.id).await.unwrap();
    assert_eq!(kept, Some(Message { run_id: None, ..said }));
    assert_eq!(steps::get(&mut c, &w.actor, &step.id).await.unwrap().map(|step| step.run_id), Some(None));
}

async fn a_callback_leaves_its_mark(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let run = run(&runner);
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    assert!(!runs::set_callback(&mut c, &w.stranger, &run.id, at(1), Some(200), None).await.unwrap());
    assert!(runs::set_callback(&mut c, &w.actor, &run.id, at(1), Some(500), Some("refused")).await.unwrap());
    let marked = Run {
        callback_sent_at: Some(at(1)),
        callback_status_code: Some(500),
        callback_error: Some("refused".into()),
        ..run
    };
    assert_eq!(runs::get(&mut c, &w.actor, &marked.id).await.unwrap(), Some(marked));
}

async fn agents_are_found_by_how_their_last_run_ended(w: World) {
    let mut c = w.write().await;
    let (waits, waited) = (agent("waits"), agent("waited"));
    for one in [&waits, &waited, &agent("never ran")] {
        agents::insert(&mut c, &w.actor, one).await.unwrap();
    }
    let (asks, ends) = (StopReason::RequiresApproval, StopReason::EndTurn);
    for (one, reason) in [(&waits, ends), (&waits, asks), (&waited, asks), (&waited, ends)] {
        let over = Run { status: RunStatus::Completed, stop_reason: Some(reason), ..run(&one.id) };
        runs::insert(&mut c, &w.actor, &over).await.unwrap();
    }
    // A run that is under way has not ended in any way.
    runs::insert(&mut c, &w.actor, &run(&waits.id)).await.unwrap();
    for (reason, expected) in
        [(asks, vec![waits.id.clone()]), (ends, vec![waited.id.clone()]), (StopReason::Error, vec![])]
    {
        assert_eq!(runs::agents_stopped(&mut c, &w.actor, reason).await.unwrap(), expected, "{reason:?}");
        assert_eq!(runs::agents_stopped(&mut c, &w.stranger, reason).await.unwrap(), [], "another organisation");
    }
}
