//! Archives that are too large to be compared one by one: what is found, and what happens when they change.

use std::collections::BTreeSet;

use mneme_domain::{
    Actor, ArchiveId, EntityId, PassageId,
    archive::{Archive, Passage, TagMatch, VectorDbProvider},
    llm_config::EmbeddingConfig,
};
use mneme_store::{
    Conn, StoreConfig, archives,
    passages::{self, PassageSearch, Scope},
};
use mneme_tests::Postgres;
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{World, at, config},
    on_both,
};

on_both!(large_archives_are_searched_nearly_exactly, what_is_deleted_or_changed_is_not_found_as_it_was);

/// Archives that are too large for memory: SQLite reads them anew, PostgreSQL goes by its index.
mod without_memory {
    use super::*;

    async fn world(url: &str) -> World {
        World::of(StoreConfig { space_memory_bytes: 100_000, ..config(url) }).await
    }

    #[tokio::test]
    async fn archives_are_searched_in_sqlite() {
        large_archives_are_searched_nearly_exactly(world("sqlite::memory:").await).await;
        what_is_deleted_or_changed_is_not_found_as_it_was(world("sqlite::memory:").await).await;
    }

    #[tokio::test]
    async fn archives_are_searched_in_postgres() {
        let postgres = Postgres::shared();
        large_archives_are_searched_nearly_exactly(world(&postgres.create_database()).await).await;
        what_is_deleted_or_changed_is_not_found_as_it_was(world(&postgres.create_database()).await).await;
    }
}

/// More than either database compares one by one.
const COUNT: u32 = 6_500;
const DIM: usize = 24;

fn model() -> EmbeddingConfig {
    serde_json::from_value(json!({
        "embedding_endpoint_type": "openai", "embedding_model": "small", "embedding_dim": DIM, "handle": "openai/small",
    }))
    .unwrap()
}

/// A vector around one of a hundred centres; it only depends on its seed.
fn vector(seed: u32) -> Vec<f32> {
    let noise = |seed: u64| {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF1;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2001) as f32 / 1000.0 - 1.0
        }
    };
    let mut centre = noise(u64::from(seed % 100) + 1);
    let mut own = noise(u64::from(seed) + 1_000);
    (0..DIM).map(|_| centre() + 0.7 * own()).collect()
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let product = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f32>();
    product(one, other) / (product(one, one) * product(other, other)).sqrt()
}

async fn archive(c: &mut Conn, a: &Actor) -> ArchiveId {
    let archive = Archive {
        id: ArchiveId::from_uuid(Uuid::new_v4()),
        name: "large".into(),
        description: None,
        vector_db_provider: VectorDbProvider::Native,
        embedding_config: Some(model()),
        metadata: None,
        created_at: at(0),
        updated_at: Some(at(0)),
        created_by_id: None,
        last_updated_by_id: None,
    };
    archives::insert(c, a, &archive).await.unwrap();
    archive.id
}

fn passage(archive: &ArchiveId, number: u32) -> Passage {
    Passage {
        id: PassageId::from_uuid(Uuid::new_v4()),
        text: format!("note{number} of common things"),
        embedding: Some(vector(number)),
        embedding_config: Some(model()),
        archive_id: Some(archive.clone()),
        source_id: None,
        file_id: None,
        file_name: None,
        metadata: None,
        tags: number.is_multiple_of(2).then(|| vec!["even".to_owned()]),
        is_deleted: false,
        created_at: at(i64::from(number)),
        updated_at: Some(at(0)),
        created_by_id: None,
        last_updated_by_id: None,
    }
}

/// A filled archive; its vectors are where large searches look.
async fn filled(w: &World) -> (ArchiveId, Vec<Passage>) {
    let a = &w.actor;
    let mut c = w.write().await;
    let home = archive(&mut c, a).await;
    let rows: Vec<Passage> = (0..COUNT).map(|number| passage(&home, number)).collect();
    passages::insert(&mut c, a, &rows).await.unwrap();
    c.commit().await.unwrap();
    assert!(w.store.has_untidy_vectors());
    w.store.tidy_vectors().await.unwrap();
    assert!(!w.store.has_untidy_vectors());
    (home, rows)
}

async fn near(w: &World, search: &PassageSearch, query: &[f32]) -> Vec<PassageId> {
    let found =
        passages::search_vectors(&mut w.read().await, &w.actor, search, "openai/small", query, 10).await.unwrap();
    assert!(found.windows(2).all(|two| two[0].1 >= two[1].1), "the nearest come first");
    found.into_iter().map(|(id, _)| id).collect()
}

/// The share of the ten nearest that a search finds.
async fn recall(w: &World, search: &PassageSearch, rows: &[&Passage]) -> f64 {
    let (mut hits, mut all) = (0, 0);
    for seed in 0..40 {
        let query = vector(1_000_000 + seed * 37);
        let mut exact: Vec<(f32, &PassageId)> =
            rows.iter().map(|passage| (cosine(&query, passage.embedding.as_ref().unwrap()), &passage.id)).collect();
        exact.sort_by(|one, two| two.0.total_cmp(&one.0));
        let found = near(w, search, &query).await;
        all += 10;
        hits += exact[..10].iter().filter(|(_, id)| found.contains(id)).count();
    }
    hits as f64 / f64::from(all)
}

