//! Files on their way to being readable: who works on one, and what comes of it.
//!
//! Whatever is written for a file begins with an update of its row, so a file that is deleted meanwhile gets nothing more,
//! and what is written for it is written whole.

use mneme_domain::{
    Actor, FileId, OrgId, PassageId, Role, Timestamp, UserId, archive::Passage, folder::FileStatus,
    llm_config::EmbeddingConfig,
};
use mneme_macros::boxed;

use super::DELETE_CHUNKS;
use crate::{
    Conn, Result, passages,
    runs::lease::now,
    sql::{args, statements},
};

/// Files that are not ready and whose owner is $1 or nobody alive.
macro_rules! due {
    ($engine:tt) => {
        concat!(
            "select f.id from files f where f.status in ('parsing', 'embedding') and (f.owner is null or f.owner = $1
                or not exists (select 1 from replicas p where p.id = f.owner and p.until > ",
            now!($engine),
            ")) order by f.seq limit $2"
        )
    };
}

/// Makes $1 the owner of a file that is not ready and whose owner it is or nobody alive.
macro_rules! claim {
    ($engine:tt) => {
        concat!(
            "update files set owner = $1, attempts = attempts + 1 where id = $2 and status in ('parsing', 'embedding')
                and (owner is null or owner = $1
                or not exists (select 1 from replicas p where p.id = files.owner and p.until > ",
            now!($engine),
            ")) returning org_id, user_id, status, attempts, original_file_name"
        )
    };
}

statements! {
    DUE: due!(postgres), sqlite: due!(sqlite);
    CLAIM: claim!(postgres), sqlite: claim!(sqlite);
    STRAGGLERS: "select f.id, f.org_id, f.user_id from files f
        where f.status = 'completed' and f.chunks_embedded < f.total_chunks order by f.updated_at limit $1";
    TEXT: "update files set status = 'embedding', error_message = null, file_type = $4, total_chunks = $5,
            chunks_embedded = 0, lines = $6, updated_at = $7
        where org_id = $1 and id = $2 and owner = $3 and status = 'parsing'";
    FORGET: "delete from file_contents where org_id = $1 and file_id = $2";
    KEEP: "insert into file_contents (org_id, file_id, text) values ($1, $2, $3)";
    LOCK: "update files set updated_at = $3 where org_id = $1 and id = $2";
    COUNT: "update files set chunks_embedded = (select count(*) from passages p where p.org_id = files.org_id
            and p.file_id = files.id and p.embedding_config is not null)
        where org_id = $1 and id = $2";
    FINISH: "update files set status = $3, error_message = $4, owner = null, updated_at = $5
        where org_id = $1 and id = $2";
}

/// A file that this server works on now.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// On whose behalf.
    pub actor: Actor,
    pub status: FileStatus,
    /// How often somebody began to.
    pub attempts: i64,
    pub original_name: String,
}

/// What was read of a file.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    pub media_type: &'a str,
    pub text: &'a str,
    pub lines: i64,
    /// In the order of the text, without vectors.
    pub chunks: &'a [Passage],
}

/// Files of any organisation that nobody works on although they are not ready, the oldest first; those of `owner` itself
/// are among them.
#[boxed]
pub async fn due(c: &mut Conn, owner: &str, limit: i64) -> Result<Vec<FileId>> {
    let rows: Vec<(String,)> = c.all(&DUE, args![owner, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| FileId::trusted(id)).collect())
}

/// Makes a server the owner of such a file; none when it is ready by now, or somebody else's.
#[boxed]
pub async fn claim(c: &mut Conn, id: &FileId, owner: &str) -> Result<Option<Claimed>> {
    let row: Option<(String, String, String, i64, String)> = c.one(&CLAIM, args![owner, id]).await?;
    row.map(|(org, user, status, attempts, original_name)| {
        let status = crate::json::named("files.status", &status, FileStatus::from_name)?;
        let actor = Actor { org: OrgId::trusted(org), user: UserId::trusted(user), role: Role::Member };
        Ok(Claimed { actor, status, attempts, original_name })
    })
    .transpose()
}

/// Files of any organisation that are ready but have chunks without vectors, those first that waited longest.
#[boxed]
pub async fn stragglers(c: &mut Conn, limit: i64) -> Result<Vec<(Actor, FileId)>> {
    let rows: Vec<(String, String, String)> = c.all(&STRAGGLERS, args![limit]).await?;
    let actor = |org, user| Actor { org: OrgId::trusted(org), user: UserId::trusted(user), role: Role::Member };
    Ok(rows.into_iter().map(|(id, org, user)| (actor(org, user), FileId::trusted(id))).collect())
}

/// Keeps the text of a file that `owner` was parsing, with its chunks. False, and nothing is written, when it is not that
/// file any more.
#[boxed]
pub async fn store_text(
    c: &mut Conn,
    a: &Actor,
    id: &FileId,
    owner: &str,
    read: &Text<'_>,
    now: Timestamp,
) -> Result<bool> {
    let chunks = i64::try_from(read.chunks.len()).unwrap_or(i64::MAX);
    let arguments = args![&a.org, id, owner, read.media_type, chunks, read.lines, now];
    if c.run(&TEXT, arguments).await? == 0 {
        return Ok(false);
    }
    c.run(&DELETE_CHUNKS, args![&a.org, id]).await?;
    c.run(&FORGET, args![&a.org, id]).await?;
    c.run(&KEEP, args![&a.org, id, read.text]).await?;
    passages::insert(c, a, read.chunks).await?;
    Ok(true)
}

/// Gives a file that waits to be read its text, which came without an upload.
#[boxed]
pub async fn keep(c: &mut Conn, a: &Actor, id: &FileId, text: &str) -> Result<()> {
    c.run(&KEEP, args![&a.org, id, text]).await.map(drop)
}

/// Gives some of a file's chunks their vectors; false when the file is gone.
#[boxed]
pub async fn embedded(
    c: &mut Conn,
    a: &Actor,
    id: &FileId,
    model: &EmbeddingConfig,
    vectors: &[(PassageId, String, Vec<f32>)],
    now: Timestamp,
) -> Result<bool> {
    if c.run(&LOCK, args![&a.org, id, now]).await? == 0 {
        return Ok(false);
    }
    for (chunk, text, vector) in vectors {
        passages::embed(c, a, chunk, text, model, vector).await?;
    }
    c.run(&COUNT, args![&a.org, id]).await?;
    Ok(true)
}

/// Ends the work on a file; false when it is gone.
#[boxed]
pub async fn finish(
    c: &mut Conn,
    a: &Actor,
    id: &FileId,
    status: FileStatus,
    error: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    Ok(c.run(&FINISH, args![&a.org, id, status.as_str(), error, now]).await? > 0)
}
