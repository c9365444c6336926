//! Vectors of passages and messages: kept, and the nearest to another found.
//!
//! A small space is compared one by one, exactly, in both databases. In a large one rounded copies are looked at first
//! ([`shelf`]), and where those are too many for memory PostgreSQL goes by pgvector's index of near neighbours ([`graph`]); what
//! is in neither yet is compared one by one. The work of putting vectors there is done later, by [`crate::Store::tidy_vectors`].

mod exact;
mod graph;
mod shelf;
mod tidy;
mod value;

use mneme_domain::{Actor, Page};
pub(crate) use shelf::Shelves;
pub(crate) use tidy::{Key, Ledger};
pub(crate) use value::Vector;

use crate::{
    Conn, Engine, Result,
    messages::MessageSearch,
    passages::PassageSearch,
    query::{Query, at_once},
    sql::Arg,
    sql::args,
    sql::statements,
};

statements! {
    FORGET_PASSAGES: "delete from vectors where org_id = $1 and passage_seq in
        (select seq from passages where org_id = $1 and id = any($2))";
    FORGET_MESSAGES: "delete from vectors where org_id = $1 and message_seq in
        (select seq from messages where org_id = $1 and id = any($2))";
    PACKED: "select cast(coalesce(sum(vectors), 0) as bigint) from vector_blocks
        where org_id = $1 and space = any($2) and model = $3 and dim = $4",
        sqlite: "select coalesce(sum(vectors), 0) from vector_blocks
        where org_id = $1 and space in (select value from json_each($2)) and model = $3 and dim = $4";
}

/// What vectors are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Passages, in the space of their archive or folder.
    Passages,
    /// Messages, in the space of their agent.
    Messages,
}

/// A vector to be kept.
pub(crate) struct NewVector<'a> {
    /// The passage or message.
    pub(crate) id: &'a str,
    /// Where it belongs.
    pub(crate) space: &'a str,
    /// The handle of the model.
    pub(crate) model: &'a str,
    pub(crate) vector: &'a [f32],
}

/// Keeps vectors of passages or messages that are there and have none.
pub(crate) async fn add(c: &mut Conn, a: &Actor, kind: Kind, rows: &[NewVector<'_>]) -> Result<()> {
    let as_vector = match c.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => "::real[]::vector",
    };
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        let dim = i64::try_from(row.vector.len()).unwrap_or(i64::MAX);
        values.push(args![row.id, row.space, row.model, dim, Arg::Vector(row.vector.to_vec())]);
    }
    for values in at_once(c.engine(), values) {
        let mut query = c.query("with n (id, space, model, dim, embedding) as (values ");
        query.rows(values, ("", as_vector));
        query.push(match kind {
            Kind::Passages => {
                ") insert into vectors (org_id, space, passage_seq, model, dim, embedding)
                select t.org_id, n.space, t.seq, n.model, n.dim, n.embedding from n join passages t on t.id = n.id"
            }
            Kind::Messages => {
                ") insert into vectors (org_id, space, message_seq, model, dim, embedding)
                select t.org_id, n.space, t.seq, n.model, n.dim, n.embedding from n join messages t on t.id = n.id"
            }
        });
        query.with(" where t.org_id = ", &a.org);
        c.query_run(query).await?;
    }
    let context = c.context();
    for row in rows {
        context.ledger.note(&a.org, row.space, row.model, row.vector.len());
    }
    Ok(())
}

/// Forgets the vectors of passages or messages.
pub(crate) async fn forget(c: &mut Conn, a: &Actor, kind: Kind, ids: Vec<String>) -> Result<()> {
    let statement = match kind {
        Kind::Passages => &FORGET_PASSAGES,
        Kind::Messages => &FORGET_MESSAGES,
    };
    c.run(statement, args![&a.org, Arg::List(ids)]).await.map(drop)
}

/// What is looked through, and what narrows it down.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    Passages(&'a PassageSearch),
    Messages(&'a MessageSearch),
}

/// A search for the nearest.
pub(crate) struct Look<'a> {
    pub(crate) target: Target<'a>,
    /// The archives, folders or agents to look in.
    pub(crate) spaces: &'a [String],
    /// The handle of the model of the vectors.
    pub(crate) model: &'a str,
    pub(crate) vector: &'a [f32],
    pub(crate) limit: u32,
}

