//! Search in passages by their words, and what every search is narrowed by.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mneme_domain::{Actor, OrgId, Page, PassageId, Timestamp, archive::TagMatch};
use mneme_macros::boxed;
use mneme_memo::{Bounds, Memo};

use super::list::Scope;
use super::words::{self, Plan};
use crate::{
    Conn, Engine, Result,
    query::Query,
    sql::{Arg, args, statements},
};

/// Where to look; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassageSearch {
    /// Where the passages are.
    pub scope: Scope,
    /// With these tags.
    pub tags: Vec<String>,
    /// How many of them.
    pub tag_match: TagMatch,
    /// Made then or later.
    pub start: Option<Timestamp>,
    /// Made then or earlier.
    pub end: Option<Timestamp>,
}

/// A word that is in so many passages tells little, and ranking all that have it takes long.
const COMMON: i64 = 5_000;
/// And one that is in so many is left out when the query has a rarer one: each passage that has it costs time.
const FREQUENT: i64 = 1_000;
const STEPS: [i64; 2] = [FREQUENT, COMMON];
/// So many passages are ranked on PostgreSQL, where each takes some microseconds, before words that more passages have are left
/// out of what is looked for. They still count for those that are found.
const RANKED: i64 = 400;
/// Of passages that have nothing but common words of a query, the newest so many are ranked on SQLite.
const MOST_RANKED: i64 = 5_000;
/// How long it is remembered which words PostgreSQL takes for common, and where there are very many passages.
const REMEMBERED: Duration = Duration::from_secs(60);
const MOST_REMEMBERED: u64 = 10_000;

/// Scopes of more than [`COMMON`] passages. To count so many on PostgreSQL takes as long as the search itself.
pub(crate) struct Crowded(Memo<(OrgId, Vec<String>), ()>);

impl Default for Crowded {
    fn default() -> Self {
        Self(Memo::new(Bounds::of(MOST_REMEMBERED).age(REMEMBERED)))
    }
}

statements! {
    // Of SQLite's index: in how many passages words are. Not asked of spaces: it takes as long as a space is large.
    COUNTS: "select $1::text[]", sqlite: "select term, doc from passages_vocabulary where term in (select value from json_each($1))";
    // Of PostgreSQL's statistics: the same, of frequent words. The last few frequencies are not of words.
    FREQUENT_WORDS: "select s.word, cast(s.frequency * greatest(c.reltuples, 0) as bigint) from pg_class c, (
            select unnest(most_common_elems::text::text[]) as word, unnest(most_common_elem_freqs) as frequency
            from pg_stats where schemaname = current_schema() and tablename = 'passages' and attname = 'search') s
        where c.oid = to_regclass('passages') and s.word is not null and s.frequency is not null",
        sqlite: "select '', 0 where 1 = 0";
}

impl PassageSearch {
    /// Adds the tests for the scope, tags and times.
    pub(crate) fn narrow<'q>(&'q self, a: &'q Actor, query: &mut Query<'q>) {
        self.scope.narrow(query);
        match self.tag_match {
            TagMatch::Any if !self.tags.is_empty() => self.tagged(a, query, &self.tags),
            TagMatch::Any => {}
            TagMatch::All => self.tags.iter().for_each(|tag| self.tagged(a, query, std::slice::from_ref(tag))),
        }
        query.maybe(" and p.created_at >= ", self.start);
        query.maybe(" and p.created_at <= ", self.end);
    }

    /// Adds the test for one of some tags. The index of tags is asked first, so that few passages are read.
    fn tagged<'q>(&'q self, a: &'q Actor, query: &mut Query<'q>, tags: &[String]) {
        query.with(" and p.id in (select g.passage_id from passage_tags g where g.org_id = ", &a.org);
        query.push(" and g.archive_id");
        query.any(self.scope.ids()).push(" and g.tag").any(tags.to_vec()).push(")");
    }

    /// Whether there is more to go by than the scope.
    pub fn is_narrowed(&self) -> bool {
        !self.tags.is_empty() || self.start.is_some() || self.end.is_some()
    }
}

/// The passages that have a word of the text, the best first and of equal ones the newest; none for an empty text.
/// Words that say little, and such as very many passages have, count only when there are no others.
///
/// A text without any words is looked for as it stands.
#[boxed]
pub async fn search_words(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    text: &str,
    limit: u32,
) -> Result<Vec<PassageId>> {
    let limit = limit.min(Page::MAX_LIMIT);
    let words = match words::plan(text) {
        Plan::Nothing => return Ok(Vec::new()),
        _ if search.scope.is_empty() => return Ok(Vec::new()),
        Plan::Substring(text) => return substring(c, a, search, text, limit).await,
        Plan::Words(words) => words,
    };
    let query = match c.engine() {
        Engine::Sqlite => {
            let found = telling_on_sqlite(c, search, words).await?;
            in_sqlite(c, a, search, &found, limit)
        }
        Engine::Postgres => {
            let (found, ranked) = telling_on_postgres(c, a, search, words).await?;
            in_postgres(c, a, search, (&found, &ranked), limit)
        }
    };
    ids(c, query).await
}

async fn substring(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    text: String,
    limit: u32,
) -> Result<Vec<PassageId>> {
    let mut query = c.query("select p.id from passages p where p.org_id = ");
    query.bind(&a.org).push_either(" and instr(lower(p.text), lower(", " and strpos(lower(p.text), lower(");
    query.bind(text).push(")) > 0");
    search.narrow(a, &mut query);
    query.push(" order by p.created_at desc, p.seq desc").with(" limit ", limit);
    ids(c, query).await
}

