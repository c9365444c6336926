//! Migrations: in step with their files, applied once, refused when they come from the future.

use std::collections::BTreeSet;

use mneme_domain::{Actor, ArchiveId, EntityId, PassageId};

use super::empty;
use crate::{
    Engine, StoreError, agents,
    migrate::{self, MIGRATIONS, Migration},
    passages::{self, PassageSearch, Scope},
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

/// What an archive held before vectors had a table of their own: a passage with a vector, one without, one in Japanese.
const OLD_ARCHIVE: [&str; 2] = [
    "insert into archives (id, org_id, name, created_at, updated_at) values
        ('archive-123e4567-e89b-42d3-8456-426614174000', 'org-00000000-0000-4000-8000-000000000000', 'old', 1, 1);
    insert into passages (id, org_id, archive_id, text, embedding_config, embedding_model, embedding_dim, created_at,
        updated_at, embedding) values
        ('passage-123e4567-e89b-42d3-8456-426614174001', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', 'green tea',
        '{\"embedding_endpoint_type\":\"openai\",\"embedding_model\":\"small\",\"embedding_dim\":3,\"handle\":\"openai/small\"}',
        'openai/small', 3, 1, 1, X'0000003f0000a0bf00000040'),
        ('passage-123e4567-e89b-42d3-8456-426614174002', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', 'black coffee', null, null, null, 2, 2, null),
        ('passage-123e4567-e89b-42d3-8456-426614174003', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', '今日は東京に行きました', null, null, null, 3, 3, null)",
    "insert into archives (id, org_id, name, created_at, updated_at) values
        ('archive-123e4567-e89b-42d3-8456-426614174000', 'org-00000000-0000-4000-8000-000000000000', 'old', 1, 1);
    insert into passages (id, org_id, archive_id, text, embedding_config, embedding_model, embedding_dim, created_at,
        updated_at, embedding) values
        ('passage-123e4567-e89b-42d3-8456-426614174001', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', 'green tea',
        '{\"embedding_endpoint_type\":\"openai\",\"embedding_model\":\"small\",\"embedding_dim\":3,\"handle\":\"openai/small\"}',
        'openai/small', 3, 1, 1, '\\x0000003f0000a0bf00000040'),
        ('passage-123e4567-e89b-42d3-8456-426614174002', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', 'black coffee', null, null, null, 2, 2, null),
        ('passage-123e4567-e89b-42d3-8456-426614174003', 'org-00000000-0000-4000-8000-000000000000',
        'archive-123e4567-e89b-42d3-8456-426614174000', '今日は東京に行きました', null, null, null, 3, 3, null)",
];

#[tokio::test]
async fn vectors_and_words_of_an_older_schema_are_kept() {
    for store in empty().await {
        let before: Vec<Migration> =
            known_migrations().into_iter().filter(|migration| migration.version < migrate::VECTORS).collect();
        let mut c = store.write().await.unwrap();
        migrate::run(&mut c, &before).await.unwrap();
        c.script(OLD_ARCHIVE[usize::from(store.engine() == Engine::Postgres)]).await.unwrap();
        c.commit().await.unwrap();
        store.migrate().await.unwrap();

        let actor = Actor::default_admin();
        let mut c = store.read().await.unwrap();
        let archive = ArchiveId::parse("archive-123e4567-e89b-42d3-8456-426614174000").unwrap();
        let tea = PassageId::parse("passage-123e4567-e89b-42d3-8456-426614174001").unwrap();
        let tokyo = PassageId::parse("passage-123e4567-e89b-42d3-8456-426614174003").unwrap();
        let kept = passages::get(&mut c, &actor, &tea).await.unwrap().unwrap();
        assert_eq!(kept.embedding, Some(vec![0.5, -1.25, 2.0]));
        assert_eq!(kept.embedding_config.unwrap().name(), "openai/small");
        let search = PassageSearch { scope: Scope::from(&archive), ..PassageSearch::default() };
        let near =
            passages::search_vectors(&mut c, &actor, &search, "openai/small", &[1.0, -2.5, 4.0], 5).await.unwrap();
        assert_eq!(near.len(), 1);
        assert!(near[0].0 == tea && (near[0].1 - 1.0).abs() < 1e-5, "{near:?}");
        for (words, expected) in [("tea", &tea), ("東京の天気", &tokyo)] {
            let found = passages::search_words(&mut c, &actor, &search, words, 5).await.unwrap();
            assert_eq!(found, std::slice::from_ref(expected), "{words}");
        }
        assert_eq!(passages::unembedded(&mut c, &actor, &search.scope, 5).await.unwrap().len(), 2);
    }
}
