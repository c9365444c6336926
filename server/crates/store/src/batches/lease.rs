//! Which server looks after a batch: its owner, while that is alive.

use mneme_domain::{Actor, BatchId, OrgId, Role, UserId};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    runs::lease::{dead, now},
    sql::{args, statements},
};

/// Batches that are not over, or over with an address that was not told, and whose owner is $1 or nobody alive.
macro_rules! due {
    ($engine:tt) => {
        concat!(
            "select r.id from batches r where (r.status in ('created', 'running')
                    or (r.callback_url is not null and r.callback_sent_at is null))
                and (r.owner is null or r.owner = $1 or ",
            dead!($engine),
            ") order by r.seq limit $2"
        )
    };
}

/// Makes $1 the owner of a batch whose owner it is or nobody alive.
macro_rules! claim {
    ($engine:tt) => {
        concat!(
            "update batches as r set owner = $1 where r.id = $2 and (r.owner is null or r.owner = $1 or ",
            dead!($engine),
            ")"
        )
    };
}

statements! {
    DUE: due!(postgres), sqlite: due!(sqlite);
    CLAIM: claim!(postgres), sqlite: claim!(sqlite);
    OWNER: "select org_id, user_id from batches where id = $1";
    // A run whose server died in the middle of a step of it.
    COUNT: "update runs set takeovers = takeovers + 1 where batch_id = $1 and status = 'running'
        and exists (select 1 from agents a where a.id = runs.agent_id and a.lease_run = runs.id)";
    OWN_RUNS: "update runs set owner = $2 where batch_id = $1 and status in ('created', 'running')";
    FREE_AGENTS: "update agents set lease_fence = lease_fence + 1, version = version + 1, lease_run = null
        where id in (select agent_id from runs where batch_id = $1 and status = 'running')
        and lease_run in (select id from runs where batch_id = $1 and status = 'running')";
    HAND_OVER: "update batches set owner = null where owner = $1";
}

/// Batches of all organisations that somebody has to look after, oldest first. Which of its own it looks after, a
/// server knows.
#[boxed]
pub async fn orphans(c: &mut Conn, replica: &str, limit: i64) -> Result<Vec<BatchId>> {
    let rows: Vec<(String,)> = c.all(&DUE, args![replica, limit]).await?;
    Ok(rows.into_iter().map(|(id,)| BatchId::trusted(id)).collect())
}

/// Takes a batch and its runs over, when nobody else alive looks after it. Says on whose behalf it is worked on. What
/// its former server may still be doing in an agent's turn can write nothing from the commit of this on.
#[boxed]
pub async fn claim(c: &mut Conn, id: &BatchId, replica: &str) -> Result<Option<Actor>> {
    if c.run(&CLAIM, args![replica, id]).await? == 0 {
        return Ok(None);
    }
    c.run(&COUNT, args![id]).await?;
    free_agents(c, id).await?;
    c.run(&OWN_RUNS, args![id, replica]).await?;
    let found: Option<(String, String)> = c.one(&OWNER, args![id]).await?;
    Ok(found.map(|(org, user)| Actor { org: OrgId::trusted(org), user: UserId::trusted(user), role: Role::Member }))
}

/// Takes the turns of a batch's runs away from whoever works on them.
pub(super) async fn free_agents(c: &mut Conn, id: &BatchId) -> Result<()> {
    c.run(&FREE_AGENTS, args![id]).await.map(drop)
}

/// Gives a server's batches to whoever comes next.
#[boxed]
pub async fn leave(c: &mut Conn, replica: &str) -> Result<()> {
    c.run(&HAND_OVER, args![replica]).await.map(drop)
}
