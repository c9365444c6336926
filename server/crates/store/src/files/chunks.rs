//! The chunks of files: passages of a folder instead of an archive.

use mneme_domain::{Actor, FileId, Page, PassageId, SourceId, archive::Passage};

use crate::{
    Conn, Engine, Result,
    messages::words::{self, Plan},
    page::Keyset,
    passages::row::columns,
    passages::{cosine, read},
    query::Query,
    sql::{args, statements},
};

/// Vectors read at a time: 3 MB of 1,536 numbers each.
const CHUNK: i64 = 512;

const KEYSET: Keyset = Keyset {
    lookup: "select created_at as key, seq from passages where org_id = ",
    key: Some("p.created_at"),
    seq: "p.seq",
};

statements! {
    UNEMBEDDED: concat!("select ", columns!(), " from passages p
        where p.org_id = $1 and p.file_id = $2 and p.embedding_model is null order by p.seq limit $3");
    OF_FILE: concat!("select ", columns!(), " from passages p where p.org_id = $1 and p.file_id = $2 order by p.seq limit $3");
    COUNT: "select count(*) from passages p where p.org_id = $1 and p.source_id = $2";
}

/// A page of a folder's chunks without their vectors.
pub async fn list_chunks(c: &mut Conn, a: &Actor, folder: &SourceId, page: &Page) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org).with(" and p.source_id = ", folder);
    read(KEYSET.page(c, a, query, page).await?)
}

/// How many chunks a folder has.
pub async fn count_chunks(c: &mut Conn, a: &Actor, folder: &SourceId) -> Result<i64> {
    Ok(c.one::<(i64,)>(&COUNT, args![&a.org, folder]).await?.unwrap_or_default().0)
}

/// The first chunks of a file, in the order of its text.
pub async fn chunks_of(c: &mut Conn, a: &Actor, file: &FileId, limit: u32) -> Result<Vec<Passage>> {
    read(c.all(&OF_FILE, args![&a.org, file, limit]).await?)
}

/// Chunks of a file that have no vector yet, the first ones first.
pub async fn unembedded(c: &mut Conn, a: &Actor, file: &FileId, limit: u32) -> Result<Vec<Passage>> {
    read(c.all(&UNEMBEDDED, args![&a.org, file, limit]).await?)
}

fn within(query: &mut Query<'_>, folders: &[SourceId]) {
    query.push(" and p.source_id").any(folders.iter().map(ToString::to_string).collect());
}

/// The chunks of some folders that have a word of the text, the best first.
pub async fn search_words(
    c: &mut Conn,
    a: &Actor,
    folders: &[SourceId],
    text: &str,
    limit: u32,
) -> Result<Vec<PassageId>> {
    let plan = words::plan(Some(text));
    let mut query = match (&plan, c.engine()) {
        // The cross join keeps SQLite from asking the index anew for each passage.
        (Plan::Words(_), Engine::Sqlite) => {
            c.query("select p.id from passages_fts cross join passages p on p.seq = passages_fts.rowid")
        }
        _ => c.query("select p.id from passages p"),
    };
    query.with(" where p.org_id = ", &a.org);
    let order = match plan {
        Plan::Everything => return Ok(Vec::new()),
        Plan::Substring(text) => {
            query.push_either(" and instr(lower(p.text), lower(", " and strpos(lower(p.text), lower(");
            query.bind(text).push(")) > 0");
            " order by p.created_at desc, p.seq"
        }
        Plan::Words(words) => match query.engine() {
            Engine::Sqlite => {
                query.with(" and passages_fts match ", words::sqlite_query(&words));
                " order by passages_fts.rank, p.seq"
            }
            // The words are the second bind, which the order names again.
            Engine::Postgres => {
                query.push(" and p.search @@ ").bind(words::postgres_query(&words)).push("::tsquery");
                " order by ts_rank(p.search, $2::tsquery) desc, p.seq"
            }
        },
    };
    within(&mut query, folders);
    query.push(order).with(" limit ", limit.min(Page::MAX_LIMIT));
    let rows: Vec<(String,)> = c.query_all(query).await?;
    Ok(rows.into_iter().map(|(id,)| PassageId::trusted(id)).collect())
}

#[derive(sqlx::FromRow)]
struct VectorRow {
    id: String,
    created_at: i64,
    seq: i64,
    embedding: Vec<u8>,
}

/// The chunks of some folders whose vectors of `model` are nearest to `vector`, nearest first, with the cosine.
pub async fn search_vectors(
    c: &mut Conn,
    a: &Actor,
    folders: &[SourceId],
    model: &str,
    vector: &[f32],
    limit: u32,
) -> Result<Vec<(PassageId, f32)>> {
    let limit = usize::try_from(limit.min(Page::MAX_LIMIT)).unwrap_or_default();
    let mut best: Vec<(f32, String)> = Vec::new();
    for folder in folders {
        let mut place: Option<(i64, i64)> = None;
        loop {
            let mut query = c.query("select p.id, p.created_at, p.seq, p.embedding from passages p where p.org_id = ");
            query.bind(&a.org).with(" and p.source_id = ", folder).with(" and p.embedding_model = ", model);
            query.with(" and p.embedding_dim = ", i64::try_from(vector.len()).unwrap_or(i64::MAX));
            if let Some((created_at, seq)) = place {
                query.with(" and (p.created_at, p.seq) > (", created_at).with(", ", seq).push(")");
            }
            query.push(" order by p.created_at, p.seq").with(" limit ", CHUNK);
            let rows: Vec<VectorRow> = c.query_all(query).await?;
            let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= CHUNK;
            place = rows.last().map(|row| (row.created_at, row.seq));
            best.extend(rows.into_iter().map(|row| (cosine(vector, &row.embedding), row.id)));
            best.sort_by(|(one, _), (two, _)| two.total_cmp(one));
            best.truncate(limit);
            if !full {
                break;
            }
        }
    }
    Ok(best.into_iter().map(|(score, id)| (PassageId::trusted(id), score)).collect())
}
