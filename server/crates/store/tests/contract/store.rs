//! Connections, transactions, migrations and files.

use std::time::Duration;

use mneme_domain::{Order, Page, message::MessageRole};
use mneme_store::{
    Engine, Store, StoreError, agents,
    blocks::{self, BlockFilter},
    messages,
};
use mneme_tests::Postgres;

use crate::{
    fixtures::{World, agent, at, block, config, first, message},
    on_both,
};

on_both!(
    what_is_not_committed_never_was,
    migrating_again_changes_nothing,
    a_closed_store_is_unavailable,
    one_of_many_updates_wins,
);

async fn what_is_not_committed_never_was(w: World) {
    let kept = block("kept", "");
    let lost = block("lost", "");
    let mut c = w.write().await;
    blocks::insert(&mut c, &w.actor, &kept, at(0)).await.unwrap();
    c.commit().await.unwrap();
    let mut c = w.write().await;
    blocks::insert(&mut c, &w.actor, &lost, at(0)).await.unwrap();
    let mut reader = w.read().await;
    assert_eq!(blocks::get(&mut reader, &w.actor, &lost.id).await.unwrap(), None, "readers do not see it yet");
    drop(c);
    let mut c = w.write().await;
    assert_eq!(blocks::list(&mut c, &w.actor, &BlockFilter::default(), &Page::all()).await.unwrap(), [kept]);
}

async fn migrating_again_changes_nothing(w: World) {
    let version = w.store.schema_version().await.unwrap();
    assert!(version >= 1);
    w.store.migrate().await.unwrap();
    assert_eq!(w.store.schema_version().await.unwrap(), version);
    w.store.ping().await.unwrap();
}

async fn a_closed_store_is_unavailable(w: World) {
    w.store.close().await;
    assert!(matches!(w.store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(w.store.write().await, Err(StoreError::Unavailable(_))));
}

async fn one_of_many_updates_wins(w: World) {
    let mut block = block("counter", "0");
    let mut c = w.write().await;
    blocks::insert(&mut c, &w.actor, &block, at(0)).await.unwrap();
    c.commit().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        block.value = number.to_string();
        let (store, actor, block) = (w.store.clone(), w.actor.clone(), block.clone());
        tasks.spawn(async move {
            let mut c = store.write().await.unwrap();
            let result = blocks::update(&mut c, &actor, &block, 1, at(1)).await;
            if result.is_ok() {
                c.commit().await.unwrap();
            }
            result
        });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| matches!(result, Ok(2))).count(), 1, "{results:?}");
    assert_eq!(results.iter().filter(|result| matches!(result, Err(StoreError::Stale))).count(), 7, "{results:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_and_as_many_readers_never_find_sqlite_locked() {
    let w = World::sqlite().await;
    let owner = agent("busy");
    let mut c = w.write().await;
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    c.commit().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let (store, actor, owner) = (w.store.clone(), w.actor.clone(), owner.clone());
        tasks.spawn(async move {
            for turn in 0..5 {
                let mut c = store.write().await?;
                let said = message(&owner.id, MessageRole::User, &format!("{number}/{turn}"), turn);
                messages::append(&mut c, &actor, &[said]).await?;
                let stored = agents::get(&mut c, &actor, &owner.id).await?.ok_or(StoreError::NotFound)?;
                agents::touch_context(&mut c, &actor, &owner.id, &[], stored.version, None, None, at(turn)).await?;
                c.commit().await?;
                let mut c = store.read().await?;
                messages::list(&mut c, &actor, &owner.id, &messages::MessageFilter::default(), &first(5, Order::Desc))
                    .await?;
            }
            Ok::<(), StoreError>(())
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap().unwrap();
    }
    let mut c = w.read().await;
    assert_eq!(messages::count(&mut c, &w.actor, &owner.id).await.unwrap(), 320);
    let stored = agents::get(&mut c, &w.actor, &owner.id).await.unwrap().unwrap();
    assert_eq!(stored.version, 321, "no update was lost");
}

#[tokio::test]
async fn sqlite_readers_refuse_to_write() {
    let w = World::sqlite().await;
    let mut c = w.read().await;
    let refused = blocks::insert(&mut c, &w.actor, &block("x", ""), at(0)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn a_sqlite_file_is_private_and_survives_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/er/mneme.db");
    let url = format!("sqlite://{}", path.display());
    let kept = block("kept", "after all");
    let actor = mneme_domain::Actor::default_admin();
    for round in 0..2 {
        let store = Store::open(&config(&url)).await.unwrap();
        assert_eq!(store.schema_version().await.unwrap() > 0, round > 0);
        store.migrate().await.unwrap();
        let mut c = store.write().await.unwrap();
        if round == 0 {
            blocks::insert(&mut c, &actor, &kept, at(0)).await.unwrap();
        }
        assert!(blocks::get(&mut c, &actor, &kept.id).await.unwrap().is_some());
        c.commit().await.unwrap();
        #[cfg(unix)]
        for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            use std::os::unix::fs::PermissionsExt;
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        }
        store.close().await;
    }
    let left: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["mneme.db"], "the log is written back");
}

