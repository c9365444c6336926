//! What agents see of the files in their folders: which there are, and which are open.

use std::collections::HashMap;

use mneme_domain::{
    Actor, AgentId, FileId, Page, SourceId, Timestamp,
    clock::from_micros,
    folder::{AgentFile, FileStatus},
};
use mneme_macros::boxed;

use super::KEYSET;
use crate::{
    Conn, Result, json,
    sql::{Arg, args, statements},
};

/// A file of an agent's folders, with what the agent did with it: `files f`, `sources s`, `agent_files af`.
macro_rules! of_agent {
    () => {
        " from agent_sources ags join sources s on s.org_id = ags.org_id and s.id = ags.source_id
        join files f on f.org_id = s.org_id and f.source_id = s.id
        left join agent_files af on af.org_id = f.org_id and af.file_id = f.id and af.agent_id = ags.agent_id
        where ags.org_id = "
    };
}

/// The columns that [`ViewRow`] reads.
macro_rules! columns {
    () => {
        "f.id, f.source_id, s.name as folder_name, s.name || '/' || f.file_name as file_name, f.status, f.lines, \
         coalesce(af.is_open, false) as is_open, af.view, af.start_line, af.end_line, af.last_accessed_at"
    };
}

statements! {
    READABLE: concat!("select f.id, s.name || '/' || f.file_name, f.status, f.lines, coalesce(af.is_open, false)",
        of_agent!(), "$1 and ags.agent_id = $2 order by ags.position, s.seq, f.seq limit $3");
    OPENED: concat!("select af.agent_id, ", columns!(), " from agent_files af
        join files f on f.org_id = af.org_id and f.id = af.file_id
        join sources s on s.org_id = f.org_id and s.id = f.source_id
        where af.org_id = $1 and af.agent_id = any($2) and af.is_open order by af.last_accessed_at, f.seq");
    OPEN: "insert into agent_files (org_id, agent_id, file_id, is_open, view, start_line, end_line, last_accessed_at)
        values ($1, $2, $3, true, $4, $5, $6, $7)
        on conflict (org_id, agent_id, file_id) do update set is_open = excluded.is_open, view = excluded.view,
            start_line = excluded.start_line, end_line = excluded.end_line, last_accessed_at = excluded.last_accessed_at";
    CLOSE: "update agent_files set is_open = false, view = null, start_line = null, end_line = null
        where org_id = $1 and agent_id = $2 and file_id = any($3) and is_open";
    // On SQLite the transaction itself is the lock.
    LOCK: "select id from agents where org_id = $1 and id = $2 for no key update",
        sqlite: "select id from agents where org_id = $1 and id = $2";
    READERS: "select agent_id from agent_sources where org_id = $1 and source_id = $2 order by agent_id limit $3";
}

/// A file that an agent may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    pub id: FileId,
    /// `folder/name`.
    pub name: String,
    pub status: FileStatus,
    /// Lines of its text, once it was read.
    pub lines: Option<i64>,
    pub is_open: bool,
}

/// What an agent gets to see of a file that it opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    pub text: String,
    /// The lines that were asked for, from 1; none for the whole file.
    pub lines: Option<(i64, i64)>,
}

#[derive(mneme_macros::FromRow)]
struct ViewRow {
    id: String,
    source_id: String,
    folder_name: String,
    file_name: String,
    is_open: bool,
    view: Option<String>,
    start_line: Option<i64>,
    end_line: Option<i64>,
    last_accessed_at: Option<i64>,
}

#[derive(mneme_macros::FromRow)]
struct OwnedRow {
    agent_id: String,
    #[row(flatten)]
    row: ViewRow,
}

impl From<ViewRow> for AgentFile {
    fn from(row: ViewRow) -> Self {
        Self {
            id: row.id.replacen("file-", "file_agent-", 1),
            file_id: FileId::trusted(row.id),
            file_name: row.file_name,
            folder_id: SourceId::trusted(row.source_id),
            folder_name: row.folder_name,
            is_open: row.is_open,
            last_accessed_at: row.last_accessed_at.map(from_micros),
            visible_content: row.view,
            start_line: row.start_line,
            end_line: row.end_line,
        }
    }
}

