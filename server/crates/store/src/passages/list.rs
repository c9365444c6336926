//! Lists of passages, in the order of the times that they were given.

use mneme_domain::{Actor, ArchiveId, EntityId, Page, archive::Passage};

use super::{read, row::columns};
use crate::{Conn, Result, page::Keyset, query::Query};

/// Which passages a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassageFilter {
    /// In one of these archives.
    pub archives: Vec<ArchiveId>,
    /// Part of the text, whatever the case.
    pub text: Option<String>,
}

const KEYSET: Keyset = Keyset {
    lookup: "select created_at as key, seq from passages where org_id = ",
    key: Some("p.created_at"),
    seq: "p.seq",
};

/// The test for some archives.
pub(super) fn within(query: &mut Query<'_>, archives: &[ArchiveId]) {
    query.push(" and p.archive_id").any(archives.iter().map(|id| id.as_str().to_owned()).collect());
}

/// A page of passages without their vectors, oldest first in ascending order.
pub async fn list(c: &mut Conn, a: &Actor, filter: &PassageFilter, page: &Page) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org);
    within(&mut query, &filter.archives);
    if let Some(part) = &filter.text {
        query.and_contains("p.text", part);
    }
    read(KEYSET.page(c, a, query, page).await?)
}

/// How many passages some archives hold.
pub async fn count(c: &mut Conn, a: &Actor, archives: &[ArchiveId]) -> Result<i64> {
    let mut query = c.query("select count(*) from passages p where p.org_id = ");
    query.bind(&a.org);
    within(&mut query, archives);
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}

/// Passages of an archive that have no vector yet, the oldest first.
pub async fn unembedded(c: &mut Conn, a: &Actor, archive: &ArchiveId, limit: u32) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org).with(" and p.archive_id = ", archive);
    query.push(" and p.embedding is null order by p.seq").with(" limit ", limit);
    read(c.query_all(query).await?)
}
