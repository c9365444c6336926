//! Rounded vectors of a space, packed: a first look at all of them, before the exact ones of the best are read.
//!
//! Each number is rounded to 8 bits of the vector's greatest, so a vector takes a quarter of its space and keeps its
//! direction to about half a percent.

use std::{cmp::Reverse, collections::BinaryHeap, ops::Range};

/// How many bytes ahead numbers are fetched.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 3_072;

/// Rounded vectors with the rows that they are of.
#[derive(Debug, Default)]
pub struct Codes {
    dim: usize,
    items: Vec<i64>,
    scales: Vec<f32>,
    numbers: Vec<i8>,
    /// Everything up to this identifier is here.
    pub last_id: i64,
}

impl Codes {
    /// None yet, of vectors of `dim` numbers.
    pub fn new(dim: usize) -> Self {
        Self { dim, ..Self::default() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// The memory they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.items.capacity() * 8 + self.scales.capacity() * 4 + self.numbers.capacity()
    }

    /// Makes room.
    pub fn reserve(&mut self, vectors: usize) {
        self.items.reserve(vectors);
        self.scales.reserve(vectors);
        self.numbers.reserve(vectors * self.dim);
    }

    /// Adds the vector of a row. One of another length is left out.
    pub fn push(&mut self, item: i64, vector: &[f32]) {
        if vector.len() != self.dim {
            return;
        }
        // Directions are compared, so each is brought to the length of one.
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        let (scale, numbers) = rounded(vector);
        self.items.push(item);
        self.scales.push(if length > 0.0 { scale / length } else { 0.0 });
        self.numbers.extend(numbers);
    }

    /// All of them as a block is stored: rows, scales, numbers, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.count() * (12 + self.dim));
        self.items.iter().for_each(|item| bytes.extend(item.to_le_bytes()));
        self.scales.iter().for_each(|scale| bytes.extend(scale.to_le_bytes()));
        bytes.extend(self.numbers.iter().map(|number| number.cast_unsigned()));
        bytes
    }

    /// Adds a stored block; false when its size is not what it should be.
    pub fn add_block(&mut self, count: usize, bytes: &[u8]) -> bool {
        if bytes.len() != count * (12 + self.dim) {
            return false;
        }
        let (items, rest) = bytes.split_at(count * 8);
        let (scales, numbers) = rest.split_at(count * 4);
        self.items.extend(items.as_chunks::<8>().0.iter().map(|item| i64::from_le_bytes(*item)));
        self.scales.extend(scales.as_chunks::<4>().0.iter().map(|scale| f32::from_le_bytes(*scale)));
        self.numbers.extend(numbers.iter().map(|number| number.cast_signed()));
        true
    }

    /// Offers every vector of a part to the best, or only those of the rows in `allowed`, which are sorted.
    pub fn scan(&self, part: Range<usize>, query: &[f32], allowed: Option<&[i64]>, best: &mut Best) {
        if query.len() != self.dim || self.dim == 0 {
            return;
        }
        let (from, to) = (part.start.min(self.count()), part.end.min(self.count()));
        let part = from..to.max(from);
        let query: Vec<i16> = rounded(query).1.map(i16::from).collect();
        let accept = |item: i64| allowed.is_none_or(|allowed| allowed.binary_search(&item).is_ok());
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is compiled for.
            #[expect(unsafe_code, reason = "says that the processor was asked")]
            unsafe {
                self.offer_all_avx2(part, &query, accept, best);
            }
            return;
        }
        self.offer_all(part, &query, accept, best);
    }

    /// [`Codes::offer_all`] for processors that multiply sixteen numbers at a time. What every x86-64 can do takes three times as long.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn offer_all_avx2(&self, part: Range<usize>, query: &[i16], accept: impl Fn(i64) -> bool, best: &mut Best) {
        self.offer_all(part, query, accept, best);
    }

    #[inline(always)]
    fn offer_all(&self, part: Range<usize>, query: &[i16], accept: impl Fn(i64) -> bool, best: &mut Best) {
        let numbers = &self.numbers[part.start * self.dim..part.end * self.dim];
        let rows = self.items[part.clone()].iter().zip(&self.scales[part]);
        for ((item, scale), numbers) in rows.zip(numbers.chunks_exact(self.dim)) {
            fetch_ahead(numbers);
            let score = product(query, numbers) as f32 * scale;
            if best.wants(score) && accept(*item) {
                best.offer(score, *item);
            }
        }
    }
}

