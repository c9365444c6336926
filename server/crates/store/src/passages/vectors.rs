//! Search in passages by meaning: an exact scan over the vectors of a model, in both databases.
//!
//! Vectors come in pages by the index of an archive's passages, so memory stays bounded however large an archive is.

use mneme_domain::{Actor, ArchiveId, Page, PassageId};

use super::{row::numbers, search::PassageSearch};
use crate::{Conn, Result};

/// Vectors read at a time: 3 MB of 1,536 numbers each.
const CHUNK: i64 = 512;

#[derive(sqlx::FromRow)]
struct VectorRow {
    id: String,
    created_at: i64,
    seq: i64,
    embedding: Vec<u8>,
}

/// The passages whose vectors of `model` are nearest to `vector` by their angle, nearest first, with the cosine.
/// Vectors of another length are passed over.
pub async fn search_vectors(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    model: &str,
    vector: &[f32],
    limit: u32,
) -> Result<Vec<(PassageId, f32)>> {
    let limit = usize::try_from(limit.min(Page::MAX_LIMIT)).unwrap_or_default();
    let mut best: Vec<(f32, String)> = Vec::new();
    for archive in &search.archives {
        let mut place = None;
        loop {
            let rows = chunk(c, a, search, archive, model, vector.len(), place).await?;
            let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= CHUNK;
            place = rows.last().map(|row| (row.created_at, row.seq));
            best.extend(rows.into_iter().map(|row| (cosine(vector, &row.embedding), row.id)));
            best.sort_by(|(one, _), (two, _)| two.total_cmp(one));
            best.truncate(limit);
            if !full {
                break;
            }
        }
    }
    Ok(best.into_iter().map(|(score, id)| (PassageId::trusted(id), score)).collect())
}

async fn chunk(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    archive: &ArchiveId,
    model: &str,
    dim: usize,
    after: Option<(i64, i64)>,
) -> Result<Vec<VectorRow>> {
    let mut query = c.query("select p.id, p.created_at, p.seq, p.embedding from passages p where p.org_id = ");
    query.bind(&a.org).with(" and p.archive_id = ", archive);
    query.with(" and p.embedding_model = ", model);
    query.with(" and p.embedding_dim = ", i64::try_from(dim).unwrap_or(i64::MAX));
    if let Some((created_at, seq)) = after {
        query.with(" and (p.created_at, p.seq) > (", created_at).with(", ", seq).push(")");
    }
    search.narrow(&mut query);
    query.push(" order by p.created_at, p.seq").with(" limit ", CHUNK);
    c.query_all(query).await
}

/// The cosine of the angle between a vector and a stored one; 0 when one has no direction.
pub(crate) fn cosine(vector: &[f32], stored: &[u8]) -> f32 {
    let (mut product, mut own, mut theirs) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in vector.iter().zip(numbers(stored)) {
        product += x * y;
        own += x * x;
        theirs += y * y;
    }
    let length = (own * theirs).sqrt();
    if length > 0.0 && length.is_finite() { product / length } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cosine_goes_by_direction_alone() {
        let stored = |vector: &[f32]| crate::passages::row::bytes_of(vector).0;
        assert!((cosine(&[1.0, 0.0], &stored(&[5.0, 0.0])) - 1.0).abs() < 1e-6);
        assert!((cosine(&[1.0, 0.0], &stored(&[0.0, 2.0]))).abs() < 1e-6);
        assert!((cosine(&[1.0, 1.0], &stored(&[-1.0, -1.0])) + 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &stored(&[1.0, 1.0])), 0.0);
    }
}
