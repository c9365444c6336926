//! What is to do in a batch: its runs that are not over, and the calls that were handed over to providers.

use mneme_domain::{Actor, AgentId, BatchId, RunId, Timestamp, llm_config::LlmConfig, run::Run};
use mneme_macros::boxed;

use super::lost;
use crate::{
    Conn, Result, json,
    runs::row::{RunRow, columns},
    sql::{args, statements},
};

statements! {
    OPEN: "select r.id, r.agent_id, r.takeovers, c.upload_id, c.step, c.attempt,
            (select count(*) from steps s where s.org_id = r.org_id and s.run_id = r.id) as steps
        from runs r left join batch_calls c on c.run_id = r.id
        where r.org_id = $1 and r.batch_id = $2 and r.status in ('created', 'running') order by r.seq";
    RUN: concat!("select ", columns!(), ", r.request from runs r where r.org_id = $1 and r.id = $2");
    MINE: "update batches set updated_at = $4 where org_id = $1 and id = $2 and owner = $3
        and status in ('created', 'running')";
    IS_MINE: "select id from batches where org_id = $1 and id = $2 and owner = $3";
    ADD_UPLOAD: "insert into batch_uploads (id, org_id, batch_id, llm_config, created_at) values ($1, $2, $3, $4, $5)";
    ADD_CALL: "insert into batch_calls (run_id, org_id, upload_id, step, attempt, body) values ($1, $2, $3, $4, $5, $6)
        on conflict (run_id) do update set upload_id = excluded.upload_id, step = excluded.step,
            attempt = excluded.attempt, body = excluded.body";
    SENT: "update batch_uploads set remote_id = $3 where org_id = $1 and id = $2 and remote_id is null";
    UPLOADS: "select id, llm_config, remote_id from batch_uploads where org_id = $1 and batch_id = $2 order by created_at, id";
    CALLS: "select run_id, step, attempt from batch_calls where org_id = $1 and upload_id = $2 order by run_id";
    BODY: "select body from batch_calls where org_id = $1 and run_id = $2";
    DROP_UPLOAD: "delete from batch_uploads where org_id = $1 and id = $2";
    DROP_ALL: "delete from batch_uploads where org_id = $1 and batch_id = $2";
    CANCEL_RUNS: "update runs set status = 'cancelled', stop_reason = 'cancelled', completed_at = $3, request = null
        where org_id = $1 and batch_id = $2 and status in ('created', 'running')";
    GIVE_BACK: "update agents set lease_run = null where org_id = $1 and id = $2 and lease_run = $3";
}

/// A call of a run: of which step, counted from 0, and for the how-manyth time, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub step: i64,
    pub attempt: i64,
}

/// A run that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    pub run: RunId,
    pub agent: AgentId,
    /// Servers that died while they worked on it.
    pub takeovers: i64,
    /// Steps that it has taken.
    pub steps: i64,
    /// What it waits for: the upload, and which call in it.
    pub waits: Option<(String, Place)>,
}

/// Calls handed over together.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    pub id: String,
    /// The model and its provider.
    pub llm_config: LlmConfig,
    /// The provider's name for it; none while it is not known to have arrived.
    pub remote: Option<String>,
}

/// A call as it is handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Handed {
    pub run: RunId,
    pub place: Place,
    /// What is asked, as JSON text.
    pub body: String,
}

#[derive(mneme_macros::FromRow)]
struct OpenRow {
    id: String,
    agent_id: String,
    takeovers: i64,
    upload_id: Option<String>,
    step: Option<i64>,
    attempt: Option<i64>,
    steps: i64,
}

#[derive(mneme_macros::FromRow)]
struct AskedRow {
    #[row(flatten)]
    run: RunRow,
    request: Option<String>,
}

