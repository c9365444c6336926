//! Large spaces on PostgreSQL: as on SQLite, as far as they fit in memory; pgvector's HNSW index, one for each dimension, for
//! those that do not. The index finds four of five of the nearest where memory finds all but one in five hundred.

use mneme_domain::Actor;

use super::{Look, Target, shelf};
use crate::{Conn, Result, query::Query, sql::Arg};

/// Up to so many vectors are compared one by one.
const EXACT: i64 = 5_000;
/// The most dimensions that the index takes, and the most as halves.
const MOST_WHOLE: i64 = 2_000;
pub(super) const MOST: i64 = 4_000;

/// Adds the type that a dimension is indexed as.
pub(super) fn push_type(query: &mut Query<'_>, dim: i64) {
    query.push(if dim <= MOST_WHOLE { "vector(" } else { "halfvec(" }).number(dim).push(")");
}

/// The nearest in PostgreSQL.
pub(super) async fn search(c: &mut Conn, a: &Actor, look: &Look<'_>, limit: usize) -> Result<Vec<(String, f32)>> {
    if look.dim() > MOST || super::are_few(c, a, look, EXACT).await? {
        return one_by_one(c, a, look, false, limit).await;
    }
    let mut found = Vec::new();
    for space in look.spaces {
        let look = Look { spaces: std::slice::from_ref(space), ..*look };
        let packed = shelf::packed(c, a, &look, space).await?;
        if !shelf::fits(&c.context(), packed.1, look.dim()) {
            found.extend(one_by_one(c, a, &look, true, limit).await?);
            found.extend(in_graph(c, a, &look, limit).await?);
            continue;
        }
        let search = shelf::Search::begin(c, a, &look, space, limit, packed).await?;
        // PostgreSQL looks at what is not packed while the processors here look at what is.
        found.extend(one_by_one(c, a, &look, true, limit).await?);
        if let Some(search) = search {
            found.extend(search.finish(c, a, &look).await?);
        }
    }
    Ok(found)
}

/// Those that are compared one by one: all, or only those that are not packed.
async fn one_by_one(c: &mut Conn, a: &Actor, look: &Look<'_>, loose: bool, limit: usize) -> Result<Vec<(String, f32)>> {
    let mut query = c.query("select ");
    query.push(look.id()).push(" as id, v.embedding <=> ").bind(Arg::Vector(look.vector.to_vec()));
    query.push("::real[]::vector as distance");
    look.from(&mut query, true);
    query.with(" where v.org_id = ", &a.org);
    look.within(&mut query, look.spaces);
    if loose {
        query.push(" and not v.graph");
    }
    look.narrow(a, &mut query);
    query.push(" order by distance").with(" limit ", i64::try_from(limit).unwrap_or(i64::MAX));
    scores(c, query).await
}

/// Those in the index, by walking from neighbour to neighbour until enough of them pass the tests.
async fn in_graph(c: &mut Conn, a: &Actor, look: &Look<'_>, limit: usize) -> Result<Vec<(String, f32)>> {
    let dim = look.dim();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let narrowed = look.is_narrowed();
    let mut query = c.query("select ");
    // Without tests on the texts only the few that are found need their rows.
    query.push(if narrowed { look.id() } else { "t.id" }).push(" as id, ");
    if !narrowed {
        query.push("n.distance from (select ");
        query.push(match look.target {
            Target::Passages(_) => "v.passage_seq as seq, ",
            Target::Messages(_) => "v.message_seq as seq, ",
        });
    }
    query.push("v.embedding::");
    push_type(&mut query, dim);
    query.push(" <=> ").bind(Arg::Vector(look.vector.to_vec())).push("::real[]::");
    push_type(&mut query, dim);
    query.push(" as distance");
    if narrowed {
        look.from(&mut query, true);
    } else {
        query.push(" from vectors v");
    }
    query.push(" where v.graph and v.dim = ").number(dim);
    query.with(" and v.org_id = ", &a.org).push(" and v.space").any(look.spaces.to_vec());
    query.with(" and v.model = ", look.model);
    look.narrow(a, &mut query);
    query.push(" order by distance").with(" limit ", limit);
    if !narrowed {
        query.push(match look.target {
            Target::Passages(_) => ") n join passages t on t.seq = n.seq",
            Target::Messages(_) => ") n join messages t on t.seq = n.seq",
        });
    }
    scores(c, query).await
}

#[derive(mneme_macros::FromRow)]
struct Row {
    id: String,
    distance: f64,
}

/// What a query tells of identifiers and their distances, as cosines.
pub(super) async fn scores(c: &mut Conn, query: Query<'_>) -> Result<Vec<(String, f32)>> {
    let rows: Vec<Row> = c.query_all(query).await?;
    // Of a vector without a direction the distance is not a number.
    let score = |distance: f64| if distance.is_finite() { (1.0 - distance) as f32 } else { 0.0 };
    Ok(rows.into_iter().map(|row| (row.id, score(row.distance))).collect())
}
