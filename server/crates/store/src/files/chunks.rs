//! The chunks of files: passages of a folder instead of an archive.

use mneme_domain::{Actor, FileId, Page, SourceId, archive::Passage};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    page::Keyset,
    passages::{read, row::columns},
    sql::{args, statements},
};

const KEYSET: Keyset = Keyset {
    lookup: "select created_at as key, seq from passages where org_id = ",
    key: Some("p.created_at"),
    seq: "p.seq",
};

statements! {
    UNEMBEDDED: concat!("select ", columns!(), " from passages p
        where p.org_id = $1 and p.file_id = $2 and p.embedding_config is null order by p.seq limit $3");
    OF_FILE: concat!("select ", columns!(), " from passages p where p.org_id = $1 and p.file_id = $2 order by p.seq limit $3");
    COUNT: "select count(*) from passages p where p.org_id = $1 and p.source_id = $2";
}

/// A page of a folder's chunks without their vectors.
#[boxed]
pub async fn list_chunks(c: &mut Conn, a: &Actor, folder: &SourceId, page: &Page) -> Result<Vec<Passage>> {
    let mut query = c.query(concat!("select ", columns!(), " from passages p where p.org_id = "));
    query.bind(&a.org).with(" and p.source_id = ", folder);
    read(KEYSET.page(c, a, query, page).await?)
}

/// How many chunks a folder has.
#[boxed]
pub async fn count_chunks(c: &mut Conn, a: &Actor, folder: &SourceId) -> Result<i64> {
    Ok(c.one::<(i64,)>(&COUNT, args![&a.org, folder]).await?.unwrap_or_default().0)
}

/// The first chunks of a file, in the order of its text.
#[boxed]
pub async fn chunks_of(c: &mut Conn, a: &Actor, file: &FileId, limit: u32) -> Result<Vec<Passage>> {
    read(c.all(&OF_FILE, args![&a.org, file, limit]).await?)
}

/// Chunks of a file that have no vector yet, the first ones first.
#[boxed]
pub async fn unembedded(c: &mut Conn, a: &Actor, file: &FileId, limit: u32) -> Result<Vec<Passage>> {
    read(c.all(&UNEMBEDDED, args![&a.org, file, limit]).await?)
}
