//! A small sentence model of the BERT family, run on the CPU: texts in, vectors of unit length out. No I/O, no threads.
//!
//! Weights come as one file that [`pack`] makes out of the published ones: matrices of 8-bit numbers with a scale for
//! each row, a quarter of the size for vectors whose cosine with the published model's is 0.997 or more.

mod forward;
mod maths;
mod pack;
mod weights;
mod wordpiece;

pub use pack::pack;

use crate::{weights::Weights, wordpiece::Vocabulary};

/// Tokens that the model was trained to read at once, with the two that mark the ends.
const WINDOW: usize = 256;
/// Windows of a text that are read; what comes after them does not change its vector.
const MOST_WINDOWS: usize = 16;
/// Tokens that go through the model together, which bounds its memory.
const BATCH_TOKENS: usize = 2048;

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no file of tensors.
    #[error("not a file of tensors: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// A tensor is missing or of another kind than it should be.
    #[error("the tensor {0} is missing or not as it should be")]
    Tensor(String),
    /// The vocabulary is no text or lacks a mark.
    #[error("the vocabulary is not usable")]
    Vocabulary,
}

/// A loaded model.
pub struct Model {
    weights: Weights,
    vocabulary: Vocabulary,
}

impl Model {
    /// Reads a packed model. What is looked up by token stays in `packed`; the layers' matrices are unpacked into
    /// memory, about 43 MB of MiniLM.
    ///
    /// # Errors
    /// When it was not made by [`pack`].
    pub fn load(packed: &'static [u8]) -> Result<Self, ModelError> {
        let (weights, vocabulary) = weights::read(packed)?;
        Ok(Self { weights, vocabulary })
    }

    /// Numbers in a vector.
    pub fn dimensions(&self) -> usize {
        self.weights.width
    }

    /// The vectors of texts, in order. A text longer than the model's window is read in several, whose mean counts.
    pub fn embed<T: AsRef<str>>(&self, texts: &[T]) -> Vec<Vec<f32>> {
        let mut sums = vec![vec![0.0_f32; self.weights.width]; texts.len()];
        let mut batch: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut tokens = 0;
        for (owner, text) in texts.iter().enumerate() {
            for window in self.windows(text.as_ref()) {
                if tokens + window.len() > BATCH_TOKENS {
                    self.run(&mut batch, &mut sums);
                    tokens = 0;
                }
                tokens += window.len();
                batch.push((owner, window));
            }
        }
        self.run(&mut batch, &mut sums);
        for sum in &mut sums {
            maths::to_unit_length(sum);
        }
        sums
    }

    /// How many tokens of the model's own a text has, up to the end of what is read of it.
    pub fn tokens(&self, text: &str) -> usize {
        self.windows(text).iter().map(|window| window.len() - 2).sum()
    }

    fn windows(&self, text: &str) -> Vec<Vec<u32>> {
        let room = WINDOW - 2;
        let pieces = self.vocabulary.pieces(text, room * MOST_WINDOWS);
        let marked = |part: &[u32]| [&[self.vocabulary.start], part, &[self.vocabulary.end]].concat();
        if pieces.is_empty() {
            return vec![marked(&[])];
        }
        pieces.chunks(room).map(marked).collect()
    }

    /// Adds each window's vector to its text's sum, longer ones counting for more, and empties the batch.
    fn run(&self, batch: &mut Vec<(usize, Vec<u32>)>, sums: &mut [Vec<f32>]) {
        if batch.is_empty() {
            return;
        }
        let windows: Vec<&[u32]> = batch.iter().map(|(_, window)| window.as_slice()).collect();
        for ((owner, window), mut vector) in batch.iter().zip(forward::run(&self.weights, &windows)) {
            maths::to_unit_length(&mut vector);
            let weight = window.len() as f32;
            for (sum, number) in sums[*owner].iter_mut().zip(vector) {
                *sum += number * weight;
            }
        }
        batch.clear();
    }
}
