//! Batches: runs that were begun together and wait for their providers together.

pub mod lease;
pub mod work;

use std::collections::HashMap;

use mneme_domain::{
    Actor, BatchId, Page, Timestamp, UserId,
    batch::{Batch, BatchCounts},
    clock::from_micros,
    run::{Run, RunStatus},
};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError, json,
    page::Keyset,
    query::{Query, at_once},
    runs::{lease::OWNED_OF_BATCH, row::values},
    sql::{Arg, args, statements},
};

macro_rules! columns {
    () => {
        "b.id, b.user_id, b.status, b.total, b.callback_url, b.callback_sent_at, b.callback_status_code, \
         b.callback_error, b.created_at, b.updated_at, b.completed_at"
    };
}

statements! {
    ADD: "insert into batches (id, org_id, user_id, status, total, callback_url, owner, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
    GET: concat!("select ", columns!(), " from batches b where b.org_id = $1 and b.id = $2");
    COUNTS: "select batch_id, status, count(*) from runs where org_id = $1 and batch_id = any($2) group by batch_id, status";
    FINISH: "update batches set status = $3, completed_at = $4, updated_at = $4
        where org_id = $1 and id = $2 and status in ('created', 'running')";
    RUNNING: "update batches set status = 'running', updated_at = $3 where org_id = $1 and id = $2 and status = 'created'";
    FREE_RUNS: "update runs set batch_id = null where org_id = $1 and batch_id = $2";
    DELETE: "delete from batches where org_id = $1 and id = $2";
    CALLED_BACK: "update batches set callback_sent_at = $3, callback_status_code = $4, callback_error = $5
        where org_id = $1 and id = $2";
}

const KEYSET: Keyset =
    Keyset { lookup: "select seq as key, seq from batches where org_id = ", key: None, seq: "b.seq" };

#[derive(mneme_macros::FromRow)]
struct BatchRow {
    id: String,
    user_id: String,
    status: String,
    total: i64,
    callback_url: Option<String>,
    callback_sent_at: Option<i64>,
    callback_status_code: Option<i64>,
    callback_error: Option<String>,
    created_at: i64,
    updated_at: i64,
    completed_at: Option<i64>,
}

impl BatchRow {
    fn read(self, mut counts: BatchCounts) -> Result<Batch> {
        counts.total = self.total;
        Ok(Batch {
            id: BatchId::trusted(self.id),
            user: UserId::trusted(self.user_id),
            status: json::named("batches.status", &self.status, RunStatus::from_name)?,
            counts,
            callback_url: self.callback_url,
            callback_sent_at: self.callback_sent_at.map(from_micros),
            callback_status_code: self.callback_status_code,
            callback_error: self.callback_error,
            created_at: from_micros(self.created_at),
            updated_at: from_micros(self.updated_at),
            completed_at: self.completed_at.map(from_micros),
        })
    }
}

/// Adds a batch that a server looks after, with its runs and what each was asked for.
/// [`StoreError::NotFound`] when an agent is unknown.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, batch: &Batch, owner: &str, runs: &[(Run, String)]) -> Result<()> {
    let arguments = args![
        &batch.id,
        &a.org,
        &a.user,
        batch.status.as_str(),
        batch.counts.total,
        &batch.callback_url,
        owner,
        batch.created_at,
    ];
    c.run(&ADD, arguments).await?;
    let mut rows = Vec::with_capacity(runs.len());
    for (run, request) in runs {
        let mut row = args![&a.org, &a.user];
        row.extend(values(run)?);
        row.extend(args![owner, request, &batch.id]);
        rows.push(row);
    }
    for rows in at_once(c.engine(), rows) {
        c.query_run(Query::insert(c.engine(), "runs", OWNED_OF_BATCH, rows)).await?;
    }
    Ok(())
}

/// A batch.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &BatchId) -> Result<Option<Batch>> {
    let Some(row) = c.one::<BatchRow>(&GET, args![&a.org, id]).await? else { return Ok(None) };
    let mut counts = counts(c, a, vec![row.id.clone()]).await?;
    let counts = counts.remove(&row.id).unwrap_or_default();
    row.read(counts).map(Some)
}

/// A page of batches in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, page: &Page) -> Result<Vec<Batch>> {
    let mut query = c.query(concat!("select ", columns!(), " from batches b where b.org_id = "));
    query.bind(&a.org);
    let rows: Vec<BatchRow> = KEYSET.page(c, a, query, page).await?;
    let mut counts = counts(c, a, rows.iter().map(|row| row.id.clone()).collect()).await?;
    rows.into_iter()
        .map(|row| {
            let counts = counts.remove(&row.id).unwrap_or_default();
            row.read(counts)
        })
        .collect()
}

async fn counts(c: &mut Conn, a: &Actor, ids: Vec<String>) -> Result<HashMap<String, BatchCounts>> {
    let mut found: HashMap<String, BatchCounts> = HashMap::new();
    let rows: Vec<(String, String, i64)> = c.all(&COUNTS, args![&a.org, Arg::List(ids)]).await?;
    for (batch, status, count) in rows {
        let counts = found.entry(batch).or_default();
        match json::named("runs.status", &status, RunStatus::from_name)? {
            RunStatus::Completed => counts.completed += count,
            RunStatus::Failed => counts.failed += count,
            RunStatus::Cancelled => counts.cancelled += count,
            RunStatus::Created | RunStatus::Running => counts.processing += count,
        }
    }
    Ok(found)
}

/// Marks a batch as under way.
#[boxed]
pub async fn set_running(c: &mut Conn, a: &Actor, id: &BatchId, now: Timestamp) -> Result<()> {
    c.run(&RUNNING, args![&a.org, id, now]).await.map(drop)
}

/// Ends a batch; false when it is unknown or over, for the first end stands.
#[boxed]
pub async fn finish(c: &mut Conn, a: &Actor, id: &BatchId, status: RunStatus, now: Timestamp) -> Result<bool> {
    Ok(c.run(&FINISH, args![&a.org, id, status.as_str(), now]).await? > 0)
}

/// Removes a batch; its runs stay, without one. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &BatchId) -> Result<bool> {
    c.run(&FREE_RUNS, args![&a.org, id]).await?;
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// Records what came of telling the callback address that a batch is over.
#[boxed]
pub async fn set_callback(
    c: &mut Conn,
    a: &Actor,
    id: &BatchId,
    sent_at: Timestamp,
    status_code: Option<i64>,
    error: Option<&str>,
) -> Result<bool> {
    Ok(c.run(&CALLED_BACK, args![&a.org, id, sent_at, status_code, error]).await? > 0)
}

/// The error of who is no longer the one to look after a batch.
fn lost() -> StoreError {
    StoreError::Stale
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), lease::statements(), work::statements()].concat()
}
