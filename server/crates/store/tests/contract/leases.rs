//! Whose run it is, and whose turn.

use mneme_domain::{
    AgentId,
    run::{Run, RunStatus, StopReason},
};
use mneme_store::{
    Conn, StoreError, agents,
    runs::{self, RunEnd, events, lease},
};

use crate::{
    fixtures::{World, agent, at, run},
    on_both,
};

on_both!(
    a_turn_belongs_to_one_run,
    only_the_runs_of_dead_servers_are_claimed,
    a_turn_that_changed_hands_writes_nothing_more,
    what_is_left_behind_is_found_at_once,
);

const LONG: i64 = 60_000_000;

async fn home(c: &mut Conn, w: &World) -> AgentId {
    let agent = agent("runner");
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent.id
}

fn over() -> RunEnd {
    RunEnd {
        status: RunStatus::Completed,
        stop_reason: Some(StopReason::EndTurn),
        completed_at: at(9),
        ttft_ns: None,
        total_duration_ns: None,
        error: None,
    }
}

fn background(agent: &AgentId) -> Run {
    Run { background: Some(true), ..run(agent) }
}

async fn a_turn_belongs_to_one_run(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let (first, second, third) = (run(&runner), run(&runner), run(&runner));
    let taken = lease::insert_taking(&mut c, &w.actor, &first, "a").await.unwrap().unwrap();
    assert_eq!((taken.fence, taken.version), (1, 1));
    assert_eq!(runs::get(&mut c, &w.actor, &first.id).await.unwrap().unwrap().status, RunStatus::Running);
    assert_eq!(lease::insert_taking(&mut c, &w.actor, &second, "b").await.unwrap(), None);
    assert_eq!(runs::get(&mut c, &w.actor, &second.id).await.unwrap().unwrap().status, RunStatus::Created);
    assert_eq!(lease::take(&mut c, &w.actor, &runner, &second.id).await.unwrap(), None);
    assert!(!runs::finish_own(&mut c, &w.actor, &first.id, &over(), "b").await.unwrap(), "it is another server's");
    assert!(runs::finish_own(&mut c, &w.actor, &first.id, &over(), "a").await.unwrap());
    assert_eq!(lease::take(&mut c, &w.actor, &runner, &second.id).await.unwrap().unwrap().fence, 2);
    assert!(!lease::set_running(&mut c, &w.actor, &second.id, "a").await.unwrap());
    assert!(lease::set_running(&mut c, &w.actor, &second.id, "b").await.unwrap());
    assert!(runs::finish(&mut c, &w.actor, &second.id, &over()).await.unwrap());
    // A run that is gone holds nothing.
    assert!(runs::delete(&mut c, &w.actor, &second.id).await.unwrap());
    lease::insert(&mut c, &w.actor, &third, "a", None).await.unwrap();
    assert_eq!(lease::take(&mut c, &w.actor, &runner, &third.id).await.unwrap().unwrap().fence, 3);
}

async fn only_the_runs_of_dead_servers_are_claimed(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let (one, other) = (background(&runner), background(&runner));
    lease::beat(&mut c, "alive", LONG).await.unwrap();
    lease::beat(&mut c, "dead", -1).await.unwrap();
    lease::insert(&mut c, &w.actor, &one, "alive", Some("{}")).await.unwrap();
    lease::insert(&mut c, &w.actor, &other, "dead", Some("{\"a\":1}")).await.unwrap();
    assert_eq!(lease::orphans(&mut c, "me", 10).await.unwrap(), std::slice::from_ref(&other.id));
    assert_eq!(lease::claim(&mut c, &one.id, "me").await.unwrap(), None);
    lease::beat(&mut c, "me", LONG).await.unwrap();
    let claimed = lease::claim(&mut c, &other.id, "me").await.unwrap().unwrap();
    assert_eq!(claimed.run, other);
    assert_eq!((claimed.takeovers, claimed.request.as_deref()), (1, Some("{\"a\":1}")));
    assert_eq!((claimed.org, claimed.user), (w.actor.org.clone(), w.actor.user.clone()));
    assert_eq!(lease::claim(&mut c, &other.id, "third").await.unwrap(), None, "it is taken");
    assert_eq!(
        lease::lost(&mut c, "dead", std::slice::from_ref(&other.id)).await.unwrap(),
        std::slice::from_ref(&other.id)
    );
    assert_eq!(lease::lost(&mut c, "me", std::slice::from_ref(&other.id)).await.unwrap(), []);
    // What a run was asked for is kept no longer than it is needed.
    assert!(runs::finish(&mut c, &w.actor, &other.id, &over()).await.unwrap());
    assert_eq!(lease::claim(&mut c, &other.id, "me").await.unwrap().unwrap().request, None);
}