/// The runs of a batch that are not over, in the order of its requests.
#[boxed]
pub async fn open(c: &mut Conn, a: &Actor, batch: &BatchId) -> Result<Vec<Open>> {
    let rows: Vec<OpenRow> = c.all(&OPEN, args![&a.org, batch]).await?;
    let read = |row: OpenRow| Open {
        run: RunId::trusted(row.id),
        agent: AgentId::trusted(row.agent_id),
        takeovers: row.takeovers,
        steps: row.steps,
        waits: match (row.upload_id, row.step, row.attempt) {
            (Some(upload), Some(step), Some(attempt)) => Some((upload, Place { step, attempt })),
            _ => None,
        },
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Whether a server still is the one to look after a batch.
#[boxed]
pub async fn is_owner(c: &mut Conn, a: &Actor, batch: &BatchId, owner: &str) -> Result<bool> {
    Ok(c.one::<(String,)>(&IS_MINE, args![&a.org, batch, owner]).await?.is_some())
}

/// A run with what it was asked for, while it is not over.
#[boxed]
pub async fn run(c: &mut Conn, a: &Actor, id: &RunId) -> Result<Option<(Run, Option<String>)>> {
    let row = c.one::<AskedRow>(&RUN, args![&a.org, id]).await?;
    row.map(|row| Ok((Run::try_from(row.run)?, row.request))).transpose()
}

/// Records that calls are about to be handed over. [`crate::StoreError::Stale`] when the batch is over or another
/// server's.
#[boxed]
pub async fn hand_over(
    c: &mut Conn,
    a: &Actor,
    batch: &BatchId,
    owner: &str,
    upload: &Upload,
    calls: &[Handed],
    now: Timestamp,
) -> Result<()> {
    if c.run(&MINE, args![&a.org, batch, owner, now]).await? == 0 {
        return Err(lost());
    }
    let config = json::text(&upload.llm_config)?;
    c.run(&ADD_UPLOAD, args![&upload.id, &a.org, batch, config, now]).await?;
    for call in calls {
        let place = call.place;
        c.run(&ADD_CALL, args![&call.run, &a.org, &upload.id, place.step, place.attempt, &call.body]).await?;
    }
    Ok(())
}

/// Records that an upload has arrived, under which name. False when it is gone, or has a name.
#[boxed]
pub async fn arrived(c: &mut Conn, a: &Actor, upload: &str, remote: &str) -> Result<bool> {
    Ok(c.run(&SENT, args![&a.org, upload, remote]).await? > 0)
}

/// A batch's uploads whose answers have not all been taken, oldest first.
#[boxed]
pub async fn uploads(c: &mut Conn, a: &Actor, batch: &BatchId) -> Result<Vec<Upload>> {
    let rows: Vec<(String, String, Option<String>)> = c.all(&UPLOADS, args![&a.org, batch]).await?;
    let read = |(id, config, remote): (String, String, Option<String>)| {
        Ok(Upload { id, llm_config: json::value("batch_uploads.llm_config", &config)?, remote })
    };
    rows.into_iter().map(read).collect()
}

/// The calls of an upload that runs wait for.
#[boxed]
pub async fn calls(c: &mut Conn, a: &Actor, upload: &str) -> Result<Vec<(RunId, Place)>> {
    let rows: Vec<(String, i64, i64)> = c.all(&CALLS, args![&a.org, upload]).await?;
    Ok(rows.into_iter().map(|(run, step, attempt)| (RunId::trusted(run), Place { step, attempt })).collect())
}

/// What was asked in the call that a run waits for.
#[boxed]
pub async fn body(c: &mut Conn, a: &Actor, run: &RunId) -> Result<Option<String>> {
    Ok(c.one::<(String,)>(&BODY, args![&a.org, run]).await?.map(|(body,)| body))
}

/// Forgets an upload; runs that still wait for it wait for nothing then.
#[boxed]
pub async fn drop_upload(c: &mut Conn, a: &Actor, upload: &str) -> Result<()> {
    c.run(&DROP_UPLOAD, args![&a.org, upload]).await.map(drop)
}

/// Forgets all uploads of a batch.
#[boxed]
pub async fn drop_uploads(c: &mut Conn, a: &Actor, batch: &BatchId) -> Result<()> {
    c.run(&DROP_ALL, args![&a.org, batch]).await.map(drop)
}

/// Ends the runs of a batch that are not over, and takes the turns of their agents from whoever works on them.
#[boxed]
pub async fn cancel_runs(c: &mut Conn, a: &Actor, batch: &BatchId, now: Timestamp) -> Result<()> {
    super::lease::free_agents(c, batch).await?;
    c.run(&CANCEL_RUNS, args![&a.org, batch, now]).await.map(drop)
}

/// Gives an agent's turn back while its run waits.
#[boxed]
pub async fn give_back(c: &mut Conn, a: &Actor, agent: &AgentId, run: &RunId) -> Result<()> {
    c.run(&GIVE_BACK, args![&a.org, agent, run]).await.map(drop)
}
