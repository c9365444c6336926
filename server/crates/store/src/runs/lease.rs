//! Who works on a run.
//!
//! A run has an owner, a server that is alive while its row in `replicas` lies in the future. An agent's turn belongs
//! to one run that is not over; it is given back by the run's end, whatever ended it. Each time a turn changes hands the
//! agent's fence grows, and so does its version, so nothing that was read before can be written any more.
//!
//! The times of leases are the database's own: clocks of several machines need not agree.

use mneme_domain::{
    Actor, AgentId, OrgId, RunId, UserId,
    run::{Run, RunStatus},
};
use mneme_macros::boxed;

use super::row::{RunRow, columns, values};
use crate::{
    Conn, Engine, Result,
    query::Query,
    sql::{args, statements},
};

/// The database's clock, in microseconds since 1970.
macro_rules! now {
    (postgres) => {
        "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)"
    };
    (sqlite) => {
        "cast(unixepoch('subsec') * 1000000 as integer)"
    };
}
pub(crate) use now;

/// Whether the owner of a run `r` is dead.
macro_rules! dead {
    ($engine:tt) => {
        concat!("not exists (select 1 from replicas p where p.id = r.owner and p.until > ", now!($engine), ")")
    };
}
pub(crate) use dead;

/// Runs that are not over and whose owner is $1 or nobody alive; those of batches are looked after with their batch.
macro_rules! due {
    ($engine:tt) => {
        concat!(
            "select r.id from runs r where r.status in ('created', 'running') and r.batch_id is null
                and (r.owner is null or r.owner = $1 or ",
            dead!($engine),
            ") order by r.seq limit $2"
        )
    };
}

/// Runs that are over, with a callback address that was not told, and whose owner is gone.
macro_rules! untold {
    ($engine:tt) => {
        concat!(
            "select r.id from runs r where r.callback_url is not null and r.callback_sent_at is null
                and r.status in ('completed', 'failed', 'cancelled')
                and (r.owner is null or (r.owner <> $1 and ",
            dead!($engine),
            ")) order by r.seq limit $2"
        )
    };
}

/// Makes $1 the owner of a run whose owner it is or nobody alive.
macro_rules! claim {
    ($engine:tt) => {
        concat!(
            "update runs as r set owner = $1, takeovers = r.takeovers + 1
                where r.id = $2 and (r.owner is null or r.owner = $1 or ",
            dead!($engine),
            ")"
        )
    };
}

// Whoever waited for another's lock on the agent's row sees its new lease but not yet its run, so a turn is free only when
// its run is seen to be over.
statements! {
    BEAT: concat!("insert into replicas (id, until) values ($1, ", now!(postgres), " + $2)
            on conflict (id) do update set until = excluded.until"),
        sqlite: concat!("insert into replicas (id, until) values ($1, ", now!(sqlite), " + $2)
            on conflict (id) do update set until = excluded.until");
    LEAVE: "delete from replicas where id = $1";
    LEAVE_ALL: "delete from replicas where id <> $1";
    HAND_OVER: "update runs set owner = null where owner = $1 and status in ('created', 'running')";
    TAKE: "update agents set lease_run = $3, lease_fence = lease_fence + 1 where org_id = $1 and id = $2
        and (lease_run is null or lease_run = $3 or exists (select 1 from runs r where r.id = agents.lease_run
            and r.status in ('completed', 'failed', 'cancelled')))
        returning lease_fence, version";
    RUNNING: "update runs set status = 'running' where org_id = $1 and id = $2 and owner = $3
        and status in ('created', 'running')";
    DUE: due!(postgres), sqlite: due!(sqlite);
    UNTOLD: untold!(postgres), sqlite: untold!(sqlite);
    CLAIM: claim!(postgres), sqlite: claim!(sqlite);
    CLAIMED: concat!("select ", columns!(), ", r.org_id, r.user_id, r.takeovers, r.request from runs r where r.id = $1");
    BUMP: "update agents set lease_fence = lease_fence + 1, version = version + 1 where id = $1";
    BUMP_RUN: "update agents set lease_fence = lease_fence + 1, version = version + 1
        where id = $1 and lease_run = $2";
    LOST: "select id from runs where id = any($1) and (owner <> $2 or owner is null or status = 'cancelled')";
}

/// The agent's turn as it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// What a commit of this turn has to know.
    pub fence: i64,
    /// The version of the agent's row.
    pub version: i64,
}

/// A run taken over from a server that is gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The tenant.
    pub org: OrgId,
    /// Who began it.
    pub user: UserId,
    /// The run.
    pub run: Run,
    /// How often it was taken over, this time included.
    pub takeovers: i64,
    /// What it was asked for, as [`insert`] got it.
    pub request: Option<String>,
}

/// Says that a server is alive, for this many microseconds from now.
#[boxed]
pub async fn beat(c: &mut Conn, replica: &str, micros: i64) -> Result<()> {
    c.run(&BEAT, args![replica, micros]).await.map(drop)
}

/// Takes a server out and gives its runs to whoever comes next.
#[boxed]
pub async fn leave(c: &mut Conn, replica: &str) -> Result<()> {
    c.run(&HAND_OVER, args![replica]).await?;
    c.run(&LEAVE, args![replica]).await.map(drop)
}

/// Takes all other servers out: on SQLite, where there is one.
#[boxed]
pub async fn leave_others(c: &mut Conn, replica: &str) -> Result<()> {
    c.run(&LEAVE_ALL, args![replica]).await.map(drop)
}

/// Adds a run that a server works on, with what is needed to begin it again.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, run: &Run, owner: &str, request: Option<&str>) -> Result<()> {
    let mut row = args![&a.org, &a.user];
    row.extend(values(run)?);
    row.extend(args![owner, request]);
    c.query_effect(Query::insert(c.engine(), "runs", OWNED, vec![row])).await
}

/// As [`insert`], and takes the agent's turn: one statement on PostgreSQL. The run is recorded as under way when it has
/// the turn, else, with None, as waiting.
#[boxed]
pub async fn insert_taking(c: &mut Conn, a: &Actor, run: &Run, owner: &str) -> Result<Option<Taken>> {
    if c.engine() == Engine::Sqlite {
        insert(c, a, run, owner, None).await?;
        let taken = take(c, a, &run.agent_id, &run.id).await?;
        if taken.is_some() {
            set_running(c, a, &run.id, owner).await?;
        }
        return Ok(taken);
    }
    let mut query = c.query("with taken as (update agents set lease_run = ");
    query
        .bind(&run.id)
        .with(", lease_fence = lease_fence + 1 where org_id = ", &a.org)
        .with(" and id = ", &run.agent_id);
    query.push(
        " and (lease_run is null or exists (select 1 from runs r where r.id = agents.lease_run
            and r.status in ('completed', 'failed', 'cancelled'))) returning lease_fence, version), added as (insert into runs (",
    );
    query.push(OWNED).push(") values (").bind(&a.org).with(", ", &a.user);
    for (column, value) in values(run)?.into_iter().enumerate() {
        match column {
            STATUS => query.push(", case when exists (select 1 from taken) then 'running' else 'created' end"),
            _ => query.with(", ", value),
        };
    }
    query.with(", ", owner).push(", null) returning 1) select lease_fence, version from taken");
    let taken: Option<(i64, i64)> = c.query_one(query).await?;
    Ok(taken.map(|(fence, version)| Taken { fence, version }))
}

/// The place of the status among a run's values.
const STATUS: usize = 2;

/// The columns of an insert.
const OWNED: &str = "org_id, user_id, id, agent_id, status, created_at, completed_at, base_template_id, background, \
    metadata, request_config, stop_reason, callback_url, callback_sent_at, callback_status_code, callback_error, \
    ttft_ns, total_duration_ns, owner, request";

/// The columns of an insert of a batch's runs.
pub(crate) const OWNED_OF_BATCH: &str = "org_id, user_id, id, agent_id, status, created_at, completed_at, \
    base_template_id, background, metadata, request_config, stop_reason, callback_url, callback_sent_at, \
    callback_status_code, callback_error, ttft_ns, total_duration_ns, owner, request, batch_id";

/// Takes the agent's turn for a run, unless another run that is not over has it.
#[boxed]
pub async fn take(c: &mut Conn, a: &Actor, agent: &AgentId, run: &RunId) -> Result<Option<Taken>> {
    let taken: Option<(i64, i64)> = c.one(&TAKE, args![&a.org, agent, run]).await?;
    Ok(taken.map(|(fence, version)| Taken { fence, version }))
}

/// Marks a run as under way; false when it is over or another server's.
#[boxed]
pub async fn set_running(c: &mut Conn, a: &Actor, id: &RunId, owner: &str) -> Result<bool> {
    Ok(c.run(&RUNNING, args![&a.org, id, owner]).await? > 0)
}

/// Runs of all organisations that are not over and that nobody alive works on, or this server, oldest first. Which of
/// its own it still works on, the server knows.
#[boxed]
pub async fn orphans(c: &mut Conn, replica: &str, limit: i64) -> Result<Vec<RunId>> {
    let rows: Vec<(String,)> = c.all(&DUE, args![replica, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| RunId::trusted(id)).collect())
}

/// Runs that are over, whose callback address was not told, and whose server is gone.
#[boxed]
pub async fn untold(c: &mut Conn, replica: &str, limit: i64) -> Result<Vec<RunId>> {
    let rows: Vec<(String,)> = c.all(&UNTOLD, args![replica, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| RunId::trusted(id)).collect())
}

/// Takes a run over, when nobody else alive works on it. A turn that its former server may still be in can write nothing
/// from the commit of this on.
#[boxed]
pub async fn claim(c: &mut Conn, id: &RunId, replica: &str) -> Result<Option<Claimed>> {
    if c.run(&CLAIM, args![replica, id]).await? == 0 {
        return Ok(None);
    }
    let Some(row) = c.one::<ClaimedRow>(&CLAIMED, args![id]).await? else { return Ok(None) };
    let claimed = Claimed {
        org: OrgId::trusted(row.org_id),
        user: UserId::trusted(row.user_id),
        takeovers: row.takeovers,
        request: row.request,
        run: Run::try_from(row.run)?,
    };
    if claimed.run.status == RunStatus::Running {
        fence_off(c, &claimed.run.agent_id).await?;
    }
    Ok(Some(claimed))
}

/// Takes an agent's turn away from whoever is in it.
#[boxed]
pub async fn fence_off(c: &mut Conn, agent: &AgentId) -> Result<()> {
    c.run(&BUMP, args![agent]).await.map(drop)
}

/// As [`fence_off`], when the turn is this run's.
#[boxed]
pub async fn fence_off_run(c: &mut Conn, agent: &AgentId, run: &RunId) -> Result<()> {
    c.run(&BUMP_RUN, args![agent, run]).await.map(drop)
}

/// Which of these runs a server has lost, to another one or to a cancellation.
#[boxed]
pub async fn lost(c: &mut Conn, replica: &str, runs: &[RunId]) -> Result<Vec<RunId>> {
    let rows: Vec<(String,)> = c.all(&LOST, args![crate::sql::Arg::ids(runs), replica]).await?;
    Ok(rows.into_iter().map(|(id,)| RunId::trusted(id)).collect())
}

#[derive(mneme_macros::FromRow)]
struct ClaimedRow {
    #[row(flatten)]
    run: RunRow,
    org_id: String,
    user_id: String,
    takeovers: i64,
    request: Option<String>,
}
