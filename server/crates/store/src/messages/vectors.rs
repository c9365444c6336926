//! Vectors of messages: made in the background, in the space of their agent.

use std::collections::HashMap;

use mneme_domain::{Actor, AgentId, EntityId, MessageId};
use mneme_macros::boxed;

use super::search::MessageSearch;
use crate::{
    Conn, Result,
    sql::{Arg, args, statements},
    vectors::{self, Kind, Look, NewVector, Target},
};

statements! {
    BARE: "select m.seq, m.id, m.text from messages m where m.org_id = $1 and m.agent_id = $2 and m.seq > $3
        and m.role in ('user', 'assistant') and m.text <> ''
        and not exists (select 1 from vectors v where v.message_seq = m.seq and v.model = $5) order by m.seq limit $4";
    // An edit waits until the vectors are there, and forgets them then.
    TEXTS: "select m.id, m.text from messages m where m.org_id = $1 and m.id = any($2) order by m.seq for share",
        sqlite: "select m.id, m.text from messages m where m.org_id = $1 and m.id in (select value from json_each($2))
            order by m.seq";
    // Messages are in the space of their agent, and nothing else is.
    SPACES: "select distinct space, model from vectors where org_id = $1 and space >= 'agent-' and space < 'agent.'
        limit $2";
}

/// A message that has no vector yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    /// Its place among all messages.
    pub seq: i64,
    pub id: MessageId,
    pub text: String,
}

/// What users and the agent said after a place and has no vector of a model, the oldest first.
#[boxed]
pub async fn said_after(
    c: &mut Conn,
    a: &Actor,
    agent: &AgentId,
    model: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<Bare>> {
    let rows: Vec<(i64, String, String)> = c.all(&BARE, args![&a.org, agent, after, limit, model]).await?;
    Ok(rows.into_iter().map(|(seq, id, text)| Bare { seq, id: MessageId::trusted(id), text }).collect())
}

/// Forgets the vector of a message whose text is another one now.
#[boxed]
pub async fn forget_vector(c: &mut Conn, a: &Actor, id: &MessageId) -> Result<()> {
    vectors::forget(c, a, Kind::Messages, vec![id.to_string()]).await
}

/// Keeps the vectors of an agent's messages; earlier ones of the same messages go. Messages that are gone, or have
/// another text by now, are left out.
#[boxed]
pub async fn embed(c: &mut Conn, a: &Actor, agent: &AgentId, model: &str, made: &[(Bare, Vec<f32>)]) -> Result<()> {
    let ids: Vec<MessageId> = made.iter().map(|(bare, _)| bare.id.clone()).collect();
    let rows: Vec<(String, String)> = c.all(&TEXTS, args![&a.org, Arg::ids(&ids)]).await?;
    let texts: HashMap<String, String> = rows.into_iter().collect();
    let same = |bare: &Bare| texts.get(bare.id.as_str()) == Some(&bare.text);
    let rows: Vec<NewVector<'_>> = made
        .iter()
        .filter(|(bare, _)| same(bare))
        .map(|(bare, vector)| NewVector { id: bare.id.as_str(), space: agent.as_str(), model, vector })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let kept = rows.iter().map(|row| row.id.to_owned()).collect();
    vectors::forget(c, a, Kind::Messages, kept).await?;
    vectors::add(c, a, Kind::Messages, &rows).await
}

/// The agents whose messages have vectors, each with the models of these, at most so many.
#[boxed]
pub async fn embedded_agents(c: &mut Conn, a: &Actor, limit: u32) -> Result<Vec<(AgentId, String)>> {
    let rows: Vec<(String, String)> = c.all(&SPACES, args![&a.org, limit]).await?;
    Ok(rows.into_iter().map(|(agent, model)| (AgentId::trusted(agent), model)).collect())
}

/// The messages of some agents whose vectors of `model` are nearest to `vector`, nearest first, with the cosine. What the
/// search names beside the words must hold.
#[boxed]
pub async fn search_vectors(
    c: &mut Conn,
    a: &Actor,
    search: &MessageSearch,
    agents: &[AgentId],
    model: &str,
    vector: &[f32],
) -> Result<Vec<(MessageId, f32)>> {
    let spaces: Vec<String> = agents.iter().map(|agent| agent.as_str().to_owned()).collect();
    let look = Look { target: Target::Messages(search), spaces: &spaces, model, vector, limit: search.limit };
    let found = vectors::nearest(c, a, &look).await?;
    Ok(found.into_iter().map(|(id, score)| (MessageId::trusted(id), score)).collect())
}
