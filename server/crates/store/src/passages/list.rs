//! Lists of passages, in the order of the times that they were given.

use mneme_domain::{Actor, ArchiveId, EntityId, Page, SourceId, archive::Passage};
use mneme_macros::boxed;

use super::{read, row::columns};
use crate::{Conn, Result, page::Keyset, query::Query};

/// Where passages are: in archives, or among the pieces of the files of some folders. Nothing is in an empty list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// In one of these archives.
    Archives(Vec<ArchiveId>),
    /// Of a file in one of these folders.
    Sources(Vec<SourceId>),
}

impl Default for Scope {
    fn default() -> Self {
        Self::Archives(Vec::new())
    }
}

impl From<&ArchiveId> for Scope {
    fn from(id: &ArchiveId) -> Self {
        Self::Archives(vec![id.clone()])
    }
}

impl From<&SourceId> for Scope {
    fn from(id: &SourceId) -> Self {
        Self::Sources(vec![id.clone()])
    }
}

impl From<Vec<ArchiveId>> for Scope {
    fn from(ids: Vec<ArchiveId>) -> Self {
        Self::Archives(ids)
    }
}

impl From<Vec<SourceId>> for Scope {
    fn from(ids: Vec<SourceId>) -> Self {
        Self::Sources(ids)
    }
}

impl Scope {
    /// Whether nothing can be in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Archives(ids) => ids.is_empty(),
            Self::Sources(ids) => ids.is_empty(),
        }
    }

    /// The archives or folders, as texts.
    pub(crate) fn ids(&self) -> Vec<String> {
        match self {
            Self::Archives(ids) => texts(ids),
            Self::Sources(ids) => texts(ids),
        }
    }

    /// Adds the test for it, of `passages p`.
    pub(super) fn narrow(&self, query: &mut Query<'_>) {
        match self {
            Self::Archives(ids) => query.push(" and p.archive_id").any(texts(ids)),
            Self::Sources(ids) => query.push(" and p.source_id").any(texts(ids)),
        };
    }
}

fn texts<I: EntityId>(ids: &[I]) -> Vec<String> {
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

/// Which passages a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassageFilter {
    /// Where they are.
    pub scope: Scope,
    /// Of this file.
    pub file_id: Option<String>,
    /// Part of the text, whatever the case.
    pub text: Option<String>,
}

const KEYSET: Keyset = Keyset {
    lookup: "select created_at as key, seq from passages where org_id = ",
    key: Some("p.created_at"),
    seq: "p.seq",
};

/// A page of passages without their vectors, oldest first in ascending order.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &PassageFilter, page: &Page) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org);
    filter.scope.narrow(&mut query);
    query.maybe(" and p.file_id = ", filter.file_id.as_deref());
    if let Some(part) = &filter.text {
        query.and_contains("p.text", part);
    }
    read(KEYSET.page(c, a, query, page).await?)
}

/// How many passages a scope holds.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor, scope: &Scope) -> Result<i64> {
    let mut query = c.query("select count(*) from passages p where p.org_id = ");
    query.bind(&a.org);
    scope.narrow(&mut query);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}

/// Passages of a scope that have no vector yet, the oldest first.
#[boxed]
pub async fn unembedded(c: &mut Conn, a: &Actor, scope: &Scope, limit: u32) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org);
    scope.narrow(&mut query);
    query.push(" and p.embedding_config is null order by p.seq").with(" limit ", limit);
    read(c.query_all(query).await?)
}
