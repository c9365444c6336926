//! Vectors compared one by one, read in pages so that memory stays bounded.

use mneme_domain::Actor;
use mneme_vector_math::cosine;

use super::{Look, Vector};
use crate::{Conn, Result};

/// Vectors read at a time: 3 MB of 1,536 numbers each.
const PAGE: i64 = 512;

#[derive(mneme_macros::FromRow)]
struct Row {
    key: i64,
    id: String,
    embedding: Vector,
}

/// The nearest of the vectors in some spaces with an identifier greater than `after`.
pub(super) async fn search(
    c: &mut Conn,
    a: &Actor,
    look: &Look<'_>,
    spaces: &[String],
    after: i64,
    limit: usize,
) -> Result<Vec<(String, f32)>> {
    let mut best: Vec<(String, f32)> = Vec::new();
    let mut place = after;
    loop {
        let mut query = c.query("select v.id as key, ");
        query.push(look.id()).push(" as id, v.embedding as embedding");
        look.from(&mut query, after == 0);
        query.with(" where v.org_id = ", &a.org);
        look.within(&mut query, spaces);
        query.with(" and v.id > ", place);
        look.narrow(a, &mut query);
        query.push(" order by v.id").with(" limit ", PAGE);
        let rows: Vec<Row> = c.query_all(query).await?;
        let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= PAGE;
        place = rows.last().map_or(place, |row| row.key);
        best.extend(rows.into_iter().map(|row| (row.id, cosine(look.vector, &row.embedding.0))));
        best.sort_by(|(_, one), (_, two)| two.total_cmp(one));
        best.truncate(limit);
        if !full {
            return Ok(best);
        }
    }
}
