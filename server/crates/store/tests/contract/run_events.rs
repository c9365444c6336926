//! Events of background runs.

use mneme_domain::RunId;
use mneme_store::{
    StoreError, agents,
    runs::{self, events},
};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, run},
    on_both,
};

on_both!(events_are_read_from_any_place, a_place_is_taken_once, only_its_organisation_adds_to_a_run);

/// Stores a run.
async fn begin(w: &World) -> RunId {
    let runner = agent("runner");
    let run = run(&runner.id);
    let mut c = w.write().await;
    agents::insert(&mut c, &w.actor, &runner).await.unwrap();
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    c.commit().await.unwrap();
    run.id
}

async fn events_are_read_from_any_place(w: World) {
    let run = begin(&w).await;
    let mut c = w.write().await;
    let all: Vec<(i64, String)> = (1..=5).map(|seq| (seq, format!("{seq}: {TRICKY}"))).collect();
    events::append(&mut c, &w.actor, &run, None, &[]).await.unwrap();
    events::append(&mut c, &w.actor, &run, None, &all[..2]).await.unwrap();
    events::append(&mut c, &w.actor, &run, None, &all[2..]).await.unwrap();
    assert_eq!(events::after(&mut c, &w.actor, &run, 0, 9).await.unwrap(), all);
    assert_eq!(events::after(&mut c, &w.actor, &run, 2, 2).await.unwrap(), all[2..4]);
    assert_eq!(events::after(&mut c, &w.actor, &run, 5, 9).await.unwrap(), []);
    assert!(runs::delete(&mut c, &w.actor, &run).await.unwrap());
    assert_eq!(events::after(&mut c, &w.actor, &run, 0, 9).await.unwrap(), [], "they go with their run");
}

async fn a_place_is_taken_once(w: World) {
    let run = begin(&w).await;
    let mut c = w.write().await;
    events::append(&mut c, &w.actor, &run, None, &[(1, "first".into())]).await.unwrap();
    let again = events::append(&mut c, &w.actor, &run, None, &[(1, "second".into())]).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
}

async fn only_its_organisation_adds_to_a_run(w: World) {
    let run = begin(&w).await;
    let mut c = w.write().await;
    events::append(&mut c, &w.actor, &run, None, &[(1, "mine".into())]).await.unwrap();
    assert_eq!(events::after(&mut c, &w.stranger, &run, 0, 9).await.unwrap(), []);
    for (actor, run) in [(&w.stranger, &run), (&w.actor, &RunId::from_uuid(Uuid::new_v4()))] {
        let refused = events::append(&mut c, actor, run, None, &[(9, "x".into())]).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    }
}
