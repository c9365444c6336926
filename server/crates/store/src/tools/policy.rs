//! What tools may use and reach, as their owners wrote it down.

use mneme_domain::{Actor, ToolId, policy::Manifest};
use mneme_macros::boxed;

use crate::{
    Conn, Result, StoreError,
    sql::{args, statements},
};

statements! {
    BOTH: "select o.tool_ceiling, t.policy from organizations o
        left join tools t on t.org_id = o.id and t.id = $2 where o.id = $1";
    SET: "update tools set policy = $3 where org_id = $1 and id = $2";
    SET_CEILING: "update organizations set tool_ceiling = $2 where id = $1";
}

/// A tool's own policy, and the organisation's ceiling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// What is changed for the tool.
    pub policy: Manifest,
    /// The most that any tool of the organisation may have.
    pub ceiling: Manifest,
}

/// What is written down about a tool. A tool that does not exist has the organisation's ceiling alone.
#[boxed]
pub async fn policy(c: &mut Conn, a: &Actor, id: &ToolId) -> Result<Written> {
    let row: Option<(Option<String>, Option<String>)> = c.one(&BOTH, args![&a.org, id]).await?;
    let (ceiling, policy) = row.unwrap_or_default();
    Ok(Written { policy: read(policy)?, ceiling: read(ceiling)? })
}

/// Writes a tool's policy; false when there is no such tool.
#[boxed]
pub async fn set_policy(c: &mut Conn, a: &Actor, id: &ToolId, policy: &Manifest) -> Result<bool> {
    Ok(c.run(&SET, args![&a.org, id, write(policy)?]).await? > 0)
}

/// Writes the organisation's ceiling.
#[boxed]
pub async fn set_ceiling(c: &mut Conn, a: &Actor, ceiling: &Manifest) -> Result<()> {
    c.run(&SET_CEILING, args![&a.org, write(ceiling)?]).await.map(drop)
}

fn read(text: Option<String>) -> Result<Manifest> {
    let Some(text) = text else { return Ok(Manifest::default()) };
    serde_json::from_str(&text).map_err(|error| StoreError::Corrupt(format!("a tool's policy: {error}")))
}

fn write(manifest: &Manifest) -> Result<String> {
    serde_json::to_string(manifest).map_err(|error| StoreError::Corrupt(format!("a tool's policy: {error}")))
}
