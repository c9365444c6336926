//! Search in passages by meaning.

use mneme_domain::{Actor, PassageId};
use mneme_macros::boxed;

use super::search::PassageSearch;
use crate::{
    Conn, Result,
    vectors::{self, Look, Target},
};

/// The passages whose vectors of `model` are nearest to `vector` by their angle, nearest first, with the cosine.
/// Vectors of another length are passed over. Exact for up to some thousand passages that fit the search, and nearly so
/// for more.
#[boxed]
pub async fn search_vectors(
    c: &mut Conn,
    a: &Actor,
    search: &PassageSearch,
    model: &str,
    vector: &[f32],
    limit: u32,
) -> Result<Vec<(PassageId, f32)>> {
    let spaces = search.scope.ids();
    let look = Look { target: Target::Passages(search), spaces: &spaces, model, vector, limit };
    let found = vectors::nearest(c, a, &look).await?;
    Ok(found.into_iter().map(|(id, score)| (PassageId::trusted(id), score)).collect())
}
