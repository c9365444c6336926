//! The tags of passages: filters go by them, and agents are told which there are.

use mneme_domain::{Actor, ArchiveId, PassageId, archive::Passage};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    query::{Query, at_once},
    sql::{Arg, args, statements},
};

statements! {
    CLEAR: "delete from passage_tags where org_id = $1 and passage_id = $2";
    OF_ARCHIVES: "select distinct tag from passage_tags where org_id = $1 and archive_id = any($2) order by tag limit $3";
}

/// Notes passages' tags. A passage without an archive has none to be found by.
pub(super) async fn add(c: &mut Conn, a: &Actor, passages: &[Passage]) -> Result<()> {
    let mut rows: Vec<Vec<Arg<'_>>> = Vec::new();
    for passage in passages {
        let Some(archive) = &passage.archive_id else { continue };
        let tags = passage.tags.as_deref().unwrap_or_default();
        rows.extend(tags.iter().map(|tag| args![&a.org, archive, tag, &passage.id]));
    }
    for rows in at_once(c.engine(), rows) {
        c.query_effect(Query::insert(c.engine(), "passage_tags", "org_id, archive_id, tag, passage_id", rows)).await?;
    }
    Ok(())
}

/// Forgets a passage's tags.
pub(super) async fn clear(c: &mut Conn, a: &Actor, id: &PassageId) -> Result<()> {
    c.effect(&CLEAR, args![&a.org, id]).await
}

/// The tags in use in some archives, in the order of their bytes, at most `limit`.
#[boxed]
pub async fn tags_of(c: &mut Conn, a: &Actor, archives: &[ArchiveId], limit: u32) -> Result<Vec<String>> {
    if archives.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String,)> = c.all(&OF_ARCHIVES, args![&a.org, Arg::ids(archives), limit]).await?;
    Ok(rows.into_iter().map(|(tag,)| tag).collect())
}
