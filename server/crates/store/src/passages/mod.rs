//! Passages: texts in archives, with their tags and vectors.

mod index;
mod list;
pub(crate) mod row;
mod search;
mod tags;
mod vectors;
mod words;

pub(crate) use index::move_over;
pub use list::{PassageFilter, Scope, count, list, unembedded};
use mneme_domain::{Actor, EntityId, PassageId, Timestamp, archive::Passage, llm_config::EmbeddingConfig};
use mneme_macros::boxed;
use row::{FullRow, PassageRow, VALUES, columns, values};
pub(crate) use search::Crowded;
pub use search::{PassageSearch, newest, search_words};
pub use tags::tags_of;
pub use vectors::search_vectors;

use crate::{
    Conn, Engine, Result, StoreError, in_order, json,
    query::{Query, at_once},
    sql::{Arg, args, statements},
    vectors::{self as vectors_of, Kind, NewVector},
};

statements! {
    GET: concat!("select ", columns!(), ", v.embedding::real[] as embedding from passages p
            left join vectors v on v.passage_seq = p.seq where p.org_id = $1 and p.id = $2"),
        sqlite: concat!("select ", columns!(), ", v.embedding from passages p
            left join vectors v on v.passage_seq = p.seq where p.org_id = $1 and p.id = $2");
    GET_MANY: concat!("select ", columns!(), " from passages p where p.org_id = $1 and p.id = any($2)");
    UPDATE: "update passages set updated_at = $3, text = $4, tags = $5, metadata = $6, last_updated_by_id = $7
        where org_id = $1 and id = $2";
    EMBED: "update passages set embedding_config = $4 where org_id = $1 and id = $2 and text = $3";
    FORGET: "update passages set embedding_config = null where org_id = $1 and id = $2";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from passages where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from passages where org_id = $1 and id = $2";
    DELETE: "delete from passages where org_id = $1 and id = $2";
}

/// Passages whose words and vectors are in memory at a time: a file may bring many thousands.
const PART: usize = 500;

/// Adds passages, in this order, with their words, tags and vectors. [`StoreError::NotFound`] when an archive is unknown.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, passages: &[Passage]) -> Result<()> {
    let engine = c.engine();
    for part in passages.chunks(PART) {
        let mut rows = Vec::with_capacity(part.len());
        for passage in part {
            let mut row = args![&a.org];
            row.extend(values(passage)?);
            if engine == Engine::Postgres {
                row.push(Arg::List(words::index(&passage.text)));
            }
            rows.push(row);
        }
        for rows in at_once(engine, rows) {
            c.query_effect(Query::insert_searched(engine, "passages", VALUES, rows)).await?;
        }
        let texts: Vec<(&Passage, &str)> = part.iter().map(|passage| (passage, space(passage))).collect();
        index::add(c, a, &texts).await?;
        let vectors: Vec<NewVector<'_>> =
            texts.iter().filter_map(|(passage, space)| new_vector(passage, space)).collect();
        vectors_of::add(c, a, Kind::Passages, &vectors).await?;
        tags::add(c, a, part).await?;
    }
    Ok(())
}

/// The archive or folder of a passage.
fn space(passage: &Passage) -> &str {
    passage.archive_id.as_ref().map(EntityId::as_str).or(passage.source_id.as_deref()).unwrap_or_default()
}

fn new_vector<'a>(passage: &'a Passage, space: &'a str) -> Option<NewVector<'a>> {
    let model = passage.embedding_config.as_ref()?.name();
    Some(NewVector { id: passage.id.as_str(), space, model, vector: passage.embedding.as_deref()? })
}

/// A passage with its vector.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<Option<Passage>> {
    c.one::<FullRow>(&GET, args![&a.org, id]).await?.map(Passage::try_from).transpose()
}

/// Passages without their vectors, in the given order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[PassageId]) -> Result<Vec<Passage>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let passages = read(c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?)?;
    Ok(in_order(ids, passages, |passage| passage.id.clone()))
}

pub(crate) fn read(rows: Vec<PassageRow>) -> Result<Vec<Passage>> {
    rows.into_iter().map(Passage::try_from).collect()
}

/// Writes a passage's text, tags and metadata, and forgets its vector unless it has one.
/// [`StoreError::NotFound`] when there is none.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, passage: &Passage, now: Timestamp) -> Result<()> {
    let arguments = args![
        &a.org,
        &passage.id,
        now,
        &passage.text,
        json::optional_text(passage.tags.as_ref())?,
        json::optional_text(passage.metadata.as_ref())?,
        &passage.last_updated_by_id,
    ];
    if c.run(&UPDATE, arguments).await? == 0 {
        return Err(StoreError::NotFound);
    }
    index::change(c, a, passage, space(passage)).await?;
    if passage.embedding.is_none() {
        c.run(&FORGET, args![&a.org, &passage.id]).await?;
        vectors_of::forget(c, a, Kind::Passages, vec![passage.id.to_string()]).await?;
    }
    tags::clear(c, a, &passage.id).await?;
    tags::add(c, a, std::slice::from_ref(passage)).await
}

/// Gives a passage its vector, unless its text is another one by now; false when nothing was written.
#[boxed]
pub async fn embed(
    c: &mut Conn,
    a: &Actor,
    id: &PassageId,
    text: &str,
    model: &EmbeddingConfig,
    vector: &[f32],
) -> Result<bool> {
    if c.run(&EMBED, args![&a.org, id, text, json::text(model)?]).await? == 0 {
        return Ok(false);
    }
    vectors_of::forget(c, a, Kind::Passages, vec![id.to_string()]).await?;
    let Some(passage) = get_many(c, a, std::slice::from_ref(id)).await?.pop() else { return Ok(false) };
    let row = NewVector { id: id.as_str(), space: space(&passage), model: model.name(), vector };
    vectors_of::add(c, a, Kind::Passages, &[row]).await?;
    Ok(true)
}

/// Keeps others from writing a passage until the transaction ends: what is read of it then is not changed meanwhile.
#[boxed]
pub async fn lock(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<()> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, id]).await?;
    Ok(())
}

/// Removes a passage; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id.as_str()]).await? > 0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), index::statements(), search::statements(), tags::statements()].concat()
}
