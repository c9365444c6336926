//! Runs: turns of agents.

pub mod events;
pub mod lease;
mod metrics;
pub(crate) mod row;

use std::collections::HashMap;

pub use metrics::{metrics, usage};
use mneme_domain::{
    Actor, AgentId, EntityId, JsonObject, OrgId, Page, RunId, Timestamp, UserId,
    run::{Run, RunStatus, StopReason},
};
use mneme_macros::boxed;
use row::{RunRow, VALUES, columns, values};
use serde_json::Value;

use crate::{
    Conn, Result, json,
    page::Keyset,
    query::Query,
    sql::{Arg, args, statements},
};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// A terminal status.
    pub status: RunStatus,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// When.
    pub completed_at: Timestamp,
    /// Nanoseconds to the model's first token.
    pub ttft_ns: Option<i64>,
    /// Nanoseconds from its record to its end.
    pub total_duration_ns: Option<i64>,
    /// Becomes `metadata.error`.
    pub error: Option<JsonObject>,
}

/// Which runs a list holds; everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of one of these agents, when any is given.
    pub agent_ids: Vec<AgentId>,
    /// In one of these states, when any is given.
    pub statuses: Vec<RunStatus>,
    /// Whether it goes on without its client.
    pub background: Option<bool>,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// Only runs that are not over.
    pub active: bool,
}

/// A run that was not over when it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The tenant.
    pub org: OrgId,
    /// Who began it.
    pub user: UserId,
    /// The run.
    pub run: RunId,
    /// Whose turn it is.
    pub agent: AgentId,
}

statements! {
    GET: concat!("select ", columns!(), " from runs r where r.org_id = $1 and r.id = $2");
    SET_RUNNING: "update runs set status = 'running' where org_id = $1 and id = $2 and status in ('created', 'running')";
    METADATA: "select metadata from runs where org_id = $1 and id = $2";
    FINISH: "update runs set status = $3, stop_reason = $4, completed_at = $5, ttft_ns = coalesce($6, ttft_ns),
            total_duration_ns = coalesce($7, total_duration_ns), metadata = coalesce($8, metadata), request = null
        where org_id = $1 and id = $2 and status in ('created', 'running')";
    FINISH_OWN: "update runs set status = $3, stop_reason = $4, completed_at = $5, ttft_ns = coalesce($6, ttft_ns),
            total_duration_ns = coalesce($7, total_duration_ns), metadata = coalesce($8, metadata), request = null
        where org_id = $1 and id = $2 and status in ('created', 'running') and owner = $9";
    FREE_MESSAGES: "update messages set run_id = null where org_id = $1 and run_id = $2";
    FREE_STEPS: "update steps set run_id = null where org_id = $1 and run_id = $2";
    CALLED_BACK: "update runs set callback_sent_at = $3, callback_status_code = $4, callback_error = $5
        where org_id = $1 and id = $2";
    FREE_AGENT: "update agents set lease_run = null where org_id = $1 and lease_run = $2
        and id = (select agent_id from runs where runs.org_id = $1 and runs.id = $2)";
    DELETE: "delete from runs where org_id = $1 and id = $2";
    STOPPED: "select a.id from agents a where a.org_id = $1 and $2 = (select r.stop_reason from runs r
            where r.org_id = a.org_id and r.agent_id = a.id and r.stop_reason is not null order by r.seq desc limit 1)
        order by a.seq";
    USERS: "select id, user_id from runs where org_id = $1 and id = any($2)";
    UNFINISHED: "select org_id, user_id, id, agent_id from runs where status in ('created', 'running') order by seq";
}

const KEYSET: Keyset = Keyset { lookup: "select seq as key, seq from runs where org_id = ", key: None, seq: "r.seq" };

/// Adds a run, begun by the actor. [`crate::StoreError::NotFound`] when its agent is unknown.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, run: &Run) -> Result<()> {
    let mut row = args![&a.org, &a.user];
    row.extend(values(run)?);
    c.query_effect(Query::insert(c.engine(), "runs", VALUES, vec![row])).await
}

/// A run.
#[boxed]
pub async fn get(c: &mut Conn, a: &Actor, id: &RunId) -> Result<Option<Run>> {
    c.one::<RunRow>(&GET, args![&a.org, id]).await?.map(Run::try_from).transpose()
}

/// Who began runs; unknown ones are left out.
#[boxed]
pub async fn users(c: &mut Conn, a: &Actor, ids: &[RunId]) -> Result<HashMap<RunId, UserId>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = c.all(&USERS, args![&a.org, Arg::ids(ids)]).await?;
    Ok(rows.into_iter().map(|(run, user)| (RunId::trusted(run), UserId::trusted(user))).collect())
}

/// Marks a run as under way; false when it is unknown or over.
#[boxed]
pub async fn set_running(c: &mut Conn, a: &Actor, id: &RunId) -> Result<bool> {
    Ok(c.run(&SET_RUNNING, args![&a.org, id]).await? > 0)
}

