//! The index of passages' words: SQLite's own table, PostgreSQL's column.

use mneme_domain::{Actor, archive::Passage};
use mneme_vector_math::numbers_of;

use super::words;
use crate::{
    Conn, Engine, Result,
    query::at_once,
    sql::{Arg, args, statements},
};

/// Rows brought over at a time.
const PAGE: i64 = 500;

statements! {
    SEARCH: "update passages set search = array_to_tsvector($3) where org_id = $1 and id = $2", sqlite: "select $1, $2, $3";
    UNINDEX: "select $1, $2",
        sqlite: "delete from passages_fts where rowid = (select seq from passages where org_id = $1 and id = $2)";
}

/// Adds the words of passages that are new to SQLite's index, each with its archive or folder. PostgreSQL has them in the
/// passage's row.
pub(super) async fn add(c: &mut Conn, a: &Actor, texts: &[(&Passage, &str)]) -> Result<()> {
    if c.engine() == Engine::Postgres {
        return Ok(());
    }
    let mut rows = Vec::with_capacity(texts.len());
    for (passage, space) in texts {
        rows.push(args![&passage.id, words::of_space(space), words::sequence(&passage.text)]);
    }
    for rows in at_once(c.engine(), rows) {
        let mut query = c.query("with n (id, space, words) as (values ");
        query.rows(rows, ("", "")).push(
            ") insert into passages_fts (rowid, space, words)
            select p.seq, n.space, n.words from n join passages p on p.id = n.id where p.org_id = ",
        );
        query.bind(&a.org);
        c.query_effect(query).await?;
    }
    Ok(())
}

/// Replaces a passage's words.
pub(super) async fn change(c: &mut Conn, a: &Actor, passage: &Passage, space: &str) -> Result<()> {
    match c.engine() {
        Engine::Sqlite => {
            c.run(&UNINDEX, args![&a.org, &passage.id]).await?;
            add(c, a, &[(passage, space)]).await
        }
        Engine::Postgres => c.effect(&SEARCH, args![&a.org, &passage.id, Arg::List(words::index(&passage.text))]).await,
    }
}

#[derive(mneme_macros::FromRow)]
struct OldRow {
    seq: i64,
    org_id: String,
    space: Option<String>,
    text: String,
    embedding_model: Option<String>,
    embedding: Option<Vec<u8>>,
}

/// Brings passages of the schema before `vectors` over: their words, split as they are now, and their vectors.
pub(crate) async fn move_over(c: &mut Conn) -> Result<()> {
    let mut after = 0;
    loop {
        let mut query = c.query(
            "select seq, org_id, coalesce(archive_id, source_id) as space, text, embedding_model, embedding
            from passages where seq > ",
        );
        query.bind(after).with(" order by seq limit ", PAGE);
        let rows: Vec<OldRow> = c.query_all(query).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.seq;
        for row in &rows {
            move_one(c, row).await?;
        }
    }
}

async fn move_one(c: &mut Conn, row: &OldRow) -> Result<()> {
    let space = row.space.as_deref().unwrap_or_default();
    let query = match c.engine() {
        Engine::Sqlite => {
            let mut query = c.query("insert into passages_fts (rowid, space, words) values (");
            query.bind(row.seq).with(", ", words::of_space(space)).with(", ", words::sequence(&row.text)).push(")");
            query
        }
        Engine::Postgres => {
            let mut query = c.query("update passages set search = array_to_tsvector(");
            query.bind(Arg::List(words::index(&row.text))).with(") where seq = ", row.seq);
            query
        }
    };
    c.query_run(query).await?;
    let (Some(model), Some(bytes)) = (&row.embedding_model, &row.embedding) else { return Ok(()) };
    let numbers = numbers_of(bytes);
    if numbers.is_empty() {
        return Ok(());
    }
    let mut query = c.query("insert into vectors (org_id, space, passage_seq, model, dim, embedding) values (");
    query.bind(&row.org_id).with(", ", space).with(", ", row.seq).with(", ", model);
    query.with(", ", i64::try_from(numbers.len()).unwrap_or(i64::MAX)).with(", ", Arg::Vector(numbers));
    query.push_either(")", "::real[]::vector)");
    c.query_run(query).await.map(drop)
}
