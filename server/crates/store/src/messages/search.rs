//! Search in messages by their words.

use mneme_domain::{
    Actor, AgentId, Page, Timestamp,
    message::{Message, MessageRole},
};
use mneme_macros::boxed;

use super::{
    read,
    row::columns,
    words::{self, Plan},
};
use crate::{Conn, Engine, Result, query::Query};

/// What to search for; everything that is named must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSearch {
    /// Only of this agent.
    pub agent_id: Option<AgentId>,
    /// Only of agents of this project.
    pub project_id: Option<String>,
    /// Only of agents made from this template.
    pub template_id: Option<String>,
    /// Words, of which a message must have one; every character stands for itself.
    pub query: Option<String>,
    /// One of these roles, when any is given.
    pub roles: Vec<MessageRole>,
    /// Made then or later.
    pub start: Option<Timestamp>,
    /// Made then or earlier.
    pub end: Option<Timestamp>,
    /// How many at most, capped at [`Page::MAX_LIMIT`].
    pub limit: u32,
    /// How many to pass over.
    pub offset: u32,
}

impl MessageSearch {
    /// Adds the tests for the agents, roles and times.
    pub(crate) fn narrow<'q>(&'q self, query: &mut Query<'q>) {
        query.maybe(" and m.agent_id = ", self.agent_id.as_ref());
        if self.is_of_some_agents() {
            query.push(" and exists (select 1 from agents ag where ag.org_id = m.org_id and ag.id = m.agent_id");
            query.maybe(" and ag.project_id = ", self.project_id.as_ref());
            query.maybe(" and ag.template_id = ", self.template_id.as_ref()).push(")");
        }
        if !self.roles.is_empty() {
            query.push(" and m.role").any(self.roles.iter().map(|role| role.as_str().to_owned()).collect());
        }
        query.maybe(" and m.created_at >= ", self.start);
        query.maybe(" and m.created_at <= ", self.end);
    }

    /// Whether there is more to go by than the agent.
    pub(crate) fn is_narrowed(&self) -> bool {
        !self.roles.is_empty() || self.start.is_some() || self.end.is_some() || self.is_of_some_agents()
    }

    fn is_of_some_agents(&self) -> bool {
        self.project_id.is_some() || self.template_id.is_some()
    }
}

/// The messages that fit a search: with words the best first and of equal ones the newest, otherwise the newest first.
///
/// A query without letters or digits, or in a script that puts no spaces between words, is looked for as it stands.
#[boxed]
pub async fn search(c: &mut Conn, a: &Actor, search: &MessageSearch) -> Result<Vec<Message>> {
    let plan = words::plan(search.query.as_deref());
    let mut query = match (&plan, c.engine()) {
        // The cross join keeps SQLite from asking the index anew for each message.
        (Plan::Words(_), Engine::Sqlite) => c.query(concat!(
            "select ",
            columns!(),
            " from messages_fts cross join messages m on m.seq = messages_fts.rowid"
        )),
        _ => c.query(concat!("select ", columns!(), " from messages m")),
    };
    query.with(" where m.org_id = ", &a.org);
    let order = match plan {
        Plan::Everything => " order by m.seq desc",
        Plan::Substring(text) => {
            query.push_either(" and instr(lower(m.text), lower(", " and strpos(lower(m.text), lower(");
            query.bind(text).push(")) > 0");
            " order by m.seq desc"
        }
        Plan::Words(words) => by_words(&mut query, &words),
    };
    search.narrow(&mut query);
    query.push(order);
    query.with(" limit ", search.limit.min(Page::MAX_LIMIT)).with(" offset ", search.offset);
    read(c.query_all(query).await?)
}

/// Adds the test for words; returns the order in which the best come first.
fn by_words(query: &mut Query<'_>, words: &[String]) -> &'static str {
    match query.engine() {
        Engine::Sqlite => {
            query.with(" and messages_fts match ", words::sqlite_query(words));
            " order by messages_fts.rank, m.seq desc"
        }
        // The words are the second bind, which the order names again.
        Engine::Postgres => {
            query.push(" and m.search @@ ").bind(words::postgres_query(words)).push("::tsquery");
            " order by ts_rank(m.search, $2::tsquery) desc, m.seq desc"
        }
    }
}