/// Has the processor bring what comes some kilobytes behind these numbers. By itself it stops at each page of memory, and what was
/// not used for a while is far away: two fifths of a scan's time went into waiting for it.
#[inline(always)]
fn fetch_ahead(numbers: &[i8]) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..numbers.len()).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let place = numbers.as_ptr().wrapping_add(AHEAD + line);
        // SAFETY: it is a hint; an address that is not there does nothing.
        #[expect(unsafe_code, reason = "names an address without reading it")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(place);
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// A vector's numbers in 127ths of the greatest, and that unit.
fn rounded(vector: &[f32]) -> (f32, impl Iterator<Item = i8> + '_) {
    let most = vector.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
    let scale = if most > 0.0 { most / 127.0 } else { 1.0 };
    (scale, vector.iter().map(move |number| (number / scale).round() as i8))
}

#[inline(always)]
fn product(query: &[i16], numbers: &[i8]) -> i32 {
    query.iter().zip(numbers).map(|(x, y)| i32::from(*x) * i32::from(i16::from(*y))).sum()
}

/// The best so many of what is offered; each row once, as often as it is offered.
#[derive(Debug)]
pub struct Best {
    most: usize,
    /// The worst first.
    heap: BinaryHeap<Reverse<(Score, i64)>>,
}

#[derive(Debug, PartialEq)]
struct Score(f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Best {
    /// Room for `most`.
    pub fn new(most: usize) -> Self {
        Self { most, heap: BinaryHeap::with_capacity(most + 1) }
    }

    fn wants(&self, score: f32) -> bool {
        self.heap.len() < self.most || self.heap.peek().is_some_and(|worst| score > worst.0.0.0)
    }

    fn offer(&mut self, score: f32, item: i64) {
        self.heap.push(Reverse((Score(score), item)));
        if self.heap.len() > self.most {
            self.heap.pop();
        }
    }

    /// Offers what is best elsewhere.
    pub fn merge(&mut self, other: Self) {
        for Reverse((Score(score), item)) in other.heap {
            if self.wants(score) {
                self.offer(score, item);
            }
        }
    }

    /// The rows, the best first, each once.
    pub fn into_items(self) -> Vec<i64> {
        let mut seen = std::collections::HashSet::new();
        let items = self.heap.into_sorted_vec().into_iter().map(|Reverse((_, item))| item);
        items.filter(|item| seen.insert(*item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cosine;

    /// A vector that only depends on its seed.
    fn vector(seed: u64, dim: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2001) as f32 / 1000.0 - 1.0
        };
        (0..dim).map(|_| next()).collect()
    }

    #[test]
    fn nearly_all_of_the_nearest_are_among_a_few_more_of_the_rounded() {
        let dim = 64;
        let vectors: Vec<Vec<f32>> = (1..3000).map(|seed| vector(seed, dim)).collect();
        let mut codes = Codes::new(dim);
        for (item, vector) in (0..).zip(&vectors) {
            codes.push(item, vector);
        }
        let mut again = Codes::new(dim);
        assert!(again.add_block(codes.count(), &codes.to_bytes()));
        assert!(!again.add_block(codes.count() + 1, &codes.to_bytes()));
        let (mut found, mut all) = (0, 0);
        for seed in 5000..5050 {
            let query = vector(seed, dim);
            let mut exact: Vec<(f32, i64)> =
                vectors.iter().zip(0..).map(|(v, item)| (cosine(&query, v), item)).collect();
            exact.sort_by(|one, two| two.0.total_cmp(&one.0));
            let mut best = Best::new(20);
            let mut rest = Best::new(20);
            again.scan(0..1234, &query, None, &mut best);
            again.scan(1234..usize::MAX, &query, None, &mut rest);
            best.merge(rest);
            let near = best.into_items();
            assert_eq!(near.len(), 20);
            all += 10;
            found += exact[..10].iter().filter(|(_, item)| near.contains(item)).count();
        }
        assert!(found * 100 >= all * 99, "{found} of {all}");
    }

    #[test]
    fn only_allowed_rows_are_offered() {
        let mut codes = Codes::new(2);
        for item in 0..10 {
            codes.push(item, &[1.0, item as f32]);
        }
        let mut best = Best::new(3);
        codes.scan(0..usize::MAX, &[0.0, 1.0], Some(&[1, 4, 5]), &mut best);
        assert_eq!(best.into_items(), [5, 4, 1]);
        let mut best = Best::new(3);
        codes.scan(0..usize::MAX, &[0.0, 1.0, 0.0], None, &mut best);
        assert_eq!(best.into_items(), Vec::<i64>::new());
    }
}
