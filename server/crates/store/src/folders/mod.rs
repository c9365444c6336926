//! Folders of files, and which agents read them.

mod attach;
pub(crate) mod row;
mod stats;

pub use attach::{agents_of, attach, count_of_agent, detach, of_agent, of_agents};
use mneme_domain::{Actor, Page, SourceId, Timestamp, folder::Folder};
use mneme_macros::boxed;
use row::{FolderRow, VALUES, columns, values};
pub use stats::totals;

use crate::{
    Conn, Result, StoreError,
    page::Keyset,
    query::Query,
    sql::{Arg, args, statements},
};

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from sources where org_id = ", key: None, seq: "s.seq" };

statements! {
    GET: concat!("select ", columns!(), " from sources s where s.org_id = $1 and s.id = $2");
    GET_MANY: concat!("select ", columns!(), " from sources s where s.org_id = $1 and s.id = any($2)");
    BY_NAME: concat!("select ", columns!(), " from sources s where s.org_id = $1 and s.name = $2");
    NAMES: "select name from sources where org_id = $1 and name = any($2)";
    UPDATE: "update sources set updated_at = $2, id = $3, name = $4, description = $5, instructions = $6,
            embedding_config = $7, metadata = $8, created_by_id = $9, last_updated_by_id = $10
        where org_id = $1 and id = $3";
    RENAME_CHUNKS: "update passages set file_name = (select $3 || '/' || f.file_name from files f
            where f.org_id = passages.org_id and f.id = passages.file_id)
        where org_id = $1 and source_id = $2 and file_id is not null";
    // The files go first: whoever embeds one of them waits for that, or this waits for whoever did.
    UNCOUNT: "update files set chunks_embedded = 0 where org_id = $1 and source_id = $2 and total_chunks is not null";
    UNEMBED: "update passages set embedding_config = null
        where org_id = $1 and source_id = $2 and embedding_config is not null";
    DELETE_VECTORS: "delete from vectors where org_id = $1 and space = $2";
    DELETE_CHUNKS: "delete from passages where org_id = $1 and source_id = $2";
    // Packed vectors name the folder and nothing that goes with it.
    DELETE_BLOCKS: "delete from vector_blocks where org_id = $1 and space = $2";
    DELETE: "delete from sources where org_id = $1 and id = $2";
    COUNT: "select count(*) from sources where org_id = $1";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from sources where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from sources where org_id = $1 and id = $2";
}

/// Adds a folder. [`StoreError::Conflict`] (`sources_org_id_name`) when the name is taken.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, folder: &Folder) -> Result<()> {
    let mut row = args![&a.org, folder.created_at, folder.created_at];
    row.extend(values(folder)?);
    c.query_effect(Query::insert(c.engine(), "sources", VALUES, vec![row])).await
}

/// A folder.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &SourceId) -> Result<Option<Folder>> {
    c.one::<FolderRow>(&GET, args![&a.org, id]).await?.map(Folder::try_from).transpose()
}

/// Keeps others from naming a folder or files in it until the transaction ends.
#[boxed]
pub async fn lock(c: &mut Conn, a: &Actor, id: &SourceId) -> Result<()> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, id]).await?;
    Ok(())
}

/// Folders, in no order; unknown identifiers are left out.
#[boxed]
pub async fn get_many(c: &mut Conn, a: &Actor, ids: &[SourceId]) -> Result<Vec<Folder>> {
    read(c.all(&GET_MANY, args![&a.org, Arg::ids(ids)]).await?)
}

/// The folder of a name.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, name: &str) -> Result<Option<Folder>> {
    c.one::<FolderRow>(&BY_NAME, args![&a.org, name]).await?.map(Folder::try_from).transpose()
}

/// Which of these names are taken.
#[boxed]
pub async fn taken(c: &mut Conn, a: &Actor, names: Vec<String>) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = c.all(&NAMES, args![&a.org, Arg::List(names)]).await?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

fn read(rows: Vec<FolderRow>) -> Result<Vec<Folder>> {
    rows.into_iter().map(Folder::try_from).collect()
}

/// Writes every field of a folder, and its name into the chunks of its files when it is a new one.
/// [`StoreError::NotFound`] when there is none, [`StoreError::Conflict`] when the name is taken.
#[boxed]
pub async fn update(c: &mut Conn, a: &Actor, folder: &Folder, renamed: bool, now: Timestamp) -> Result<()> {
    let mut arguments = args![&a.org, now];
    arguments.extend(values(folder)?);
    if c.run(&UPDATE, arguments).await? == 0 {
        return Err(StoreError::NotFound);
    }
    if renamed {
        c.run(&RENAME_CHUNKS, args![&a.org, &folder.id, &folder.name]).await?;
    }
    Ok(())
}

/// Forgets the vectors of a folder's chunks, whose model is another one now.
#[boxed]
pub async fn forget_vectors(c: &mut Conn, a: &Actor, id: &SourceId) -> Result<()> {
    for statement in [&UNCOUNT, &UNEMBED, &DELETE_VECTORS, &DELETE_BLOCKS] {
        c.run(statement, args![&a.org, id]).await?;
    }
    Ok(())
}

/// Removes a folder with its files, their texts and chunks, and takes it from its agents; false when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &SourceId) -> Result<bool> {
    // The folder goes first: whoever adds chunks to one of its files waits for that and finds the file gone.
    let gone = c.run(&DELETE, args![&a.org, id]).await? > 0;
    if gone {
        c.run(&DELETE_CHUNKS, args![&a.org, id]).await?;
        c.run(&DELETE_BLOCKS, args![&a.org, id]).await?;
    }
    Ok(gone)
}

/// How many folders there are.
#[boxed]
pub async fn count(c: &mut Conn, a: &Actor) -> Result<i64> {
    Ok(c.one::<(i64,)>(&COUNT, args![&a.org]).await?.unwrap_or_default().0)
}

/// A page of folders in the order of their creation, of those with this exact name if one is given.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, name: Option<&str>, page: &Page) -> Result<Vec<Folder>> {
    let mut query = c.query(concat!("select ", columns!(), " from sources s where s.org_id = "));
    query.bind(&a.org).maybe(" and s.name = ", name);
    read(KEYSET.page(c, a, query, page).await?)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), attach::statements(), stats::statements()].concat()
}