/// Ends a run; false when it is unknown or already over, for the first end stands.
#[boxed]
pub async fn finish(c: &mut Conn, a: &Actor, id: &RunId, end: &RunEnd) -> Result<bool> {
    let arguments = end_of(c, a, id, end).await?;
    Ok(c.run(&FINISH, arguments).await? > 0)
}

/// As [`finish`], for the server that works on the run: false also when another one does by now.
#[boxed]
pub async fn finish_own(c: &mut Conn, a: &Actor, id: &RunId, end: &RunEnd, owner: &str) -> Result<bool> {
    let mut arguments = end_of(c, a, id, end).await?;
    arguments.push(owner.into());
    Ok(c.run(&FINISH_OWN, arguments).await? > 0)
}

/// As [`finish`], for who need not know whether the run was over already.
#[boxed]
pub async fn conclude(c: &mut Conn, a: &Actor, id: &RunId, end: &RunEnd) -> Result<()> {
    let arguments = end_of(c, a, id, end).await?;
    c.effect(&FINISH, arguments).await
}

/// The arguments of [`FINISH`].
async fn end_of<'a>(c: &mut Conn, a: &'a Actor, id: &'a RunId, end: &'a RunEnd) -> Result<Vec<Arg<'a>>> {
    let mut metadata = None;
    if let Some(error) = &end.error {
        let stored: Option<(Option<String>,)> = c.one(&METADATA, args![&a.org, id]).await?;
        let stored = stored.and_then(|(text,)| text);
        let mut object: JsonObject = json::optional_value("runs.metadata", stored.as_deref())?.unwrap_or_default();
        object.insert("error".into(), Value::Object(error.clone()));
        metadata = Some(json::text(&object)?);
    }
    let reason = end.stop_reason.map(StopReason::as_str);
    let status = end.status.as_str();
    Ok(args![&a.org, id, status, reason, end.completed_at, end.ttft_ns, end.total_duration_ns, metadata])
}

/// A page of runs in the order of their creation.
#[boxed]
pub async fn list(c: &mut Conn, a: &Actor, filter: &RunFilter, page: &Page) -> Result<Vec<Run>> {
    let mut query = c.query(concat!("select ", columns!(), " from runs r where "));
    // Runs that are not over are few, and SQLite would go through all of the organisation to find them.
    if filter.active {
        query.push_either("+", "");
    }
    query.with("r.org_id = ", &a.org);
    if !filter.agent_ids.is_empty() {
        query.push(" and r.agent_id").any(filter.agent_ids.iter().map(|id| id.as_str().to_owned()).collect());
    }
    if !filter.statuses.is_empty() {
        query.push(" and r.status").any(filter.statuses.iter().map(|status| status.as_str().to_owned()).collect());
    }
    if let Some(background) = filter.background {
        query.push(if background { " and r.background is true" } else { " and r.background is not true" });
    }
    query.maybe(" and r.stop_reason = ", filter.stop_reason.map(StopReason::as_str));
    if filter.active {
        query.push(" and r.status in ('created', 'running')");
    }
    let rows: Vec<RunRow> = KEYSET.page(c, a, query, page).await?;
    rows.into_iter().map(Run::try_from).collect()
}

/// The agents whose last run that is over ended for this reason, in the order of their creation.
#[boxed]
pub async fn agents_stopped(c: &mut Conn, a: &Actor, reason: StopReason) -> Result<Vec<AgentId>> {
    let rows: Vec<(String,)> = c.all(&STOPPED, args![&a.org, reason.as_str()]).await?;
    Ok(rows.into_iter().map(|(id,)| AgentId::trusted(id)).collect())
}

/// Records what came of telling the callback address that a run is over.
#[boxed]
pub async fn set_callback(
    c: &mut Conn,
    a: &Actor,
    id: &RunId,
    sent_at: Timestamp,
    status_code: Option<i64>,
    error: Option<&str>,
) -> Result<bool> {
    Ok(c.run(&CALLED_BACK, args![&a.org, id, sent_at, status_code, error]).await? > 0)
}

/// Removes a run; its messages and steps stay, without a run. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &RunId) -> Result<bool> {
    c.run(&FREE_MESSAGES, args![&a.org, id]).await?;
    c.run(&FREE_STEPS, args![&a.org, id]).await?;
    c.run(&FREE_AGENT, args![&a.org, id]).await?;
    Ok(c.run(&DELETE, args![&a.org, id]).await? > 0)
}

/// The runs of every organisation that are not over, oldest first: what a restarted server has to end.
#[boxed]
pub async fn unfinished(c: &mut Conn) -> Result<Vec<UnfinishedRun>> {
    let rows: Vec<(String, String, String, String)> = c.all(&UNFINISHED, args![]).await?;
    let read = |(org, user, run, agent)| UnfinishedRun {
        org: OrgId::trusted(org),
        user: UserId::trusted(user),
        run: RunId::trusted(run),
        agent: AgentId::trusted(agent),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), metrics::statements(), events::statements(), lease::statements()].concat()
}
