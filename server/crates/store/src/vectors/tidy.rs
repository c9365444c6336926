//! Work on vectors that is done after they are kept, beside everything else: they are packed into blocks. On PostgreSQL the
//! spaces that are too large for memory are in the index of near neighbours as well.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use mneme_domain::OrgId;
use mneme_macros::boxed;
use mneme_vector_math::Codes;
use parking_lot::Mutex;

use super::{Vector, graph, shelf};
use crate::{
    Conn, Engine, Result, Store,
    sql::{args, statements},
};

statements! {
    LAST: "select coalesce(max(last_id), 0), cast(coalesce(sum(vectors), 0) as bigint) from vector_blocks
        where org_id = $1 and space = $2 and model = $3 and dim = $4",
        sqlite: "select coalesce(max(last_id), 0), coalesce(sum(vectors), 0) from vector_blocks
        where org_id = $1 and space = $2 and model = $3 and dim = $4";
    NEXT: "select id, coalesce(passage_seq, message_seq) as item, embedding::real[] as embedding from vectors
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and id > $5 order by id limit $6",
        sqlite: "select id, coalesce(passage_seq, message_seq) as item, embedding from vectors
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and id > $5 order by id limit $6";
    STILL_THERE: "select count(*) from vectors
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and id <= $5";
    UNPACK: "delete from vector_blocks where org_id = $1 and space = $2 and model = $3 and dim = $4";
    PACK: "insert into vector_blocks (org_id, space, model, dim, last_id, vectors, codes)
        values ($1, $2, $3, $4, $5, $6, $7)";
    // Of PostgreSQL, where identifiers do not become visible in their order: what is packed is marked.
    LOCK: "select pg_advisory_xact_lock(hashtextextended($1, 18))", sqlite: "select $1";
    LOOSE: "select count(*) from (select 1 from vectors
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and not graph limit $5) t";
    MARK: "update vectors v set graph = true from (select id from vectors
            where org_id = $1 and space = $2 and model = $3 and dim = $4 and not graph order by id limit $5) n
        where v.id = n.id returning v.id, coalesce(v.passage_seq, v.message_seq) as item, v.embedding::real[] as embedding",
        sqlite: "update vectors set graph = true where id in (select id from vectors
            where org_id = $1 and space = $2 and model = $3 and dim = $4 and not graph order by id limit $5)
        returning id, coalesce(passage_seq, message_seq) as item, embedding";
    MARKED: "select count(*) from vectors where org_id = $1 and space = $2 and model = $3 and dim = $4 and graph";
    UNMARK: "update vectors set graph = false
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and graph";
}

/// The vectors of one model in one space.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) org: OrgId,
    pub(crate) space: String,
    pub(crate) model: String,
    pub(crate) dim: i64,
}

/// How many vectors came to which space since it was looked after.
#[derive(Default)]
pub(crate) struct Ledger {
    fresh: Mutex<HashMap<Key, i64>>,
    working: tokio::sync::Mutex<()>,
    /// Blocks that were made since PostgreSQL looked at what is in the table.
    unseen: AtomicUsize,
}

impl Ledger {
    /// Notes a new vector.
    pub(super) fn note(&self, org: &OrgId, space: &str, model: &str, dim: usize) {
        let dim = i64::try_from(dim).unwrap_or(i64::MAX);
        let key = Key { org: org.clone(), space: space.into(), model: model.into(), dim };
        *self.fresh.lock().entry(key).or_default() += 1;
    }

    fn due(&self, least: i64) -> Vec<Key> {
        let mut fresh = self.fresh.lock();
        let due: Vec<Key> = fresh.iter().filter(|(_, count)| **count >= least).map(|(key, _)| key.clone()).collect();
        for key in &due {
            fresh.remove(key);
        }
        // Spaces with a vector now and then are many; they are looked after when they have more.
        if fresh.len() > MOST_REMEMBERED {
            fresh.clear();
        }
        due
    }
}

/// Vectors in a block.
pub(super) const BLOCK: usize = 1024;
/// Spaces of which the number of new vectors is remembered.
const MOST_REMEMBERED: usize = 10_000;
/// Blocks, some five thousand vectors, after which the table is not what PostgreSQL takes it for.
const MOST_UNSEEN: usize = 5;
/// New vectors of a space after which it is looked after.
const DUE: i64 = 256;
/// Packed vectors of a space that is no longer compared one by one.
const LARGE: i64 = 2_048;

#[boxed]
impl Store {
    /// Whether there is work for [`Store::tidy_vectors`].
    pub fn has_untidy_vectors(&self) -> bool {
        self.context().ledger.fresh.lock().values().any(|count| *count >= DUE)
    }

    /// Packs or indexes new vectors of the spaces that have many; returns when nothing is left to do. Call it after
    /// vectors were kept, outside of requests. While it is at work, other callers return at once.
    ///
    /// # Errors
    /// When the database fails; what was left is taken up when more vectors come.
    pub async fn tidy_vectors(&self) -> Result<()> {
        let context = self.context();
        let Ok(_working) = context.ledger.working.try_lock() else { return Ok(()) };
        loop {
            let due = context.ledger.due(DUE);
            if due.is_empty() {
                return self.clear_up(MOST_UNSEEN).await;
            }
            for key in due {
                let mut steps = 0_usize;
                while self.step(&key).await? {
                    steps += 1;
                    tokio::task::yield_now().await;
                }
                if self.engine() == Engine::Postgres {
                    let (_, packed) = packed(&mut self.read().await?, &key).await?;
                    self.ensure_graph(&key, packed).await?;
                    context.ledger.unseen.fetch_add(steps, Ordering::Relaxed);
                    // While more come it is done as often as PostgreSQL would: when a fifth is new.
                    self.clear_up(MOST_UNSEEN.max(usize::try_from(packed).unwrap_or_default() / BLOCK / 5)).await?;
                }
                if steps > 0 {
                    tracing::info!(space = key.space, model = key.model, steps, "vectors are in order");
                }
            }
        }
    }