/// The words worth looking for. Of a small scope they all are, and the index is asked for its spaces; in a large one the
/// passages themselves tell where they are, since an index of spaces that has very many passages is slow to rank with.
async fn telling_on_sqlite(c: &mut Conn, search: &PassageSearch, words: Vec<String>) -> Result<words::Query> {
    let mut query = c.query("select count(*) from (select 1 from passages_fts where passages_fts match ");
    query.bind(words::in_spaces(&search.scope.ids())).with(" limit ", COMMON + 1).push(") t");
    if c.query_one::<(i64,)>(query).await?.unwrap_or_default().0 <= COMMON {
        return Ok(words::Query { words, all: false, spaces: true });
    }
    let terms = Arg::List(words.clone());
    let counts: HashMap<String, i64> = c.all::<(String, i64)>(&COUNTS, args![terms]).await?.into_iter().collect();
    let count = |word: &str| counts.get(word).copied().unwrap_or_default();
    Ok(words::telling(words, count, &STEPS))
}

/// Whether every word tells something, because the scope has too few passages for any to be common in it.
async fn every_word_tells(c: &mut Conn, a: &Actor, search: &PassageSearch) -> Result<bool> {
    let context = c.context();
    let key = (a.org.clone(), search.scope.ids());
    if context.crowded.0.contains(&key) {
        return Ok(false);
    }
    let mut query = c.query("select count(*) from (select 1 from passages p where p.org_id = ");
    query.bind(&a.org);
    search.scope.narrow(&mut query);
    query.with(" limit ", COMMON + 1).push(") t");
    let few = c.query_one::<(i64,)>(query).await?.unwrap_or_default().0 <= COMMON;
    if !few {
        context.crowded.0.insert(key, ());
    }
    Ok(few)
}

fn in_sqlite<'q>(c: &Conn, a: &'q Actor, search: &'q PassageSearch, words: &words::Query, limit: u32) -> Query<'q> {
    let text = words.for_sqlite(&search.scope.ids());
    if search.is_narrowed() || !words.spaces {
        // The cross join keeps SQLite from asking the index anew for each passage.
        let mut query = c.query(
            "select p.id from passages_fts f cross join passages p on p.seq = f.rowid where passages_fts match ",
        );
        query.bind(text).with(" and p.org_id = ", &a.org);
        search.narrow(a, &mut query);
        query.push(" order by f.rank, p.created_at desc, p.seq desc").with(" limit ", limit);
        return query;
    }
    // Only the best are looked up.
    let mut query = c.query("select p.id from (select rowid as seq, rank from passages_fts where passages_fts match ");
    query.bind(text);
    if words.all {
        query.with(" order by rowid desc limit ", MOST_RANKED);
    } else {
        query.with(" order by rank limit ", limit);
    }
    query.push(") f cross join passages p on p.seq = f.seq").with(" where p.org_id = ", &a.org);
    query.push(" order by f.rank, p.created_at desc, p.seq desc").with(" limit ", limit);
    query
}

/// What to look for, and what to rank by.
async fn telling_on_postgres(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    words: Vec<String>,
) -> Result<(words::Query, words::Query)> {
    let counts = frequent(c).await?;
    let count = |word: &str| counts.get(word).copied().unwrap_or_default();
    if words.iter().all(|word| count(word) < FREQUENT) || every_word_tells(c, a, search).await? {
        let all = words::Query { words, all: false, spaces: false };
        return Ok((all.clone(), all));
    }
    let telling = words::telling(words, count, &STEPS);
    Ok((telling.rarest(count, RANKED), telling))
}

/// Which words PostgreSQL takes for common, asked once in a while.
async fn frequent(c: &mut Conn) -> Result<Arc<HashMap<String, i64>>> {
    let context = c.context();
    let known = context.frequent.lock().clone();
    if let Some((_, words)) = known.filter(|(asked, _)| asked.elapsed() < REMEMBERED) {
        return Ok(words);
    }
    let rows: Vec<(String, i64)> = c.all(&FREQUENT_WORDS, args![]).await?;
    let words: Arc<HashMap<String, i64>> = Arc::new(rows.into_iter().collect());
    *context.frequent.lock() = Some((Instant::now(), Arc::clone(&words)));
    Ok(words)
}

fn in_postgres<'q>(
    c: &Conn,
    a: &'q Actor,
    search: &'q PassageSearch,
    (found, ranked): (&words::Query, &words::Query),
    limit: u32,
) -> Query<'q> {
    let mut query = c.query("select p.id from passages p where p.org_id = ");
    query.bind(&a.org).push(" and p.search @@ ").bind(found.for_postgres()).push("::tsquery");
    search.narrow(a, &mut query);
    query.push(" order by ts_rank(p.search, ").bind(ranked.for_postgres());
    query.push("::tsquery) desc, p.created_at desc, p.seq desc").with(" limit ", limit);
    query
}

/// The newest passages that fit a search, whatever their words.
#[boxed]
pub async fn newest(c: &mut Conn, a: &Actor, search: &PassageSearch, limit: u32) -> Result<Vec<PassageId>> {
    let mut query = c.query("select p.id from passages p where p.org_id = ");
    query.bind(&a.org);
    search.narrow(a, &mut query);
    query.push(" order by p.created_at desc, p.seq desc").with(" limit ", limit.min(Page::MAX_LIMIT));
    ids(c, query).await
}

async fn ids(c: &mut Conn, query: Query<'_>) -> Result<Vec<PassageId>> {
    let rows: Vec<(String,)> = c.query_all(query).await?;
    Ok(rows.into_iter().map(|(id,)| PassageId::trusted(id)).collect())
}
