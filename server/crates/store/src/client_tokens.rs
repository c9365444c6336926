//! Client-side access tokens, found by their hashes. The tokens themselves are encrypted at rest, for lists to show.

use mneme_domain::{
    Actor, AgentId, EntityId, OrgId, Role, Timestamp, UserId,
    client_token::{Access, ClientToken},
    clock::from_micros,
    default_user,
};
use mneme_macros::boxed;

use crate::{
    Conn, Result, json,
    secrets::Place,
    sql::{args, statements},
};

statements! {
    ADD: "insert into client_tokens (id, org_id, hash, token_enc, policy, hostname, expires_at, created_at, created_by_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    ADD_AGENT: "insert into client_token_agents (org_id, token_id, agent_id) values ($1, $2, $3)
        on conflict (org_id, token_id, agent_id) do nothing";
    // The one question that is asked before it is known who asks.
    BY_HASH: "select id, policy, hostname, expires_at, created_at, org_id, created_by_id from client_tokens
        where hash = $1";
    DELETE: "delete from client_tokens where org_id = $1 and (id = $2 or hash = $3)";
    SWEEP: "delete from client_tokens where org_id = $1 and expires_at < $2";
}

/// The name of the secret among those of a token.
const COLUMN: &str = "token";

struct Row {
    id: String,
    policy: String,
    hostname: String,
    expires_at: i64,
    created_at: i64,
}

impl TryFrom<Row> for ClientToken {
    type Error = crate::StoreError;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            policy: json::value("client_tokens.policy", &row.policy)?,
            hostname: row.hostname,
            expires_at: from_micros(row.expires_at),
            created_at: from_micros(row.created_at),
        })
    }
}

/// Keeps a token, which `secret` is in words, under its hash. [`StoreError::NotFound`](crate::StoreError::NotFound) when an agent of its policy is
/// none of the organisation's.
#[boxed]
pub async fn insert(c: &mut Conn, a: &Actor, token: &ClientToken, hash: &str, secret: &str) -> Result<()> {
    let policy = json::text(&token.policy)?;
    let sealed = c.context().secrets.seal(Place(a.org.as_str(), &token.id, COLUMN), secret)?;
    let row =
        args![&token.id, &a.org, hash, sealed, policy, &token.hostname, token.expires_at, token.created_at, &a.user];
    c.run(&ADD, row).await?;
    for grant in &token.policy {
        c.run(&ADD_AGENT, args![&a.org, &token.id, &grant.id]).await?;
    }
    Ok(())
}

/// Tokens and what their bearers show, the newest first; with `agent` only those that have rights to it.
#[boxed]
pub async fn list(
    c: &mut Conn,
    a: &Actor,
    agent: Option<&AgentId>,
    limit: i64,
    offset: i64,
) -> Result<Vec<(ClientToken, String)>> {
    let mut query = c.query(
        "select t.id, t.policy, t.hostname, t.expires_at, t.created_at, t.token_enc from client_tokens t where t.org_id = ",
    );
    query.bind(&a.org);
    if let Some(agent) = agent {
        query.push(" and exists (select 1 from client_token_agents g where g.org_id = t.org_id and g.token_id = t.id");
        query.with(" and g.agent_id = ", agent).push(")");
    }
    query.push(" order by t.seq desc").with(" limit ", limit).with(" offset ", offset);
    let rows: Vec<(String, String, String, i64, i64, String)> = c.query_all(query).await?;
    let context = c.context();
    let read = |(id, policy, hostname, expires_at, created_at, sealed): (String, String, String, i64, i64, String)| {
        let secret = context.secrets.open(Place(a.org.as_str(), &id, COLUMN), &sealed)?;
        Ok((ClientToken::try_from(Row { id, policy, hostname, expires_at, created_at })?, secret))
    };
    rows.into_iter().map(read).collect()
}

/// The token of a hash, and on whose behalf its bearer asks. The actor may read; he may write when the policy has any
/// right to write. Which agents and operations the token is for is up to the caller to check.
#[boxed]
pub async fn by_hash(c: &mut Conn, hash: &str) -> Result<Option<(Actor, ClientToken)>> {
    type Found = (String, String, String, i64, i64, String, Option<String>);
    let Some((id, policy, hostname, expires_at, created_at, org, user)) = c.one::<Found>(&BY_HASH, args![hash]).await?
    else {
        return Ok(None);
    };
    let token = ClientToken::try_from(Row { id, policy, hostname, expires_at, created_at })?;
    let writes = |access: &Access| matches!(access, Access::WriteMessages | Access::WriteAgent);
    let writes = token.policy.iter().flat_map(|grant| &grant.access).any(writes);
    let actor = Actor {
        org: OrgId::trusted(org),
        user: user.map_or_else(default_user, UserId::trusted),
        role: if writes { Role::Member } else { Role::Viewer },
    };
    Ok(Some((actor, token)))
}

/// Removes the token of an identifier or of a hash. False when there was none.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, id: &str, hash: &str) -> Result<bool> {
    Ok(c.run(&DELETE, args![&a.org, id, hash]).await? > 0)
}

/// Removes tokens that were worth nothing before a time.
#[boxed]
pub async fn sweep(c: &mut Conn, a: &Actor, before: Timestamp) -> Result<()> {
    c.run(&SWEEP, args![&a.org, before]).await.map(drop)
}
