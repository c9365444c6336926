//! Batches: their runs, what waits for which provider, and who looks after them.

use mneme_domain::{
    AgentId, BatchId, Page,
    batch::{Batch, BatchCounts},
    message::MessageRole,
    run::{Run, RunStatus, StopReason},
};
use mneme_store::{
    Conn, StoreError, agents,
    batches::{
        self, lease,
        work::{self, Handed, Place, Upload},
    },
    messages,
    runs::{self, RunEnd, lease as run_lease},
};
use uuid::Uuid;

use crate::{
    fixtures::{World, agent, at, message, run},
    on_both,
};

on_both!(
    a_batch_counts_its_runs,
    a_call_waits_until_its_step_is_taken,
    only_its_owner_hands_calls_over,
    a_batch_of_a_dead_server_is_claimed_with_its_runs,
    what_agents_said_in_a_batch_is_listed,
);

const LONG: i64 = 60_000_000;

async fn home(c: &mut Conn, w: &World) -> AgentId {
    let agent = agent("worker");
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent.id
}

async fn begun(c: &mut Conn, w: &World, owner: &str, agents: &[&AgentId]) -> (BatchId, Vec<Run>) {
    let batch = Batch {
        id: BatchId::from_uuid(Uuid::new_v4()),
        user: w.actor.user.clone(),
        status: RunStatus::Created,
        counts: BatchCounts { total: agents.len() as i64, ..BatchCounts::default() },
        callback_url: None,
        callback_sent_at: None,
        callback_status_code: None,
        callback_error: None,
        created_at: at(1),
        updated_at: at(1),
        completed_at: None,
    };
    let runs: Vec<Run> = agents.iter().map(|agent| Run { background: Some(true), ..run(agent) }).collect();
    let asked: Vec<(Run, String)> = runs.iter().map(|run| (run.clone(), "{}".to_owned())).collect();
    batches::insert(c, &w.actor, &batch, owner, &asked).await.unwrap();
    (batch.id, runs)
}

fn over(status: RunStatus) -> RunEnd {
    RunEnd {
        status,
        stop_reason: Some(StopReason::EndTurn),
        completed_at: at(9),
        ttft_ns: None,
        total_duration_ns: None,
        error: None,
    }
}

fn upload(name: &str) -> Upload {
    Upload { id: format!("{name}-{}", Uuid::new_v4()), llm_config: agent("x").llm_config, remote: None }
}

fn handed(run: &Run, step: i64) -> Handed {
    Handed { run: run.id.clone(), place: Place { step, attempt: 0 }, body: "{\"a\":1}".into() }
}

async fn a_batch_counts_its_runs(w: World) {
    let mut c = w.write().await;
    let (ada, ben) = (home(&mut c, &w).await, home(&mut c, &w).await);
    let (id, all) = begun(&mut c, &w, "me", &[&ada, &ben, &ada]).await;
    let (other, _) = begun(&mut c, &w, "me", &[&ben]).await;
    runs::finish(&mut c, &w.actor, &all[0].id, &over(RunStatus::Completed)).await.unwrap();
    runs::finish(&mut c, &w.actor, &all[1].id, &over(RunStatus::Failed)).await.unwrap();
    let found = batches::get(&mut c, &w.actor, &id).await.unwrap().unwrap();
    let counts = BatchCounts { total: 3, completed: 1, failed: 1, cancelled: 0, processing: 1 };
    assert_eq!((found.counts, found.status), (counts, RunStatus::Created));
    batches::set_running(&mut c, &w.actor, &id, at(2)).await.unwrap();
    assert!(batches::finish(&mut c, &w.actor, &id, RunStatus::Cancelled, at(3)).await.unwrap());
    assert!(
        !batches::finish(&mut c, &w.actor, &id, RunStatus::Completed, at(4)).await.unwrap(),
        "the first end stands"
    );
    work::cancel_runs(&mut c, &w.actor, &id, at(3)).await.unwrap();
    let listed = batches::list(&mut c, &w.actor, &Page::all()).await.unwrap();
    let mut ids: Vec<&BatchId> = listed.iter().map(|batch| &batch.id).collect();
    ids.sort();
    let mut expected = [&id, &other];
    expected.sort();
    assert_eq!(ids, expected);
    let ended = listed.iter().find(|batch| batch.id == id).unwrap();
    assert_eq!((ended.counts.cancelled, ended.counts.processing, ended.completed_at), (1, 0, Some(at(3))));
    assert_eq!(batches::get(&mut c, &w.stranger, &id).await.unwrap(), None);
    assert_eq!(batches::list(&mut c, &w.stranger, &Page::all()).await.unwrap(), []);
    // The sweep of runs leaves them to their batch.
    assert_eq!(run_lease::orphans(&mut c, "next", 10).await.unwrap(), []);
    assert!(!batches::delete(&mut c, &w.stranger, &id).await.unwrap());
    assert!(batches::delete(&mut c, &w.actor, &id).await.unwrap());
    assert_eq!(batches::get(&mut c, &w.actor, &id).await.unwrap(), None);
    assert!(runs::get(&mut c, &w.actor, &all[0].id).await.unwrap().is_some(), "its runs stay");
}

