//! Archives and passages: what is kept, found by words and by meaning, listed and deleted.

use mneme_domain::{
    Actor, ArchiveId, Order, Page, PassageId, SourceId,
    archive::{Archive, Passage, TagMatch, VectorDbProvider},
    llm_config::EmbeddingConfig,
};
use mneme_store::{
    Conn, StoreError, agents,
    archives::{self, ArchiveFilter},
    passages::{self, PassageFilter, PassageSearch, Scope},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, first, object},
    on_both,
};

on_both!(
    archives_are_kept_and_shared,
    passages_come_back_as_they_were,
    words_find_passages,
    vectors_find_passages,
    searches_are_narrowed,
    lists_go_by_the_given_times,
    pieces_of_files_are_found_by_their_folder,
    strangers_see_nothing,
);

fn model() -> EmbeddingConfig {
    serde_json::from_value(json!({
        "embedding_endpoint_type": "openai", "embedding_model": "small", "embedding_dim": 3, "handle": "openai/small",
    }))
    .unwrap()
}

fn archive(name: &str) -> Archive {
    Archive {
        id: ArchiveId::from_uuid(Uuid::new_v4()),
        name: name.into(),
        description: Some(TRICKY.into()),
        vector_db_provider: VectorDbProvider::Native,
        embedding_config: Some(model()),
        metadata: Some(object(json!({"z": 1, "a": TRICKY}))),
        created_at: at(0),
        updated_at: Some(at(0)),
        created_by_id: Some("user-1".into()),
        last_updated_by_id: None,
    }
}

fn passage(archive: &ArchiveId, text: &str, tags: &[&str], seconds: i64) -> Passage {
    Passage {
        id: PassageId::from_uuid(Uuid::new_v4()),
        text: text.into(),
        embedding: None,
        embedding_config: None,
        archive_id: Some(archive.clone()),
        source_id: None,
        file_id: None,
        file_name: None,
        metadata: Some(object(json!({}))),
        tags: (!tags.is_empty()).then(|| tags.iter().map(|&tag| tag.to_owned()).collect()),
        is_deleted: false,
        created_at: at(seconds),
        updated_at: Some(at(0)),
        created_by_id: Some("user-1".into()),
        last_updated_by_id: None,
    }
}

fn embedded(mut passage: Passage, vector: &[f32]) -> Passage {
    passage.embedding = Some(vector.to_vec());
    passage.embedding_config = Some(model());
    passage
}

async fn home(c: &mut Conn, a: &Actor, name: &str) -> ArchiveId {
    let archive = archive(name);
    archives::insert(c, a, &archive).await.unwrap();
    archive.id
}

async fn texts(c: &mut Conn, a: &Actor, ids: &[PassageId]) -> Vec<String> {
    passages::get_many(c, a, ids).await.unwrap().into_iter().map(|passage| passage.text).collect()
}

fn within(archive: &ArchiveId) -> PassageSearch {
    PassageSearch { scope: archive.into(), ..PassageSearch::default() }
}

async fn words(c: &mut Conn, a: &Actor, search: &PassageSearch, text: &str) -> Vec<String> {
    let ids = passages::search_words(c, a, search, text, 50).await.unwrap();
    texts(c, a, &ids).await
}