#[tokio::test]
async fn two_servers_share_one_sqlite_file() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/shared.db", directory.path().display());
    let actor = mneme_domain::Actor::default_admin();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (config, actor) = (config(&url), actor.clone());
        tasks.spawn(async move {
            let store = Store::open(&config).await.unwrap();
            store.migrate().await.unwrap();
            for _ in 0..10 {
                let mut c = store.write().await.unwrap();
                blocks::insert(&mut c, &actor, &block("x", ""), at(0)).await.unwrap();
                c.commit().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let store = Store::open(&config(&url)).await.unwrap();
    let mut c = store.read().await.unwrap();
    assert_eq!(blocks::count(&mut c, &actor, &BlockFilter::default()).await.unwrap(), 40);
}

#[tokio::test]
async fn servers_that_start_together_migrate_postgres_once() {
    let url = Postgres::shared().create_database();
    let mut tasks = tokio::task::JoinSet::new();
    for scheme in ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+pg8000"] {
        let mut config = config(&url.replacen("postgres", scheme, 1));
        config.max_connections = 2;
        tasks.spawn(async move {
            let store = Store::open(&config).await.unwrap();
            store.migrate().await.unwrap();
            assert_eq!(store.engine(), Engine::Postgres);
            store.schema_version().await.unwrap()
        });
    }
    assert!(tasks.join_all().await.into_iter().all(|version| version >= 1));
}

#[tokio::test]
async fn a_useless_url_is_refused_at_once() {
    for url in ["", "mysql://localhost/x", "postgres://[", "just text"] {
        let opened = Store::open(&config(url)).await;
        assert!(matches!(opened, Err(StoreError::Config(_))), "{url}: {opened:?}");
    }
    let mut nobody_there = config("postgres://u:p@127.0.0.1:9/x");
    nobody_there.acquire_timeout = Duration::from_millis(300);
    assert!(matches!(Store::open(&nobody_there).await, Err(StoreError::Unavailable(_))));
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("garbage.db");
    std::fs::write(&garbage, vec![b'x'; 8192]).unwrap();
    let opened = Store::open(&config(&format!("sqlite://{}", garbage.display()))).await;
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
}

#[tokio::test]
async fn who_waits_too_long_for_a_connection_is_told_so() {
    for url in ["sqlite::memory:".to_owned(), Postgres::shared().create_database()] {
        let mut config = config(&url);
        config.max_connections = 1;
        config.acquire_timeout = Duration::from_millis(100);
        let store = Store::open(&config).await.unwrap();
        let held = store.read().await.unwrap();
        assert!(matches!(store.read().await, Err(StoreError::Unavailable(_))));
        drop(held);
        store.ping().await.unwrap();
        let held = store.write().await.unwrap();
        assert!(matches!(store.write().await, Err(StoreError::Unavailable(_))));
        drop(held);
        drop(store.write().await.unwrap());
    }
}

#[tokio::test]
async fn a_lost_postgres_is_unavailable() {
    let server = Postgres::start();
    let mut config = config(&server.create_database());
    config.acquire_timeout = Duration::from_secs(2);
    let store = Store::open(&config).await.unwrap();
    store.migrate().await.unwrap();
    let actor = mneme_domain::Actor::default_admin();
    let mut c = store.write().await.unwrap();
    blocks::insert(&mut c, &actor, &block("x", ""), at(0)).await.unwrap();
    drop(server);
    let lost = blocks::insert(&mut c, &actor, &block("y", ""), at(0)).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    drop(c);
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.write().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_server_that_stands_still_in_a_transaction_does_not_hold_up_the_others() {
    let mut config = config(&Postgres::shared().create_database());
    config.statement_timeout = Duration::from_secs(4);
    let store = Store::open(&config).await.unwrap();
    store.migrate().await.unwrap();
    let actor = mneme_domain::Actor::default_admin();
    let shared = block("shared", "");
    let mut c = store.write().await.unwrap();
    blocks::insert(&mut c, &actor, &shared, at(0)).await.unwrap();
    c.commit().await.unwrap();

    let mut still = store.write().await.unwrap();
    blocks::update(&mut still, &actor, &shared, 1, at(1)).await.unwrap();
    let mut other = store.write().await.unwrap();
    assert_eq!(blocks::update(&mut other, &actor, &shared, 1, at(2)).await.unwrap(), 2);
    other.commit().await.unwrap();
    let late = still.commit().await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    store.ping().await.unwrap();
}
