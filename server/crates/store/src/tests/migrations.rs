//! Migrations: in step with their files, applied once, refused when they come from the future.

use std::collections::BTreeSet;

use mneme_domain::Actor;

use super::empty;
use crate::{
    StoreError, agents,
    migrate::{self, MIGRATIONS, Migration},
};

/// The names of the files of one kind.
fn files(kind: &str) -> BTreeSet<String> {
    let directory = format!("{}/../../../migrations/{kind}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_file_is_compiled_in() {
    let names: BTreeSet<String> = MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
    assert_eq!(files("sqlite"), names);
    assert_eq!(files("postgres"), names);
    for (migration, number) in MIGRATIONS.iter().zip(1..) {
        assert_eq!(migration.version, number);
        assert!(migration.name.starts_with(&format!("{number:04}_")), "{}", migration.name);
    }
}

#[tokio::test]
async fn an_empty_database_becomes_usable() {
    for store in empty().await {
        assert_eq!(store.schema_version().await.unwrap(), 0);
        store.migrate().await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), MIGRATIONS.last().unwrap().version);
        let mut c = store.read().await.unwrap();
        let actor = Actor::default_admin();
        assert_eq!(agents::count(&mut c, &actor, &agents::AgentFilter::default()).await.unwrap(), 0);
    }
}

/// The migrations that the binary holds.
fn known_migrations() -> Vec<Migration> {
    let copy = |m: &Migration| Migration { version: m.version, name: m.name, sqlite: m.sqlite, postgres: m.postgres };
    MIGRATIONS.iter().map(copy).collect()
}

const fn migration(version: i64, name: &'static str, text: &'static str) -> Migration {
    Migration { version, name, sqlite: text, postgres: text }
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    for store in empty().await {
        store.migrate().await.unwrap();
        let known = MIGRATIONS.last().unwrap().version;
        let mut c = store.write().await.unwrap();
        let mut newer = known_migrations();
        newer.push(migration(
            known + 1,
            "from_the_future",
            "create table future (x text); create table more (x text);",
        ));
        migrate::run(&mut c, &newer).await.unwrap();
        c.commit().await.unwrap();
        assert_eq!(store.schema_version().await.unwrap(), known + 1);
        let refused = store.migrate().await;
        assert!(matches!(refused, Err(StoreError::TooNew { found, known: k }) if found == known + 1 && k == known));
    }
}

#[tokio::test]
async fn a_failing_or_altered_migration_changes_nothing() {
    for store in empty().await {
        let good = migration(1, "good", "select 1");
        let bad = migration(2, "bad", "create table half (x text); nonsense");
        let mut c = store.write().await.unwrap();
        assert!(migrate::run(&mut c, &[good, bad]).await.is_err());
        drop(c);
        assert_eq!(store.schema_version().await.unwrap(), 0);

        store.migrate().await.unwrap();
        let mut c = store.write().await.unwrap();
        let mut altered = known_migrations();
        altered[0].sqlite = "select 2";
        altered[0].postgres = "select 2";
        let altered = migrate::run(&mut c, &altered).await;
        assert!(matches!(altered, Err(StoreError::Corrupt(_))), "{altered:?}");
    }
}
