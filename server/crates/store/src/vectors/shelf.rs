//! Large spaces: their rounded vectors are kept in memory while they are in use, read from blocks that the database has
//! ready. The best of them are then read and compared exactly.

use std::{num::NonZero, sync::Arc, time::Duration};

use mneme_domain::Actor;
use mneme_memo::{Bounds, Memo};
use mneme_vector_math::{Best, Codes, cosine};
use parking_lot::RwLock;
use tokio::task::JoinSet;

use super::{Key, Look, Target, Vector, exact, graph, tidy::BLOCK};
use crate::{
    Conn, Engine, Result, StoreError,
    conn::Context,
    sql::{Arg, args, statements},
};

/// Up to so many vectors are compared one by one.
const EXACT: i64 = 2_048;
/// Memory for rounded vectors: some 640,000 of 384 numbers. What takes longer to be used again than [`IDLE`] goes.
const MEMORY: u64 = 256 << 20;
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Blocks read at a time: 6 MB of 384 numbers each.
const PAGE: i64 = 16;
/// So many more rounded vectors are looked at exactly than there are results.
const MORE: usize = 40;
/// Vectors that are worth a processor of their own: some two milliseconds of 384 numbers each. And how many processors at most.
const PART: usize = 32_768;
const MOST_PARTS: usize = 4;

statements! {
    PACKED: "select coalesce(max(last_id), 0), cast(coalesce(sum(vectors), 0) as bigint) from vector_blocks
        where org_id = $1 and space = $2 and model = $3 and dim = $4",
        sqlite: "select coalesce(max(last_id), 0), coalesce(sum(vectors), 0) from vector_blocks
        where org_id = $1 and space = $2 and model = $3 and dim = $4";
    BLOCKS: "select last_id, vectors, codes from vector_blocks
        where org_id = $1 and space = $2 and model = $3 and dim = $4 and last_id > $5 order by last_id limit $6";
}

/// One space in memory. Only one search at a time fills it.
struct Shelf {
    codes: RwLock<Codes>,
    filling: tokio::sync::Mutex<()>,
}

/// The spaces that are in memory.
pub(crate) struct Shelves(Memo<Key, Arc<Shelf>>);

impl Default for Shelves {
    fn default() -> Self {
        Self(Memo::weighing(Bounds::of(MEMORY).idle(IDLE), |_, shelf| shelf.codes.read().bytes()))
    }
}

/// The nearest in SQLite.
pub(super) async fn search(c: &mut Conn, a: &Actor, look: &Look<'_>, limit: usize) -> Result<Vec<(String, f32)>> {
    if super::are_few(c, a, look, EXACT).await? {
        return exact::search(c, a, look, look.spaces, 0, limit).await;
    }
    let mut found = Vec::new();
    for space in look.spaces {
        found.extend(of_space(c, a, look, space, limit).await?);
    }
    Ok(found)
}

async fn of_space(
    c: &mut Conn,
    a: &Actor,
    look: &Look<'_>,
    space: &String,
    limit: usize,
) -> Result<Vec<(String, f32)>> {
    let (last_id, packed) = packed(c, a, look, space).await?;
    let mut found = exact::search(c, a, look, std::slice::from_ref(space), last_id, limit).await?;
    if let Some(search) = Search::begin(c, a, look, space, limit, (last_id, packed)).await? {
        found.extend(search.finish(c, a, look).await?);
    }
    Ok(found)
}

/// Up to which identifier the vectors of a space are packed, and how many.
pub(super) async fn packed(c: &mut Conn, a: &Actor, look: &Look<'_>, space: &str) -> Result<(i64, i64)> {
    Ok(c.one(&PACKED, args![&a.org, space, look.model, look.dim()]).await?.unwrap_or_default())
}

/// Whether so many vectors of a space are kept in memory. On SQLite a space with more is read anew for each search.
pub(super) fn fits(context: &Context, packed: i64, dim: i64) -> bool {
    usize::try_from(packed.saturating_mul(dim + 12)).is_ok_and(|bytes| bytes <= context.space_memory_bytes)
}

/// A search in what is packed.
pub(super) struct Search {
    key: Key,
    allowed: Option<Arc<[i64]>>,
    /// The space in memory, unless it is too large, and what looks through it.
    shelf: Option<(Arc<Shelf>, JoinSet<Best>)>,
    limit: usize,
}