async fn archives_are_kept_and_shared(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let mut kept = archive("one");
    archives::insert(&mut c, a, &kept).await.unwrap();
    let other = home(&mut c, a, "two").await;
    assert_eq!(archives::get(&mut c, a, &kept.id).await.unwrap().unwrap(), kept);
    kept.name = "renamed".into();
    kept.description = None;
    archives::update(&mut c, a, &kept, at(5)).await.unwrap();
    kept.updated_at = Some(at(5));
    assert_eq!(archives::get(&mut c, a, &kept.id).await.unwrap().unwrap(), kept);

    let (ada, bob) = (agent("ada"), agent("bob"));
    agents::insert(&mut c, a, &ada).await.unwrap();
    agents::insert(&mut c, a, &bob).await.unwrap();
    for (agent, archive) in [(&ada, &other), (&ada, &kept.id), (&ada, &other), (&bob, &kept.id)] {
        archives::attach(&mut c, a, &agent.id, archive).await.unwrap();
    }
    let of_ada: Vec<ArchiveId> =
        archives::of_agent(&mut c, a, &ada.id).await.unwrap().into_iter().map(|archive| archive.id).collect();
    assert_eq!(of_ada, [other.clone(), kept.id.clone()]);
    let readers = archives::agents_of(&mut c, a, &kept.id, &first(10, Order::Asc)).await.unwrap();
    assert_eq!(readers.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);
    let filter = |name: Option<&str>, agent| ArchiveFilter { name: name.map(str::to_owned), agent_id: agent };
    for (filter, order, expected) in [
        (filter(None, None), Order::Desc, vec!["two", "renamed"]),
        (filter(Some("two"), None), Order::Desc, vec!["two"]),
        (filter(None, Some(bob.id.clone())), Order::Asc, vec!["renamed"]),
        (filter(Some("two"), Some(bob.id.clone())), Order::Asc, vec![]),
    ] {
        let found = archives::list(&mut c, a, &filter, &first(10, order)).await.unwrap();
        assert_eq!(found.iter().map(|archive| archive.name.as_str()).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    assert!(archives::detach(&mut c, a, &ada.id, &other).await.unwrap());
    assert!(!archives::detach(&mut c, a, &ada.id, &other).await.unwrap());
    passages::insert(&mut c, a, &[passage(&kept.id, "x", &["t"], 0)]).await.unwrap();
    // An agent goes, its archive stays; an archive goes with its passages.
    assert!(agents::delete(&mut c, a, &bob.id).await.unwrap());
    assert_eq!(passages::count(&mut c, a, &Scope::from(&kept.id)).await.unwrap(), 1);
    assert!(archives::delete(&mut c, a, &kept.id).await.unwrap());
    assert_eq!(passages::count(&mut c, a, &Scope::from(&kept.id)).await.unwrap(), 0);
    assert_eq!(passages::tags_of(&mut c, a, std::slice::from_ref(&kept.id), 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(words(&mut c, a, &within(&kept.id), "x").await, Vec::<String>::new());
    assert!(!archives::delete(&mut c, a, &kept.id).await.unwrap());
}

async fn passages_come_back_as_they_were(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let home = home(&mut c, a, "home").await;
    let mut kept = embedded(passage(&home, TRICKY, &["zebra", "ape"], -1000), &[0.5, -1.25, 1e-30]);
    kept.metadata = Some(object(json!({"k": [TRICKY]})));
    kept.updated_at = Some(at(3));
    let bare = passage(&home, "bare", &[], 0);
    passages::insert(&mut c, a, &[kept.clone(), bare.clone()]).await.unwrap();
    assert_eq!(passages::get(&mut c, a, &kept.id).await.unwrap().unwrap(), kept);
    assert_eq!(passages::get(&mut c, a, &bare.id).await.unwrap().unwrap().embedding, None);
    assert_eq!(passages::tags_of(&mut c, a, std::slice::from_ref(&home), 10).await.unwrap(), ["ape", "zebra"]);

    let missing = passages::unembedded(&mut c, a, &Scope::from(&home), 10).await.unwrap();
    assert_eq!(missing.iter().map(|passage| &passage.id).collect::<Vec<_>>(), [&bare.id]);
    assert!(!passages::embed(&mut c, a, &bare.id, "another text", &model(), &[1.0]).await.unwrap());
    assert!(passages::embed(&mut c, a, &bare.id, "bare", &model(), &[1.0, 2.0]).await.unwrap());
    let now = passages::get(&mut c, a, &bare.id).await.unwrap().unwrap();
    assert_eq!((now.embedding, now.embedding_config), (Some(vec![1.0, 2.0]), Some(model())));

    // A new text has no vector until it is embedded again, and its words and tags are the new ones.
    let changed = Passage { text: "fresh words".into(), tags: Some(vec!["new".into()]), embedding: None, ..kept };
    passages::update(&mut c, a, &changed, at(9)).await.unwrap();
    let now = passages::get(&mut c, a, &changed.id).await.unwrap().unwrap();
    assert_eq!((now.text.as_str(), now.embedding, now.updated_at), ("fresh words", None, Some(at(9))));
    assert_eq!(now.created_at, changed.created_at);
    assert_eq!(words(&mut c, a, &within(&home), "fresh").await, ["fresh words"]);
    assert_eq!(words(&mut c, a, &within(&home), "東京").await, Vec::<String>::new());
    assert_eq!(passages::tags_of(&mut c, a, std::slice::from_ref(&home), 10).await.unwrap(), ["new"]);

    assert!(passages::delete(&mut c, a, &changed.id).await.unwrap());
    assert!(!passages::delete(&mut c, a, &changed.id).await.unwrap());
    assert_eq!(passages::tags_of(&mut c, a, std::slice::from_ref(&home), 10).await.unwrap(), Vec::<String>::new());
    let orphan = passage(&ArchiveId::from_uuid(Uuid::new_v4()), "x", &[], 0);
    let refused = passages::insert(&mut c, a, &[orphan]).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}

async fn words_find_passages(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let home = home(&mut c, a, "home").await;
    let all = ["I adopted a cat", "my CAT and my dog", "100% sure (really) *", "今日は東京に行きました", "a_b \" ' \\"];
    let rows: Vec<Passage> = all.iter().zip(0..).map(|(text, second)| passage(&home, text, &[], second)).collect();
    passages::insert(&mut c, a, &rows).await.unwrap();
    let cases: [(&str, &[&str]); 9] = [
        ("dog", &["my CAT and my dog"]),
        ("dog OR cat*", &["my CAT and my dog", "I adopted a cat"]),
        ("東京", &["今日は東京に行きました"]),
        ("%", &["100% sure (really) *"]),
        ("(really)", &["100% sure (really) *"]),
        ("\\", &["a_b \" ' \\"]),
        ("ca", &[]),
        ("  ", &[]),
        ("cat'); drop table passages; --", &["my CAT and my dog", "I adopted a cat"]),
    ];
    for (text, expected) in cases {
        let mut found = words(&mut c, a, &within(&home), text).await;
        // Which of several is best is up to the engine.
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
}

async fn vectors_find_passages(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let home = home(&mut c, a, "home").await;
    let mut rows: Vec<Passage> = (0..1200)
        .map(|number| {
            let angle = f64::from(number) / 1000.0;
            let vector = [angle.cos() as f32, angle.sin() as f32, 0.0];
            embedded(passage(&home, &format!("at {number}"), &[], i64::from(number % 7)), &vector)
        })
        .collect();
    rows.push(embedded(passage(&home, "longer", &[], 0), &[1.0, 0.0, 0.0, 0.0]));
    rows.push(passage(&home, "none", &[], 0));
    let mut foreign = embedded(passage(&home, "another model's", &[], 0), &[1.0, 0.0, 0.0]);
    foreign.embedding_config.as_mut().unwrap().handle = Some("openai/large".into());
    rows.push(foreign);
    passages::insert(&mut c, a, &rows).await.unwrap();
    let query = [0.5_f32.cos() * 3.0, 0.5_f32.sin() * 3.0, 0.0];
    let near = passages::search_vectors(&mut c, a, &within(&home), "openai/small", &query, 3).await.unwrap();
    let ids: Vec<PassageId> = near.iter().map(|(id, _)| id.clone()).collect();
    let mut found = texts(&mut c, a, &ids).await;
    assert_eq!(found[0], "at 500");
    assert!((near[0].1 - 1.0).abs() < 1e-4 && near[0].1 >= near[1].1 && near[1].1 >= near[2].1, "{near:?}");
    found.sort();
    assert_eq!(found, ["at 499", "at 500", "at 501"]);
    let nothing = passages::search_vectors(&mut c, a, &within(&home), "openai/none", &query, 3).await.unwrap();
    assert_eq!(nothing, []);
}

async fn searches_are_narrowed(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let (one, two) = (home(&mut c, a, "one").await, home(&mut c, a, "two").await);
    let put = |archive: &ArchiveId, text: &str, tags: &[&str], at| embedded(passage(archive, text, tags, at), &[1.0]);
    passages::insert(
        &mut c,
        a,
        &[
            put(&one, "red one", &["a"], 0),
            put(&one, "red two", &["a", "b"], 10),
            put(&one, "red three", &[], 20),
            put(&two, "red four", &["b"], 30),
        ],
    )
    .await
    .unwrap();
    let base = within(&one);
    let tags = |tags: &[&str], tag_match| PassageSearch {
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        tag_match,
        ..base.clone()
    };
    let cases: Vec<(PassageSearch, Vec<&str>)> = vec![
        (base.clone(), vec!["red three", "red two", "red one"]),
        (
            PassageSearch { scope: Scope::Archives(vec![one.clone(), two]), ..base.clone() },
            vec!["red four", "red three", "red two", "red one"],
        ),
        (PassageSearch::default(), vec![]),
        (tags(&["a", "b"], TagMatch::Any), vec!["red two", "red one"]),
        (tags(&["a", "b"], TagMatch::All), vec!["red two"]),
        (tags(&["none"], TagMatch::Any), vec![]),
        (PassageSearch { start: Some(at(10)), ..base.clone() }, vec!["red three", "red two"]),
        (PassageSearch { end: Some(at(10)), ..base.clone() }, vec!["red two", "red one"]),
        (PassageSearch { start: Some(at(1)), end: Some(at(9)), ..base.clone() }, vec![]),
    ];
    for (search, expected) in cases {
        let newest = passages::newest(&mut c, a, &search, 10).await.unwrap();
        assert_eq!(texts(&mut c, a, &newest).await, expected, "{search:?}");
        let mut sorted = expected.clone();
        sorted.sort_unstable();
        let mut by_words = words(&mut c, a, &search, "red").await;
        by_words.sort();
        assert_eq!(by_words, sorted, "{search:?}");
        let near = passages::search_vectors(&mut c, a, &search, "openai/small", &[1.0], 10).await.unwrap();
        let near: Vec<PassageId> = near.into_iter().map(|(id, _)| id).collect();
        let mut near = texts(&mut c, a, &near).await;
        near.sort();
        assert_eq!(near, sorted, "{search:?}");
    }
}

async fn pieces_of_files_are_found_by_their_folder(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let home = home(&mut c, a, "home").await;
    let (one, two) = (SourceId::from_uuid(Uuid::new_v4()), SourceId::from_uuid(Uuid::new_v4()));
    let piece = |source: &SourceId, file: &str, text: &str| Passage {
        archive_id: None,
        source_id: Some(source.to_string()),
        file_id: Some(file.into()),
        ..embedded(passage(&home, text, &[], 0), &[1.0])
    };
    let rows = [
        piece(&one, "file-1", "red harbour"),
        piece(&one, "file-2", "red boat"),
        piece(&two, "file-3", "red sky"),
        embedded(passage(&home, "red memory", &[], 0), &[1.0]),
    ];
    passages::insert(&mut c, a, &rows).await.unwrap();
    let search = PassageSearch { scope: Scope::from(&one), ..PassageSearch::default() };
    let mut found = words(&mut c, a, &search, "red").await;
    found.sort();
    assert_eq!(found, ["red boat", "red harbour"]);
    let near = passages::search_vectors(&mut c, a, &search, "openai/small", &[1.0], 10).await.unwrap();
    assert_eq!(near.len(), 2);
    let both = Scope::Sources(vec![one.clone(), two]);
    assert_eq!(passages::count(&mut c, a, &both).await.unwrap(), 3);
    let filter = PassageFilter { scope: both, file_id: Some("file-2".into()), text: None };
    let listed = passages::list(&mut c, a, &filter, &first(10, Order::Asc)).await.unwrap();
    assert_eq!(listed.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>(), ["red boat"]);
    assert_eq!(words(&mut c, &w.stranger, &search, "red").await, Vec::<String>::new());
}

async fn lists_go_by_the_given_times(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let home = home(&mut c, a, "home").await;
    let rows: Vec<Passage> = [("newest", 30), ("oldest", -50), ("same 1", 5), ("same 2", 5)]
        .iter()
        .map(|(text, second)| passage(&home, text, &[], *second))
        .collect();
    passages::insert(&mut c, a, &rows).await.unwrap();
    let filter = PassageFilter { scope: Scope::from(&home), ..PassageFilter::default() };
    let cursor = Some(rows[2].id.to_string());
    let cases: Vec<(PassageFilter, Page, Vec<&str>)> = vec![
        (filter.clone(), first(10, Order::Asc), vec!["oldest", "same 1", "same 2", "newest"]),
        (filter.clone(), first(2, Order::Desc), vec!["newest", "same 2"]),
        (filter.clone(), Page { after: cursor.clone(), ..first(10, Order::Asc) }, vec!["same 2", "newest"]),
        (filter.clone(), Page { before: cursor.clone(), ..first(10, Order::Asc) }, vec!["oldest"]),
        (filter.clone(), Page { after: cursor, ..first(10, Order::Desc) }, vec!["oldest"]),
        (PassageFilter { text: Some("SAME".into()), ..filter }, first(10, Order::Asc), vec!["same 1", "same 2"]),
    ];
    for (filter, page, expected) in cases {
        let found = passages::list(&mut c, a, &filter, &page).await.unwrap();
        assert_eq!(found.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>(), expected, "{page:?}");
    }
}

async fn strangers_see_nothing(w: World) {
    let (mut c, a, stranger) = (w.write().await, &w.actor, &w.stranger);
    let home = home(&mut c, a, "home").await;
    let kept = embedded(passage(&home, "secret", &["t"], 0), &[1.0]);
    passages::insert(&mut c, a, std::slice::from_ref(&kept)).await.unwrap();
    assert_eq!(archives::get(&mut c, stranger, &home).await.unwrap(), None);
    assert_eq!(passages::get(&mut c, stranger, &kept.id).await.unwrap(), None);
    assert_eq!(passages::count(&mut c, stranger, &Scope::from(&home)).await.unwrap(), 0);
    assert_eq!(
        passages::tags_of(&mut c, stranger, std::slice::from_ref(&home), 10).await.unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(words(&mut c, stranger, &within(&home), "secret").await, Vec::<String>::new());
    let near = passages::search_vectors(&mut c, stranger, &within(&home), "openai/small", &[1.0], 5).await.unwrap();
    assert_eq!(near, []);
    assert!(!passages::delete(&mut c, stranger, &kept.id).await.unwrap());
    assert!(!archives::delete(&mut c, stranger, &home).await.unwrap());
    let theirs = agent("theirs");
    agents::insert(&mut c, stranger, &theirs).await.unwrap();
    let refused = archives::attach(&mut c, stranger, &theirs.id, &home).await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}