/// A page of the files in an agent's folders, in the order of their upload; only open or closed ones if that is asked for.
#[boxed]
pub async fn list_of_agent(
    c: &mut Conn,
    a: &Actor,
    agent: &AgentId,
    is_open: Option<bool>,
    page: &Page,
) -> Result<Vec<AgentFile>> {
    let mut query = c.query(concat!("select ", columns!(), of_agent!()));
    query.bind(&a.org).with(" and ags.agent_id = ", agent);
    if let Some(is_open) = is_open {
        query.with(" and coalesce(af.is_open, false) = ", is_open);
    }
    let rows: Vec<ViewRow> = KEYSET.page(c, a, query, page).await?;
    Ok(rows.into_iter().map(AgentFile::from).collect())
}

/// The files in an agent's folders, folder by folder in the order of attachment, at most so many.
#[boxed]
pub async fn readable(c: &mut Conn, a: &Actor, agent: &AgentId, limit: i64) -> Result<Vec<Readable>> {
    let rows: Vec<(String, String, String, Option<i64>, bool)> = c.all(&READABLE, args![&a.org, agent, limit]).await?;
    rows.into_iter()
        .map(|(id, name, status, lines, is_open)| {
            let status = json::named("files.status", &status, FileStatus::from_name)?;
            Ok(Readable { id: FileId::trusted(id), name, status, lines, is_open })
        })
        .collect()
}

/// What some agents have open, each agent's least recently used first.
#[boxed]
pub async fn opened(c: &mut Conn, a: &Actor, agents: &[AgentId]) -> Result<HashMap<AgentId, Vec<AgentFile>>> {
    let mut found: HashMap<AgentId, Vec<AgentFile>> = HashMap::new();
    if agents.is_empty() {
        return Ok(found);
    }
    for row in c.all::<OwnedRow>(&OPENED, args![&a.org, Arg::ids(agents)]).await? {
        found.entry(AgentId::trusted(row.agent_id)).or_default().push(row.row.into());
    }
    Ok(found)
}

/// Keeps others from opening and closing files of an agent until the transaction ends.
#[boxed]
pub async fn lock_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<()> {
    let _: Option<(String,)> = c.one(&LOCK, args![&a.org, agent]).await?;
    Ok(())
}

/// Opens a file for an agent, or opens it elsewhere. [`crate::StoreError::NotFound`] when either is unknown.
#[boxed]
pub async fn open(c: &mut Conn, a: &Actor, agent: &AgentId, file: &FileId, view: &View, now: Timestamp) -> Result<()> {
    let (start, end) = view.lines.unzip();
    c.run(&OPEN, args![&a.org, agent, file, &view.text, start, end, now]).await.map(drop)
}

/// Closes files of an agent; returns how many were open.
#[boxed]
pub async fn close(c: &mut Conn, a: &Actor, agent: &AgentId, files: &[FileId]) -> Result<u64> {
    c.run(&CLOSE, args![&a.org, agent, Arg::ids(files)]).await
}

/// Closes all files of an agent; returns those that were open.
#[boxed]
pub async fn close_all(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<Vec<AgentFile>> {
    let open = opened(c, a, std::slice::from_ref(agent)).await?.remove(agent).unwrap_or_default();
    let ids: Vec<FileId> = open.iter().map(|file| file.file_id.clone()).collect();
    close(c, a, agent, &ids).await?;
    Ok(open)
}

/// The agents that have a folder, at most so many.
#[boxed]
pub async fn readers(c: &mut Conn, a: &Actor, folder: &SourceId, limit: u32) -> Result<Vec<AgentId>> {
    let rows: Vec<(String,)> = c.all(&READERS, args![&a.org, folder, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| AgentId::trusted(id)).collect())
}