impl Search {
    /// Begins to look at the rounded vectors; of a space in memory that goes on beside the caller.
    pub(super) async fn begin(
        c: &mut Conn,
        a: &Actor,
        look: &Look<'_>,
        space: &str,
        limit: usize,
        (last_id, packed): (i64, i64),
    ) -> Result<Option<Self>> {
        if packed == 0 {
            return Ok(None);
        }
        let key = Key { org: a.org.clone(), space: space.to_owned(), model: look.model.to_owned(), dim: look.dim() };
        let allowed = if look.is_narrowed() { Some(allowed(c, a, look, space).await?) } else { None };
        let allowed = allowed.map(Arc::<[i64]>::from);
        let shelf = if fits(&c.context(), packed, key.dim) {
            let shelf = filled(c, &key, last_id, usize::try_from(packed).unwrap_or_default()).await?;
            let scans = scan(&shelf, look.vector, allowed.as_ref(), limit + MORE);
            Some((shelf, scans))
        } else {
            None
        };
        Ok(Some(Self { key, allowed, shelf, limit }))
    }

    /// The nearest.
    pub(super) async fn finish(self, c: &mut Conn, a: &Actor, look: &Look<'_>) -> Result<Vec<(String, f32)>> {
        let Self { key, allowed, mut shelf, limit } = self;
        let mut most = limit + MORE;
        loop {
            let best = match &mut shelf {
                Some((_, scans)) => joined(scans, most).await?,
                None => scan_stored(c, &key, look.vector, allowed.as_deref(), most).await?,
            };
            let items = best.into_items();
            let seen = items.len();
            let near = compare(c, a, look, &key.space, items).await?;
            // Some rows may be gone since they were packed: then there is more to look at.
            if near.len() >= limit || seen < most {
                return Ok(near);
            }
            most *= 4;
            if let Some((shelf, scans)) = &mut shelf {
                *scans = scan(shelf, look.vector, allowed.as_ref(), most);
            }
        }
    }
}

/// The rows that the texts' tests leave, in order.
async fn allowed(c: &mut Conn, a: &Actor, look: &Look<'_>, space: &str) -> Result<Vec<i64>> {
    // One row with a list travels much faster than a row for each.
    let mut query = c.query("select ");
    match look.target {
        Target::Passages(_) => query.push_either("json_group_array(p.seq)", "coalesce(json_agg(p.seq)::text, '[]')"),
        Target::Messages(_) => query.push_either("json_group_array(m.seq)", "coalesce(json_agg(m.seq)::text, '[]')"),
    };
    query.push(match look.target {
        Target::Passages(_) => " from passages p where p.org_id = ",
        Target::Messages(_) => " from messages m where m.org_id = ",
    });
    query.bind(&a.org);
    match look.target {
        Target::Passages(_) => query.with(" and coalesce(p.archive_id, p.source_id) = ", space),
        Target::Messages(_) => query.with(" and m.agent_id = ", space),
    };
    look.narrow(a, &mut query);
    let (list,): (String,) = c.query_one(query).await?.unwrap_or_default();
    let mut rows: Vec<i64> = crate::json::value("vectors.allowed", &list)?;
    rows.sort_unstable();
    Ok(rows)
}

/// The space in memory, with everything up to `last_id`.
async fn filled(c: &mut Conn, key: &Key, last_id: i64, packed: usize) -> Result<Arc<Shelf>> {
    let context = c.context();
    let make = || {
        let codes = RwLock::new(Codes::new(usize::try_from(key.dim).unwrap_or_default()));
        Arc::new(Shelf { codes, filling: tokio::sync::Mutex::new(()) })
    };
    let shelf = context.shelves.0.get_with(key, make);
    if shelf.codes.read().last_id >= last_id {
        return Ok(shelf);
    }
    let filling = shelf.filling.lock().await;
    let mut after = {
        let mut codes = shelf.codes.write();
        let more = packed.saturating_sub(codes.count());
        codes.reserve(more);
        codes.last_id
    };
    while after < last_id {
        let blocks = blocks(c, key, after).await?;
        let Some(last) = blocks.last().map(|block| block.last_id) else { break };
        let mut codes = shelf.codes.write();
        add(&mut codes, &blocks)?;
        (after, codes.last_id) = (last, last);
    }
    drop(filling);
    // Put there again, it is weighed again.
    context.shelves.0.insert(key.clone(), Arc::clone(&shelf));
    Ok(shelf)
}

