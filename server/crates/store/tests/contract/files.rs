//! Folders and files: what is kept, who works on it, what agents have open.

use mneme_domain::{
    Actor, AgentId, FileId, Order, PassageId, SourceId,
    archive::Passage,
    folder::{FileStatus, Folder},
    llm_config::EmbeddingConfig,
};
use mneme_store::{
    Conn, StoreError, agents,
    agents::full,
    files::{self, NewFile, Text, View},
    folders,
    passages::{self, PassageSearch, Scope},
    runs::lease,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, first, object},
    on_both,
};

on_both!(
    folders_come_back_as_they_were,
    a_file_is_worked_on_by_one_and_written_whole,
    files_of_servers_that_are_gone_are_taken_over,
    agents_see_and_open_what_is_in_their_folders,
    what_is_deleted_leaves_nothing,
    strangers_see_nothing,
);

fn model() -> EmbeddingConfig {
    serde_json::from_value(json!({
        "embedding_endpoint_type": "openai", "embedding_model": "small", "embedding_dim": 3, "handle": "openai/small",
    }))
    .unwrap()
}

fn folder(name: &str) -> Folder {
    Folder {
        name: name.into(),
        description: Some(TRICKY.into()),
        instructions: Some("Use it well.".into()),
        metadata: Some(object(json!({"z": 1, "a": TRICKY}))),
        id: SourceId::from_uuid(Uuid::new_v4()),
        embedding_config: Some(model()),
        created_by_id: Some("user-1".into()),
        last_updated_by_id: None,
        created_at: at(0),
        updated_at: Some(at(0)),
    }
}

fn chunk(folder: &Folder, file: &FileId, text: &str) -> Passage {
    Passage {
        id: PassageId::from_uuid(Uuid::new_v4()),
        text: text.into(),
        embedding: None,
        embedding_config: None,
        archive_id: None,
        source_id: Some(folder.id.to_string()),
        file_id: Some(file.to_string()),
        file_name: Some("docs/a.txt".into()),
        metadata: None,
        tags: None,
        is_deleted: false,
        created_at: at(1),
        updated_at: Some(at(1)),
        created_by_id: None,
        last_updated_by_id: None,
    }
}

async fn add(c: &mut Conn, a: &Actor, folder: &Folder, name: &str) -> FileId {
    let id = FileId::from_uuid(Uuid::new_v4());
    let file = NewFile {
        id: &id,
        folder: &folder.id,
        name,
        original_name: name,
        media_type: Some("text/plain"),
        size: 12,
        owner: "replica-1",
        now: at(1),
    };
    files::insert(c, a, &file).await.unwrap();
    id
}

/// Gives a file a text, cut into chunks at line ends.
async fn read(c: &mut Conn, a: &Actor, folder: &Folder, id: &FileId, text: &str) -> Vec<Passage> {
    let chunks: Vec<Passage> = text.lines().map(|line| chunk(folder, id, line)).collect();
    let lines = chunks.len() as i64;
    let read = Text { media_type: "text/markdown", text, lines, chunks: &chunks };
    assert!(files::store_text(c, a, id, "replica-1", &read, at(2)).await.unwrap());
    chunks
}

async fn reader(c: &mut Conn, a: &Actor, folder: &Folder) -> AgentId {
    let reader = agent("reader");
    agents::insert(c, a, &reader).await.unwrap();
    assert!(folders::attach(c, a, &reader.id, &folder.id).await.unwrap());
    assert!(!folders::attach(c, a, &reader.id, &folder.id).await.unwrap(), "once");
    reader.id
}