async fn a_call_waits_until_its_step_is_taken(w: World) {
    let mut c = w.write().await;
    let (ada, ben) = (home(&mut c, &w).await, home(&mut c, &w).await);
    let (id, all) = begun(&mut c, &w, "me", &[&ada, &ben]).await;
    let first = upload("first");
    let calls = [handed(&all[0], 0), handed(&all[1], 0)];
    work::hand_over(&mut c, &w.actor, &id, "me", &first, &calls, at(2)).await.unwrap();
    let open = work::open(&mut c, &w.actor, &id).await.unwrap();
    assert_eq!(open.iter().map(|one| &one.run).collect::<Vec<_>>(), [&all[0].id, &all[1].id]);
    assert_eq!(open[0].waits, Some((first.id.clone(), Place { step: 0, attempt: 0 })));
    assert_eq!(work::body(&mut c, &w.actor, &all[0].id).await.unwrap().as_deref(), Some("{\"a\":1}"));
    assert!(work::arrived(&mut c, &w.actor, &first.id, "remote-1").await.unwrap());
    assert!(!work::arrived(&mut c, &w.actor, &first.id, "remote-2").await.unwrap(), "it has a name");
    assert_eq!(work::uploads(&mut c, &w.actor, &id).await.unwrap()[0].remote.as_deref(), Some("remote-1"));
    // One goes on to its next step, with another upload.
    let second = upload("second");
    work::hand_over(&mut c, &w.actor, &id, "me", &second, &[handed(&all[0], 1)], at(3)).await.unwrap();
    let left = work::calls(&mut c, &w.actor, &first.id).await.unwrap();
    assert_eq!(left, [(all[1].id.clone(), Place { step: 0, attempt: 0 })]);
    work::drop_upload(&mut c, &w.actor, &first.id).await.unwrap();
    let open = work::open(&mut c, &w.actor, &id).await.unwrap();
    assert_eq!(open[0].waits, Some((second.id.clone(), Place { step: 1, attempt: 0 })));
    assert_eq!(open[1].waits, None);
    assert!(!work::arrived(&mut c, &w.actor, &first.id, "late").await.unwrap(), "it is gone");
    work::drop_uploads(&mut c, &w.actor, &id).await.unwrap();
    assert_eq!(work::uploads(&mut c, &w.actor, &id).await.unwrap(), []);
    let (found, asked) = work::run(&mut c, &w.actor, &all[0].id).await.unwrap().unwrap();
    assert_eq!((found.id, asked.as_deref()), (all[0].id.clone(), Some("{}")));
}