#[derive(mneme_macros::FromRow)]
struct Block {
    last_id: i64,
    vectors: i64,
    codes: Vec<u8>,
}

async fn blocks(c: &mut Conn, key: &Key, after: i64) -> Result<Vec<Block>> {
    c.all(&BLOCKS, args![&key.org, &key.space, &key.model, key.dim, after, PAGE]).await
}

fn add(codes: &mut Codes, blocks: &[Block]) -> Result<()> {
    for block in blocks {
        if !codes.add_block(usize::try_from(block.vectors).unwrap_or_default(), &block.codes) {
            return Err(StoreError::Corrupt("a block of vectors has another size than it says".into()));
        }
    }
    Ok(())
}

/// The best rows of a space in memory, found off the threads that serve requests. Of a large space several processors
/// look at a part each.
fn scan(shelf: &Arc<Shelf>, vector: &[f32], allowed: Option<&Arc<[i64]>>, most: usize) -> JoinSet<Best> {
    let count = shelf.codes.read().count();
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let parts = (count / PART).clamp(1, processors.min(MOST_PARTS));
    let each = count.div_ceil(parts);
    let vector: Arc<[f32]> = vector.into();
    let mut scans = JoinSet::new();
    for part in 0..parts {
        // What came since it was counted is in the last part.
        let end = if part + 1 == parts { usize::MAX } else { (part + 1) * each };
        let (shelf, vector, allowed) = (Arc::clone(shelf), Arc::clone(&vector), allowed.cloned());
        scans.spawn_blocking(move || {
            let mut best = Best::new(most);
            shelf.codes.read().scan(part * each..end, &vector, allowed.as_deref(), &mut best);
            best
        });
    }
    scans
}

/// What is best in all parts.
async fn joined(scans: &mut JoinSet<Best>, most: usize) -> Result<Best> {
    let mut best = Best::new(most);
    while let Some(scanned) = scans.join_next().await {
        best.merge(scanned.map_err(|error| StoreError::Unavailable(error.to_string()))?);
    }
    Ok(best)
}

/// The same for a space that is too large for memory.
async fn scan_stored(c: &mut Conn, key: &Key, vector: &[f32], allowed: Option<&[i64]>, most: usize) -> Result<Best> {
    let mut best = Best::new(most);
    let mut after = 0;
    loop {
        let page = blocks(c, key, after).await?;
        let Some(last) = page.last() else { return Ok(best) };
        after = last.last_id;
        let mut codes = Codes::new(vector.len());
        codes.reserve(BLOCK * page.len());
        add(&mut codes, &page)?;
        codes.scan(0..codes.count(), vector, allowed, &mut best);
    }
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    embedding: Vector,
}

/// The exact scores of some rows; those that are gone or do not fit any more are left out.
async fn compare(c: &mut Conn, a: &Actor, look: &Look<'_>, space: &str, items: Vec<i64>) -> Result<Vec<(String, f32)>> {
    let mut query = c.query("select ");
    query.push(look.id()).push(" as id, v.embedding");
    // PostgreSQL compares by itself: whole vectors would have to travel.
    if c.engine() == Engine::Postgres {
        query.push(" <=> ").bind(Arg::Vector(look.vector.to_vec())).push("::real[]::vector as distance");
    }
    query.push_either(" from json_each(", " from (select value::bigint as value from json_array_elements_text(");
    query.bind(Arg::from(crate::json::text(&items)?)).push_either(") j", "::json)) j");
    match look.target {
        Target::Passages(_) => query.push_either(
            " cross join vectors v on v.passage_seq = j.value cross join passages p on p.seq = v.passage_seq",
            " join vectors v on v.passage_seq = j.value join passages p on p.seq = v.passage_seq",
        ),
        Target::Messages(_) => query.push_either(
            " cross join vectors v on v.message_seq = j.value cross join messages m on m.seq = v.message_seq",
            " join vectors v on v.message_seq = j.value join messages m on m.seq = v.message_seq",
        ),
    };
    query.with(" where v.org_id = ", &a.org).with(" and v.space = ", space.to_owned());
    query.with(" and v.model = ", look.model).with(" and v.dim = ", look.dim());
    look.narrow(a, &mut query);
    if c.engine() == Engine::Postgres {
        return graph::scores(c, query).await;
    }
    let rows: Vec<Row> = c.query_all(query).await?;
    Ok(rows.into_iter().map(|row| (row.id, cosine(look.vector, &row.embedding.0))).collect())
}
