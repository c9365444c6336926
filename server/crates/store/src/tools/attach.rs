//! Which tools an agent may call.

use mneme_domain::{Actor, AgentId, ToolId, tool::Tool};
use mneme_macros::boxed;

use super::{read, row::columns};
use crate::{
    Conn, Result, distinct,
    sql::{Arg, args, statements},
};

statements! {
    ATTACH: "insert into agent_tools (org_id, agent_id, tool_id, position) values ($1, $2, $3,
            (select coalesce(max(position), 0) + 1 from agent_tools where org_id = $1 and agent_id = $2))
        on conflict (org_id, agent_id, tool_id) do nothing";
    DETACH: "delete from agent_tools where org_id = $1 and agent_id = $2 and tool_id = $3";
    DETACH_ALL: "delete from agent_tools where org_id = $1 and agent_id = $2";
    ATTACH_MANY: "insert into agent_tools (org_id, agent_id, tool_id, position)
        select $1, $2, given.id, given.place from unnest($3::text[]) with ordinality as given (id, place)",
        sqlite: "insert into agent_tools (org_id, agent_id, tool_id, position)
        select $1, $2, given.value, given.key + 1 from json_each($3) as given";
    OF_AGENT: concat!("select ", columns!(), " from agent_tools att
        join tools t on t.org_id = att.org_id and t.id = att.tool_id
        where att.org_id = $1 and att.agent_id = $2 order by att.position");
}

/// Attaches a tool to an agent; attaching it twice changes nothing. [`crate::StoreError::NotFound`] when either is
/// unknown.
#[boxed]
pub async fn attach(c: &mut Conn, a: &Actor, agent: &AgentId, tool: &ToolId) -> Result<()> {
    c.run(&ATTACH, args![&a.org, agent, tool]).await.map(drop)
}

/// Takes a tool from an agent; false when it was not attached.
#[boxed]
pub async fn detach(c: &mut Conn, a: &Actor, agent: &AgentId, tool: &ToolId) -> Result<bool> {
    Ok(c.run(&DETACH, args![&a.org, agent, tool]).await? > 0)
}

/// Replaces an agent's tools by these, in this order; [`crate::StoreError::NotFound`] when one is unknown.
#[boxed]
pub async fn set_of_agent(c: &mut Conn, a: &Actor, agent: &AgentId, tools: &[ToolId]) -> Result<()> {
    c.effect(&DETACH_ALL, args![&a.org, agent]).await?;
    attach_first(c, a, agent, tools).await
}

/// Attaches tools, in this order, to an agent that has none; [`crate::StoreError::NotFound`] when one is unknown.
#[boxed]
pub async fn attach_first(c: &mut Conn, a: &Actor, agent: &AgentId, tools: &[ToolId]) -> Result<()> {
    if !tools.is_empty() {
        c.effect(&ATTACH_MANY, args![&a.org, agent, Arg::ids(&distinct(tools))]).await?;
    }
    Ok(())
}

/// The tools of an agent in the order of their attachment.
#[boxed]
pub async fn of_agent(c: &mut Conn, a: &Actor, agent: &AgentId) -> Result<Vec<Tool>> {
    read(c.all(&OF_AGENT, args![&a.org, agent]).await?)
}
