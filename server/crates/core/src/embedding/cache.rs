//! Vectors by the content that they are of.

use std::sync::Arc;

use mneme_memo::{Bounds, Memo};
use sha2::{Digest, Sha256};

/// Bytes of vectors that are kept: some 20,000 of 384 numbers.
const CAPACITY: u64 = 32 << 20;

/// A digest of a model's name and a text.
pub(super) type Key = [u8; 32];

/// The key of a text.
pub(super) fn key(model: &str, text: &str) -> Key {
    // The name has no zero byte, so the two cannot run into each other.
    Sha256::new().chain_update(model).chain_update([0]).chain_update(text).finalize().into()
}

/// Vectors that were made before. What is used least goes first.
pub(super) struct Vectors(Memo<Key, Arc<[f32]>>);

impl Default for Vectors {
    fn default() -> Self {
        Self(Memo::weighing(Bounds::of(CAPACITY), |_, vector| vector.len() * 4 + 128))
    }
}

impl Vectors {
    pub(super) fn get(&self, key: &Key) -> Option<Vec<f32>> {
        self.0.get(key).map(|vector| vector.to_vec())
    }

    pub(super) fn put(&self, key: Key, vector: &[f32]) {
        self.0.insert(key, vector.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_by_its_model_and_content() {
        let vectors = Vectors::default();
        vectors.put(key("openai/small", "tea"), &[1.0, 2.0]);
        assert_eq!(vectors.get(&key("openai/small", "tea")), Some(vec![1.0, 2.0]));
        assert_eq!(vectors.get(&key("openai/large", "tea")), None);
        assert_eq!(vectors.get(&key("openai/small", "tea ")), None);
    }
}
