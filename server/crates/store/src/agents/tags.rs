//! The tags of an agent.

use mneme_domain::{Actor, AgentId};
use mneme_macros::boxed;

use crate::{
    Conn, Result, distinct,
    sql::{Arg, args, statements},
};

statements! {
    CLEAR: "delete from agent_tags where org_id = $1 and agent_id = $2";
    ADD: "insert into agent_tags (org_id, agent_id, tag, position)
        select $1, $2, given.tag, given.place from unnest($3::text[]) with ordinality as given (tag, place)",
        sqlite: "insert into agent_tags (org_id, agent_id, tag, position)
        select $1, $2, given.value, given.key + 1 from json_each($3) as given";
    OF_AGENT: "select tag from agent_tags where org_id = $1 and agent_id = $2 order by position";
}

/// Replaces an agent's tags by these, in this order, each once. [`crate::StoreError::NotFound`] when there is no
/// such agent and a tag to give it.
#[boxed]
pub async fn set_tags(c: &mut Conn, a: &Actor, id: &AgentId, tags: &[String]) -> Result<()> {
    c.effect(&CLEAR, args![&a.org, id]).await?;
    if !tags.is_empty() {
        c.effect(&ADD, args![&a.org, id, Arg::List(distinct(tags))]).await?;
    }
    Ok(())
}

/// The tags of an agent in the order they were given.
#[boxed]
pub async fn tags_of(c: &mut Conn, a: &Actor, id: &AgentId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = c.all(&OF_AGENT, args![&a.org, id]).await?;
    Ok(rows.into_iter().map(|(tag,)| tag).collect())
}