async fn only_its_owner_hands_calls_over(w: World) {
    let mut c = w.write().await;
    let ada = home(&mut c, &w).await;
    let (id, all) = begun(&mut c, &w, "me", &[&ada]).await;
    assert!(work::is_owner(&mut c, &w.actor, &id, "me").await.unwrap());
    assert!(!work::is_owner(&mut c, &w.actor, &id, "other").await.unwrap());
    c.commit().await.unwrap();
    let mut c = w.write().await;
    let refused = work::hand_over(&mut c, &w.actor, &id, "other", &upload("u"), &[handed(&all[0], 0)], at(2)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    batches::finish(&mut c, &w.actor, &id, RunStatus::Cancelled, at(3)).await.unwrap();
    let refused = work::hand_over(&mut c, &w.actor, &id, "me", &upload("u"), &[handed(&all[0], 0)], at(4)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
}

async fn a_batch_of_a_dead_server_is_claimed_with_its_runs(w: World) {
    let mut c = w.write().await;
    let ada = home(&mut c, &w).await;
    run_lease::beat(&mut c, "alive", LONG).await.unwrap();
    run_lease::beat(&mut c, "dead", -1).await.unwrap();
    begun(&mut c, &w, "alive", &[&ada]).await;
    let (id, all) = begun(&mut c, &w, "dead", &[&ada]).await;
    assert_eq!(lease::orphans(&mut c, "me", 10).await.unwrap(), std::slice::from_ref(&id));
    // It died in the middle of a step.
    let taken = run_lease::take(&mut c, &w.actor, &ada, &all[0].id).await.unwrap().unwrap();
    assert!(run_lease::set_running(&mut c, &w.actor, &all[0].id, "dead").await.unwrap());
    run_lease::beat(&mut c, "me", LONG).await.unwrap();
    let actor = lease::claim(&mut c, &id, "me").await.unwrap().unwrap();
    assert_eq!((actor.org, actor.user), (w.actor.org.clone(), w.actor.user.clone()));
    assert_eq!(lease::claim(&mut c, &id, "third").await.unwrap(), None, "it is taken");
    assert_eq!(work::open(&mut c, &w.actor, &id).await.unwrap()[0].takeovers, 1);
    let late =
        agents::touch_fenced(&mut c, &w.actor, &ada, &[], (taken.version, Some(taken.fence)), (None, None), at(5));
    assert!(matches!(late.await, Err(StoreError::Stale)));
    assert!(!run_lease::set_running(&mut c, &w.actor, &all[0].id, "dead").await.unwrap());
    // The agent's turn is free, and may be given back by who waits.
    let again = run_lease::take(&mut c, &w.actor, &ada, &all[0].id).await.unwrap().unwrap();
    assert!(again.fence > taken.fence);
    let other = run(&ada);
    runs::insert(&mut c, &w.actor, &other).await.unwrap();
    assert_eq!(run_lease::take(&mut c, &w.actor, &ada, &other.id).await.unwrap(), None);
    work::give_back(&mut c, &w.actor, &ada, &all[0].id).await.unwrap();
    assert!(run_lease::take(&mut c, &w.actor, &ada, &other.id).await.unwrap().is_some());
    lease::leave(&mut c, "me").await.unwrap();
    assert_eq!(lease::orphans(&mut c, "next", 10).await.unwrap(), [id]);
}

async fn what_agents_said_in_a_batch_is_listed(w: World) {
    let mut c = w.write().await;
    let (ada, ben) = (home(&mut c, &w).await, home(&mut c, &w).await);
    let (id, all) = begun(&mut c, &w, "me", &[&ada, &ben]).await;
    let of = |agent: &AgentId, role: MessageRole, run: Option<&Run>, second: i64| {
        let mut one = message(agent, role, "said", second);
        one.run_id = run.map(|run| run.id.clone());
        one.batch_item_id = run.map(|run| mneme_domain::batch::item_of(&run.id));
        one
    };
    let said = [
        of(&ada, MessageRole::User, Some(&all[0]), 1),
        of(&ada, MessageRole::Assistant, Some(&all[0]), 2),
        of(&ben, MessageRole::Tool, Some(&all[1]), 3),
        of(&ben, MessageRole::Assistant, None, 4),
    ];
    messages::append(&mut c, &w.actor, &said).await.unwrap();
    let listed = |agent: Option<AgentId>| (agent, Page { order: mneme_domain::Order::Asc, ..Page::all() });
    for ((agent, page), expected) in
        [(listed(None), vec![&said[1].id, &said[2].id]), (listed(Some(ben.clone())), vec![&said[2].id])]
    {
        let found = messages::by_batch(&mut c, &w.actor, &id, agent.as_ref(), &page).await.unwrap();
        assert_eq!(found.iter().map(|one| &one.id).collect::<Vec<_>>(), expected);
    }
    let found = messages::by_batch(&mut c, &w.stranger, &id, None, &Page::all()).await.unwrap();
    assert_eq!(found, []);
}
