//! Makes new inputs out of known ones.

use rand::{Rng, SeedableRng, rngs::StdRng};

/// No input grows beyond this, in bytes.
const LARGEST: usize = 64 << 10;

/// A source of inputs. The same seed gives the same inputs.
pub struct Mutator {
    random: StdRng,
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
}

impl Mutator {
    /// Starts from these inputs, and puts these words into them.
    pub fn new(seed: u64, seeds: Vec<Vec<u8>>, words: &'static [&'static str]) -> Self {
        Self { random: StdRng::seed_from_u64(seed), seeds, words }
    }

    /// An input: the seeds in their order, then mutations of them.
    pub fn input(&mut self, number: u64) -> Vec<u8> {
        let known = usize::try_from(number).ok().and_then(|number| self.seeds.get(number));
        if let Some(seed) = known {
            return seed.clone();
        }
        let mut input = self.seed().to_vec();
        for _ in 0..self.random.random_range(1..=8) {
            self.mutate(&mut input);
        }
        input.truncate(LARGEST);
        input
    }

    fn seed(&mut self) -> &[u8] {
        if self.seeds.is_empty() {
            return &[];
        }
        let which = self.random.random_range(0..self.seeds.len());
        &self.seeds[which]
    }

    /// A range of an input, mostly a short one.
    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.random.random_range(0..=length);
        let most = if self.random.random_bool(0.8) { 16 } else { length };
        let end = start + self.random.random_range(0..=most.min(length - start));
        start..end
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        let at = self.range(input.len());
        match self.random.random_range(0..9) {
            0 => {
                if let Some(byte) = input.get_mut(at.start) {
                    *byte ^= 1 << self.random.random_range(0..8);
                }
            }
            1 => {
                if let Some(byte) = input.get_mut(at.start) {
                    *byte = self.random.random();
                }
            }
            // Numbers at their ends, where sizes and counts are.
            2 => {
                const ENDS: [&[u8]; 5] = [&[0], &[0xff], &[0x7f], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0x80; 5]];
                let end = ENDS[self.random.random_range(0..ENDS.len())];
                input.splice(at, end.iter().copied());
            }
            3 => drop(input.drain(at)),
            4 => {
                let copy = input[at.clone()].to_vec();
                let place = self.random.random_range(0..=input.len());
                input.splice(place..place, copy);
            }
            // The same again and again: depth is where parsers break.
            5 => {
                let piece = input[at.clone()].to_vec();
                let times = if self.random.random_bool(0.1) { 4_000 } else { 20 };
                let times = times.min(LARGEST / piece.len().max(1));
                input.splice(at.end..at.end, piece.repeat(times));
            }
            6 => {
                let (other, place) = (self.seed().to_vec(), at);
                let part = self.range(other.len());
                input.splice(place, other[part].iter().copied());
            }
            7 if !self.words.is_empty() => {
                let word = self.words[self.random.random_range(0..self.words.len())];
                input.splice(at.start..at.start, word.bytes());
            }
            _ => input.truncate(at.start),
        }
    }
}
