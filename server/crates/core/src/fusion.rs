//! Reciprocal rank fusion: two lists, by meaning and by words, become one.

use std::{collections::HashMap, hash::Hash};

/// How little the first places differ.
const CONSTANT: f64 = 60.0;

/// An item's places.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rank<I> {
    pub(crate) id: I,
    /// By meaning, from 1.
    pub(crate) vector: Option<u32>,
    /// By words, from 1.
    pub(crate) text: Option<u32>,
}

impl<I> Rank<I> {
    /// More is better.
    pub(crate) fn score(&self) -> f64 {
        [self.vector, self.text].into_iter().flatten().map(|rank| 1.0 / (CONSTANT + f64::from(rank))).sum()
    }
}

/// The best of both lists first; of equal ones that which is nearer by meaning.
pub(crate) fn fuse<I: Clone + Eq + Hash>(
    near: impl IntoIterator<Item = I>,
    by_words: impl IntoIterator<Item = I>,
) -> Vec<Rank<I>> {
    let mut ranks: Vec<Rank<I>> =
        near.into_iter().zip(1..).map(|(id, place)| Rank { id, vector: Some(place), text: None }).collect();
    let places: HashMap<I, usize> = ranks.iter().enumerate().map(|(at, rank)| (rank.id.clone(), at)).collect();
    for (id, place) in by_words.into_iter().zip(1..) {
        match places.get(&id) {
            Some(at) => ranks[*at].text = Some(place),
            None => ranks.push(Rank { id, vector: None, text: Some(place) }),
        }
    }
    ranks.sort_by(|one, two| two.score().total_cmp(&one.score()));
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_good_in_both_lists_comes_first() {
        let ranked = fuse([1, 2, 3], [4, 2]);
        let order: Vec<i32> = ranked.iter().map(|rank| rank.id).collect();
        assert_eq!(order, [2, 1, 4, 3]);
        assert_eq!((ranked[0].vector, ranked[0].text), (Some(2), Some(2)));
        assert!((ranked[0].score() - 2.0 / 62.0).abs() < 1e-12);
    }
}
