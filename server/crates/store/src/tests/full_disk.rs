//! A full disk is told apart from a mistake, and costs nothing that was there.

use mneme_domain::Actor;

use crate::{
    MasterKey, Store, StoreConfig, StoreError, agents, providers,
    sql::{args, statements},
};

statements! {
    FILL: "insert into organizations (id, name, created_at) values ('org-full', $1, 0)";
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_reads_go_on() {
    let store = Store::open(&StoreConfig::new("sqlite::memory:", MasterKey::new([1; 32]))).await.unwrap();
    store.migrate().await.unwrap();
    let actor = Actor::default_admin();
    let mut c = store.write().await.unwrap();
    providers::upsert_base(&mut c, &actor, "openai", "openai", None).await.unwrap();
    c.script("pragma max_page_count = 1").await.unwrap();
    let full = c.run(&FILL, args!["x".repeat(1_000_000)]).await;
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    drop(c);
    let mut c = store.read().await.unwrap();
    assert_eq!(agents::count(&mut c, &actor, &agents::AgentFilter::default()).await.unwrap(), 0);
    assert_eq!(statements().len(), 1);
}

#[tokio::test]
async fn what_a_huge_transaction_leaves_of_the_log_is_bounded() {
    let store = Store::open(&StoreConfig::new("sqlite::memory:", MasterKey::new([1; 32]))).await.unwrap();
    let mut c = store.write().await.unwrap();
    // SQLite itself says -1, which is no limit.
    let query = c.query("pragma journal_size_limit");
    assert_eq!(c.query_one::<(i64,)>(query).await.unwrap(), Some((256 << 20,)));
}