async fn folders_come_back_as_they_were(w: World) {
    let mut c = w.write().await;
    let mut docs = folder("docs");
    folders::insert(&mut c, &w.actor, &docs).await.unwrap();
    assert_eq!(folders::get(&mut c, &w.actor, &docs.id).await.unwrap().as_ref(), Some(&docs));
    assert_eq!(folders::by_name(&mut c, &w.actor, "docs").await.unwrap().map(|f| f.id), Some(docs.id.clone()));
    docs.description = None;
    docs.name = "papers".into();
    docs.updated_at = Some(at(5));
    let id = add(&mut c, &w.actor, &docs, "a.txt").await;
    read(&mut c, &w.actor, &docs, &id, "one").await;
    folders::update(&mut c, &w.actor, &docs, true, at(5)).await.unwrap();
    assert_eq!(folders::get(&mut c, &w.actor, &docs.id).await.unwrap().as_ref(), Some(&docs));
    let chunks = files::list_chunks(&mut c, &w.actor, &docs.id, &first(5, Order::Asc)).await.unwrap();
    assert_eq!(chunks[0].file_name.as_deref(), Some("papers/a.txt"), "{chunks:?}");
    let totals = folders::totals(&mut c, &w.actor, true).await.unwrap();
    assert_eq!((totals.total_sources, totals.total_files, totals.total_size), (1, 1, 12));
    assert_eq!(totals.sources[0].files[0].file_name, "papers/a.txt");
    c.commit().await.unwrap();
    let mut c = w.write().await;
    let same = folders::insert(&mut c, &w.actor, &folder("papers")).await.map(|()| c);
    let error = match same {
        Ok(c) => c.commit().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, StoreError::Conflict(rule) if rule == "sources_org_id_name"));
}

async fn a_file_is_worked_on_by_one_and_written_whole(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let docs = folder("docs");
    folders::insert(&mut c, a, &docs).await.unwrap();
    let id = add(&mut c, a, &docs, "a.txt").await;
    let fresh = files::get(&mut c, a, &docs.id, &id).await.unwrap().unwrap();
    assert_eq!((fresh.processing_status, fresh.file_name.as_str()), (FileStatus::Parsing, "docs/a.txt"));
    let chunks = read(&mut c, a, &docs, &id, "der Fuchs\nder Hund\ndie Katze").await;
    let again = Text { media_type: "text/plain", text: "x", lines: 1, chunks: &[] };
    assert!(!files::store_text(&mut c, a, &id, "replica-2", &again, at(3)).await.unwrap(), "it is another's");
    assert_eq!(files::content(&mut c, a, &id).await.unwrap().as_deref(), Some("der Fuchs\nder Hund\ndie Katze"));
    let texts = files::contents(&mut c, a, std::slice::from_ref(&id), 5).await.unwrap();
    assert!(texts.is_empty(), "it does not fit");
    assert_eq!(files::contents(&mut c, a, std::slice::from_ref(&id), 99).await.unwrap().len(), 1);

    let bare = files::unembedded(&mut c, a, &id, 2).await.unwrap();
    assert_eq!(bare.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), ["der Fuchs", "der Hund"]);
    let vectors: Vec<_> = bare.iter().zip([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).collect();
    let vectors: Vec<_> = vectors.into_iter().map(|(p, v)| (p.id.clone(), p.text.clone(), v.to_vec())).collect();
    assert!(files::embedded(&mut c, a, &id, &model(), &vectors, at(3)).await.unwrap());
    let half = files::find(&mut c, a, &id).await.unwrap().unwrap();
    assert_eq!((half.chunks_embedded, half.total_chunks), (Some(2), Some(3)));
    assert_eq!((half.processing_status, half.file_type.as_deref()), (FileStatus::Embedding, Some("text/markdown")));
    assert!(files::finish(&mut c, a, &id, FileStatus::Completed, Some("a note"), at(4)).await.unwrap());
    assert_eq!(files::stragglers(&mut c, 9).await.unwrap()[0].1, id);

    let search = PassageSearch { scope: Scope::from(&docs.id), ..PassageSearch::default() };
    let near = passages::search_vectors(&mut c, a, &search, "openai/small", &[0.1, 1.0, 0.0], 5).await.unwrap();
    assert_eq!(near.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&chunks[1].id, &chunks[0].id]);
    let words = passages::search_words(&mut c, a, &search, "katze", 5).await.unwrap();
    assert_eq!(words, [chunks[2].id.clone()]);

    // A folder that gets another model has its chunks embedded anew: nothing of the old model is left.
    folders::forget_vectors(&mut c, a, &docs.id).await.unwrap();
    let near = passages::search_vectors(&mut c, a, &search, "openai/small", &[0.1, 1.0, 0.0], 5).await.unwrap();
    assert!(near.is_empty(), "{near:?}");
    let bare = files::find(&mut c, a, &id).await.unwrap().unwrap();
    assert_eq!((bare.chunks_embedded, bare.total_chunks), (Some(0), Some(3)));
    assert_eq!(files::unembedded(&mut c, a, &id, 9).await.unwrap().len(), 3);
    assert_eq!(files::stragglers(&mut c, 9).await.unwrap()[0].1, id);
    c.commit().await.unwrap();
}