async fn large_archives_are_searched_nearly_exactly(w: World) {
    let (home, rows) = filled(&w).await;
    let whole = PassageSearch { scope: Scope::from(&home), ..PassageSearch::default() };
    let all: Vec<&Passage> = rows.iter().collect();
    let share = recall(&w, &whole, &all).await;
    assert!(share >= 0.95, "{share}");

    // Filters come first: what passes them is found, however many others are nearer.
    let even = PassageSearch { tags: vec!["even".into()], tag_match: TagMatch::All, ..whole.clone() };
    let tagged: Vec<&Passage> = rows.iter().filter(|passage| passage.tags.is_some()).collect();
    assert!(recall(&w, &even, &tagged).await >= 0.95);
    let late = PassageSearch { start: Some(at(500)), ..whole.clone() };
    let since: Vec<&Passage> = rows.iter().filter(|passage| passage.created_at >= at(500)).collect();
    assert!(recall(&w, &late, &since).await >= 0.95);
    let few = PassageSearch { start: Some(at(100)), end: Some(at(109)), ..whole.clone() };
    let found: BTreeSet<PassageId> = near(&w, &few, &vector(7)).await.into_iter().collect();
    assert_eq!(found, rows[100..110].iter().map(|passage| passage.id.clone()).collect());

    // A word that all have tells nothing beside one that few have, and finds all when it is alone.
    let ids = passages::search_words(&mut w.read().await, &w.actor, &whole, "common note4711", 10).await.unwrap();
    assert_eq!(ids.first(), Some(&rows[4711].id));
    let ids = passages::search_words(&mut w.read().await, &w.actor, &whole, "common", 10).await.unwrap();
    assert_eq!(ids.len(), 10);
    let ids = passages::search_words(&mut w.read().await, &w.actor, &few, "common note4711", 10).await.unwrap();
    assert!(!ids.contains(&rows[4711].id), "the dates come first");
    let ids = passages::search_words(&mut w.read().await, &w.stranger, &whole, "note4711", 10).await.unwrap();
    assert_eq!(ids, []);
    let ids = passages::search_words(&mut w.read().await, &w.actor, &few, "common things", 50).await.unwrap();
    assert_eq!(ids.len(), 10);
    // Nobody else sees any of it.
    let theirs =
        passages::search_vectors(&mut w.read().await, &w.stranger, &whole, "openai/small", &vector(7), 10).await;
    assert_eq!(theirs.unwrap(), []);
}

async fn what_is_deleted_or_changed_is_not_found_as_it_was(w: World) {
    let (home, rows) = filled(&w).await;
    let a = &w.actor;
    let whole = PassageSearch { scope: Scope::from(&home), ..PassageSearch::default() };
    let query = vector(77);
    let nearest = near(&w, &whole, &query).await;
    assert_eq!(nearest[0], rows[77].id);
    // The nearest goes, the next one gets another vector, a new one comes: at once, before anything is put in order.
    let mut c = w.write().await;
    assert!(passages::delete(&mut c, a, &nearest[0]).await.unwrap());
    let text = rows.iter().find(|passage| passage.id == nearest[1]).unwrap().text.clone();
    let away: Vec<f32> = query.iter().map(|number| -number).collect();
    assert!(passages::embed(&mut c, a, &nearest[1], &text, &model(), &away).await.unwrap());
    let new = Passage { embedding: Some(query.clone()), ..passage(&home, COUNT) };
    passages::insert(&mut c, a, std::slice::from_ref(&new)).await.unwrap();
    c.commit().await.unwrap();
    let now = near(&w, &whole, &query).await;
    assert_eq!(now[0], new.id);
    assert!(!now.contains(&nearest[0]) && !now.contains(&nearest[1]));
    assert_eq!(now.len(), 10);
    assert_eq!(near(&w, &whole, &away).await[0], nearest[1]);

    // With most of the archive gone, the rest is found whole.
    let mut c = w.write().await;
    for passage in &rows[100..] {
        passages::delete(&mut c, a, &passage.id).await.unwrap();
    }
    c.commit().await.unwrap();
    let left: BTreeSet<PassageId> = rows[..100].iter().map(|passage| passage.id.clone()).collect();
    let search = PassageSearch { end: Some(at(99)), ..whole.clone() };
    let found = passages::search_vectors(&mut w.read().await, a, &search, "openai/small", &query, 200).await.unwrap();
    let found: BTreeSet<PassageId> = found.into_iter().map(|(id, _)| id).collect();
    assert!(found.is_subset(&left) && found.len() >= 98, "{}", found.len());
    let mut c = w.write().await;
    assert!(archives::delete(&mut c, a, &home).await.unwrap());
    c.commit().await.unwrap();
    assert_eq!(near(&w, &whole, &query).await, []);
    assert!(home.as_str().starts_with("archive-"));
}
