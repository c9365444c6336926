//! Search in passages by their words, and what every search is narrowed by.

use mneme_domain::{Actor, ArchiveId, Page, PassageId, Timestamp, archive::TagMatch};

use super::list::within;
use crate::{
    Conn, Engine, Result,
    messages::words::{self, Plan},
    query::Query,
};

/// Where to look; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassageSearch {
    /// In one of these archives.
    pub archives: Vec<ArchiveId>,
    /// With these tags.
    pub tags: Vec<String>,
    /// How many of them.
    pub tag_match: TagMatch,
    /// Made then or later.
    pub start: Option<Timestamp>,
    /// Made then or earlier.
    pub end: Option<Timestamp>,
}

const TAGGED: &str = " and exists (select 1 from passage_tags g where g.org_id = p.org_id \
    and g.archive_id = p.archive_id and g.passage_id = p.id and g.tag";

impl PassageSearch {
    /// Adds the tests for tags and times.
    pub(super) fn narrow<'a>(&'a self, query: &mut Query<'a>) {
        match self.tag_match {
            TagMatch::Any if !self.tags.is_empty() => {
                query.push(TAGGED).any(self.tags.clone()).push(")");
            }
            TagMatch::Any => {}
            TagMatch::All => {
                for tag in &self.tags {
                    query.push(TAGGED).with(" = ", tag).push(")");
                }
            }
        }
        query.maybe(" and p.created_at >= ", self.start);
        query.maybe(" and p.created_at <= ", self.end);
    }

    /// Whether there is more to go by than the archives.
    pub fn is_narrowed(&self) -> bool {
        !self.tags.is_empty() || self.start.is_some() || self.end.is_some()
    }
}

/// The passages that have a word of the text, the best first and of equal ones the newest; none for an empty text.
///
/// A text without letters or digits, or in a script that puts no spaces between words, is looked for as it stands.
pub async fn search_words(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
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
            " order by p.created_at desc, p.seq desc"
        }
        Plan::Words(words) => match query.engine() {
            Engine::Sqlite => {
                query.with(" and passages_fts match ", words::sqlite_query(&words));
                " order by passages_fts.rank, p.created_at desc, p.seq desc"
            }
            // The words are the second bind, which the order names again.
            Engine::Postgres => {
                query.push(" and p.search @@ ").bind(words::postgres_query(&words)).push("::tsquery");
                " order by ts_rank(p.search, $2::tsquery) desc, p.created_at desc, p.seq desc"
            }
        },
    };
    within(&mut query, &search.archives);
    search.narrow(&mut query);
    query.push(order).with(" limit ", limit.min(Page::MAX_LIMIT));
    ids(c, query).await
}

/// The newest passages that fit a search, whatever their words.
pub async fn newest(c: &mut Conn, a: &Actor, search: &PassageSearch, limit: u32) -> Result<Vec<PassageId>> {
    let mut query = c.query("select p.id from passages p where p.org_id = ");
    query.bind(&a.org);
    within(&mut query, &search.archives);
    search.narrow(&mut query);
    query.push(" order by p.created_at desc, p.seq desc").with(" limit ", limit.min(Page::MAX_LIMIT));
    ids(c, query).await
}

async fn ids(c: &mut Conn, query: Query<'_>) -> Result<Vec<PassageId>> {
    let rows: Vec<(String,)> = c.query_all(query).await?;
    Ok(rows.into_iter().map(|(id,)| PassageId::trusted(id)).collect())
}
