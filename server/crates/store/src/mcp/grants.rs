//! Permissions that people gave for MCP servers, encrypted at rest.

use mneme_domain::{Actor, EntityId, OrgId, Role, UserId};
use mneme_macros::boxed;

use crate::{
    Conn, Result,
    secrets::Place,
    sql::{args, statements},
};

/// How a permission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantStatus {
    /// A person is being asked.
    Pending,
    /// It was given.
    Granted,
    /// It was refused, or something failed.
    Failed,
}

impl GrantStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Failed => "failed",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Granted, Self::Failed].into_iter().find(|status| status.as_str() == name)
    }
}

/// A permission. What it consists of is clear here, so `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// Identifier, `mcp-oauth-<uuid4>`.
    pub id: String,
    /// The server's name.
    pub server_name: String,
    /// How it stands.
    pub status: GrantStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// The core's record of it, as JSON.
    pub record: String,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("id", &self.id).field("status", &self.status).finish_non_exhaustive()
    }
}

statements! {
    BY_NAME: "select id, org_id, user_id, server_name, status, error, grant_enc from mcp_grants
        where org_id = $1 and server_name = $2";
    // Whoever comes back from the other side has the state and no credential: it says whose permission this is.
    BY_STATE: "select id, org_id, user_id, server_name, status, error, grant_enc from mcp_grants where state = $1";
    PUT: "insert into mcp_grants
            (id, org_id, server_name, user_id, state, status, error, grant_enc, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
        on conflict (org_id, server_name) do update set id = excluded.id, user_id = excluded.user_id,
            state = excluded.state, status = excluded.status, error = excluded.error,
            grant_enc = excluded.grant_enc, updated_at = excluded.updated_at";
    SETTLE: "update mcp_grants set status = $4, error = $5, grant_enc = $6, updated_at = $7, state = null
        where org_id = $1 and server_name = $2 and id = $3";
    RENAME: "update mcp_grants set server_name = $3 where org_id = $1 and server_name = $2";
    DELETE: "delete from mcp_grants where org_id = $1 and server_name = $2";
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    org_id: String,
    user_id: String,
    server_name: String,
    status: String,
    error: Option<String>,
    grant_enc: String,
}

/// What is encrypted belongs to the row's identifier, which a rename leaves as it is.
fn place<'a>(org: &'a str, id: &'a str) -> Place<'a> {
    Place(org, id, "grant")
}

fn read(c: &Conn, row: Row) -> Result<Grant> {
    let record = c.context().secrets.open(place(&row.org_id, &row.id), &row.grant_enc)?;
    let status = crate::json::named("mcp_grants.status", &row.status, GrantStatus::from_name)?;
    Ok(Grant { id: row.id, server_name: row.server_name, status, error: row.error, record })
}

/// The permission for the server of a name.
#[boxed]
pub async fn by_name(c: &mut Conn, a: &Actor, server_name: &str) -> Result<Option<Grant>> {
    let row: Option<Row> = c.one(&BY_NAME, args![&a.org, server_name]).await?;
    row.map(|row| read(c, row)).transpose()
}

/// The permission under way that is known by the digest of its state, and who asked for it.
#[boxed]
pub async fn by_state(c: &mut Conn, state: &str) -> Result<Option<(Actor, Grant)>> {
    let row: Option<Row> = c.one(&BY_STATE, args![state]).await?;
    let Some(row) = row else { return Ok(None) };
    let actor = Actor {
        org: OrgId::trusted(row.org_id.clone()),
        user: UserId::trusted(row.user_id.clone()),
        role: Role::Admin,
    };
    Ok(Some((actor, read(c, row)?)))
}

/// Writes a permission; it replaces the one of the same server. `state` is the digest of what it is known by while it is
/// under way.
#[boxed]
pub async fn put(c: &mut Conn, a: &Actor, grant: &Grant, state: Option<&str>) -> Result<()> {
    let context = c.context();
    let sealed = context.secrets.seal(place(a.org.as_str(), &grant.id), &grant.record)?;
    let arguments = args![
        &grant.id,
        &a.org,
        &grant.server_name,
        &a.user,
        state,
        grant.status.as_str(),
        &grant.error,
        sealed,
        context.env.now(),
    ];
    c.run(&PUT, arguments).await.map(drop)
}

/// Ends what was under way, or writes newer tokens; false when the permission was replaced by another meanwhile.
#[boxed]
pub async fn settle(c: &mut Conn, a: &Actor, grant: &Grant) -> Result<bool> {
    let context = c.context();
    let sealed = context.secrets.seal(place(a.org.as_str(), &grant.id), &grant.record)?;
    let (status, now) = (grant.status.as_str(), context.env.now());
    let arguments = args![&a.org, &grant.server_name, &grant.id, status, &grant.error, sealed, now];
    Ok(c.run(&SETTLE, arguments).await? > 0)
}

/// Lets a permission follow its server to another name. One that is there already goes.
#[boxed]
pub async fn rename(c: &mut Conn, a: &Actor, from: &str, to: &str) -> Result<()> {
    c.run(&DELETE, args![&a.org, to]).await?;
    c.run(&RENAME, args![&a.org, from, to]).await.map(drop)
}

/// Removes the permission for the server of a name.
#[boxed]
pub async fn delete(c: &mut Conn, a: &Actor, server_name: &str) -> Result<()> {
    c.run(&DELETE, args![&a.org, server_name]).await.map(drop)
}