async fn files_of_servers_that_are_gone_are_taken_over(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let docs = folder("docs");
    folders::insert(&mut c, a, &docs).await.unwrap();
    let id = add(&mut c, a, &docs, "a.txt").await;
    lease::beat(&mut c, "replica-1", 60_000_000).await.unwrap();
    assert!(files::due(&mut c, "replica-2", 9).await.unwrap().is_empty(), "its server is alive");
    assert!(files::claim(&mut c, &id, "replica-2").await.unwrap().is_none());
    lease::leave(&mut c, "replica-1").await.unwrap();
    assert_eq!(files::due(&mut c, "replica-2", 9).await.unwrap(), std::slice::from_ref(&id));
    let claimed = files::claim(&mut c, &id, "replica-2").await.unwrap().unwrap();
    assert_eq!((claimed.attempts, claimed.status, claimed.actor.org), (2, FileStatus::Parsing, a.org.clone()));
    assert!(files::finish(&mut c, a, &id, FileStatus::Error, Some("no"), at(4)).await.unwrap());
    assert!(files::due(&mut c, "replica-2", 9).await.unwrap().is_empty(), "it is over");
    c.commit().await.unwrap();
}

async fn agents_see_and_open_what_is_in_their_folders(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let docs = folder("docs");
    folders::insert(&mut c, a, &docs).await.unwrap();
    let reader = reader(&mut c, a, &docs).await;
    let (one, two) = (add(&mut c, a, &docs, "1.txt").await, add(&mut c, a, &docs, "2.txt").await);
    read(&mut c, a, &docs, &one, "x\ny").await;
    let view = View { text: TRICKY.into(), lines: Some((1, 2)) };
    files::open(&mut c, a, &reader, &one, &view, at(5)).await.unwrap();
    let listed = files::list_of_agent(&mut c, a, &reader, None, &first(9, Order::Asc)).await.unwrap();
    assert_eq!(
        listed.iter().map(|f| (f.file_id.clone(), f.is_open)).collect::<Vec<_>>(),
        [(one.clone(), true), (two.clone(), false)]
    );
    assert_eq!(
        (listed[0].visible_content.as_deref(), listed[0].start_line, listed[0].end_line),
        (Some(TRICKY), Some(1), Some(2))
    );
    assert_eq!(listed[0].last_accessed_at, Some(at(5)));
    let open = files::list_of_agent(&mut c, a, &reader, Some(false), &first(9, Order::Asc)).await.unwrap();
    assert_eq!(open.len(), 1);
    let readable = files::readable(&mut c, a, &reader, 9).await.unwrap();
    assert_eq!(readable[0].name, "docs/1.txt");
    assert_eq!((readable[0].lines, readable[1].lines, readable[1].status), (Some(2), None, FileStatus::Parsing));
    let state = full(&mut c, a, &reader, mneme_domain::agent::Include::ALL).await.unwrap().unwrap();
    assert_eq!((state.folders.len(), state.open_files.len()), (1, 1));
    assert_eq!(
        folders::agents_of(&mut c, a, &docs.id, &first(9, Order::Asc)).await.unwrap(),
        std::slice::from_ref(&reader)
    );

    files::open(&mut c, a, &reader, &two, &View { text: "later".into(), lines: None }, at(6)).await.unwrap();
    let closed = files::close_all(&mut c, a, &reader).await.unwrap();
    assert_eq!(closed.iter().map(|f| f.file_id.clone()).collect::<Vec<_>>(), [one.clone(), two], "the oldest first");
    files::open(&mut c, a, &reader, &one, &view, at(7)).await.unwrap();
    assert!(folders::detach(&mut c, a, &reader, &docs.id).await.unwrap());
    assert!(files::opened(&mut c, a, std::slice::from_ref(&reader)).await.unwrap().is_empty());
    assert_eq!(folders::count_of_agent(&mut c, a, &reader).await.unwrap(), 0);
    c.commit().await.unwrap();
}