async fn a_turn_that_changed_hands_writes_nothing_more(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let one = background(&runner);
    lease::beat(&mut c, "slow", LONG).await.unwrap();
    lease::insert(&mut c, &w.actor, &one, "slow", Some("{}")).await.unwrap();
    let taken = lease::take(&mut c, &w.actor, &runner, &one.id).await.unwrap().unwrap();
    assert!(lease::set_running(&mut c, &w.actor, &one.id, "slow").await.unwrap());
    let known = (taken.version, Some(taken.fence));
    let version = agents::touch_fenced(&mut c, &w.actor, &runner, &[], known, (None, None), at(5)).await.unwrap();
    events::append(&mut c, &w.actor, &one.id, Some("slow"), &[(1, "first".into())]).await.unwrap();

    lease::beat(&mut c, "slow", -1).await.unwrap();
    assert!(lease::claim(&mut c, &one.id, "quick").await.unwrap().is_some());
    lease::beat(&mut c, "slow", LONG).await.unwrap();
    for known in [(version, Some(taken.fence)), (version, None), (version + 1, Some(taken.fence))] {
        let refused = agents::touch_fenced(&mut c, &w.actor, &runner, &[], known, (None, None), at(6)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{known:?}");
    }
    let refused = events::append(&mut c, &w.actor, &one.id, Some("slow"), &[(2, "late".into())]).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert!(!runs::finish_own(&mut c, &w.actor, &one.id, &over(), "slow").await.unwrap());
    let taken = lease::take(&mut c, &w.actor, &runner, &one.id).await.unwrap().unwrap();
    let known = (taken.version, Some(taken.fence));
    agents::touch_fenced(&mut c, &w.actor, &runner, &[], known, (None, None), at(7)).await.unwrap();
    events::append(&mut c, &w.actor, &one.id, Some("quick"), &[(2, "second".into())]).await.unwrap();
}

async fn what_is_left_behind_is_found_at_once(w: World) {
    let mut c = w.write().await;
    let runner = home(&mut c, &w).await;
    let (one, told) = (background(&runner), Run { callback_url: Some("http://x/".into()), ..background(&runner) });
    lease::beat(&mut c, "going", LONG).await.unwrap();
    lease::insert(&mut c, &w.actor, &one, "going", Some("{}")).await.unwrap();
    lease::insert(&mut c, &w.actor, &told, "going", None).await.unwrap();
    assert!(runs::finish(&mut c, &w.actor, &told.id, &over()).await.unwrap());
    assert_eq!(lease::orphans(&mut c, "next", 10).await.unwrap(), []);
    assert_eq!(lease::untold(&mut c, "next", 10).await.unwrap(), []);
    lease::leave(&mut c, "going").await.unwrap();
    assert_eq!(lease::orphans(&mut c, "next", 10).await.unwrap(), [one.id]);
    assert_eq!(lease::untold(&mut c, "next", 10).await.unwrap(), std::slice::from_ref(&told.id));
    runs::set_callback(&mut c, &w.actor, &told.id, at(10), Some(200), None).await.unwrap();
    assert_eq!(lease::untold(&mut c, "next", 10).await.unwrap(), []);
}