    async fn step(&self, key: &Key) -> Result<bool> {
        let mut tx = self.write().await?;
        let more = match self.engine() {
            Engine::Sqlite => pack(&mut tx, key).await?,
            Engine::Postgres => pack_marked(&mut tx, key).await?,
        };
        tx.commit().await?;
        Ok(more)
    }

    /// After so many blocks has PostgreSQL see that nearly all vectors are packed, forget how they were before, and see which words
    /// are common by now. It does so by itself within minutes; until then it reads the whole table, or what is gone from an index, to
    /// find the few that are not packed, and ranks what has common words.
    async fn clear_up(&self, after: usize) -> Result<()> {
        let unseen = &self.context().ledger.unseen;
        if unseen.load(Ordering::Relaxed) < after {
            return Ok(());
        }
        unseen.store(0, Ordering::Relaxed);
        // Each by itself: none of them is allowed in a transaction with others.
        self.read().await?.chores(&["vacuum (analyze) vectors", "analyze passages"]).await
    }

    /// Makes the index of a dimension, if a space of it is too large for memory by now.
    async fn ensure_graph(&self, key: &Key, packed: i64) -> Result<()> {
        if key.dim > graph::MOST || shelf::fits(&self.context(), packed, key.dim) {
            return Ok(());
        }
        let mut tx = self.write().await?;
        tx.unhurried().await?;
        let mut query = tx.query("create index if not exists vectors_graph_");
        query.number(key.dim).push(" on vectors using hnsw ((embedding::");
        graph::push_type(&mut query, key.dim);
        query.push(if key.dim <= 2_000 { ") vector_cosine_ops" } else { ") halfvec_cosine_ops" });
        query.push(") where graph and dim = ").number(key.dim);
        tx.query_run(query).await?;
        tx.commit().await
    }
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: i64,
    item: i64,
    embedding: Vector,
}

/// The last identifier that is packed, and how many vectors are.
async fn packed(c: &mut Conn, key: &Key) -> Result<(i64, i64)> {
    Ok(c.one(&LAST, args![&key.org, &key.space, &key.model, key.dim]).await?.unwrap_or_default())
}

/// How many vectors make a block. What is not packed is read as rows by each search, so where there is much, few will do.
fn least(packed: i64) -> i64 {
    if packed > LARGE { DUE } else { i64::try_from(BLOCK).unwrap_or(i64::MAX) }
}

/// Packs the next block of a space; false when there is not enough for one.
async fn pack(c: &mut Conn, key: &Key) -> Result<bool> {
    let (last_id, packed) = packed(c, key).await?;
    let block = i64::try_from(BLOCK).unwrap_or(i64::MAX);
    let rows: Vec<Row> = c.all(&NEXT, args![&key.org, &key.space, &key.model, key.dim, last_id, block]).await?;
    if i64::try_from(rows.len()).unwrap_or(i64::MAX) < least(packed) {
        return Ok(false);
    }
    let (there,): (i64,) =
        c.one(&STILL_THERE, args![&key.org, &key.space, &key.model, key.dim, last_id]).await?.unwrap_or_default();
    if is_sparse(there, packed) {
        c.run(&UNPACK, args![&key.org, &key.space, &key.model, key.dim]).await?;
        return Ok(true);
    }
    keep(c, key, last_id, &rows).await?;
    Ok(true)
}

/// The same where several servers may do so, and where a vector may become visible after one with a greater identifier.
async fn pack_marked(c: &mut Conn, key: &Key) -> Result<bool> {
    c.run(&LOCK, args![&key.space]).await?;
    let (last_id, packed) = packed(c, key).await?;
    let least = least(packed);
    let (loose,): (i64,) =
        c.one(&LOOSE, args![&key.org, &key.space, &key.model, key.dim, least]).await?.unwrap_or_default();
    if loose < least {
        return Ok(false);
    }
    let (there,): (i64,) = c.one(&MARKED, args![&key.org, &key.space, &key.model, key.dim]).await?.unwrap_or_default();
    if is_sparse(there, packed) {
        c.run(&UNPACK, args![&key.org, &key.space, &key.model, key.dim]).await?;
        c.run(&UNMARK, args![&key.org, &key.space, &key.model, key.dim]).await?;
        return Ok(true);
    }
    let block = i64::try_from(BLOCK).unwrap_or(i64::MAX);
    let rows: Vec<Row> = c.all(&MARK, args![&key.org, &key.space, &key.model, key.dim, block]).await?;
    keep(c, key, last_id, &rows).await?;
    Ok(!rows.is_empty())
}

/// Whether much of what was packed is gone, so that it is better to begin again.
fn is_sparse(there: i64, packed: i64) -> bool {
    there * 10 < packed * 7
}

async fn keep(c: &mut Conn, key: &Key, last_id: i64, rows: &[Row]) -> Result<()> {
    let mut codes = Codes::new(usize::try_from(key.dim).unwrap_or_default());
    codes.reserve(rows.len());
    rows.iter().for_each(|row| codes.push(row.item, &row.embedding.0));
    let count = i64::try_from(codes.count()).unwrap_or(i64::MAX);
    // Blocks are read in the order of this.
    let last_id = rows.iter().map(|row| row.id).fold(last_id.saturating_add(1), i64::max);
    c.run(&PACK, args![&key.org, &key.space, &key.model, key.dim, last_id, count, codes.to_bytes()]).await.map(drop)
}