async fn what_is_deleted_leaves_nothing(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let docs = folder("docs");
    folders::insert(&mut c, a, &docs).await.unwrap();
    let reader = reader(&mut c, a, &docs).await;
    for delete_folder in [false, true] {
        let id = add(&mut c, a, &docs, "a.txt").await;
        read(&mut c, a, &docs, &id, "x\ny").await;
        files::open(&mut c, a, &reader, &id, &View { text: "x".into(), lines: None }, at(5)).await.unwrap();
        if delete_folder {
            assert!(folders::delete(&mut c, a, &docs.id).await.unwrap());
        } else {
            assert!(files::delete(&mut c, a, &docs.id, &id).await.unwrap());
        }
        assert_eq!(files::count_chunks(&mut c, a, &docs.id).await.unwrap(), 0);
        assert_eq!(files::content(&mut c, a, &id).await.unwrap(), None);
        assert!(files::opened(&mut c, a, std::slice::from_ref(&reader)).await.unwrap().is_empty());
        let late = Text { media_type: "text/plain", text: "late", lines: 1, chunks: &[chunk(&docs, &id, "late")] };
        assert!(!files::store_text(&mut c, a, &id, "replica-1", &late, at(6)).await.unwrap());
        assert!(!files::embedded(&mut c, a, &id, &model(), &[], at(6)).await.unwrap());
        assert_eq!(files::count_chunks(&mut c, a, &docs.id).await.unwrap(), 0);
    }
    c.commit().await.unwrap();
}

async fn strangers_see_nothing(w: World) {
    let (mut c, a, s) = (w.write().await, &w.actor, &w.stranger);
    let docs = folder("docs");
    folders::insert(&mut c, a, &docs).await.unwrap();
    folders::insert(&mut c, s, &folder("docs")).await.unwrap();
    let reader = reader(&mut c, a, &docs).await;
    let id = add(&mut c, a, &docs, "a.txt").await;
    read(&mut c, a, &docs, &id, "secret").await;
    assert!(folders::get(&mut c, s, &docs.id).await.unwrap().is_none());
    assert!(files::find(&mut c, s, &id).await.unwrap().is_none());
    assert!(files::content(&mut c, s, &id).await.unwrap().is_none());
    assert!(files::contents(&mut c, s, std::slice::from_ref(&id), 99).await.unwrap().is_empty());
    assert!(files::list(&mut c, s, &docs.id, &first(9, Order::Asc)).await.unwrap().is_empty());
    assert!(files::readable(&mut c, s, &reader, 9).await.unwrap().is_empty());
    let search = PassageSearch { scope: Scope::from(&docs.id), ..PassageSearch::default() };
    assert!(passages::search_words(&mut c, s, &search, "secret", 9).await.unwrap().is_empty());
    assert!(!files::delete(&mut c, s, &docs.id, &id).await.unwrap());
    assert!(!folders::delete(&mut c, s, &docs.id).await.unwrap());
    assert_eq!(folders::totals(&mut c, s, true).await.unwrap().total_files, 0);
    assert_eq!(files::count_chunks(&mut c, a, &docs.id).await.unwrap(), 1);
    c.commit().await.unwrap();
    let mut c = w.write().await;
    let stolen = folders::attach(&mut c, s, &reader, &docs.id).await;
    assert!(matches!(stolen, Err(StoreError::NotFound)), "{stolen:?}");
}
