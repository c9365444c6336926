//! Passages: texts in archives, with their tags and vectors.

mod list;
pub(crate) mod row;
mod search;
mod tags;
mod vectors;

pub use list::{PassageFilter, count, list, unembedded};
use mneme_domain::{Actor, EntityId, PassageId, Timestamp, archive::Passage, llm_config::EmbeddingConfig};
use row::{FullRow, PassageRow, VALUES, columns, values};
pub use search::{PassageSearch, newest, search_words};
pub use tags::tags_of;
pub(crate) use vectors::cosine;
pub use vectors::search_vectors;

use crate::{
    Conn, Engine, Result, StoreError, in_order, json,
    messages::words,
    sql::{Arg, args, statements},
};

statements! {
    GET: concat!("select ", columns!(), ", p.embedding from passages p where p.org_id = $1 and p.id = $2");
    GET_MANY: concat!("select ", columns!(), " from passages p where p.org_id = $1 and p.id = any($2)");
    UPDATE: "update passages set updated_at = $3, text = $4, tags = $5, metadata = $6, last_updated_by_id = $7,
            search = array_to_tsvector($8)
        where org_id = $1 and id = $2",
        // Triggers keep the index; the last bind is only named.
        sqlite: "update passages set updated_at = $3, text = $4, tags = $5, metadata = $6, last_updated_by_id = $7
        where org_id = $1 and id = $2 and $8 is not null";
    EMBED: "update passages set embedding_config = $4, embedding_model = $5, embedding_dim = $6, embedding = $7
        where org_id = $1 and id = $2 and text = $3";
    FORGET: "update passages set embedding_config = null, embedding_model = null, embedding_dim = null, embedding = null
        where org_id = $1 and id = $2";
    DELETE: "delete from passages where org_id = $1 and id = $2";
}

/// Adds passages, in this order, with their tags and vectors. [`StoreError::NotFound`] when an archive is unknown.
pub async fn insert(c: &mut Conn, a: &Actor, passages: &[Passage]) -> Result<()> {
    // SQLite takes 32,766 binds.
    for chunk in passages.chunks(1000) {
        let mut query = c.query("insert into passages (");
        query.push(VALUES).push_either(") values ", ", search) values ");
        for (index, passage) in chunk.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" }).bind(&a.org);
            for arg in values(passage)? {
                query.push(", ").bind(arg);
            }
            if query.engine() == Engine::Postgres {
                query.push(", array_to_tsvector(").bind(Arg::List(words::index(&passage.text))).push(")");
            }
            query.push(")");
        }
        c.query_effect(query).await?;
        for passage in chunk {
            tags::add(c, a, passage).await?;
        }
    }
    Ok(())
}

/// A passage with its vector.
pub async fn get(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<Option<Passage>> {
    c.one::<FullRow>(&GET, args![&a.org, id]).await?.map(Passage::try_from).transpose()
}

/// Passages without their vectors, in the given order; unknown identifiers are left out.
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
pub async fn update(c: &mut Conn, a: &Actor, passage: &Passage, now: Timestamp) -> Result<()> {
    let arguments = args![
        &a.org,
        &passage.id,
        now,
        &passage.text,
        json::optional_text(passage.tags.as_ref())?,
        json::optional_text(passage.metadata.as_ref())?,
        &passage.last_updated_by_id,
        Arg::List(words::index(&passage.text)),
    ];
    if c.run(&UPDATE, arguments).await? == 0 {
        return Err(StoreError::NotFound);
    }
    if passage.embedding.is_none() {
        c.run(&FORGET, args![&a.org, &passage.id]).await?;
    }
    tags::clear(c, a, &passage.id).await?;
    tags::add(c, a, passage).await
}

/// Gives a passage its vector, unless its text is another one by now; false when nothing was written.
pub async fn embed(
    c: &mut Conn,
    a: &Actor,
    id: &PassageId,
    text: &str,
    model: &EmbeddingConfig,
    vector: &[f32],
) -> Result<bool> {
    let (bytes, dim) = row::bytes_of(vector);
    let arguments = args![&a.org, id, text, json::text(model)?, model.name(), dim, bytes];
    Ok(c.run(&EMBED, arguments).await? > 0)
}

/// Removes a passage; false when there was none.
pub async fn delete(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id.as_str()]).await? > 0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), tags::statements()].concat()
}
