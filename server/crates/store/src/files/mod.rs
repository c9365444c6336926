//! Files in folders: their state, their texts, their chunks, and what agents have open of them.

mod chunks;
mod row;
mod view;
mod work;

use std::collections::HashMap;

use mneme_macros::boxed;

pub use chunks::{chunks_of, count_chunks, list_chunks, unembedded};
use mneme_domain::{Actor, FileId, Page, SourceId, Timestamp, folder::FileMetadata};
use row::{FileRow, columns, from};
pub use view::{Readable, View, close, close_all, list_of_agent, lock_agent, open, opened, readable, readers};
pub use work::{Claimed, Text, claim, due, embedded, finish, keep, store_text, stragglers};

use crate::{
    Conn, Result,
    page::Keyset,
    query::Query,
    sql::{Arg, args, statements},
};

const KEYSET: Keyset = Keyset { lookup: "select seq as key, seq from files where org_id = ", key: None, seq: "f.seq" };

statements! {
    GET: concat!("select ", columns!(), from!(), " where f.org_id = $1 and f.source_id = $2 and f.id = $3");
    FIND: concat!("select ", columns!(), from!(), " where f.org_id = $1 and f.id = $2");
    BY_NAME: concat!("select ", columns!(), from!(), " where f.org_id = $1 and f.source_id = $2 and f.file_name = $3");
    // The texts that together have at most so many bytes, the shortest ones first.
    CONTENTS: "select file_id, text from (select c.file_id, c.text,
            sum(octet_length(c.text)) over (order by octet_length(c.text), c.file_id) as sum
            from file_contents c where c.org_id = $1 and c.file_id = any($2)) as texts where sum <= $3",
        sqlite: "select file_id, text from (select c.file_id, c.text,
            sum(octet_length(c.text)) over (order by octet_length(c.text), c.file_id) as sum
            from file_contents c where c.org_id = $1 and c.file_id in (select value from json_each($2))) as texts
        where sum <= $3";
    CONTENT: "select text from file_contents where org_id = $1 and file_id = $2";
    NAMES: "select file_name from files where org_id = $1 and source_id = $2 and file_name = any($3)";
    DELETE: "delete from files where org_id = $1 and source_id = $2 and id = $3";
    DELETE_CHUNKS: "delete from passages where org_id = $1 and file_id = $2";
}

/// A file that was just received.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    pub id: &'a FileId,
    pub folder: &'a SourceId,
    /// Unique within the folder.
    pub name: &'a str,
    pub original_name: &'a str,
    pub media_type: Option<&'a str>,
    /// Bytes.
    pub size: i64,
    /// The server that works on it.
    pub owner: &'a str,
    pub now: Timestamp,
}

/// Adds a file, in the state `parsing`. [`crate::StoreError::Conflict`] when the folder has one of that name,
/// [`crate::StoreError::NotFound`] for an unknown folder.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, file: &NewFile<'_>) -> Result<()> {
    let columns = "org_id, user_id, id, source_id, file_name, original_file_name, file_type, file_size, status, owner, attempts, \
        created_at, updated_at, created_by_id, last_updated_by_id";
    let row = args![
        &a.org,
        &a.user,
        file.id,
        file.folder,
        file.name,
        file.original_name,
        file.media_type,
        file.size,
        "parsing",
        file.owner,
        1_i64,
        file.now,
        file.now,
        &a.user,
        &a.user,
    ];
    c.query_run(Query::insert(c.engine(), "files", columns, vec![row])).await.map(drop)
}

/// A file of a folder.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, folder: &SourceId, id: &FileId) -> Result<Option<FileMetadata>> {
    c.one::<FileRow>(&GET, args![&a.org, folder, id]).await?.map(FileMetadata::try_from).transpose()
}

/// A file, whatever its folder.
#[boxed]
pub async fn find(c: &mut Conn, a: &Actor, id: &FileId) -> Result<Option<FileMetadata>> {
    c.one::<FileRow>(&FIND, args![&a.org, id]).await?.map(FileMetadata::try_from).transpose()
}

/// The file of a folder that has this name there.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, folder: &SourceId, name: &str) -> Result<Option<FileMetadata>> {
    c.one::<FileRow>(&BY_NAME, args![&a.org, folder, name]).await?.map(FileMetadata::try_from).transpose()
}

/// Which of these names a folder has.
#[boxed]
pub async fn taken(c: &mut Conn, a: &Actor, folder: &SourceId, names: Vec<String>) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = c.all(&NAMES, args![&a.org, folder, Arg::List(names)]).await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// The text of a file, if it was read already.
#[boxed]
pub async fn content(c: &mut Conn, a: &Actor, id: &FileId) -> Result<Option<String>> {
    Ok(c.one::<(String,)>(&CONTENT, args![&a.org, id]).await?.map(|(text,)| text))
}

/// The texts of some files, those that together have at most so many bytes; the shortest ones first.
#[boxed]
pub async fn contents(c: &mut Conn, a: &Actor, ids: &[FileId], bytes: i64) -> Result<HashMap<FileId, String>> {
    let rows: Vec<(String, String)> = c.all(&CONTENTS, args![&a.org, Arg::ids(ids), bytes]).await?;
    Ok(rows.into_iter().map(|(id, text)| (FileId::trusted(id), text)).collect())
}

/// A page of a folder's files, without their texts, in the order of their upload.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, folder: &SourceId, page: &Page) -> Result<Vec<FileMetadata>> {
    let mut query = c.query(concat!("select ", columns!(), from!(), " where f.org_id = "));
    query.bind(&a.org).with(" and f.source_id = ", folder);
    let rows: Vec<FileRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(FileMetadata::try_from).collect()
}

/// Removes a file of a folder with its text and its chunks; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, folder: &SourceId, id: &FileId) -> Result<bool> {
    // The file goes first: whoever adds chunks to it waits for that and finds it gone.
    let gone = c.run(&DELETE, args![&a.org, folder, id]).await? > 0;
    if gone {
        c.run(&DELETE_CHUNKS, args![&a.org, id]).await?;
    }
    Ok(gone)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), chunks::statements(), view::statements(), work::statements()].concat()
}
