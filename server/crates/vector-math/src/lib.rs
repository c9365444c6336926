//! Arithmetic over vectors: rounded copies and a first look through them, cosines, and numbers as bytes. No I/O.
//!
//! A crate of its own because it is compiled with the most optimisation, and most of the server is not.

mod codes;

pub use codes::{Best, Codes};

/// A vector as SQLite stores it.
pub fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// The numbers of a vector as SQLite stores it.
pub fn numbers_of(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// The cosine of the angle between two vectors; 0 when one has no direction.
pub fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let (mut product, mut own, mut theirs) = (0.0_f32, 0.0_f32, 0.0_f32);
    for (x, y) in one.iter().zip(other) {
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
        assert!((cosine(&[1.0, 0.0], &[5.0, 0.0]) - 1.0).abs() < 1e-6);
        assert!((cosine(&[1.0, 0.0], &[0.0, 2.0])).abs() < 1e-6);
        assert!((cosine(&[1.0, 1.0], &[-1.0, -1.0]) + 1.0).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 1.0]), 0.0);
    }

    #[test]
    fn numbers_come_back_as_they_were() {
        let vector = [0.5, -1.25, 1e-30, f32::MAX];
        assert_eq!(numbers_of(&bytes_of(&vector)), vector);
    }
}