impl Look<'_> {
    fn dim(&self) -> i64 {
        i64::try_from(self.vector.len()).unwrap_or(i64::MAX)
    }

    fn is_narrowed(&self) -> bool {
        match self.target {
            Target::Passages(search) => search.is_narrowed(),
            Target::Messages(search) => search.is_narrowed(),
        }
    }

    /// Where the rows come from: `vectors v` with `passages p` or `messages m`. SQLite takes tables in the order in
    /// which a cross join names them; what is narrowed by its texts begins with these, unless few vectors are asked for.
    fn from(&self, query: &mut Query<'_>, texts_first: bool) {
        match (self.target, texts_first && self.is_narrowed()) {
            (Target::Passages(_), false) => query.push_either(
                " from vectors v cross join passages p on p.seq = v.passage_seq",
                " from vectors v join passages p on p.seq = v.passage_seq",
            ),
            (Target::Passages(_), true) => query.push_either(
                " from passages p cross join vectors v on v.passage_seq = p.seq",
                " from passages p join vectors v on v.passage_seq = p.seq",
            ),
            (Target::Messages(_), false) => query.push_either(
                " from vectors v cross join messages m on m.seq = v.message_seq",
                " from vectors v join messages m on m.seq = v.message_seq",
            ),
            (Target::Messages(_), true) => query.push_either(
                " from messages m cross join vectors v on v.message_seq = m.seq",
                " from messages m join vectors v on v.message_seq = m.seq",
            ),
        };
    }

    /// The identifier of what a vector is of.
    fn id(&self) -> &'static str {
        match self.target {
            Target::Passages(_) => "p.id",
            Target::Messages(_) => "m.id",
        }
    }

    /// Adds the tests on vectors, of some of the spaces.
    fn within<'q>(&'q self, query: &mut Query<'q>, spaces: &[String]) {
        query.push(" and v.space").any(spaces.to_vec());
        query.with(" and v.model = ", self.model).with(" and v.dim = ", self.dim());
    }

    /// Adds the tests on texts, if there are any.
    fn narrow<'q>(&'q self, a: &'q Actor, query: &mut Query<'q>) {
        match self.target {
            Target::Passages(search) if search.is_narrowed() => search.narrow(a, query),
            Target::Messages(search) if search.is_narrowed() => search.narrow(query),
            _ => {}
        }
    }
}

/// The texts whose vectors of the model are nearest to a vector by their angle, nearest first, with the cosine. Vectors
/// of another length are passed over.
pub(crate) async fn nearest(c: &mut Conn, a: &Actor, look: &Look<'_>) -> Result<Vec<(String, f32)>> {
    if look.spaces.is_empty() || look.vector.is_empty() {
        return Ok(Vec::new());
    }
    let limit = usize::try_from(look.limit.min(Page::MAX_LIMIT)).unwrap_or_default();
    let mut found = match c.engine() {
        Engine::Sqlite => shelf::search(c, a, look, limit).await?,
        Engine::Postgres => graph::search(c, a, look, limit).await?,
    };
    found.sort_by(|(_, one), (_, two)| two.total_cmp(one));
    let mut seen = std::collections::HashSet::new();
    found.retain(|(id, _)| seen.insert(id.clone()));
    found.truncate(limit);
    Ok(found)
}

/// Whether at most `few` vectors fit a search. To count them takes longer than to find the nearest; that there are more is often
/// known from what is packed.
async fn are_few(c: &mut Conn, a: &Actor, look: &Look<'_>, few: i64) -> Result<bool> {
    if !look.is_narrowed() {
        let binds = args![&a.org, Arg::List(look.spaces.to_vec()), look.model, look.dim()];
        if c.one::<(i64,)>(&PACKED, binds).await?.unwrap_or_default().0 > few {
            return Ok(false);
        }
    }
    Ok(count(c, a, look, few + 1).await? <= few)
}

/// How many vectors fit a search, counted up to `most`.
async fn count(c: &mut Conn, a: &Actor, look: &Look<'_>, most: i64) -> Result<i64> {
    let mut query = c.query("select count(*) from (select 1");
    if look.is_narrowed() {
        look.from(&mut query, true);
    } else {
        query.push(" from vectors v");
    }
    query.with(" where v.org_id = ", &a.org);
    look.within(&mut query, look.spaces);
    look.narrow(a, &mut query);
    query.with(" limit ", most).push(") t");
    Ok(c.query_one::<(i64,)>(query).await?.unwrap_or_default().0)
}

/// The statements of this module and of those below it.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, &'static crate::sql::Sql)> {
    [statements(), shelf::statements(), tidy::statements()].concat()
}
